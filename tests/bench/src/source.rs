//! The programs: one C file each. What is in the folder is what there is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It computes something: `programs/*.c`.
    Compute,
    /// It does one small thing many times: `programs/micro/*.c`.
    Micro,
    /// It calls a host, on the benchmark's own platform: `programs/host/*.c`.
    Host,
}

/// One program in C.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name of its file and of its function.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// What it does: its first line.
    pub about: String,
    /// Its file.
    pub path: PathBuf,
}

/// The folder of the programs.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")
}

impl Source {
    /// All programs: compute programs first, each kind by name.
    ///
    /// # Errors
    ///
    /// When the folder or a file of it can't be read.
    pub fn all() -> io::Result<Vec<Source>> {
        let mut all = read(&folder(), Kind::Compute)?;
        all.extend(read(&folder().join("micro"), Kind::Micro)?);
        all.extend(read(&folder().join("host"), Kind::Host)?);
        Ok(all)
    }
}

fn read(folder: &Path, kind: Kind) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.extension().is_none_or(|end| end != "c") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let first = text.lines().next().unwrap_or_default();
        let about = first.trim_start_matches("/*").trim_end_matches("*/").trim().to_owned();
        sources.push(Source { name: name.to_owned(), kind, about, path });
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_line() {
        let sources = Source::all().expect("the folder is there");
        let compute = sources.iter().filter(|source| source.kind == Kind::Compute).count();
        assert!(compute >= 18, "{compute} compute programs");
        for source in sources {
            assert!(source.about.ends_with('.'), "{}: {}", source.name, source.about);
        }
    }
}
