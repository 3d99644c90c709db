//! Programs that were verified, ready to run.

use std::any::Any;
use std::sync::Arc;

use probity_engine::Verified;

use crate::checked::Watch;
use crate::context::Context;
use crate::fault::RunError;
use crate::interpreter::machine::Machine;
use crate::interpreter::memory::Raw;
use crate::link::LinkError;
use crate::maps::Map;
use crate::packet::Packet;
use crate::run::{MAX_LOOPS, Run};
use crate::runtime::Worker;
use crate::unit::Unit;

/// A verified program with its maps. Only a [`Verified`] makes one. Clones are the same program.
#[derive(Clone, Debug)]
pub struct Executable {
    pub(crate) unit: Arc<Unit>,
}

/// What a program is called with.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// The context; None: one of zeros.
    pub context: Option<&'a mut Context>,
    /// The packet, for programs that are called with one.
    pub packet: Option<&'a mut Packet>,
    /// The host, for platforms that have one.
    pub host: Option<&'a mut dyn Any>,
    /// How many back edges and calls it may take; None: as many as it likes.
    pub fuel: Option<u64>,
    /// Runs in the interpreter, also when there is machine code.
    pub interpreted: bool,
}

impl Executable {
    /// Links a verified program with maps that were made from its definitions, in their order.
    ///
    /// # Errors
    ///
    /// When the maps are others, or the runtime lacks something that the program uses, by name.
    pub fn new(verified: &Verified, maps: Vec<Arc<Map>>) -> Result<Executable, LinkError> {
        Ok(Executable { unit: Arc::new(Unit::verified(verified, maps)?) })
    }

    /// The linked program.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Runs it; gives r0.
    ///
    /// # Errors
    ///
    /// When the run ended early.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        let interpreted = input.interpreted;
        let counts = input.fuel.is_some();
        with_run(&self.unit, worker, input, None, |unit, run, args| match unit.native() {
            Some(native) if !interpreted => Ok(native.enter(run, args)),
            _ => {
                let mut machine = Machine::new(unit, run, Raw)?;
                run.call_back = Some(call_back);
                if counts { machine.run::<true>(run, 0, args) } else { machine.run::<false>(run, 0, args) }
            }
        })
    }
}

/// Calls a function of the program back, in the interpreter.
fn call_back(run: &mut Run<'_>, function: u64, args: [u64; 5]) -> Result<u64, crate::run::Left> {
    let unit = run.unit;
    let Some(start) = unit.function_of(function) else {
        return Err(run.leave(RunError::Internal("no function of the program")));
    };
    let result = Machine::new(unit, run, Raw).and_then(|mut machine| machine.run::<true>(run, start, args));
    result.map_err(|_| crate::run::Left)
}

/// Makes a run of a unit and does `go` in it.
pub(crate) fn with_run<'a>(
    unit: &'a Unit,
    worker: &'a mut Worker,
    input: Input<'a>,
    watch: Option<&'a mut (dyn Watch + 'a)>,
    go: impl for<'r> FnOnce(&'r Unit, &mut Run<'r>, [u64; 5]) -> Result<u64, crate::interpreter::step::Stop>,
) -> Result<u64, RunError> {
    let guard = unit.guarded.then(crossbeam_epoch::pin);
    let mut own = None;
    let context = match input.context {
        Some(context) => context,
        None => own.insert(Context::new(unit.view())),
    };
    if !std::ptr::eq(context.view(), unit.view()) {
        return Err(RunError::Internal("a context of another program type"));
    }
    let address = context.address();
    let args = unit.entry_args(address, context.len());
    let slot = worker.slot();
    let mut run = Run {
        fuel: input.fuel.map_or(i64::MAX, |fuel| i64::try_from(fuel).unwrap_or(i64::MAX)),
        loops: MAX_LOOPS,
        exit_sp: 0,
        tail_calls: 0,
        slot,
        callable: 0,
        nested: 0,
        context: address,
        scratch: [0; 4],
        failure: None,
        call_back: None,
        frames_used: 0,
        unit,
        packet: input.packet,
        worker,
        host: input.host,
        watch,
        records: Vec::new(),
    };
    run.show_packet();
    let result = go(unit, &mut run, args);
    run.give_back();
    let failure = run.failure.take();
    drop(guard);
    match (result, failure) {
        (Ok(value), None) => Ok(value),
        (_, Some(failure)) => Err(failure),
        (Err(_), None) => Err(RunError::Internal("the run ended without a reason")),
    }
}
