//! Callbacks, regions, stack objects, objects and special fields.

use probity_platform::{CallbackFlags, ObjectFlags, OnLeave, RegionFlags, Site, SpecialFieldForm, Trust};

use super::Guard;

/// A callback's signature; see [`probity_platform::Callback`].
#[derive(Clone, Debug)]
pub struct Callback {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// Facts about it.
    pub flags: CallbackFlags,
    /// What it may return; None: anything.
    pub returns: Option<(i64, i64)>,
    /// Callables that it may not call.
    pub forbids: Vec<String>,
    /// Where it is declared.
    pub site: Site,
}

/// A region; see [`probity_platform::Region`].
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// How messages name it.
    pub prints: String,
    /// How messages name its inside, "rcu_read_lock region".
    pub inside: String,
    /// Its rules.
    pub flags: RegionFlags,
    /// Callables that may be called inside all the same.
    pub allows: Vec<String>,
    /// What leaving does to pointers.
    pub on_leave: Vec<OnLeave>,
    /// When programs are inside from the beginning.
    pub implicit: Option<Guard>,
    /// Where it is declared.
    pub site: Site,
}

/// A kind of objects in stack slots; see [`probity_platform::StackObject`].
#[derive(Clone, Debug)]
pub struct StackObject {
    /// The name of its struct.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// How states print it.
    pub prints: String,
    /// Its size.
    pub size: u32,
    /// Its states: name, whether it must be destroyed.
    pub states: Vec<(String, bool)>,
    /// Where it is declared.
    pub site: Site,
}

/// A type of objects; see [`probity_platform::Object`].
#[derive(Clone, Debug)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// The struct of the target's BTF that it is.
    pub btf: Option<String>,
    /// Its layout.
    pub view: Option<u16>,
    /// The objects that it is too.
    pub upcasts: Vec<u16>,
    /// Fields whose pointers are trusted.
    pub fields: Vec<(String, Trust, Guard)>,
    /// Facts about it.
    pub flags: ObjectFlags,
    /// Where it is declared.
    pub site: Site,
}

/// A type inside map values that is special.
#[derive(Clone, Debug)]
pub struct SpecialField {
    /// The name of the struct or tag.
    pub name: String,
    /// Its doc comment.
    pub docs: String,
    /// How messages name it.
    pub prints: String,
    /// How it is recognised.
    pub form: SpecialFieldForm,
    /// Its size.
    pub size: u32,
    /// True when a value has one at most.
    pub unique: bool,
    /// Map types whose values may have it.
    pub maps: Vec<u32>,
    /// Program types that may not use it, and what they are told.
    pub denied: Vec<(Vec<u32>, String)>,
    /// Where it is declared.
    pub site: Site,
}
