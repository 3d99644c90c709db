//! Objects in the stack that stand for memory, dynptrs on Linux: made, copied, ended, and pointers
//! taken of them (verifier.md, 2.7).

use probity_platform::{Behaviour, Code as Why, Rejection, Site, TypeFlags};

use super::args::register;
use super::effects::Call;
use super::objects::{Misplaced, ObjectAt};
use crate::explore::walk::{Observer, Walk};
use crate::state::object::{ObjectSlot, ObjectSort, VIEWED};
use crate::state::{Reg, Slot, Tag};

/// A view that an argument points to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewArg {
    /// Its place, unless the program was given the pointer.
    pub(super) at: Option<ObjectAt>,
    /// What its first slot says.
    pub(super) reg: Reg,
}

impl ViewArg {
    /// What pointers into its memory have in common.
    pub(super) fn memory(&self) -> u32 {
        self.reg.off.cast_unsigned()
    }

    /// Which memory it is.
    pub(super) fn flags(&self) -> TypeFlags {
        self.reg.flags & VIEWED
    }
}

impl<O: Observer> Walk<'_, O> {
    /// An argument of a helper is a view.
    pub(super) fn check_view_argument(
        &mut self,
        call: &mut Call,
        index: usize,
        reg: &Reg,
        object: u16,
    ) -> Result<(), Rejection> {
        let flags = call.callable.args[index].flags;
        if flags.contains(TypeFlags::MEM_UNINIT) {
            let at = self.check_new_object(index, reg, object)?;
            call.objects[index] = Some((at, object));
            return Ok(());
        }
        if flags.contains(TypeFlags::OBJ_RELEASE) {
            self.check_view_released(index, reg, object)?;
        }
        self.check_view(call, index, reg, object)
    }

    /// A view that is there, in the stack or given.
    pub(super) fn check_view(
        &mut self,
        call: &mut Call,
        index: usize,
        reg: &Reg,
        object: u16,
    ) -> Result<(), Rejection> {
        let flags = call.callable.args[index].flags;
        if reg.behaviour == Some(Behaviour::StackObject) {
            if !flags.contains(TypeFlags::MEM_RDONLY) {
                let message = "cannot pass pointer to const bpf_dynptr, the helper mutates it";
                return Err(crate::unsupported(message));
            }
            let given = Reg { off: reg.id.cast_signed(), ..*reg };
            call.views[index] = Some(ViewArg { at: None, reg: given });
            return Ok(());
        }
        let at = self.check_object(index, reg, object)?;
        call.objects[index] = Some((at, object));
        let Some(slot) = self.object_at(at, object) else { return Ok(()) };
        let wanted = flags & VIEWED;
        if !wanted.is_empty() && slot.reg.flags & VIEWED != wanted {
            return Err(crate::unsupported("a dynptr of another type"));
        }
        call.views[index] = Some(ViewArg { at: Some(at), reg: slot.reg });
        Ok(())
    }

    fn check_view_released(&self, index: usize, reg: &Reg, object: u16) -> Result<(), Rejection> {
        let mut line = String::new();
        if reg.behaviour == Some(Behaviour::Stack) {
            match self.object_place(reg, object) {
                Ok(at) if self.state.frames[at.frame].stack.slot(at.slot).reg.ref_id != 0 => return Ok(()),
                Err(Misplaced::Said(text)) => line = text + "\n",
                _ => {}
            }
        } else {
            return Err(crate::unsupported("cannot release unowned const bpf_dynptr"));
        }
        let message = format!("{line}arg {} is an unacquired reference", register(index));
        Err(Rejection::new(Why::NotReferenced, message)
            .facts("an object that was reserved and not ended yet", "there is none"))
    }

    /// Makes a view.
    pub(super) fn make_view(&mut self, at: ObjectAt, place: ObjectSlot, flags: TypeFlags, owned: bool) {
        let id = self.new_id();
        let ref_id = if owned { self.acquire_reference() } else { 0 };
        self.put_view(at, place, (id, id, ref_id), flags);
    }

    /// Makes a view as a copy of another.
    pub(super) fn copy_view(&mut self, from: ViewArg, at: ObjectAt) {
        let id = self.new_id();
        let place = ObjectSlot::of(&from.reg);
        self.put_view(at, place, (id, from.memory(), from.reg.ref_id), from.flags());
    }

    fn put_view(&mut self, at: ObjectAt, place: ObjectSlot, ids: (u32, u32, u32), flags: TypeFlags) {
        self.put_object(at, place.object, place.state, 0, 0);
        let frame = self.state.frame_at_mut(at.frame);
        for (index, slot) in at.slots().enumerate() {
            let place = ObjectSlot { first: index == 0, ..place };
            *frame.stack.slot_mut(slot) = place.view(ids.0, ids.1, ids.2, flags);
        }
    }

    /// Ends a view, and with it its copies and the pointers into its memory.
    pub(super) fn end_view(&mut self, view: ViewArg) {
        let Some(at) = view.at else { return };
        if view.reg.ref_id == 0 {
            self.remove_object(at);
            return;
        }
        self.release_reference(view.reg.ref_id);
        let slots = self.state.frames[at.frame].stack.len();
        for slot in 0..slots {
            let value = self.state.frames[at.frame].stack.slot(slot);
            if value.is_object() && value.reg.ref_id == view.reg.ref_id && ObjectSlot::of(&value.reg).first {
                self.remove_object(ObjectAt { slot, ..at });
            }
        }
    }

    /// A store to a slot of a view destroys it; one that must be ended may not be destroyed.
    pub(super) fn destroy_view(&mut self, frame: usize, slot: usize) -> Result<(), Rejection> {
        let value = *self.state.frames[frame].stack.slot(slot);
        if value.tags[0] != Tag::Object {
            return Ok(());
        }
        let place = ObjectSlot::of(&value.reg);
        if ObjectSort::of(self.platform, place.object) != ObjectSort::View {
            return Ok(());
        }
        if value.reg.ref_id != 0 {
            return Err(Rejection::new(Why::StackObject, "cannot overwrite referenced dynptr")
                .facts("bytes that belong to no object which must be ended", "they belong to one")
                .at(Site::NONE));
        }
        let slots = self.platform.stack_objects[usize::from(place.object)].size as usize / 8;
        let first = if place.first { slot } else { slot + slots - 1 };
        let memory = value.reg.off.cast_unsigned();
        self.remove_object(ObjectAt { frame, slot: first, slots });
        // Pointers whose type says what they point into stay what they are.
        let plain = |reg: &Reg| {
            reg.behaviour == Some(Behaviour::Region)
                && reg.data2 == memory
                && TypeFlags::PTR_MAYBE_NULL.contains(reg.flags)
        };
        let invalid = if self.policy.pointer_leaks { self.unknown() } else { Reg::NOT_INIT };
        self.state.for_each_reg(plain, |reg| *reg = invalid);
        Ok(())
    }

    /// A slot is part of a view, whose bytes calls do not write.
    pub(super) fn is_view_slot(&self, slot: &Slot) -> bool {
        slot.is_object()
            && ObjectSort::of(self.platform, ObjectSlot::of(&slot.reg).object) == ObjectSort::View
    }
}
