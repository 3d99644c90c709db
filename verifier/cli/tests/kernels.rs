//! `--kernel`, and the platform that is built in by its name.

mod common;

use common::{jsonl, probity};

/// An object of ours that the kernel accepts, of type XDP.
const FINE: &str = "verifier/cli/tests/objects/verdicts.o";

#[test]
fn each_kernel_gives_a_record_and_others_than_the_measured_one_are_marked() {
    let (_, records) = jsonl(&[FINE, "--program", "fine", "--kernel", "6.12", "--kernel", "6.18"]);
    let said: Vec<_> = records.iter().map(|record| (&record["kernel"], &record["experimental"])).collect();
    assert_eq!(said, [(&"6.12".into(), &true.into()), (&"6.18".into(), &false.into())]);
    assert!(records.iter().all(|record| record["verdict"] == "accepted"), "{records:?}");
    let note = records[0]["notes"].to_string();
    assert!(note.contains("kernel 6.12 is experimental"), "{note}");
}

#[test]
fn a_kernel_without_the_program_type_refuses_the_program() {
    let (_, records) = jsonl(&[FINE, "--program", "fine", "--kernel", "4.7"]);
    assert_eq!(records[0]["verdict"], "rejected");
    let message = records[0]["message"].to_string();
    assert!(message.contains("BPF_PROG_TYPE_XDP is not in linux 4.7"), "{message}");
}

#[test]
fn what_is_no_version_is_said() {
    for bad in ["6", "6.x", "v6.12", ""] {
        let run = probity(&["check", FINE, "--kernel", bad]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains("is no version; write 6.18"), "{bad}: {}", run.err);
    }
}

fn text(args: &[&str]) -> String {
    let run = probity(args);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

#[test]
fn linux_is_built_in() {
    let built_in = text(&["spec", "list", "linux"]);
    assert_eq!(built_in, text(&["spec", "list", "spec/linux"]));
    assert!(text(&["spec", "check", "linux"]).contains("accepted"));
}

#[test]
fn two_versions_of_linux_differ_in_what_came_between() {
    let diff = text(&["spec", "diff", "linux@6.12", "linux@6.18"]);
    let has = |line: &str| diff.lines().any(|known| known.starts_with(line));
    assert!(has("+ kfunc bpf_local_irq_save "), "{diff}");
    assert!(!has("+ kfunc bpf_rcu_read_lock "), "{diff}");
    assert!(!diff.lines().any(|line| line.starts_with("+ helper ")), "no helper is newer than 6.12: {diff}");
}
