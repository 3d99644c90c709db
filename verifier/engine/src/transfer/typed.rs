//! Pointers to objects of named types: passed to callables, and walked field by field where the spec
//! has their layout (verifier.md, 5.2).

use probity_platform::rejection::{EACCES, EINVAL};
use probity_platform::{
    Arg, Behaviour, Code as Why, KfuncFlags, Object, ObjectFlags, Rejection, Subject, TypeFlags,
};

use super::args::register;
use super::denied;
use super::effects::Call;
use super::memory::Access;
use crate::explore::walk::{Observer, Walk};
use crate::state::Reg;
use crate::state::ends::reference;

/// The flags that say how far a pointer is trusted.
const TRUST: TypeFlags = TypeFlags::PTR_TRUSTED.union(TypeFlags::MEM_RCU);

/// The type of the object that a register points to: its index, when it is known.
pub(crate) fn object_of(reg: &Reg) -> Option<u16> {
    u16::try_from(reg.data.checked_sub(1)?).ok().filter(|_| reg.behaviour == Some(Behaviour::Object))
}

/// What [`Reg::data`] holds for a pointer to an object of this type.
pub(crate) fn object_data(subject: Subject) -> u32 {
    match subject {
        Subject::Object(object) => u32::from(object) + 1,
        _ => 0,
    }
}

