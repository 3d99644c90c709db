//! Makes a program smaller while something holds of it.

use probity_isa::{Insn, opcode::*};
use probity_program::Program;

/// The smallest program found by removing, replacing and simplifying instructions for which
/// `holds` is still true. `holds` is true of `program`. Jumps keep their targets; a jump to what
/// is removed goes to what follows. Line information is lost.
#[must_use]
pub fn shrink(program: &Program, mut holds: impl FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    best.lines.clear();
    loop {
        let before = best.clone();
        remove_functions(&mut best, &mut holds);
        remove_chunks(&mut best, &mut holds);
        replace_each(&mut best, &mut holds);
        if best.insns == before.insns {
            let fewer = without_unused_maps(&best);
            keep(&mut best, fewer, &mut holds);
            return best;
        }
    }
}

/// Takes the candidate when it holds.
fn keep(best: &mut Program, candidate: Option<Program>, holds: &mut impl FnMut(&Program) -> bool) -> bool {
    match candidate {
        Some(candidate)
            if (candidate.insns != best.insns || candidate.maps != best.maps) && holds(&candidate) =>
        {
            *best = candidate;
            true
        }
        _ => false,
    }
}

/// Removes functions with the calls of them, which give 0 instead: a function that nothing calls is
/// no program any more, nor is a call of nothing.
fn remove_functions(best: &mut Program, holds: &mut impl FnMut(&Program) -> bool) {
    let mut entry = best.insns.len();
    // From the last one on, so that those before keep their places.
    while let Some(start) = entries(&best.insns).into_iter().filter(|&at| at < entry).max() {
        entry = start;
        let end = entries(&best.insns).into_iter().filter(|&at| at > start).min();
        let end = end.unwrap_or(best.insns.len());
        let mut uncalled = best.clone();
        for pc in starts(&best.insns) {
            let calls = best.insns[pc].code == BPF_JMP | BPF_CALL;
            if calls && target(best.insns[pc], pc) == Some(start as i64) {
                uncalled.insns[pc] = Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, 0);
            }
        }
        keep(best, without(&uncalled, start, end), holds);
    }
}

/// Where the functions that are called begin.
fn entries(insns: &[Insn]) -> Vec<usize> {
    let calls = starts(insns).filter(|&pc| insns[pc].code == BPF_JMP | BPF_CALL);
    calls.filter_map(|pc| usize::try_from(target(insns[pc], pc)?).ok()).collect()
}

/// The program without the maps that it does not name; none when it names all.
fn without_unused_maps(program: &Program) -> Option<Program> {
    let names_map = |insn: &Insn| {
        insn.code == BPF_LD | BPF_IMM | BPF_DW && matches!(insn.src, BPF_PSEUDO_MAP_FD | BPF_PSEUDO_MAP_VALUE)
    };
    let mut used = vec![false; program.maps.len()];
    for pc in starts(&program.insns).filter(|&pc| names_map(&program.insns[pc])) {
        let index = usize::try_from(program.insns[pc].imm).ok()?;
        *used.get_mut(index)? = true;
        if let Some(inner) = program.maps[index].inner {
            used[inner] = true;
        }
    }
    if used.iter().all(|&used| used) {
        return None;
    }
    let moved = |index: usize| used[..index].iter().filter(|&&used| used).count();
    let mut changed = program.clone();
    let mut index = 0;
    changed.maps.retain(|_| {
        index += 1;
        used[index - 1]
    });
    for map in &mut changed.maps {
        map.inner = map.inner.map(moved);
    }
    for pc in starts(&program.insns).filter(|&pc| names_map(&program.insns[pc])) {
        changed.insns[pc].imm = moved(program.insns[pc].imm as usize) as i32;
    }
    Some(changed)
}

fn remove_chunks(best: &mut Program, holds: &mut impl FnMut(&Program) -> bool) {
    let mut size = best.insns.len() / 2;
    while size > 0 {
        // From the end: what comes last depends on the rest.
        let mut start = best.insns.len().saturating_sub(size);
        loop {
            let end = (start + size).min(best.insns.len());
            keep(best, without(best, start, end), holds);
            if start == 0 {
                break;
            }
            start = start.saturating_sub(size).min(best.insns.len());
        }
        size /= 2;
    }
}

