//! `probity check`: verdicts, exit codes, formats.

mod common;

use common::{command, golden, jsonl, probity};

const FIREWALL: &str = "tests/programs/xdp_firewall.o";
const BUG: &str = "tests/programs/xdp_firewall_bug.o";
const VERDICTS: &str = "verifier/cli/tests/objects/verdicts.o";
const EMPTY: &str = "verifier/cli/tests/objects/empty.o";

#[test]
fn the_readme_shows_what_its_command_prints() {
    let run = probity(&["check", FIREWALL, BUG]);
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    golden("readme.txt", &run.out);
    let readme = std::fs::read_to_string(common::root().join("README.md")).unwrap();
    assert!(readme.contains(&run.out), "README.md does not show this:\n{}", run.out);
}

#[test]
fn every_verdict_has_its_look() {
    let run = probity(&["check", VERDICTS, "missing.o", EMPTY]);
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    golden("verdicts.txt", &run.out);
}

#[test]
fn every_verdict_has_its_json() {
    let run = probity(&["check", VERDICTS, "missing.o", EMPTY, "--format", "jsonl"]);
    let masked = run.out.lines().map(|line| {
        let (before, _) = line.split_once("\"time_us\":").unwrap();
        format!("{before}\"time_us\":0}}\n")
    });
    golden("verdicts.jsonl", &masked.collect::<String>());
}

#[test]
fn fields_stand_in_their_order() {
    let run = probity(&["check", BUG, "--format", "jsonl"]);
    let fields = [
        "object",
        "program",
        "section",
        "prog_type",
        "attach_type",
        "struct_ops",
        "kernel",
        "experimental",
        "verdict",
        "code",
        "errno",
        "message",
        "needed",
        "known",
        "pc",
        "insn",
        "source",
        "spec",
        "explanation",
        "subject",
        "registers",
        "history",
        "history_left_out",
        "suggestion",
        "processed",
        "total_states",
        "peak_states",
        "max_states_per_insn",
        "stack_depth",
        "time_us",
        "notes",
    ];
    let mut rest = run.out.as_str();
    for field in fields {
        let key = format!("\"{field}\":");
        let at = rest.find(&key).unwrap_or_else(|| panic!("{field} is missing in {}", run.out));
        rest = &rest[at + key.len()..];
    }
    let value: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(value.as_object().unwrap().len(), fields.len());
}

#[test]
fn exit_codes_follow_the_verdicts() {
    let code = |args: &[&str]| probity(&[&["check"], args].concat()).code;
    assert_eq!(code(&[FIREWALL]), 0);
    assert_eq!(code(&[FIREWALL, BUG]), 1);
    assert_eq!(code(&[VERDICTS, "--program", "untyped"]), 3);
    assert_eq!(code(&[VERDICTS, "--program", "untyped", "--program", "fine"]), 3);
    assert_eq!(code(&[VERDICTS, "--program", "untyped", "--program", "no_null_check"]), 1);
    assert_eq!(code(&["missing.o"]), 3);
    assert_eq!(code(&["missing.o", FIREWALL]), 3);
    assert_eq!(code(&["missing.o", BUG]), 1);
    assert_eq!(code(&[EMPTY]), 3);
    assert_eq!(code(&["README.md"]), 3);
    assert_eq!(code(&["verifier"]), 3);
}

#[test]
fn a_wrong_command_line_is_refused() {
    let refused = |args: &[&str], needle: &str| {
        let run = probity(args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(needle), "{}", run.err);
    };
    refused(&["check", "--frobnicate", FIREWALL], "--frobnicate");
    refused(&["check"], "<OBJECT>");
    refused(&["frobnicate"], "frobnicate");
    refused(&["check", FIREWALL, "--program", "nothing"], "no object has a program `nothing`");
    refused(&["check", FIREWALL, "--type", "nothing=xdp"], "no object has a program `nothing`");
    refused(&["check", FIREWALL, "--type", "firewall"], "PROGRAM=TYPE");
    refused(&["check", FIREWALL, "--type", "firewall=door"], "no program type `door`");
    refused(&["check", FIREWALL, "--type", "firewall=xdp/door"], "no attach type `door`");
    refused(&["check", FIREWALL, "--prog-flags", "x"], "--prog-flags");
    refused(&["check", FIREWALL, "--format", "xml"], "xml");
}

