//! When a remembered state stands for a current one (verifier.md, 6.2 to 6.4).

use probity_platform::Behaviour;

use super::checkpoint::Checkpoint;
use super::history::Place;
use super::ids::IdMap;
use crate::prepare::Code;
use crate::state::{ADD_CONST, Ends, Frame, Reg, Slot, State, Tag, ends};

/// How exactly two states must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// Imprecise scalars of the old state stand for any scalar.
    NotExact,
    /// Ranges are compared whether precise or not.
    RangeWithin,
    /// Everything must be the same.
    Exact,
}

/// Whether two numbers are the same, their links too.
pub(crate) fn exact_scalars(old: &Reg, cur: &Reg) -> bool {
    old.off == cur.off && old.val == cur.val && (old.id == 0) == (cur.id == 0)
}

fn same_callback(old: &Frame, cur: &Frame) -> bool {
    match (old.callback, cur.callback) {
        (None, None) => true,
        (Some(old), Some(cur)) => std::ptr::eq(old, cur),
        _ => false,
    }
}

/// r0 to r9.
const REGS: u16 = 0x3ff;

/// A comparison of one remembered with one current state.
pub struct Comparison<'a> {
    /// The remembered state.
    pub old: &'a Checkpoint,
    /// The current state.
    pub cur: &'a State,
    /// The program.
    pub code: &'a Code,
    /// The correspondence of identities.
    pub ids: &'a mut IdMap,
    /// What pointers of a host end with.
    pub ends: &'a Ends,
    /// How exactly they must agree.
    pub mode: Exactness,
    /// Stack bytes that were never written may be read.
    pub uninit_stack: bool,
    /// Numbers must be the same, precise or not: how far they reach decides how pointers are masked.
    pub strict_numbers: bool,
}

/// A register or slot of a frame in which two states differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    frame: u8,
    place: Place,
}

impl Difference {
    /// In a register of a frame.
    #[must_use]
    pub fn reg(frame: usize, reg: usize) -> Difference {
        Difference { frame: frame as u8, place: Place::Reg(reg as u8) }
    }

    fn slot(frame: usize, slot: usize) -> Difference {
        Difference { frame: frame as u8, place: Place::Slot(slot as u8) }
    }
}

