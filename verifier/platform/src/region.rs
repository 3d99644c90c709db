//! Regions: stretches of a path between a call that enters and one that leaves, where some things
//! are forbidden.

use bitflags::bitflags;

use crate::{Guard, Site, TypeFlags};

bitflags! {
    /// Rules of a region.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct RegionFlags: u32 {
        /// Nothing that may sleep is called inside.
        const FORBIDS_SLEEP = 1 << 0;
        /// It is not entered twice.
        const FORBIDS_NESTING = 1 << 1;
        /// Nothing is called inside but what [`Region::allows`] lists, and subprograms.
        const FORBIDS_CALLS = 1 << 2;
        /// Global subprograms are not called inside.
        const FORBIDS_GLOBAL_CALLS = 1 << 3;
        /// It is left as often as it was entered.
        const COUNTED = 1 << 4;
        /// Regions of this sort are left in the reverse order of entering.
        const ORDERED = 1 << 5;
        /// The argument that enters it is a lock: leaving names the same one.
        const LOCK = 1 << 6;
    }
}

/// What becomes of pointers when a region is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnLeave {
    /// Pointers with this modifier ...
    pub from: TypeFlags,
    /// ... have this one in its place; empty: they become unknown numbers.
    pub to: TypeFlags,
}

/// A region.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// Its name, `rcu`.
    pub name: &'static str,
    /// How messages name it, `bpf_rcu_read_lock`.
    pub prints: &'static str,
    /// How messages name its inside, `rcu_read_lock region`.
    pub inside: &'static str,
    /// Its rules.
    pub flags: RegionFlags,
    /// With [`RegionFlags::FORBIDS_CALLS`]: names of callables that may be called all the same.
    pub allows: &'static [&'static str],
    /// What leaving does to pointers.
    pub on_leave: &'static [OnLeave],
    /// Programs are inside from the beginning when this holds.
    pub implicit: Option<Guard>,
    /// Where it is declared.
    pub site: Site,
}
