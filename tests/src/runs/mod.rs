//! Programs of a corpus that the engine accepts, run in both interpreters and as machine code
//! beside the kernel's r0.

use std::{collections::BTreeMap, fmt};

use probity_vm::{Input, Runtime, Worker};
use rayon::prelude::*;

use crate::corpus::{
    Case, Corpus,
    records::Source,
    run::{self, Objects, guarded},
};
use crate::inputs::TestInput;
use crate::raw::RawRecord;

pub mod linked;

pub use linked::{Engine, Linker, NO_COMPILER, Runnable};

/// The error number of "this type has no test runs".
const ENOTSUPP: i32 = 524;
/// What a table test expects that returns an address.
const ANY_POINTER: u32 = 13_303_370;
/// More back edges and calls than any program of a corpus takes.
const FUEL: u64 = 200_000_000;

/// A test run of the kernel.
#[derive(Clone, Debug)]
pub struct KernelRun {
    /// The bytes that it was given.
    pub data: Vec<u8>,
    /// r0, or None where it is another one each time.
    pub retval: Option<u32>,
}

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// The kernel's r0 in all runs, in all engines.
    Equal,
    /// Something else.
    Different(String),
    /// It was not run, and why: a reason that many programs may share.
    Skipped(String),
}

/// A program and what came of it.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// `FILE OBJECT PROGRAM`.
    pub name: String,
    /// What came of it.
    pub ran: Ran,
}

/// The runs that the kernel did of a case.
#[must_use]
pub fn kernel_runs(case: &Case) -> Vec<KernelRun> {
    const EMPTY: [u8; 64] = [0; 64];
    match &case.source {
        Source::Raw(raw) => {
            let runs = raw.record.runs.iter().filter(|run| run.errno != ENOTSUPP);
            let one = |run: &crate::raw::RawRun| KernelRun {
                data: RawRecord::hex(&run.data_in),
                retval: (run.expected != ANY_POINTER).then_some(run.retval),
            };
            runs.map(one).collect()
        }
        Source::Object { .. } => {
            let retval = case.expected.retval.map(i32::cast_unsigned);
            retval
                .map(|retval| KernelRun { data: EMPTY.to_vec(), retval: Some(retval) })
                .into_iter()
                .collect()
        }
    }
}

/// Runs all cases that the kernel has run. `varies` says whose r0 is another one each time.
#[must_use]
pub fn run_all(corpus: &Corpus, varies: &(dyn Fn(&Case) -> bool + Sync)) -> Vec<RunOutcome> {
    let objects = run::objects(&corpus.cases);
    let one = |case: &Case| {
        let mut runs = kernel_runs(case);
        if runs.is_empty() {
            return None;
        }
        if varies(case) {
            runs.iter_mut().for_each(|run| run.retval = None);
        }
        let ran = guarded(|| run_case(corpus, &objects, case, &runs));
        let ran = ran.unwrap_or_else(|panic| Ran::Different(format!("panic: {panic}")));
        Some(RunOutcome { name: run::name(case), ran })
    };
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build();
    pool.expect("threads").install(|| corpus.cases.par_iter().filter_map(one).collect())
}

fn run_case(corpus: &Corpus, objects: &Objects, case: &Case, runs: &[KernelRun]) -> Ran {
    let object = match run::path(case).map(|path| &objects[path]) {
        Some(Err(error)) => return Ran::Skipped(format!("loader: {error}")),
        Some(Ok(object)) => Some(object),
        None => None,
    };
    for engine in [Engine::Verified, Engine::Checked, Engine::Native] {
        let runtime = Runtime::default();
        let program = match Linker::new(corpus, case, object, &runtime, engine).link() {
            Ok(program) => program,
            Err(reason) if engine == Engine::Native && reason.ends_with(NO_COMPILER) => break,
            Err(reason) => return Ran::Skipped(reason),
        };
        let mut worker = runtime.worker().expect("a slot");
        let ran = compare(runs, engine, &mut worker, &program);
        if ran != Ran::Equal {
            return ran;
        }
    }
    Ran::Equal
}

/// All runs in one interpreter, one after the other: maps keep what they hold.
fn compare(runs: &[KernelRun], engine: Engine, worker: &mut Worker, program: &Runnable) -> Ran {
    let prog_type = program.unit().prog_type();
    for run in runs {
        let Some(mut input) = TestInput::new(prog_type, &run.data) else {
            return Ran::Skipped(format!("test runs of {}", prog_type.name));
        };
        let result = program.run(worker, Input { fuel: Some(FUEL), ..input.input() });
        match (result, run.retval) {
            (Ok(_), None) => {}
            (Ok(value), Some(wanted)) if value as u32 == wanted => {}
            (Ok(value), Some(wanted)) => {
                return Ran::Different(format!("{engine:?}: r0 is {value:#x}, the kernel's is {wanted:#x}"));
            }
            (Err(error), _) => return Ran::Different(format!("{engine:?}: {error}")),
        }
    }
    Ran::Equal
}

/// The counts.
#[derive(Clone, Debug, Default)]
pub struct RunTotals {
    /// Programs that ran with the kernel's r0.
    pub equal: usize,
    /// Those that did not, with what was different.
    pub different: Vec<String>,
    /// How many were skipped, by reason.
    pub skipped: BTreeMap<String, usize>,
}

impl RunTotals {
    /// Counts.
    #[must_use]
    pub fn of(outcomes: &[RunOutcome]) -> RunTotals {
        let mut totals = RunTotals::default();
        for RunOutcome { name, ran } in outcomes {
            match ran {
                Ran::Equal => totals.equal += 1,
                Ran::Different(what) => totals.different.push(format!("{name}: {what}")),
                Ran::Skipped(reason) => *totals.skipped.entry(reason.clone()).or_default() += 1,
            }
        }
        totals
    }
}

impl fmt::Display for RunTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped: usize = self.skipped.values().sum();
        writeln!(f, "  the kernel's r0  {:>4}", self.equal)?;
        writeln!(f, "  another one      {:>4}", self.different.len())?;
        writeln!(f, "  not run          {skipped:>4}")?;
        let mut reasons: Vec<_> = self.skipped.iter().collect();
        reasons.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
        for (reason, count) in reasons {
            writeln!(f, "    {count:>4}  {reason}")?;
        }
        Ok(())
    }
}
