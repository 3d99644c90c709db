//! Virtual registers that may share one register because they are copies and never live at once.

use super::lir::{Lir, Src, Vreg};
use super::live::{Liveness, Range, normalize};
use super::select::Selected;

/// Sets of virtual registers, by representatives.
#[derive(Debug)]
pub(super) struct Classes {
    parent: Vec<Vreg>,
    /// Of representatives: the ranges of all of them.
    pub(super) ranges: Vec<Vec<Range>>,
    pub(super) weights: Vec<f32>,
}

/// More ranges than this are not compared in all.
const MOST: usize = 30_000_000;

impl Classes {
    /// The representative.
    pub(super) fn of(&self, mut reg: Vreg) -> Vreg {
        while self.parent[reg as usize] != reg {
            reg = self.parent[reg as usize];
        }
        reg
    }

    /// Unites phis with what is copied to them, in deep loops first.
    pub(super) fn new(live: Liveness, selected: &Selected, order: &[u32], depth: &[u32]) -> Classes {
        let count = selected.vregs as Vreg;
        let mut classes =
            Classes { parent: (0..count).collect(), ranges: live.ranges, weights: live.weights };
        let mut blocks = order.to_vec();
        blocks.sort_by_key(|&block| std::cmp::Reverse(depth[block as usize]));
        let mut budget = MOST;
        for block in blocks {
            for lir in &selected.blocks[block as usize] {
                let Lir::Copies(copies) = lir else { continue };
                for &(dst, src) in copies {
                    if let Src::Reg(src) = src {
                        classes.unite(dst, src, &mut budget);
                    }
                }
            }
        }
        classes
    }

    fn unite(&mut self, a: Vreg, b: Vreg, budget: &mut usize) {
        let (a, b) = (self.of(a), self.of(b));
        if a == b {
            return;
        }
        let cost = self.ranges[a as usize].len() + self.ranges[b as usize].len();
        if cost > *budget || overlap(&self.ranges[a as usize], &self.ranges[b as usize]) {
            return;
        }
        *budget -= cost;
        let (big, small) =
            if self.ranges[a as usize].len() >= self.ranges[b as usize].len() { (a, b) } else { (b, a) };
        let ranges = std::mem::take(&mut self.ranges[small as usize]);
        self.ranges[big as usize].extend(ranges);
        normalize(&mut self.ranges[big as usize]);
        self.weights[big as usize] += self.weights[small as usize];
        self.parent[small as usize] = big;
    }
}

/// Whether two lists of ranges meet.
pub(super) fn overlap(a: &[Range], b: &[Range]) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(&(start, end)), Some(&(other, until))) = (a.get(i), b.get(j)) {
        if end <= other {
            i += 1;
        } else if until <= start {
            j += 1;
        } else {
            return true;
        }
    }
    false
}
