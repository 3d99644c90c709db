//! Small branches become selections.

use probity_isa::JumpOp;

use super::analysis::Analysis;
use super::ir::{Cmp, Func, Inst, Term, Value};

/// How many values a branch may decide on.
const PHIS: usize = 2;

/// How many operations may be done in vain.
const OPERATIONS: usize = 1;

/// Turns branches that only choose between values into selections. Compilers for BPF, which has no
/// selection, make such branches of them.
pub(super) fn convert_branches(func: &mut Func, analysis: &Analysis) {
    let reaches = reaches_address(func, analysis);
    // Inner ones first: what they leave may be small in turn.
    for &block in analysis.order.iter().rev() {
        let Term::Branch(cmp, t, e) = func.blocks[block as usize].term else { continue };
        if let Some((join, sides)) = shape(func, block, t, e)
            && !delays(func, analysis, &reaches, block, cmp, join)
        {
            convert(func, block, cmp, join, sides);
        }
    }
}

/// The block where both sides meet, and the block that each side comes from: the branching block itself
/// where there is nothing between.
fn shape(func: &Func, block: u32, t: u32, e: u32) -> Option<(u32, [u32; 2])> {
    let arm = |side: u32| match func.blocks[side as usize].term {
        Term::Jump(next) if func.blocks[side as usize].preds == [block] && side != block => {
            let cheap = func.blocks[side as usize].phis.is_empty()
                && func.blocks[side as usize].insts.len() <= OPERATIONS
                && func.blocks[side as usize].insts.iter().all(|&value| is_cheap(func.inst(value)));
            cheap.then_some(next)
        }
        _ => None,
    };
    let (join, sides) = match (arm(t), arm(e)) {
        (Some(a), Some(b)) if a == b => (a, [t, e]),
        (Some(next), _) if next == e => (e, [t, block]),
        (_, Some(next)) if next == t => (t, [block, e]),
        _ => return None,
    };
    let join_block = &func.blocks[join as usize];
    let differing = join_block.phis.iter().filter(|&&phi| {
        let args = func.args_of(phi);
        let at = |pred: u32| join_block.preds.iter().position(|other| *other == pred).map(|at| args[at]);
        at(sides[0]) != at(sides[1])
    });
    let differing = differing.count();
    // What is done in vain must be little, or it is better guessed.
    let operations: usize =
        sides.iter().filter(|&&side| side != block).map(|&side| func.blocks[side as usize].insts.len()).sum();
    if operations > OPERATIONS || operations > 0 && differing > 1 {
        return None;
    }
    (join != block && differing <= PHIS).then_some((join, sides))
}

/// Values that addresses of loads are made of, in a few steps.
fn reaches_address(func: &Func, analysis: &Analysis) -> Vec<bool> {
    let mut reaches = vec![false; func.insts.len()];
    for _ in 0..4 {
        for &block in analysis.order.iter().rev() {
            let block = &func.blocks[block as usize];
            for &value in block.insts.iter().rev() {
                match *func.inst(value) {
                    Inst::Load { base, .. } => reaches[base.index()] = true,
                    Inst::Bin(_, _, a, b) if reaches[value.index()] => {
                        reaches[a.index()] = true;
                        reaches[b.index()] = true;
                    }
                    Inst::Un(_, a) if reaches[value.index()] => reaches[a.index()] = true,
                    _ => {}
                }
            }
            for &phi in &block.phis {
                if reaches[phi.index()] {
                    func.args_of(phi).iter().for_each(|arg| reaches[arg.index()] = true);
                }
            }
        }
    }
    reaches
}

/// In a loop, a choice that depends on a load and that the address of another depends on: a branch
/// is guessed, and the next load does not wait for it.
fn delays(func: &Func, analysis: &Analysis, reaches: &[bool], block: u32, cmp: Cmp, join: u32) -> bool {
    let loaded = |value: Value| matches!(func.inst(value), Inst::Load { .. });
    analysis.depth[block as usize] > 0
        && (loaded(cmp.a) || loaded(cmp.b))
        && func.blocks[join as usize].phis.iter().any(|phi| reaches[phi.index()])
}

fn is_cheap(inst: &Inst) -> bool {
    use super::ir::BinOp::*;
    match inst {
        Inst::Bin(op, ..) => matches!(op, Add | Sub | And | Or | Xor | Shl | Shr | Sar | Rotl),
        Inst::Un(..) => true,
        _ => false,
    }
}

fn convert(func: &mut Func, block: u32, cmp: Cmp, join: u32, sides: [u32; 2]) {
    for side in sides {
        if side != block {
            let insts = std::mem::take(&mut func.blocks[side as usize].insts);
            for value in &insts {
                func.home[value.index()] = block;
            }
            func.blocks[block as usize].insts.extend(insts);
        }
    }
    let preds = func.blocks[join as usize].preds.clone();
    let place = |pred: u32| preds.iter().position(|other| *other == pred).unwrap_or(0);
    let (at, other) = (place(sides[0]), place(sides[1]));
    // The edge of the first side stays, as one from the block; that of the other goes.
    for index in 0..func.blocks[join as usize].phis.len() {
        let phi = func.blocks[join as usize].phis[index];
        let mut args = func.args_of(phi).to_vec();
        args[at] = select(func, block, cmp, args[at], args[other]);
        args.remove(other);
        func.set_args(phi, args);
    }
    let preds = &mut func.blocks[join as usize].preds;
    preds[at] = block;
    preds.remove(other);
    for side in sides {
        if side != block {
            func.blocks[side as usize].term = Term::Unreachable;
            func.blocks[side as usize].preds.clear();
        }
    }
    func.blocks[block as usize].term = Term::Jump(join);
}

fn select(func: &mut Func, block: u32, cmp: Cmp, t: Value, e: Value) -> Value {
    if t == e {
        return t;
    }
    // Equal to a number and that number: the same value, whatever is chosen.
    if cmp.op == JumpOp::Jeq && cmp.a == e && cmp.b == t && cmp.width == probity_isa::Width::W64 {
        return e;
    }
    func.push(block, Inst::Select(cmp, t, e))
}
