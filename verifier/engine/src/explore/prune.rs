//! At a prune point: does a remembered state stand for this one, and is this one to be remembered?
//! (verifier.md, 6.1; the constants are measured, see ../shared/probes in the design.)

use probity_platform::{Code as Why, Rejection};

use super::checkpoint::{CheckpointId, Precise};
use super::equal::{Comparison, Exactness};
use super::history::HistoryHead;
use super::loops::rounds_differ;
use super::walk::{Observer, Walk};
use crate::prepare::Widens;
use crate::print::state::Printer;
use crate::state::frame::REGS;

/// A state is remembered after this many jumps and this many instructions.
const MIN_JUMPS: u64 = 2;
const MIN_INSNS: u64 = 8;
/// Inside a loop, after this many jumps or this many instructions.
const LOOP_JUMPS: u64 = 20;
const LOOP_INSNS: u64 = 100;
/// More notes than this force a state to be remembered.
const MAX_HISTORY: usize = 40;
/// A state that helps nobody leaves after this many misses more than its hits allow.
const MISSES_PER_HIT: u32 = 3;
/// The same, of a state in a loop that is walked until nothing new comes.
const LOOP_MISSES_PER_HIT: u32 = 64;

/// What happens at a prune point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// The path goes on.
    Continue,
    /// A remembered state stands for this one: the path ends.
    Covered,
}

