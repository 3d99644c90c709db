//! What the driver of a callable asks and does during one call.

use probity_platform::{
    ArgRole, Behaviour, Callable, CallbackCall, Code as Why, Effects, Guard, KfuncFlags, PointerClass,
    RegType, Rejection, RetType, Site,
};

use super::args::register;
use super::call::map_type_rejection;
use super::objects::ObjectAt;
use super::views::ViewArg;
use crate::domain::Scalar;
use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;
use crate::state::object::{MOVING_VIEW, ObjectSlot, ObjectSort, VIEWED};

/// One call: what the arguments were, and what is to come of it.
pub(super) struct Call {
    pub(super) callable: &'static Callable,
    /// The arguments as they were before the call.
    pub(super) args: [Reg; 5],
    /// The map that was passed.
    pub(super) map: Option<usize>,
    /// Which inner map that is, 0 for one that is in no other: see [`Reg::data2`].
    pub(super) inner_map: u32,
    /// Memory that need not be initialised: the register that points to it, and its size.
    pub(super) raw: Option<(u8, u32)>,
    pub(super) return_range: Option<(i64, i64)>,
    pub(super) return_type: Option<RetType>,
    pub(super) return_bytes: Option<u32>,
    pub(super) nonnull: bool,
    /// The reference that an argument so far derives from, 0 for none.
    pub(super) referenced: u32,
    /// The reference that an argument gives up: 0 when it is null.
    pub(super) released: Option<u32>,
    /// The returned pointer is a new reference.
    pub(super) acquires: bool,
    /// The argument that the returned pointer derives from.
    pub(super) derives_from: Option<Reg>,
    pub(super) invalidates_packet: bool,
    /// Another program runs instead of the rest of this one.
    pub(super) replaces_program: bool,
    /// The stack objects that arguments point to.
    pub(super) objects: [Option<(ObjectAt, u16)>; 5],
    /// The iterator that gives its next element, and the state in which it has none.
    pub(super) advances: Option<(ObjectAt, u16, u8)>,
    /// The stack objects that stand for memory and that arguments point to.
    pub(super) views: [Option<ViewArg>; 5],
    /// The one that the returned pointer points into.
    pub(super) sliced: Option<ViewArg>,
    /// What the stack object ends with that the returned pointer is good as long as.
    pub(super) slices: Option<u32>,
}

impl Call {
    pub(super) fn new(callable: &'static Callable) -> Call {
        Call {
            callable,
            args: [Reg::NOT_INIT; 5],
            map: None,
            inner_map: 0,
            raw: None,
            return_range: None,
            return_type: None,
            return_bytes: None,
            nonnull: false,
            referenced: 0,
            released: None,
            acquires: false,
            derives_from: None,
            invalidates_packet: false,
            replaces_program: false,
            objects: [None; 5],
            advances: None,
            views: [None; 5],
            sliced: None,
            slices: None,
        }
    }

    fn arg(&self, index: u8) -> Reg {
        self.args.get(usize::from(index)).copied().unwrap_or(Reg::NOT_INIT)
    }

    fn value(&self, index: u8) -> Scalar {
        let arg = self.arg(index);
        if arg.is_scalar() { arg.val } else { Scalar::UNKNOWN }
    }
}

/// A call while its driver runs.
pub(super) struct Running<'r, 'w, O> {
    pub(super) walk: &'r mut Walk<'w, O>,
    pub(super) call: &'r mut Call,
}

/// An argument that the call was to look for an object in, and is none.
fn no_object(site: Site) -> Rejection {
    crate::unsupported("an object that is not in the stack").at(site)
}

impl<O: Observer> Running<'_, '_, O> {
    fn object(&self, arg: u8) -> Option<(ObjectAt, u16)> {
        self.call.objects.get(usize::from(arg)).copied().flatten()
    }

    fn map(&self, arg: u8) -> Option<&probity_program::MapDef> {
        let arg = self.call.arg(arg);
        if arg.behaviour != Some(Behaviour::Map) {
            return None;
        }
        self.walk.program.maps.get(arg.map())
    }
}

impl<O: Observer> Effects for Running<'_, '_, O> {
    fn umin(&self, arg: u8) -> u64 {
        self.call.value(arg).umin
    }

    fn umax(&self, arg: u8) -> u64 {
        self.call.value(arg).umax
    }

    fn smin(&self, arg: u8) -> i64 {
        self.call.value(arg).smin
    }

    fn smax(&self, arg: u8) -> i64 {
        self.call.value(arg).smax
    }

