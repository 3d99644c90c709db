//! Arithmetic, moves, byte order.

use probity_isa::{AluOp, Size, Source, Swap};

use super::Compiler;
use crate::abi::{SCRATCH1, reg};
use crate::encode::{Alu, Mem, Reg, Scale, Shift, ShiftX, Unary, Width};

impl Compiler<'_> {
    pub(super) fn alu(&mut self, width: probity_isa::Width, op: AluOp, dst: u8, src: Source) {
        let (width, dst) = (Width::from(width), reg(dst));
        match (op, src) {
            (AluOp::Add, _) => self.binary(Alu::Add, width, dst, src),
            (AluOp::Sub, _) => self.binary(Alu::Sub, width, dst, src),
            (AluOp::Or, _) => self.binary(Alu::Or, width, dst, src),
            (AluOp::And, Source::Imm(imm)) => self.and_imm(width, dst, imm),
            (AluOp::And, _) => self.binary(Alu::And, width, dst, src),
            (AluOp::Xor, _) => self.binary(Alu::Xor, width, dst, src),
            (AluOp::Mul, Source::Reg(src)) => self.asm.imul(width, dst, reg(src)),
            (AluOp::Mul, Source::Imm(imm)) => self.mul_imm(width, dst, imm),
            (AluOp::Lsh, _) => self.shift(Shift::Shl, ShiftX::Shlx, width, dst, src),
            (AluOp::Rsh, _) => self.shift(Shift::Shr, ShiftX::Shrx, width, dst, src),
            (AluOp::Arsh, _) => self.shift(Shift::Sar, ShiftX::Sarx, width, dst, src),
            (AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod, Source::Reg(src)) => {
                self.divide(width, op, dst, reg(src));
            }
            (AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod, Source::Imm(imm)) => {
                self.divide_imm(width, op, dst, imm);
            }
        }
    }

    fn binary(&mut self, op: Alu, width: Width, dst: Reg, src: Source) {
        match src {
            Source::Reg(src) => self.asm.alu(op, width, dst, reg(src)),
            Source::Imm(0) if width == Width::W64 => {}
            Source::Imm(-1) if op == Alu::Xor => self.asm.unary(Unary::Not, width, dst),
            Source::Imm(imm) => self.asm.alu_imm(op, width, dst, imm),
        }
    }

    fn and_imm(&mut self, width: Width, dst: Reg, imm: i32) {
        match imm {
            0xff => self.asm.movzx(Width::W8, dst, dst),
            0xffff => self.asm.movzx(Width::W16, dst, dst),
            // The upper half becomes 0 in 32 bits too.
            0.. => self.asm.alu_imm(Alu::And, Width::W32, dst, imm),
            _ => self.asm.alu_imm(Alu::And, width, dst, imm),
        }
    }

    fn mul_imm(&mut self, width: Width, dst: Reg, imm: i32) {
        match imm {
            0 => self.asm.zero(dst),
            1 => self.extend(width, dst),
            3 | 5 | 9 => {
                let scale = Scale::by(imm as u64 - 1).unwrap_or(Scale::One);
                self.asm.lea(width, dst, Mem::indexed(dst, dst, scale, 0));
            }
            2.. if imm.count_ones() == 1 => {
                self.asm.shift_imm(Shift::Shl, width, dst, imm.trailing_zeros() as u8);
            }
            _ => self.asm.imul_imm(width, dst, dst, imm),
        }
    }

    /// What an operation does that changes nothing: with 32 bits the upper half becomes 0.
    pub(super) fn extend(&mut self, width: Width, dst: Reg) {
        if width == Width::W32 {
            self.asm.mov(Width::W32, dst, dst);
        }
    }

    fn shift(&mut self, op: Shift, opx: ShiftX, width: Width, dst: Reg, count: Source) {
        let count = match count {
            Source::Imm(imm) => {
                match imm as u8 & (width.bits() - 1) as u8 {
                    0 => self.extend(width, dst),
                    count => self.asm.shift_imm(op, width, dst, count),
                }
                return;
            }
            Source::Reg(count) => reg(count),
        };
        if self.options.features.bmi2 {
            return self.asm.shiftx(opx, width, dst, dst, count);
        }
        match (dst, count) {
            (Reg::Rcx, Reg::Rcx) => self.asm.shift_cl(op, width, Reg::Rcx),
            (_, Reg::Rcx) => self.asm.shift_cl(op, width, dst),
            (Reg::Rcx, _) => {
                self.asm.mov(Width::W64, SCRATCH1, Reg::Rcx);
                self.asm.mov(Width::W32, Reg::Rcx, count);
                self.asm.shift_cl(op, width, SCRATCH1);
                self.asm.mov(Width::W64, Reg::Rcx, SCRATCH1);
            }
            _ => {
                self.asm.mov(Width::W64, SCRATCH1, Reg::Rcx);
                self.asm.mov(Width::W32, Reg::Rcx, count);
                self.asm.shift_cl(op, width, dst);
                self.asm.mov(Width::W64, Reg::Rcx, SCRATCH1);
            }
        }
    }

    pub(super) fn mov(&mut self, width: probity_isa::Width, dst: u8, src: Source, sign_extend: Option<Size>) {
        let (width, dst) = (Width::from(width), reg(dst));
        match (src, sign_extend) {
            (Source::Imm(0), _) => self.asm.zero(dst),
            (Source::Imm(imm), _) if width == Width::W32 => {
                self.asm.mov_imm(dst, imm.cast_unsigned().into());
            }
            (Source::Imm(imm), _) => self.asm.mov_imm(dst, i64::from(imm).cast_unsigned()),
            (Source::Reg(src), Some(size)) if Width::from(size) < width => {
                self.asm.movsx(width, size.into(), dst, reg(src));
            }
            (Source::Reg(src), _) => self.asm.mov(width, dst, reg(src)),
        }
    }

    pub(super) fn constant(&mut self, dst: u8, value: u64) {
        match value {
            0 => self.asm.zero(reg(dst)),
            _ => self.asm.mov_imm(reg(dst), value),
        }
    }

    pub(super) fn neg(&mut self, width: probity_isa::Width, dst: u8) {
        self.asm.unary(Unary::Neg, width.into(), reg(dst));
    }

    /// This machine is little endian.
    pub(super) fn end(&mut self, swap: Swap, bits: u8, dst: u8) {
        let dst = reg(dst);
        match (swap, bits) {
            (Swap::ToLe, 16) => self.asm.movzx(Width::W16, dst, dst),
            (Swap::ToLe, 32) => self.asm.mov(Width::W32, dst, dst),
            (Swap::ToLe, _) => {}
            (_, 16) => {
                self.asm.shift_imm(Shift::Rol, Width::W16, dst, 8);
                self.asm.movzx(Width::W16, dst, dst);
            }
            (_, 32) => self.asm.bswap(Width::W32, dst),
            _ => self.asm.bswap(Width::W64, dst),
        }
    }
}
