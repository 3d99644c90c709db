//! The closed lists of the engine, by the words that specs use.

use probity_platform::{ArgRole, Behaviour, MapTraits, RegionFlags, ReturnOf, SpecialFieldForm, Trust};

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
    ("const", ArgRole::Const),
    ("const_size", ArgRole::ConstSize),
    ("int", ArgRole::Int),
    ("object", ArgRole::Object),
    ("stack_object", ArgRole::StackObject),
    ("field", ArgRole::Field),
    ("const_str", ArgRole::ConstStr),
    ("ignored", ArgRole::Ignored),
    ("hidden", ArgRole::Hidden),
];

/// C integers as types of prototypes: size in bytes, whether they have a sign.
pub(super) const INTS: &[(&str, (u8, bool))] = &[
    ("bool", (1, false)),
    ("u8", (1, false)),
    ("u16", (2, false)),
    ("u32", (4, false)),
    ("u64", (8, false)),
    ("s8", (1, true)),
    ("s16", (2, true)),
    ("s32", (4, true)),
    ("s64", (8, true)),
];

/// What regions may forbid.
pub(super) const FORBIDDEN: &[(&str, RegionFlags)] = &[
    ("sleep", RegionFlags::FORBIDS_SLEEP),
    ("nesting", RegionFlags::FORBIDS_NESTING),
    ("calls", RegionFlags::FORBIDS_CALLS),
    ("global_calls", RegionFlags::FORBIDS_GLOBAL_CALLS),
];

/// How far fields of objects are trusted.
pub(super) const TRUST: &[(&str, Trust)] = &[
    ("trusted", Trust::Trusted),
    ("trusted_or_null", Trust::TrustedOrNull),
    ("rcu", Trust::Rcu),
    ("rcu_or_null", Trust::RcuOrNull),
];

/// What of an argument says what is returned.
pub(super) const RETURN_OF: &[(&str, ReturnOf)] = &[
    ("content", ReturnOf::Content),
    ("pointee", ReturnOf::Pointee),
    ("local_type", ReturnOf::LocalType),
    ("target_type", ReturnOf::TargetType),
    ("kernel_context", ReturnOf::KernelContext),
    ("same", ReturnOf::Same),
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
