//! What is known of one 64-bit register.

use super::interval::{Half, Wide};
use super::tnum::Tnum;

/// A set of 64-bit values: known bits, and an unsigned and a signed interval each for the whole and
/// for the low half. A value is a member when all five parts hold it. Intervals include both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scalar {
    /// Known bits.
    pub tnum: Tnum,
    /// Least value, unsigned.
    pub umin: u64,
    /// Greatest value, unsigned.
    pub umax: u64,
    /// Least value, signed.
    pub smin: i64,
    /// Greatest value, signed.
    pub smax: i64,
    /// Least low half, unsigned.
    pub u32_min: u32,
    /// Greatest low half, unsigned.
    pub u32_max: u32,
    /// Least low half, signed.
    pub s32_min: i32,
    /// Greatest low half, signed.
    pub s32_max: i32,
}

impl Scalar {
    /// Every value.
    pub const UNKNOWN: Scalar = Scalar::of_tnum_unsynced(Tnum::UNKNOWN);

    /// Exactly `value`.
    #[inline]
    #[must_use]
    pub const fn constant(value: u64) -> Scalar {
        Scalar {
            tnum: Tnum::constant(value),
            umin: value,
            umax: value,
            smin: value as i64,
            smax: value as i64,
            u32_min: value as u32,
            u32_max: value as u32,
            s32_min: value as i32,
            s32_max: value as i32,
        }
    }

    /// The one value, if the known bits leave only one.
    #[inline]
    #[must_use]
    pub const fn is_const(&self) -> Option<u64> {
        if self.tnum.is_const() { Some(self.tnum.value) } else { None }
    }

    /// The one value, if known bits and intervals of the whole agree on it.
    #[inline]
    pub(super) fn only(&self) -> Option<u64> {
        let value = self.tnum.value;
        let agreed = self.tnum.is_const()
            && (self.umin, self.umax) == (value, value)
            && (self.smin, self.smax) == (value as i64, value as i64);
        agreed.then_some(value)
    }

    /// Whether nothing is known.
    #[inline]
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Scalar::UNKNOWN
    }

    /// What a zero-extending load of `bytes` unknown bytes gives.
    #[inline]
    #[must_use]
    pub const fn unknown_of_width(bytes: u32) -> Scalar {
        match bytes {
            8.. => Scalar::UNKNOWN,
            4 => {
                let max = u32::MAX as u64;
                Scalar {
                    tnum: Tnum { value: 0, mask: max },
                    umax: max,
                    smin: 0,
                    smax: max as i64,
                    ..Scalar::UNKNOWN
                }
            }
            _ => {
                let max = (1 << (bytes * 8)) - 1;
                Scalar {
                    tnum: Tnum { value: 0, mask: max },
                    umin: 0,
                    umax: max,
                    smin: 0,
                    smax: max as i64,
                    u32_min: 0,
                    u32_max: max as u32,
                    s32_min: 0,
                    s32_max: max as i32,
                }
            }
        }
    }

    /// The known bits and what they say of the intervals.
    #[must_use]
    pub fn of_tnum(tnum: Tnum) -> Scalar {
        let mut scalar = Scalar::of_tnum_unsynced(tnum);
        scalar.sync();
        scalar
    }

    /// The signed interval and what it says of the rest.
    #[must_use]
    pub fn of_signed(smin: i64, smax: i64) -> Scalar {
        let mut scalar = Scalar { smin, smax, ..Scalar::UNKNOWN };
        scalar.sync();
        scalar
    }

    /// The unsigned interval and what it says of the rest.
    #[must_use]
    pub fn of_unsigned(umin: u64, umax: u64) -> Scalar {
        let mut scalar = Scalar { umin, umax, ..Scalar::UNKNOWN };
        scalar.sync();
        scalar
    }

    /// Whether `x` is a member.
    #[must_use]
    pub const fn contains(&self, x: u64) -> bool {
        let (signed, low, low_signed) = (x as i64, x as u32, x as i32);
        self.tnum.contains(x)
            && self.umin <= x
            && x <= self.umax
            && self.smin <= signed
            && signed <= self.smax
            && self.u32_min <= low
            && low <= self.u32_max
            && self.s32_min <= low_signed
            && low_signed <= self.s32_max
    }

    /// Whether each part of `self` lies in that part of `old`, as pruning asks. (Stricter than
    /// inclusion of the sets of members.)
    #[inline]
    #[must_use]
    pub const fn within(&self, old: &Scalar) -> bool {
        old.umin <= self.umin
            && self.umax <= old.umax
            && old.smin <= self.smin
            && self.smax <= old.smax
            && old.u32_min <= self.u32_min
            && self.u32_max <= old.u32_max
            && old.s32_min <= self.s32_min
            && self.s32_max <= old.s32_max
            && self.tnum.within(old.tnum)
    }

    /// The known bits, with intervals that say nothing.
    #[inline]
    #[must_use]
    pub(super) const fn of_tnum_unsynced(tnum: Tnum) -> Scalar {
        Scalar::join(tnum, Wide::UNKNOWN, Half::UNKNOWN)
    }

    #[inline]
    pub(super) const fn join(tnum: Tnum, wide: Wide, half: Half) -> Scalar {
        Scalar {
            tnum,
            umin: wide.umin,
            umax: wide.umax,
            smin: wide.smin,
            smax: wide.smax,
            u32_min: half.umin,
            u32_max: half.umax,
            s32_min: half.smin,
            s32_max: half.smax,
        }
    }

    /// [`Scalar::join`], then [`Scalar::sync`].
    #[inline]
    pub(super) fn synced(tnum: Tnum, wide: Wide, half: Half) -> Scalar {
        let mut scalar = Scalar::UNKNOWN;
        scalar.set_synced(tnum, wide, half);
        scalar
    }

    /// Becomes [`Scalar::constant`].
    #[inline]
    pub(crate) const fn set_constant(&mut self, value: u64) {
        self.tnum = Tnum::constant(value);
        self.umin = value;
        self.umax = value;
        self.smin = value as i64;
        self.smax = value as i64;
        self.u32_min = value as u32;
        self.u32_max = value as u32;
        self.s32_min = value as i32;
        self.s32_max = value as i32;
    }

    /// Becomes [`Scalar::join`].
    #[inline]
    pub(super) const fn set_parts(&mut self, tnum: Tnum, wide: Wide, half: Half) {
        self.tnum = tnum;
        self.set_wide(wide);
        self.set_half(half);
    }

    #[inline]
    pub(super) const fn wide(&self) -> Wide {
        Wide { umin: self.umin, umax: self.umax, smin: self.smin, smax: self.smax }
    }

    #[inline]
    pub(super) const fn half(&self) -> Half {
        Half { umin: self.u32_min, umax: self.u32_max, smin: self.s32_min, smax: self.s32_max }
    }

    #[inline]
    pub(super) const fn set_wide(&mut self, wide: Wide) {
        self.umin = wide.umin;
        self.umax = wide.umax;
        self.smin = wide.smin;
        self.smax = wide.smax;
    }

    #[inline]
    pub(super) const fn set_half(&mut self, half: Half) {
        self.u32_min = half.umin;
        self.u32_max = half.umax;
        self.s32_min = half.smin;
        self.s32_max = half.smax;
    }
}
