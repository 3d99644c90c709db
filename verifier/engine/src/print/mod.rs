//! Types and values as messages print them.

pub mod state;

use probity_platform::{Behaviour, Platform, RegType, TypeFlags};

use crate::domain::Tnum;
use crate::state::Reg;

/// A register type as messages name it: `map_value_or_null`, `rdonly_mem`, `trusted_ptr_`.
#[must_use]
pub fn type_name(platform: &Platform, ty: RegType) -> String {
    let kind = platform.kind(ty.kind);
    let prefixes = [
        (TypeFlags::MEM_RDONLY, "rdonly_"),
        (TypeFlags::MEM_RINGBUF, "ringbuf_"),
        (TypeFlags::MEM_USER, "user_"),
        (TypeFlags::MEM_PERCPU, "percpu_"),
        (TypeFlags::MEM_RCU, "rcu_"),
        (TypeFlags::PTR_UNTRUSTED, "untrusted_"),
        (TypeFlags::PTR_TRUSTED, "trusted_"),
    ];
    let mut name = String::new();
    for (flag, prefix) in prefixes {
        if ty.flags.contains(flag) {
            name.push_str(prefix);
        }
    }
    name.push_str(kind.prints);
    if ty.maybe_null() {
        // Object pointers are followed by the object's name.
        name.push_str(if kind.behaviour == Behaviour::Object { "or_null_" } else { "_or_null" });
    }
    name
}

/// The type of a register as messages name it.
#[must_use]
pub fn reg_type_name(platform: &Platform, reg: &Reg) -> String {
    match reg.behaviour {
        None => "?".into(),
        Some(_) => type_name(platform, reg.ty()),
    }
}

/// A value as messages print it: a number when known, else known bits and the others.
#[must_use]
pub fn tnum(value: Tnum) -> String {
    match (value.mask, value.value) {
        (0, value @ 0..=0xffff) => value.to_string(),
        (0, value) => format!("{value:#x}"),
        (mask, value) => format!("({value:#x}; {mask:#x})"),
    }
}