    fn constant(&self, arg: u8) -> Option<u64> {
        self.call.arg(arg).constant()
    }

    fn is_null(&self, arg: u8) -> bool {
        self.call.arg(arg).is_null_scalar()
    }

    fn map_type(&self, map: u8) -> Option<u32> {
        self.map(map).map(|map| map.map_type)
    }

    fn map_value_size(&self, map: u8) -> u64 {
        self.map(map).map_or(0, |map| u64::from(map.value_size))
    }

    fn map_key_size(&self, map: u8) -> u64 {
        self.map(map).map_or(0, |map| u64::from(map.key_size))
    }

    fn map_max_entries(&self, map: u8) -> u64 {
        self.map(map).map_or(0, |map| u64::from(map.max_entries))
    }

    fn nr_cpus(&self) -> u64 {
        u64::from(self.walk.profile.nr_cpus)
    }

    fn holds(&self, guard: &Guard) -> bool {
        guard.holds(&self.walk.guard_env())
    }

    fn require_map_type(&mut self, map: u8, allowed: &[u32], site: Site) -> Result<(), Rejection> {
        match self.map_type(map) {
            Some(number) if allowed.contains(&number) => Ok(()),
            Some(number) => Err(map_type_rejection(self.call.callable, number).at(site)),
            None => Ok(()),
        }
    }

    fn require_const(&mut self, arg: u8, site: Site) -> Result<(), Rejection> {
        if self.constant(arg).is_some() {
            return Ok(());
        }
        let message = format!("R{} is not a known constant'", register(usize::from(arg)));
        Err(super::denied(Why::ArgumentNotConstant, message).at(site))
    }

    fn require(&mut self, holds: bool, text: &'static str, site: Site) -> Result<(), Rejection> {
        if holds {
            return Ok(());
        }
        Err(Rejection::new(Why::ArgumentCondition, text)
            .facts(text, format!("it does not hold at this call of {}", self.call.callable.name))
            .at(site))
    }

    fn precise(&mut self, arg: u8) -> Result<(), Rejection> {
        if self.call.arg(arg).is_scalar() {
            self.walk.mark_precise(register(usize::from(arg)))?;
        }
        Ok(())
    }

    fn return_range(&mut self, smin: i64, smax: i64) {
        self.call.return_range = Some((smin, smax));
    }

    fn return_type(&mut self, ty: RegType) {
        self.call.return_type = Some(RetType::Pointer(ty));
    }

