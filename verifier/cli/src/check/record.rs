//! What is said of one program; the fields of a JSON line, in their order.

use std::path::Path;
use std::time::{Duration, Instant};

use probity::engine::log::{Level, LogOptions};
use probity::object::object::Entry;
use probity::object::{Object, ProgramError};
use probity::platform::Version;
use probity::report::Refusal;
use probity::{Checked, Loader, Report};
use serde::Serialize;

use crate::{PLATFORM, input, source, spec_text};

/// The four words of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Accepted,
    Rejected,
    Unsupported,
    Error,
}

/// What is said of one program, or of an object that gives none. The fields are stable: a new one
/// may come, none goes or changes its meaning.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record {
    pub(super) object: String,
    pub(super) program: Option<String>,
    pub(super) section: Option<String>,
    pub(super) prog_type: Option<&'static str>,
    pub(super) attach_type: Option<&'static str>,
    /// The structure and member of the table of functions that has it.
    pub(super) struct_ops: Option<String>,
    /// The version of the kernel that it was checked for.
    pub(super) kernel: String,
    /// True when that is not the one whose semantics the engine has.
    pub(super) experimental: bool,
    pub(super) verdict: Verdict,
    /// Why it was not accepted.
    #[serde(flatten)]
    pub(super) refusal: Refusal,
    pub(super) processed: u64,
    pub(super) total_states: u64,
    pub(super) peak_states: u64,
    pub(super) max_states_per_insn: u64,
    pub(super) stack_depth: String,
    pub(super) time_us: u64,
    /// What was taken or made up without being asked for: the running kernel's types, sizes of maps.
    pub(super) notes: Vec<String>,
    /// The log, when one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<String>,
}

impl Record {
    /// Nothing said yet.
    fn new(path: &Path, verdict: Verdict) -> Record {
        Record {
            object: path.display().to_string(),
            program: None,
            section: None,
            kernel: PLATFORM.version.to_string(),
            experimental: false,
            prog_type: None,
            attach_type: None,
            struct_ops: None,
            verdict,
            refusal: Refusal { unsupported: verdict == Verdict::Unsupported, ..Refusal::default() },
            processed: 0,
            total_states: 0,
            peak_states: 0,
            max_states_per_insn: 0,
            stack_depth: String::new(),
            time_us: 0,
            notes: Vec::new(),
            log: None,
        }
    }

    /// An object without a program that could be checked.
    pub(super) fn of_object(path: &Path, code: &'static str, text: &str) -> Record {
        let mut record = Record::new(path, Verdict::Error);
        record.refusal.code = Some(code);
        record.refusal.message = Some(text.to_owned());
        record
    }

    /// Says for which kernel it was checked.
    pub(super) fn of_kernel(&mut self, kernel: Version) {
        self.kernel = kernel.to_string();
        self.experimental = kernel != PLATFORM.version;
        if self.experimental {
            self.notes.push(format!(
                "kernel {kernel} is experimental: its tables are taken, and the semantics of {}",
                PLATFORM.version
            ));
        }
    }

    /// Checks a program.
    pub(super) fn of_program(
        path: &Path,
        loader: &Loader<'_>,
        object: &Object,
        entry: &Entry,
        level: Option<Level>,
    ) -> Record {
        let start = Instant::now();
        let mut log = None;
        let checked = input::guarded(|| match level {
            None => loader.check_program(object, entry).outcome,
            Some(level) => {
                let (report, text) = loader.check_program_with_log(object, entry, &LogOptions::new(level));
                log = text;
                report.outcome
            }
        });
        // What follows explains and renders: it is no part of checking.
        let time = start.elapsed();
        let mut record = match checked {
            Ok(Ok(checked)) => Record::of_report(path, loader, &checked),
            Ok(Err(error)) => Record::of_error(path, entry, &error),
            Err(fault) => Record::of_object(path, "internal-error", &fault),
        };
        record.program = Some(entry.name.clone());
        record.section = Some(entry.section.clone());
        let member = object.table_member(&entry.name);
        record.struct_ops = member.map(|(table, member)| format!("{table}.{member}"));
        if let Some(found) = loader.section_type(entry)
            && let Some(row) = PLATFORM.prog_type(found.prog_type)
        {
            record.prog_type = Some(row.name);
            let attach = row.attach.iter().find(|attach| attach.number == found.attach_type);
            record.attach_type = attach.map(|attach| attach.name);
        }
        record.time_us = micros(time);
        record.log = log;
        record
    }

    fn of_report(path: &Path, loader: &Loader<'_>, checked: &Checked) -> Record {
        let Checked { program, report, notes } = checked;
        let verdict = match report.verdict {
            probity::Verdict::Accepted(_) => Verdict::Accepted,
            probity::Verdict::Rejected(_) => Verdict::Rejected,
            probity::Verdict::Unsupported(_) => Verdict::Unsupported,
        };
        let mut record = Record::new(path, verdict);
        record.counts(report);
        record.notes.clone_from(notes);
        if let Some(finding) = report.finding() {
            let lines = source::lines(program, path);
            let mut refusal = Refusal::of_finding(program, PLATFORM, &lines, finding);
            refusal.unsupported = record.verdict == Verdict::Unsupported;
            refusal.errno = (record.verdict == Verdict::Rejected).then_some(finding.rejection.errno);
            refusal.spec = finding.site().and_then(spec_text::place);
            if record.verdict == Verdict::Rejected
                && let Ok(Some(explanation)) = input::guarded(|| loader.explain(checked))
            {
                refusal.explain(program, PLATFORM, &lines, explanation);
            }
            record.refusal = refusal;
        }
        record
    }

    fn counts(&mut self, report: &Report) {
        self.processed = report.stats.processed;
        self.total_states = report.stats.total_states;
        self.peak_states = report.stats.peak_states;
        self.max_states_per_insn = report.stats.max_states_per_insn;
        let depths: Vec<String> = report.stack_depth.iter().map(u32::to_string).collect();
        self.stack_depth = depths.join("+");
    }

    /// A program that could not be linked.
    fn of_error(path: &Path, entry: &Entry, error: &ProgramError) -> Record {
        let (verdict, code) = match error {
            ProgramError::UnknownSection { .. } => (Verdict::Unsupported, "unknown-section"),
            ProgramError::Unsupported { .. } => (Verdict::Unsupported, "unsupported"),
            ProgramError::Relocation { .. } => (Verdict::Error, "relocation"),
            ProgramError::Limit { .. } => (Verdict::Error, "limit"),
            _ => (Verdict::Error, "unreadable"),
        };
        let mut record = Record::new(path, verdict);
        record.refusal.code = Some(code);
        record.refusal.message = Some(match error {
            ProgramError::UnknownSection { .. } => format!(
                "section `{}` says no program type that platform {} has: give one with --type {}=TYPE",
                entry.section, PLATFORM.name, entry.name
            ),
            ProgramError::Unsupported { name, section, pc, remedy, .. } => {
                format!("{name}, at instruction {pc} of section {section}: {remedy}")
            }
            other => other.to_string(),
        });
        record
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
