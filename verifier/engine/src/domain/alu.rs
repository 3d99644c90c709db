//! Arithmetic and bitwise transfer functions.
//!
//! Intervals are computed at each width from the intervals of that width, known bits from known bits
//! (and the intervals of AND, OR and XOR from both); then [`Scalar::sync`]. A 32-bit instruction
//! computes the low half and zero-extends it. Division, remainder and shifts by anything but a
//! constant below the width forget everything, even that a 32-bit result has a zero high half.

use probity_isa::{AluOp, Width};

use super::cast::zero_extend_half;
use super::interval::{Half, Wide};
use super::scalar::Scalar;
use super::tnum::Tnum;

/// The value of `dst` after `dst = dst op src`. An immediate is its sign-extended constant.
/// Equal operands are not special: `r ^= r` is computed as if the two were independent. For AND and
/// OR ask [`fork`] first.
#[must_use]
pub fn alu(op: AluOp, width: Width, dst: &Scalar, src: &Scalar) -> Scalar {
    let mut result = *dst;
    alu_in(op, width, &mut result, src);
    result
}

/// [`alu`] where `dst` stands.
pub fn alu_in(op: AluOp, width: Width, dst: &mut Scalar, src: &Scalar) {
    if let (Some(a), Some(b)) = (dst.is_const(), src.is_const())
        && let Some(value) = concrete(op, width, a, b)
    {
        dst.set_constant(value);
        return;
    }
    match op {
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => match src.is_const() {
            Some(amount) if amount < u64::from(width.bits()) => shift(op, width, dst, amount as u32),
            _ => *dst = Scalar::UNKNOWN,
        },
        AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod => *dst = Scalar::UNKNOWN,
        _ => combine(op, width, dst, src),
    }
}

/// `-value`: `0 - value`.
#[must_use]
pub fn neg(width: Width, value: &Scalar) -> Scalar {
    alu(AluOp::Sub, width, &Scalar::constant(0), value)
}

/// Whether AND or OR splits the state. If `dst` is all ones or zero (`s>>= 63` makes such a value)
/// and `src` is constant, the state goes on with the first value for `dst`, from which the result
/// is computed, and the same instruction is executed again later with the second. If only the low
/// half is known to be all ones or zero, only the low halves of the two values differ.
#[must_use]
pub fn fork(op: AluOp, _width: Width, dst: &Scalar, src: &Scalar) -> Option<(Scalar, Scalar)> {
    if !matches!(op, AluOp::And | AluOp::Or) || !src.tnum.is_const() || dst.tnum.is_const() {
        return None;
    }
    if (dst.smin, dst.smax) == (-1, 0) {
        return Some((Scalar::constant(u64::MAX), Scalar::constant(0)));
    }
    if (dst.s32_min, dst.s32_max) != (-1, 0) {
        return None;
    }
    let with_low = |low: u32| {
        let tnum = dst.tnum.with_low(Tnum::constant(u64::from(low)));
        // Nothing is deduced, even where all bits are known now.
        Scalar::join(tnum, dst.wide(), Half::of_unsigned(low, low))
    };
    Some((with_low(u32::MAX), with_low(0)))
}

/// The variable part of a pointer after `pointer += offset`. The intervals of the low half of
/// pointers mean nothing: they are not added but found anew from the rest.
#[must_use]
pub fn pointer_add(var: &Scalar, offset: &Scalar) -> Scalar {
    if let (Some(var), Some(offset)) = (var.only(), offset.only()) {
        return Scalar::constant(var.wrapping_add(offset));
    }
    let wide = var.wide().add(offset.wide());
    Scalar::synced(var.tnum.add(offset.tnum), wide, Half::UNKNOWN)
}

/// The variable part of a pointer after `pointer -= offset`, see [`pointer_add`].
#[must_use]
pub fn pointer_sub(var: &Scalar, offset: &Scalar) -> Scalar {
    let wide = var.wide().sub(offset.wide());
    Scalar::synced(var.tnum.sub(offset.tnum), wide, Half::UNKNOWN)
}

