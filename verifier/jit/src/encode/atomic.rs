//! Instructions that read and write memory in one step.

use super::arithmetic::Alu;
use super::assembler::Assembler;
use super::instruction::{Form, Imm, Row};
use super::operand::{Mem, Reg, Rm, Width};

const XADD: Row = Row::two(0xc1);
const CMPXCHG: Row = Row::two(0xb1);
const XCHG: Row = Row::one(0x87);

impl Assembler {
    /// `lock op dst, src`.
    ///
    /// # Panics
    /// In debug builds, with [`Alu::Cmp`], which writes nothing.
    #[inline]
    pub fn lock_alu(&mut self, op: Alu, width: Width, dst: Mem, src: Reg) {
        debug_assert!(op != Alu::Cmp, "cmp cannot be locked");
        self.locked(Row::one((op as u8) << 3 | 1), width, dst, src);
    }

    /// `lock xadd dst, src`: memory gets the sum, `src` what memory was.
    #[inline]
    pub fn lock_xadd(&mut self, width: Width, dst: Mem, src: Reg) {
        self.locked(XADD, width, dst, src);
    }

    /// `lock cmpxchg dst, src`: when memory is equal to `rax` it becomes `src` and the zero flag is set;
    /// else `rax` becomes what memory is.
    #[inline]
    pub fn lock_cmpxchg(&mut self, width: Width, dst: Mem, src: Reg) {
        self.locked(CMPXCHG, width, dst, src);
    }

    /// `xchg dst, src`; with memory it is locked by itself.
    #[inline]
    pub fn xchg(&mut self, width: Width, dst: impl Into<Rm>, src: Reg) {
        self.regular(XCHG, width, src.number(), dst.into(), Imm::None);
    }

    #[inline]
    fn locked(&mut self, row: Row, width: Width, dst: Mem, src: Reg) {
        let byte_reg = width == Width::W8;
        let form = Form { lock: true, byte_reg, ..Form::new(row.sized(width), width) };
        self.form(form, src.number(), dst.into(), Imm::None);
    }
}
