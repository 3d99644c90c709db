//! The mode that takes anything: every register, access and argument is looked at before it is used.
#![allow(unsafe_code)]

use probity_isa::{AtomicOp, Size};
use probity_platform::RetType;

use super::memory::{Memory, atomic};
use super::regions::{self, Place};
use super::step::Stop;
use crate::checked::{Moment, arguments};
use crate::fault::{Fault, RunError};
use crate::guest;
use crate::op::Op;
use crate::run::Run;
use crate::unit::{Site, Unit};

/// Registers that exist: r0 to r10.
const REGISTERS: u16 = (1 << 11) - 1;
/// r1 to r5.
const ARGUMENTS: u16 = 0b11_1110;

/// The mode.
#[derive(Debug)]
pub(crate) struct Checked {
    pc: usize,
    /// Registers that were written, as bits.
    written: u16,
    /// What was so in the frames that wait.
    waiting: Vec<u16>,
    /// The calls that led here, outermost first.
    callsites: Vec<usize>,
}

impl Checked {
    /// With these of r1 to r5 written.
    pub(crate) fn new(args: u16) -> Checked {
        Checked { pc: 0, written: args | 1 << 10, waiting: Vec::new(), callsites: Vec::new() }
    }

    fn fault(&self, run: &mut Run<'_>, fault: Fault) -> Stop {
        run.leave(RunError::Fault { pc: self.pc, fault }).into()
    }

    fn place(&self, run: &mut Run<'_>, address: u64, size: Size, write: bool) -> Result<Place, Stop> {
        let found = regions::locate(run, address, u64::from(size.bytes()), write);
        found.map_err(|what| {
            let verb = if write { "write" } else { "read" };
            self.fault(run, Fault::Access { verb, size: size.bytes().into(), address, what })
        })
    }
}

impl Memory for Checked {
    fn load(&mut self, run: &mut Run<'_>, address: u64, size: Size) -> Result<u64, Stop> {
        match self.place(run, address, size, false)? {
            Place::Zero => Ok(0),
            Place::Bytes { address, size, stack } => {
                if stack && !run.worker.is_written(address, size.bytes()) && !run.unit.policy.uninit_stack {
                    let offset = run.worker.below_frame(address, regions::frame_bytes(run.unit));
                    return Err(self.fault(run, Fault::Uninitialized { offset, size }));
                }
                // SAFETY: `locate` found memory of the run there.
                Ok(unsafe { guest::load(address, size) })
            }
        }
    }

    fn store(&mut self, run: &mut Run<'_>, address: u64, size: Size, value: u64) -> Result<(), Stop> {
        if let Place::Bytes { address, size, stack } = self.place(run, address, size, true)? {
            if stack {
                run.worker.mark_written(address, size.bytes());
            }
            // SAFETY: `locate` found memory of the run there that may be written.
            unsafe { guest::store(address, size, value) };
        }
        Ok(())
    }

    fn atomic(
        &mut self,
        run: &mut Run<'_>,
        address: u64,
        size: Size,
        op: AtomicOp,
        operand: u64,
        compare: u64,
    ) -> Result<u64, Stop> {
        if !address.is_multiple_of(u64::from(size.bytes())) {
            let what = "an atomic access must be aligned";
            return Err(
                self.fault(run, Fault::Access { verb: "write", size: size.bytes().into(), address, what })
            );
        }
        self.load(run, address, size)?;
        match self.place(run, address, size, true)? {
            // SAFETY: `locate` found memory of the run there that may be written; it is aligned.
            Place::Bytes { address, size, .. } => Ok(unsafe { atomic(address, size, op, operand, compare) }),
            Place::Zero => Ok(0),
        }
    }

    fn before(&mut self, unit: &Unit, pc: usize, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), Stop> {
        self.pc = pc;
        if let Some(watch) = run.watch.take() {
            let moment = Moment { unit, pc, regs, written: self.written, callsites: &self.callsites };
            watch.step(&moment, run);
            run.watch = Some(watch);
        }
        let Some(op) = unit.ops.get(pc) else { return Ok(()) };
        let (reads, writes) = match op {
            // A function of the program need not set r0 when its caller does not read it.
            Op::Exit if !self.waiting.is_empty() => (0, 0),
            _ => (op.reads(), op.writes()),
        };
        if (reads | writes) & !REGISTERS != 0 {
            let reg = ((reads | writes) & !REGISTERS).trailing_zeros() as u8;
            return Err(self.fault(run, Fault::NoRegister(reg)));
        }
        if writes & 1 << 10 != 0 {
            return Err(self.fault(run, Fault::NoRegister(10)));
        }
        let missing = reads & !self.written;
        if missing != 0 {
            return Err(self.fault(run, Fault::Register(missing.trailing_zeros() as u8)));
        }
        self.written |= writes;
        if matches!(op, Op::LoadPacket { .. }) {
            self.written &= !ARGUMENTS;
        }
        Ok(())
    }

    fn calls(&mut self, site: &Site, regs: &[u64; 16], run: &mut Run<'_>) -> Result<(), Stop> {
        arguments::check(site, regs, self.written, run).map_err(|fault| self.fault(run, fault))
    }

    fn called(&mut self, site: &Site, regs: &[u64; 16], run: &mut Run<'_>) {
        arguments::written(site, regs, run);
        if matches!(site.callable.ret.ty, RetType::Pointer(_)) && regs[0] != 0 {
            let of = site.callable.ret.map.map(|map| regs[usize::from(map) + 1]);
            regions::keep(run, regs[0], &regs[1..6], of);
        }
        self.written &= !(ARGUMENTS | 1);
        if site.callable.ret.ty != RetType::Void {
            self.written |= 1;
        }
    }

    fn enter(&mut self, run: &mut Run<'_>, base: u64, len: u64, callsite: Option<usize>) {
        run.worker.forget_written(base, len);
        if let Some(callsite) = callsite {
            self.callsites.push(callsite);
            self.waiting.push(self.written);
            self.written &= ARGUMENTS | 1 << 10;
        }
    }

    fn replaced(&mut self, run: &mut Run<'_>, base: u64, len: u64) {
        run.worker.forget_written(base, len);
        self.written &= 1 << 1 | 1 << 10;
    }

    fn exit(&mut self) {
        self.callsites.pop();
        let saved = self.waiting.pop().unwrap_or(0);
        self.written = saved & !(ARGUMENTS | 1) | self.written & 1;
    }

    fn nowhere(&mut self, run: &mut Run<'_>, unit: &Unit, pc: usize) -> Stop {
        let insns = &unit.program.insns;
        let fault = match probity_isa::decode(insns, pc) {
            Err(probity_isa::DecodeError::OutOfProgram(_)) => Fault::OutOfProgram(pc as i64),
            Err(error) => Fault::Instruction(error.to_string()),
            Ok(probity_isa::Instruction::CallHelper { id }) => {
                let known = unit.platform.callables.iter().find(|row| row.number.cast_signed() == id);
                Fault::Call(known.map_or_else(|| format!("helper {id}"), |row| row.name.to_owned()))
            }
            Ok(probity_isa::Instruction::CallKfunc { id, .. }) => {
                let name = usize::try_from(id).ok().and_then(|id| unit.program.kfuncs.get(id));
                Fault::Call(name.map_or_else(|| format!("kernel function {id}"), String::clone))
            }
            Ok(_) => Fault::OutOfProgram(pc as i64),
        };
        self.pc = pc;
        self.fault(run, fault)
    }
}