impl<O: Observer> Walk<'_, O> {
    /// An argument of a kfunc is an object of a type.
    pub(super) fn check_kfunc_typed(
        &mut self,
        call: &mut Call,
        index: usize,
        reg: &Reg,
        null: bool,
    ) -> Result<(), Rejection> {
        let (arg, row) = (&call.callable.args[index], call.callable);
        let regno = register(index);
        let releases = row.kfunc.contains(KfuncFlags::KF_RELEASE);
        let trusted = releases || row.kfunc.contains(KfuncFlags::KF_TRUSTED_ARGS);
        let rcu = row.kfunc.contains(KfuncFlags::KF_RCU);
        if null {
            return Ok(());
        }
        let may_be_null = reg.is_null_scalar() || (reg.is_pointer() && reg.maybe_null());
        // A host is given objects that are there. Linux lets a kfunc that demands no trust have others.
        let is_there = trusted || rcu || self.platform.hosted;
        if is_there && may_be_null && !arg.flags.contains(TypeFlags::PTR_MAYBE_NULL) {
            let message = format!("Possibly NULL pointer passed to trusted arg{index}");
            return Err(denied(Why::ArgumentMaybeNull, message)
                .facts(format!("argument {} (r{regno}) is not null", arg.name), self.type_of(regno)));
        }
        let Subject::Object(wanted) = arg.subject else {
            return Err(crate::unsupported(format!("{} (an object of any type)", row.name)));
        };
        let Some(object) = object_of(reg).filter(|_| !reg.maybe_null()) else {
            return Err(self.no_object(index, reg, wanted));
        };
        if trusted || rcu {
            self.check_trust(regno, reg, rcu, arg)?;
        }
        if releases && reference(reg.ref_id) != 0 {
            if reg.off != 0 {
                let message = format!(
                    "R{regno} must have zero offset when passed to release func or trusted arg to kfunc"
                );
                return Err(Rejection::new(Why::ArgumentOffset, message).errno(EINVAL));
            }
            call.released = Some(reg.ref_id);
        }
        if reg.val.is_const() != Some(0) {
            return self.check_offset(regno, reg, true);
        }
        if reg.off == 0 && self.is_object(object, wanted) {
            return Ok(());
        }
        if reg.off != 0 && object != wanted {
            return Err(crate::unsupported(format!("{} (a part of an object)", row.name)));
        }
        let name = |index: u16| struct_name(&self.platform.objects[usize::from(index)]);
        let message = format!(
            "kernel function {} args#{index} expected pointer to STRUCT {} but R{regno} has a pointer to STRUCT {}",
            row.name,
            name(wanted),
            name(object)
        );
        Err(Rejection::new(Why::ArgumentType, message)
            .errno(EINVAL)
            .facts(format!("a pointer to {}", name(wanted)), format!("one to {}", name(object))))
    }

    /// An argument is no object, and can be none.
    fn no_object(&self, index: usize, reg: &Reg, wanted: u16) -> Rejection {
        let row = &self.platform.objects[usize::from(wanted)];
        let regno = register(index);
        let facts = |rejection: Rejection| {
            rejection.facts(format!("a pointer to {}", struct_name(row)), self.type_of(regno))
        };
        let plain = row.flags.contains(ObjectFlags::PLAIN);
        match reg.behaviour {
            Some(Behaviour::Scalar) if plain && reg.val != crate::domain::Scalar::constant(0) => {
                let stack = self.platform.kind(self.kinds.stack).prints;
                let message = format!("R{regno} type=scalar expected={stack}");
                facts(denied(Why::ArgumentType, message))
            }
            // Other structs are taken for objects.
            _ if plain || matches!(reg.behaviour, Some(Behaviour::Object | Behaviour::View)) => {
                crate::unsupported(format!("what is no {} as one", struct_name(row)))
            }
            _ => {
                let message = format!(
                    "arg#{index} pointer type STRUCT {} must point to scalar, or struct with scalar",
                    struct_name(row)
                );
                facts(Rejection::new(Why::ArgumentType, message).errno(EINVAL))
            }
        }
    }

    fn check_trust(&self, regno: u8, reg: &Reg, rcu: bool, arg: &Arg) -> Result<(), Rejection> {
        // What a host gave out is valid until it ends, and then no pointer any more.
        let given = self.platform.hosted && !reg.flags.contains(TypeFlags::PTR_UNTRUSTED);
        let trusted = given
            || reg.ref_id != 0
            || (reg.flags.contains(TypeFlags::PTR_TRUSTED)
                && reg.flags.difference(TRUST | TypeFlags::MEM_ALLOC).is_empty());
        if trusted || (rcu && reg.flags.contains(TypeFlags::MEM_RCU)) {
            return Ok(());
        }
        let what = if rcu { "must be a rcu pointer" } else { "must be referenced or trusted" };
        Err(Rejection::new(Why::ArgumentType, format!("R{regno} {what}"))
            .errno(EINVAL)
            .facts(format!("a pointer for {} that is known to be valid", arg.name), self.type_of(regno)))
    }

    /// What a kfunc gives up was acquired.
    pub(super) fn check_kfunc_released(&self, call: &Call) -> Result<(), Rejection> {
        if !call.callable.kfunc.contains(KfuncFlags::KF_RELEASE) || call.released.is_some() {
            return Ok(());
        }
        let message =
            format!("release kernel function {} expects refcounted PTR_TO_BTF_ID", call.callable.name);
        Err(Rejection::new(Why::NotReferenced, message)
            .errno(EINVAL)
            .facts("an object that was acquired and not released yet", "none was"))
    }

    /// An argument of a helper is an object of a type; that its kind and trust fit is known.
    pub(super) fn check_typed(&self, call: &Call, index: usize, reg: &Reg) -> Result<(), Rejection> {
        let arg = &call.callable.args[index];
        let regno = register(index);
        let Some(object) = object_of(reg) else {
            let name = crate::print::type_name(self.platform, reg.ty());
            return Err(crate::unsupported(format!("{name} as an argument")));
        };
        let wanted = match arg.subject {
            Subject::Object(wanted) => wanted,
            _ => return Err(crate::unsupported(format!("{} (an object of any type)", call.callable.name))),
        };
        if reg.off == 0 && self.is_object(object, wanted) {
            return Ok(());
        }
        if reg.off != 0 {
            return Err(crate::unsupported(format!("{} (a part of an object)", call.callable.name)));
        }
        let name = |index: u16| struct_name(&self.platform.objects[usize::from(index)]);
        let message = format!("R{regno} is of type {} but {} is expected", name(object), name(wanted));
        Err(Rejection::new(Why::ArgumentType, message)
            .errno(EACCES)
            .facts(format!("a pointer to {}", name(wanted)), format!("one to {}", name(object))))
    }

    /// An object of one type is one of another, because that is its first member.
    fn is_object(&self, object: u16, wanted: u16) -> bool {
        object == wanted || {
            let row = &self.platform.objects[usize::from(object)];
            row.upcasts.iter().any(|&upcast| upcast != object && self.is_object(upcast, wanted))
        }
    }

    /// Loads or stores through a pointer to an object whose layout the spec has.
    pub(super) fn access_object(
        &mut self,
        regno: u8,
        reg: &Reg,
        off: i64,
        size: u32,
        access: Access,
    ) -> Result<(), Rejection> {
        if self.policy.speculation {
            return Err(crate::unsupported("fields of objects where speculation is followed"));
        }
        let row = object_of(reg).map(|object| &self.platform.objects[usize::from(object)]);
        let Some((row, view)) = row.and_then(|row| row.view.map(|view| (row, view))) else {
            let name = row.map_or("", struct_name);
            return Err(crate::unsupported(format!("access through {}{name}", self.type_of(regno))));
        };
        if reg.flags.contains(TypeFlags::PTR_UNTRUSTED) {
            return Err(crate::unsupported(format!("access through {}{}", self.type_of(regno), row.name)));
        }
        if reg.val.is_const() != Some(0) {
            return self.check_offset(regno, reg, true);
        }
        self.access_fields(regno, reg, (view, row.name), off, size, access)
    }
}

/// The struct that an object is.
pub(crate) fn struct_name(row: &'static Object) -> &'static str {
    row.btf.unwrap_or(row.name)
}