/// What the operation gives for two known operands, where the domain tracks that.
#[inline]
fn concrete(op: AluOp, width: Width, a: u64, b: u64) -> Option<u64> {
    let bits = width.bits();
    let is_shift = matches!(op, AluOp::Lsh | AluOp::Rsh | AluOp::Arsh);
    if is_shift && b >= u64::from(bits) {
        return None;
    }
    let result = match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::And => a & b,
        AluOp::Or => a | b,
        AluOp::Xor => a ^ b,
        AluOp::Lsh => a << b,
        AluOp::Rsh if bits == 32 => u64::from(a as u32 >> b),
        AluOp::Rsh => a >> b,
        AluOp::Arsh if bits == 32 => (a as i32 >> b) as u64,
        AluOp::Arsh => (a as i64 >> b) as u64,
        AluOp::Div | AluOp::Mod | AluOp::Sdiv | AluOp::Smod => return None,
    };
    Some(if bits == 32 { u64::from(result as u32) } else { result })
}

/// Becomes the result of these parts; that of a 32-bit instruction has a zero high half.
#[inline]
fn finish(dst: &mut Scalar, width: Width, tnum: Tnum, wide: Wide, half: Half) {
    match width {
        Width::W32 => zero_extend_half(dst, tnum, half),
        Width::W64 => dst.set_synced(tnum, wide, half),
    }
}

/// Add, sub, mul, and, or, xor: each width on its own. In 32 bits only the low half counts.
#[inline]
fn combine(op: AluOp, width: Width, dst: &mut Scalar, src: &Scalar) {
    let (a, b) = (dst.half(), src.half());
    let (tnum, half) = match op {
        AluOp::Add => (dst.tnum.add(src.tnum), a.add(b)),
        AluOp::Sub => (dst.tnum.sub(src.tnum), a.sub(b)),
        AluOp::Mul => (dst.tnum.mul(src.tnum), a.mul(b)),
        AluOp::And => {
            let tnum = dst.tnum.and(src.tnum);
            (tnum, Half::of_unsigned(tnum.value as u32, a.umax.min(b.umax)))
        }
        AluOp::Or => {
            let tnum = dst.tnum.or(src.tnum);
            (tnum, Half::of_unsigned(a.umin.max(b.umin), tnum.max() as u32))
        }
        _ => {
            let tnum = dst.tnum.xor(src.tnum);
            (tnum, Half::of_unsigned(tnum.value as u32, tnum.max() as u32))
        }
    };
    if width == Width::W32 {
        zero_extend_half(dst, tnum, half);
        return;
    }
    let (a, b) = (dst.wide(), src.wide());
    let wide = match op {
        AluOp::Add => a.add(b),
        AluOp::Sub => a.sub(b),
        AluOp::Mul => a.mul(b),
        AluOp::And => Wide::of_unsigned(tnum.value, a.umax.min(b.umax)),
        AluOp::Or => Wide::of_unsigned(a.umin.max(b.umin), tnum.max()),
        _ => Wide::of_unsigned(tnum.value, tnum.max()),
    };
    dst.set_synced(tnum, wide, half);
}

/// A shift by a known amount below the width.
fn shift(op: AluOp, width: Width, dst: &mut Scalar, amount: u32) {
    let (low, whole) = (dst.tnum.low(), dst.tnum);
    let (tnum, wide, half) = match (op, width) {
        (AluOp::Lsh, Width::W32) => (low.lshift(amount), Wide::UNKNOWN, dst.half().lsh(amount)),
        (AluOp::Rsh, Width::W32) => (low.rshift(amount), Wide::UNKNOWN, dst.half().rsh(amount)),
        (_, Width::W32) => (low.arshift(amount, 32), Wide::UNKNOWN, dst.half().arsh(amount)),
        (AluOp::Lsh, Width::W64) => {
            let half = if amount < 32 { dst.half().lsh(amount) } else { Half::UNKNOWN };
            let mut wide = dst.wide().lsh(amount);
            if amount == 32 {
                wide.smin = i64::from(dst.s32_min) << 32;
                wide.smax = i64::from(dst.s32_max) << 32;
            }
            (whole.lshift(amount), wide, half)
        }
        (AluOp::Rsh, Width::W64) => (whole.rshift(amount), dst.wide().rsh(amount), Half::UNKNOWN),
        (_, Width::W64) => (whole.arshift(amount, 64), dst.wide().arsh(amount), Half::UNKNOWN),
    };
    finish(dst, width, tnum, wide, half);
}
