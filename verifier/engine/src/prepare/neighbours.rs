//! What runs before and after each instruction inside its function: calls are stepped over.

use probity_isa::Instruction;
use smallvec::SmallVec;

use super::Code;

fn successors(code: &Code, pc: usize) -> [Option<usize>; 2] {
    let at = |off: i64| usize::try_from(pc as i64 + off + 1).ok();
    let next = pc + code.insns[pc].slots;
    let next = (next < code.functions[code.insns[pc].function].end).then_some(next);
    match code.instruction(pc) {
        Some(Instruction::Exit) => [None, None],
        Some(&Instruction::Ja { off }) => [at(i64::from(off)), None],
        Some(&(Instruction::Jump { off, .. } | Instruction::MayGoto { off })) => [next, at(i64::from(off))],
        _ => [next, None],
    }
}

/// Fills in [`super::Decoded::next`] and [`super::Decoded::predecessors`].
pub(super) fn find(code: &mut Code) {
    let mut pc = 0;
    while pc < code.insns.len() {
        let next: SmallVec<[usize; 2]> = successors(code, pc).into_iter().flatten().collect();
        for &target in &next {
            if let Some(insn) = code.insns.get_mut(target) {
                insn.predecessors.push(pc);
            }
        }
        let slots = code.insns[pc].slots;
        code.insns[pc].next = next;
        pc += slots;
    }
}
