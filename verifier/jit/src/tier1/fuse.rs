//! Instructions that are better as one. No jump may go between them.

use probity_isa::{AluOp, Source, Width::W64};
use probity_vm::Op;

use super::Compiler;
use crate::abi::reg;
use crate::encode::{Mem, Scale, Width};

impl Compiler<'_> {
    /// Writes the instructions at `pc` and behind it as one, where that is possible; gives the next one.
    pub(super) fn fused(&mut self, pc: usize, end: usize) -> Option<usize> {
        let ops = self.unit.ops();
        let next = pc + 1;
        let &[first, second] = ops.get(pc..pc + 2)? else { return None };
        match first {
            Op::Mov { .. } | Op::Alu { op: AluOp::Lsh, .. }
                if next < end && !self.marks[next].is_target() => {}
            _ => return None,
        }
        match (first, second) {
            // A copy and an addition.
            (
                Op::Mov { width, dst, src: Source::Reg(src), sign_extend: None },
                Op::Alu { width: add_width, op: AluOp::Add, dst: add_dst, src: add },
            ) if width == add_width && dst == add_dst && dst != src => {
                let (base, to) = (reg(src), reg(dst));
                let address = match add {
                    Source::Imm(imm) => Mem::at(base, imm),
                    Source::Reg(add) if add == dst => return None,
                    Source::Reg(add) => Mem::indexed(base, reg(add), Scale::One, 0),
                };
                self.asm.lea(width.into(), to, address);
            }
            // The lower half alone, as compilers say it that know no 32 bits.
            (
                Op::Alu { width: W64, op: AluOp::Lsh, dst, src: Source::Imm(32) },
                Op::Alu { width: W64, op: right, dst: right_dst, src: Source::Imm(32) },
            ) if dst == right_dst => match right {
                AluOp::Rsh => self.asm.mov(Width::W32, reg(dst), reg(dst)),
                AluOp::Arsh => self.asm.movsx(Width::W64, Width::W32, reg(dst), reg(dst)),
                _ => return None,
            },
            // The same, after a copy.
            (
                Op::Mov { width: W64, dst, src: Source::Reg(src), sign_extend: None },
                Op::Alu { width: W64, op: AluOp::Lsh, dst: left_dst, src: Source::Imm(32) },
            ) if dst == left_dst => {
                let third = *ops.get(pc + 2)?;
                let Op::Alu { width: W64, op: right, dst: right_dst, src: Source::Imm(32) } = third else {
                    return None;
                };
                if right_dst != dst || pc + 2 >= end || self.marks[pc + 2].is_target() {
                    return None;
                }
                match right {
                    AluOp::Rsh => self.asm.mov(Width::W32, reg(dst), reg(src)),
                    AluOp::Arsh => self.asm.movsx(Width::W64, Width::W32, reg(dst), reg(src)),
                    _ => return None,
                }
                return Some(pc + 3);
            }
            _ => return None,
        }
        Some(pc + 2)
    }
}
