//! What Linux printed and said, against what this crate prints and says.
//!
//! The recorded loads are outside the repository: without them these tests print one line and pass,
//! and `log_sample.rs` has to do.

use std::path::{Path, PathBuf};

use probity_isa::{DecodeError, Disasm, Insn, Names, assemble, decode, disassemble};
use serde_json::Value;

fn records(file: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path: PathBuf = root.join("../../../shared").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return Vec::new();
    };
    let parse = |line| serde_json::from_str(line).expect("a line is a record");
    text.lines().map(parse).collect()
}

fn program(record: &Value) -> Vec<Insn> {
    let hex = record["insns"].as_str().expect("insns is hex");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("insns is hex");
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    Insn::parse_slice(&bytes).expect("whole instructions")
}

/// Takes every name from the line that is to be matched.
struct FromLine<'a>(&'a str);

impl Names for FromLine<'_> {
    fn helper(&self, _: i32) -> Option<&str> {
        let (_, call) = self.0.split_once("call ")?;
        call.split_once('#').map(|parts| parts.0)
    }

    fn kfunc(&self, _: i32, _: i16) -> Option<&str> {
        self.helper(0)
    }
}

/// `pc` and the rest of a line of the log that shows an instruction.
fn instruction_line(line: &str) -> Option<(usize, &str)> {
    let line = match line.strip_prefix("mark_precise") {
        Some(line) => line.split_once(" before ")?.1,
        None => line,
    };
    let (pc, text) = line.split_once(": ")?;
    let shown = text.starts_with("BUG_") || (text.starts_with('(') && text.get(3..5) == Some(") "));
    shown.then_some((pc.parse().ok()?, text))
}

/// The recorded lines have addresses and BTF ids masked.
fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(at) = text.find(" = map").or_else(|| text.find(" = btf")) {
        text.replace_range(at + 3.., "0xMAPPTR");
    }
    text
}

/// Whether nothing of the instruction is left: only the state, after `;` or another `pc:`.
fn is_state(rest: &str) -> bool {
    let after = rest.trim_start();
    let place = after.trim_start_matches(|c: char| c.is_ascii_digit());
    after.is_empty() || after.len() < rest.len() && place.starts_with([';', ':'])
}

#[test]
fn every_logged_instruction() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for record in records("probes/probes.jsonl") {
        let insns = program(&record);
        for line in record["log"].as_array().into_iter().flatten() {
            let line = line.as_str().expect("a log is text");
            let Some((pc, text)) = instruction_line(line) else {
                continue;
            };
            let ours = Disasm::new(&insns, pc, &FromLine(text)).to_string();
            let ours = masked(&ours.replace("#0", "#KFUNC"));
            checked += 1;
            if !text.strip_prefix(&ours).is_some_and(is_state) {
                wrong.push(format!("{}: `{line}`, not `{ours}`", record["name"]));
            }
        }
    }
    println!("{checked} lines");
    assert!(wrong.is_empty(), "{} lines: {wrong:#?}", wrong.len());
}

/// The messages that are about the form of one instruction.
fn is_about_form(message: &str) -> bool {
    message.ends_with("uses reserved fields")
        || message.starts_with("unknown opcode")
        || message.contains("bpf_ld_imm64 insn")
        || message.starts_with("BPF_ATOMIC uses invalid")
        || message.starts_with("invalid atomic operand")
        || message.starts_with("invalid may_goto")
}

/// The messages that come before Linux looks at slots.
fn is_about_jumps(message: &str) -> bool {
    message.starts_with("jump out of range") || message.starts_with("last insn is not")
}

fn first_error(insns: &[Insn], early: bool) -> Option<DecodeError> {
    let mut pc = 0;
    while pc < insns.len() {
        match decode(insns, pc) {
            Ok(instruction) => pc += instruction.slots(),
            Err(error) if error.is_early() == early => return Some(error),
            Err(_) => pc += insns[pc].slots(),
        }
    }
    None
}

/// Checks every record of a file; says how many, and how many of them Linux refused for their form.
fn check_verdicts(file: &str, message: fn(&Value) -> Option<&str>) -> (usize, usize) {
    let (mut checked, mut refused) = (0, 0);
    for record in records(file) {
        let insns = program(&record);
        let early = first_error(&insns, true);
        let late = first_error(&insns, false);
        checked += 1;
        let said = message(&record).filter(|said| is_about_form(said));
        if let Some(said) = said {
            refused += 1;
            let ours = early.or(late).map(|error| error.to_string());
            assert_eq!(ours.as_deref(), Some(said), "{}", record["name"]);
        } else {
            // Linux found something else: sooner than an early error only where jumps lead, and
            // sooner than a late one anything at all.
            let accepted = record["verdict"] == "accept";
            let error = early.or(late.filter(|_| accepted));
            let jumps = message(&record).is_some_and(is_about_jumps);
            assert!(error.is_none() || jumps, "{}: {error:?}", record["name"]);
        }
    }
    println!("{file}: {checked} programs, {refused} refused for their form");
    (checked, refused)
}

#[test]
fn verdicts_on_probes() {
    fn last_line(record: &Value) -> Option<&str> {
        record["msg"].as_array()?.last()?.as_str()
    }
    let (checked, refused) = check_verdicts("probes/probes.jsonl", last_line);
    assert!(checked == 0 || refused > 25);
}

#[test]
fn verdicts_on_raw_programs() {
    fn message(record: &Value) -> Option<&str> {
        record["message"].as_str()
    }
    let (checked, refused) = check_verdicts("corpus/raw.jsonl", message);
    assert!(checked == 0 || refused > 15);
}

#[test]
fn recorded_programs_round_trip_through_text() {
    let mut checked = 0;
    for file in ["probes/probes.jsonl", "corpus/raw.jsonl"] {
        for record in records(file) {
            let insns = program(&record);
            let text = disassemble(&insns, &());
            assert_eq!(assemble(&text, &()), Ok(insns), "{}", record["name"]);
            checked += 1;
        }
    }
    println!("{checked} programs");
}
