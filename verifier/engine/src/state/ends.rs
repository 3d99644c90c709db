//! When the pointers end that a host gives out: with calls, with a function that is called back, with
//! references. What ends together is a set; pointers carry its number in [`super::Reg::ref_id`], where
//! others carry the one reference that they derive from.

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use crate::explore::ids::IdMap;

/// In [`super::Reg::ref_id`]: the rest is the number of a set. Identities of references never get
/// that large.
pub const SET: u32 = 1 << 31;

/// What ends a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A call of this: an index of [`probity_platform::Platform::callable_at`].
    Call(u16),
    /// The end of the function that runs in the frame with this number.
    Frame(u8),
    /// The end of this reference.
    Reference(u32),
}

type Set = SmallVec<[End; 2]>;

/// All sets of a run. A set never changes, so that states share them, and states that have sets alike
/// are alike: what ended is no pointer any more, and nothing is left of it.
#[derive(Debug, Default)]
pub struct Ends {
    sets: Vec<Set>,
    numbers: FxHashMap<Set, u32>,
}

impl Ends {
    /// True until a pointer is given out that ends with more than a reference.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// What [`super::Reg::ref_id`] is for a pointer that ends with any of these and with whatever
    /// ends a pointer of `ref_id`.
    pub fn join(&mut self, ref_id: u32, ends: &[End]) -> u32 {
        let mut set = self.of(ref_id);
        set.extend_from_slice(ends);
        set.sort_unstable();
        set.dedup();
        if set.is_empty() {
            return 0;
        }
        if let Some(&number) = self.numbers.get(&set) {
            return number;
        }
        let number = SET | self.sets.len() as u32;
        self.sets.push(set.clone());
        self.numbers.insert(set, number);
        number
    }

    fn of(&self, ref_id: u32) -> Set {
        match self.set(ref_id) {
            Some(set) => set.clone(),
            None if ref_id == 0 => Set::new(),
            None => smallvec![End::Reference(ref_id)],
        }
    }

    fn set(&self, ref_id: u32) -> Option<&Set> {
        if ref_id & SET == 0 {
            return None;
        }
        self.sets.get((ref_id & !SET) as usize)
    }

    /// True when a pointer of `ref_id` ends with something of which `ended` is true. Those that
    /// end with nothing but a reference are not meant.
    pub fn any(&self, ref_id: u32, ended: impl Fn(End) -> bool) -> bool {
        self.set(ref_id).is_some_and(|set| set.iter().any(|&end| ended(end)))
    }

    /// Whether what an old pointer ends with is what a current one ends with.
    pub fn matches(&self, old: u32, cur: u32, ids: &mut IdMap) -> bool {
        let (Some(old), Some(cur)) = (self.set(old), self.set(cur)) else { return false };
        old.len() == cur.len()
            && old.iter().zip(cur).all(|pair| match pair {
                (&End::Reference(old), &End::Reference(cur)) => ids.matches(old, cur),
                (old, cur) => old == cur,
            })
    }
}

/// The reference that a pointer of `ref_id` is, or derives from as if it were that; 0 for one that only
/// ends with it.
#[inline]
#[must_use]
pub fn reference(ref_id: u32) -> u32 {
    if ref_id & SET == 0 { ref_id } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_joined_and_compared() {
        let mut ends = Ends::default();
        assert_eq!(ends.join(0, &[]), 0);
        assert!(ends.is_empty());
        let row = ends.join(7, &[End::Call(2)]);
        assert_eq!(ends.join(row, &[End::Reference(7)]), row);
        assert_eq!((reference(row), reference(7)), (0, 7));
        assert!(ends.any(row, |end| end == End::Call(2)));
        assert!(ends.any(row, |end| end == End::Reference(7)));
        assert!(!ends.any(row, |end| end == End::Frame(2)));
        assert!(!ends.any(7, |_| true), "a plain reference is no set");

        let (other, call) = (ends.join(9, &[End::Call(2)]), ends.join(9, &[End::Call(3)]));
        let mut ids = IdMap::default();
        ids.reset(9);
        assert!(ends.matches(row, other, &mut ids));
        assert!(!ids.matches(7, 8), "7 stands for 9 from then on");
        ids.reset(9);
        assert!(!ends.matches(row, call, &mut ids), "another call");
        let more = ends.join(row, &[End::Frame(1)]);
        assert!(!ends.matches(row, more, &mut ids) && !ends.matches(row, 7, &mut ids));
    }
}
