//! Where BPF registers are, what machine code knows of a run, how it is entered and left. Code of all
//! tiers keeps to it: they call each other by tail calls.
//!
//! * r0 to r5 are `rax`, `rdi`, `rsi`, `rdx`, `rcx`, `r8`: arguments and results of calls are in place.
//!   r6 to r9 are `rbx`, `r13`, `r14`, `r15`, r10 is `rbp`; functions save those that they write. `r12`
//!   is the run; `r9` to `r11` are scratch.
//! * At the first instruction of a function `rsp` is 8 below a multiple of 16.
//! * A program is entered once, by [`Frames::entry`], which saves what its caller wants kept and notes
//!   `rsp` in the run. So its main function saves nothing, and neither does one that a tail call goes to:
//!   it finds the stack as the main function did.
//! * From anywhere a run is left by [`Frames::exit`], which takes `rsp` from the run.

use probity_platform::Intrinsic;
use probity_vm::run::layout;
use probity_vm::{Op, Site, Target, Unit};

use crate::encode::Reg::{self, *};
use crate::encode::{Assembler, Label, Mem, Width};

/// The run.
pub(crate) const RUN: Reg = R12;
/// Free between instructions; the sixth argument of calls.
pub(crate) const SCRATCH1: Reg = R9;
/// Free between instructions.
pub(crate) const SCRATCH2: Reg = R10;
/// Free between instructions.
pub(crate) const SCRATCH3: Reg = R11;

/// The registers of BPF.
const REGISTERS: [Reg; 11] = [Rax, Rdi, Rsi, Rdx, Rcx, R8, Rbx, R13, R14, R15, Rbp];

/// Where a register of BPF is. A verified program names no others.
pub(crate) fn reg(number: u8) -> Reg {
    REGISTERS[usize::from(number).min(10)]
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $field:ident;)*) => {
        $($(#[$doc])* pub(crate) const $name: Mem = Mem::at(RUN, layout::$field as i32);)*
    };
}

fields! {
    /// See [`layout::FUEL`].
    FUEL = FUEL;
    /// See [`layout::LOOPS`].
    LOOPS = LOOPS;
    /// See [`layout::EXIT_SP`].
    EXIT_SP = EXIT_SP;
    /// See [`layout::SLOT`].
    SLOT = SLOT;
    /// See [`layout::UNIT`].
    UNIT = UNIT;
    /// The first word of [`layout::SCRATCH`].
    KEPT = SCRATCH;
}

/// The unit that is on again behind the call of a function, in a program with tail calls: a function that
/// made one has left another on. None in other programs.
pub(crate) fn unit_behind_calls(unit: &Unit) -> Option<u64> {
    let makes = |op: &Op| matches!(op, Op::TailCall { .. });
    unit.ops().iter().any(makes).then(|| std::ptr::from_ref(unit) as u64)
}

/// Makes it the one that is on, behind a call.
pub(crate) fn restore_unit(asm: &mut Assembler, unit: Option<u64>) {
    if let Some(unit) = unit {
        asm.mov_imm(SCRATCH3, unit);
        asm.store(Width::W64, UNIT, SCRATCH3);
    }
}

/// Where in the run the number of 32 bits is that is all that a call gives: then the load takes its place.
pub(crate) fn in_run(site: &Site) -> Option<i32> {
    match site.target {
        Target::Body(Intrinsic::ProcessorId) => Some(layout::SLOT as i32),
        _ => None,
    }
}

/// What the caller of machine code wants kept.
const SAVED: [Reg; 6] = [Rbp, Rbx, R12, R13, R14, R15];

/// The ways into a program and out of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    /// Leaves the run from anywhere: r0 means nothing, the run says why.
    pub(crate) exit: Label,
    /// Goes back to who entered.
    back: Label,
}

impl Frames {
    /// Writes the exit. It must come before entries.
    pub(crate) fn new(asm: &mut Assembler) -> Frames {
        let exit = asm.here();
        asm.load(Width::W64, Rsp, EXIT_SP);
        let back = asm.here();
        asm.pop(EXIT_SP);
        for reg in SAVED.into_iter().rev() {
            asm.pop(reg);
        }
        asm.ret();
        Frames { exit, back }
    }

    /// Writes an `extern "C" fn(r1, r2, *mut Run) -> u64` that calls a function of the program.
    pub(crate) fn entry(self, asm: &mut Assembler, function: Label) -> Label {
        let entry = asm.here();
        self.enter(asm, Rdx, function);
        entry
    }

    /// Writes an `extern "C" fn(r1, r2, r3, r4, r5, *mut Run) -> u64` that calls a function of the
    /// program.
    pub(crate) fn call_back(self, asm: &mut Assembler, entry: Label, function: Label) {
        asm.bind(entry);
        self.enter(asm, R9, function);
    }

    fn enter(self, asm: &mut Assembler, run: Reg, function: Label) {
        for reg in SAVED {
            asm.push(reg);
        }
        asm.mov(Width::W64, RUN, run);
        // Where a function of the program calls back into it, the run must be left step by step. This is
        // also what makes the number of words on the stack even.
        asm.push(EXIT_SP);
        asm.store(Width::W64, EXIT_SP, Rsp);
        asm.call(function);
        asm.jmp(self.back);
    }
}
