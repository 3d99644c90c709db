//! The macros: what they refuse, with the exact carets, and what they make.

use std::fs;
use std::path::{Path, PathBuf};

use probity_codegen::{Options, SourceMap, build};

#[test]
fn macros_underline_the_tokens_that_are_wrong() {
    // Cases are compiled in a package of their own; paths of spec files are relative to it.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests/trybuild");
    let folder = target.join(env!("CARGO_PKG_NAME")).join("spec");
    fs::create_dir_all(&folder).expect("a folder");
    for entry in fs::read_dir("ui/spec").expect("spec files") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*.rs");
    // The bindings of a host: what does not fit is an error of types.
    cases.compile_fail("ui/host/*.rs");
    cases.pass("ui/pass/*.rs");
    for case in whole_platforms(&folder) {
        cases.pass(case);
    }
}

/// Cases with whole platforms, written into `spec! { }`: our examples, and Linux.
fn whole_platforms(folder: &Path) -> Vec<PathBuf> {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
    ["examples/firewall.bpfspec", "examples/table.bpfspec", "linux"]
        .into_iter()
        .map(|path| {
            let mut sources = SourceMap::new();
            sources.load(&spec.join(path), "").expect("our own specs");
            let built = build(sources.clone(), &Options::default());
            let model = built.model.expect("our own specs are accepted");
            let mut text = String::new();
            for (_, file) in sources.iter() {
                // What a file is about stands at its beginning only, and here is one text.
                for line in file.text().lines().filter(|line| !line.starts_with("//!")) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            let (name, helpers, kfuncs) = (&model.name, model.callables.len(), model.kfuncs.len());
            let case = folder.join(format!("inline_{name}.rs"));
            let text = format!(
                "mod platform {{\nprobity_macro::spec! {{\n#![root = \"::probity_platform\"]\n{text}}}\n}}\n\
                 fn main() {{\n    let platform = &platform::PLATFORM;\n    \
                 let counts = (platform.callables.len(), platform.kfuncs.len());\n    \
                 assert_eq!((platform.name, counts), ({name:?}, ({helpers}, {kfuncs})));\n}}\n"
            );
            fs::write(&case, text).expect("writable");
            case
        })
        .collect()
}