fn replace_each(best: &mut Program, holds: &mut impl FnMut(&Program) -> bool) {
    let mut pc = 0;
    while pc < best.insns.len() {
        let insn = best.insns[pc];
        let slots = slots(&best.insns, pc);
        for simpler in simpler(insn) {
            if slots == 1 && keep(best, Some(with(best, pc, simpler)), holds) {
                break;
            }
        }
        pc += slots;
    }
}

/// What may stand for an instruction, simplest first.
fn simpler(insn: Insn) -> Vec<Insn> {
    let nop = Insn::new(BPF_JMP | BPF_JA, 0, 0, 0, 0);
    let zero = |dst| Insn::new(BPF_ALU64 | BPF_MOV, dst, 0, 0, 0);
    let class = insn.code & BPF_CLASS_MASK;
    let mut choices = vec![nop];
    match class {
        BPF_ALU | BPF_ALU64 | BPF_LDX => choices.push(zero(insn.dst)),
        BPF_JMP | BPF_JMP32 => choices.push(zero(0)),
        _ => {}
    }
    if insn == nop || insn == zero(insn.dst) {
        return Vec::new();
    }
    // Immediates closer to 0, but not those that are targets.
    if insn.code & BPF_SRC_MASK == 0 && insn.code != BPF_JMP | BPF_CALL && class != BPF_LDX {
        let smaller = [0, 1, insn.imm / 2].into_iter();
        let closer = smaller.filter(|imm| imm.unsigned_abs() < insn.imm.unsigned_abs());
        choices.extend(closer.map(|imm| Insn { imm, ..insn }));
    }
    choices
}

fn with(program: &Program, pc: usize, insn: Insn) -> Program {
    let mut changed = program.clone();
    changed.insns[pc] = insn;
    changed
}

/// The program without the instructions in `start..end`, or none when nothing is left or a 64-bit
/// immediate would be cut.
#[must_use]
pub fn without(program: &Program, start: usize, end: usize) -> Option<Program> {
    let insns = &program.insns;
    let cut = |pc: usize| pc > 0 && pc < insns.len() && !starts(insns).any(|start| start == pc);
    if start >= end || end > insns.len() || end - start == insns.len() || cut(start) || cut(end) {
        return None;
    }
    // Where an instruction is after the removal.
    let moved = |pc: usize| match pc {
        _ if pc < start => pc,
        _ if pc < end => start,
        _ => pc - (end - start),
    };
    let mut changed = program.clone();
    for pc in starts(insns).filter(|pc| !(start..end).contains(pc)) {
        let Some(target) = target(insns[pc], pc) else { continue };
        let Ok(target) = usize::try_from(target) else { continue };
        let distance = moved(target) as i64 - moved(pc) as i64 - 1;
        retarget(&mut changed.insns[pc], distance);
    }
    changed.insns.drain(start..end);
    changed.funcs.retain(|func| !(start..end).contains(&func.pc));
    changed.funcs.iter_mut().for_each(|func| func.pc = moved(func.pc));
    Some(changed)
}

fn slots(insns: &[Insn], pc: usize) -> usize {
    let wide = insns.get(pc).is_some_and(|insn| insn.code == BPF_LD | BPF_IMM | BPF_DW);
    if wide { 2 } else { 1 }
}

/// The indices at which instructions begin.
fn starts(insns: &[Insn]) -> impl Iterator<Item = usize> + '_ {
    let next = |&pc: &usize| Some(pc + slots(insns, pc));
    std::iter::successors(Some(0), next).map_while(|pc| (pc < insns.len()).then_some(pc))
}

/// Where a jump, a call of a function or a function's address points to.
fn target(insn: Insn, pc: usize) -> Option<i64> {
    let after = pc as i64 + 1;
    match (insn.code & BPF_CLASS_MASK, insn.code & BPF_OP_MASK) {
        (BPF_JMP, BPF_CALL) if insn.src == BPF_PSEUDO_CALL => Some(after + i64::from(insn.imm)),
        (BPF_JMP, BPF_CALL | BPF_EXIT) => None,
        (BPF_JMP32, BPF_JA) => Some(after + i64::from(insn.imm)),
        (BPF_JMP | BPF_JMP32, _) => Some(after + i64::from(insn.off)),
        (BPF_LD, _) if insn.code == BPF_LD | BPF_IMM | BPF_DW && insn.src == BPF_PSEUDO_FUNC => {
            Some(after + i64::from(insn.imm))
        }
        _ => None,
    }
}

