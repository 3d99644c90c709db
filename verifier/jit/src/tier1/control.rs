//! Jumps, and counting them.

use probity_isa::{JumpOp, Source};
use probity_vm::{Op, native};

use super::Compiler;
use crate::abi::{FUEL, LOOPS, RUN, reg};
use crate::encode::{Alu, Cond, Label, Reg, Width};

impl Compiler<'_> {
    pub(super) fn ja(&mut self, pc: usize, target: u32) {
        let to = target as usize;
        if to <= pc {
            self.burn();
        }
        // Over nothing.
        let between = self.unit.ops().get(pc + 1..to).unwrap_or(&[Op::Exit]);
        if to <= pc || !between.iter().all(|op| matches!(op, Op::Dead | Op::Nop)) {
            self.asm.jmp(self.slots.at(to));
        }
    }

    pub(super) fn jump(
        &mut self,
        pc: usize,
        width: probity_isa::Width,
        op: JumpOp,
        dst: u8,
        src: Source,
        target: u32,
    ) {
        let cond = self.compare(width.into(), op, reg(dst), src);
        let target = target as usize;
        let label = self.slots.at(target);
        if target <= pc && self.options.fuel {
            let skip = self.asm.label();
            self.asm.jcc(cond.negate(), skip);
            self.burn();
            self.asm.jmp(label);
            self.asm.bind(skip);
        } else {
            self.asm.jcc(cond, label);
        }
    }

    /// Sets the flags; gives the condition.
    fn compare(&mut self, width: Width, op: JumpOp, dst: Reg, src: Source) -> Cond {
        match (op, src) {
            (JumpOp::Jset, Source::Reg(src)) => self.asm.test(width, dst, reg(src)),
            // A mask without sign has no bit above it.
            (JumpOp::Jset, Source::Imm(imm @ 0..=0x7f)) => self.asm.test_imm(Width::W8, dst, imm),
            (JumpOp::Jset, Source::Imm(imm @ 0..)) => self.asm.test_imm(Width::W32, dst, imm),
            (JumpOp::Jset, Source::Imm(imm)) => self.asm.test_imm(width, dst, imm),
            (_, Source::Reg(src)) => self.asm.alu(Alu::Cmp, width, dst, reg(src)),
            // After both, the flags say the same of 0.
            (_, Source::Imm(0)) => self.asm.test(width, dst, dst),
            (_, Source::Imm(imm)) => self.asm.alu_imm(Alu::Cmp, width, dst, imm),
        }
        op.into()
    }

    pub(super) fn may_goto(&mut self, target: u32) {
        self.asm.alu_imm(Alu::Cmp, Width::W64, LOOPS, 0);
        self.asm.jcc(Cond::E, self.slots.at(target as usize));
        self.asm.dec(Width::W64, LOOPS);
    }

    /// Takes one of the fuel, in code that counts.
    pub(super) fn burn(&mut self) {
        if self.options.fuel {
            self.asm.dec(Width::W64, FUEL);
            self.asm.jcc(Cond::S, self.no_fuel);
        }
    }

    /// Where counting goes on when there is no fuel.
    pub(super) fn out_of_fuel(&mut self) {
        self.asm.bind(self.no_fuel);
        // A function that calls nothing may have left the stack as it came; its frame is over anyway.
        self.asm.alu_imm(Alu::And, Width::W64, Reg::Rsp, -16);
        self.asm.mov(Width::W64, Reg::Rdi, RUN);
        self.asm.call_address(native::out_of_fuel as *const () as u64);
        let exit: Label = self.frames.exit;
        self.asm.jmp(exit);
    }
}
