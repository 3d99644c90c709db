//! The abstract states of all paths, as an observer notes them.

use std::collections::HashMap;

use probity_engine::explore::checkpoint::CheckpointId;
use probity_engine::explore::walk::Observer;
use probity_engine::prepare::Code;
use probity_engine::state::State;

/// A step of a path.
#[derive(Debug)]
pub struct Step {
    /// The instruction.
    pub pc: usize,
    /// The state before it.
    pub state: State,
    /// The path ends here: this step's state stands for it.
    by: Option<usize>,
}

/// Which states stand for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walked {
    /// None: there is a step for each.
    Apart,
    /// Those that have every number of the others.
    Within,
    /// As the kernel decides it: numbers that did not matter are others.
    Pruned,
}

/// Steps in the order in which they were made.
#[derive(Debug)]
pub struct Record {
    /// The steps.
    pub steps: Vec<Step>,
    walked: Walked,
    limit: usize,
    by_pc: HashMap<usize, Vec<usize>>,
    /// By step: those that it led to: the one after it, and where paths go on that it put aside.
    after: HashMap<usize, Vec<usize>>,
    /// Steps at which a function begins that nothing calls.
    entries: Vec<usize>,
    /// By instruction: the registers that are read at or after it.
    live: Vec<u16>,
    last: Option<usize>,
    /// The steps that put paths aside, which wait.
    waiting: Vec<Option<usize>>,
    /// What was remembered last, before its step.
    stored: Option<CheckpointId>,
    checkpoints: HashMap<CheckpointId, usize>,
}

impl Record {
    /// For a walk; steps beyond `limit` are not noted.
    #[must_use]
    pub fn up_to(limit: usize, walked: Walked) -> Record {
        Record {
            steps: Vec::new(),
            walked,
            limit,
            by_pc: HashMap::new(),
            after: HashMap::new(),
            entries: Vec::new(),
            live: Vec::new(),
            last: None,
            waiting: Vec::new(),
            stored: None,
            checkpoints: HashMap::new(),
        }
    }

    /// Which states stand for others.
    #[must_use]
    pub fn walked(&self) -> Walked {
        self.walked
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

    /// The steps at `pc` with which the walk of a function began.
    #[must_use]
    pub fn begun_at(&self, pc: usize) -> Vec<usize> {
        self.entries.iter().copied().filter(|&index| self.steps[index].pc == pc).collect()
    }

    /// The steps at `pc` that follow one of `before`, and what stands for them.
    #[must_use]
    pub fn following(&self, before: &[usize], pc: usize) -> Vec<usize> {
        let led = |index: &usize| self.after.get(index).map_or(&[][..], Vec::as_slice).iter().copied();
        let here = |index: &usize| self.steps[*index].pc == pc;
        let mut found: Vec<usize> = before.iter().flat_map(led).filter(here).collect();
        let mut done = 0;
        while let Some(&index) = found.get(done) {
            done += 1;
            let by = self.steps[index].by;
            // An instruction may have put aside a state at which it runs again itself.
            let again = led(&index).filter(|&next| next != index + 1).filter(here);
            for next in by.into_iter().chain(again) {
                if !found.contains(&next) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// Whether a path ended at a step because another stands for it.
    #[must_use]
    pub fn is_end(&self, index: usize) -> bool {
        self.steps[index].by.is_some()
    }

    /// The registers that count before an instruction, as bits: where states stand for others those
    /// that are read later.
    #[must_use]
    pub fn live(&self, pc: usize) -> u16 {
        match self.walked {
            Walked::Apart => u16::MAX,
            _ => self.live.get(pc).copied().unwrap_or(u16::MAX),
        }
    }

    fn note(&mut self, pc: usize, state: &State, by: Option<usize>) {
        if self.is_full() {
            return;
        }
        let index = self.steps.len();
        match self.last {
            Some(before) => self.after.entry(before).or_default().push(index),
            None => self.entries.push(index),
        }
        self.steps.push(Step { pc, state: state.clone(), by });
        self.by_pc.entry(pc).or_default().push(index);
        self.last = Some(index);
        if let Some(id) = self.stored.take() {
            self.checkpoints.insert(id, index);
        }
    }
}

impl Observer for Record {
    fn begin(&mut self, code: &Code) {
        self.live = code.insns.iter().map(|insn| insn.live_before).collect();
    }

    fn step(&mut self, pc: usize, state: &State) {
        self.note(pc, state, None);
    }

    fn covered(&mut self, pc: usize, state: &State, by: CheckpointId) {
        let by = self.checkpoints.get(&by).copied();
        self.note(pc, state, by);
    }

    fn stored(&mut self, id: CheckpointId, _state: &State) {
        self.stored = Some(id);
    }

    fn put_aside(&mut self, _prev_pc: Option<usize>) {
        self.waiting.push(self.last);
    }

    fn resume(&mut self, _pc: usize, _state: &State) {
        self.last = self.waiting.pop().flatten();
    }

    fn verifies(&mut self, _function: usize) {
        self.last = None;
    }
}
