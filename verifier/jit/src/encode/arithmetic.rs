//! Arithmetic: the eight binary operators, test, multiplication, division, unary operators.

use super::assembler::Assembler;
use super::instruction::{Bits, Form, Imm, Row};
use super::operand::{Mem, Reg, Rm, Width};

/// A binary operator `dst = dst op src`. All set the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Alu {
    /// Addition.
    Add,
    /// Bitwise or.
    Or,
    /// Addition with carry.
    Adc,
    /// Subtraction with borrow.
    Sbb,
    /// Bitwise and.
    And,
    /// Subtraction.
    Sub,
    /// Bitwise exclusive or.
    Xor,
    /// A subtraction that only sets the flags.
    Cmp,
}

/// An operator with one operand; those that multiply and divide work on `rax` and `rdx` besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Unary {
    /// All bits inverted; the flags stay.
    Not = 2,
    /// `0 - dst`.
    Neg,
    /// `rdx:rax = rax * src`, unsigned.
    Mul,
    /// `rdx:rax = rax * src`, signed.
    Imul,
    /// `rax = rdx:rax / src`, `rdx` the remainder, unsigned. Traps when the quotient does not fit.
    Div,
    /// `rax = rdx:rax / src`, `rdx` the remainder, signed. Traps when the quotient does not fit.
    Idiv,
}

const ALU_IMM: Row = Row::one(0x81);
const ALU_IMM8: Row = Row::one(0x83);
const TEST: Row = Row::one(0x85);
const TEST_IMM: Row = Row::one(0xf7);
const UNARY: Row = Row::one(0xf7);
const IMUL: Row = Row::two(0xaf);
const IMUL_IMM: Row = Row::one(0x69);
const IMUL_IMM8: Row = Row::one(0x6b);
const MULX: Row = Row::three_38(0xf6).with_prefix(0xf2);
const ANDN: Row = Row::three_38(0xf2);
const INCDEC: Row = Row::one(0xff);
const POPCNT: Row = Row::two(0xb8).with_prefix(0xf3);
const TZCNT: Row = Row::two(0xbc).with_prefix(0xf3);
const LZCNT: Row = Row::two(0xbd).with_prefix(0xf3);

impl Assembler {
    /// `op dst, src` into a register.
    #[inline]
    pub fn alu(&mut self, op: Alu, width: Width, dst: Reg, src: impl Into<Rm>) {
        // Either direction will do between registers; from memory only this one.
        self.regular(Row::one((op as u8) << 3 | 3), width, dst.number(), src.into(), Imm::None);
    }

    /// `op dst, src` into memory.
    #[inline]
    pub fn alu_store(&mut self, op: Alu, width: Width, dst: Mem, src: Reg) {
        self.regular(Row::one((op as u8) << 3 | 1), width, src.number(), dst.into(), Imm::None);
    }

    /// `op dst, imm`, with an immediate of one byte where it fits.
    #[inline]
    pub fn alu_imm(&mut self, op: Alu, width: Width, dst: impl Into<Rm>, imm: i32) {
        let (row, imm) = match i8::try_from(imm) {
            // With 8 bits the opcode is that of the full immediate.
            Ok(imm) if width != Width::W8 => (ALU_IMM8, Imm::I8(imm)),
            _ => (ALU_IMM, Imm::full(width, imm)),
        };
        self.extended(row, width, op as u8, dst.into(), imm);
    }

    /// `test a, b`: an and that only sets the flags.
    #[inline]
    pub fn test(&mut self, width: Width, a: impl Into<Rm>, b: Reg) {
        self.regular(TEST, width, b.number(), a.into(), Imm::None);
    }

    /// `test a, imm`.
    #[inline]
    pub fn test_imm(&mut self, width: Width, a: impl Into<Rm>, imm: i32) {
        self.extended(TEST_IMM, width, 0, a.into(), Imm::full(width, imm));
    }

    /// An operator with one operand.
    #[inline]
    pub fn unary(&mut self, op: Unary, width: Width, operand: impl Into<Rm>) {
        self.extended(UNARY, width, op as u8, operand.into(), Imm::None);
    }

    /// `inc dst`; the carry flag stays.
    #[inline]
    pub fn inc(&mut self, width: Width, dst: impl Into<Rm>) {
        self.extended(INCDEC, width, 0, dst.into(), Imm::None);
    }

    /// `dec dst`; the carry flag stays.
    #[inline]
    pub fn dec(&mut self, width: Width, dst: impl Into<Rm>) {
        self.extended(INCDEC, width, 1, dst.into(), Imm::None);
    }

    /// `imul dst, src`: the low half of the product.
    #[inline]
    pub fn imul(&mut self, width: Width, dst: Reg, src: impl Into<Rm>) {
        debug_assert!(width >= Width::W16, "{width:?}");
        self.regular(IMUL, width, dst.number(), src.into(), Imm::None);
    }

    /// `imul dst, src, imm`: the low half of the product, with an immediate of one byte where it fits.
    #[inline]
    pub fn imul_imm(&mut self, width: Width, dst: Reg, src: impl Into<Rm>, imm: i32) {
        debug_assert!(width >= Width::W16, "{width:?}");
        let (row, imm) = match i8::try_from(imm) {
            Ok(imm) => (IMUL_IMM8, Imm::I8(imm)),
            Err(_) => (IMUL_IMM, Imm::full(width, imm)),
        };
        self.regular(row, width, dst.number(), src.into(), imm);
    }

    /// `mulx high, low, src` (BMI2): `high:low = rdx * src`, unsigned; the flags stay.
    #[inline]
    pub fn mulx(&mut self, width: Width, high: Reg, low: Reg, src: impl Into<Rm>) {
        debug_assert!(width >= Width::W32, "{width:?}");
        self.vex(MULX, width, high.number(), Some(low), src.into(), Imm::None);
    }

    /// `andn dst, not, src` (BMI1): `dst = !not & src`.
    #[inline]
    pub fn andn(&mut self, width: Width, dst: Reg, not: Reg, src: impl Into<Rm>) {
        debug_assert!(width >= Width::W32, "{width:?}");
        self.vex(ANDN, width, dst.number(), Some(not), src.into(), Imm::None);
    }

    /// `popcnt dst, src`: how many bits are 1.
    #[inline]
    pub fn popcnt(&mut self, width: Width, dst: Reg, src: impl Into<Rm>) {
        self.count_bits(POPCNT, width, dst, src.into());
    }

    /// `tzcnt dst, src` (BMI1): how many bits below the lowest 1 are 0.
    #[inline]
    pub fn tzcnt(&mut self, width: Width, dst: Reg, src: impl Into<Rm>) {
        self.count_bits(TZCNT, width, dst, src.into());
    }

    /// `lzcnt dst, src` (ABM): how many bits above the highest 1 are 0.
    #[inline]
    pub fn lzcnt(&mut self, width: Width, dst: Reg, src: impl Into<Rm>) {
        self.count_bits(LZCNT, width, dst, src.into());
    }

    /// `cdq` or `cqo`: `edx` or `rdx` becomes the sign of `eax` or `rax`, all over.
    #[inline]
    pub fn sign_to_rdx(&mut self, width: Width) {
        debug_assert!(width >= Width::W32, "{width:?}");
        let opcode = Bits::of(&[0x99]);
        self.put_bits(if width == Width::W64 { opcode.after(0x48) } else { opcode });
    }

    fn count_bits(&mut self, row: Row, width: Width, dst: Reg, src: Rm) {
        debug_assert!(width >= Width::W16, "{width:?}");
        self.form(Form::new(row, width), dst.number(), src, Imm::None);
    }
}
