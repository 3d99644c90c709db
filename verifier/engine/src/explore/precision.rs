//! Precision marks: on which scalars of which checkpoints safety hangs (verifier.md, 2.6).

use probity_isa::Instruction;
use probity_platform::{Code as Why, Rejection};

use super::backtrack::{After, Wants};
use super::checkpoint::{Checkpoint, CheckpointId};
use super::history::{HistoryHead, Node};
use super::loops::PathEnd;
use super::walk::{Observer, Walk};
use crate::prepare::{Code, Widens};

/// What happens while values are followed back, in this order: one [`Followed::Covered`] a frame
/// when a covered path gives the reason; then for each checkpoint on the way one
/// [`Followed::Segment`], its instructions, and its frames.
#[derive(Clone, Copy, Debug)]
pub enum Followed<'a> {
    /// A remembered state stands for the path: this is precise in a frame of it.
    Covered {
        /// The number of the frame.
        frame: usize,
        /// Registers, as bits.
        regs: u16,
        /// Slots, as bits.
        slots: u64,
    },
    /// The instructions from `first` to `last` come, backwards.
    Segment {
        /// What is wanted.
        wants: &'a Wants,
        /// The instruction executed last.
        last: usize,
        /// The instruction executed first.
        first: usize,
        /// The first instruction of the segment that was executed after it.
        after: Option<usize>,
    },
    /// An instruction is about to be undone.
    Instruction {
        /// What is wanted behind it.
        wants: &'a Wants,
        /// The instruction.
        pc: usize,
    },
    /// A checkpoint was marked.
    Checkpoint {
        /// What is still wanted.
        wants: &'a Wants,
        /// The checkpoint, with its marks.
        checkpoint: &'a Checkpoint,
    },
    /// A value can't be followed: every scalar of every checkpoint on the path will be marked.
    Lost {
        /// What was wanted.
        wants: &'a Wants,
    },
    /// Scalars of a frame are marked because a value was lost.
    Forced {
        /// The number of the frame.
        frame: usize,
        /// Registers that were not marked before, as bits.
        regs: u16,
        /// Slots that were not marked before, as bits.
        slots: u64,
    },
}

/// How a walk back over the instructions since a checkpoint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    /// At the checkpoint.
    Begun,
    /// Nothing is left to find.
    Done,
    /// The value can't be followed.
    Lost,
}

