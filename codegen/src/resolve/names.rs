//! The closed lists of the engine, by the words that specs use.

use probity_platform::{ArgRole, Behaviour, Intrinsic, MapTraits, SpecialFieldForm};

/// Behaviours of kinds.
pub(super) const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("scalar", Behaviour::Scalar),
    ("region", Behaviour::Region),
    ("packet", Behaviour::Packet),
    ("packet_end", Behaviour::PacketEnd),
    ("stack", Behaviour::Stack),
    ("context", Behaviour::Context),
    ("view", Behaviour::View),
    ("object", Behaviour::Object),
    ("handle", Behaviour::Handle),
    ("map", Behaviour::Map),
    ("map_key", Behaviour::MapKey),
    ("map_value", Behaviour::MapValue),
    ("func", Behaviour::Func),
    ("stack_object", Behaviour::StackObject),
    ("arena", Behaviour::Arena),
];

/// Roles of argument classes.
pub(super) const ROLES: &[(&str, ArgRole)] = &[
    ("anything", ArgRole::Anything),
    ("scalar", ArgRole::Scalar),
    ("map", ArgRole::Map),
    ("map_key", ArgRole::MapKey),
    ("map_value", ArgRole::MapValue),
    ("mem", ArgRole::Mem),
    ("size", ArgRole::Size),
    ("size_or_zero", ArgRole::SizeOrZero),
    ("alloc_size", ArgRole::AllocSize),
    ("alloc_size_or_zero", ArgRole::AllocSizeOrZero),
    ("pointer", ArgRole::Pointer),
    ("stack", ArgRole::Stack),
    ("func", ArgRole::Func),
];

/// Traits of map types.
pub(super) const MAP_TRAITS: &[(&str, MapTraits)] = &[
    ("indexed", MapTraits::INDEXED),
    ("direct_value", MapTraits::DIRECT_VALUE),
    ("per_cpu", MapTraits::PER_CPU),
    ("for_each", MapTraits::FOR_EACH),
    ("sleepable", MapTraits::SLEEPABLE),
    ("programs", MapTraits::PROGRAMS),
    ("of_maps", MapTraits::OF_MAPS),
    ("typed", MapTraits::TYPED),
    ("read_only", MapTraits::READ_ONLY),
    ("value_in", MapTraits::VALUE_IN),
];

/// How special types in map values are recognised.
pub(super) const SPECIAL_FORMS: &[(&str, SpecialFieldForm)] =
    &[("struct", SpecialFieldForm::Struct), ("tag", SpecialFieldForm::Tag)];

/// What the runtime does by itself, with the roles of its arguments.
pub(super) const INTRINSICS: &[(&str, Intrinsic, &[ArgRole])] = &[
    ("map_lookup", Intrinsic::MapLookup, &[ArgRole::Map, ArgRole::MapKey]),
    (
        "map_update",
        Intrinsic::MapUpdate,
        &[ArgRole::Map, ArgRole::MapKey, ArgRole::MapValue, ArgRole::Anything],
    ),
    ("map_delete", Intrinsic::MapDelete, &[ArgRole::Map, ArgRole::MapKey]),
    ("tail_call", Intrinsic::TailCall, &[ArgRole::Pointer, ArgRole::Map, ArgRole::Anything]),
];

/// Flags of loading that sections may name.
pub(super) const LOAD_FLAGS: &[(&str, u32)] = &[("BPF_F_SLEEPABLE", 1 << 4), ("BPF_F_XDP_HAS_FRAGS", 1 << 5)];

/// The value of a word.
pub(super) fn of<T: Copy>(list: &[(&str, T)], word: &str) -> Option<T> {
    list.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// The words of a list.
pub(super) fn words<'a, T>(list: &'a [(&'a str, T)]) -> impl Iterator<Item = &'a str> {
    list.iter().map(|(name, _)| *name)
}