    fn return_bytes(&mut self, bytes: u64) {
        self.call.return_bytes = Some(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    fn nonnull_for_constant_key(&mut self, map: u8, key: u8) -> Result<(), Rejection> {
        let Some(definition) = self.map(map) else { return Ok(()) };
        // A capacity of 0 is set by a loader, to 1 at least.
        let max_entries = definition.max_entries.max(1);
        let index = self.call.arg(map).map();
        let reg = self.call.arg(key);
        let Some((index, _)) = self.walk.constant_key(Some(index), &reg) else { return Ok(()) };
        self.call.nonnull = index < u64::from(max_entries);
        Ok(())
    }

    fn enter(&mut self, region: u16, by: Option<u8>, fallible: bool, site: Site) -> Result<(), Rejection> {
        match by {
            Some(by) if !fallible && self.object(by).is_none() => {
                let reg = self.call.arg(by);
                self.walk.lock(region, &reg, site)
            }
            // The flag that was made is the region's.
            Some(by) if self.object(by).is_some() => {
                if let Some((at, object)) = self.object(by) {
                    self.walk.enter_by_flag(region, at, object);
                }
                Ok(())
            }
            None if !fallible => self.walk.enter_region(region, self.call.callable.name, site),
            _ => Err(crate::unsupported(self.walk.region(region).name).at(site)),
        }
    }

    fn leave(&mut self, region: u16, by: Option<u8>, site: Site) -> Result<(), Rejection> {
        let name = self.call.callable.name;
        let Some(by) = by else { return self.walk.leave_region(region, name, site) };
        if let Some((at, object)) = self.object(by) {
            return self.walk.leave_by_flag(region, at, object, site);
        }
        let reg = self.call.arg(by);
        self.walk.unlock(region, &reg, self.call.callable.name, site)
    }

    fn construct(&mut self, arg: u8, state: u8, site: Site) -> Result<(), Rejection> {
        let Some((at, object)) = self.object(arg) else { return Err(no_object(site)) };
        let row = &self.walk.platform.stack_objects[usize::from(object)];
        let owned = row.states.get(usize::from(state)).is_some_and(|state| state.owned);
        match ObjectSort::of(self.walk.platform, object) {
            ObjectSort::Iterator => {
                let id = self.walk.acquire_reference();
                self.walk.put_object(at, object, state, 0, id);
                if self.call.callable.kfunc.contains(KfuncFlags::KF_RCU_PROTECTED) {
                    self.walk.protect_object(at);
                }
            }
            // What it holds comes with its region.
            ObjectSort::Flag => self.walk.put_object(at, object, state, 0, 0),
            ObjectSort::View => {
                // Memory that a view stands for is a map's value.
                let other = |(arg, reg): (&probity_platform::Arg, &Reg)| {
                    let class = &self.walk.platform.arg_classes[usize::from(arg.class)];
                    class.role == ArgRole::Mem && reg.behaviour != Some(Behaviour::MapValue)
                };
                if self.call.callable.args.iter().zip(&self.call.args).any(other) {
                    return Err(crate::unsupported(format!("{} of other memory", row.name)).at(site));
                }
                let place = ObjectSlot { object, state, first: true };
                let flags = self.call.callable.args[usize::from(arg)].flags & VIEWED;
                self.walk.make_view(at, place, flags, owned);
            }
        }
        Ok(())
    }

    fn call_back(&mut self, call: &CallbackCall, times: Option<u64>) -> Result<(), Rejection> {
        self.walk.call_back(self.call, call, times)
    }

    fn require_member(&mut self, field: u8, map: u8, site: Site) -> Result<(), Rejection> {
        self.walk.check_member(self.call, usize::from(field), usize::from(map), site)
    }

    fn advance(&mut self, arg: u8, drained: u8, site: Site) -> Result<(), Rejection> {
        let Some((at, object)) = self.object(arg) else { return Err(no_object(site)) };
        self.call.advances = Some((at, object, drained));
        Ok(())
    }

    fn clone_object(&mut self, from: u8, to: u8, site: Site) -> Result<(), Rejection> {
        let (Some(view), Some((at, _))) = (self.call.views[usize::from(from)], self.object(to)) else {
            return Err(no_object(site));
        };
        self.walk.copy_view(view, at);
        Ok(())
    }

    fn slice(&mut self, arg: u8) {
        self.call.sliced = self.call.views[usize::from(arg)];
        self.call.slices = match (self.call.sliced, self.object(arg)) {
            (Some(view), _) => Some(view.reg.ref_id),
            // What is no memory keeps what it gave out as it does elements.
            (None, Some((at, object))) => {
                Some(self.walk.object_at(at, object).map_or(0, |slot| slot.reg.ref_id))
            }
            (None, None) => None,
        };
    }

    fn destroy(&mut self, arg: u8, site: Site) -> Result<(), Rejection> {
        if let Some(view) = self.call.views[usize::from(arg)] {
            self.walk.end_view(view);
            return Ok(());
        }
        let Some((at, object)) = self.object(arg) else { return Err(no_object(site)) };
        let Some(slot) = self.walk.object_at(at, object) else { return Err(no_object(site)) };
        if ObjectSlot::of(&slot.reg).object != object {
            return Err(no_object(site));
        }
        self.walk.release_reference(slot.reg.ref_id);
        self.walk.remove_object(at);
        Ok(())
    }

    fn invalidate(&mut self, class: PointerClass) {
        match class {
            PointerClass::Packet => {
                // Data of a socket buffer moves when it is written through a view, that of an XDP
                // buffer does not.
                let mut views = self.call.views.iter().flatten().peekable();
                self.call.invalidates_packet =
                    views.peek().is_none() || views.any(|view| view.flags().intersects(MOVING_VIEW));
            }
        }
    }

    fn acquire(&mut self, class: &'static str, site: Site) {
        let _ = (class, site);
        self.call.acquires = true;
    }

    fn cast(&mut self, arg: u8) {
        self.call.derives_from = Some(self.call.arg(arg));
    }

    fn tail_call(&mut self, map: u8, index: u8, site: Site) -> Result<(), Rejection> {
        // A known index of an element is compared between paths.
        if self.constant(index).is_some_and(|index| index < self.map_max_entries(map).max(1)) {
            self.precise(index)?;
        }
        self.walk.check_no_references("tail_call", site)?;
        self.call.replaces_program = true;
        Ok(())
    }

    fn unsupported(&mut self, name: &'static str, site: Site) -> Result<(), Rejection> {
        Err(crate::unsupported(name).at(site))
    }
}
