//! Linked scalars: registers and slots that hold, up to a constant, one value (verifier.md, 3.6).

use std::rc::Rc;

use probity_isa::Source;

use crate::domain::{self, Delta};
use crate::explore::history::{Linked, Place};
use crate::explore::walk::{Observer, Walk};
use crate::state::{ADD_CONST, ADD_CONST32, ADD_CONST64, Reg, State};

fn delta(reg: &Reg) -> Delta {
    match reg.id & ADD_CONST {
        ADD_CONST64 => Delta::Add64(reg.off),
        ADD_CONST32 => Delta::Add32(reg.off),
        _ => Delta::Base,
    }
}

impl<O: Observer> Walk<'_, O> {
    /// The scalars linked to the operands of a branch that are still read; the ones beyond the
    /// number that is followed lose their link.
    pub(super) fn collect_linked(&mut self, dst: u8, src: Source) -> Linked {
        let mut linked = Linked::NONE;
        if let Source::Reg(reg) = src {
            let right = self.state.reg(reg);
            if right.is_scalar() && right.id != 0 {
                let class = right.link_class();
                self.collect_class(class, &mut linked);
            }
        }
        // Read again: the collection may have taken the link away.
        let left = self.state.reg(dst);
        if left.is_scalar() && left.id != 0 {
            let class = left.link_class();
            self.collect_class(class, &mut linked);
        }
        linked
    }

    fn collect_class(&mut self, class: u32, linked: &mut Linked) {
        let code = self.code;
        let member = |reg: &Reg| reg.is_scalar() && reg.link_class() == class;
        for index in (0..self.state.frames.len()).rev() {
            let pc = self.state.frames.get(index + 1).map_or(self.pc, |callee| callee.callsite);
            let live = code.insns[pc].live_before;
            let frame = &mut self.state.frames[index];
            for reg in 0..10u8 {
                if live >> reg & 1 != 0
                    && member(&frame.regs[usize::from(reg)])
                    && !linked.push(index, Place::Reg(reg))
                {
                    Rc::make_mut(frame).regs[usize::from(reg)].id = 0;
                }
            }
            for slot in 0..frame.stack.len() {
                let value = frame.stack.slot(slot);
                if value.is_spill() && member(&value.reg) && !linked.push(index, Place::Slot(slot as u8)) {
                    Rc::make_mut(frame).stack.slot_mut(slot).reg.id = 0;
                }
            }
        }
    }
}

/// What a register of the running frame was found to be goes to the scalars linked to it.
pub(super) fn propagate(state: &mut State, known: u8, linked: &Linked) {
    let current = state.current();
    let source = state.reg(known);
    if source.id == 0 || !source.is_scalar() || linked.is_empty() {
        return;
    }
    let source = *source;
    for (frame, place) in linked.iter() {
        if frame == current && place == Place::Reg(known) {
            continue;
        }
        let frame = Rc::make_mut(&mut state.frames[frame]);
        let member = match place {
            Place::Reg(reg) => &mut frame.regs[usize::from(reg)],
            Place::Slot(slot) => &mut frame.stack.slot_mut(usize::from(slot)).reg,
        };
        if !member.is_scalar() || member.link_class() != source.link_class() {
            continue;
        }
        if let Some(val) = domain::propagate(&source.val, delta(&source), delta(member)) {
            member.val = val;
            if member.off == source.off {
                member.id = source.id;
            }
        }
    }
}
