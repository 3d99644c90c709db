//! `probity check --log`: logs in the form of the kernel's. Whether they are the kernel's is what
//! `tests/tests/kernel_log.rs` asks it.

mod common;

use common::{golden, jsonl, probity};

const FIREWALL: &str = "tests/programs/xdp_firewall.o";
const BUG: &str = "tests/programs/xdp_firewall_bug.o";
const STACK: &str = "tests/programs/kprobe_stack.o";

fn log(object: &str, level: &str) -> String {
    let (_, records) = jsonl(&[object, "--log", level]);
    records[0]["log"].as_str().expect("a log").to_owned()
}

#[test]
fn level_1_is_the_path_to_the_error() {
    let log = log(BUG, "1");
    golden("log_1.txt", &log);
    assert!(log.contains("R2 offset is outside of the packet\nprocessed "), "{log}");
    assert!(!log.contains("mark_precise:") && !log.contains("func#0"), "{log}");
}

#[test]
fn level_2_is_everything() {
    golden("log_2.txt", &log(STACK, "6"));
}

#[test]
fn of_accepted_programs_level_1_and_4_say_the_numbers_only() {
    let count = |level| log(FIREWALL, level).lines().count();
    assert_eq!((count("1"), count("4"), count("5")), (1, 2, 2));
}

#[test]
fn logs_come_before_verdicts() {
    let run = probity(&["check", BUG, "--log", "1"]);
    let (log, verdict) = run.out.split_once("\nrejected  ").expect("a log and a verdict");
    assert!(log.contains("0: R1=ctx() R10=fp0\n") && verdict.contains("R2 offset is outside"), "{}", run.out);
    assert_eq!(probity(&["check", BUG]).out.find("R10=fp0"), None);
}

#[test]
fn other_levels_are_refused() {
    assert_eq!(probity(&["check", BUG, "--log", "8"]).code, 2);
    assert_eq!(probity(&["check", BUG, "--log", "all"]).code, 2);
}
