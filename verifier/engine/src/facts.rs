//! What a walk found out that whoever runs the program uses: facts that hold on every run.
//!
//! A state that is pruned is covered by one that was remembered: types of pointers are compared
//! exactly, and numbers that decided a branch are precise. So what is noted here holds on the pruned
//! path too; ranges of numbers do not, and are not noted.

use probity_platform::{Behaviour, KindId, RegType};
use rustc_hash::FxHashMap;

use crate::state::Reg;

/// Facts about an accepted program.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By slot: whether a path runs the instruction. What no path runs is dead.
    pub(crate) seen: Vec<bool>,
    /// By slot: what the pointer of a load, store or atomic instruction is.
    pub(crate) pointers: Vec<Option<(Behaviour, KindId)>>,
    /// By slot: the map that a call is about.
    pub(crate) maps: FxHashMap<u32, MapUse>,
    /// The types of pointers that are accessed.
    pub(crate) accessed: Vec<RegType>,
    /// Bytes of the stack that were never written may be read, or are lent to a callable that may leave
    /// some of them as they are.
    pub(crate) uninit_stack: bool,
    /// By function that a path enters: its first instruction, and the bytes of stack that it uses.
    pub(crate) stacks: Vec<(usize, u32)>,
}

/// The map that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapUse {
    /// Always this one: an index into [`probity_program::Program::maps`].
    One(u32),
    /// Not always the same, or a map that was found in another.
    Many,
}

impl Facts {
    pub(crate) fn new(len: usize) -> Facts {
        Facts { seen: vec![false; len], pointers: vec![None; len], ..Facts::default() }
    }

    /// Whether a path runs the instruction at `pc`; false beyond the program.
    #[must_use]
    pub fn is_seen(&self, pc: usize) -> bool {
        self.seen.get(pc).copied().unwrap_or(false)
    }

    /// What the pointer of the load, store or atomic instruction at `pc` is; its kind is always the
    /// same where the behaviour is that of a struct with access rules.
    #[must_use]
    pub fn pointer(&self, pc: usize) -> Option<(Behaviour, KindId)> {
        self.pointers.get(pc).copied().flatten()
    }

    /// The map that the call at `pc` is about, None when it takes none.
    #[must_use]
    pub fn map(&self, pc: usize) -> Option<MapUse> {
        self.maps.get(&u32::try_from(pc).ok()?).copied()
    }

    /// The types of pointers that the program loads and stores through.
    #[must_use]
    pub fn accessed(&self) -> &[RegType] {
        &self.accessed
    }

    /// Whether the program may read bytes of its stack that it never wrote, nor anyone for it.
    #[must_use]
    pub fn reads_uninit_stack(&self) -> bool {
        self.uninit_stack
    }

    /// By function that runs, ascending: its first instruction, and the bytes of stack that it uses.
    #[must_use]
    pub fn stacks(&self) -> &[(usize, u32)] {
        &self.stacks
    }

    pub(crate) fn access(&mut self, reg: &Reg) {
        if self.accessed.last() != Some(&reg.ty()) && !self.accessed.contains(&reg.ty()) {
            self.accessed.push(reg.ty());
        }
    }

    pub(crate) fn call(&mut self, pc: usize, map: usize, found: bool) {
        let now = if found { MapUse::Many } else { MapUse::One(map as u32) };
        let noted = self.maps.entry(pc as u32).or_insert(now);
        if *noted != now {
            *noted = MapUse::Many;
        }
    }
}
