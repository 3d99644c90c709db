//! Short loops that run a known number of times do several rounds at once, without tests between.

use std::collections::HashMap;

use probity_isa::Width;

use super::analysis::Analysis;
use super::fold::{Folded, compute, cut, holds};
use super::ir::{BinOp, Cmp, Func, Inst, Term, Value};

/// A loop of more rounds is not counted.
const ROUNDS: u32 = 1 << 16;

/// How many operations a body may become.
const OPERATIONS: usize = 80;

/// A loop that becomes no more than this is not a loop any more.
const WHOLE: usize = 40;

/// The most rounds at once.
const TIMES: u32 = 8;

/// More loops than this are left alone.
const LOOPS: usize = 200;

/// Unrolls loops of one block.
pub(super) fn unroll(func: &mut Func, analysis: &Analysis) {
    // What values of loops are behind them: those of the last round.
    let mut last = HashMap::new();
    let mut loops = 0;
    for &block in &analysis.order {
        if loops < LOOPS
            && let Some((times, whole)) = plan(func, block)
        {
            loops += 1;
            repeat(func, block, times, whole, &mut last);
        }
    }
    if last.is_empty() {
        return;
    }
    for &block in &analysis.order {
        rename(func, block, &last);
    }
}

/// How many rounds of a loop are done at once, and whether those are all.
fn plan(func: &Func, block: u32) -> Option<(u32, bool)> {
    let data = &func.blocks[block as usize];
    let Term::Branch(cmp, t, e) = data.term else { return None };
    if (t == block) == (e == block) || data.preds.len() != 2 {
        return None;
    }
    let plain =
        |inst: &Inst| inst.is_pure() || matches!(inst, Inst::Store { .. } | Inst::Load { fixed: false, .. });
    if !data.insts.iter().all(|&value| plain(func.inst(value))) {
        return None;
    }
    let rounds = rounds(func, block, cmp, t == block)?;
    // What addresses do costs nothing.
    let size = data.insts.len().max(1);
    if rounds as usize * size <= WHOLE {
        return Some((rounds, true));
    }
    let times =
        (2..=TIMES).rev().find(|times| rounds.is_multiple_of(*times) && size * *times as usize <= OPERATIONS);
    times.map(|times| (times, false))
}

/// How often a loop goes round, by trying.
fn rounds(func: &Func, block: u32, cmp: Cmp, stays: bool) -> Option<u32> {
    let data = &func.blocks[block as usize];
    let back = data.preds.iter().position(|&pred| pred == block)?;
    let end = func.as_const(cmp.b)?;
    let counter = data.phis.iter().find_map(|&phi| {
        let args = func.args_of(phi);
        let (start, next) = (func.as_const(args[1 - back])?, args[back]);
        let Inst::Bin(BinOp::Add, width, x, step) = *func.inst(next) else { return None };
        let counts = x == phi && (cmp.a == phi || cmp.a == next);
        counts.then_some((start, width, func.as_const(step)?, cmp.a == next))
    });
    let (mut value, width, step, behind) = counter?;
    value = cut(Width::W64, value);
    for round in 1..=ROUNDS {
        let next = compute(BinOp::Add, width, value, step);
        if holds(cmp.op, cmp.width, if behind { next } else { value }, end) != stays {
            return Some(round);
        }
        // A counter that never gets there takes too long to find out.
        if step == 0 {
            return None;
        }
        value = next;
    }
    None
}

fn repeat(func: &mut Func, block: u32, times: u32, whole: bool, last: &mut HashMap<Value, Value>) {
    let data = func.blocks[block as usize].clone();
    let Some(back) = data.preds.iter().position(|&pred| pred == block) else { return };
    // What the values of the first round are in the one that is being made.
    let mut now: HashMap<Value, Value> = HashMap::new();
    let get = |now: &HashMap<Value, Value>, value: Value| now.get(&value).copied().unwrap_or(value);
    let mut sums = sums(func, block, back);
    for _ in 1..times {
        let nexts: Vec<(Value, Value)> =
            data.phis.iter().map(|&phi| (phi, get(&now, func.args_of(phi)[back]))).collect();
        now.extend(nexts);
        for &value in &data.insts {
            let mut inst = *func.inst(value);
            inst.map(|value| get(&now, value));
            let folded = func.fold(inst);
            let copy = match folded {
                Folded::Value(value) => value,
                Folded::Inst(inst) => {
                    let inst = summed(func, inst);
                    func.push(block, inst)
                }
            };
            now.insert(value, copy);
        }
        for sum in &mut sums {
            let part = get(&now, sum.part);
            sum.rest = push(func, block, Inst::Bin(sum.op, sum.width, sum.rest, part));
        }
    }
    // What is summed up does not wait for the last round.
    for sum in &sums {
        let all = push(func, block, Inst::Bin(sum.op, sum.width, sum.phi, sum.rest));
        now.insert(sum.next, all);
    }
    for &phi in &data.phis {
        let mut args = func.args_of(phi).to_vec();
        args[back] = get(&now, args[back]);
        func.set_args(phi, args);
    }
    let mut term = data.term;
    term.map(|value| get(&now, value));
    if let Term::Branch(_, t, e) = term
        && whole
    {
        term = Term::Jump(if t == block { e } else { t });
        func.remove_edge(block, block);
    }
    func.blocks[block as usize].term = term;
    last.extend(now);
}

