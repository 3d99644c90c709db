//! Measuring the engine beside the kernel.

use std::{fs, time::Duration};

use probity_linux::PLATFORM;
use probity_object::Object;
use probity_program::Program;

use crate::{
    corpus::{Answer, Case, Corpus, Outcome, records::Source, run},
    kernel::{Prepared, thread_time},
};

/// A program to be measured.
#[derive(Debug)]
pub struct Candidate<'a> {
    corpus: &'a Corpus,
    case: &'a Case,
    outcome: Outcome,
}

/// What was measured of a program.
#[derive(Debug)]
pub struct Measured {
    /// `FILE OBJECT PROGRAM`.
    pub name: String,
    /// Instructions processed.
    pub processed: u64,
    /// The median of our times.
    pub ours: Duration,
    /// The median of the kernel's times, when it was asked.
    pub kernel: Option<Duration>,
    /// The most memory that a check of ours held beyond what was there before, in bytes; 0 where
    /// the system does not say.
    pub peak: u64,
}

impl Measured {
    /// How many times as fast as the kernel we are.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        self.kernel.map(|kernel| kernel.as_secs_f64() / self.ours.as_secs_f64())
    }
}

/// The programs of a corpus on which our verdict is the recorded one, by instructions processed, the
/// most first.
#[must_use]
pub fn heaviest(corpus: &Corpus) -> Vec<Candidate<'_>> {
    let outcomes = run(corpus).into_iter().zip(&corpus.cases);
    let mut candidates: Vec<Candidate<'_>> = outcomes
        .filter(|(outcome, _)| outcome.is_supported() && outcome.agrees())
        .map(|(outcome, case)| Candidate { corpus, case, outcome })
        .collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.outcome.processed));
    candidates
}

impl Candidate<'_> {
    /// `FILE OBJECT PROGRAM`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {} {}", self.case.file, self.case.object, self.case.program)
    }

    fn program(&self) -> Result<Program, String> {
        let object = match &self.case.source {
            Source::Raw(_) => None,
            Source::Object { path, .. } => {
                let bytes = fs::read(path).map_err(|error| error.to_string())?;
                Some(Object::parse(&bytes).map_err(|error| error.to_string())?)
            }
        };
        self.corpus.target.load(self.case, object.as_ref()).map_err(|error| error.message)
    }

    /// Measures by turns, ours and the kernel's; ours only if `alone`.
    ///
    /// # Errors
    ///
    /// When the program can't be loaded, or the running kernel gives another verdict.
    pub fn measure(&self, rounds: usize, alone: bool) -> Result<Measured, String> {
        let program = self.program()?;
        let profile = self.corpus.target.profile();
        let prepared = if alone {
            None
        } else {
            Some(Prepared::new(&program, true).map_err(|error| error.to_string())?)
        };
        let (mut ours, mut kernel, mut peak) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds.max(1) {
            let memory = Memory::watch();
            let start = thread_time();
            let report = probity_engine::verify(&program, &PLATFORM, &profile);
            ours.push(thread_time().saturating_sub(start));
            peak = peak.max(memory.peak());
            if report.stats.processed != self.outcome.processed {
                return Err("two checks differ".into());
            }
            let Some(prepared) = &prepared else { continue };
            let verdict = prepared.ask(0);
            if verdict.accepted != (self.outcome.answer == Answer::Accept) {
                return Err(format!("the running kernel says error {}", verdict.errno));
            }
            kernel.push(verdict.cpu);
        }
        Ok(Measured {
            name: self.name(),
            processed: self.outcome.processed,
            ours: median(ours).unwrap_or_default(),
            kernel: median(kernel),
            peak,
        })
    }
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

/// The resident memory of this process from a moment on.
#[derive(Debug)]
pub struct Memory {
    before: Option<u64>,
}

impl Memory {
    /// From now on.
    #[must_use]
    pub fn watch() -> Memory {
        // Sets the recorded peak to what is resident now.
        let reset = fs::write("/proc/self/clear_refs", "5");
        Memory { before: reset.ok().and_then(|()| status("VmRSS:")) }
    }

    /// The most that was resident since, beyond what was then, in bytes; 0 where the system does
    /// not say.
    #[must_use]
    pub fn peak(&self) -> u64 {
        match (self.before, status("VmHWM:")) {
            (Some(before), Some(peak)) => peak.saturating_sub(before),
            _ => 0,
        }
    }
}

/// A size in `/proc/self/status`, in bytes.
fn status(name: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
