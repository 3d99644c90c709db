//! Verdicts for people: a line a program, a report behind those that were not accepted, the count.

use std::fmt::Write as _;

use super::record::{Record, Verdict};
use crate::PLATFORM;
use crate::args::short_name;
use crate::output::{BOLD, GREEN, Painted, RED, YELLOW, clean, count};

/// All records, with colours.
pub(super) fn render(records: &[Record]) -> String {
    let mut text = String::new();
    let several = records.iter().any(|record| record.object != records[0].object);
    let mut object = None;
    for record in records {
        if several && record.program.is_some() && object != Some(&record.object) {
            let _ = writeln!(text, "{}", Painted(clean(&record.object), BOLD));
            object = Some(&record.object);
        }
        verdict(&mut text, record);
    }
    text.push_str(&summary(records));
    text
}

fn verdict(text: &mut String, record: &Record) {
    let (word, style) = match record.verdict {
        Verdict::Accepted => ("accepted", GREEN),
        Verdict::Rejected => ("rejected", RED),
        Verdict::Unsupported => ("unsupported", YELLOW),
        Verdict::Error => ("error", RED),
    };
    let _ = write!(text, "{}  ", Painted(word, style));
    let Some(program) = &record.program else {
        let message = record.refusal.message.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}: {}", clean(&record.object), clean(message));
        return;
    };
    let _ = write!(text, "{}", clean(program));
    let facts = facts(record);
    if !facts.is_empty() {
        let _ = write!(text, "  ({})", facts.join(", "));
    }
    text.push('\n');
    if record.verdict == Verdict::Accepted {
        return;
    }
    let report = record.refusal.styled();
    let space = if report.contains('\n') { "\n" } else { "" };
    let _ = writeln!(text, "{report}{space}");
}

/// What stands in parentheses behind the program's name.
fn facts(record: &Record) -> Vec<String> {
    let mut facts = Vec::new();
    match record.prog_type.and_then(|name| PLATFORM.prog_type_named(name)) {
        Some(row) => facts.push(short_name(row)),
        None => facts.extend(record.section.as_ref().map(|section| format!("section {}", clean(section)))),
    }
    facts.extend(record.struct_ops.as_deref().map(clean));
    if record.experimental {
        facts.push(format!("kernel {}, experimental", record.kernel));
    }
    if record.processed > 0 {
        facts.push(format!("{} processed", count(record.processed, "instruction")));
    }
    if record.verdict == Verdict::Accepted {
        facts.push(count(record.total_states, "state"));
        facts.push(format!("stack {}", record.stack_depth));
    }
    facts
}

/// `3 programs: 2 accepted, 1 rejected; 1 object not checked`.
fn summary(records: &[Record]) -> String {
    let (programs, objects): (Vec<&Record>, Vec<&Record>) =
        records.iter().partition(|record| record.program.is_some());
    let words = [
        (Verdict::Accepted, "accepted"),
        (Verdict::Rejected, "rejected"),
        (Verdict::Unsupported, "unsupported"),
        (Verdict::Error, "not read"),
    ];
    let counts: Vec<String> = words
        .iter()
        .map(|(verdict, word)| (programs.iter().filter(|record| record.verdict == *verdict).count(), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let mut text = count(programs.len() as u64, "program");
    if !counts.is_empty() {
        let _ = write!(text, ": {}", counts.join(", "));
    }
    if !objects.is_empty() {
        let _ = write!(text, "; {} not checked", count(objects.len() as u64, "object"));
    }
    text.push('\n');
    text
}
