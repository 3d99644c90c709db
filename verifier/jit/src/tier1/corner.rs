//! Rare cases of instructions, written behind the function, out of the way.

use super::Compiler;
use crate::encode::{Cond, Label, Reg, Unary, Width};

/// A rare case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    at: Label,
    back: Label,
    what: What,
    dst: Reg,
}

/// What becomes of a register in a rare case.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// It is 0.
    Zero,
    /// What it was; with 32 bits the upper half becomes 0.
    Extend(Width),
    /// `0 - dst`.
    Negate(Width),
}

impl Compiler<'_> {
    /// Goes to a rare case when the flags say so. Behind it the code goes on at `back`.
    pub(super) fn corner(&mut self, cond: Cond, back: Label, what: What, dst: Reg) {
        let at = self.asm.label();
        self.asm.jcc(cond, at);
        self.corners.push(Corner { at, back, what, dst });
    }

    /// Writes what was put aside.
    pub(super) fn corners(&mut self) {
        for number in 0..self.corners.len() {
            let Corner { at, back, what, dst } = self.corners[number];
            self.asm.bind(at);
            match what {
                What::Zero => self.asm.zero(dst),
                What::Extend(width) => self.extend(width, dst),
                What::Negate(width) => self.asm.unary(Unary::Neg, width, dst),
            }
            self.asm.jmp(back);
        }
        self.corners.clear();
    }
}
