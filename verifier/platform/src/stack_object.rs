//! Objects that live in stack slots: dynptrs, iterators, interrupt flags.

use crate::Site;

/// A state that a stack object can be in. Before its constructor it is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackObjectState {
    /// Its name, `active`.
    pub name: &'static str,
    /// True when a path may not end while the object is in this state: it must be destroyed, and
    /// its slots may not be overwritten.
    pub owned: bool,
}

/// A kind of stack objects.
#[derive(Clone, Copy, Debug)]
pub struct StackObject {
    /// The name of its C struct, `bpf_iter_num`.
    pub name: &'static str,
    /// How states print it, `iter_num`.
    pub prints: &'static str,
    /// Its size in bytes, a multiple of 8.
    pub size: u32,
    /// Its states.
    pub states: &'static [StackObjectState],
    /// Where it is declared.
    pub site: Site,
}