/// A value that only grows by something each round.
struct Sum {
    phi: Value,
    next: Value,
    op: BinOp,
    width: Width,
    /// What is added.
    part: Value,
    /// What is added in all rounds so far.
    rest: Value,
}

/// The sums of a loop: nobody in it looks at them.
fn sums(func: &Func, block: u32, back: usize) -> Vec<Sum> {
    let data = &func.blocks[block as usize];
    let mut uses: HashMap<Value, u32> = HashMap::new();
    let mut count = |value: Value| *uses.entry(value).or_insert(0) += 1;
    data.insts.iter().for_each(|&value| func.inst(value).for_each(&mut count));
    data.phis.iter().for_each(|&phi| count(func.args_of(phi)[back]));
    data.term.for_each(&mut count);
    let once = |value: Value| uses.get(&value) == Some(&1);
    let sum = |&phi: &Value| {
        let next = func.args_of(phi)[back];
        let Inst::Bin(op @ (BinOp::Add | BinOp::Xor), width, a, b) = *func.inst(next) else { return None };
        let part = if a == phi { b } else { a };
        let good = (a == phi || b == phi)
            && part != phi
            && once(phi)
            && once(next)
            && func.home[next.index()] == block
            && func.as_const(part).is_none();
        good.then_some(Sum { phi, next, op, width, part, rest: part })
    };
    data.phis.iter().filter_map(sum).collect()
}

fn push(func: &mut Func, block: u32, inst: Inst) -> Value {
    match func.fold(inst) {
        Folded::Value(value) => value,
        Folded::Inst(inst) => func.push(block, inst),
    }
}

/// One addition of a number for two.
fn summed(func: &mut Func, inst: Inst) -> Inst {
    if let Inst::Bin(BinOp::Add, width, a, b) = inst
        && let Inst::Bin(BinOp::Add, inner, x, first) = *func.inst(a)
        && inner == width
        && let (Some(first), Some(second)) = (func.as_const(first), func.as_const(b))
    {
        let sum = func.constant(cut(width, first.wrapping_add(second)));
        return Inst::Bin(BinOp::Add, width, x, sum);
    }
    inst
}

/// Outside of their loops, values are those of the last round.
fn rename(func: &mut Func, block: u32, last: &HashMap<Value, Value>) {
    let homes = std::mem::take(&mut func.home);
    let get = |mut value: Value| {
        if value == Value::NONE {
            return value;
        }
        loop {
            match last.get(&value) {
                Some(&other) if homes[value.index()] != block => {
                    let same = homes[other.index()] == homes[value.index()];
                    value = other;
                    // What comes from another loop is that one's, of its last round.
                    if same {
                        return value;
                    }
                }
                _ => return value,
            }
        }
    };
    for at in 0..func.blocks[block as usize].insts.len() {
        let value = func.blocks[block as usize].insts[at];
        func.insts[value.index()].map(get);
    }
    for at in 0..func.blocks[block as usize].phis.len() {
        let phi = func.blocks[block as usize].phis[at];
        let args = func.args_of(phi).iter().map(|&arg| get(arg)).collect();
        func.set_args(phi, args);
    }
    func.blocks[block as usize].term.map(get);
    func.home = homes;
}

#[cfg(test)]
mod tests {
    use probity_isa::JumpOp;

    use super::*;

    #[test]
    fn rounds_are_counted() {
        for (start, step, end, op, rounds_wanted) in [
            (0_u64, 1_u64, 10_u64, JumpOp::Jne, Some(10)),
            (2, 2, 20, JumpOp::Jlt, Some(9)),
            (10, u64::MAX, 0, JumpOp::Jne, Some(10)),
            (0, 2, 5, JumpOp::Jne, None),
            (0, 0, 5, JumpOp::Jne, None),
        ] {
            let mut func = Func::default();
            func.add_block(Term::Jump(1));
            func.add_block(Term::Unreachable);
            func.add_block(Term::Unreachable);
            let phi = func.add_phi(1);
            let (start, step, end) = (func.constant(start), func.constant(step), func.constant(end));
            let next = func.push(1, Inst::Bin(BinOp::Add, Width::W64, phi, step));
            func.set_args(phi, vec![start, next]);
            let cmp = Cmp { op, width: Width::W64, a: next, b: end };
            func.blocks[1].preds = vec![0, 1];
            func.blocks[1].term = Term::Branch(cmp, 1, 2);
            assert_eq!(rounds(&func, 1, cmp, true), rounds_wanted);
        }
    }
}
