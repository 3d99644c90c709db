//! Order, dominators and loops of a function's blocks.

use super::ir::Func;

/// What is known of the blocks.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    /// Reachable blocks in reverse postorder.
    pub(super) order: Vec<u32>,
    /// Entry and exit times in the tree of dominators.
    times: Vec<(u32, u32)>,
    /// How many loops a block is in.
    pub(super) depth: Vec<u32>,
    /// The head of the innermost loop that a block is in; a head is in its own.
    pub(super) head: Vec<Option<u32>>,
}

const UNSEEN: u32 = u32::MAX;

impl Analysis {
    /// Needs predecessors that are up to date.
    pub(super) fn new(func: &Func) -> Analysis {
        let count = func.blocks.len();
        let order = postorder(func);
        let mut place = vec![UNSEEN; count];
        for (at, &block) in order.iter().enumerate() {
            place[block as usize] = at as u32;
        }
        let dominator = dominators(func, &order, &place);
        let times = tree_times(&order, &dominator, count);
        let mut analysis = Analysis { order, times, depth: vec![0; count], head: vec![None; count] };
        analysis.find_loops(func, &place);
        analysis
    }

    /// True when every path to `below` comes through `above`.
    pub(super) fn dominates(&self, above: u32, below: u32) -> bool {
        let ((start, end), (at, _)) = (self.times[above as usize], self.times[below as usize]);
        start <= at && at < end
    }

    /// Finds the bodies of natural loops, inner heads after outer ones.
    fn find_loops(&mut self, func: &Func, place: &[u32]) {
        let mut mark = vec![UNSEEN; func.blocks.len()];
        for at in 0..self.order.len() {
            let head = self.order[at];
            let mut open = Vec::new();
            for &pred in &func.blocks[head as usize].preds {
                if place[pred as usize] != UNSEEN && self.dominates(head, pred) {
                    open.push(pred);
                }
            }
            if open.is_empty() {
                continue;
            }
            mark[head as usize] = head;
            self.enter(head, head);
            while let Some(block) = open.pop() {
                if std::mem::replace(&mut mark[block as usize], head) == head {
                    continue;
                }
                self.enter(block, head);
                for &pred in &func.blocks[block as usize].preds {
                    if place[pred as usize] != UNSEEN {
                        open.push(pred);
                    }
                }
            }
        }
    }

    fn enter(&mut self, block: u32, head: u32) {
        self.depth[block as usize] += 1;
        self.head[block as usize] = Some(head);
    }
}

fn postorder(func: &Func) -> Vec<u32> {
    let mut seen = vec![false; func.blocks.len()];
    let mut order = Vec::with_capacity(func.blocks.len());
    let mut stack = vec![(0, 0)];
    seen[0] = true;
    while let Some((block, at)) = stack.pop() {
        match func.blocks[block as usize].term.successors().nth(at) {
            Some(next) => {
                stack.push((block, at + 1));
                if !std::mem::replace(&mut seen[next as usize], true) {
                    stack.push((next, 0));
                }
            }
            None => order.push(block),
        }
    }
    order.reverse();
    order
}

/// Immediate dominators, as places in the order (Cooper, Harvey and Kennedy).
fn dominators(func: &Func, order: &[u32], place: &[u32]) -> Vec<u32> {
    let mut dominator = vec![UNSEEN; order.len()];
    dominator[0] = 0;
    let mut changed = true;
    while changed {
        changed = false;
        for at in 1..order.len() {
            let mut common = UNSEEN;
            for &pred in &func.blocks[order[at] as usize].preds {
                let pred = place[pred as usize];
                if pred == UNSEEN || dominator[pred as usize] == UNSEEN {
                    continue;
                }
                common = if common == UNSEEN { pred } else { meet(&dominator, common, pred) };
            }
            if dominator[at] != common {
                dominator[at] = common;
                changed = true;
            }
        }
    }
    dominator
}

fn meet(dominator: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        while a > b {
            a = dominator[a as usize];
        }
        while b > a {
            b = dominator[b as usize];
        }
    }
    a
}

/// Entry and exit times of blocks in the tree.
fn tree_times(order: &[u32], dominator: &[u32], count: usize) -> Vec<(u32, u32)> {
    // Sizes of subtrees: children come after their parents in the order.
    let mut size = vec![1; order.len()];
    for at in (1..order.len()).rev() {
        size[dominator[at] as usize] += size[at];
    }
    let mut times = vec![(UNSEEN, UNSEEN); count];
    let mut next: Vec<u32> = vec![0; order.len()];
    for at in 0..order.len() {
        let start = if at == 0 {
            0
        } else {
            let parent = dominator[at] as usize;
            let start = next[parent];
            next[parent] += size[at];
            start
        };
        next[at] = start + 1;
        times[order[at] as usize] = (start, start + size[at]);
    }
    times
}
