//! Source files and places in them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The ending of spec files.
pub const EXTENSION: &str = "bpfspec";

/// A file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u16);

impl FileId {
    /// The file's index in [`SourceMap::files`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A piece of a file: the bytes from `lo` up to and without `hi`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub lo: u32,
    /// The byte behind the last.
    pub hi: u32,
}

impl Span {
    /// A span from its parts.
    #[must_use]
    pub fn new(file: FileId, lo: u32, hi: u32) -> Span {
        Span { file, lo, hi: hi.max(lo) }
    }

    /// The span from the beginning of `self` to the end of `other`, in the file of `self`.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span::new(self.file, self.lo.min(other.lo), self.hi.max(other.hi))
    }

    /// The empty span at the end of `self`.
    #[must_use]
    pub fn end(self) -> Span {
        Span::new(self.file, self.hi, self.hi)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.lo, self.hi)
    }
}

/// A file's name and text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// A file from its name, as reports show it, and its text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        let mut line_starts = vec![0];
        for (at, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                line_starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
            }
        }
        SourceFile { name: name.into(), text, line_starts }
    }

    /// Its name, with `/` between folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line and the column of a byte, both from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        let before = self.text.as_bytes().get(start..end).unwrap_or_default();
        // Bytes that continue a character do not count.
        let column = before.iter().filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// All files of a run.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// A map without files.
    #[must_use]
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// Adds a file.
    ///
    /// # Panics
    /// At the 65536th file.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u16::try_from(self.files.len()).expect("fewer than 65536 files"));
        self.files.push(SourceFile::new(name, text));
        id
    }

    /// Adds the spec file at `path`, or each spec file in the folder at `path` and in the folders
    /// below it, in the order of their names. Reports show the names as `shown` and what follows
    /// `path`. The paths of the files are returned too, for build systems to watch.
    ///
    /// # Errors
    /// When a file or folder can't be read, or the folder holds no spec file.
    pub fn load(&mut self, path: &Path, shown: &str) -> io::Result<Vec<(FileId, PathBuf)>> {
        if !path.is_dir() {
            let text = read(path)?;
            return Ok(vec![(self.add(shown, text), path.to_path_buf())]);
        }
        let mut found = Vec::new();
        collect(path, 0, &mut found)?;
        found.sort();
        if found.is_empty() {
            let text = format!("no .{EXTENSION} file in {}", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let mut loaded = Vec::new();
        for file in found {
            let below = file.strip_prefix(path).unwrap_or(&file);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let name = if shown.is_empty() {
                parts.join("/")
            } else {
                format!("{}/{}", shown.trim_end_matches('/'), parts.join("/"))
            };
            loaded.push((self.add(name, read(&file)?), file));
        }
        Ok(loaded)
    }

    /// The files, by [`FileId`].
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().filter_map(|(at, file)| Some((FileId(u16::try_from(at).ok()?), file)))
    }

    /// A file.
    ///
    /// # Panics
    /// When the id is of another map.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// The text of a span; empty when the span is of another map.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.files
            .get(span.file.index())
            .and_then(|file| file.text.get(span.lo as usize..span.hi as usize))
            .unwrap_or_default()
    }

    /// The line and the column, from 1, of a span's beginning; zeros when it is of another map.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (u32, u32) {
        self.files.get(span.file.index()).map_or((0, 0), |file| file.line_column(span.lo))
    }
}

/// Folders below a folder of specs are read to this depth.
const FOLDERS: usize = 16;

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|error| named(folder, &error))? {
        let path = entry?.path();
        if path.is_dir() {
            if depth < FOLDERS {
                collect(&path, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == EXTENSION) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_by_character() {
        let file = SourceFile::new("f", "a\nüb\n");
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(2), (2, 1));
        assert_eq!(file.line_column(4), (2, 2));
        assert_eq!(file.line_column(6), (3, 1));
        assert_eq!(file.line_column(600), (3, 1));
    }
}
