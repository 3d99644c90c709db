//! Map types.

use bitflags::bitflags;

use crate::{Guard, RegType, Site};

bitflags! {
    /// What can be done with maps of a type.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct MapTraits: u32 {
        /// Keys are 4-byte indexes below the capacity, and every element exists.
        const INDEXED = 1 << 0;
        /// A program may hold the address of a value (`ld_imm64` with an offset).
        const DIRECT_VALUE = 1 << 1;
        /// Each processor has values of its own.
        const PER_CPU = 1 << 2;
        /// Elements can be walked with a callback.
        const FOR_EACH = 1 << 3;
        /// Programs that sleep may use it.
        const SLEEPABLE = 1 << 4;
        /// Its values are programs: the target of tail calls.
        const PROGRAMS = 1 << 5;
        /// Its values are maps.
        const OF_MAPS = 1 << 6;
    }
}

/// Who may take a map of a type as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// Every callable that does not itself demand another type.
    Any,
    /// These callables only: indexes into [`crate::Platform::callables`], ascending.
    Only(&'static [u16]),
}

/// What a looked-up value becomes when a null check succeeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullCheckYields {
    /// A pointer to the value.
    Value,
    /// The inner map.
    InnerMap,
    /// A pointer of another type.
    Type(RegType),
}

/// A map type.
#[derive(Clone, Copy, Debug)]
pub struct MapType {
    /// Its name, `BPF_MAP_TYPE_HASH`.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Allowed sizes of keys in bytes, inclusive.
    pub key: (u32, u32),
    /// Allowed sizes of values in bytes, inclusive.
    pub value: (u32, u32),
    /// What can be done with it.
    pub traits: MapTraits,
    /// Who may use it.
    pub callers: Callers,
    /// What a null check makes of a looked-up value.
    pub null_check_yields: NullCheckYields,
    /// Where it is declared.
    pub site: Site,
}
