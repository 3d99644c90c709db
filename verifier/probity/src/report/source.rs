//! C lines: what an object's line information says, and what else is known of its files.

use std::collections::BTreeMap;
use std::ops::Range;

use probity_program::{LineInfo, Program};

/// Lines that are shown before the failing one, and after it.
const BEFORE: u32 = 2;
const AFTER: u32 = 1;

/// A place in the C source.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Source {
    /// The name of the file, as it was compiled.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 when it is not known.
    pub column: u32,
    /// The line's text.
    pub text: String,
    /// The lines around it that are known.
    pub neighbours: Vec<Line>,
}

/// A line of C.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Line {
    /// Its number, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

/// The C lines of one program that are known.
#[derive(Debug)]
pub struct Lines<'a> {
    program: &'a Program,
    /// By file: number and text.
    files: BTreeMap<&'a str, BTreeMap<u32, String>>,
}

impl<'a> Lines<'a> {
    /// The lines that stand in the object.
    #[must_use]
    pub fn new(program: &'a Program) -> Lines<'a> {
        Lines::with_files(program, |_, _| None)
    }

    /// As [`Lines::new`]. Whoever can read files gives all lines of one, by its name and the lines of it that
    /// the object has.
    #[must_use]
    pub fn with_files(
        program: &'a Program,
        read: impl Fn(&str, &BTreeMap<u32, String>) -> Option<BTreeMap<u32, String>>,
    ) -> Lines<'a> {
        let mut files: BTreeMap<&str, BTreeMap<u32, String>> = BTreeMap::new();
        for line in program.lines.iter().filter(|line| line.line > 0) {
            let text = line.text.replace(['\n', '\r'], " ");
            files.entry(&line.file).or_default().insert(line.line, text);
        }
        for (name, lines) in &mut files {
            if let Some(text) = read(name, lines) {
                *lines = text;
            }
        }
        Lines { program, files }
    }

    /// The place of an instruction.
    #[must_use]
    pub fn place(&self, pc: usize) -> Option<Source> {
        let line = self.program.line(pc)?;
        Some(Source {
            file: line.file.to_string(),
            line: line.line,
            column: line.column,
            text: line.text.to_string(),
            neighbours: self.neighbours(line),
        })
    }

    fn neighbours(&self, line: &LineInfo) -> Vec<Line> {
        let Some(lines) = self.files.get(&*line.file) else { return Vec::new() };
        let range = line.line.saturating_sub(BEFORE)..=line.line.saturating_add(AFTER);
        lines
            .range(range)
            .filter(|&(&number, text)| number != line.line && !text.trim().is_empty())
            .map(|(&number, text)| Line { line: number, text: text.clone() })
            .collect()
    }
}

/// The word of a C line at a column, in bytes from 1; the whole line when there is none there.
pub(super) fn word_at(text: &str, column: u32) -> Range<usize> {
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
}
