//! `probity spec header`, `doc`, `list`, `probes` and `diff`: what a platform's spec says, in other forms.

use std::path::{Path, PathBuf};

use probity::platform::Version;
use probity_codegen::diagnostic::Style;
use probity_codegen::diff;
use probity_codegen::emit;
use probity_codegen::model::Model;
use probity_codegen::{Options, build};

use crate::args::{SpecDiffArgs, SpecPathArgs};
use crate::output::{Exit, Failure, print};
use crate::{input, platforms};

pub(crate) fn header(args: &SpecPathArgs) -> Result<Exit, Failure> {
    emitted(&args.path, emit::header)
}

pub(crate) fn doc(args: &SpecPathArgs) -> Result<Exit, Failure> {
    emitted(&args.path, emit::page)
}

pub(crate) fn list(args: &SpecPathArgs) -> Result<Exit, Failure> {
    emitted(&args.path, emit::index)
}

pub(crate) fn probes(args: &SpecPathArgs) -> Result<Exit, Failure> {
    let (path, version) = versioned(&args.path)?;
    emitted(&path, |model| emit::probes(model, version.unwrap_or(model.version)))
}

fn emitted(path: &Path, emit: impl Fn(&Model) -> String) -> Result<Exit, Failure> {
    let Some(model) = model(path)? else { return Ok(Exit::Rejected) };
    let text = input::guarded(|| emit(&model)).map_err(Failure::unreadable)?;
    print(&text)?;
    Ok(Exit::Accepted)
}

pub(crate) fn diff(args: &SpecDiffArgs) -> Result<Exit, Failure> {
    let (from, to) = (versioned(&args.from)?, versioned(&args.to)?);
    let (Some(old), Some(new)) = (model(&from.0)?, model(&to.0)?) else { return Ok(Exit::Rejected) };
    let at = |model: &Model, asked: Option<Version>| asked.unwrap_or(model.version);
    let (old_at, new_at) = (at(&old, from.1), at(&new, to.1));
    let lines = input::guarded(|| diff::diff((&old, old_at), (&new, new_at))).map_err(Failure::unreadable)?;
    let text: String = lines.into_iter().flat_map(|line| [line, "\n".into()]).collect();
    print(&text)?;
    Ok(Exit::Accepted)
}

/// The platform at a path. None when it is refused: the report is printed on stderr then, as
/// warnings are, so that stdout has only what was asked for.
fn model(path: &Path) -> Result<Option<Model>, Failure> {
    let shown = path.display().to_string();
    let sources = platforms::sources(path).map_err(Failure::unreadable)?;
    let built = input::guarded(|| build(sources, &Options::default()))
        .map_err(|error| Failure::unreadable(format!("{shown}: {error}")))?;
    anstream::eprint!("{}", built.report(Style::Coloured));
    Ok(built.model)
}

/// `PATH@VERSION` or `PATH`.
fn versioned(given: &Path) -> Result<(PathBuf, Option<Version>), Failure> {
    // A path may have such a mark itself.
    if given.exists() {
        return Ok((given.to_path_buf(), None));
    }
    let Some((path, version)) = given.to_str().and_then(|text| text.rsplit_once('@')) else {
        return Ok((given.to_path_buf(), None));
    };
    let version = crate::args::version(version).map_err(Failure::usage)?;
    Ok((path.into(), Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_behind_the_last_mark() {
        let given = |text: &str| versioned(Path::new(text)).ok();
        assert_eq!(given("no/a@b@6.12"), Some(("no/a@b".into(), Some(Version::new(6, 12)))));
        assert_eq!(given("no/a"), Some(("no/a".into(), None)));
        assert_eq!((given("no/a@6"), given("no/a@+6.1"), given("no/a@6.x")), (None, None, None));
        assert_eq!(given("src/main.rs"), Some(("src/main.rs".into(), None)));
    }
}
