//! Loops that are walked until nothing new comes: around what gives an iterator's next element, what
//! calls back, and `may_goto` (verifier.md, 5.5, 5.6 and 6.6).
//!
//! A path that comes back to such an instruction in a state that a remembered one of the same path
//! covers ends there, before the remembered one is explored. What is precise in that one is not
//! known yet then, so the end of the path is kept and followed back once the whole loop is explored.
//! Meanwhile states of the loop stand for others only when ranges are within, precise or not.

use probity_platform::{Behaviour, Rejection};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::checkpoint::CheckpointId;
use super::equal::exact_scalars;
use super::history::HistoryHead;
use super::walk::{Observer, Walk};
use crate::prepare::Code;
use crate::state::stack::SLOT;
use crate::state::{Reg, State};

/// After so many rounds of following back, everything is taken for precise.
const MAX_ROUNDS: usize = 64;

/// The outermost loop that a state is in: the calls that lead to it, and its number.
type Chain = SmallVec<[u32; 4]>;

/// Where a path ended, as far as following back needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathEnd {
    /// The number of the running frame.
    pub(crate) frame: usize,
    /// The instruction at which it ended.
    pub(crate) pc: usize,
    /// What was noted since the last checkpoint.
    pub(crate) history: HistoryHead,
    /// The first instruction since then.
    pub(crate) first_pc: usize,
    /// The last checkpoint.
    pub(crate) parent: Option<CheckpointId>,
}

impl PathEnd {
    /// Of a path that stands at `pc`.
    pub(crate) fn of(state: &State, pc: usize) -> PathEnd {
        PathEnd {
            frame: state.current(),
            pc,
            history: state.history,
            first_pc: state.first_pc,
            parent: state.parent,
        }
    }
}

/// A path that ended at a state of its own loop.
#[derive(Clone, Copy, Debug)]
struct BackEdge {
    old: CheckpointId,
    end: PathEnd,
}

/// A loop while it is explored.
#[derive(Debug, Default)]
struct Visit {
    /// The first state that was remembered in it.
    entry: Option<CheckpointId>,
    back_edges: Vec<BackEdge>,
}

/// The loops of a run.
#[derive(Debug, Default)]
pub(crate) struct Loops {
    visits: FxHashMap<Chain, Visit>,
    /// How many ends of paths are kept.
    pub(crate) kept: usize,
}

impl Loops {
    /// True when precision marks of a state may still be missing, because paths that ended in its
    /// loop were not followed back yet.
    pub(crate) fn is_incomplete(&self, code: &Code, state: &State) -> bool {
        self.kept > 0
            && chain(code, state)
                .and_then(|chain| self.visits.get(&chain))
                .is_some_and(|visit| !visit.back_edges.is_empty())
    }
}

fn chain(code: &Code, state: &State) -> Option<Chain> {
    let mut chain = Chain::new();
    for pc in state.callsites().chain([state.pc]) {
        let component = code.components.get(pc).copied().unwrap_or(0);
        if component != 0 {
            chain.push(component);
            return Some(chain);
        }
        chain.push(pc as u32);
    }
    None
}

