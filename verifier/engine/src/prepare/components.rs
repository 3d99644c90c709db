//! Loops: strongly connected components of more than one instruction, or with an edge to
//! themselves, numbered in the order in which they are found complete.

use super::Code;

/// By instruction: the number of its component from 1, 0 when it is in no loop.
#[must_use]
pub fn components(code: &Code) -> Vec<u32> {
    let mut search = Search {
        code,
        order: vec![0; code.insns.len()],
        low: vec![0; code.insns.len()],
        component: vec![0; code.insns.len()],
        stack: Vec::new(),
        on_stack: vec![false; code.insns.len()],
        visited: 0,
        found: 0,
    };
    let mut pc = 0;
    while pc < code.insns.len() {
        if search.order[pc] == 0 {
            search.run(pc);
        }
        pc += usize::from(code.insns[pc].slots);
    }
    search.component
}

struct Search<'a> {
    code: &'a Code,
    /// By instruction: when it was first visited, from 1.
    order: Vec<usize>,
    /// By instruction: the earliest visited one that it is known to reach.
    low: Vec<usize>,
    component: Vec<u32>,
    stack: Vec<usize>,
    on_stack: Vec<bool>,
    visited: usize,
    found: u32,
}

impl Search<'_> {
    /// Tarjan's algorithm from one instruction, without recursion.
    fn run(&mut self, start: usize) {
        let code = self.code;
        let mut path = vec![(start, 0)];
        self.enter(start);
        while let Some((pc, step)) = path.last_mut() {
            let pc = *pc;
            if let Some(next) = code.neighbours.successors(pc).nth(*step) {
                *step += 1;
                if next >= code.insns.len() {
                    continue;
                }
                if self.order[next] == 0 {
                    self.enter(next);
                    path.push((next, 0));
                } else if self.on_stack[next] {
                    self.low[pc] = self.low[pc].min(self.order[next]);
                }
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                self.low[before] = self.low[before].min(self.low[pc]);
            }
            if self.low[pc] == self.order[pc] {
                self.close(pc);
            }
        }
    }

    fn enter(&mut self, pc: usize) {
        self.visited += 1;
        self.order[pc] = self.visited;
        self.low[pc] = self.visited;
        self.stack.push(pc);
        self.on_stack[pc] = true;
    }

    fn close(&mut self, root: usize) {
        let from = self.stack.iter().rposition(|&pc| pc == root).unwrap_or(0);
        let members = self.stack.split_off(from);
        let is_loop = members.len() > 1 || self.code.neighbours.successors(root).any(|next| next == root);
        self.found += u32::from(is_loop);
        for pc in members {
            self.on_stack[pc] = false;
            self.component[pc] = if is_loop { self.found } else { 0 };
        }
    }
}
