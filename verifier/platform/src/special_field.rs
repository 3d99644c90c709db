//! Types inside map values that are special.

use crate::Site;

/// How a special type is recognised in a map value's BTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpecialFieldForm {
    /// A struct of that name, `struct bpf_spin_lock`.
    Struct,
    /// A pointer to a type with that BTF type tag, `__attribute__((btf_type_tag("kptr")))`.
    Tag,
}

/// A type that means more than its bytes where it stands in a map's value: programs don't read and
/// write it as data.
#[derive(Clone, Copy, Debug)]
pub struct SpecialField {
    /// The name of the struct, or the text of the tag.
    pub name: &'static str,
    /// How messages name it where they are about the map that it belongs to.
    pub prints: &'static str,
    /// How it is recognised.
    pub form: SpecialFieldForm,
    /// Its size in bytes.
    pub size: u32,
    /// True when a value has one at most.
    pub unique: bool,
    /// Numbers of the map types whose values may have it.
    pub maps: &'static [u32],
    /// Numbers of program types that may not use a map with it, and what they are told.
    pub denied: &'static [(&'static [u32], &'static str)],
    /// Where it is declared.
    pub site: Site,
}