impl<O: Observer> Walk<'_, O> {
    /// Marks a register of the running frame and everything that its value was made from.
    pub(crate) fn mark_precise(&mut self, reg: u8) -> Result<(), Rejection> {
        let frame = self.state.current();
        self.follow_back(Wants::reg(frame, reg))
    }

    /// Marks a stack slot of a frame and everything that its value was made from.
    pub(crate) fn mark_slot_precise(&mut self, frame: usize, slot: usize) -> Result<(), Rejection> {
        let mut wants = Wants::none(self.state.current());
        wants.slots[frame] = 1 << slot;
        self.follow_back(wants)
    }

    /// A path stops because `old` stands for it: what is precise there is precise here.
    pub(crate) fn propagate_precision(&mut self, old: CheckpointId) -> Result<(), Rejection> {
        self.propagate_precision_from(old, PathEnd::of(&self.state, self.pc)).map(|_| ())
    }

    /// As [`Walk::propagate_precision`], for a path that ended at `end`; true when that marked
    /// something new.
    pub(crate) fn propagate_precision_from(
        &mut self,
        old: CheckpointId,
        end: PathEnd,
    ) -> Result<bool, Rejection> {
        let checkpoint = self.checkpoints.get(old);
        let mut wants = Wants::none(end.frame);
        for (index, precise) in checkpoint.precise.iter().enumerate() {
            let pc = checkpoint.state.frames.get(index + 1).map_or(checkpoint.state.pc, |f| f.callsite);
            let (live, dead) = if checkpoint.cleaned {
                (self.code.insns[pc].live_before, checkpoint.dead_slots[index])
            } else {
                (u16::MAX, 0)
            };
            wants.regs[index] = precise.regs & live;
            wants.slots[index] = precise.slots & !dead;
        }
        for frame in (0..checkpoint.precise.len()).rev() {
            let (regs, slots) = (wants.regs[frame], wants.slots[frame]);
            if regs != 0 || slots != 0 {
                self.observer.followed(&Followed::Covered { frame, regs, slots });
            }
        }
        self.follow_back_from(wants, end)
    }

    fn follow_back(&mut self, wants: Wants) -> Result<(), Rejection> {
        self.follow_back_from(wants, PathEnd::of(&self.state, self.pc)).map(|_| ())
    }

    /// Walks back over the executed instructions, checkpoint by checkpoint, until nothing is
    /// wanted any more. True when it marked something new.
    fn follow_back_from(&mut self, mut wants: Wants, end: PathEnd) -> Result<bool, Rejection> {
        // Where nothing is remembered nothing is marked.
        if wants.is_empty() || !self.prunes {
            return Ok(false);
        }
        let mut changed = false;
        let PathEnd { pc: mut at, history: mut head, first_pc: mut first, mut parent, .. } = end;
        let mut after = None;
        let mut skip = true;
        let mut segment_after = None;
        loop {
            let event = Followed::Segment { wants: &wants, last: at, first, after: segment_after };
            self.observer.followed(&event);
            match self.walk_segment(&mut wants, &mut at, &mut after, &mut skip, head, first) {
                Segment::Begun => {}
                Segment::Done => return Ok(changed),
                Segment::Lost => {
                    self.observer.followed(&Followed::Lost { wants: &wants });
                    return Ok(self.mark_all_precise_from(end.parent) || changed);
                }
            }
            let Some(id) = parent else { break };
            self.mark_checkpoint(id, &mut wants)?;
            changed |= !wants.is_empty();
            let checkpoint = self.checkpoints.get(id);
            self.observer.followed(&Followed::Checkpoint { wants: &wants, checkpoint });
            if wants.is_empty() {
                return Ok(changed);
            }
            let state = &self.checkpoints.get(id).state;
            let Some(last) = state.last_pc else { break };
            after = Some(first);
            segment_after = after;
            at = last;
            first = state.first_pc;
            head = state.history;
            parent = state.parent;
        }
        // Arguments of a global function are any numbers.
        if self.root != 0 && wants.only_arguments() {
            return Ok(changed);
        }
        // Something is wanted that no instruction on the path made.
        self.observer.followed(&Followed::Lost { wants: &wants });
        Ok(self.mark_all_precise_from(end.parent) || changed)
    }

    /// Walks back from `at` to the checkpoint that the segment began at.
    fn walk_segment(
        &mut self,
        wants: &mut Wants,
        at: &mut usize,
        after: &mut Option<usize>,
        skip: &mut bool,
        mut head: HistoryHead,
        first: usize,
    ) -> Segment {
        let code = self.code;
        loop {
            let noted = self.history.last(head).is_some_and(|node| node.pc() == *at);
            if *skip {
                *skip = false;
            } else if O::FOLLOWS || !self.spared(wants, *at, head, noted) {
                self.observer.followed(&Followed::Instruction { wants, pc: *at });
                if self.step_back(wants, *at, *after, head, noted) {
                    return Segment::Lost;
                }
            }
            if wants.is_empty() {
                return Segment::Done;
            }
            *after = Some(*at);
            let at_first = *at == first && (head.is_empty() || (head.len() == 1 && noted));
            if !noted {
                if at_first {
                    return Segment::Begun;
                }
                *at -= if code.insns[*at].behind_wide { 2 } else { 1 };
                continue;
            }
            let before = self.history.before(head);
            let Some(node) = self.history.last_mut(head) else { return Segment::Begun };
            if !O::FOLLOWS
                && wants.only_here()
                && !node.visit(wants.regs[wants.frame], wants.slots[wants.frame])
            {
                return Segment::Done;
            }
            if at_first {
                return Segment::Begun;
            }
            let Some(previous) = node.prev_pc() else { return Segment::Begun };
            head = before;
            *at = previous;
        }
    }

    /// True when undoing an instruction changes nothing.
    #[inline]
    fn spared(&self, wants: &Wants, at: usize, head: HistoryHead, noted: bool) -> bool {
        self.code.insns[at].undoes.spares(wants.regs[wants.frame])
            && (!noted || self.history.last(head).is_some_and(Node::is_plain))
    }

    /// Undoes an instruction; true when the value is lost.
    fn step_back(
        &self,
        wants: &mut Wants,
        at: usize,
        after: Option<usize>,
        head: HistoryHead,
        noted: bool,
    ) -> bool {
        let Some(instruction) = self.code.instruction(at) else { return true };
        let node = self.history.last(head).filter(|_| noted);
        let linked = node.and_then(|node| self.history.linked(node));
        let slot = node.and_then(Node::slot);
        wants.step_back(instruction, slot, linked, went(self.code, at, after)).is_err()
    }

    /// Marks what is wanted of a checkpoint, and wants no longer what is no scalar there or
    /// marked already.
    fn mark_checkpoint(&mut self, id: CheckpointId, wants: &mut Wants) -> Result<(), Rejection> {
        let checkpoint = self.checkpoints.get_mut(id);
        for (index, frame) in checkpoint.state.frames.iter().enumerate() {
            let precise = &mut checkpoint.precise[index];
            let mut regs = wants.regs[index] & !precise.regs;
            for (reg, value) in frame.regs.iter().enumerate() {
                if regs >> reg & 1 != 0 && !value.is_scalar() {
                    regs &= !(1 << reg);
                }
            }
            let touched = frame.stack.len();
            if wants.slots[index].checked_shr(touched as u32).unwrap_or(0) != 0 {
                let beyond = (wants.slots[index] >> touched).trailing_zeros() as usize + touched;
                return Err(self_check(beyond, touched));
            }
            let mut slots = wants.slots[index] & !precise.slots;
            let mut rest = slots;
            while rest != 0 {
                let slot = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                if !frame.stack.slot(slot).is_scalar_spill() {
                    slots &= !(1 << slot);
                }
            }
            precise.regs |= regs;
            precise.slots |= slots;
            wants.regs[index] = regs;
            wants.slots[index] = slots;
        }
        Ok(())
    }

    /// Marks every scalar of every checkpoint on a path, from its last one back. True when that
    /// marked something new.
    pub(super) fn mark_all_precise_from(&mut self, mut parent: Option<CheckpointId>) -> bool {
        let mut changed = false;
        while let Some(id) = parent {
            let checkpoint = self.checkpoints.get_mut(id);
            for (index, frame) in checkpoint.state.frames.iter().enumerate() {
                let precise = &mut checkpoint.precise[index];
                let (mut regs, mut slots) = (0, 0);
                for (reg, value) in frame.regs.iter().enumerate().take(10) {
                    if value.is_scalar() {
                        regs |= 1 << reg;
                    }
                }
                for (slot, value) in frame.stack.slots().iter().enumerate() {
                    if value.is_scalar_spill() {
                        slots |= 1 << slot;
                    }
                }
                (regs, slots) = (regs & !precise.regs, slots & !precise.slots);
                precise.regs |= regs;
                precise.slots |= slots;
                changed |= regs != 0 || slots != 0;
                self.observer.followed(&Followed::Forced { frame: index, regs, slots });
            }
            parent = checkpoint.state.parent;
        }
        changed
    }
}

/// Where the path went from `pc`.
fn went(code: &Code, pc: usize, after: Option<usize>) -> After {
    let Some(after) = after else { return After::Next };
    let calls_back = |pc: usize| code.insns[pc].widens == Some(Widens::CallBack);
    if calls_back(after) && matches!(code.instruction(pc), Some(Instruction::Exit)) {
        return After::CalledBack;
    }
    if after == pc + usize::from(code.insns[pc].slots) {
        return After::Next;
    }
    if calls_back(pc) {
        return After::CalledBack;
    }
    match after.checked_sub(1).and_then(|pc| code.instruction(pc)) {
        Some(Instruction::CallSubprog { .. }) => After::Return,
        _ => After::Jump,
    }
}

/// A slot is wanted that the frame did not have yet: the kernel takes that for a fault of its own.
fn self_check(slot: usize, touched: usize) -> Rejection {
    let message = format!(
        "verifier bug: stack slot {slot}, total slots {touched} (i >= func->allocated_stack / BPF_REG_SIZE)"
    );
    Rejection::new(Why::SelfCheck, message).facts(
        "a value on the stack that was written on this path",
        "the value is followed back to a point at which its stack slot was not in use",
    )
}
