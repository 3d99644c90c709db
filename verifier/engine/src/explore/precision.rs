//! Precision marks: on which scalars of which checkpoints safety hangs (verifier.md, 2.6).

use probity_isa::Instruction;
use probity_platform::{Code as Why, Rejection};

use super::backtrack::{After, Wants};
use super::checkpoint::CheckpointId;
use super::history::HistoryHead;
use super::walk::{Observer, Walk};

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
        let checkpoint = self.checkpoints.get(old);
        let mut wants = Wants::none(self.state.current());
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
        self.follow_back(wants)
    }

    /// Walks back over the executed instructions, checkpoint by checkpoint, until nothing is
    /// wanted any more.
    fn follow_back(&mut self, mut wants: Wants) -> Result<(), Rejection> {
        // Where nothing is remembered nothing is marked.
        if wants.is_empty() || !self.prunes {
            return Ok(());
        }
        let mut at = self.pc;
        let mut after = None;
        let mut skip = true;
        let mut head = self.state.history;
        let mut first = self.state.first_pc;
        let mut parent = self.state.parent;
        loop {
            if !self.walk_segment(&mut wants, &mut at, &mut after, &mut skip, head, first) {
                self.mark_all_precise();
                return Ok(());
            }
            if wants.is_empty() {
                return Ok(());
            }
            let Some(id) = parent else { break };
            self.mark_checkpoint(id, &mut wants)?;
            if wants.is_empty() {
                return Ok(());
            }
            let state = &self.checkpoints.get(id).state;
            let Some(last) = state.last_pc else { break };
            after = Some(first);
            at = last;
            first = state.first_pc;
            head = state.history;
            parent = state.parent;
        }
        // Something is wanted that no instruction on the path made.
        self.mark_all_precise();
        Ok(())
    }

    /// Walks back from `at` to the checkpoint that the segment began at. False when the value
    /// can't be followed.
    fn walk_segment(
        &self,
        wants: &mut Wants,
        at: &mut usize,
        after: &mut Option<usize>,
        skip: &mut bool,
        mut head: HistoryHead,
        first: usize,
    ) -> bool {
        loop {
            let node = self.history.last(head).filter(|node| node.pc == *at);
            if *skip {
                *skip = false;
            } else {
                let Some(instruction) = self.code.instruction(*at) else { return false };
                let went = self.went(*at, *after);
                if wants.step_back(instruction, node, went).is_err() {
                    return false;
                }
            }
            if wants.is_empty() {
                return true;
            }
            *after = Some(*at);
            if *at == first && (head.is_empty() || (head.len() == 1 && node.is_some())) {
                return true;
            }
            match node {
                Some(node) => {
                    let Some(previous) = node.prev_pc else { return true };
                    head = self.history.before(head);
                    *at = previous;
                }
                None => *at = self.before(*at),
            }
        }
    }

    fn went(&self, pc: usize, after: Option<usize>) -> After {
        let Some(after) = after else { return After::Next };
        if after == pc + self.code.insns[pc].slots {
            return After::Next;
        }
        let before = after.checked_sub(1).and_then(|pc| self.code.instruction(pc));
        match before {
            Some(Instruction::CallSubprog { .. }) => After::Return,
            _ => After::Jump,
        }
    }

    /// The instruction in front of `pc` in the program: a 64-bit load takes two slots.
    fn before(&self, pc: usize) -> usize {
        // The second half of a load is all zero, so it is never taken for a load itself.
        let wide = pc >= 2 && self.code.insns[pc - 2].slots == 2;
        pc - if wide { 2 } else { 1 }
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

    /// Gives up and marks every scalar of every checkpoint on the path.
    fn mark_all_precise(&mut self) {
        let mut parent = self.state.parent;
        while let Some(id) = parent {
            let checkpoint = self.checkpoints.get_mut(id);
            for (index, frame) in checkpoint.state.frames.iter().enumerate() {
                let precise = &mut checkpoint.precise[index];
                for (reg, value) in frame.regs.iter().enumerate().take(10) {
                    if value.is_scalar() {
                        precise.regs |= 1 << reg;
                    }
                }
                for (slot, value) in frame.stack.slots().iter().enumerate() {
                    if value.is_scalar_spill() {
                        precise.slots |= 1 << slot;
                    }
                }
            }
            parent = checkpoint.state.parent;
        }
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
