//! The files of vectors: sections that begin with `-- NAME`, comments from `#` to the end of a line.

use std::{fs, io, path::Path};

use probity_isa::Insn;

use super::asm::{self, assemble};

/// A vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// The file's name without its ending.
    pub name: String,
    /// The program, of `raw` where a file has it.
    pub insns: Vec<Insn>,
    /// What the assembler makes of `asm`, where a file has `raw` beside it: the same.
    pub assembled: Option<Vec<Insn>>,
    /// The memory that it is given: r1 its address, r2 its length.
    pub memory: Vec<u8>,
    /// How it ends.
    pub expected: Expected,
}

/// How a vector ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// With this r0.
    Value(u64),
    /// It is refused; why is for people to read.
    Refused(String),
}

/// Reads all vectors of a folder, by their names.
///
/// # Errors
///
/// When one can't be read, or is not as vectors are.
pub fn read(folder: &Path) -> io::Result<Vec<Vector>> {
    let mut vectors = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "data") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let vector = parse(&name, &fs::read_to_string(&path)?);
            vectors.push(vector.map_err(|error| io::Error::other(format!("{name}: {error}")))?);
        }
    }
    vectors.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(vectors)
}

/// A vector from the text of its file.
///
/// # Errors
///
/// What is not as it should be.
pub fn parse(name: &str, text: &str) -> Result<Vector, String> {
    let sections = Sections::of(text);
    let assembled = sections.get("asm").map(assemble).transpose()?;
    let raw = sections.get("raw").map(raw).transpose()?;
    let (insns, assembled) = match (raw, assembled) {
        (Some(raw), assembled) => (raw, assembled),
        (None, Some(insns)) => (insns, None),
        (None, None) => return Err("there is neither asm nor raw".into()),
    };
    let expected = match (sections.get("result"), sections.get("error")) {
        (Some(value), None) => Expected::Value(asm::number(value.trim())?),
        (None, Some(why)) => Expected::Refused(why.trim().to_owned()),
        _ => return Err("there must be one of result and error".into()),
    };
    let memory = sections.get("mem").map(bytes).transpose()?.unwrap_or_default();
    Ok(Vector { name: name.to_owned(), insns, assembled, memory, expected })
}

/// The sections of a file, without comments.
struct Sections(Vec<(String, String)>);

impl Sections {
    fn of(text: &str) -> Sections {
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            if let Some(name) = line.strip_prefix("-- ") {
                sections.push((name.trim().to_owned(), String::new()));
            } else if let Some((_, body)) = sections.last_mut() {
                body.push_str(line);
                body.push('\n');
            }
        }
        Sections(sections)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, body)| body.as_str())
    }
}

/// Words of 64 bits, an instruction each.
fn raw(text: &str) -> Result<Vec<Insn>, String> {
    let words: Result<Vec<u64>, String> = text.split_whitespace().map(asm::number).collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u64::to_le_bytes).collect();
    Insn::parse_slice(&bytes).map_err(|error| error.to_string())
}

/// Bytes in hex.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let byte = |digits| u8::from_str_radix(digits, 16).map_err(|error| format!("{digits}: {error}"));
    text.split_whitespace().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_comments() {
        let text = "# About.\n-- asm\nldxb %r0, [%r1] # A byte.\nexit\n-- mem\n0a ff\n-- result\n0xa\n";
        let vector = parse("one", text).expect("a vector");
        assert_eq!(vector.memory, [10, 255]);
        assert_eq!(vector.expected, Expected::Value(10));
        assert_eq!(vector.insns.len(), 2);
        assert!(parse("none", "-- asm\nexit\n").is_err());
    }
}
