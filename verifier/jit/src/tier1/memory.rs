//! Loads, stores, atomics.

use probity_isa::{AtomicOp, Size, Source};

use super::Compiler;
use crate::abi::{SCRATCH2, SCRATCH3, reg};
use crate::encode::{Alu, Cond, Mem, Reg, Width};

impl Compiler<'_> {
    pub(super) fn load(&mut self, size: Size, sign_extend: bool, dst: u8, src: u8, off: i32) {
        let (dst, src) = (reg(dst), Mem::at(reg(src), off));
        if sign_extend {
            self.asm.movsx(Width::W64, size.into(), dst, src);
        } else {
            self.asm.load(size.into(), dst, src);
        }
    }

    pub(super) fn store(&mut self, size: Size, dst: u8, off: i32, src: Source) {
        let dst = Mem::at(reg(dst), off);
        match src {
            Source::Reg(src) => self.asm.store(size.into(), dst, reg(src)),
            Source::Imm(imm) => self.asm.store_imm(size.into(), dst, imm),
        }
    }

    pub(super) fn atomic(&mut self, size: Size, op: AtomicOp, fetch: bool, dst: u8, src: u8, off: i32) {
        let (width, base, src) = (Width::from(size), reg(dst), reg(src));
        let dst = Mem::at(base, off);
        let alu = match op {
            AtomicOp::Add => Alu::Add,
            AtomicOp::Or => Alu::Or,
            AtomicOp::And => Alu::And,
            AtomicOp::Xor => Alu::Xor,
            AtomicOp::Xchg => return self.asm.xchg(width, dst, src),
            AtomicOp::Cmpxchg => {
                self.asm.lock_cmpxchg(width, dst, src);
                // When it changed memory it leaves all of `rax` as it was.
                return self.extend(width, Reg::Rax);
            }
        };
        match (fetch, alu) {
            (false, _) => self.asm.lock_alu(alu, width, dst, src),
            (true, Alu::Add) => self.asm.lock_xadd(width, dst, src),
            (true, _) => self.fetch(alu, width, base, src, off),
        }
    }

    /// Operators whose old value only a loop gives. It needs `rax`, which is r0.
    fn fetch(&mut self, op: Alu, width: Width, base: Reg, src: Reg, off: i32) {
        let moved = |reg: Reg| if reg == Reg::Rax { SCRATCH2 } else { reg };
        let (memory, operand) = (Mem::at(moved(base), off), moved(src));
        self.asm.mov(Width::W64, SCRATCH2, Reg::Rax);
        self.asm.load(width, Reg::Rax, memory);
        let again = self.asm.here();
        self.asm.mov(width, SCRATCH3, Reg::Rax);
        self.asm.alu(op, width, SCRATCH3, operand);
        self.asm.lock_cmpxchg(width, memory, SCRATCH3);
        self.asm.jcc(Cond::Ne, again);
        if src != Reg::Rax {
            self.asm.mov(Width::W64, src, Reg::Rax);
            self.asm.mov(Width::W64, Reg::Rax, SCRATCH2);
        }
    }
}
