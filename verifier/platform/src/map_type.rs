//! Map types.

use std::fmt;

use bitflags::bitflags;

use crate::{Guard, MapBody, RegType, Site};

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
        /// Its values are maps. It is created with a template of them.
        const OF_MAPS = 1 << 6;
        /// It is created only with BTF types for its key and its value.
        const TYPED = 1 << 7;
        /// Programs may read its values and not write them, whatever its flags.
        const READ_ONLY = 1 << 8;
        /// A callable that writes a value of other types to an argument reads it for this one.
        const VALUE_IN = 1 << 9;
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

/// Which numbers of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Every one.
    One,
    /// The multiples of a number, which is not 0.
    MultiplesOf(u64),
    /// The powers of two.
    PowersOfTwo,
}

/// Numbers that a map may be created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// The least.
    pub low: u64,
    /// The greatest.
    pub high: u64,
    /// Which between them.
    pub step: Step,
}

impl SizeRange {
    /// True when the number is one of them.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        let fits = match self.step {
            Step::One => true,
            Step::MultiplesOf(step) => number.is_multiple_of(step),
            Step::PowersOfTwo => number.is_power_of_two(),
        };
        fits && (self.low..=self.high).contains(&number)
    }
}

/// Sizes of values, of maps with certain flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSizes {
    /// The flags; 0 for all maps that no rule before this one is about.
    pub with: u32,
    /// The sizes in bytes: one of these ranges.
    pub sizes: &'static [SizeRange],
}

/// A flag that maps of a type may be created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapFlag {
    /// Its name, `BPF_F_NO_PREALLOC`.
    pub name: &'static str,
    /// Its bit, as a mask.
    pub mask: u32,
    /// True when no map is created without it.
    pub required: bool,
}

/// What a map is to be created from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MapShape {
    /// The size of a key in bytes.
    pub key_size: u32,
    /// The size of a value in bytes.
    pub value_size: u32,
    /// The capacity. Where an object leaves it to its loader, what the loader will say.
    pub max_entries: u32,
    /// The flags.
    pub flags: u32,
    /// `map_extra`.
    pub extra: u64,
    /// True when the key and the value have BTF types.
    pub typed: bool,
    /// True when there is a template of the inner maps.
    pub inner: bool,
}

/// Why no map is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapRefusal {
    /// The type does not take these flags.
    Flags(u32),
    /// The type wants this flag.
    MissingFlag(&'static str),
    /// These flags exclude each other.
    ExclusiveFlags(u32),
    /// No size of a key.
    KeySize(u32),
    /// No size of a value.
    ValueSize(u32),
    /// Key and value together are too large.
    ElementSize(u64),
    /// No capacity.
    MaxEntries(u32),
    /// No `map_extra`.
    Extra(u64),
    /// Key and value need BTF types.
    Untyped,
    /// There is no template of the inner maps.
    NoInner,
}

impl fmt::Display for MapRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapRefusal::Flags(flags) => write!(f, "flags {flags:#x} are none of this map type"),
            MapRefusal::MissingFlag(name) => write!(f, "this map type wants {name}"),
            MapRefusal::ExclusiveFlags(flags) => write!(f, "flags {flags:#x} exclude each other"),
            MapRefusal::KeySize(size) => write!(f, "keys of this map type can't have {size} bytes"),
            MapRefusal::ValueSize(size) => write!(f, "values of this map type can't have {size} bytes"),
            MapRefusal::ElementSize(size) => write!(f, "key and value together have {size} bytes"),
            MapRefusal::MaxEntries(count) => write!(f, "max_entries of this map type can't be {count}"),
            MapRefusal::Extra(extra) => write!(f, "map_extra of this map type can't be {extra}"),
            MapRefusal::Untyped => write!(f, "this map type needs BTF types of its key and value"),
            MapRefusal::NoInner => write!(f, "this map type needs a template of its inner maps"),
        }
    }
}

impl std::error::Error for MapRefusal {}

