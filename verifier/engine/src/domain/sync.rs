//! Deduction between the five parts of a [`Scalar`].
//!
//! Each part bounds every other: known bits have a least and a greatest member, an interval has
//! common high bits, an interval that does not cross the boundary of the other signedness is one
//! there too, and the low half is part of the whole. [`Scalar::sync`] applies these implications in
//! one fixed order and a fixed number of times. Every one of them keeps all members, so their order
//! decides precision only; but it decides what is printed and accepted, so it is that of Linux 6.18.
//!
//! On a scalar without members the implications may go on to anything: an interval may end up with
//! its ends swapped (seen by [`Scalar::is_consistent`]) or as a value that is none of the input's.

use super::interval::{Half, Wide};
use super::scalar::Scalar;
use super::tnum::Tnum;

impl Scalar {
    /// Lets each part learn from the others: intervals from known bits, [`ROUNDS`] rounds between
    /// the intervals, known bits from intervals, intervals from known bits. No member is lost. It
    /// is not a fixpoint: a second call may find more, and parity with Linux needs exactly this.
    #[inline]
    pub fn sync(&mut self) {
        self.set_synced(self.tnum, self.wide(), self.half());
    }

    /// Becomes these parts, then [`Scalar::sync`]. Results are made where they are to stand: the
    /// parts are computed one by one, and copying them as a whole right after would wait for each.
    pub(super) fn set_synced(&mut self, tnum: Tnum, wide: Wide, half: Half) {
        if is_low_bits(tnum, &wide, &half) {
            self.set_parts(tnum, wide, half);
        } else {
            self.deduce(tnum, wide, half);
        }
    }

    /// [`Scalar::set_synced`] for any parts.
    pub(super) fn deduce(&mut self, tnum: Tnum, mut wide: Wide, mut half: Half) {
        if tnum.is_const() && wide == constant_wide(tnum.value) && half == constant_half(tnum.value as u32) {
            self.set_constant(tnum.value);
            return;
        }
        if let Some(only) = bounds_from_bits(tnum, &mut wide, &mut half) {
            self.set_constant(only);
            return;
        }
        let start = (wide, half);
        if !is_settled(&wide, &half) {
            for _ in 0..ROUNDS {
                let before = (wide, half);
                half_from_wide(&wide, &mut half);
                half.cross();
                wide.cross();
                wide_from_half(&mut wide, &half);
                // A round is a function: what it leaves alone, it leaves alone again.
                if (wide, half) == before {
                    break;
                }
            }
        }
        let known = bits_from_bounds(tnum, &wide, &half);
        // Only what has changed can tell something new.
        if (known != tnum || (wide, half) != start)
            && let Some(only) = bounds_from_bits(known, &mut wide, &mut half)
        {
            self.set_constant(only);
            return;
        }
        self.set_parts(known, wide, half);
    }

    /// Whether the parts are consistent in themselves: no interval is empty, and a constant of the
    /// known bits is that of the intervals. A branch that breaks this cannot be taken.
    #[inline]
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        if !self.wide().is_ordered() || !self.half().is_ordered() {
            return false;
        }
        let low = self.tnum.value as u32;
        !(self.tnum.is_const() && self.wide() != constant_wide(self.tnum.value)
            || self.tnum.is_low_const() && self.half() != constant_half(low))
    }
}

/// How many rounds of deduction between the intervals there are at most.
pub const ROUNDS: u32 = 3;

const SIGN: u64 = 1 << 63;
const LOW_SIGN: u32 = 1 << 31;

const fn constant_wide(value: u64) -> Wide {
    Wide { umin: value, umax: value, smin: value as i64, smax: value as i64 }
}

const fn constant_half(value: u32) -> Half {
    Half { umin: value, umax: value, smin: value as i32, smax: value as i32 }
}

/// Whether just the low `n` bits are unknown and the others are 0, and all intervals say so: by far
/// the commonest value, what loads, shifts and masks give. There is nothing more to learn.
#[inline]
fn is_low_bits(tnum: Tnum, wide: &Wide, half: &Half) -> bool {
    let max = tnum.mask;
    if tnum.value != 0 || max & max.wrapping_add(1) != 0 || wide.umin != 0 || wide.umax != max {
        return false;
    }
    let signed = if max >> 63 == 0 { (0, max as i64) } else { (i64::MIN, i64::MAX) };
    let low = max as u32;
    let low_signed = if max >> 31 == 0 { (0, low as i32) } else { (i32::MIN, i32::MAX) };
    (wide.smin, wide.smax) == signed
        && (half.umin, half.umax) == (0, low)
        && (half.smin, half.smax) == low_signed
}

