//! The abstract states of all paths, as an observer notes them.

use std::collections::HashMap;

use probity_engine::{explore::walk::Observer, state::State};

/// A step of a path.
#[derive(Debug)]
pub struct Step {
    /// The instruction.
    pub pc: usize,
    /// The state before it.
    pub state: State,
    /// The step before it on the path; None where a path was taken up again.
    before: Option<usize>,
    /// The instruction before it.
    from: Option<usize>,
}

/// All steps, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Record {
    /// The steps.
    pub steps: Vec<Step>,
    by_pc: HashMap<usize, Vec<usize>>,
    last: Option<usize>,
    from: Option<usize>,
}

impl Record {
    /// The steps at `pc` that may follow one of `before`, a step at `from`.
    pub fn after<'a>(
        &'a self,
        before: &'a [usize],
        from: Option<usize>,
        pc: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let all = self.by_pc.get(&pc).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |&index| {
            let step = &self.steps[index];
            match step.before {
                Some(one) => before.binary_search(&one).is_ok(),
                // An instruction may have put aside a state at which it runs again itself.
                None => step.from == from || step.from == Some(pc),
            }
        })
    }
}

impl Observer for Record {
    fn step(&mut self, pc: usize, state: &State) {
        let index = self.steps.len();
        self.steps.push(Step { pc, state: state.clone(), before: self.last, from: self.from });
        self.by_pc.entry(pc).or_default().push(index);
        self.last = Some(index);
        self.from = Some(pc);
    }

    fn resume(&mut self, _pc: usize, state: &State) {
        // The state still says which instruction put it aside.
        self.last = None;
        self.from = Some(state.pc);
    }
}
