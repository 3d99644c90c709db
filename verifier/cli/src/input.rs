//! Files in.

use std::fs::File;
use std::io::Read;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use probity::object::Object;
use rayon::prelude::*;

/// The longest file that is read.
const LONGEST: u64 = 1 << 29;

/// The bytes of a file, or why there are none.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("the file is longer than {LONGEST} bytes"));
    }
    Ok(bytes)
}

/// An object, or why it can't be read.
pub(crate) fn object(path: &Path) -> Result<Object, String> {
    let bytes = read(path)?;
    let object = guarded(|| Object::parse(&bytes))?.map_err(|error| error.to_string())?;
    Ok(named(object, path))
}

/// The objects of the command line, with the paths that they are shown with; linked into one when
/// asked for.
pub(crate) fn objects(paths: &[PathBuf], link: bool) -> Vec<(PathBuf, Result<Object, String>)> {
    if link && paths.len() > 1 {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return vec![(shown.join("+").into(), linked(paths, &shown))];
    }
    paths.par_iter().map(|path| (path.clone(), object(path))).collect()
}

/// Several objects as one, which has the name of the first.
fn linked(paths: &[PathBuf], shown: &[String]) -> Result<Object, String> {
    let mut files = Vec::new();
    for (path, shown) in paths.iter().zip(shown) {
        files.push(read(path).map_err(|error| format!("{shown}: {error}"))?);
    }
    let inputs: Vec<(&str, &[u8])> =
        shown.iter().map(String::as_str).zip(files.iter().map(Vec::as_slice)).collect();
    let object = guarded(|| Object::join(&inputs))?.map_err(|error| error.to_string())?;
    Ok(named(object, &paths[0]))
}

fn named(mut object: Object, path: &Path) -> Object {
    object.set_name(&path.file_name().unwrap_or_default().to_string_lossy());
    object
}

/// A result, or what a fault of this program said: one input must not take the others with it.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|fault| {
        let said = fault
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| fault.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        format!("internal error, please report it with the object: {said}")
    })
}
