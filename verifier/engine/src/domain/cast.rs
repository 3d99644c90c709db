//! Truncation, extension and byte order: what moves, loads and END do to a value.

use probity_isa::Width;

use super::interval::{Half, Wide};
use super::scalar::Scalar;
use super::tnum::Tnum;

/// The three END instructions, for a little-endian machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// To little-endian: truncates.
    Le,
    /// To big-endian: reverses the bytes.
    Be,
    /// Reverses the bytes.
    Bswap,
}

/// The low `bits` (16, 32 or 64) in another byte order, zero-extended. Known bits move with their
/// bytes; intervals survive only where no byte moves.
#[must_use]
pub fn end(swap: Swap, bits: u32, value: &Scalar) -> Scalar {
    match swap {
        Swap::Le => zero_extend(value, bits / 8),
        Swap::Be | Swap::Bswap => Scalar::of_tnum(value.tnum.swap(bits / 8)),
    }
}

/// The low `bytes` (1, 2, 4 or 8) bytes, zero-extended: 32-bit moves and results, narrow fills.
#[must_use]
pub fn zero_extend(value: &Scalar, bytes: u32) -> Scalar {
    let mut value = *value;
    zero_extend_in(&mut value, bytes);
    value
}

/// [`zero_extend`] where the value stands.
pub fn zero_extend_in(value: &mut Scalar, bytes: u32) {
    if bytes >= 8 {
        return;
    }
    if bytes == 4 {
        zero_extend_half(value, value.tnum, value.half());
        return;
    }
    let tnum = value.tnum.cast(bytes);
    if tnum.is_const() {
        value.set_constant(tnum.value);
        return;
    }
    let keep = (1 << (bytes * 8)) - 1;
    let (umin, umax) = if value.umin & !keep == value.umax & !keep {
        (value.umin & keep, value.umax & keep)
    } else {
        (0, keep)
    };
    let wide = Wide::of_unsigned(umin, umax);
    if tnum.mask == keep && umax - umin == keep {
        // Whole bytes of which nothing is known: what most narrow loads give.
        value.set_parts(tnum, wide, Half::of_unsigned(umin as u32, umax as u32));
        return;
    }
    value.set_synced(tnum, wide, Half::UNKNOWN);
}

/// Becomes the low half with these known bits (its own count) and intervals, zero-extended.
#[inline]
pub(super) fn zero_extend_half(value: &mut Scalar, tnum: Tnum, half: Half) {
    let tnum = tnum.low();
    if tnum.is_const() {
        value.set_constant(tnum.value);
        return;
    }
    let wide = Wide::of_unsigned(u64::from(half.umin), u64::from(half.umax));
    value.set_synced(tnum, wide, half);
}

/// Whether zero extension of the low `bytes` leaves every member as it is.
#[inline]
#[must_use]
pub const fn fits_unsigned(value: &Scalar, bytes: u32) -> bool {
    bytes >= 8 || value.umax >> (bytes * 8) == 0
}

/// Whether sign extension of the low `bytes` leaves every member as it is.
#[inline]
#[must_use]
pub const fn fits_signed(value: &Scalar, bytes: u32) -> bool {
    if bytes >= 8 || bytes == 0 {
        return bytes >= 8;
    }
    let half = 1i64 << (bytes * 8 - 1);
    value.smin >= -half && value.smax < half
}

/// The low `bytes` (1, 2, 4 or 8) bytes, sign-extended to 64 bits: sign-extending loads.
#[must_use]
pub fn sign_extend(value: &Scalar, bytes: u32) -> Scalar {
    if bytes >= 8 { *value } else { movsx(value, bytes * 8, Width::W64) }
}

/// The low `bits` (8, 16, 32) sign-extended to the width. The signed interval of that width is kept
/// when neither the cut-off bits nor the sign vary in it; otherwise nothing is left but the interval
/// of the smaller type. Known bits come from the interval alone.
#[must_use]
pub fn movsx(value: &Scalar, bits: u32, width: Width) -> Scalar {
    let unused = 64 - bits.clamp(1, 64);
    let extend = |x: i64| x << unused >> unused;
    match width {
        Width::W64 => {
            if let Some(x) = value.is_const() {
                return Scalar::constant(extend(x as i64) as u64);
            }
            let (smin, smax) = extended(value.smin, value.smax, bits, extend);
            Scalar::of_signed(smin, smax)
        }
        Width::W32 => {
            if value.tnum.is_low_const() {
                let x = extend(value.tnum.value as i64);
                return Scalar::constant(u64::from(x as u32));
            }
            let ends = (i64::from(value.s32_min), i64::from(value.s32_max));
            let (smin, smax) = extended(ends.0, ends.1, bits, extend);
            let mut result = Scalar::UNKNOWN;
            zero_extend_half(&mut result, Tnum::UNKNOWN, Half::of_signed(smin as i32, smax as i32));
            result
        }
    }
}

/// The ends of the interval after sign extension of the low `bits`.
#[inline]
fn extended(min: i64, max: i64, bits: u32, extend: impl Fn(i64) -> i64) -> (i64, i64) {
    let (low, high) = (extend(min), extend(max));
    let same_rest = bits >= 64 || min >> bits == max >> bits;
    if same_rest && (low < 0) == (high < 0) {
        (low, high)
    } else {
        let half = 1i64 << (bits - 1);
        (half.wrapping_neg(), half.wrapping_sub(1))
    }
}
