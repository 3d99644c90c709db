//! Our log of a program beside the kernel's.

use probity_engine::Verdict;
use probity_engine::log::{Level, LogOptions, verify_with_log};
use probity_linux::PLATFORM;
use rayon::prelude::*;

use super::records::{Case, File};
use super::run::{self, Corpus};
use super::totals::Share;
use crate::kernel;

/// Where two logs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The number of the line, from 1.
    pub line: usize,
    /// The kernel's line; empty where its log ends.
    pub kernel: String,
    /// Ours; empty where our log ends.
    pub ours: String,
}

/// The lines of a log that do not differ from run to run: without the time, and with neither the
/// addresses that instructions load nor our names for them.
pub fn lines(log: &str) -> impl Iterator<Item = String> + '_ {
    log.lines().filter(|line| !line.starts_with("verification time ")).map(without_address)
}

fn without_address(line: &str) -> String {
    if let Some((before, call)) = line.split_once("(85) call ").filter(|_| !line.starts_with(';')) {
        // The numbers of kernel functions are those of one kernel.
        let (insn, state) = call.find(';').map_or((call, ""), |at| call.split_at(at));
        let name = insn.split('#').next().unwrap_or(insn).trim_end();
        return format!("{before}(85) call {name} {state}");
    }
    let Some(at) = line.find("(18) r").filter(|_| !line.starts_with(';')) else { return line.to_owned() };
    let (before, load) = line.split_at(at);
    let (insn, state) = match load.find(';') {
        Some(at) => load.split_at(at),
        None => (load, ""),
    };
    let Some((target, value)) = insn.split_once(" = ") else { return line.to_owned() };
    let address = value.trim_end().ends_with(" ll") || value.trim_end().starts_with("0xffff");
    if !address {
        return line.to_owned();
    }
    format!("{before}{target} = ADDRESS {state}")
}

/// The first line in which the logs differ.
#[must_use]
pub fn parting(kernel: &str, ours: &str) -> Option<Parting> {
    let (mut kernel, mut ours) = (lines(kernel), lines(ours));
    let mut line = 0;
    loop {
        line += 1;
        match (kernel.next(), ours.next()) {
            (None, None) => return None,
            (kernel, ours) if kernel == ours => {}
            (kernel, ours) => {
                return Some(Parting {
                    line,
                    kernel: kernel.unwrap_or_default(),
                    ours: ours.unwrap_or_default(),
                });
            }
        }
    }
}

/// What a program's author expects of its log: how many of the messages that the kernel's log has
/// are in ours, in the author's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Those that the kernel's log has.
    pub in_kernel: usize,
    /// Those of them that ours has.
    pub in_ours: usize,
}

/// Looks for the messages, each behind the one before it.
#[must_use]
pub fn expectations(messages: &[String], kernel: &str, ours: &str) -> Expectations {
    let mut found = Expectations::default();
    let (mut kernel, mut ours) = (kernel, ours);
    for message in messages {
        let Some(end) = find(kernel, message) else { continue };
        kernel = &kernel[end..];
        found.in_kernel += 1;
        if let Some(end) = find(ours, message) {
            ours = &ours[end..];
            found.in_ours += 1;
        }
    }
    found
}

/// Where a message ends in a log. `{{...}}` in a message stands for anything inside one line, as
/// every pattern in the corpus does.
fn find(log: &str, message: &str) -> Option<usize> {
    let mut parts = message.split("{{").map(|part| part.split_once("}}").map_or(part, |(_, rest)| rest));
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let mut from = 0;
    while let Some(at) = log[from..].find(first).map(|at| from + at + first.len()) {
        let line = at + log[at..].find('\n').unwrap_or(log.len() - at);
        let mut end = Some(at);
        for part in &rest {
            end = end.and_then(|end| log[end..line].find(part).map(|found| end + found + part.len()));
        }
        if end.is_some() {
            return end;
        }
        from = at.max(from + 1);
        if first.is_empty() {
            return None;
        }
    }
    None
}

/// A program's logs, compared.
#[derive(Clone, Debug)]
pub struct LogOutcome {
    /// Where the case is recorded.
    pub file: File,
    /// The object, or the source file of a table test.
    pub object: String,
    /// The program's name there.
    pub program: String,
    /// Where the logs part; None when they are equal.
    pub parting: Option<Parting>,
    /// What the author expects of the log.
    pub expectations: Expectations,
}

