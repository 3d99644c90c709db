//! What a path holds: references that were acquired and must be released, locks that were taken,
//! flags of regions, and the regions that it is in.

use smallvec::SmallVec;

/// A lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The region that it opened.
    pub region: u16,
    /// The map whose value it is in.
    pub map: u32,
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Something that a callable gave out.
    Reference,
    /// A lock.
    Lock(Lock),
    /// The flag of this region, which gives back how things were.
    Flag(u16),
}

/// A reference, a lock, or a region's flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its identity: registers that derive from it carry it. A lock's is its value's lookup.
    pub id: u32,
    /// The instruction that acquired it.
    pub pc: usize,
    /// What it is.
    pub what: Held,
}

/// What a path holds, in the order in which it was acquired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    list: SmallVec<[Reference; 2]>,
    /// The regions without lock or flag that the path is in, and how often; by region.
    inside: SmallVec<[(u16, u32); 2]>,
}

impl References {
    /// Adds a reference.
    pub fn acquire(&mut self, id: u32, pc: usize) {
        self.list.push(Reference { id, pc, what: Held::Reference });
    }

    /// Adds a lock.
    pub fn acquire_lock(&mut self, id: u32, pc: usize, lock: Lock) {
        self.list.push(Reference { id, pc, what: Held::Lock(lock) });
    }

    /// Adds the flag of a region.
    pub fn acquire_flag(&mut self, id: u32, pc: usize, region: u16) {
        self.list.push(Reference { id, pc, what: Held::Flag(region) });
    }

    /// Takes a reference away; false when it is not held.
    pub fn release(&mut self, id: u32) -> bool {
        self.remove(id, Held::Reference)
    }

    /// Takes a lock away; false when it is not held.
    pub fn release_lock(&mut self, id: u32, lock: Lock) -> bool {
        self.remove(id, Held::Lock(lock))
    }

    /// Takes the flag of a region away; false when it is not held.
    pub fn release_flag(&mut self, id: u32, region: u16) -> bool {
        self.remove(id, Held::Flag(region))
    }

    fn remove(&mut self, id: u32, what: Held) -> bool {
        let before = self.list.len();
        self.list.retain(|reference| reference.id != id || reference.what != what);
        self.list.len() != before
    }

    /// The lock that was taken last.
    #[must_use]
    pub fn lock(&self) -> Option<Lock> {
        self.list.iter().rev().find_map(|reference| match reference.what {
            Held::Lock(lock) => Some(lock),
            _ => None,
        })
    }

    /// The flag that was taken last, and its region.
    #[must_use]
    pub fn flag(&self) -> Option<(Reference, u16)> {
        self.list.iter().rev().find_map(|reference| match reference.what {
            Held::Flag(region) => Some((*reference, region)),
            _ => None,
        })
    }

    /// All that is held, locks and flags too.
    #[must_use]
    pub fn held(&self) -> &[Reference] {
        &self.list
    }

    /// The references among it.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.list.iter().filter(|reference| reference.what == Held::Reference)
    }

    /// The regions without lock or flag that the path is in, and how often.
    #[must_use]
    pub fn inside(&self) -> &[(u16, u32)] {
        &self.inside
    }

    /// True inside a region without lock or flag.
    #[must_use]
    pub fn is_inside(&self, region: u16) -> bool {
        self.inside.iter().any(|&(entered, _)| entered == region)
    }

    /// Enters a region without lock or flag.
    pub fn enter(&mut self, region: u16) {
        match self.inside.binary_search_by_key(&region, |&(entered, _)| entered) {
            Ok(index) => self.inside[index].1 += 1,
            Err(index) => self.inside.insert(index, (region, 1)),
        }
    }

    /// Leaves a region without lock or flag, once; false when the path is not in it.
    pub fn leave(&mut self, region: u16) -> bool {
        let Ok(index) = self.inside.binary_search_by_key(&region, |&(entered, _)| entered) else {
            return false;
        };
        self.inside[index].1 -= 1;
        if self.inside[index].1 == 0 {
            self.inside.remove(index);
        }
        true
    }
}
