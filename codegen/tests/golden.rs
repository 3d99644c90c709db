//! What codegen emits for the specs of spec/examples, held against golden copies.
//! `BLESS=1` writes the copies anew. That they compile is for `firewall` and `table` to say.

use std::path::{Path, PathBuf};

use probity_codegen::diagnostic::Style;
use probity_codegen::{Compiler, Options, SourceMap, build};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn emitted(name: &str) -> String {
    emitted_with(name, false)
}

fn emitted_with(name: &str, bindings: bool) -> String {
    let mut sources = SourceMap::new();
    let file = format!("{name}.bpfspec");
    sources.load(&root().join("spec/examples").join(&file), &file).expect("the spec is there");
    let options = Options {
        root_path: "::probity_platform".into(),
        regenerate: "BLESS=1 cargo test -p probity-codegen --test golden".into(),
        bindings,
        ..Options::default()
    };
    let built = build(sources, &options);
    assert!(built.diagnostics.is_empty(), "{}", built.report(Style::Plain));
    built.rust.expect("the platform is accepted")
}

#[test]
fn the_firewall_is_emitted_as_the_golden_copy_says() {
    golden("firewall");
}

#[test]
fn the_table_is_emitted_as_the_golden_copy_says() {
    golden("table");
}

/// The bindings of a host alone: what stands in their module.
fn bindings(name: &str) -> String {
    let text = emitted_with(name, true);
    let start = text.find("mod host {").expect("there are bindings");
    let end = text[start..].find("\n}\n").expect("the module ends");
    text[start..start + end + 3].to_owned()
}

#[test]
fn the_firewall_s_bindings_are_as_the_golden_copy_says() {
    held_against("host_firewall", bindings("firewall"));
}

#[test]
fn the_table_s_bindings_are_as_the_golden_copy_says() {
    held_against("host_table", bindings("table"));
}

fn golden(name: &str) {
    held_against(name, emitted(name));
}

fn held_against(name: &str, emitted: String) {
    let path = root().join("tests/golden").join(format!("{name}.rs.golden"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &emitted).expect("the golden copy can be written");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == emitted, "{} is stale: run with BLESS=1 and read the difference", path.display());
}

#[test]
fn the_same_sources_give_the_same_text_wherever_they_are() {
    let folder = std::env::temp_dir().join(format!("probity-golden-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let spec = folder.join("firewall.bpfspec");
    std::fs::copy(root().join("spec/examples/firewall.bpfspec"), &spec).expect("a copy");
    let run = Compiler::new()
        .root_path("::probity_platform")
        .regenerate("BLESS=1 cargo test -p probity-codegen --test golden")
        .out_dir(&folder)
        .run(&spec);
    let (built, watched) = run.expect("the copy compiles");
    assert_eq!(built.rust.as_deref(), Some(emitted("firewall").as_str()));
    assert_eq!(watched, [spec]);
    let written = std::fs::read_to_string(folder.join("firewall.rs")).expect("the output is there");
    assert_eq!(written, emitted("firewall"));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
