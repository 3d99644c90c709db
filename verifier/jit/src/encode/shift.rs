//! Shifts and rotations. The processor takes the count modulo the width, 32 or 64, as BPF does.

use super::assembler::Assembler;
use super::instruction::{Imm, Row};
use super::operand::{Reg, Rm, Width};

/// A shift or rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Shift {
    /// Rotation to the left.
    Rol = 0,
    /// Rotation to the right.
    Ror = 1,
    /// To the left.
    Shl = 4,
    /// To the right, zeros from above.
    Shr = 5,
    /// To the right, the sign from above.
    Sar = 7,
}

/// A shift of BMI2: the count is in any register, the result goes to any register, the flags stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShiftX {
    /// To the left.
    Shlx,
    /// To the right, zeros from above.
    Shrx,
    /// To the right, the sign from above.
    Sarx,
}

const SHIFT_IMM: Row = Row::one(0xc1);
const SHIFT_ONE: Row = Row::one(0xd1);
const SHIFT_CL: Row = Row::one(0xd3);
const RORX: Row = Row::three_3a(0xf0).with_prefix(0xf2);

impl Assembler {
    /// `op dst, count`.
    #[inline]
    pub fn shift_imm(&mut self, op: Shift, width: Width, dst: impl Into<Rm>, count: u8) {
        let (row, imm) = match count {
            1 => (SHIFT_ONE, Imm::None),
            _ => (SHIFT_IMM, Imm::I8(count as i8)),
        };
        self.extended(row, width, op as u8, dst.into(), imm);
    }

    /// `op dst, cl`.
    #[inline]
    pub fn shift_cl(&mut self, op: Shift, width: Width, dst: impl Into<Rm>) {
        self.extended(SHIFT_CL, width, op as u8, dst.into(), Imm::None);
    }

    /// `op dst, src, count` (BMI2).
    #[inline]
    pub fn shiftx(&mut self, op: ShiftX, width: Width, dst: Reg, src: impl Into<Rm>, count: Reg) {
        debug_assert!(width >= Width::W32, "{width:?}");
        let prefix = match op {
            ShiftX::Shlx => 0x66,
            ShiftX::Shrx => 0xf2,
            ShiftX::Sarx => 0xf3,
        };
        let row = Row::three_38(0xf7).with_prefix(prefix);
        self.vex(row, width, dst.number(), Some(count), src.into(), Imm::None);
    }

    /// `rorx dst, src, count` (BMI2).
    #[inline]
    pub fn rorx(&mut self, width: Width, dst: Reg, src: impl Into<Rm>, count: u8) {
        debug_assert!(width >= Width::W32, "{width:?}");
        self.vex(RORX, width, dst.number(), None, src.into(), Imm::I8(count as i8));
    }
}
