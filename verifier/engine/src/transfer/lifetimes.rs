//! How long pointers are good that a host gives out: until something is called, as long as what they
//! derive from, or while the function runs that was called back with them.

use probity_platform::{Behaviour, Callable, Lifetime, Rejection};

use super::effects::Call;
use super::objects::ObjectAt;
use crate::explore::walk::{Observer, Walk};
use crate::state::object::{ObjectSlot, ObjectSort};
use crate::state::{End, Reg};

impl<O: Observer> Walk<'_, O> {
    /// What a pointer becomes when what it points to is gone.
    pub(super) fn invalid(&self) -> Reg {
        if self.policy.pointer_leaks { self.unknown() } else { Reg::NOT_INIT }
    }

    /// Something is called. What is good until then is gone before it does anything: also for a
    /// function that it calls back.
    pub(super) fn end_with_call(&mut self, callable: &Callable) {
        let platform = self.platform;
        self.end_those(|end| match end {
            End::Call(at) => platform.callable_at(at).is_some_and(|row| row.is(callable)),
            _ => false,
        });
    }

    /// Any of these is called, by code that is not followed; None stands for all.
    pub(super) fn end_with_calls(&mut self, called: Option<&[u16]>) {
        self.end_those(
            |end| matches!(end, End::Call(at) if called.is_none_or(|called| called.contains(&at))),
        );
    }

    /// A frame is left.
    pub(super) fn end_with_frame(&mut self, frame: usize) {
        self.end_those(|end| end == End::Frame(frame as u8));
    }

    /// A reference was given up.
    pub(super) fn end_with_reference(&mut self, id: u32) {
        self.end_those(|end| end == End::Reference(id));
    }

    fn end_those(&mut self, ended: impl Fn(End) -> bool) {
        if self.ends.is_empty() {
            return;
        }
        let invalid = self.invalid();
        let ends = &self.ends;
        self.state.for_each_reg(|reg| ends.any(reg.ref_id, &ended), |reg| *reg = invalid);
        // Objects that stand for memory which was given, as copies do.
        for frame in 0..self.state.frames.len() {
            for slot in 0..self.state.frames[frame].stack.len() {
                let value = self.state.frames[frame].stack.slot(slot);
                let place = ObjectSlot::of(&value.reg);
                if value.is_object() && place.first && self.ends.any(value.reg.ref_id, &ended) {
                    let slots = self.size_in_slots(place.object);
                    self.remove_object(ObjectAt { frame, slot, slots });
                }
            }
        }
    }

    /// What [`Reg::ref_id`] is for what a callable returns, when that is no new reference.
    pub(super) fn returned_ends(&mut self, call: &Call, behaviour: Behaviour) -> Result<u32, Rejection> {
        let row = call.callable;
        let hosted = self.platform.hosted && row.body.is_none();
        if hosted && call.derives_from.is_some_and(|reg| !self.may_derive(&reg)) {
            return Err(crate::unsupported(format!(
                "{} (another name for memory that is followed)",
                row.name
            )));
        }
        let mut ref_id = call.derives_from.map_or(0, |reg| reg.ref_id);
        if let Some(object) = call.slices {
            if hosted && object == 0 {
                let what = "slices of a stack object that need not be destroyed";
                return Err(crate::unsupported(format!("{what} ({})", row.name)));
            }
            // It is not what a release takes: that is the object.
            ref_id = if hosted { self.ends.join(object, &[]) } else { object };
            if hosted && call.derives_from.is_some() {
                return Err(crate::unsupported(format!("{} (slices and casts)", row.name)));
            }
        }
        match row.ret.lifetime {
            Lifetime::Until(at) => Ok(self.ends.join(ref_id, &[End::Call(at)])),
            // A clause under a condition that does not hold says nothing.
            Lifetime::Source
                if hosted && is_given(behaviour) && call.derives_from.is_none() && call.slices.is_none() =>
            {
                Err(crate::unsupported(format!("{} (nothing says how long the pointer is good)", row.name)))
            }
            Lifetime::Source | Lifetime::Run => Ok(ref_id),
        }
    }

    /// Something may derive from a pointer, and go with it. Memory whose bytes the engine follows by
    /// itself, or that moves, has no other name.
    fn may_derive(&self, reg: &Reg) -> bool {
        match reg.behaviour {
            Some(Behaviour::Stack | Behaviour::Packet | Behaviour::PacketEnd | Behaviour::StackObject) => {
                false
            }
            Some(Behaviour::MapValue) => self.code.special_fields[reg.map()].fields.is_empty(),
            _ => true,
        }
    }

    /// What is released has no other end.
    pub(super) fn check_acquired(&self, call: &Call) -> Result<(), Rejection> {
        let row = call.callable;
        let other = call.derives_from.is_some()
            || call.slices.is_some()
            || matches!(row.ret.lifetime, Lifetime::Until(_));
        if self.platform.hosted && other {
            return Err(crate::unsupported(format!("{} (a reference with another end)", row.name)));
        }
        Ok(())
    }

    /// A pointer that is given to a function which is called back is the host's again when that ends.
    pub(super) fn given_ends(&mut self, frame: usize) -> u32 {
        if self.platform.hosted { self.ends.join(0, &[End::Frame(frame as u8)]) } else { 0 }
    }

    /// A pointer that a field holds is good as long as what the field belongs to.
    pub(super) fn field_ends(&mut self, base: &Reg) -> u32 {
        if self.platform.hosted { self.ends.join(base.ref_id, &[]) } else { 0 }
    }

    /// An object of 8 bytes is made for a region: without one nothing would see to its end.
    pub(super) fn check_made(&self, call: &Call) -> Result<(), Rejection> {
        if !self.platform.hosted {
            return Ok(());
        }
        for &(at, object) in call.objects.iter().flatten() {
            let row = &self.platform.stack_objects[usize::from(object)];
            let Some(slot) = self.object_at(at, object) else { continue };
            let state = row.states.get(usize::from(ObjectSlot::of(&slot.reg).state));
            let flag = ObjectSort::of(self.platform, object) == ObjectSort::Flag;
            if flag && slot.reg.ref_id == 0 && state.is_some_and(|state| state.owned) {
                return Err(crate::unsupported(format!("{} without a region", row.name)).at(row.site));
            }
        }
        Ok(())
    }
}

/// Pointers whose memory is the host's.
fn is_given(behaviour: Behaviour) -> bool {
    matches!(behaviour, Behaviour::Object | Behaviour::View | Behaviour::Region | Behaviour::Handle)
}
