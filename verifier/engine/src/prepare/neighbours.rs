//! What runs before and after each instruction inside its function: calls are stepped over.

use probity_isa::Instruction;

use super::Code;

/// The edges between instructions, both ways. Flat, because programs may be large.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// By instruction: what may run next.
    next: Vec<[u32; 2]>,
    /// By instruction: where its predecessors begin in `before`; one more at the end.
    starts: Vec<u32>,
    before: Vec<u32>,
}

/// No instruction.
const NONE: u32 = u32::MAX;

impl Neighbours {
    /// Finds them, for all instructions but the second halves of 64-bit loads.
    pub(super) fn find(code: &Code) -> Neighbours {
        let len = code.insns.len();
        let mut next = vec![[NONE; 2]; len];
        let mut starts = vec![0; len + 1];
        let mut pc = 0;
        while pc < len {
            next[pc] =
                successors(code, pc).map(|target| target.filter(|&at| at < len).map_or(NONE, |at| at as u32));
            for target in targets(&next[pc]) {
                starts[target + 1] += 1;
            }
            pc += usize::from(code.insns[pc].slots);
        }
        for index in 0..len {
            starts[index + 1] += starts[index];
        }
        let mut free = starts.clone();
        let mut before = vec![0; starts[len] as usize];
        for (pc, pair) in next.iter().enumerate() {
            for target in targets(pair) {
                before[free[target] as usize] = pc as u32;
                free[target] += 1;
            }
        }
        Neighbours { next, starts, before }
    }

    /// What may run after an instruction in its function.
    #[inline]
    pub fn successors(&self, pc: usize) -> impl Iterator<Item = usize> + '_ {
        targets(&self.next[pc])
    }

    /// What may run before an instruction in its function, ascending.
    #[inline]
    pub fn predecessors(&self, pc: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.starts[pc] as usize..self.starts[pc + 1] as usize;
        self.before[range].iter().map(|&pc| pc as usize)
    }
}

fn targets(pair: &[u32; 2]) -> impl Iterator<Item = usize> + '_ {
    pair.iter().filter(|&&target| target != NONE).map(|&target| target as usize)
}

fn successors(code: &Code, pc: usize) -> [Option<usize>; 2] {
    let at = |off: i64| usize::try_from(pc as i64 + off + 1).ok();
    let next = pc + usize::from(code.insns[pc].slots);
    let next = (next < code.functions[code.insns[pc].function as usize].end).then_some(next);
    match code.instruction(pc) {
        Some(Instruction::Exit) => [None, None],
        Some(&Instruction::Ja { off }) => [at(i64::from(off)), None],
        Some(&(Instruction::Jump { off, .. } | Instruction::MayGoto { off })) => [next, at(i64::from(off))],
        _ => [next, None],
    }
}
