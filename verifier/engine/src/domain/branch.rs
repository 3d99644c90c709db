//! Conditional jumps: deciding them, and what each outcome tells.
//!
//! [`decide`] is sound in both directions: `Some(b)` holds for every pair of members. [`refine`]
//! keeps every pair of members that comes out that way. On purpose it is not the best: `==` at 64
//! bits does not exchange the low halves, `!=` trims only the ends, JSET learns from a single bit
//! or from bits known to be absent.

use probity_isa::{JumpOp, Width};

use super::scalar::Scalar;
use super::tnum::Tnum;

/// Both operands after a conditional jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refined {
    /// The left operand.
    pub dst: Scalar,
    /// The right operand.
    pub src: Scalar,
    /// No value of `dst` can come this way, found too late: its intervals were reset.
    pub dst_violation: bool,
    /// Likewise for `src`.
    pub src_violation: bool,
}

/// Whether `dst op src` holds for all members (`Some(true)`), for none (`Some(false)`), or may
/// (`None`). An immediate is its sign-extended constant. Operands are taken as independent, even if
/// they are the same register.
#[must_use]
pub fn decide(op: JumpOp, width: Width, dst: &Scalar, src: &Scalar) -> Option<bool> {
    match op {
        JumpOp::Jeq => equal(width, dst, src),
        JumpOp::Jne => equal(width, dst, src).map(|equal| !equal),
        JumpOp::Jset => any_common_bit(width, dst, src),
        JumpOp::Jlt => less(width, dst, src),
        JumpOp::Jge => less(width, dst, src).map(|less| !less),
        JumpOp::Jgt => less(width, src, dst),
        JumpOp::Jle => less(width, src, dst).map(|less| !less),
        JumpOp::Jslt => signed_less(width, dst, src),
        JumpOp::Jsge => signed_less(width, dst, src).map(|less| !less),
        JumpOp::Jsgt => signed_less(width, src, dst),
        JumpOp::Jsle => signed_less(width, src, dst).map(|less| !less),
    }
}

/// What is known of both operands when an undecided `dst op src` came out as `taken`. Use it only
/// if [`decide`] gave `None`: on a decided jump the result for the impossible side means nothing.
#[must_use]
pub fn refine(op: JumpOp, width: Width, dst: &Scalar, src: &Scalar, taken: bool) -> Refined {
    let (mut dst, mut src) = (*dst, *src);
    assume(op, width, &mut dst, &mut src, taken);
    let (dst_violation, src_violation) = (settle(&mut dst), settle(&mut src));
    Refined { dst, src, dst_violation, src_violation }
}

/// The left operand alone, where it stands: what [`refine`] finds for it.
pub fn refine_left(op: JumpOp, width: Width, dst: &mut Scalar, src: &Scalar, taken: bool) {
    let mut src = *src;
    assume(op, width, dst, &mut src, taken);
    settle(dst);
}

/// [`refine`] for `value op value`, one register on both sides: it learns both what the left and
/// what the right operand would, and deduces twice. `dst` and `src` of the result are the same.
#[must_use]
pub fn refine_same(op: JumpOp, width: Width, value: &Scalar, taken: bool) -> Refined {
    let (mut a, mut b) = (*value, *value);
    assume(op, width, &mut a, &mut b, taken);
    let wide = a.wide().meet(b.wide());
    let half = a.half().meet(b.half());
    let mut value = Scalar::synced(a.tnum, wide, half);
    let dst_violation = settle(&mut value);
    // The second look is at the intervals as reset, which a constant half still contradicts.
    let src_violation = dst_violation && !value.is_consistent();
    Refined { dst: value, src: value, dst_violation, src_violation }
}

/// The first operand that `refine`, or `refine_same` when `same`, finds contradictory, with the
/// intervals that contradict each other: false for `dst`, true for `src`.
#[must_use]
pub fn contradiction(
    op: JumpOp,
    width: Width,
    dst: &Scalar,
    src: &Scalar,
    same: bool,
    taken: bool,
) -> Option<(bool, Scalar)> {
    let (mut a, mut b) = (*dst, *src);
    assume(op, width, &mut a, &mut b, taken);
    if same {
        a = Scalar::synced(a.tnum, a.wide().meet(b.wide()), a.half().meet(b.half()));
        b = a;
    }
    [(false, a), (true, b)].into_iter().find_map(|(is_src, mut value)| {
        value.sync();
        (!value.is_consistent()).then_some((is_src, value))
    })
}

