//! Objects of named types that programs hold pointers to.

use bitflags::bitflags;

use crate::{Guard, Site};

bitflags! {
    /// Facts about a type of objects.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct ObjectFlags: u32 {
        /// What acquires or releases it may stand outside of the spec, in a module.
        const EXTERNAL = 1 << 0;
        /// An object behind a pointer that RCU protects may be used for as long as the section
        /// lasts, because its memory outlives it.
        const RCU = 1 << 1;
        /// It holds no pointers: memory of the program may be passed for it.
        const PLAIN = 1 << 2;
    }
}

/// How far a pointer is trusted that is loaded from a field of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// It is valid when the object it is loaded from is trusted.
    Trusted,
    /// As `Trusted`, or null.
    TrustedOrNull,
    /// It is valid inside an RCU section.
    Rcu,
    /// As `Rcu`, or null.
    RcuOrNull,
}

/// A field of an object whose pointer is trusted.
#[derive(Clone, Copy, Debug)]
pub struct TrustedField {
    /// The field's name, `cgroups`.
    pub name: &'static str,
    /// How far it is trusted.
    pub trust: Trust,
    /// When it is.
    pub guard: Guard,
}

/// A type of objects.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its name in the spec, `task_struct`.
    pub name: &'static str,
    /// The struct of the target's BTF that it is; None for one whose layout the spec has.
    pub btf: Option<&'static str>,
    /// Its layout when the spec has it: index into [`crate::Platform::views`].
    pub view: Option<u16>,
    /// The objects that it is too, because they are its first member: indexes into
    /// [`crate::Platform::objects`].
    pub upcasts: &'static [u16],
    /// Fields whose pointers are trusted.
    pub fields: &'static [TrustedField],
    /// Facts about it.
    pub flags: ObjectFlags,
    /// Where it is declared.
    pub site: Site,
}