impl Comparison<'_> {
    /// Whether `old` stands for `cur`. `likely` is where it differed the last time; it is looked at
    /// first, which decides nothing but how long it takes: identities correspond or not in
    /// whatever order they are met.
    ///
    /// # Errors
    /// Where they differ, when it is in one place.
    pub fn states_equal(&mut self, likely: Option<Difference>) -> Result<(), Option<Difference>> {
        let old = &self.old.state;
        let frames = old.frames.len();
        if frames != self.cur.frames.len() || (old.speculative && !self.cur.speculative) {
            return Err(None);
        }
        if let Some(likely) = likely
            && !self.place_equal(likely)
        {
            return Err(Some(likely));
        }
        let mut calls = old.frames.iter().zip(&self.cur.frames);
        if !calls.all(|(old, cur)| {
            old.callsite == cur.callsite && old.called_back <= cur.called_back && same_callback(old, cur)
        }) {
            return Err(None);
        }
        if !self.references_equal() {
            return Err(None);
        }
        (0..frames).try_for_each(|index| self.frames_equal(index, likely))
    }

    fn references_equal(&mut self) -> bool {
        let (old, cur) = (self.old.state.references.held(), self.cur.references.held());
        old.len() == cur.len()
            && self.old.state.references.inside() == self.cur.references.inside()
            && old.iter().zip(cur).all(|(old, cur)| old.what == cur.what && self.ids.matches(old.id, cur.id))
    }

    fn place_equal(&mut self, at: Difference) -> bool {
        let index = usize::from(at.frame);
        let (old, cur) = (&self.old.state.frames[index], &self.cur.frames[index]);
        let precise = self.old.precise[index];
        match at.place {
            Place::Reg(reg) => {
                let number = usize::from(reg);
                self.regs_equal(&old.regs[number], &cur.regs[number], precise.regs >> reg & 1 != 0)
            }
            Place::Slot(slot) => self.slot_equal(index, old, cur, usize::from(slot)),
        }
    }

    /// `done` was compared already.
    fn frames_equal(&mut self, index: usize, done: Option<Difference>) -> Result<(), Option<Difference>> {
        let (old, cur): (&Frame, &Frame) = (&self.old.state.frames[index], &self.cur.frames[index]);
        let precise = self.old.precise[index].regs;
        let (mut live, mut slots) =
            (self.code.insns[self.pc_of(index)].live_before & REGS, self.slots(index));
        match done.filter(|done| usize::from(done.frame) == index).map(|done| done.place) {
            Some(Place::Reg(reg)) => live &= !(1 << reg),
            Some(Place::Slot(slot)) => slots &= !(1 << slot),
            None => {}
        }
        while live != 0 {
            let reg = live.trailing_zeros() as usize;
            live &= live - 1;
            if !self.regs_equal(&old.regs[reg], &cur.regs[reg], precise >> reg & 1 != 0) {
                return Err(Some(Difference::reg(index, reg)));
            }
        }
        while slots != 0 {
            let slot = slots.trailing_zeros() as usize;
            slots &= slots - 1;
            if !self.slot_equal(index, old, cur, slot) {
                return Err(Some(Difference::slot(index, slot)));
            }
        }
        Ok(())
    }

    /// The slots of a frame that are compared: what tells nothing stands for everything.
    fn slots(&self, index: usize) -> u64 {
        if self.mode == Exactness::NotExact && self.old.cleaned {
            return self.old.telling_slots[index];
        }
        let touched = self.old.state.frames[index].stack.len() as u32;
        u64::MAX.checked_shr(u64::BITS - touched).unwrap_or(0)
    }

    /// The instruction at which a frame stands: the call for all but the running one.
    fn pc_of(&self, index: usize) -> usize {
        let state = &self.old.state;
        state.frames.get(index + 1).map_or(state.pc, |callee| callee.callsite)
    }

    #[inline]
    fn regs_equal(&mut self, old: &Reg, cur: &Reg, precise: bool) -> bool {
        if self.mode == Exactness::Exact {
            return self.exact(old, cur);
        }
        let Some(behaviour) = old.behaviour else { return true };
        if cur.behaviour != old.behaviour || old.kind != cur.kind || old.flags != cur.flags {
            return false;
        }
        match behaviour {
            Behaviour::Scalar => {
                if self.strict_numbers {
                    return old.off == cur.off
                        && old.val == cur.val
                        && self.ids.matches_scalar(old.id, cur.id);
                }
                if !precise && self.mode == Exactness::NotExact {
                    return true;
                }
                let linked = old.id != 0;
                if linked && old.id & ADD_CONST != cur.id & ADD_CONST {
                    return false;
                }
                if old.id & ADD_CONST != 0 && old.off != cur.off {
                    return false;
                }
                // A distance hangs on its base: both must correspond.
                let base = |id: u32| id & !ADD_CONST;
                cur.val.within(&old.val)
                    && self.ids.matches_scalar(old.id, cur.id)
                    && (old.id & ADD_CONST == 0 || self.ids.matches_scalar(base(old.id), base(cur.id)))
            }
            Behaviour::MapKey | Behaviour::MapValue | Behaviour::Region => {
                old.off == cur.off
                    && old.data == cur.data
                    && old.data2 == cur.data2
                    && cur.val.within(&old.val)
                    && self.ids.matches(old.id, cur.id)
                    && self.ends_match(old.ref_id, cur.ref_id)
            }
            Behaviour::Packet => {
                let range_fits = if old.range() < 0 || cur.range() < 0 {
                    old.range() == cur.range()
                } else {
                    old.range() <= cur.range()
                };
                range_fits
                    && old.off == cur.off
                    && self.ids.matches(old.id, cur.id)
                    && self.ends_match(old.ref_id, cur.ref_id)
                    && cur.val.within(&old.val)
            }
            Behaviour::Arena => true,
            _ => self.exact(old, cur),
        }
    }

    fn exact(&mut self, old: &Reg, cur: &Reg) -> bool {
        old.behaviour == cur.behaviour
            && old.kind == cur.kind
            && old.flags == cur.flags
            && old.off == cur.off
            && old.data == cur.data
            && old.data2 == cur.data2
            && old.val == cur.val
            && self.ids.matches(old.id, cur.id)
            && self.ends_match(old.ref_id, cur.ref_id)
    }

    /// Whether a current pointer ends with what an old one ends with.
    #[inline]
    fn ends_match(&mut self, old: u32, cur: u32) -> bool {
        if (old | cur) & ends::SET == 0 {
            return self.ids.matches(old, cur);
        }
        self.ends.matches(old, cur, self.ids)
    }

    fn slot_equal(&mut self, index: usize, old: &Frame, cur: &Frame, number: usize) -> bool {
        let dead = self.old.cleaned && self.old.dead_slots[index] >> number & 1 != 0;
        let precise = self.old.precise[index].slots >> number & 1 != 0;
        let old = if dead { &Slot::EMPTY } else { old.stack.slot(number) };
        let cur = cur.stack.slots().get(number);
        // The same slot, shared: only identities could fail to correspond.
        if cur.is_some_and(|cur| std::ptr::eq(old, cur)) && old.reg.id == 0 && old.reg.ref_id == 0 {
            return true;
        }
        self.slots_equal(old, cur, precise)
    }

    fn slots_equal(&mut self, old: &Slot, cur: Option<&Slot>, precise: bool) -> bool {
        if self.mode != Exactness::NotExact && cur.is_none_or(|cur| cur.tags != old.tags) {
            return false;
        }
        let matters = |tag: Tag| tag != Tag::Invalid && !(self.uninit_stack && tag == Tag::Misc);
        if !old.tags.iter().any(|&tag| matters(tag)) {
            return true;
        }
        let Some(cur) = cur else { return false };
        // A whole scalar and eight bytes of anything stand for each other as scalars do.
        if old.is_full_scalar_spill()
            && let Some(cur_reg) = self.as_scalar(cur)
        {
            return self.regs_equal(&old.reg, &cur_reg, precise);
        }
        for (&old_tag, &cur_tag) in old.tags.iter().zip(&cur.tags) {
            let stands =
                !matters(old_tag) || old_tag == cur_tag || (old_tag == Tag::Misc && cur_tag == Tag::Zero);
            if !stands {
                return false;
            }
        }
        if old.is_object() {
            return self.objects_equal(&old.reg, &cur.reg);
        }
        !old.is_spill() || self.regs_equal(&old.reg, &cur.reg, precise)
    }

    /// Slots of stack objects: how many elements an iterator gave does not matter.
    fn objects_equal(&mut self, old: &Reg, cur: &Reg) -> bool {
        old.data == cur.data
            && old.data2 == cur.data2
            && old.flags == cur.flags
            && self.ends_match(old.ref_id, cur.ref_id)
    }

    /// The scalar that an eight-byte load of a slot gives, when it gives one whatever the bytes.
    fn as_scalar(&self, slot: &Slot) -> Option<Reg> {
        if slot.is_full_scalar_spill() {
            return Some(slot.reg);
        }
        let unknown = |tag: &Tag| *tag == Tag::Misc || (self.uninit_stack && *tag == Tag::Invalid);
        slot.tags.iter().all(unknown).then(Reg::unknown)
    }
}
