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

impl Step {
    /// The instruction before it on its path.
    #[must_use]
    pub fn came_from(&self) -> Option<usize> {
        self.from
    }
}

/// Steps in the order in which they were made: those of all paths, or of a walk that prunes.
#[derive(Debug)]
pub struct Record {
    /// The steps.
    pub steps: Vec<Step>,
    by_pc: HashMap<usize, Vec<usize>>,
    last: Option<usize>,
    from: Option<usize>,
    limit: usize,
    pruned: bool,
}

impl Record {
    /// For a walk over all paths; steps beyond `limit` are not noted.
    #[must_use]
    pub fn up_to(limit: usize) -> Record {
        Record { steps: Vec::new(), by_pc: HashMap::new(), last: None, from: None, limit, pruned: false }
    }

    /// For a walk that prunes.
    #[must_use]
    pub fn pruned(limit: usize) -> Record {
        Record { pruned: true, ..Record::up_to(limit) }
    }

    /// Whether it is of a walk that prunes: then states stand for others, in which numbers that did
    /// not matter are others.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        self.pruned
    }

    /// Whether steps were left out.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.steps.len() >= self.limit
    }

    /// The steps at `pc`, and where paths ended there.
    #[must_use]
    pub fn at(&self, pc: usize) -> &[usize] {
        self.by_pc.get(&pc).map_or(&[], Vec::as_slice)
    }

    /// The steps at `pc` that may follow one of `before`, a step at `from`.
    pub fn after<'a>(
        &'a self,
        before: &'a [usize],
        from: Option<usize>,
        pc: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        self.at(pc).iter().copied().filter(move |&index| {
            let step = &self.steps[index];
            match step.before {
                Some(one) => before.binary_search(&one).is_ok(),
                // An instruction may have put aside a state at which it runs again itself.
                None => step.from == from || step.from == Some(pc),
            }
        })
    }

    fn note(&mut self, pc: usize, state: &State) {
        if self.is_full() {
            return;
        }
        let index = self.steps.len();
        self.steps.push(Step { pc, state: state.clone(), before: self.last, from: self.from });
        self.by_pc.entry(pc).or_default().push(index);
        self.last = Some(index);
        self.from = Some(pc);
    }
}

impl Observer for Record {
    fn step(&mut self, pc: usize, state: &State) {
        self.note(pc, state);
    }

    fn covered(&mut self, pc: usize, state: &State) {
        self.note(pc, state);
    }

    fn resume(&mut self, _pc: usize, state: &State) {
        // The state still says which instruction put it aside.
        self.last = None;
        self.from = Some(state.pc);
    }
}