/// Applies the outcome to both operands, deduces nothing yet.
fn assume(op: JumpOp, width: Width, a: &mut Scalar, b: &mut Scalar, taken: bool) {
    match (op, taken) {
        (JumpOp::Jeq, true) | (JumpOp::Jne, false) => assume_equal(width, a, b),
        (JumpOp::Jeq, false) | (JumpOp::Jne, true) => assume_unequal(width, a, b),
        (JumpOp::Jset, true) => assume_common_bit(width, a, b),
        (JumpOp::Jset, false) => assume_no_common_bit(width, a, b),
        (JumpOp::Jlt, true) | (JumpOp::Jge, false) => assume_less(width, a, b),
        (JumpOp::Jle, true) | (JumpOp::Jgt, false) => assume_at_most(width, a, b),
        (JumpOp::Jgt, true) | (JumpOp::Jle, false) => assume_less(width, b, a),
        (JumpOp::Jge, true) | (JumpOp::Jlt, false) => assume_at_most(width, b, a),
        (JumpOp::Jslt, true) | (JumpOp::Jsge, false) => assume_signed_less(width, a, b),
        (JumpOp::Jsle, true) | (JumpOp::Jsgt, false) => {
            assume_signed_at_most(width, a, b);
        }
        (JumpOp::Jsgt, true) | (JumpOp::Jsle, false) => assume_signed_less(width, b, a),
        (JumpOp::Jsge, true) | (JumpOp::Jslt, false) => {
            assume_signed_at_most(width, b, a);
        }
    }
}

/// Syncs a refined operand; true when that contradicts itself. The intervals are reset then and the
/// known bits stay, as Linux 6.18 does.
#[inline]
fn settle(value: &mut Scalar) -> bool {
    value.sync();
    let contradiction = !value.is_consistent();
    if contradiction {
        *value = Scalar::of_tnum_unsynced(value.tnum);
    }
    contradiction
}

/// The known bits that count at this width.
#[inline]
fn bits(width: Width, value: &Scalar) -> Tnum {
    match width {
        Width::W64 => value.tnum,
        Width::W32 => value.tnum.low(),
    }
}

fn equal(width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
    let (a_bits, b_bits) = (bits(width, a), bits(width, b));
    if a_bits.is_const() && b_bits.is_const() {
        return Some(a_bits.value == b_bits.value);
    }
    let apart = !a_bits.overlaps(b_bits)
        || width == Width::W64 && !a.wide().overlaps(&b.wide())
        || !a.half().overlaps(&b.half());
    if apart { Some(false) } else { None }
}

/// `a & b != 0`, if one side is constant.
fn any_common_bit(width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
    let (a, b) = (bits(width, a), bits(width, b));
    if !a.is_const() && !b.is_const() {
        None
    } else if a.value & b.value != 0 {
        Some(true)
    } else if a.max() & b.max() == 0 {
        Some(false)
    } else {
        None
    }
}

#[inline]
fn ordered<T: Ord>(a: (T, T), b: (T, T)) -> Option<bool> {
    if a.1 < b.0 {
        Some(true)
    } else if a.0 >= b.1 {
        Some(false)
    } else {
        None
    }
}

#[inline]
fn less(width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
    match width {
        Width::W64 => ordered((a.umin, a.umax), (b.umin, b.umax)),
        Width::W32 => ordered((a.u32_min, a.u32_max), (b.u32_min, b.u32_max)),
    }
}

#[inline]
fn signed_less(width: Width, a: &Scalar, b: &Scalar) -> Option<bool> {
    match width {
        Width::W64 => ordered((a.smin, a.smax), (b.smin, b.smax)),
        Width::W32 => ordered((a.s32_min, a.s32_max), (b.s32_min, b.s32_max)),
    }
}

/// The intervals of the other width are not exchanged: each side deduces its own.
fn assume_equal(width: Width, a: &mut Scalar, b: &mut Scalar) {
    let meet = bits(width, a).intersect(bits(width, b));
    match width {
        Width::W64 => {
            let wide = a.wide().meet(b.wide());
            a.set_wide(wide);
            b.set_wide(wide);
            (a.tnum, b.tnum) = (meet, meet);
        }
        Width::W32 => {
            let half = a.half().meet(b.half());
            a.set_half(half);
            b.set_half(half);
            (a.tnum, b.tnum) = (a.tnum.with_low(meet), b.tnum.with_low(meet));
        }
    }
}

