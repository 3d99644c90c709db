//! Damaged specs from a seed: lines that are hardly a spec, and specs that read well and say
//! something else.
//!
//! An input is a function of the seed, its number and the specs that it is made from.
//!
//! | module | subject |
//! |---|---|
//! | [`text`] | where the words of a spec are |
//! | [`lines`] | thousands of lines, random or damaged |
//! | [`items`] | names, numbers, clauses and items in other places |
//! | [`run`] | what is done with an input |

pub mod items;
pub mod lines;
pub mod run;
pub mod text;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use probity_codegen::SourceMap;

/// The files of a platform, each with its name.
pub type Platform = Vec<(String, String)>;

/// The platforms that inputs are made from: Linux first, then the examples and those of the tests.
///
/// # Errors
///
/// When a folder or file can't be read.
pub fn seeds(root: &Path) -> io::Result<Vec<Platform>> {
    let mut all = vec![files(&root.join("spec/linux"))?];
    for folder in ["spec/examples", "tests/spec/pass"] {
        all.extend(files(&root.join(folder))?.into_iter().map(|file| vec![file]));
    }
    Ok(all)
}

fn files(folder: &Path) -> io::Result<Platform> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "bpfspec"));
    paths.sort();
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fs::read_to_string(path).map(|text| (name, text))
    };
    paths.iter().map(named).collect()
}

/// The sources of a platform.
#[must_use]
pub fn sources(platform: &Platform) -> SourceMap {
    let mut sources = SourceMap::new();
    for (name, text) in platform {
        sources.add(name.clone(), text.clone());
    }
    sources
}
