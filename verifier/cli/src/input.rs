//! Files in.

use std::fs::File;
use std::io::Read;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use probity::object::Object;
use probity::program::Btf;

use crate::output::Failure;

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
    guarded(|| Object::parse(&bytes))?.map_err(|error| error.to_string())
}

/// The types of a target kernel, when asked for.
pub(crate) fn target(path: Option<&Path>) -> Result<Option<Btf>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let failure = |text: String| Failure::unreadable(format!("{}: {text}", path.display()));
    let bytes = read(path).map_err(failure)?;
    let types = guarded(|| Btf::parse(&bytes)).map_err(failure)?;
    types.map(Some).map_err(|error| failure(error.to_string()))
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
