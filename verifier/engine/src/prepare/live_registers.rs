//! Which registers are still read: backward may-liveness of r0 to r9 inside each function, solved
//! once for the whole program (verifier.md, section 1, phase 13).

use probity_isa::opcode::{BPF_CALL, BPF_JMP};
use probity_isa::{AtomicOp, Insn, Instruction, Source};

use probity_platform::Callable;

use super::Code;
use crate::prepare::Offered;

/// r0 to r5: what a call clobbers.
const CALLER_SAVED: u16 = 0b11_1111;
/// r1 to r5: what a call may read.
const ARGUMENTS: u16 = 0b11_1110;
/// r0 to r9.
const ALL: u16 = 0x3ff;

fn bit(reg: u8) -> u16 {
    (1 << reg) & ALL
}

fn source(src: Source) -> u16 {
    match src {
        Source::Reg(reg) => bit(reg),
        Source::Imm(_) => 0,
    }
}

/// The registers that a call of a callable may read.
fn arguments(callable: &Callable) -> u16 {
    ARGUMENTS & ((1 << (callable.args.len() + 1)) - 1)
}

/// The registers that an instruction reads and the ones that it sets.
fn use_def(instruction: &Instruction, offered: &Offered) -> (u16, u16) {
    match *instruction {
        Instruction::Alu { dst, src, .. } => (bit(dst) | source(src), bit(dst)),
        Instruction::Mov { dst, src, .. } => (source(src), bit(dst)),
        Instruction::AddrSpaceCast { dst, src, .. } => (bit(src), bit(dst)),
        Instruction::Neg { dst, .. } | Instruction::End { dst, .. } => (bit(dst), bit(dst)),
        Instruction::Load { dst, src, .. } | Instruction::LoadAcquire { dst, src, .. } => {
            (bit(src), bit(dst))
        }
        Instruction::Store { dst, src, .. } => (bit(dst) | source(src), 0),
        Instruction::StoreRelease { dst, src, .. } => (bit(dst) | bit(src), 0),
        Instruction::Atomic { op: AtomicOp::Cmpxchg, dst, src, .. } => (bit(0) | bit(dst) | bit(src), bit(0)),
        Instruction::Atomic { fetch, dst, src, .. } => {
            (bit(dst) | bit(src), if fetch { bit(src) } else { 0 })
        }
        Instruction::LoadAbs { .. } | Instruction::LoadInd { .. } => (ALL, 0),
        Instruction::LoadImm64 { dst, .. } => (0, bit(dst)),
        Instruction::Ja { .. } | Instruction::MayGoto { .. } => (0, 0),
        Instruction::Jump { dst, src, .. } => (bit(dst) | source(src), 0),
        Instruction::CallHelper { id } => {
            let read = offered.callable(id).map_or(ARGUMENTS, arguments);
            (read, CALLER_SAVED)
        }
        Instruction::CallKfunc { id, .. } => {
            let read = offered
                .kfunc(id)
                .filter(|kfunc| kfunc.allowed)
                .map_or(ARGUMENTS, |kfunc| arguments(kfunc.row));
            (read, CALLER_SAVED)
        }
        Instruction::CallSubprog { .. } => (ARGUMENTS, CALLER_SAVED),
        Instruction::Exit => (bit(0), 0),
    }
}

/// Fills in [`super::Decoded::live_before`].
pub(super) fn compute(code: &mut Code, raw: &[Insn], offered: &Offered) {
    let facts: Vec<_> = code
        .insns
        .iter()
        .zip(raw)
        .map(|(insn, raw)| match &insn.instruction {
            Ok(instruction) => use_def(instruction, offered),
            Err(_) if raw.code == BPF_JMP | BPF_CALL => (ARGUMENTS, CALLER_SAVED),
            Err(_) => (0, 0),
        })
        .collect();
    let mut changed = true;
    while changed {
        changed = false;
        for pc in (0..code.insns.len()).rev() {
            let (read, set) = facts[pc];
            let next = code.neighbours.successors(pc);
            let after = next.fold(0, |live, next| live | code.insns[next].live_before);
            let before = read | (after & !set);
            if before != code.insns[pc].live_before {
                code.insns[pc].live_before = before;
                changed = true;
            }
        }
    }
}
