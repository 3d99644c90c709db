//! What codegen emits for spec/examples/firewall.bpfspec, held against a golden copy.
//! `BLESS=1` writes the copy anew. That the copy compiles is for `firewall` to say.

use std::path::{Path, PathBuf};

use probity_codegen::diagnostic::Style;
use probity_codegen::{Compiler, Options, SourceMap, build};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn emitted() -> String {
    let mut sources = SourceMap::new();
    sources
        .load(&root().join("spec/examples/firewall.bpfspec"), "firewall.bpfspec")
        .expect("the spec is there");
    let options = Options {
        root_path: "::probity_platform".into(),
        regenerate: "BLESS=1 cargo test -p probity-codegen --test golden".into(),
        ..Options::default()
    };
    let built = build(sources, &options);
    assert!(built.diagnostics.is_empty(), "{}", built.report(Style::Plain));
    built.rust.expect("the platform is accepted")
}

#[test]
fn the_firewall_is_emitted_as_the_golden_copy_says() {
    let path = root().join("tests/golden/firewall.rs.golden");
    let emitted = emitted();
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
    assert_eq!(built.rust.as_deref(), Some(emitted().as_str()));
    assert_eq!(watched, [spec]);
    let written = std::fs::read_to_string(folder.join("firewall.rs")).expect("the output is there");
    assert_eq!(written, emitted());
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
