//! The examples: they print what they promise, their files are up to date, and the firewall's plug-ins
//! give the same in all engines. `BLESS=1` writes what is stale.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "../examples/firewall/main.rs"]
#[allow(dead_code)]
mod firewall;
#[path = "../examples/table/main.rs"]
#[allow(dead_code)]
mod table;
mod traffic;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Holds a file against what it should be; `BLESS=1` writes it.
fn up_to_date(path: &Path, wanted: &[u8]) {
    if env::var_os("BLESS").is_some() {
        return fs::write(path, wanted).expect("it can be written");
    }
    let there = fs::read(path).unwrap_or_default();
    assert!(there == wanted, "{} is stale: run with BLESS=1 and read the difference", path.display());
}

#[test]
fn the_firewall_prints_what_it_did() {
    let mut printed = Vec::new();
    firewall::run(&mut printed).expect("it runs");
    up_to_date(&examples().join("firewall/output.golden"), &printed);
}

#[test]
fn the_table_prints_what_it_did() {
    let mut printed = Vec::new();
    table::run(&mut printed).expect("it runs");
    up_to_date(&examples().join("table/output.golden"), &printed);
}

#[test]
fn the_traffic_is_what_its_generator_makes() {
    up_to_date(&examples().join("firewall/traffic.pcap"), &traffic::pcap());
}

#[test]
fn headers_are_those_of_the_specs() {
    let specs = [
        ("firewall", examples().join("firewall/firewall.bpfspec")),
        ("table", examples().join("../../../spec/examples/table.bpfspec")),
    ];
    for (name, spec) in specs {
        let mut sources = probity_codegen::SourceMap::new();
        sources.load(&spec, name).expect("the spec is there");
        let built = probity_codegen::build(sources, &probity_codegen::Options::default());
        let header = probity_codegen::emit::header(&built.model.expect("the platform is accepted"));
        up_to_date(&examples().join(name).join(format!("{name}.h")), header.as_bytes());
    }
}

#[test]
fn objects_are_what_the_compiler_makes_of_the_sources() {
    let compiler = env::var("CLANG").unwrap_or_else(|_| "clang-22".into());
    let version = Command::new(&compiler).arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        return println!("skipped: objects of the examples: there is no {compiler}");
    }
    for name in ["firewall", "table"] {
        let folder = env::temp_dir().join(format!("probity-examples-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let script = examples().join(name).join("build.sh");
        let status = Command::new("sh").arg(script).arg(&folder).status().expect("sh runs");
        assert!(status.success(), "{name}");
        let mut compared = 0;
        for object in fs::read_dir(&folder).expect("a folder") {
            let object = object.expect("an entry").path();
            let kept = examples().join(name).join(object.file_name().expect("a name"));
            up_to_date(&kept, &fs::read(&object).expect("it was made"));
            compared += 1;
        }
        assert!(compared >= 2, "{name}: {compared} objects");
        fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
