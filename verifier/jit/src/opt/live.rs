//! Where virtual registers are live: ranges over the instructions in their final order.

use super::lir::{Role, Vreg};
use super::select::Selected;
use super::{Unhandled, layout::Layout};

/// Four positions an instruction: uses end at the second, results begin at the third.
pub(super) const STEP: u32 = 4;

/// Where an instruction's clobbers are.
pub(super) fn clobbered(at: u32) -> (u32, u32) {
    (at * STEP + 1, at * STEP + 2)
}

/// From a position to one before which it ends.
pub(super) type Range = (u32, u32);

/// What is known of the virtual registers.
#[derive(Debug)]
pub(super) struct Liveness {
    /// Ascending, and apart.
    pub(super) ranges: Vec<Vec<Range>>,
    /// Uses and definitions, weighted by how often their blocks run.
    pub(super) weights: Vec<f32>,
}

/// More than this many live values at block ends are too many.
const MOST: usize = 20_000_000;

/// How often a block runs, by the loops that it is in.
pub(super) fn frequency(depth: u32) -> f32 {
    8_f32.powi(depth.min(8) as i32)
}

/// Computes ranges.
pub(super) fn liveness(
    selected: &Selected,
    preds: &[Vec<u32>],
    layout: &Layout,
    depth: &[u32],
    bmi2: bool,
) -> Result<Liveness, Unhandled> {
    let out = live_out(selected, preds, layout, bmi2)?;
    let count = selected.vregs;
    let mut live = Liveness { ranges: vec![Vec::new(); count], weights: vec![0.0; count] };
    // Where a register is live to, going backwards in a block; 0: it is not.
    let mut until = vec![0_u32; count];
    for &block in layout.order.iter().rev() {
        let lirs = &selected.blocks[block as usize];
        let first = layout.first[block as usize];
        let weight = frequency(depth[block as usize]);
        let end = (first + lirs.len() as u32) * STEP;
        let mut open: Vec<Vreg> = out[block as usize].clone();
        for &reg in &open {
            until[reg as usize] = end;
        }
        for (index, lir) in lirs.iter().enumerate().rev() {
            let at = (first + index as u32) * STEP;
            lir.visit(bmi2, &mut |role, reg| {
                live.weights[reg as usize] += weight;
                let start = match role {
                    Role::Def => at + 2,
                    Role::EarlyDef => at + 1,
                    Role::Use | Role::Late => return,
                };
                let to = std::mem::replace(&mut until[reg as usize], 0).max(start + 1);
                live.ranges[reg as usize].push((start, to));
            });
            lir.visit(bmi2, &mut |role, reg| {
                let to = match role {
                    Role::Use => at + 1,
                    Role::Late => at + 3,
                    Role::Def | Role::EarlyDef => return,
                };
                if until[reg as usize] == 0 {
                    open.push(reg);
                }
                until[reg as usize] = until[reg as usize].max(to);
            });
        }
        for reg in open {
            let to = std::mem::replace(&mut until[reg as usize], 0);
            if to > first * STEP {
                live.ranges[reg as usize].push((first * STEP, to));
            }
        }
        // Phis are there from the start, also when nothing uses them in the block.
        for &phi in &selected.phis[block as usize] {
            live.ranges[phi as usize].push((first * STEP, first * STEP + 1));
        }
    }
    for ranges in &mut live.ranges {
        normalize(ranges);
    }
    Ok(live)
}

/// Sorts ranges and joins those that touch.
pub(super) fn normalize(ranges: &mut Vec<Range>) {
    ranges.sort_unstable();
    let mut kept: usize = 0;
    for at in 0..ranges.len() {
        if kept > 0 && ranges[at].0 <= ranges[kept - 1].1 {
            ranges[kept - 1].1 = ranges[kept - 1].1.max(ranges[at].1);
        } else {
            ranges[kept] = ranges[at];
            kept += 1;
        }
    }
    ranges.truncate(kept);
}

/// What is live at each block's end, by paths from uses back to definitions.
fn live_out(
    selected: &Selected,
    preds: &[Vec<u32>],
    layout: &Layout,
    bmi2: bool,
) -> Result<Vec<Vec<Vreg>>, Unhandled> {
    const NOWHERE: u32 = u32::MAX;
    let mut home = vec![NOWHERE; selected.vregs];
    let mut is_phi = vec![false; selected.vregs];
    for &block in &layout.order {
        for &phi in &selected.phis[block as usize] {
            home[phi as usize] = block;
            is_phi[phi as usize] = true;
        }
    }
    // Uses of what comes from before the block.
    let mut exposed: Vec<Vec<u32>> = vec![Vec::new(); selected.vregs];
    for &block in &layout.order {
        for lir in &selected.blocks[block as usize] {
            lir.visit(bmi2, &mut |role, reg| {
                let at = reg as usize;
                match role {
                    Role::Use | Role::Late
                        if (home[at] != block || is_phi[at]) && exposed[at].last() != Some(&block) =>
                    {
                        exposed[at].push(block);
                    }
                    Role::Def | Role::EarlyDef if !is_phi[at] => home[at] = block,
                    _ => {}
                }
            });
        }
    }
    let mut out = vec![Vec::new(); selected.blocks.len()];
    let mut total = 0;
    let mut seen = vec![NOWHERE; selected.blocks.len()];
    let mut open = Vec::new();
    for (reg, blocks) in exposed.into_iter().enumerate() {
        open.extend(blocks.into_iter().filter(|&block| !(is_phi[reg] && home[reg] == block)));
        while let Some(block) = open.pop() {
            for &pred in &preds[block as usize] {
                if std::mem::replace(&mut seen[pred as usize], reg as u32) == reg as u32 {
                    continue;
                }
                out[pred as usize].push(reg as Vreg);
                total += 1;
                if home[reg] != pred {
                    open.push(pred);
                }
            }
        }
        if total > MOST {
            return Err(Unhandled("so many values in so many blocks"));
        }
    }
    Ok(out)
}
