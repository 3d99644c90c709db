//! `probity spec check`: findings about spec files.

use std::path::Path;

use probity_codegen::diagnostic::Style;
use probity_codegen::model::Model;
use probity_codegen::{Options, build};

use crate::args::SpecArgs;
use crate::output::{Exit, Failure, GREEN, Painted, RED, clean, complain, count, print};
use crate::{input, platforms};

pub(crate) fn run(args: &SpecArgs) -> Result<Exit, Failure> {
    let mut refused = false;
    let mut unreadable = false;
    for path in &args.paths {
        match check(path, args.deny_warnings) {
            Ok((text, accepted)) => {
                print(&text)?;
                refused |= !accepted;
            }
            Err(error) => {
                complain(&error);
                unreadable = true;
            }
        }
    }
    Ok(match (refused, unreadable) {
        (true, _) => Exit::Rejected,
        (false, true) => Exit::Unreadable,
        (false, false) => Exit::Accepted,
    })
}

/// The report about a platform, and whether it is accepted.
fn check(path: &Path, deny_warnings: bool) -> Result<(String, bool), String> {
    let shown = path.display().to_string();
    let sources = platforms::sources(path)?;
    let options = Options { deny_warnings, ..Options::default() };
    let built = input::guarded(|| build(sources, &options))?;
    let mut text = built.report(Style::Coloured);
    let (word, facts) = match &built.model {
        Some(model) => (Painted("accepted", GREEN), format!("  ({})", facts(model))),
        None => (Painted("rejected", RED), String::new()),
    };
    text.push_str(&format!("{word}  {}{}\n", clean(&shown), clean(&facts)));
    Ok((text, built.model.is_some()))
}

fn facts(model: &Model) -> String {
    let mut helpers: Vec<u32> = model.callables.iter().map(|row| row.number).collect();
    helpers.sort_unstable();
    helpers.dedup();
    [
        format!("platform {}", model.name),
        count(model.prog_types.len() as u64, "program type"),
        count(helpers.len() as u64, "helper"),
        count(model.map_types.len() as u64, "map type"),
        count(model.views.len() as u64, "view"),
    ]
    .join(", ")
}
