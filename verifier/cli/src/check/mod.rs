//! `probity check`: programs in parallel, verdicts in the order of objects and programs.
//!
//! | module | subject |
//! |---|---|
//! | [`record`] | what is said of one program; the fields of a JSON line |
//! | [`text`] | the same for people: verdicts and the count |

mod record;
mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use probity::Loader;
use probity::engine::log::Level;
use probity::object::Object;
use probity::platform::Version;
use rayon::prelude::*;

use crate::args::{CheckArgs, Format};
use crate::output::{Exit, Failure, clean, count, note, print, print_jsonl};
use crate::target::Target;
use crate::{PLATFORM, input};
use record::{Record, Verdict};

/// Progress is shown from this many programs on.
const MANY: usize = 8;

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.jobs)
        .build()
        .map_err(|error| Failure::unreadable(format!("no threads: {error}")))?;
    let objects = pool.install(|| input::objects(&args.objects, args.link));
    let read = objects.iter().filter_map(|(_, object)| object.as_ref().ok());
    let target = Target::find(&args.target, read)?;
    let kernels = if args.kernels.is_empty() { vec![PLATFORM.version] } else { args.kernels.clone() };
    let mut all = Vec::new();
    for kernel in kernels {
        let loader = loader(args, &target, kernel);
        let mut records = pool.install(|| records(args, &loader, &objects, &target))?;
        for record in &mut records {
            record.of_kernel(kernel);
        }
        all.append(&mut records);
    }
    let records = all;
    match args.format {
        Format::Jsonl => print_jsonl(&records)?,
        Format::Text => {
            let mut said = BTreeSet::new();
            for text in records.iter().flat_map(|record| &record.notes).filter(|text| said.insert(*text)) {
                note(text);
            }
            print(&logs(&records))?;
            print(&text::render(&records))?;
        }
    }
    Ok(exit(&records))
}

/// What loads and verifies for a version of the kernel.
fn loader<'a>(args: &CheckArgs, target: &'a Target, kernel: Version) -> Loader<'a> {
    let mut profile = PLATFORM.profile(kernel);
    profile.caps.retain(|cap| !args.without_caps.contains(cap));
    let mut loader = Loader::new(PLATFORM).flags(args.prog_flags).profile(profile);
    if let Some(types) = &target.types {
        loader = loader.target(types);
    }
    if let Some(values) = &target.kconfig {
        loader = loader.kconfig(values);
    }
    for given in &args.types {
        loader = loader.prog_type(&given.program, given.prog_type, given.attach);
    }
    loader
}

/// The logs, each under the name of its program when there are several.
fn logs(records: &[Record]) -> String {
    let several = records.len() > 1;
    let mut text = String::new();
    for record in records {
        let Some(log) = &record.log else { continue };
        if several {
            let program = record.program.as_deref().unwrap_or_default();
            text.push_str(&format!("{}: {}\n", clean(&record.object), clean(program)));
        }
        // The text of sources stands in logs, with its tabs.
        for line in log.lines() {
            let parts: Vec<String> = line.split('\t').map(clean).collect();
            text.push_str(&parts.join("\t"));
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// Several programs: rejected wins over what was not judged, and that over accepted.
fn exit(records: &[Record]) -> Exit {
    let any = |verdicts: &[Verdict]| records.iter().any(|record| verdicts.contains(&record.verdict));
    if any(&[Verdict::Rejected]) {
        Exit::Rejected
    } else if any(&[Verdict::Unsupported, Verdict::Error]) {
        Exit::Unreadable
    } else {
        Exit::Accepted
    }
}

/// One piece of work.
enum Job<'a> {
    Program(&'a Path, &'a Object, usize),
    /// Nothing to check, and why.
    Nothing(&'a Path, &'static str, &'a str),
}

fn records(
    args: &CheckArgs,
    loader: &Loader<'_>,
    objects: &[(PathBuf, Result<Object, String>)],
    target: &Target,
) -> Result<Vec<Record>, Failure> {
    must_exist(args, objects)?;
    let mut jobs = Vec::new();
    for (path, object) in objects {
        match object {
            Err(text) => jobs.push(Job::Nothing(path, "unreadable", text)),
            Ok(object) if object.programs().is_empty() => {
                let text = "the object has no programs: a program is a function that is not static, \
                            in a section other than .text";
                jobs.push(Job::Nothing(path, "no-programs", text));
            }
            Ok(object) => {
                let wanted = object
                    .programs()
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| args.programs.is_empty() || args.programs.contains(&entry.name));
                jobs.extend(wanted.map(|(index, _)| Job::Program(path, object, index)));
            }
        }
    }
    let progress = progress(jobs.len());
    let level = Level::from_number(args.log);
    let records = jobs
        .par_iter()
        .map(|job| {
            let record = match *job {
                Job::Program(path, object, index) => {
                    let entry = &object.programs()[index];
                    let mut record = Record::of_program(path, loader, object, entry, level);
                    record.notes.splice(0..0, target.notes(object));
                    record
                }
                Job::Nothing(path, code, text) => Record::of_object(path, code, text),
            };
            progress.inc(1);
            record
        })
        .collect();
    progress.finish_and_clear();
    Ok(records)
}

/// Every program that the command line names must be in an object, unless it may be in one that
/// can't be read.
fn must_exist(args: &CheckArgs, objects: &[(PathBuf, Result<Object, String>)]) -> Result<(), Failure> {
    let named = args.programs.iter().chain(args.types.iter().map(|given| &given.program));
    let mut known: Vec<&str> = Vec::new();
    for (_, object) in objects {
        let Ok(object) = object else { return Ok(()) };
        known.extend(object.programs().iter().map(|entry| entry.name.as_str()));
    }
    for name in named {
        if !known.contains(&name.as_str()) {
            let among = if known.len() == 1 { known[0].into() } else { count(known.len() as u64, "program") };
            let text = format!("no object has a program `{name}` (there is {among}; see `probity list`)");
            return Err(Failure::usage(text));
        }
    }
    Ok(())
}

/// A bar on stderr when it is a terminal; hidden otherwise.
fn progress(jobs: usize) -> ProgressBar {
    if jobs <= MANY {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} programs, {elapsed}");
    ProgressBar::new(jobs as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