/// The most bytes of a log that are asked for and kept: longer ones are not compared.
const LONGEST: usize = 16 << 20;

/// Asks the running kernel for the logs of all programs of a corpus that the engine has the
/// kernel's verdict on, and compares. Programs that the kernel can't be asked about, and those
/// whose logs are very long, are left out.
#[must_use]
pub fn compare(corpus: &Corpus) -> Vec<LogOutcome> {
    let objects = run::objects(&corpus.cases);
    corpus.cases.par_iter().filter_map(|case| compare_one(corpus, &objects, case)).collect()
}

fn compare_one(corpus: &Corpus, objects: &run::Objects, case: &Case) -> Option<LogOutcome> {
    let object = match run::path(case).map(|path| &objects[path]) {
        Some(object) => Some(object.as_ref().ok()?),
        None => None,
    };
    let program = corpus.target.load(case, object).ok()?;
    let level = Level { path: false, all: true, stats: true };
    let options = LogOptions { level, limit: LONGEST };
    // The longest logs are of programs that are walked for long.
    let profile = corpus.target.profile();
    let (report, ours) = run::guarded(|| verify_with_log(&program, &PLATFORM, &profile, &options)).ok()?;
    let cut = ours.starts_with('(') && ours.lines().next().is_some_and(|line| line.ends_with("left out)"));
    if matches!(report.verdict, Verdict::Unsupported(_)) || cut {
        return None;
    }
    let asked = kernel::LoadOptions { log_level: kernel::load::LOG_ALL | kernel::load::LOG_STATS, btf: true };
    let verdict = kernel::load(&program, &asked).ok()?;
    if verdict.accepted != report.accepted() || verdict.log.starts_with("verification time") {
        return None;
    }
    Some(LogOutcome {
        file: case.file,
        object: case.object.clone(),
        program: case.program.clone(),
        parting: parting(&verdict.log, &ours),
        expectations: expectations(&case.expected_msgs, &verdict.log, &ours),
    })
}

/// The figures of a comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogTotals {
    /// Logs that are equal from the first line to the last.
    pub equal: Share,
    /// Programs whose log has all that their authors expect of it, of those whose log by the
    /// kernel has some of it.
    pub expected: Share,
}

impl LogTotals {
    /// Counts.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a LogOutcome>) -> LogTotals {
        let mut totals = LogTotals::default();
        for outcome in outcomes {
            totals.equal.add(outcome.parting.is_none());
            if outcome.expectations.in_kernel > 0 {
                totals.expected.add(outcome.expectations.in_ours == outcome.expectations.in_kernel);
            }
        }
        totals
    }
}

impl std::fmt::Display for LogTotals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  log equal             {}   of those with the kernel's verdict", self.equal)?;
        if self.expected.of > 0 {
            writeln!(f, "  log as expected       {}   of those whose authors say", self.expected)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_messages_are_found_in_order() {
        let log = "1: (b7) r0 = 1\n2: (95) exit\nUnreleased reference id=3 alloc_insn=7\n";
        let messages = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let found = |texts: &[&str]| expectations(&messages(texts), log, log).in_kernel;
        assert_eq!(found(&["r0 = 1", "exit"]), 2);
        assert_eq!(found(&["exit", "r0 = 1"]), 1);
        assert_eq!(found(&["id=3 alloc_insn={{[0-9]+}}"]), 1);
        assert_eq!(found(&["exit{{.*}}reference"]), 0);
        assert_eq!(found(&["(b7) {{.*}} = 1", "(95)"]), 2);
    }

    #[test]
    fn logs_part_where_they_differ_and_not_at_addresses() {
        let kernel = "verification time 3 usec\n0: (18) r1 = 0xffff888100000000     ; R1=map_ptr()\nb\n";
        let ours = "0: (18) r1 = map[0] ll         ; R1=map_ptr()\nb\n";
        assert_eq!(parting(kernel, ours), None);
        let parted =
            parting(kernel, "0: (18) r1 = map[0] ll         ; R1=map_ptr()\nc").expect("a difference");
        assert_eq!((parted.line, parted.kernel.as_str(), parted.ours.as_str()), (2, "b", "c"));
        assert_eq!(parting("a\n", "").map(|parted| parted.line), Some(1));
    }
}
