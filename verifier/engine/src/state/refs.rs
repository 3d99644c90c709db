//! What a path holds: references that were acquired and must be released, locks that were taken.

use smallvec::SmallVec;

/// A lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The region that it opened.
    pub region: u16,
    /// The map whose value it is in.
    pub map: u32,
}

/// A reference, or a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its identity: registers that derive from it carry it. A lock's is its value's lookup.
    pub id: u32,
    /// The instruction that acquired it.
    pub pc: usize,
    /// The lock, when it is one.
    pub lock: Option<Lock>,
}

/// What a path holds, in the order in which it was acquired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    list: SmallVec<[Reference; 2]>,
}

impl References {
    /// Adds a reference.
    pub fn acquire(&mut self, id: u32, pc: usize) {
        self.list.push(Reference { id, pc, lock: None });
    }

    /// Adds a lock.
    pub fn acquire_lock(&mut self, id: u32, pc: usize, lock: Lock) {
        self.list.push(Reference { id, pc, lock: Some(lock) });
    }

    /// Takes a reference away; false when it is not held.
    pub fn release(&mut self, id: u32) -> bool {
        let before = self.list.len();
        self.list.retain(|reference| reference.id != id || reference.lock.is_some());
        self.list.len() != before
    }

    /// Takes a lock away; false when it is not held.
    pub fn release_lock(&mut self, id: u32, lock: Lock) -> bool {
        let before = self.list.len();
        self.list.retain(|reference| reference.id != id || reference.lock != Some(lock));
        self.list.len() != before
    }

    /// The lock that was taken last.
    #[must_use]
    pub fn lock(&self) -> Option<Lock> {
        self.list.iter().rev().find_map(|reference| reference.lock)
    }

    /// All that is held, locks too.
    #[must_use]
    pub fn held(&self) -> &[Reference] {
        &self.list
    }
}
