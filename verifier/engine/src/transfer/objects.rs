//! Objects in stack slots: iterators, and flags of regions (verifier.md, 2.7 and 5.6).

use probity_platform::{Behaviour, Code as Why, Rejection, Site, TypeFlags};

use super::denied;
use super::memory::{Access, Stored};
use crate::explore::walk::{Observer, Walk};
use crate::state::object::{ObjectSlot, ObjectSort};
use crate::state::stack::SLOT;
use crate::state::{Reg, Slot};

/// Where an object lies: the frame, and its slot of the lowest address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ObjectAt {
    pub(super) frame: usize,
    pub(super) slot: usize,
    pub(super) slots: usize,
}

impl ObjectAt {
    /// Its slots, from the lowest address up.
    pub(super) fn slots(self) -> impl Iterator<Item = usize> {
        (0..self.slots).map(move |index| self.slot - index)
    }

    fn bits(self) -> u64 {
        self.slots().fold(0, |bits, slot| bits | 1 << slot)
    }
}

/// Why a pointer leads to no slots.
pub(super) enum Misplaced {
    /// The words of the reason.
    Said(String),
    /// The stack was never that deep.
    Untouched,
}

impl<O: Observer> Walk<'_, O> {
    /// How messages name objects of a kind where they are about their place.
    fn placed_name(&self, object: u16) -> &'static str {
        match ObjectSort::of(self.platform, object) {
            ObjectSort::Iterator => "iter",
            ObjectSort::View => "dynptr",
            ObjectSort::Flag => "irq_flag",
        }
    }

    pub(super) fn size_in_slots(&self, object: u16) -> usize {
        self.platform.stack_objects[usize::from(object)].size as usize / SLOT
    }

    /// The slots that a pointer to an object of a kind means.
    pub(super) fn object_place(&self, reg: &Reg, object: u16) -> Result<ObjectAt, Misplaced> {
        let name = self.placed_name(object);
        let Some(var) = reg.val.is_const() else {
            return Err(Misplaced::Said(format!("{name} has to be at a constant offset")));
        };
        let off = i64::from(reg.off) + var.cast_signed();
        let slots = self.size_in_slots(object);
        let wrong = || Misplaced::Said(format!("cannot pass in {name} at an offset={off}"));
        if off % SLOT as i64 != 0 {
            return Err(wrong());
        }
        let Ok(slot) = usize::try_from((-off - 1) / SLOT as i64) else { return Err(Misplaced::Untouched) };
        if off >= 0 {
            return Err(Misplaced::Untouched);
        }
        if slot + 1 < slots {
            return Err(wrong());
        }
        if slot >= self.state.frames[reg.frame()].stack.len() {
            return Err(Misplaced::Untouched);
        }
        Ok(ObjectAt { frame: reg.frame(), slot, slots })
    }

    /// An object of a kind stands where a pointer leads: its first slot.
    pub(super) fn object_at(&self, at: ObjectAt, object: u16) -> Option<Slot> {
        let frame = &self.state.frames[at.frame];
        let mut slots = at.slots().zip([true].into_iter().chain(std::iter::repeat(false)));
        let whole = slots.all(|(index, first)| {
            let slot = frame.stack.slot(index);
            let place = ObjectSlot::of(&slot.reg);
            slot.is_object()
                && slot.tags[0] == slot.tags[SLOT - 1]
                && place.object == object
                && place.first == first
        });
        whole.then(|| *frame.stack.slot(at.slot))
    }

    /// The slots of a new object are written.
    pub(super) fn clear_object_slots(&mut self, regno: u8, object: u16) -> Result<(), Rejection> {
        for index in 0..self.size_in_slots(object) {
            let off = (index * SLOT) as i32;
            self.access(regno, off, SLOT as u32, Access::Write(Stored::Unknown), false, false)?;
        }
        Ok(())
    }

    /// Makes an object.
    pub(super) fn put_object(&mut self, at: ObjectAt, object: u16, state: u8, id: u32, ref_id: u32) {
        let frame = self.state.frame_at_mut(at.frame);
        for (index, slot) in at.slots().enumerate() {
            let place = ObjectSlot { object, state, first: index == 0 };
            *frame.stack.slot_mut(slot) = place.slot(id, if index == 0 { ref_id } else { 0 });
        }
        self.liveness.write(at.frame, at.bits());
        self.observer.slots(at.frame, at.bits());
    }

    /// An object is good as long as the section lasts that it was made in.
    pub(super) fn protect_object(&mut self, at: ObjectAt) {
        let frame = self.state.frame_at_mut(at.frame);
        for slot in at.slots() {
            frame.stack.slot_mut(slot).reg.flags.insert(TypeFlags::MEM_RCU);
        }
    }

    /// Takes an object away: its slots hold nothing.
    pub(super) fn remove_object(&mut self, at: ObjectAt) {
        let frame = self.state.frame_at_mut(at.frame);
        for slot in at.slots() {
            *frame.stack.slot_mut(slot) = Slot::EMPTY;
        }
        self.liveness.write(at.frame, at.bits());
        self.observer.slots(at.frame, at.bits());
    }

    /// An object is looked at.
    pub(super) fn read_object(&mut self, at: ObjectAt) {
        let instance = self.state.frame().instance;
        self.liveness.read(instance, at.frame, self.pc, at.bits());
        self.observer.slots(at.frame, at.bits());
    }

    /// An argument that points to a new object: the place for it is free. `arg` counts from 0.
    pub(super) fn check_new_object(
        &mut self,
        arg: usize,
        reg: &Reg,
        object: u16,
    ) -> Result<ObjectAt, Rejection> {
        let regno = super::args::register(arg);
        let view = ObjectSort::of(self.platform, object) == ObjectSort::View;
        let occupied = match self.object_place(reg, object) {
            // Another of its sort is overwritten.
            Ok(_) if view => None,
            Ok(at) => at.slots().any(|slot| self.holds_sort(at.frame, slot, object)).then(String::new),
            Err(Misplaced::Untouched) => None,
            Err(Misplaced::Said(text)) => Some(text + "\n"),
        };
        if let Some(line) = occupied {
            let message = if view {
                format!("{line}Dynptr has to be an uninitialized dynptr")
            } else {
                format!("{line}expected uninitialized {}", self.argument_name(arg, object))
            };
            return Err(Rejection::new(Why::StackObject, message).facts(
                format!("r{regno} points to slots of the stack that hold no such object"),
                self.type_of(regno),
            ));
        }
        self.clear_object_slots(regno, object)?;
        self.object_place(reg, object).map_err(|_| self.not_initialized(arg, object, ""))
    }

    /// True when a slot belongs to an object of the same sort.
    fn holds_sort(&self, frame: usize, slot: usize, object: u16) -> bool {
        let slot = self.state.frames[frame].stack.slot(slot);
        let sort = |object| ObjectSort::of(self.platform, object);
        slot.is_object() && sort(ObjectSlot::of(&slot.reg).object) == sort(object)
    }

    /// An argument that points to an object that is there.
    pub(super) fn check_object(&mut self, arg: usize, reg: &Reg, object: u16) -> Result<ObjectAt, Rejection> {
        let at = match self.object_place(reg, object) {
            Ok(at) => at,
            Err(Misplaced::Untouched) => return Err(self.not_initialized(arg, object, "")),
            Err(Misplaced::Said(text)) => return Err(self.not_initialized(arg, object, &(text + "\n"))),
        };
        if self.object_at(at, object).is_none() {
            return Err(self.not_initialized(arg, object, ""));
        }
        self.read_object(at);
        Ok(at)
    }

    fn not_initialized(&self, arg: usize, object: u16, line: &str) -> Rejection {
        let name = self.argument_name(arg, object);
        let row = &self.platform.stack_objects[usize::from(object)];
        let expected = match ObjectSort::of(self.platform, object) {
            ObjectSort::View => "Expected",
            _ => "expected",
        };
        Rejection::new(Why::StackObject, format!("{line}{expected} an initialized {name}"))
            .facts(format!("a {} that was made on this path", row.name), "there is none")
            .at(Site::NONE)
    }

    fn argument_name(&self, arg: usize, object: u16) -> String {
        match ObjectSort::of(self.platform, object) {
            ObjectSort::Flag => format!("irq flag as arg#{arg}"),
            _ => format!("{} as arg #{arg}", self.platform.stack_objects[usize::from(object)].prints),
        }
    }

    /// A pointer to an object in the stack.
    pub(super) fn check_object_pointer(&self, arg: usize, reg: &Reg, object: u16) -> Result<(), Rejection> {
        let given = reg.behaviour == Some(Behaviour::StackObject);
        if reg.behaviour == Some(Behaviour::Stack)
            || (given && ObjectSort::of(self.platform, object) == ObjectSort::View)
        {
            return Ok(());
        }
        let message = match ObjectSort::of(self.platform, object) {
            ObjectSort::Iterator => format!("arg#{arg} expected pointer to an iterator on stack"),
            ObjectSort::Flag => format!("arg#{arg} doesn't point to an irq flag on stack"),
            ObjectSort::View => {
                let name = self.platform.stack_objects[usize::from(object)].name;
                format!("arg#{arg} expected pointer to stack or const struct {name}")
            }
        };
        Err(denied(Why::StackObject, message)
            .errno(probity_platform::rejection::EINVAL)
            .facts("a pointer to an object in the stack", crate::print::reg_type_name(self.platform, reg)))
    }
}
