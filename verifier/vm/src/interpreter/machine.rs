//! Frames, calls, the loop.

use probity_isa::Size;
use smallvec::SmallVec;

use super::memory::Memory;
use super::regions::frame_bytes;
use super::step::{Regs, Stop, step};
use crate::fault::{Fault, RunError};
use crate::intrinsics;
use crate::run::{Left, MAX_LOOPS, Run};
use crate::unit::Unit;

/// A frame that waits for one that it called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'u> {
    /// The slot to go on at.
    pub(crate) back: usize,
    unit: &'u Unit,
    saved: [u64; 4],
    /// What is left of its budget for `may_goto`.
    loops: u64,
    /// [`Machine::first`] in its program.
    first: usize,
}

/// A run in the interpreter.
pub(crate) struct Machine<'u, M> {
    pub(crate) unit: &'u Unit,
    pub(crate) callers: SmallVec<[Caller<'u>; 8]>,
    pub(crate) memory: M,
    /// The first frame's stack, and how many bytes each frame has.
    stack: u64,
    frame: u64,
    /// Frames that are free behind the first.
    free: usize,
    /// How many frames waited when the program that is on began: a tail call in a function begins one
    /// on top of those that wait, with as many frames of its own as any.
    first: usize,
}

impl From<Left> for Stop {
    fn from(_: Left) -> Stop {
        Stop::Left
    }
}

