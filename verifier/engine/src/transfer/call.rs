//! Calls of helpers (verifier.md, 5.1).

use probity_platform::rejection::EINVAL;
use probity_platform::{
    Behaviour, Callable, CallableFlags, Code as Why, KfuncFlags, MapTraits, Outcome, RegType, Rejection,
    RetType, TypeFlags,
};
use probity_program::flags;

use super::concepts::check_modelled;
use super::effects::Call;
use super::typed::object_data;
use crate::explore::walk::{Next, Observer, Walk};
use crate::state::object::PACKET_VIEW;
use crate::state::{Frame, Reg};

impl<O: Observer> Walk<'_, O> {
    pub(super) fn call_helper(&mut self, number: i32) -> Result<Next, Rejection> {
        let callable = self.find_callable(number)?;
        self.check_call_under_lock(callable.name, callable.site)?;
        let might_sleep = callable.flags.contains(CallableFlags::MIGHT_SLEEP);
        if might_sleep && !self.may_sleep() {
            let message = "helper call might sleep in a non-sleepable prog";
            return Err(Rejection::new(Why::MightSleep, message)
                .facts("a program that may sleep", callable.name)
                .at(callable.site));
        }
        if might_sleep {
            let says =
                |inside: &str| format!("sleepable helper {}#{} in {inside}", callable.name, callable.number);
            self.check_sleep_region(says, EINVAL, callable.site)?;
        }
        let mut call = Call::new(callable);
        if callable.flags.contains(CallableFlags::UNSUPPORTED) {
            // Its declared arguments are an approximation: nothing may be concluded from them.
            self.drive(&mut call)?;
            return Err(crate::unsupported(callable.name).at(callable.site));
        }
        check_modelled(callable, self.code)?;
        for index in 0..callable.args.len() {
            self.check_argument(&mut call, index)?;
        }
        self.check_map_use(&call)?;
        self.end_with_call(callable);
        self.drive(&mut call)?;
        if let Some((regno, size)) = call.raw {
            self.write_unknown(regno, size)?;
        }
        self.release(&call)?;
        self.finish_call(&call)?;
        if call.replaces_program && self.state.current() > 0 {
            // The other program returns in this function's place; or the call fails.
            let pc = self.pc;
            self.push_branch(pc + 1, Some(pc))?;
            if invalidates_packet(&call) {
                self.invalidate_packet();
            }
            self.end_with_calls(None);
            *self.state.reg_mut(0) = self.unknown();
            return self.return_to_caller();
        }
        Ok(Next::Go(self.pc + 1))
    }

    pub(super) fn release(&mut self, call: &Call) -> Result<(), Rejection> {
        let Some(id) = call.released else { return Ok(()) };
        if id == 0 || self.release_reference(id) {
            return Ok(());
        }
        let callable = call.callable;
        let message =
            format!("func {}#{} reference has not been acquired before", callable.name, callable.number);
        Err(Rejection::new(Why::NotReferenced, message).at(callable.site))
    }

    pub(super) fn drive(&mut self, call: &mut Call) -> Result<(), Rejection> {
        let Some(driver) = call.callable.driver else { return Ok(()) };
        match driver(&mut super::effects::Running { walk: self, call })? {
            Outcome::Next => Ok(()),
        }
    }

    fn find_callable(&self, number: i32) -> Result<&'static Callable, Rejection> {
        let Some(callable) = self.offered.callable(number) else {
            return Err(self.not_offered(number));
        };
        let gpl = is_gpl_compatible(&self.program.license);
        if callable.flags.contains(CallableFlags::GPL_ONLY) && !gpl {
            let message = "cannot call GPL-restricted function from non-GPL compatible program";
            return Err(Rejection::new(Why::GplOnly, message)
                .facts(
                    "a licence that is compatible with the GPL",
                    format!("licence \"{}\"", self.program.license),
                )
                .at(callable.site));
        }
        match callable.allowed {
            Some((guard, text)) if !guard.holds(&self.guard_env()) => {
                Err(Rejection::new(Why::CallableNotOffered, text)
                    .facts(format!("a program that may call {}", callable.name), self.prog_type.name)
                    .at(callable.site))
            }
            _ => Ok(callable),
        }
    }

    fn not_offered(&self, number: i32) -> Rejection {
        let known = self.platform.callables.iter().find(|callable| callable.number.cast_signed() == number);
        match known {
            Some(callable) => {
                let name = callable.name;
                let message = format!("program of this type cannot use helper {name}#{number}");
                Rejection::new(Why::CallableNotOffered, message)
                    .facts(format!("a program type that offers {name}"), self.prog_type.name)
                    .at(callable.site)
            }
            None => Rejection::new(Why::UnknownCallable, format!("invalid func unknown#{number}"))
                .facts(format!("a helper of {}", self.platform.name), format!("number {number}")),
        }
    }

    /// The map and the callable go together, and the map may be written when the callable writes.
    fn check_map_use(&self, call: &Call) -> Result<(), Rejection> {
        let Some(map) = call.map else { return Ok(()) };
        let definition = &self.program.maps[map];
        let write = call.callable.flags.contains(CallableFlags::MAP_WRITE);
        let read_only = self.code.map_types[map].is_some_and(|row| row.traits.contains(MapTraits::READ_ONLY));
        if write && (read_only || definition.flags & flags::MAP_RDONLY_PROG != 0) {
            return Err(super::denied(Why::ReadOnly, "write into map forbidden").at(call.callable.site));
        }
        Ok(())
    }

    /// What the engine does not model of a callable on maps of a type.
    pub(super) fn check_map_modelled(&self, call: &Call, map: usize) -> Result<(), Rejection> {
        let Some(row) = self.code.map_types[map] else { return Ok(()) };
        let index = self.offered.index(call.callable.number.cast_signed());
        match index.and_then(|index| row.unsupported_call(index)) {
            Some(reason) => {
                let name = call.callable.name;
                Err(crate::unsupported(format!("{name} on {} ({reason})", row.name)).at(row.site))
            }
            None => Ok(()),
        }
    }

    /// Map types that only some callables may take.
    fn check_map_callers(&self, call: &Call) -> Result<(), Rejection> {
        let Some(map) = call.map else { return Ok(()) };
        let Some(row) = self.code.map_types[map] else { return Ok(()) };
        let allowed = match row.callers {
            probity_platform::Callers::Any => true,
            probity_platform::Callers::Only(list) => list
                .iter()
                .any(|&index| self.platform.callables[usize::from(index)].number == call.callable.number),
        };
        if allowed { Ok(()) } else { Err(map_type_rejection(call.callable, row.number).at(row.site)) }
    }

    /// What is left behind: clobbered registers, the returned value, stale pointers.
    pub(super) fn finish_call(&mut self, call: &Call) -> Result<(), Rejection> {
        let frame = self.state.frame_mut();
        clobber(frame);
        let returned = self.returned(call)?;
        *self.state.reg_mut(0) = returned;
        self.check_map_callers(call)?;
        // What another program does to the packet is seen only where that returns to.
        if invalidates_packet(call) && !call.replaces_program {
            self.invalidate_packet();
        }
        Ok(())
    }

    /// The packet may have moved.
    pub(super) fn invalidate_packet(&mut self) {
        let unknown = self.invalid();
        let packet = |reg: &Reg| match reg.behaviour {
            Some(Behaviour::Packet | Behaviour::PacketEnd) => true,
            Some(Behaviour::Region) => reg.flags.intersects(PACKET_VIEW),
            _ => false,
        };
        self.state.for_each_reg(packet, |reg| *reg = unknown);
    }

    fn returned(&mut self, call: &Call) -> Result<Reg, Rejection> {
        let ty = call.return_type.unwrap_or(call.callable.ret.ty);
        Ok(match ty {
            RetType::Void => Reg::NOT_INIT,
            RetType::Integer => {
                let mut reg = self.unknown();
                if let Some((smin, smax)) = call.return_range {
                    reg.val.smin = smin;
                    reg.val.smax = smax;
                    // A wider range says nothing of the low half.
                    if let (Ok(least), Ok(most)) = (i32::try_from(smin), i32::try_from(smax)) {
                        reg.val.s32_min = least;
                        reg.val.s32_max = most;
                    }
                    reg.val.sync();
                }
                reg
            }
            RetType::Pointer(ty) => self.returned_pointer(call, ty)?,
        })
    }

    fn returned_pointer(&mut self, call: &Call, mut ty: RegType) -> Result<Reg, Rejection> {
        if call.nonnull {
            ty.flags.remove(TypeFlags::PTR_MAYBE_NULL);
        }
        let kind = self.platform.kind(ty.kind);
        let mut reg = Reg::pointer(kind.behaviour, ty);
        match kind.behaviour {
            Behaviour::MapValue | Behaviour::MapKey | Behaviour::Map => {
                reg.data = call.map.unwrap_or_default() as u32;
                reg.data2 = call.inner_map;
            }
            Behaviour::Region => {
                reg.data = call.return_bytes.unwrap_or(call.callable.ret.size);
                if let Some(view) = call.sliced {
                    reg.data2 = view.memory();
                    // A kfunc says in the type which memory it is.
                    if call.callable.number == 0 {
                        reg.flags.insert(view.flags());
                    }
                }
            }
            Behaviour::Object => {
                reg.data = object_data(call.callable.ret.subject);
                // What an RCU section protects is good as long as that.
                if call.callable.kfunc.contains(KfuncFlags::KF_RCU_PROTECTED) {
                    reg.flags.insert(TypeFlags::MEM_RCU);
                }
            }
            Behaviour::View => reg.data = kind.view.map_or(0, u32::from),
            _ => {}
        }
        if ty.maybe_null() || self.code.may_be_locked(&reg) {
            reg.id = self.new_id();
        }
        if call.acquires {
            self.check_acquired(call)?;
            reg.ref_id = self.acquire_reference();
            reg.id = reg.ref_id;
        } else {
            reg.ref_id = self.returned_ends(call, kind.behaviour)?;
        }
        Ok(reg)
    }
}

/// A map of a type that a callable does not take.
pub(super) fn map_type_rejection(callable: &Callable, map_type: u32) -> Rejection {
    let message = format!("cannot pass map_type {map_type} into func {}#{}", callable.name, callable.number);
    Rejection::new(Why::MapType, message)
        .facts(format!("a map of a type that {} takes", callable.name), format!("map type {map_type}"))
}

/// r0 to r5 are no longer what they were.
pub(super) fn clobber(frame: &mut Frame) {
    for reg in &mut frame.regs[..6] {
        *reg = Reg::NOT_INIT;
    }
}

/// Licences under which a program may call GPL-only callables.
pub(crate) fn is_gpl_compatible(license: &str) -> bool {
    ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"]
        .contains(&license)
}

fn invalidates_packet(call: &Call) -> bool {
    if call.views.iter().any(Option::is_some) {
        return call.invalidates_packet;
    }
    call.invalidates_packet || call.callable.flags.contains(CallableFlags::CHANGES_PKT_DATA)
}
