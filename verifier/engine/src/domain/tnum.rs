//! Known bits: which bits of a 64-bit value are 0, which are 1, which may be either.
//!
//! A [`Tnum`] is a pair (`value`, `mask`) with `value & mask == 0`. A set bit of `mask` is an
//! unknown bit, every other bit is that of `value`:
//! γ(v, m) = { x | x & !m == v }.
//! The operations are those of Vishwanathan et al., "Sound, Precise, and Fast Abstract
//! Interpretation with Tristate Numbers" (CGO 2022): `add`, `sub` and the bitwise ones are the best
//! that known bits can say; `mul` is sound only. A pair with `value & mask != 0` has no member and
//! none of these functions makes one; two contradicting tnums meet in a *wrong* tnum rather than in
//! an empty one, so ask [`Tnum::overlaps`] before [`Tnum::intersect`] where that can happen.

/// Known bits of a 64-bit value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tnum {
    /// The bits known to be 1; 0 where unknown.
    pub value: u64,
    /// The unknown bits.
    pub mask: u64,
}

/// The low half of a register.
const LOW: u64 = 0xffff_ffff;

impl Tnum {
    /// Nothing is known.
    pub const UNKNOWN: Tnum = Tnum { value: 0, mask: u64::MAX };

    /// Exactly `value`.
    #[inline]
    #[must_use]
    pub const fn constant(value: u64) -> Tnum {
        Tnum { value, mask: 0 }
    }

    /// The common high bits of `min` and `max`, then unknown ones: the best tnum of an interval.
    #[inline]
    #[must_use]
    pub const fn range(min: u64, max: u64) -> Tnum {
        let mask = match (min ^ max).leading_zeros() {
            64 => 0,
            zeros => u64::MAX >> zeros,
        };
        Tnum { value: min & !mask, mask }
    }

    /// Whether exactly one value is left.
    #[inline]
    #[must_use]
    pub const fn is_const(self) -> bool {
        self.mask == 0
    }

    /// Whether the low half is known.
    #[inline]
    #[must_use]
    pub const fn is_low_const(self) -> bool {
        self.mask & LOW == 0
    }

    /// The greatest member.
    #[inline]
    #[must_use]
    pub const fn max(self) -> u64 {
        self.value | self.mask
    }

    /// Whether `x` is a member.
    #[inline]
    #[must_use]
    pub const fn contains(self, x: u64) -> bool {
        x & !self.mask == self.value
    }

    /// Whether every member of `self` is one of `wider`.
    #[inline]
    #[must_use]
    pub const fn within(self, wider: Tnum) -> bool {
        self.mask & !wider.mask == 0 && wider.contains(self.value)
    }

    /// Whether the two have a common member.
    #[inline]
    #[must_use]
    pub const fn overlaps(self, other: Tnum) -> bool {
        (self.value ^ other.value) & !(self.mask | other.mask) == 0
    }

    /// The least member above `x`; the greatest member if there is none.
    #[must_use]
    pub const fn next(self, x: u64) -> u64 {
        if x >= self.max() {
            return self.max();
        }
        let wrong = (x ^ self.value) & !self.mask;
        let below = match wrong.leading_zeros() {
            64 => 0,
            zeros => u64::MAX >> zeros,
        };
        // Above the highest wrong bit `x` is like a member. If the bit is 0 and must be 1, setting
        // it is enough, with the least that is possible below.
        let bit = below ^ (below >> 1);
        if x & bit < self.value & bit {
            return x & self.mask & !below | self.value;
        }
        // Otherwise count up in the unknown bits above it: known bits hand the carry on.
        let up = (x | !self.mask | below).wrapping_add(1);
        up & self.mask | self.value
    }

    /// The one member in the interval, if that is easily seen: it has only one, or it begins above
    /// all but the greatest member, whether or not it reaches that. `None` also when the interval
    /// is just the greatest member.
    #[inline]
    #[must_use]
    pub const fn only_member(self, min: u64, max: u64) -> Option<u64> {
        let is_member = self.contains(min);
        if is_member && min < max && self.contains(max) {
            return None;
        }
        let next = self.next(min);
        if is_member {
            return if next > max { Some(min) } else { None };
        }
        let is_only = next == self.max() || next <= max && self.next(next) > max;
        if is_only { Some(next) } else { None }
    }

    /// `self + other`, wrapping.
    #[inline]
    #[must_use]
    pub const fn add(self, other: Tnum) -> Tnum {
        let value = self.value.wrapping_add(other.value);
        let highest = value.wrapping_add(self.mask.wrapping_add(other.mask));
        let carries = highest ^ value;
        Tnum::masked(value, carries | self.mask | other.mask)
    }

