//! References that a path holds: what was acquired and must be released.

use smallvec::SmallVec;

/// A reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its identity: registers that derive from it carry it.
    pub id: u32,
    /// The instruction that acquired it.
    pub pc: usize,
}

/// The references of a path, in the order in which they were acquired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    list: SmallVec<[Reference; 2]>,
}

impl References {
    /// Adds one.
    pub fn acquire(&mut self, id: u32, pc: usize) {
        self.list.push(Reference { id, pc });
    }

    /// Takes one away; false when it is not held.
    pub fn release(&mut self, id: u32) -> bool {
        let before = self.list.len();
        self.list.retain(|reference| reference.id != id);
        self.list.len() != before
    }

    /// Those that are held.
    #[must_use]
    pub fn held(&self) -> &[Reference] {
        &self.list
    }
}