/// Makes of an instruction with a target one with another distance to it.
fn retarget(insn: &mut Insn, distance: i64) {
    let class = insn.code & BPF_CLASS_MASK;
    let op = insn.code & BPF_OP_MASK;
    let by_offset = class == BPF_JMP && op != BPF_CALL || class == BPF_JMP32 && op != BPF_JA;
    if by_offset {
        insn.off = i16::try_from(distance).expect("distances only become smaller");
    } else {
        insn.imm = i32::try_from(distance).expect("distances only become smaller");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;

    fn program(insns: &[Insn]) -> Program {
        Program::from_insns(1, insns.to_vec())
    }

    #[test]
    fn jumps_keep_their_targets() {
        let jump = |off| Insn::new(BPF_JMP | BPF_JEQ, 1, 0, off, 0);
        let set = |imm| Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm);
        let exit = Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        let whole = program(&[jump(2), set(1), set(2), set(3), jump(-4), exit]);
        let removed = |start, end| without(&whole, start, end).expect("something is left").insns;
        assert_eq!(removed(1, 2), [jump(1), set(2), set(3), jump(-3), exit]);
        assert_eq!(removed(3, 4), [jump(2), set(1), set(2), jump(-3), exit]);
        assert_eq!(removed(0, 1), [set(1), set(2), set(3), jump(-4), exit]);
        assert!(without(&whole, 0, 6).is_none());
    }

    #[test]
    fn wide_immediates_stay_whole() {
        let wide = Insn::new(BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 1);
        let exit = Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        let whole = program(&[wide, Insn::default(), exit]);
        assert!(without(&whole, 0, 1).is_none() && without(&whole, 1, 2).is_none());
        assert_eq!(without(&whole, 0, 2).expect("exit is left").insns, [exit]);
    }

    #[test]
    fn functions_go_with_their_calls() {
        let set = |imm| Insn::new(BPF_ALU64 | BPF_MOV, 0, 0, 0, imm);
        let call = |to| Insn::new(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, to);
        let exit = Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        let mut whole = program(&[call(2), call(3), exit, set(1), exit, set(2), exit]);
        // Every function that is called is there, and none that is not.
        let whole_functions = |program: &Program| {
            let called = entries(&program.insns);
            let exits = program.insns.iter().filter(|insn| **insn == exit).count();
            called.iter().all(|&at| at < program.insns.len()) && exits == called.len() + 1
        };
        remove_functions(&mut whole, &mut |candidate| {
            whole_functions(candidate) && candidate.insns.contains(&set(2))
        });
        assert_eq!(whole.insns, [set(0), call(1), exit, set(2), exit]);
    }

    #[test]
    fn unused_maps_go() {
        let map = |index| Insn::new(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, index);
        let exit = Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        let mut whole = program(&[map(2), Insn::default(), exit]);
        let definition = |size| probity_program::MapDef::new(2, 4, size, 1);
        whole.maps = vec![definition(1), definition(2), definition(3)];
        whole.maps[2].inner = Some(1);
        let fewer = without_unused_maps(&whole).expect("one is not named");
        assert_eq!(fewer.maps.len(), 2);
        assert_eq!((fewer.maps[1].inner, fewer.insns[0].imm), (Some(0), 1));
        assert!(without_unused_maps(&fewer).is_none());
    }

    #[test]
    fn what_matters_is_left() {
        let is_xor = |insn: &Insn| matches!(insn.code & 0xf7, 0xa4 | 0xa7);
        let holds = |program: &Program| program.insns.iter().any(is_xor);
        let seeds = (0..200).filter(|&seed| holds(&generate(seed)));
        for seed in seeds.take(10) {
            let small = shrink(&generate(seed), holds);
            assert_eq!(small.insns.len(), 1, "{seed}: {:?}", small.insns);
        }
    }
}
