//! When a remembered state stands for a current one (verifier.md, 6.2 to 6.4).

use probity_platform::Behaviour;

use super::checkpoint::Checkpoint;
use super::ids::IdMap;
use crate::prepare::Code;
use crate::state::{ADD_CONST, Frame, Reg, Slot, State, Tag};

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
    /// How exactly they must agree.
    pub mode: Exactness,
    /// Stack bytes that were never written may be read.
    pub uninit_stack: bool,
}

impl Comparison<'_> {
    /// True when `old` stands for `cur`.
    pub fn states_equal(&mut self) -> bool {
        let old = &self.old.state;
        if old.frames.len() != self.cur.frames.len() {
            return false;
        }
        if !self.references_equal() {
            return false;
        }
        (0..old.frames.len()).all(|index| {
            old.frames[index].callsite == self.cur.frames[index].callsite && self.frames_equal(index)
        })
    }

    fn references_equal(&mut self) -> bool {
        let (old, cur) = (self.old.state.references.held(), self.cur.references.held());
        old.len() == cur.len() && old.iter().zip(cur).all(|(old, cur)| self.ids.matches(old.id, cur.id))
    }

    fn frames_equal(&mut self, index: usize) -> bool {
        let (old, cur): (&Frame, &Frame) = (&self.old.state.frames[index], &self.cur.frames[index]);
        let precise = self.old.precise[index].regs;
        let mut live = self.code.insns[self.pc_of(index)].live_before & REGS;
        while live != 0 {
            let reg = live.trailing_zeros() as usize;
            live &= live - 1;
            if !self.regs_equal(&old.regs[reg], &cur.regs[reg], precise >> reg & 1 != 0) {
                return false;
            }
        }
        self.stacks_equal(index, old, cur)
    }

    /// The instruction at which a frame stands: the call for all but the running one.
    fn pc_of(&self, index: usize) -> usize {
        let state = &self.old.state;
        state.frames.get(index + 1).map_or(state.pc, |callee| callee.callsite)
    }

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
                    && self.ids.matches(old.ref_id, cur.ref_id)
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
            && self.ids.matches(old.ref_id, cur.ref_id)
    }

    fn stacks_equal(&mut self, index: usize, old: &Frame, cur: &Frame) -> bool {
        let precise = self.old.precise[index].slots;
        let dead = if self.old.cleaned { self.old.dead_slots[index] } else { 0 };
        if self.mode == Exactness::NotExact && self.old.cleaned {
            // What tells nothing stands for everything.
            let mut telling = self.old.telling_slots[index];
            while telling != 0 {
                let number = telling.trailing_zeros() as usize;
                telling &= telling - 1;
                let (old, cur) = (old.stack.slot(number), cur.stack.slots().get(number));
                if !self.slots_equal(old, cur, precise >> number & 1 != 0) {
                    return false;
                }
            }
            return true;
        }
        (0..old.stack.len()).all(|number| {
            let old = if dead >> number & 1 != 0 { &Slot::EMPTY } else { old.stack.slot(number) };
            self.slots_equal(old, cur.stack.slots().get(number), precise >> number & 1 != 0)
        })
    }

    fn slots_equal(&mut self, old: &Slot, cur: Option<&Slot>, precise: bool) -> bool {
        if self.mode == Exactness::Exact && cur.is_none_or(|cur| cur.tags != old.tags) {
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
        !old.is_spill() || self.regs_equal(&old.reg, &cur.reg, precise)
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
