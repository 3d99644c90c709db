//! C lines: what an object's line information says, and the file beside it when it can be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use probity::program::{LineInfo, Program};
use serde::Serialize;

/// The longest source file that is read.
const LONGEST: u64 = 1 << 22;
/// Lines that are shown before the failing one, and after it.
const BEFORE: u32 = 2;
const AFTER: u32 = 1;

/// A place in the C source.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) text: String,
    /// The lines around it that are known.
    pub(crate) neighbours: Vec<Line>,
}

/// A line of C.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) line: u32,
    pub(crate) text: String,
}

/// The C lines of one program that are known.
pub(crate) struct Lines<'a> {
    program: &'a Program,
    /// By file: number and text.
    files: BTreeMap<&'a str, BTreeMap<u32, String>>,
}

impl<'a> Lines<'a> {
    /// Takes in the lines of the program; `object` is where it was read from.
    pub(crate) fn new(program: &'a Program, object: &Path) -> Lines<'a> {
        let mut files: BTreeMap<&str, BTreeMap<u32, String>> = BTreeMap::new();
        for line in program.lines.iter().filter(|line| line.line > 0) {
            let text = line.text.replace(['\n', '\r'], " ");
            files.entry(&line.file).or_default().insert(line.line, text);
        }
        for (name, lines) in &mut files {
            if let Some(text) = on_disk(name, object, lines) {
                *lines = text;
            }
        }
        Lines { program, files }
    }

    /// The place of an instruction.
    pub(crate) fn place(&self, pc: usize) -> Option<Source> {
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

/// The lines of a source file, when it is there and has the lines that the object says it has.
fn on_disk(name: &str, object: &Path, known: &BTreeMap<u32, String>) -> Option<BTreeMap<u32, String>> {
    let beside = object.parent().map(|folder| folder.join(name));
    let candidates = [Some(PathBuf::from(name)), beside];
    candidates.into_iter().flatten().find_map(|path| {
        let text = read(&path)?;
        let lines: BTreeMap<u32, String> = (1..).zip(text.lines().map(str::to_owned)).collect();
        // Another version of the file would show what was never compiled.
        let same = known
            .iter()
            .all(|(number, text)| lines.get(number).is_some_and(|line| line.trim() == text.trim()));
        same.then_some(lines)
    })
}

fn read(path: &Path) -> Option<String> {
    let about = path.metadata().ok()?;
    if !about.is_file() || about.len() > LONGEST {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The word of a C line at a column, in bytes from 1; the whole line when there is none there.
pub(crate) fn word_at(text: &str, column: u32) -> Range<usize> {
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
