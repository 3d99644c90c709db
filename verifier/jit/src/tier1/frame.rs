//! The stack of a function: what it saves, its frame, its end.

use probity_vm::Function;
use probity_vm::run::MAX_LOOPS;

use super::Compiler;
use crate::abi::{LOOPS, SCRATCH1, reg};
use crate::encode::Reg::{Rbp, Rsp};
use crate::encode::{Alu, Cond, Mem, Scale, Width};
use crate::scan::Scanned;

/// Bytes below `rsp` that nobody else writes (System V ABI): a frame of a function that calls nothing
/// can be there.
const RED_ZONE: u32 = 128;
/// Each page of a frame is touched in order, so that a stack that is full ends in its guard page.
const PAGE: u32 = 4096;
/// How many words are zeroed one by one.
const UNROLLED: u32 = 16;

/// The function that is on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    /// The registers of BPF that it saves, by bit; with r10 it saves `rbp`.
    saved: u16,
    /// It has a budget of its own for `may_goto`, and keeps its caller's.
    budget: bool,
    /// `rbp` is where `rsp` is before the frame is reserved.
    has_base: bool,
    /// How far `rsp` goes down.
    size: u32,
}

/// r6 to r10: what a function may not change for its caller.
const KEPT: std::ops::RangeInclusive<u8> = 6..=10;

impl Compiler<'_> {
    /// Writes a function's beginning.
    pub(super) fn enter(&mut self, index: usize, function: &Function, scanned: Scanned) {
        self.asm.align(16);
        let label = self.functions.at(index);
        let has_base = scanned.uses_stack;
        let mut saved = scanned.written | if has_base { 1 << 10 } else { 0 };
        saved &= KEPT.fold(0, |kept, number| kept | 1 << number);
        if index == 0 {
            // The entry saved everything, and a tail call comes here too.
            self.asm.bind(label);
            saved = 0;
        } else if scanned.tail_calls {
            // Another program takes this function's place, which saves nothing, whatever it writes: so
            // all is saved out here, and what is on from then on looks like a main function.
            self.asm.bind(label);
            let body = self.asm.label();
            if scanned.may_goto {
                // Twice, so that the number of words stays odd.
                self.asm.push(LOOPS);
                self.asm.push(LOOPS);
                self.asm.store_imm(Width::W64, LOOPS, MAX_LOOPS as i32);
            }
            for number in KEPT {
                self.asm.push(reg(number));
            }
            self.asm.call(body);
            for number in KEPT.rev() {
                self.asm.pop(reg(number));
            }
            if scanned.may_goto {
                self.asm.pop(LOOPS);
                self.asm.pop(LOOPS);
            }
            self.asm.ret();
            self.asm.align(16);
            self.asm.bind(body);
            saved = 0;
        } else {
            self.asm.bind(label);
        }
        let budget = index != 0 && scanned.may_goto && !scanned.tail_calls;
        if budget {
            self.asm.push(LOOPS);
            self.asm.store_imm(Width::W64, LOOPS, MAX_LOOPS as i32);
        }
        for number in KEPT.filter(|number| saved & 1 << number != 0) {
            self.asm.push(reg(number));
        }
        let size = if scanned.calls {
            // With the return address and what was saved, a multiple of 16.
            let above = 8 + 8 * (saved.count_ones() + u32::from(budget));
            (above + function.stack).next_multiple_of(16) - above
        } else if function.stack <= RED_ZONE {
            0
        } else {
            function.stack
        };
        self.frame = Frame { saved, budget, has_base, size };
        if has_base {
            self.asm.mov(Width::W64, Rbp, Rsp);
        }
        for page in 1..=size / PAGE {
            self.asm.alu_imm(Alu::Or, Width::W32, Mem::at(Rsp, -((page * PAGE) as i32)), 0);
        }
        if size > 0 {
            self.asm.alu_imm(Alu::Sub, Width::W64, Rsp, size as i32);
        }
        if has_base && self.unit.zeroes_stack() {
            self.zero(function.stack);
        }
    }

    /// Zeroes the frame.
    fn zero(&mut self, stack: u32) {
        let words = stack / 8;
        if words <= UNROLLED {
            for word in 1..=words {
                self.asm.store_imm(Width::W64, Mem::at(Rbp, -8 * word as i32), 0);
            }
            return;
        }
        self.asm.mov_imm(SCRATCH1, (-i64::from(stack)).cast_unsigned());
        let again = self.asm.here();
        self.asm.store_imm(Width::W64, Mem::indexed(Rbp, SCRATCH1, Scale::One, 0), 0);
        self.asm.alu_imm(Alu::Add, Width::W64, SCRATCH1, 8);
        self.asm.jcc(Cond::Ne, again);
    }

    /// Gives the frame back: `rsp` is as it was at the function's beginning.
    pub(super) fn give_back(&mut self) {
        let Frame { saved, budget, has_base, size } = self.frame;
        match size {
            0 => {}
            _ if has_base => self.asm.mov(Width::W64, Rsp, Rbp),
            _ => self.asm.alu_imm(Alu::Add, Width::W64, Rsp, size as i32),
        }
        for number in KEPT.rev().filter(|number| saved & 1 << number != 0) {
            self.asm.pop(reg(number));
        }
        if budget {
            self.asm.pop(LOOPS);
        }
    }

    /// Returns r0.
    pub(super) fn leave(&mut self) {
        self.give_back();
        self.asm.ret();
    }
}
