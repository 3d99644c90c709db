//! Verdicts for people: a line a program, a report behind those that were not accepted, the count.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
        let message = record.message.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}: {}", clean(&record.object), clean(message));
        return;
    };
    let _ = write!(text, "{}", clean(program));
    let facts = facts(record);
    if !facts.is_empty() {
        let _ = write!(text, "  ({})", facts.join(", "));
    }
    text.push('\n');
    let level = match record.verdict {
        Verdict::Accepted => return,
        Verdict::Unsupported => Level::WARNING.with_name("unsupported"),
        Verdict::Rejected | Verdict::Error => Level::ERROR,
    };
    let report = report(record, level);
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
    if record.processed > 0 {
        facts.push(format!("{} processed", count(record.processed, "instruction")));
    }
    if record.verdict == Verdict::Accepted {
        facts.push(count(record.total_states, "state"));
        facts.push(format!("stack {}", record.stack_depth));
    }
    facts
}

/// The report of one that was not accepted.
fn report(record: &Record, level: Level<'_>) -> String {
    let message = record.message.as_deref().unwrap_or_default();
    let title = level.primary_title(message);
    let title = match (record.verdict, record.code) {
        (Verdict::Unsupported, _) | (_, None) => title,
        (_, Some(code)) => title.id(code),
    };
    let mut group = Group::with_title(title);
    if let Some(source) = record.source.as_ref().filter(|source| !source.text.trim().is_empty()) {
        let span = word_at(&source.text, source.column);
        let snippet = Snippet::source(source.text.as_str())
            .line_start(source.line.max(1) as usize)
            .path(source.file.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        group = group.element(snippet);
    }
    let note = |name: &'static str, text: String| Level::NOTE.with_name(name).message(text);
    if let (Some(pc), Some(insn)) = (record.pc, &record.insn) {
        group = group.element(note("instruction", format!("{pc}: {}", clean(insn))));
    }
    for (name, text) in [("needed", &record.needed), ("known", &record.known)] {
        if let Some(text) = text {
            group = group.element(note(name, clean(text)));
        }
    }
    let mut groups = vec![group];
    if let Some(spec) = &record.spec {
        let mut group = Group::with_title(Level::NOTE.secondary_title("the spec demands it"));
        group = match spec.text {
            Some(line) => group.element(
                Snippet::source(line)
                    .line_start(spec.line as usize)
                    .path(spec.file.as_str())
                    .annotation(AnnotationKind::Context.span(clause_at(line, spec.column))),
            ),
            None => group.element(note("spec", format!("{}:{}:{}", spec.file, spec.line, spec.column))),
        };
        groups.push(group);
    }
    Renderer::styled().render(&groups)
}

/// The word of a C line at a column, in bytes from 1; the whole line when there is none there.
fn word_at(text: &str, column: u32) -> Range<usize> {
    let whole = text.len() - text.trim_start().len()..text.trim_end().len();
    let Some(start) = (column as usize).checked_sub(1).filter(|start| whole.contains(start)) else {
        return whole;
    };
    let start = text.floor_char_boundary(start);
    let rest = &text[start..];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start..start + word.max(first)
}

/// The clause of a spec line at a column, in characters from 1.
fn clause_at(text: &str, column: u32) -> Range<usize> {
    let before = (column as usize).saturating_sub(1);
    let start = text.char_indices().nth(before).map_or(text.len(), |(at, _)| at);
    let rest = &text[start..];
    let mut depth = 0_i32;
    let end = rest.find(|c: char| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth -= 1;
            depth < 0
        }
        ';' | '{' => true,
        ',' => depth == 0,
        _ => false,
    });
    let clause = rest[..end.unwrap_or(rest.len())].trim_end();
    start..start + clause.len()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_a_column_is_marked_whatever_the_column() {
        let text = "\tif (tcp->flags)";
        assert_eq!(&text[word_at(text, 6)], "tcp");
        assert_eq!(&text[word_at(text, 9)], "-");
        for column in [0, 1, 40, u32::MAX] {
            assert_eq!(&text[word_at(text, column)], "if (tcp->flags)");
        }
        for column in 0..9 {
            let _ = &"ü = üü"[word_at("ü = üü", column)];
        }
        assert_eq!(word_at("", 1), 0..0);
    }

    #[test]
    fn the_clause_at_a_column_ends_with_it() {
        let text = "    proto (map: A, key: B(1, 2)) -> C;";
        assert_eq!(&text[clause_at(text, 12)], "map: A");
        assert_eq!(&text[clause_at(text, 20)], "key: B(1, 2)");
        assert_eq!(&text[clause_at(text, 5)], "proto (map: A, key: B(1, 2)) -> C");
        assert_eq!(&text[clause_at(text, 1000)], "");
    }
}
