//! The order of blocks in the code: loops in one piece, with their exits at the end.

use super::analysis::Analysis;
use super::ir::{Func, Term};
use super::select::Selected;

/// Where blocks are.
#[derive(Debug)]
pub(super) struct Layout {
    /// Blocks in their order.
    pub(super) order: Vec<u32>,
    /// The number of each block's first instruction.
    pub(super) first: Vec<u32>,
    /// What blocks are aligned to: 1, or more where innermost loops begin.
    pub(super) aligned: Vec<u32>,
}

/// Decides on the order.
pub(super) fn layout(func: &Func, analysis: &Analysis, selected: &Selected) -> Layout {
    let mut bodies: Vec<Vec<u32>> = vec![Vec::new(); func.blocks.len()];
    let mut top = Vec::new();
    // Inner loops are where their heads are; parents are found as heads' depths less one.
    let mut parents: Vec<Option<u32>> = vec![None; func.blocks.len()];
    let mut path: Vec<u32> = Vec::new();
    for &block in &analysis.order {
        match analysis.head[block as usize] {
            Some(head) if head == block => {
                // The loop around this one holds its head: the innermost that dominates it and is open.
                while path.last().is_some_and(|&outer| !holds(analysis, outer, block)) {
                    path.pop();
                }
                parents[block as usize] = path.last().copied();
                path.push(block);
            }
            _ => {}
        }
    }
    for &block in &analysis.order {
        let owner = match analysis.head[block as usize] {
            Some(head) if head == block => parents[block as usize],
            head => head,
        };
        match owner {
            Some(head) => bodies[head as usize].push(block),
            None => top.push(block),
        }
    }
    let mut aligned = vec![1; func.blocks.len()];
    let mut order = Vec::with_capacity(analysis.order.len());
    for block in top {
        place(func, analysis, &bodies, block, &mut order, &mut aligned);
    }
    let mut first = vec![0; func.blocks.len()];
    let mut at = 0;
    for &block in &order {
        first[block as usize] = at;
        at += selected.blocks[block as usize].len() as u32;
    }
    Layout { order, first, aligned }
}

/// Whether the loop of a head holds a block.
fn holds(analysis: &Analysis, head: u32, block: u32) -> bool {
    analysis.dominates(head, block) && analysis.depth[block as usize] > analysis.depth[head as usize]
}

/// Places a block, or the loop that it is the head of.
fn place(
    func: &Func,
    analysis: &Analysis,
    bodies: &[Vec<u32>],
    block: u32,
    order: &mut Vec<u32>,
    aligned: &mut [u32],
) {
    let start = order.len();
    order.push(block);
    if analysis.head[block as usize] != Some(block) {
        return;
    }
    for &inner in &bodies[block as usize] {
        place(func, analysis, bodies, inner, order, aligned);
    }
    let inside = |other: u32| analysis.dominates(block, other) && order[start..].contains(&other);
    if order.len() - start <= 64 {
        let turn = rotation(func, &order[start..], &inside);
        order[start..].rotate_left(turn);
    }
    let innermost = order[start..].iter().all(|&other| analysis.head[other as usize] == Some(block));
    if innermost {
        aligned[order[start] as usize] = 32;
    }
}

/// By how many blocks a loop is rotated so that it ends with a branch out of it, when it ends with a
/// jump back.
fn rotation(func: &Func, body: &[u32], inside: &impl Fn(u32) -> bool) -> usize {
    let (Some(&head), Some(&last)) = (body.first(), body.last()) else { return 0 };
    if func.blocks[last as usize].term != Term::Jump(head) {
        return 0;
    }
    let leaves = |at: &usize| match func.blocks[body[*at] as usize].term {
        Term::Branch(_, t, e) => {
            let next = body.get(at + 1).copied();
            (next == Some(t) && !inside(e)) || (next == Some(e) && !inside(t))
        }
        _ => false,
    };
    (0..body.len()).find(leaves).map_or(0, |at| at + 1)
}
