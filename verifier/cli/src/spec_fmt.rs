//! `probity spec fmt`: spec files in the one canonical form.

use std::fs;
use std::path::Path;

use probity_codegen::SourceMap;
use probity_codegen::diagnostic::{Style, has_errors, render};
use probity_codegen::print::print as canonical;
use probity_codegen::source::FileId;
use probity_codegen::syntax::{parse, plain_comments};

use crate::args::SpecFmtArgs;
use crate::input;
use crate::output::{Exit, Failure, clean, complain, print};

/// What became of a file.
enum Formatted {
    /// It is in canonical form.
    Same,
    /// The text in canonical form.
    Other(String),
    /// It has errors; their report.
    Bad(String),
    /// It has comments that would be lost; the line of the first and how many places there are.
    Comments(u32, usize),
}

pub(crate) fn run(args: &SpecFmtArgs) -> Result<Exit, Failure> {
    let (mut refused, mut unreadable) = (false, false);
    for path in &args.paths {
        let mut sources = SourceMap::new();
        let files = match sources.load(path, &path.display().to_string()) {
            Ok(files) => files,
            Err(error) => {
                complain(&error.to_string());
                unreadable = true;
                continue;
            }
        };
        for (id, path) in files {
            match input::guarded(|| format(&sources, id, args.lose_comments)) {
                Ok(done) => match write(&sources, id, &path, done, args.check)? {
                    Exit::Accepted => {}
                    Exit::Unreadable => unreadable = true,
                    _ => refused = true,
                },
                Err(error) => {
                    complain(&format!("{}: {error}", path.display()));
                    unreadable = true;
                }
            }
        }
    }
    Ok(match (refused, unreadable) {
        (true, _) => Exit::Rejected,
        (false, true) => Exit::Unreadable,
        (false, false) => Exit::Accepted,
    })
}

fn format(sources: &SourceMap, id: FileId, lose_comments: bool) -> Formatted {
    let text = sources.file(id).text();
    let (items, found) = parse(id, text);
    if has_errors(&found) {
        return Formatted::Bad(render(sources, &found, Style::Coloured));
    }
    let comments = plain_comments(id, text);
    if let (Some(first), false) = (comments.first(), lose_comments) {
        return Formatted::Comments(sources.line_column(*first).0, comments.len());
    }
    match canonical(&items) {
        same if same == text => Formatted::Same,
        other => Formatted::Other(other),
    }
}

fn write(
    sources: &SourceMap,
    id: FileId,
    path: &Path,
    done: Formatted,
    check: bool,
) -> Result<Exit, Failure> {
    let shown = clean(sources.file(id).name());
    match done {
        Formatted::Same => Ok(Exit::Accepted),
        Formatted::Bad(report) => print(&report).map(|()| Exit::Rejected),
        Formatted::Comments(line, places) => {
            let more = if places > 1 { format!(" and {} more", places - 1) } else { String::new() };
            complain(&format!(
                "{shown}:{line}: a `//` comment{more} would be lost; --lose-comments formats all the same"
            ));
            Ok(Exit::Rejected)
        }
        Formatted::Other(_) if check => print(&format!("not formatted  {shown}\n")).map(|()| Exit::Rejected),
        Formatted::Other(text) => {
            if let Err(error) = replace(path, &text) {
                complain(&format!("{}: {error}", path.display()));
                return Ok(Exit::Unreadable);
            }
            print(&format!("formatted  {shown}\n")).map(|()| Exit::Accepted)
        }
    }
}

/// Writes a file anew: under another name first, so that a full disk loses nothing.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // Through links, so that what they point to is written.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let new = path.with_file_name(name);
    let done = fs::write(&new, text)
        .and_then(|()| fs::set_permissions(&new, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&new, &path));
    if done.is_err() {
        let _ = fs::remove_file(&new);
    }
    done
}
