//! Why a program was not accepted, for people: the C line with its neighbours, what is known, where
//! the value came from, the line of the spec, what to change.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::{Line, Source, word_at};
use super::{Refusal, SpecPlace, Step};

/// Lines between two steps of a history that still stand in one piece of source.
const GAP: u32 = 400;

/// The report, with colours or without.
pub(super) fn render(refusal: &Refusal, styled: bool) -> String {
    let level = match refusal.unsupported {
        true => Level::WARNING.with_name("unsupported"),
        false => Level::ERROR,
    };
    let message = refusal.message.as_deref().unwrap_or_default();
    let title = level.primary_title(refusal.explanation.unwrap_or(message));
    let title = match refusal.code {
        Some(code) if !refusal.unsupported => title.id(code),
        _ => title,
    };
    let mut group = Group::with_title(title);
    if let Some(source) = refusal.source.as_ref().filter(|source| !source.text.trim().is_empty()) {
        let text = Text::around(source);
        let label = refusal.subject.as_ref().and_then(|subject| {
            let register = refusal.registers.iter().find(|register| register.name == *subject)?;
            Some(clean(&format!("{subject} is {}", register.holds)))
        });
        let mut annotations: Vec<Annotation<'_>> = source
            .neighbours
            .iter()
            .filter_map(|line| Some(AnnotationKind::Visible.span(text.whole(line.line)?)))
            .collect();
        annotations.extend(text.mark(source).map(|span| AnnotationKind::Primary.span(span).label(label)));
        group = group.element(text.snippet(&source.file).annotations(annotations));
    }
    if refusal.explanation.is_some() {
        group = group.element(note("kernel", clean_lines(message)));
    }
    if let (Some(pc), Some(insn)) = (refusal.pc, &refusal.insn) {
        group = group.element(note("instruction", format!("{pc}: {}", clean(insn))));
    }
    if !refusal.registers.is_empty() {
        let all = refusal.registers.iter().map(|register| format!("{}: {}", register.name, register.holds));
        let lines: Vec<String> = all.map(|line| clean(&line)).collect();
        group = group.element(note("registers", lines.join("\n")));
    }
    for (name, text) in [("needed", &refusal.needed), ("known", &refusal.known)] {
        if let Some(text) = text {
            group = group.element(note(name, clean(text)));
        }
    }
    let mut groups = vec![group];
    groups.extend(history(refusal));
    groups.extend(refusal.spec.as_ref().map(demand));
    if let Some(suggestion) = &refusal.suggestion {
        groups.push(Group::with_title(Level::HELP.secondary_title(clean(suggestion))));
    }
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups)
}

fn note(name: &'static str, text: String) -> annotate_snippets::Message<'static> {
    Level::NOTE.with_name(name).message(text)
}

/// Text from outside, made safe for a terminal: control characters stand as pictures.
fn clean(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(text)
}

/// Control characters as pictures, line ends as they are.
fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(clean).collect();
    lines.join("\n")
}

/// The line of the spec.
fn demand(spec: &SpecPlace) -> Group<'_> {
    let group = Group::with_title(Level::NOTE.secondary_title("the spec demands it"));
    match spec.text {
        Some(line) => group.element(
            Snippet::source(line)
                .line_start(spec.line as usize)
                .path(spec.file.as_str())
                .annotation(AnnotationKind::Context.span(clause_at(line, spec.column))),
        ),
        None => group.element(note("spec", format!("{}:{}:{}", spec.file, spec.line, spec.column))),
    }
}

