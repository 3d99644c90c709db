//! Division and remainder (RFC 9669, section 4.1): by 0 the quotient is 0 and the remainder the dividend;
//! the least number by -1 is itself, with remainder 0. The processor traps on both.

use probity_isa::AluOp;

use super::Compiler;
use super::corner::What;
use crate::abi::{SCRATCH1, SCRATCH2, SCRATCH3};
use crate::divide::{Reciprocal, reciprocal32, reciprocal64};
use crate::encode::{Alu, Cond, Reg, Shift, Unary, Width};

fn is_signed(op: AluOp) -> bool {
    matches!(op, AluOp::Sdiv | AluOp::Smod)
}

fn is_quotient(op: AluOp) -> bool {
    matches!(op, AluOp::Div | AluOp::Sdiv)
}

impl Compiler<'_> {
    /// Division by a register.
    pub(super) fn divide(&mut self, width: Width, op: AluOp, dst: Reg, by: Reg) {
        let back = self.asm.label();
        let by_zero = if is_quotient(op) { What::Zero } else { What::Extend(width) };
        self.asm.test(width, by, by);
        self.corner(Cond::E, back, by_zero, dst);
        if is_signed(op) {
            let by_minus_one = if is_quotient(op) { What::Negate(width) } else { What::Zero };
            self.asm.alu_imm(Alu::Cmp, width, by, -1);
            self.corner(Cond::E, back, by_minus_one, dst);
        }
        self.divide_by(width, op, dst, by);
        self.asm.bind(back);
    }

    /// Division by a register that is neither 0 nor, with signs, -1. The processor wants the dividend in
    /// `rdx:rax`, where r3 and r0 are.
    fn divide_by(&mut self, width: Width, op: AluOp, dst: Reg, by: Reg) {
        let by = match by {
            Reg::Rax | Reg::Rdx => {
                self.asm.mov(Width::W64, SCRATCH1, by);
                SCRATCH1
            }
            other => other,
        };
        if dst != Reg::Rax {
            self.asm.mov(Width::W64, SCRATCH2, Reg::Rax);
            self.asm.mov(width, Reg::Rax, dst);
        }
        if dst != Reg::Rdx {
            self.asm.mov(Width::W64, SCRATCH3, Reg::Rdx);
        }
        if is_signed(op) {
            self.asm.sign_to_rdx(width);
            self.asm.unary(Unary::Idiv, width, by);
        } else {
            self.asm.zero(Reg::Rdx);
            self.asm.unary(Unary::Div, width, by);
        }
        let result = if is_quotient(op) { Reg::Rax } else { Reg::Rdx };
        if result != dst {
            self.asm.mov(Width::W64, dst, result);
        }
        if dst != Reg::Rax {
            self.asm.mov(Width::W64, Reg::Rax, SCRATCH2);
        }
        if dst != Reg::Rdx {
            self.asm.mov(Width::W64, Reg::Rdx, SCRATCH3);
        }
    }

    /// Division by a constant.
    pub(super) fn divide_imm(&mut self, width: Width, op: AluOp, dst: Reg, imm: i32) {
        let by = match width {
            Width::W32 => imm.cast_unsigned().into(),
            _ => i64::from(imm).cast_unsigned(),
        };
        match (imm, is_quotient(op), is_signed(op)) {
            (0, true, _) | (1, false, _) | (-1, false, true) => self.asm.zero(dst),
            (0, false, _) | (1, true, _) => self.extend(width, dst),
            (-1, true, true) => self.asm.unary(Unary::Neg, width, dst),
            (_, quotient, false) if by.is_power_of_two() => {
                if quotient {
                    self.asm.shift_imm(Shift::Shr, width, dst, by.trailing_zeros() as u8);
                } else {
                    // At most 2^31 - 1, which leaves the upper half 0 in 32 bits too.
                    self.asm.alu_imm(Alu::And, Width::W32, dst, (by - 1) as i32);
                }
            }
            (_, quotient, false) if by < 1 << 63 => self.multiply(width, quotient, dst, by),
            _ => {
                self.asm.mov_imm(SCRATCH1, by);
                self.divide_by(width, op, dst, SCRATCH1);
            }
        }
    }

    /// Unsigned division by a constant, by multiplication.
    fn multiply(&mut self, width: Width, quotient: bool, dst: Reg, by: u64) {
        let reciprocal = match width {
            Width::W32 => reciprocal32(by as u32),
            _ => reciprocal64(by),
        };
        if width == Width::W32 {
            // All 64 bits of it are multiplied.
            self.asm.mov(Width::W32, dst, dst);
        }
        match reciprocal {
            Reciprocal::Low { factor, shift } => {
                match i32::try_from(factor) {
                    Ok(factor) => self.asm.imul_imm(Width::W64, SCRATCH2, dst, factor),
                    Err(_) => {
                        self.asm.mov_imm(SCRATCH2, factor.into());
                        self.asm.imul(Width::W64, SCRATCH2, dst);
                    }
                }
                self.asm.shift_imm(Shift::Shr, Width::W64, SCRATCH2, shift);
            }
            Reciprocal::High { factor, shift } => {
                self.high_half(dst, factor);
                if shift > 0 {
                    self.asm.shift_imm(Shift::Shr, Width::W64, SCRATCH2, shift);
                }
            }
            Reciprocal::HighAdd { factor, shift } => {
                self.high_half(dst, factor);
                self.asm.mov(Width::W64, SCRATCH3, dst);
                self.asm.alu(Alu::Sub, Width::W64, SCRATCH3, SCRATCH2);
                self.asm.shift_imm(Shift::Shr, Width::W64, SCRATCH3, 1);
                self.asm.alu(Alu::Add, Width::W64, SCRATCH2, SCRATCH3);
                if shift > 0 {
                    self.asm.shift_imm(Shift::Shr, Width::W64, SCRATCH2, shift);
                }
            }
        }
        if quotient {
            self.asm.mov(Width::W64, dst, SCRATCH2);
        } else {
            // The divisor as 32 bits is the same number modulo 2^32, and in 64 bits it is positive.
            self.asm.imul_imm(width, SCRATCH2, SCRATCH2, by as i32);
            self.asm.alu(Alu::Sub, width, dst, SCRATCH2);
        }
    }

    /// The upper half of a product, in the second scratch register; the others change.
    fn high_half(&mut self, of: Reg, factor: u64) {
        if self.options.features.bmi2 {
            if of == Reg::Rdx {
                self.asm.mov_imm(SCRATCH3, factor);
                self.asm.mulx(Width::W64, SCRATCH2, SCRATCH3, SCRATCH3);
            } else {
                self.asm.mov(Width::W64, SCRATCH1, Reg::Rdx);
                self.asm.mov_imm(Reg::Rdx, factor);
                self.asm.mulx(Width::W64, SCRATCH2, SCRATCH3, of);
                self.asm.mov(Width::W64, Reg::Rdx, SCRATCH1);
            }
            return;
        }
        self.asm.mov(Width::W64, SCRATCH1, Reg::Rax);
        self.asm.mov(Width::W64, SCRATCH3, Reg::Rdx);
        self.asm.mov_imm(Reg::Rax, factor);
        self.asm.unary(Unary::Mul, Width::W64, if of == Reg::Rax { SCRATCH1 } else { of });
        self.asm.mov(Width::W64, SCRATCH2, Reg::Rdx);
        self.asm.mov(Width::W64, Reg::Rax, SCRATCH1);
        self.asm.mov(Width::W64, Reg::Rdx, SCRATCH3);
    }
}
