//! Which platform a word of the command line means: spec files, or the one that is built in.

use std::path::Path;

use probity_codegen::SourceMap;

use crate::{PLATFORM, spec_text};

/// The sources of the platform at a path; of the one that is built in, when the path is its name
/// and there is no such file.
///
/// # Errors
/// What can't be read, and why.
pub(crate) fn sources(path: &Path) -> Result<SourceMap, String> {
    let mut sources = SourceMap::new();
    if path.as_os_str() == PLATFORM.name && !path.exists() {
        for (name, text) in spec_text::platform() {
            sources.add(name, text);
        }
        return Ok(sources);
    }
    sources.load(path, &path.display().to_string()).map_err(|error| {
        format!("{error}; a platform is a file, a folder, or `{}`, which is built in", PLATFORM.name)
    })?;
    Ok(sources)
}