/// Trims the ends that a constant other side excludes.
fn assume_unequal(width: Width, a: &mut Scalar, b: &mut Scalar) {
    let Some((value, excluded)) = against_constant(width, a, b) else {
        return;
    };
    match width {
        Width::W64 => {
            let signed = excluded as i64;
            value.umin = value.umin.saturating_add(u64::from(value.umin == excluded));
            value.umax = value.umax.saturating_sub(u64::from(value.umax == excluded));
            value.smin = value.smin.saturating_add(i64::from(value.smin == signed));
            value.smax = value.smax.saturating_sub(i64::from(value.smax == signed));
        }
        Width::W32 => {
            let (low, signed) = (excluded as u32, excluded as i32);
            value.u32_min = value.u32_min.saturating_add(u32::from(value.u32_min == low));
            value.u32_max = value.u32_max.saturating_sub(u32::from(value.u32_max == low));
            value.s32_min = value.s32_min.saturating_add(i32::from(value.s32_min == signed));
            value.s32_max = value.s32_max.saturating_sub(i32::from(value.s32_max == signed));
        }
    }
}

/// The other side, if one side is constant at this width, and that constant.
#[inline]
fn against_constant<'a>(width: Width, a: &'a mut Scalar, b: &'a mut Scalar) -> Option<(&'a mut Scalar, u64)> {
    let (a_bits, b_bits) = (bits(width, a), bits(width, b));
    if b_bits.is_const() {
        Some((a, b_bits.value))
    } else if a_bits.is_const() {
        Some((b, a_bits.value))
    } else {
        None
    }
}

/// Learns something only from a mask of a single bit.
fn assume_common_bit(width: Width, a: &mut Scalar, b: &mut Scalar) {
    if let Some((value, mask)) = against_constant(width, a, b)
        && mask.is_power_of_two()
    {
        value.tnum = value.tnum.or(Tnum::constant(mask));
    }
}

/// Clears the bits of the mask. The intervals are found anew from the known bits, which may widen
/// them.
fn assume_no_common_bit(width: Width, a: &mut Scalar, b: &mut Scalar) {
    if let Some((value, mask)) = against_constant(width, a, b) {
        *value = Scalar::of_tnum_unsynced(value.tnum.and(Tnum::constant(!mask)));
    }
}

fn assume_less(width: Width, a: &mut Scalar, b: &mut Scalar) {
    match width {
        Width::W64 => {
            a.umax = a.umax.min(b.umax.saturating_sub(1));
            b.umin = b.umin.max(a.umin.saturating_add(1));
        }
        Width::W32 => {
            a.u32_max = a.u32_max.min(b.u32_max.saturating_sub(1));
            b.u32_min = b.u32_min.max(a.u32_min.saturating_add(1));
        }
    }
}

fn assume_at_most(width: Width, a: &mut Scalar, b: &mut Scalar) {
    match width {
        Width::W64 => {
            a.umax = a.umax.min(b.umax);
            b.umin = b.umin.max(a.umin);
        }
        Width::W32 => {
            a.u32_max = a.u32_max.min(b.u32_max);
            b.u32_min = b.u32_min.max(a.u32_min);
        }
    }
}

fn assume_signed_less(width: Width, a: &mut Scalar, b: &mut Scalar) {
    match width {
        Width::W64 => {
            a.smax = a.smax.min(b.smax.saturating_sub(1));
            b.smin = b.smin.max(a.smin.saturating_add(1));
        }
        Width::W32 => {
            a.s32_max = a.s32_max.min(b.s32_max.saturating_sub(1));
            b.s32_min = b.s32_min.max(a.s32_min.saturating_add(1));
        }
    }
}

fn assume_signed_at_most(width: Width, a: &mut Scalar, b: &mut Scalar) {
    match width {
        Width::W64 => {
            a.smax = a.smax.min(b.smax);
            b.smin = b.smin.max(a.smin);
        }
        Width::W32 => {
            a.s32_max = a.s32_max.min(b.s32_max);
            b.s32_min = b.s32_min.max(a.s32_min);
        }
    }
}
