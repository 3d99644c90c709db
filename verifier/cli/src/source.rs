//! C lines of the files beside an object.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use probity::program::Program;
use probity::report::Lines;

/// The longest source file that is read.
const LONGEST: u64 = 1 << 22;

/// The C lines of a program that are known; `object` is where it was read from.
pub(crate) fn lines<'a>(program: &'a Program, object: &Path) -> Lines<'a> {
    Lines::with_files(program, |name, known| on_disk(name, object, known))
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
