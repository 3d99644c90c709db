//! Programs that were not verified, run with every check.

use std::sync::Arc;

use probity_platform::{Platform, Profile};
use probity_program::Program;

use crate::executable::Input;
use crate::fault::RunError;
use crate::host::Linked;
use crate::interpreter::checked::Checked;
use crate::interpreter::machine::Machine;
use crate::interpreter::regions;
use crate::intrinsics;
use crate::link::LinkError;
use crate::maps::Map;
use crate::run::{Left, Run};
use crate::runtime::Worker;
use crate::session::Session;
use crate::unit::Unit;

pub use crate::interpreter::regions::{Bounds, Region};

pub(crate) mod arguments;

/// A program as it is, with its maps: it runs in the checked interpreter only.
#[derive(Clone, Debug)]
pub struct CheckedProgram {
    pub(crate) unit: Arc<Unit>,
}

/// Watches a checked run.
pub trait Watch {
    /// An instruction is about to run.
    fn step(&mut self, moment: &Moment<'_>, run: &mut Run<'_>);
}

/// Where a checked run is.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The program that is on.
    pub unit: &'a Unit,
    /// The instruction to come.
    pub pc: usize,
    /// r0 to r10.
    pub regs: &'a [u64; 16],
    /// Which of them were written, as bits.
    pub written: u16,
    /// The calls that led here, outermost first: slots of call instructions. Those of a function
    /// that is called back begin with it.
    pub callsites: &'a [usize],
}

impl Moment<'_> {
    /// The region that holds an address, with its bounds.
    #[must_use]
    pub fn region(&self, run: &mut Run<'_>, address: u64) -> Option<Bounds> {
        regions::find(run, address, 0)
    }

    /// The region that holds so many bytes at an address, with its bounds.
    #[must_use]
    pub fn memory(&self, run: &mut Run<'_>, address: u64, bytes: u64) -> Option<Bounds> {
        regions::find(run, address, bytes)
    }

    /// The context's address.
    #[must_use]
    pub fn context(&self, run: &Run<'_>) -> u64 {
        run.context
    }

    /// How many callables are on that called functions of the program.
    #[must_use]
    pub fn nested(&self, run: &Run<'_>) -> u32 {
        run.nested
    }

    /// The records of ring buffers that the run holds: their addresses.
    #[must_use]
    pub fn records<'r>(&self, run: &'r Run<'_>) -> &'r [u64] {
        &run.records
    }

    /// The locks that the run holds: their addresses.
    #[must_use]
    pub fn locks(&self, run: &Run<'_>) -> Vec<u64> {
        run.locks.iter().map(|lock| lock.address()).collect()
    }

    /// The memory that an object in the stack leads to, as far as the runtime knows such objects:
    /// where, and how many bytes. None when it leads to none.
    #[must_use]
    pub fn behind(&self, object: [u64; 2]) -> Option<(u64, u64)> {
        let bytes: Vec<u8> = object.iter().flat_map(|word| word.to_ne_bytes()).collect();
        intrinsics::memory_behind(&bytes).map(|memory| (memory.address, memory.len))
    }

    /// The bytes of a frame's stack, by the frame's number from 0.
    #[must_use]
    pub fn stack<'r>(&self, run: &'r mut Run<'_>, frame: usize) -> &'r [u64] {
        let words = (regions::frame_bytes(self.unit) / 8) as usize;
        run.worker.stack.get(frame * words..(frame + 1) * words).unwrap_or(&[])
    }
}

impl CheckedProgram {
    /// Links a program with maps that were made from its definitions, in their order.
    ///
    /// # Errors
    ///
    /// When the runtime has not what it refers to. What is wrong with an instruction counts when a
    /// run gets there.
    pub fn new(
        program: &Program,
        platform: &'static Platform,
        profile: &Profile,
        maps: Vec<Arc<Map>>,
    ) -> Result<CheckedProgram, LinkError> {
        Ok(CheckedProgram { unit: Unit::link(program, platform, profile, maps, None, None)?.share() })
    }

    /// As [`CheckedProgram::new`], for a program that calls functions of a host.
    ///
    /// # Errors
    ///
    /// As for [`CheckedProgram::new`], and when the functions are those of another platform.
    pub fn with_host(
        program: &Program,
        platform: &'static Platform,
        profile: &Profile,
        maps: Vec<Arc<Map>>,
        host: &Linked,
    ) -> Result<CheckedProgram, LinkError> {
        Ok(CheckedProgram { unit: Unit::link(program, platform, profile, maps, Some(host), None)?.share() })
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
    /// When the run ended early: with a fault, say.
    pub fn run(&self, worker: &mut Worker, input: Input<'_>) -> Result<u64, RunError> {
        self.watched(worker, input, None)
    }

    /// As [`CheckedProgram::run`], watched.
    ///
    /// # Errors
    ///
    /// When the run ended early: with a fault, say.
    pub fn watched<'a>(
        &'a self,
        worker: &'a mut Worker,
        input: Input<'a>,
        watch: Option<&'a mut (dyn Watch + 'a)>,
    ) -> Result<u64, RunError> {
        let mut session = Session::begin(&self.unit, worker, input.context, watch)?;
        session.fuel(input.fuel);
        session.go(input.packet, input.host, |unit, run, args| {
            let written = unit.prog_type.entry.iter().fold(0, |all, &(reg, _)| all | 1 << reg);
            let mut machine = Machine::new(unit, run, Checked::new(written))?;
            run.call_back = Some(call_back);
            machine.run::<true>(run, 0, args)
        })
    }
}

/// Calls a function of the program back, in the checked interpreter.
fn call_back(run: &mut Run<'_>, function: u64, args: [u64; 5]) -> Result<u64, Left> {
    let unit = run.unit;
    let Some(start) = unit.function_of(function) else {
        return Err(run.leave(RunError::Internal("no function of the program")));
    };
    let mode = Checked::new(0b11_1110);
    let result = Machine::new(unit, run, mode).and_then(|mut machine| machine.run::<true>(run, start, args));
    result.map_err(|_| Left)
}