impl<O: Observer> Walk<'_, O> {
    pub(super) fn visit_prune_point(&mut self) -> Result<Visit, Rejection> {
        let pc = self.pc;
        let force =
            self.state_freq || self.code.insns[pc].checkpoint || self.state.history.len() > MAX_HISTORY;
        let jumps = self.stats.jumps - self.stored_at.jumps;
        let insns = self.stats.processed - self.stored_at.processed;
        let mut add = force || (jumps >= MIN_JUMPS && insns >= MIN_INSNS);
        let bucket = self.checkpoints.bucket(pc, self.state.frame().callsite);
        if !self.within && self.checkpoints.has_unclean(bucket) {
            self.clean_checkpoints(bucket, pc);
        }
        let scanned = self.checkpoints.count_in(bucket) as u64;
        let mut index = self.checkpoints.count_in(bucket);
        while index > 0 {
            index -= 1;
            let Some(id) = self.checkpoints.at(bucket, index, pc) else { continue };
            let (covered, in_loop) = if self.checkpoints.get(id).branches > 0 {
                let covered = self.comes_back(id)?;
                if !covered && !force && jumps < LOOP_JUMPS && insns < LOOP_INSNS {
                    add = false;
                }
                // A call that calls back is no part of the loop that it makes.
                (covered, self.code.insns[pc].widens != Some(Widens::CallBack))
            } else {
                let incomplete = self.loops.is_incomplete(self.code, &self.checkpoints.get(id).state);
                let mode =
                    if incomplete || self.within { Exactness::RangeWithin } else { Exactness::NotExact };
                (self.equal(id, mode), incomplete)
            };
            if covered {
                self.checkpoints.get_mut(id).hits += 1;
                if self.code.insns[pc].jump_point {
                    self.note();
                }
                self.propagate_precision(id)?;
                if in_loop {
                    self.keep_back_edge(id);
                }
                self.observer.covered(pc, &self.state, id);
                return Ok(Visit::Covered);
            }
            self.count_miss(bucket, index, id, add);
        }
        self.stats.max_states_per_insn = self.stats.max_states_per_insn.max(scanned);
        if add {
            self.store_checkpoint(pc);
        }
        Ok(Visit::Continue)
    }

    /// The path came back to an instruction before which a state on it was remembered: true when
    /// that state stands for this one, because the loop is one that is walked until nothing new comes.
    fn comes_back(&mut self, id: CheckpointId) -> Result<bool, Rejection> {
        let old = &self.checkpoints.get(id).state;
        // Another round of a function that is called later is no loop.
        if old.frame().entries != self.state.frame().entries {
            return Ok(false);
        }
        match self.code.insns[self.pc].widens {
            Some(Widens::Advance) => return Ok(self.equal(id, Exactness::RangeWithin) && self.advances_on()),
            Some(Widens::CallBack) => return Ok(self.equal(id, Exactness::RangeWithin)),
            Some(Widens::MayGoto)
                if old.may_gotos != self.state.may_gotos && self.equal(id, Exactness::RangeWithin) =>
            {
                return Ok(true);
            }
            Some(Widens::MayGoto) | None => {}
        }
        if self.maybe_looping(id) && self.equal(id, Exactness::Exact) && self.same_round(id) {
            return Err(self.infinite_loop(id));
        }
        Ok(false)
    }

    /// True when no loop that is walked until nothing new comes tells two equal states apart.
    fn same_round(&self, id: CheckpointId) -> bool {
        let (old, cur) = (&self.checkpoints.get(id).state, &self.state);
        old.may_gotos == cur.may_gotos && old.called_back == cur.called_back && !rounds_differ(old, cur)
    }

    fn count_miss(&mut self, bucket: usize, index: usize, id: CheckpointId, add: bool) {
        let checkpoint = self.checkpoints.get_mut(id);
        if add {
            checkpoint.misses += 1;
        }
        let in_loop = checkpoint.branches > 0 && self.code.insns[self.pc].checkpoint;
        let patience = if in_loop { LOOP_MISSES_PER_HIT } else { MISSES_PER_HIT };
        if checkpoint.misses > checkpoint.hits * patience + patience {
            let keep = self.loops.is_incomplete(self.code, &self.checkpoints.get(id).state);
            self.checkpoints.evict(bucket, index, keep);
        }
    }

    fn store_checkpoint(&mut self, pc: usize) {
        self.stored_at = self.stats;
        self.state.pc = pc;
        self.state.last_pc = self.prev_pc;
        let id = self.checkpoints.store(self.state.clone(), self.loops.kept);
        self.observer.stored(id, &self.state);
        self.enter_loop(id);
        self.state.parent = Some(id);
        self.state.depth += 1;
        self.state.first_pc = pc;
        self.state.history = HistoryHead::EMPTY;
        self.noted = false;
    }

    /// A quick look at the registers of the running frame before the whole comparison, beginning
    /// with the one that differed the last time.
    fn maybe_looping(&mut self, id: CheckpointId) -> bool {
        let old = &self.checkpoints.get(id).state;
        if old.frames.len() != self.state.frames.len() {
            return false;
        }
        let (old, cur) = (old.frame(), self.state.frame());
        let differs = |&reg: &usize| {
            let (old, cur) = (&old.regs[reg], &cur.regs[reg]);
            old.behaviour != cur.behaviour
                || old.kind != cur.kind
                || old.flags != cur.flags
                || old.off != cur.off
                || old.data != cur.data
                || old.val != cur.val
        };
        let first = self.loop_differs;
        let differing = (first..REGS).chain(0..first).find(differs);
        self.loop_differs = differing.unwrap_or(first);
        differing.is_none()
    }

    fn equal(&mut self, id: CheckpointId, mode: Exactness) -> bool {
        self.id_map.reset(self.last_id);
        let old = self.checkpoints.get(id);
        let likely = old.differed;
        let result = Comparison {
            old,
            cur: &self.state,
            code: self.code,
            ids: &mut self.id_map,
            ends: &self.ends,
            mode,
            uninit_stack: self.platform.policy.uninit_stack,
        }
        .states_equal(likely);
        if let Err(differed) = result
            && differed != likely
        {
            self.checkpoints.get_mut(id).differed = differed;
        }
        result.is_ok()
    }

    /// Determines, once for each, what is dead in the completely explored states before `pc`.
    fn clean_checkpoints(&mut self, bucket: usize, pc: usize) {
        for index in 0..self.checkpoints.count_in(bucket) {
            let Some(id) = self.checkpoints.at(bucket, index, pc) else { continue };
            let checkpoint = self.checkpoints.get(id);
            if checkpoint.branches > 0 || checkpoint.cleaned {
                continue;
            }
            if !checkpoint.state.callsites().eq(self.state.callsites())
                || self.loops.is_incomplete(self.code, &checkpoint.state)
            {
                continue;
            }
            let instance = checkpoint.state.frame().instance;
            let dead = (0..checkpoint.state.frames.len())
                .map(|frame| !self.liveness.live_slots(self.code, instance, pc, frame))
                .collect();
            self.checkpoints.clean(bucket, id, dead, self.platform.policy.uninit_stack);
        }
    }

    fn infinite_loop(&self, old: CheckpointId) -> Rejection {
        let printer = Printer { platform: self.platform, program: self.program };
        let checkpoint = self.checkpoints.get(old);
        let precise = checkpoint.precise.last().copied().unwrap_or_default();
        let message = format!(
            "infinite loop detected at insn {}\ncur state:{}\nold state:{}",
            self.pc,
            printer.state(&self.state, Precise::default()),
            printer.state(&checkpoint.state, precise),
        );
        Rejection::new(Why::InfiniteLoop, message).facts(
            "each round of a loop changes something, so that the loop ends",
            "the state is the same as one round before",
        )
    }
}