    /// `self - other`, wrapping.
    #[inline]
    #[must_use]
    pub const fn sub(self, other: Tnum) -> Tnum {
        let value = self.value.wrapping_sub(other.value);
        let borrows = value.wrapping_add(self.mask) ^ value.wrapping_sub(other.mask);
        Tnum::masked(value, borrows | self.mask | other.mask)
    }

    /// `self & other`.
    #[inline]
    #[must_use]
    pub const fn and(self, other: Tnum) -> Tnum {
        let value = self.value & other.value;
        Tnum { value, mask: self.max() & other.max() & !value }
    }

    /// `self | other`.
    #[inline]
    #[must_use]
    pub const fn or(self, other: Tnum) -> Tnum {
        let value = self.value | other.value;
        Tnum { value, mask: (self.mask | other.mask) & !value }
    }

    /// `self ^ other`.
    #[inline]
    #[must_use]
    pub const fn xor(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value ^ other.value, self.mask | other.mask)
    }

    /// `self << amount` for a known amount below 64 (taken modulo 64).
    #[inline]
    #[must_use]
    pub const fn lshift(self, amount: u32) -> Tnum {
        Tnum { value: self.value.wrapping_shl(amount), mask: self.mask.wrapping_shl(amount) }
    }

    /// `self >> amount`, logical, for a known amount below 64 (taken modulo 64).
    #[inline]
    #[must_use]
    pub const fn rshift(self, amount: u32) -> Tnum {
        Tnum { value: self.value.wrapping_shr(amount), mask: self.mask.wrapping_shr(amount) }
    }

    /// `self s>> amount` of the low `bits` (32, anything else is 64), zero-extended.
    #[inline]
    #[must_use]
    pub const fn arshift(self, amount: u32, bits: u32) -> Tnum {
        if bits == 32 {
            let value = (self.value as i32).wrapping_shr(amount) as u32;
            let mask = (self.mask as i32).wrapping_shr(amount) as u32;
            Tnum { value: value as u64, mask: mask as u64 }
        } else {
            let value = (self.value as i64).wrapping_shr(amount) as u64;
            let mask = (self.mask as i64).wrapping_shr(amount) as u64;
            Tnum { value, mask }
        }
    }

    /// `self * other`, wrapping: long multiplication over the bits of `self`, where an unknown bit
    /// leaves open whether the shifted `other` is added (the formula of Linux 6.18).
    #[must_use]
    pub const fn mul(self, other: Tnum) -> Tnum {
        if self.is_const() && other.is_const() {
            return Tnum::constant(self.value.wrapping_mul(other.value));
        }
        let mut sum = Tnum::constant(0);
        let mut left = self.max();
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            let with = sum.add(other.lshift(bit));
            sum = if self.mask >> bit & 1 == 0 { with } else { sum.union(with) };
        }
        sum
    }

    /// The bits known to either, for two tnums of the same value.
    #[inline]
    #[must_use]
    pub const fn intersect(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value | other.value, self.mask & other.mask)
    }

    /// The bits known and equal in both: a value that is in one or the other.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Tnum) -> Tnum {
        Tnum::masked(self.value, self.mask | other.mask | (self.value ^ other.value))
    }

    /// The low `bytes` bytes, zero-extended. From 8 on nothing changes.
    #[inline]
    #[must_use]
    pub const fn cast(self, bytes: u32) -> Tnum {
        if bytes >= 8 {
            return self;
        }
        let keep = (1 << (bytes * 8)) - 1;
        Tnum { value: self.value & keep, mask: self.mask & keep }
    }

    /// The low half, zero-extended.
    #[inline]
    #[must_use]
    pub const fn low(self) -> Tnum {
        self.cast(4)
    }

    /// The high half, with a low half of 0.
    #[inline]
    #[must_use]
    pub const fn without_low(self) -> Tnum {
        Tnum { value: self.value & !LOW, mask: self.mask & !LOW }
    }

    /// The high half of `self` with the low half of `low`.
    #[inline]
    #[must_use]
    pub const fn with_low(self, low: Tnum) -> Tnum {
        self.without_low().or(low.low())
    }

    /// The low `bytes` (2, 4 or 8) bytes in reverse order, zero-extended.
    #[inline]
    #[must_use]
    pub const fn swap(self, bytes: u32) -> Tnum {
        if bytes == 0 || bytes > 8 {
            return self;
        }
        let unused = 64 - bytes * 8;
        Tnum { value: self.value.swap_bytes() >> unused, mask: self.mask.swap_bytes() >> unused }
    }

    #[inline]
    const fn masked(value: u64, mask: u64) -> Tnum {
        Tnum { value: value & !mask, mask }
    }
}