/// A map type.
#[derive(Clone, Copy, Debug)]
pub struct MapType {
    /// Its name, `BPF_MAP_TYPE_HASH`.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// When it exists.
    pub guard: Guard,
    /// Sizes of keys in bytes: one of these ranges.
    pub key: &'static [SizeRange],
    /// Sizes of values; the first rule whose flags a map has counts.
    pub value: &'static [ValueSizes],
    /// Sizes of key and value together.
    pub element: SizeRange,
    /// Capacities: one of these ranges.
    pub max_entries: &'static [SizeRange],
    /// What `map_extra` may be.
    pub extra: SizeRange,
    /// Flags that maps may be created with, by bit.
    pub flags: &'static [MapFlag],
    /// Masks of flags of which a map has not all at once.
    pub exclusive: &'static [u32],
    /// What can be done with it.
    pub traits: MapTraits,
    /// Who may use it.
    pub callers: Callers,
    /// What a null check makes of a looked-up value.
    pub null_check_yields: NullCheckYields,
    /// The engine does not model such maps: why. A program that refers to one ends as unsupported.
    pub unsupported: Option<&'static str>,
    /// The engine does not model these callables on such maps, and why: a call ends as unsupported
    /// before its other arguments are looked at. Indexes into [`crate::Platform::callables`],
    /// ascending.
    pub unsupported_with: &'static [(u16, &'static str)],
    /// What a runtime makes of it; None: it has no such maps.
    pub body: Option<MapBody>,
    /// Where it is declared.
    pub site: Site,
}

impl MapType {
    /// Whether the platform would create such a map, memory aside. The target must have the type:
    /// see [`MapType::guard`].
    ///
    /// # Errors
    /// What is wrong first: flags, then sizes and numbers, then what else must be there.
    pub fn check(&self, map: &MapShape) -> Result<(), MapRefusal> {
        let known = self.flags.iter().fold(0, |known, flag| known | flag.mask);
        if map.flags & !known != 0 {
            return Err(MapRefusal::Flags(map.flags & !known));
        }
        if let Some(flag) = self.flags.iter().find(|flag| flag.required && map.flags & flag.mask == 0) {
            return Err(MapRefusal::MissingFlag(flag.name));
        }
        if let Some(&mask) = self.exclusive.iter().find(|&&mask| map.flags & mask == mask) {
            return Err(MapRefusal::ExclusiveFlags(mask));
        }
        let among = |list: &[SizeRange], number: u32| list.iter().any(|range| range.contains(number.into()));
        if !among(self.key, map.key_size) {
            return Err(MapRefusal::KeySize(map.key_size));
        }
        let rule = self.value.iter().find(|rule| map.flags & rule.with == rule.with);
        if !rule.is_some_and(|rule| among(rule.sizes, map.value_size)) {
            return Err(MapRefusal::ValueSize(map.value_size));
        }
        let element = u64::from(map.key_size) + u64::from(map.value_size);
        if !self.element.contains(element) {
            return Err(MapRefusal::ElementSize(element));
        }
        if !among(self.max_entries, map.max_entries) {
            return Err(MapRefusal::MaxEntries(map.max_entries));
        }
        if !self.extra.contains(map.extra) {
            return Err(MapRefusal::Extra(map.extra));
        }
        if self.traits.contains(MapTraits::TYPED) && !map.typed {
            return Err(MapRefusal::Untyped);
        }
        if self.traits.contains(MapTraits::OF_MAPS) && !map.inner {
            return Err(MapRefusal::NoInner);
        }
        Ok(())
    }

    /// Why calls of a callable (an index into [`crate::Platform::callables`]) with such a map are
    /// not modelled; None when they are.
    #[must_use]
    pub fn unsupported_call(&self, callable: u16) -> Option<&'static str> {
        let index = self.unsupported_with.binary_search_by_key(&callable, |(index, _)| *index).ok()?;
        Some(self.unsupported_with[index].1)
    }
}
