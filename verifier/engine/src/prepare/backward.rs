//! What an instruction does to wanted values when a path is followed back over it, in short: most
//! do nothing to most values, and the walk back must find that out fast.

use probity_isa::{Instruction, Source};

/// Wanting these registers makes an instruction matter when it is undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undoes(u16);

/// It matters whatever is wanted: another function is entered or left.
const ALWAYS: u16 = 1 << 15;

impl Undoes {
    /// Of an instruction. What it does to stack slots is noted on the path, and not said here.
    #[must_use]
    pub fn of(instruction: &Instruction) -> Undoes {
        let bit = |reg: u8| (1 << reg) & 0x3ff;
        Undoes(match *instruction {
            Instruction::Neg { .. }
            | Instruction::End { .. }
            | Instruction::Ja { .. }
            | Instruction::MayGoto { .. }
            | Instruction::Alu { src: Source::Imm(_), .. }
            | Instruction::Jump { src: Source::Imm(_), .. } => 0,
            Instruction::Alu { dst, .. }
            | Instruction::Mov { dst, .. }
            | Instruction::AddrSpaceCast { dst, .. }
            | Instruction::Load { dst, .. }
            | Instruction::LoadAcquire { dst, .. }
            | Instruction::LoadImm64 { dst, .. }
            | Instruction::Atomic { dst, .. }
            | Instruction::Store { dst, .. }
            | Instruction::StoreRelease { dst, .. } => bit(dst),
            Instruction::Jump { dst, src: Source::Reg(src), .. } => bit(dst) | bit(src),
            Instruction::LoadAbs { .. } | Instruction::LoadInd { .. } => bit(0),
            Instruction::CallHelper { .. }
            | Instruction::CallKfunc { .. }
            | Instruction::CallSubprog { .. }
            | Instruction::Exit => ALWAYS,
        })
    }

    /// True when undoing it changes nothing while these registers are wanted and the path noted no
    /// slot and no linked scalars of it.
    #[inline]
    #[must_use]
    pub fn spares(self, regs: u16) -> bool {
        self.0 & (regs | ALWAYS) == 0
    }
}
