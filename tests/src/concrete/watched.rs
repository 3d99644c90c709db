//! Runs of an accepted program on random inputs, each held against the program's record.

use std::sync::Arc;

use probity_engine::verify::{verify_observed, verify_unpruned, verify_within};
use probity_engine::{Verdict, verify};
use probity_linux::PLATFORM;
use probity_platform::Profile;
use probity_program::{MapDef, Program};
use probity_vm::{CheckedProgram, Executable, Fault, Input, Map, RunError, Runtime, RuntimeOptions};

use super::inputs;
use super::monitor::{Monitor, Steps};
use super::record::{Record, Walked};
use crate::generate::Rng;

/// Longer records are left out, and those of pruned walks taken.
const MAX_STEPS: usize = 4000;
/// Programs on which a walk that prunes takes more steps are not walked without.
const FEW: u64 = 1000;
/// As [`FEW`], of walks on which states stand for others that they have.
const SOME: u64 = 4000;
/// Longer records of walks on which states stand for others that they have are left out.
const MAX_WITHIN: usize = 20_000;
/// Longer records of pruned walks are left out.
const MAX_PRUNED: usize = 40_000;
/// Longer runs end: back edges and calls.
const MAX_RUN: u64 = 400;

/// What came of programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    /// Programs that ran.
    pub programs: usize,
    /// Runs of them.
    pub runs: usize,
    /// Runs that came to their end.
    pub ended: usize,
    /// Instructions that were held against states of all paths.
    pub steps: usize,
    /// Instructions that were held against the states of a pruned walk.
    pub pruned_steps: usize,
    /// What was held against a state of any walk.
    pub by: Steps,
}

impl Total {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Total) -> Total {
        let mut by = self.by;
        by += other.by;
        Total {
            programs: self.programs + other.programs,
            runs: self.runs + other.runs,
            ended: self.ended + other.ended,
            steps: self.steps + other.steps,
            pruned_steps: self.pruned_steps + other.pruned_steps,
            by,
        }
    }

    fn add(&mut self, record: &Record, monitor: Monitor<'_>) -> Result<(), String> {
        let pruned = record.walked() == Walked::Pruned;
        *(if pruned { &mut self.pruned_steps } else { &mut self.steps }) += monitor.steps.all;
        self.by += monitor.steps;
        monitor.violation.map_or(Ok(()), Err)
    }
}

/// The states of an accepted program: of all paths when they are few, of those in which no number is
/// another when that ends, else those of a pruned walk.
/// None when it is not accepted, or when these are too many too.
#[must_use]
pub fn record(program: &Program, profile: &Profile) -> Option<Record> {
    let report = verify(program, &PLATFORM, profile);
    if !report.accepted() {
        return None;
    }
    if report.stats.processed <= FEW {
        let mut record = Record::up_to(MAX_STEPS, Walked::Apart);
        let accepted = verify_unpruned(program, &PLATFORM, profile, &mut record).is_ok();
        if accepted && !record.is_full() {
            return Some(record);
        }
    }
    if report.stats.processed <= SOME {
        let mut record = Record::up_to(MAX_WITHIN, Walked::Within);
        let accepted = verify_within(program, &PLATFORM, profile, &mut record).is_ok();
        if accepted && !record.is_full() {
            return Some(record);
        }
    }
    let mut record = Record::up_to(MAX_PRUNED, Walked::Pruned);
    let accepted = verify_observed(program, &PLATFORM, profile, &mut record).accepted();
    (accepted && !record.is_full()).then_some(record)
}

/// Runs a program on random inputs.
///
/// # Errors
///
/// What a run came through that no state allows, and on which input.
pub fn runs(
    program: &Program,
    profile: &Profile,
    record: &Record,
    seed: u64,
    inputs: u64,
) -> Result<Total, String> {
    let mut total = Total { programs: 1, ..Total::default() };
    for input in 0..inputs {
        total.runs += 1;
        one(program, profile, record, Rng::new(seed << 16 | input), &mut total)
            .map_err(|violation| format!("seed {seed}, input {input}: {violation}"))?;
    }
    Ok(total)
}

/// Whether the runtime would run the program: it has everything that the program leans on (without it
/// contexts hold nulls where the platform promises pointers), and believes the proof.
#[must_use]
pub fn is_linked(program: &Program, profile: &Profile) -> bool {
    let report = verify(program, &PLATFORM, profile);
    let Verdict::Accepted(verified) = report.verdict else { return false };
    let runtime = Runtime::default();
    maps(program, &runtime).is_some_and(|maps| Executable::new(&verified, maps).is_ok())
}

/// The maps of a program; None when the runtime does not have one.
fn maps(program: &Program, runtime: &Runtime) -> Option<Vec<Arc<Map>>> {
    let make = |definition: &MapDef| {
        let inner = definition.inner.and_then(|inner| program.maps.get(inner));
        Map::create(&PLATFORM, definition, inner, runtime.slots()).ok()
    };
    program.maps.iter().map(make).collect()
}

/// One run.
fn one(
    program: &Program,
    profile: &Profile,
    record: &Record,
    mut rng: Rng,
    total: &mut Total,
) -> Result<(), String> {
    let options =
        RuntimeOptions { seed: Some(rng.bits()), slots: profile.nr_cpus, ..RuntimeOptions::default() };
    let runtime = Runtime::new(options);
    let Some(maps) = maps(program, &runtime) else { return Ok(()) };
    let Ok(checked) = CheckedProgram::new(program, &PLATFORM, profile, maps) else { return Ok(()) };
    // Linking tells maps which parts of their values are no plain bytes.
    for map in checked.unit().maps() {
        inputs::fill(&mut rng, map);
    }
    let mut worker = runtime.worker().map_err(|error| error.to_string())?;
    let mut context = inputs::context(&mut rng, checked.unit().prog_type());
    let mut packet = inputs::packet(&mut rng);
    let put: Vec<&Arc<Map>> =
        checked.unit().maps().iter().filter(|map| map.set_checked_program(0, &checked).is_ok()).collect();
    let mut monitor = Monitor::new(record);
    let input = Input {
        context: Some(&mut context),
        packet: Some(&mut packet),
        fuel: Some(MAX_RUN),
        ..Input::default()
    };
    let result = checked.watched(&mut worker, input, Some(&mut monitor));
    // Program and map hold each other.
    for map in put {
        map.delete(&0_u32.to_ne_bytes()).map_err(|errno| format!("{errno:?}"))?;
    }
    total.add(record, monitor)?;
    match result {
        Ok(_) => total.ended += 1,
        Err(error) => expected(error)?,
    }
    Ok(())
}

/// What the runtime has no body or no memory for ends a run.
fn expected(error: RunError) -> Result<(), String> {
    match error {
        RunError::Fuel | RunError::Fault { fault: Fault::Call(_) | Fault::Unsupported(_), .. } => Ok(()),
        RunError::Fault { fault: Fault::Argument { what, .. }, .. } if what.starts_with("unsupported") => {
            Ok(())
        }
        error => Err(error.to_string()),
    }
}
