//! The registers that an instruction reads or writes: the trace shows them behind it.

use probity_isa::{AtomicOp, Instruction, Source};

/// r0 to r5: what a call reads or leaves unset.
const CALL: u16 = 0b11_1111;

fn bit(reg: u8) -> u16 {
    1_u16.checked_shl(u32::from(reg)).unwrap_or(0)
}

fn source(src: Source) -> u16 {
    match src {
        Source::Reg(reg) => bit(reg),
        Source::Imm(_) => 0,
    }
}

/// The registers, as bits.
#[must_use]
pub fn operands(instruction: &Instruction) -> u16 {
    match *instruction {
        Instruction::Alu { dst, src, .. }
        | Instruction::Mov { dst, src, .. }
        | Instruction::Jump { dst, src, .. }
        | Instruction::Store { dst, src, .. } => bit(dst) | source(src),
        Instruction::AddrSpaceCast { dst, src, .. }
        | Instruction::Load { dst, src, .. }
        | Instruction::LoadAcquire { dst, src, .. }
        | Instruction::StoreRelease { dst, src, .. } => bit(dst) | bit(src),
        Instruction::Atomic { op: AtomicOp::Cmpxchg, dst, src, .. } => bit(0) | bit(dst) | bit(src),
        Instruction::Atomic { dst, src, .. } => bit(dst) | bit(src),
        Instruction::Neg { dst, .. } | Instruction::End { dst, .. } | Instruction::LoadImm64 { dst, .. } => {
            bit(dst)
        }
        Instruction::LoadAbs { .. } => CALL | bit(6),
        Instruction::LoadInd { src, .. } => CALL | bit(6) | bit(src),
        Instruction::CallHelper { .. } | Instruction::CallKfunc { .. } | Instruction::CallSubprog { .. } => {
            CALL
        }
        Instruction::Exit => bit(0),
        Instruction::Ja { .. } | Instruction::MayGoto { .. } => 0,
    }
}
