//! `probity list`, `probity disasm`, `probity spec check` and the help texts.

mod common;

use common::{golden, probity};

const VERDICTS: &str = "verifier/cli/tests/objects/verdicts.o";
const FIREWALL: &str = "tests/programs/xdp_firewall.o";

#[test]
fn programs_and_maps_are_listed() {
    let run = probity(&["list", FIREWALL, VERDICTS]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("list.txt", &run.out);
    let run = probity(&["list", FIREWALL, VERDICTS, "--format", "jsonl"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("list.jsonl", &run.out);
}

#[test]
fn what_is_unreadable_does_not_hide_the_rest_of_a_list() {
    let run = probity(&["list", "missing.o", VERDICTS]);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("missing.o") && run.out.contains("no_null_check"));
}

#[test]
fn instructions_stand_under_their_lines() {
    let run = probity(&["disasm", FIREWALL]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    golden("disasm.txt", &run.out);
}

#[test]
fn one_program_is_disassembled_and_needs_no_type() {
    let run = probity(&["disasm", VERDICTS, "--program", "untyped"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("untyped:\n") && run.out.contains("(95) exit"), "{}", run.out);
    assert!(!run.out.contains("no_null_check"));
    assert_eq!(probity(&["disasm", VERDICTS, "--program", "nothing"]).code, 2);
    assert_eq!(probity(&["disasm", "missing.o"]).code, 3);
}

#[test]
fn good_specs_are_accepted() {
    let run = probity(&["spec", "check", "spec/linux", "spec/examples/firewall.bpfspec"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("accepted  spec/linux  (platform linux, "), "{}", run.out);
    assert!(
        run.out.contains("accepted  spec/examples/firewall.bpfspec  (platform firewall, "),
        "{}",
        run.out
    );
}

#[test]
fn bad_specs_are_rejected_with_their_place() {
    let run = probity(&["spec", "check", "tests/spec/fail/bad_version.bpfspec"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("error[S"), "{}", run.out);
    assert!(run.out.contains("tests/spec/fail/bad_version.bpfspec:"), "{}", run.out);
    assert!(run.out.contains("rejected  tests/spec/fail/bad_version.bpfspec\n"), "{}", run.out);
}

#[test]
fn warnings_refuse_when_asked_to() {
    let folder = common::root().join("tests/spec/warn");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "bpfspec"));
    files.sort();
    let file = files[0].to_str().unwrap();
    assert_eq!(probity(&["spec", "check", file]).code, 0);
    assert_eq!(probity(&["spec", "check", "--deny-warnings", file]).code, 1);
}

#[test]
fn specs_that_are_not_there_are_unreadable() {
    let run = probity(&["spec", "check", "missing.bpfspec"]);
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    assert!(run.err.contains("missing.bpfspec"));
}

#[test]
fn help_shows_examples_and_exit_codes() {
    for (args, needle) in [
        (&["--help"][..], "Exit codes:"),
        (&["check", "--help"], "Examples:"),
        (&["list", "--help"], "Examples:"),
        (&["disasm", "--help"], "Examples:"),
        (&["spec", "check", "--help"], "Examples:"),
    ] {
        let run = probity(args);
        assert_eq!(run.code, 0);
        assert!(run.out.contains(needle), "{}", run.out);
    }
}