/// Where the value came from: the steps at their C lines, numbered in their order; those without a
/// line as notes.
fn history(refusal: &Refusal) -> Option<Group<'_>> {
    let steps = &refusal.history;
    if steps.is_empty() {
        return None;
    }
    let title = match (&refusal.subject, steps[0].what) {
        (Some(subject), _) => format!("where {subject} comes from"),
        (None, "repeated") => "where the work is".into(),
        (None, _) => "how it came to that".into(),
    };
    let mut group = Group::with_title(Level::NOTE.secondary_title(title));
    let numbered = steps.len() > 1;
    let label = |index: usize, step: &Step| {
        let number = if numbered { format!("{}. ", index + 1) } else { String::new() };
        clean(&format!("{number}{}", step.text))
    };
    let mut rest: Vec<(usize, &Step)> = Vec::new();
    let mut pieces: Vec<Vec<(usize, &Step, &Source)>> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match &step.source {
            Some(source) if source.line > 0 && !source.text.trim().is_empty() => {
                let near = |piece: &&mut Vec<(usize, &Step, &Source)>| {
                    piece.iter().all(|(.., other)| {
                        other.file == source.file && other.line.abs_diff(source.line) < GAP
                    })
                };
                match pieces.iter_mut().find(near) {
                    Some(piece) => piece.push((index, step, source)),
                    None => pieces.push(vec![(index, step, source)]),
                }
            }
            _ => rest.push((index, step)),
        }
    }
    for piece in pieces {
        let text = Text::of(piece.iter().map(|(.., source)| *source));
        let file = &piece[0].2.file;
        let annotations = piece.iter().filter_map(|(index, step, source)| {
            Some(AnnotationKind::Context.span(text.mark(source)?).label(label(*index, step)))
        });
        let annotations: Vec<Annotation<'_>> = annotations.collect();
        group = group.element(text.snippet(file).annotations(annotations));
    }
    for (index, step) in rest {
        let mut text = label(index, step);
        let _ = write!(text, "\n{}: {}", step.pc, clean(&step.insn));
        group = group.element(note("step", text));
    }
    if refusal.history_left_out > 0 {
        group = group.element(note("left out", format!("{} more steps", refusal.history_left_out)));
    }
    Some(group)
}

/// A piece of source: the lines that are known, the others empty.
struct Text {
    text: String,
    /// The number of the first line.
    first: u32,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl Text {
    /// A line and its neighbours.
    fn around(source: &Source) -> Text {
        let own = Line { line: source.line, text: source.text.clone() };
        Text::new(source.neighbours.iter().cloned().chain([own]))
    }

    /// The lines of places.
    fn of<'a>(sources: impl Iterator<Item = &'a Source>) -> Text {
        Text::new(sources.map(|source| Line { line: source.line, text: source.text.clone() }))
    }

    fn new(lines: impl Iterator<Item = Line>) -> Text {
        let mut lines: Vec<Line> = lines.collect();
        lines.sort_by_key(|line| line.line);
        lines.dedup_by_key(|line| line.line);
        let first = lines.first().map_or(1, |line| line.line);
        let mut text = String::new();
        let mut starts = Vec::new();
        for line in &lines {
            while starts.len() < (line.line - first) as usize {
                starts.push(text.len());
                text.push('\n');
            }
            starts.push(text.len());
            text.push_str(&line.text.replace(['\n', '\r'], " "));
            text.push('\n');
        }
        text.pop();
        Text { text, first, starts }
    }

    fn snippet(&self, file: &str) -> Snippet<'static, Annotation<'static>> {
        Snippet::source(Cow::<'static, str>::Owned(self.text.clone()))
            .line_start(self.first.max(1) as usize)
            .path(clean(file))
    }

    /// Where a line stands in the text.
    fn whole(&self, line: u32) -> Option<Range<usize>> {
        let start = *self.starts.get(line.checked_sub(self.first)? as usize)?;
        let end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
        Some(start..end)
    }

    /// Where the word of a place stands.
    fn mark(&self, source: &Source) -> Option<Range<usize>> {
        let line = self.whole(source.line)?;
        let word = word_at(&self.text[line.clone()], source.column);
        Some(line.start + word.start..line.start + word.end)
    }
}

/// The clause of a spec line at a column, in characters from 1.
#[must_use]
pub fn clause_at(text: &str, column: u32) -> Range<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clause_at_a_column_ends_with_it() {
        let text = "    proto (map: A, key: B(1, 2)) -> C;";
        assert_eq!(&text[clause_at(text, 12)], "map: A");
        assert_eq!(&text[clause_at(text, 20)], "key: B(1, 2)");
        assert_eq!(&text[clause_at(text, 5)], "proto (map: A, key: B(1, 2)) -> C");
        assert_eq!(&text[clause_at(text, 1000)], "");
    }
}