impl<'u, M: Memory> Machine<'u, M> {
    /// A machine at the entry of `unit`, or of a function that is called back: its first frame is
    /// the run's next free one.
    pub(crate) fn new(unit: &'u Unit, run: &mut Run<'u>, memory: M) -> Result<Machine<'u, M>, Stop> {
        let frame = frame_bytes(unit);
        let frames = run.worker.frames(frame, unit.frames, run.frames_used > 0);
        let used = run.frames_used as usize;
        if used >= frames.1 {
            return Err(run.leave(RunError::Internal("callbacks nest too deep")).into());
        }
        let stack = frames.0 + used as u64 * frame;
        let free = frames.1 - used - 1;
        Ok(Machine { unit, callers: SmallVec::new(), memory, stack, frame, free, first: 0 })
    }

    /// Runs from a slot, with r1 to r5, to the end.
    pub(crate) fn run<const FUEL: bool>(
        &mut self,
        run: &mut Run<'u>,
        start: usize,
        args: [u64; 5],
    ) -> Result<u64, Stop> {
        let mut regs = self.begin(run, args);
        let loops = std::mem::replace(&mut run.loops, MAX_LOOPS);
        let result = self.go::<FUEL>(run, &mut regs, start);
        run.loops = loops;
        self.end(run);
        match result {
            Stop::Done => Ok(regs[0]),
            Stop::Left => Err(Stop::Left),
        }
    }

    /// The registers at entry.
    pub(crate) fn begin(&mut self, run: &mut Run<'u>, args: [u64; 5]) -> Regs {
        let mut regs = [0; 16];
        regs[1..6].copy_from_slice(&args);
        regs[10] = self.stack + self.frame;
        run.frames_used += 1;
        self.clear(run, self.stack);
        self.memory.enter(run, self.stack, self.frame, None);
        regs
    }

    /// Gives the frames back.
    pub(crate) fn end(&mut self, run: &mut Run<'u>) {
        run.frames_used -= 1 + self.callers.len() as u32;
    }

    fn go<const FUEL: bool>(&mut self, run: &mut Run<'u>, regs: &mut Regs, start: usize) -> Stop {
        let mut pc = start;
        let mut code = self.unit.decoded.insns.as_slice();
        loop {
            match step::<M, FUEL>(self, run, regs, &mut code, pc) {
                Ok(next) => pc = next,
                Err(stop) => return stop,
            }
        }
    }

    /// Zeroes a frame where programs may read what they never wrote.
    fn clear(&mut self, run: &mut Run<'u>, base: u64) {
        if self.unit.zeroes_stack {
            run.worker.zero(base, self.frame);
        }
    }

    /// Takes one of the fuel.
    #[inline(always)]
    pub(crate) fn burn(&mut self, run: &mut Run<'u>) -> Result<(), Stop> {
        run.fuel -= 1;
        if run.fuel < 0 { Err(run.leave(RunError::Fuel).into()) } else { Ok(()) }
    }

    /// What programs have for one of their functions.
    pub(crate) fn function_value(&self, start: u32) -> u64 {
        self.unit.function_value(start)
    }

    pub(crate) fn call(
        &mut self,
        run: &mut Run<'u>,
        regs: &mut Regs,
        site: u32,
        pc: usize,
    ) -> Result<usize, Stop> {
        let site = &self.unit.sites[site as usize];
        self.memory.calls(site, regs, run)?;
        let returned = intrinsics::call(site.raw, regs, run);
        if returned.leave != 0 {
            return Err(Stop::Left);
        }
        regs[0] = returned.value;
        self.memory.called(site, regs, run);
        Ok(pc + 1)
    }

    /// A call by a number that the program made.
    pub(crate) fn call_register(
        &mut self,
        run: &mut Run<'u>,
        regs: &mut Regs,
        number: u64,
        pc: usize,
    ) -> Result<usize, Stop> {
        let mut sites = self.unit.sites.iter();
        let site = sites.position(|site| site.pc as usize == pc && u64::from(site.callable.number) == number);
        let Some(site) = site else {
            let fault = Fault::Call(format!("helper {number}"));
            return Err(run.leave(RunError::Fault { pc, fault }).into());
        };
        self.call(run, regs, site as u32, pc)
    }

    pub(crate) fn tail_call(
        &mut self,
        run: &mut Run<'u>,
        regs: &mut Regs,
        site: u32,
        pc: usize,
    ) -> Result<usize, Stop> {
        let site = &self.unit.sites[site as usize];
        self.memory.calls(site, regs, run)?;
        let Some(unit) = intrinsics::tail_call::target(run, regs[2], regs[3]) else {
            regs[0] = crate::errno::Errno::ENOENT.to_r0();
            self.memory.called(site, regs, run);
            return Ok(pc + 1);
        };
        self.unit = unit;
        run.go_on(unit);
        self.first = self.callers.len();
        let base = regs[10] - self.frame;
        self.clear(run, base);
        self.memory.replaced(run, base, self.frame);
        Ok(0)
    }

    pub(crate) fn call_subprog(
        &mut self,
        run: &mut Run<'u>,
        regs: &mut Regs,
        target: usize,
        pc: usize,
    ) -> Result<usize, Stop> {
        let limit = self.unit.platform.limits.frames;
        let own = self.callers.len() - self.first + 1;
        if own >= limit as usize || self.callers.len() >= self.free {
            let fault = Fault::Frames(limit);
            return Err(run.leave(RunError::Fault { pc, fault }).into());
        }
        let saved = [regs[6], regs[7], regs[8], regs[9]];
        self.callers.push(Caller {
            back: pc + 1,
            unit: self.unit,
            saved,
            loops: run.loops,
            first: self.first,
        });
        run.loops = MAX_LOOPS;
        run.frames_used += 1;
        let base = regs[10];
        regs[10] = base + self.frame;
        self.clear(run, base);
        self.memory.enter(run, base, self.frame, Some(pc));
        Ok(target)
    }

    #[inline(always)]
    pub(crate) fn exit(&mut self, run: &mut Run<'u>, regs: &mut Regs) -> Result<usize, Stop> {
        let Some(caller) = self.callers.pop() else { return Err(Stop::Done) };
        self.memory.exit();
        run.frames_used -= 1;
        regs[6..10].copy_from_slice(&caller.saved);
        run.loops = caller.loops;
        regs[10] -= self.frame;
        self.unit = caller.unit;
        self.first = caller.first;
        run.unit = caller.unit;
        Ok(caller.back)
    }

    /// LD_ABS and LD_IND: outside of the packet the function returns 0.
    pub(crate) fn load_packet(
        &mut self,
        run: &mut Run<'u>,
        regs: &mut Regs,
        index: u32,
        imm: i32,
        size: Size,
        pc: usize,
    ) -> Result<usize, Stop> {
        match intrinsics::packet::load_legacy(run, index, imm, size) {
            Some(value) => {
                regs[0] = value;
                Ok(pc + 1)
            }
            None => {
                regs[0] = 0;
                self.exit(run, regs)
            }
        }
    }
}
