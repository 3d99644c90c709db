//! The correspondence of identities between a remembered and a current state, built while the two
//! are compared (verifier.md, 6.2).

/// An injective map from old to current identities.
#[derive(Debug, Default)]
pub struct IdMap {
    pairs: Vec<(u32, u32)>,
    fresh: u32,
}

/// More pairs than a full state can hold: beyond this, states count as different.
const MAX_PAIRS: usize = (11 + 64) * 8;

impl IdMap {
    /// Forgets all pairs. `last_id` is the greatest identity in use.
    pub fn reset(&mut self, last_id: u32) {
        self.pairs.clear();
        self.fresh = last_id;
    }

    /// True when `old` may stand for `cur`. 0 is no identity and stands for 0 only.
    pub fn matches(&mut self, old: u32, cur: u32) -> bool {
        if (old == 0) != (cur == 0) {
            return false;
        }
        if old == 0 {
            return true;
        }
        for &(a, b) in &self.pairs {
            if a == old {
                return b == cur;
            }
            if b == cur {
                return false;
            }
        }
        if self.pairs.len() == MAX_PAIRS {
            return false;
        }
        self.pairs.push((old, cur));
        true
    }

    /// As `matches`, for classes of equal scalars: an old scalar without class stands for any; a
    /// current one without class gets one of its own.
    pub fn matches_scalar(&mut self, old: u32, cur: u32) -> bool {
        if old == 0 {
            return true;
        }
        let cur = if cur == 0 {
            self.fresh += 1;
            self.fresh
        } else {
            cur
        };
        self.matches(old, cur)
    }
}
