//! What operators compute (RFC 9669, section 4).

/// Unsigned division: 0 by 0.
#[inline(always)]
#[must_use]
pub fn div64(x: u64, y: u64) -> u64 {
    x.checked_div(y).unwrap_or(0)
}

/// Unsigned remainder: `x` by 0.
#[inline(always)]
#[must_use]
pub fn mod64(x: u64, y: u64) -> u64 {
    x.checked_rem(y).unwrap_or(x)
}

/// Signed division: 0 by 0, and the least number by -1 is itself.
#[inline(always)]
#[must_use]
pub fn sdiv64(x: u64, y: u64) -> u64 {
    if y == 0 { 0 } else { x.cast_signed().wrapping_div(y.cast_signed()).cast_unsigned() }
}

/// Signed remainder: `x` by 0, 0 by -1.
#[inline(always)]
#[must_use]
pub fn smod64(x: u64, y: u64) -> u64 {
    if y == 0 { x } else { x.cast_signed().wrapping_rem(y.cast_signed()).cast_unsigned() }
}

/// As [`div64`], 32 bits.
#[inline(always)]
#[must_use]
pub fn div32(x: u32, y: u32) -> u32 {
    x.checked_div(y).unwrap_or(0)
}

/// As [`mod64`], 32 bits.
#[inline(always)]
#[must_use]
pub fn mod32(x: u32, y: u32) -> u32 {
    x.checked_rem(y).unwrap_or(x)
}

/// As [`sdiv64`], 32 bits.
#[inline(always)]
#[must_use]
pub fn sdiv32(x: u32, y: u32) -> u32 {
    if y == 0 { 0 } else { x.cast_signed().wrapping_div(y.cast_signed()).cast_unsigned() }
}

/// As [`smod64`], 32 bits.
#[inline(always)]
#[must_use]
pub fn smod32(x: u32, y: u32) -> u32 {
    if y == 0 { x } else { x.cast_signed().wrapping_rem(y.cast_signed()).cast_unsigned() }
}