/// Whether a round would change nothing, in the two commonest cases: nothing is known, or all four
/// are the same interval.
#[inline]
fn is_settled(wide: &Wide, half: &Half) -> bool {
    if *wide == Wide::UNKNOWN {
        return *half == Half::UNKNOWN;
    }
    wide.umin <= wide.umax
        && wide.umax <= i32::MAX as u64
        && *wide == Wide::of_unsigned(wide.umin, wide.umax)
        && *half == Half::of_unsigned(wide.umin as u32, wide.umax as u32)
}

/// The least and the greatest member of the known bits, for each interval. Gives the value if the
/// unsigned interval holds only one member of the known bits.
#[inline]
fn bounds_from_bits(tnum: Tnum, wide: &mut Wide, half: &mut Half) -> Option<u64> {
    let Tnum { value, mask } = tnum;
    *wide = wide.meet(Wide {
        umin: value,
        umax: value | mask,
        smin: (value | (mask & SIGN)) as i64,
        smax: (value | (mask & !SIGN)) as i64,
    });
    let (value, mask) = (value as u32, mask as u32);
    *half = half.meet(Half {
        umin: value,
        umax: value | mask,
        smin: (value | (mask & LOW_SIGN)) as i32,
        smax: (value | (mask & !LOW_SIGN)) as i32,
    });
    tnum.only_member(wide.umin, wide.umax)
}

/// The common high bits of both unsigned intervals, for the whole and for the low half.
#[inline]
fn bits_from_bounds(tnum: Tnum, wide: &Wide, half: &Half) -> Tnum {
    let whole = tnum.intersect(Tnum::range(wide.umin, wide.umax));
    let low = Tnum::range(u64::from(half.umin), u64::from(half.umax));
    whole.with_low(whole.low().intersect(low))
}

/// If the high half is the same throughout, the low half runs from end to end (nothing is learnt from
/// an interval without members). If the high half
/// steps once and the low half is negative before and non-negative after, it does so as a signed
/// interval.
#[inline]
fn half_from_wide(wide: &Wide, half: &mut Half) {
    for (min, max) in [(wide.umin, wide.umax), (wide.smin as u64, wide.smax as u64)] {
        let (high, low) = ((min >> 32) as u32, min as u32);
        let (last_high, last) = ((max >> 32) as u32, max as u32);
        if high == last_high && low <= last {
            half.umin = half.umin.max(low);
            half.umax = half.umax.min(last);
            if low as i32 <= last as i32 {
                half.smin = half.smin.max(low as i32);
                half.smax = half.smax.min(last as i32);
            }
        } else if high.wrapping_add(1) == last_high && (low as i32) < 0 && last as i32 >= 0 {
            half.smin = half.smin.max(low as i32);
            half.smax = half.smax.min(last as i32);
        }
    }
}

/// The least member has at least the least low half, whatever its high half is; the greatest
/// likewise. And a value that fits 32 signed bits and whose low half is not negative is its low
/// half.
#[inline]
fn wide_from_half(wide: &mut Wide, half: &Half) {
    splice(wide, half.umin, half.umax);
    if half.smin as u32 <= half.smax as u32 {
        splice(wide, half.smin as u32, half.smax as u32);
    }
    let fits = wide.smin >= i64::from(i32::MIN) && wide.smax <= i64::from(i32::MAX);
    if fits && half.smin >= 0 {
        *wide = Wide {
            umin: half.smin as u64,
            umax: half.smax as u64,
            smin: i64::from(half.smin),
            smax: i64::from(half.smax),
        };
    }
}

/// Puts the ends of an interval of the low half into the low halves of the ends.
#[inline]
fn splice(wide: &mut Wide, min: u32, max: u32) {
    let with = |end: u64, low: u32| end >> 32 << 32 | u64::from(low);
    *wide = wide.meet(Wide {
        umin: with(wide.umin, min),
        umax: with(wide.umax, max),
        smin: with(wide.smin as u64, min) as i64,
        smax: with(wide.smax as u64, max) as i64,
    });
}