#[test]
fn a_type_by_hand_counts_more_than_the_section() {
    let (code, lines) = jsonl(&[VERDICTS, "--program", "untyped", "--type", "untyped=xdp"]);
    assert_eq!((code, lines.len()), (0, 1));
    assert_eq!(lines[0]["verdict"], "accepted");
    assert_eq!(lines[0]["prog_type"], "BPF_PROG_TYPE_XDP");
    let (_, lines) = jsonl(&[VERDICTS, "--program", "fine", "--type", "fine=Bpf_Prog_Type_Xdp/XDP_DEVMAP"]);
    assert_eq!(lines[0]["attach_type"], "BPF_XDP_DEVMAP");
}

#[test]
fn sections_with_a_question_mark_are_checked() {
    let (code, lines) = jsonl(&[VERDICTS, "--program", "optional"]);
    assert_eq!(code, 0);
    assert_eq!(
        (lines[0]["section"].as_str(), lines[0]["verdict"].as_str()),
        (Some("?xdp"), Some("accepted"))
    );
}

#[test]
fn a_section_without_a_type_is_named_with_its_remedy() {
    let (_, lines) = jsonl(&[VERDICTS, "--program", "untyped"]);
    assert_eq!(lines[0]["verdict"], "unsupported");
    let message = lines[0]["message"].as_str().unwrap();
    assert!(message.contains("my/section") && message.contains("--type untyped=TYPE"), "{message}");
}

#[test]
fn flags_of_loading_reach_the_engine() {
    // BPF_F_TEST_STATE_FREQ: a state is remembered at every chance.
    let states = |flags: &str| {
        let (_, lines) = jsonl(&[FIREWALL, "--prog-flags", flags]);
        lines[0]["total_states"].as_u64().unwrap()
    };
    assert_eq!(states("8"), states("0x8"));
    assert!(states("8") > states("0"));
}

#[test]
fn rejections_name_their_line() {
    let (code, lines) = jsonl(&[BUG]);
    assert_eq!(code, 1);
    let line = &lines[0];
    assert_eq!((line["verdict"].as_str(), line["errno"].as_i64()), (Some("rejected"), Some(13)));
    assert!(line["message"].as_str().unwrap().starts_with("invalid access to packet, off="));
    assert!(line["source"]["text"].as_str().unwrap().contains("tcp->flags"));
    assert!(line["source"]["file"].as_str().unwrap().ends_with("xdp_firewall_bug.c"));
}

#[test]
fn the_order_does_not_hang_on_the_number_of_jobs() {
    let objects = [BUG, VERDICTS, FIREWALL, "tests/programs/tc_counters.o", "tests/programs/kprobe_stack.o"];
    let names = |jobs: &str| -> Vec<String> {
        let (_, lines) = jsonl(&[&objects[..], &["--jobs", jobs]].concat());
        lines.iter().map(|line| format!("{} {}", line["object"], line["program"])).collect()
    };
    let one = names("1");
    assert_eq!(one.len(), 11);
    assert_eq!(one, names("4"));
    assert!(one[0].contains("xdp_firewall_bug.o") && one[10].contains("opening_busy"), "{one:?}");
}

#[test]
fn a_target_that_is_no_btf_is_unreadable() {
    for file in ["README.md", "missing.btf"] {
        let run = probity(&["check", FIREWALL, "--btf", file]);
        assert_eq!((run.code, run.out.as_str()), (3, ""));
        assert!(run.err.contains(file), "{}", run.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command(&["check", FIREWALL])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn there_is_colour_when_it_is_wanted_and_not_in_a_pipe() {
    let colour = |variables: &[&str]| {
        let mut command = command(&["check", BUG]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR").envs(variables.iter().map(|name| (name, "1")));
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains('\x1b')
    };
    assert!(!colour(&[]));
    assert!(colour(&["CLICOLOR_FORCE"]));
    assert!(!colour(&["NO_COLOR", "CLICOLOR_FORCE"]));
}