impl<O: Observer> Walk<'_, O> {
    /// A state was remembered: the first one in a loop is its entry.
    pub(super) fn enter_loop(&mut self, id: CheckpointId) {
        if self.code.components.is_empty() {
            return;
        }
        let Some(chain) = chain(self.code, &self.checkpoints.get(id).state) else { return };
        self.loops.visits.entry(chain).or_default().entry.get_or_insert(id);
    }

    /// A path ends at a state of a loop that it is in.
    pub(super) fn keep_back_edge(&mut self, old: CheckpointId) {
        let Some(chain) = chain(self.code, &self.checkpoints.get(old).state) else { return };
        let Some(visit) = self.loops.visits.get_mut(&chain) else { return };
        visit.back_edges.push(BackEdge { old, end: PathEnd::of(&self.state, self.pc) });
        self.loops.kept += 1;
        self.checkpoints.count_peak(self.loops.kept);
        self.observer.back_edge(&self.checkpoints.get(old).state);
    }

    /// All paths from a state are explored: when it is the entry of a loop, the paths that ended in
    /// the loop are followed back until that marks nothing new.
    pub(super) fn leave_loop(&mut self, id: CheckpointId) -> Result<(), Rejection> {
        let Some(chain) = chain(self.code, &self.checkpoints.get(id).state) else { return Ok(()) };
        let Some(visit) = self.loops.visits.get_mut(&chain) else { return Ok(()) };
        if visit.entry != Some(id) {
            return Ok(());
        }
        visit.entry = None;
        let edges = std::mem::take(&mut visit.back_edges);
        let mut changed = !edges.is_empty();
        let mut rounds = 0;
        while changed {
            changed = false;
            rounds += 1;
            if rounds > MAX_ROUNDS {
                for edge in &edges {
                    self.mark_all_precise_from(edge.end.parent);
                }
                break;
            }
            for edge in &edges {
                changed |= self.propagate_precision_from(edge.old, edge.end)?;
            }
        }
        self.loops.kept -= edges.len();
        Ok(())
    }

    /// The latest state on this path that was remembered before the same instruction in the same
    /// calls, before the one of depth `depth`.
    pub(crate) fn previous_visit(&self, pc: usize, depth: u32) -> Option<CheckpointId> {
        let bucket = self.checkpoints.bucket(pc, self.state.frame().callsite);
        (0..self.checkpoints.count_in(bucket)).rev().find_map(|index| {
            let id = self.checkpoints.at(bucket, index, pc)?;
            let checkpoint = self.checkpoints.get(id);
            let same = checkpoint.branches > 0
                && checkpoint.state.depth < depth
                && checkpoint.state.frames.len() == self.state.frames.len()
                && checkpoint.state.callsites().eq(self.state.callsites());
            same.then_some(id)
        })
    }

    /// As [`Walk::previous_visit`], before the last remembered state.
    pub(crate) fn visit_before_parent(&self) -> Option<CheckpointId> {
        let parent = self.state.parent?;
        self.previous_visit(self.pc, self.checkpoints.get(parent).state.depth)
    }

    /// The branch put aside last forgets the numbers that differ from those of an earlier visit.
    pub(crate) fn widen_branch(&mut self, previous: Option<CheckpointId>) {
        let unknown = self.unknown();
        if let (Some(previous), Some(branch)) = (previous, self.pending.last_mut()) {
            widen(self.checkpoints.get(previous), &mut branch.state, unknown);
        }
    }

    /// The path forgets the numbers that differ from those of an earlier visit.
    pub(crate) fn widen_path(&mut self, previous: Option<CheckpointId>) {
        let unknown = self.unknown();
        if let Some(previous) = previous {
            widen(self.checkpoints.get(previous), &mut self.state, unknown);
        }
    }

    /// True when the iterator whose next element is taken has not given all.
    pub(super) fn advances_on(&self) -> bool {
        let pointer = self.state.reg(1);
        let (Some(Behaviour::Stack), Some(var)) = (pointer.behaviour, pointer.val.is_const()) else {
            return false;
        };
        let off = var.cast_signed() + i64::from(pointer.off);
        let Ok(below) = usize::try_from(-off - 1) else { return false };
        let slot = self.state.frames[pointer.frame()].stack.slot(below / SLOT);
        slot.is_object() && slot.reg.data2 == 0
    }
}

/// True when an iterator that goes on took another number of elements in the one state than in the
/// other.
pub(super) fn rounds_differ(old: &State, cur: &State) -> bool {
    old.frames.iter().zip(&cur.frames).any(|(old, cur)| {
        let mut slots = old.stack.slots().iter().zip(cur.stack.slots().iter());
        slots.any(|(old, cur)| {
            old.is_object() && old.reg.id == 0 && old.reg.data2 == 0 && old.reg.off != cur.reg.off
        })
    })
}

/// Numbers of `cur` that differ from those of a remembered state, and are not precise there, may be
/// anything.
fn widen(old: &super::checkpoint::Checkpoint, cur: &mut State, unknown: Reg) {
    let differs = |old: &Reg, cur: &Reg| old.is_scalar() && cur.is_scalar() && !exact_scalars(old, cur);
    for (index, frame) in old.state.frames.iter().enumerate() {
        let Some(now) = cur.frames.get(index) else { break };
        if std::rc::Rc::ptr_eq(frame, now) {
            continue;
        }
        let precise = old.precise[index];
        for reg in 0..crate::state::frame::FP {
            if precise.regs >> reg & 1 == 0 && differs(&frame.regs[reg], &cur.frames[index].regs[reg]) {
                cur.frame_at_mut(index).regs[reg] = unknown;
            }
        }
        for slot in 0..frame.stack.len().min(cur.frames[index].stack.len()) {
            let (old, now) = (frame.stack.slot(slot), cur.frames[index].stack.slot(slot));
            let spills = old.is_spill() && now.is_spill();
            if spills && precise.slots >> slot & 1 == 0 && differs(&old.reg, &now.reg) {
                cur.frame_at_mut(index).stack.slot_mut(slot).reg = unknown;
            }
        }
    }
}
