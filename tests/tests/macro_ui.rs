//! The macros: what they refuse, with the exact carets, and what they make.

use std::fs;
use std::path::Path;

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
    cases.pass("ui/pass/*.rs");
}
