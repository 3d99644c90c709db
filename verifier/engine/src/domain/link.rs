//! Linked registers: copies that differ by a known constant learn together.
//!
//! A link class is the set of registers and stack slots that hold, up to a constant, one value. What
//! a compare tells of one member holds for every other after the difference of their distances is
//! added. Who is in which class is not said here, only what passes between two members.

use probity_isa::{AluOp, Width};

use super::alu::alu;
use super::scalar::Scalar;

/// How a member of a link class came from the common value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Delta {
    /// It is that value.
    #[default]
    Base,
    /// That value plus a constant, added (or subtracted) in 64 bits.
    Add64(i32),
    /// That value plus a constant, added in 32 bits: zero-extended. The value itself fits 32 bits,
    /// else there is no link.
    Add32(i32),
}

impl Delta {
    /// The constant.
    #[inline]
    #[must_use]
    pub const fn value(self) -> i32 {
        match self {
            Delta::Base => 0,
            Delta::Add64(value) | Delta::Add32(value) => value,
        }
    }
}

/// `base + delta` at this width; `base` as it is when `delta` is 0.
#[inline]
#[must_use]
pub fn offset_by(base: &Scalar, width: Width, delta: i64) -> Scalar {
    if delta == 0 {
        return *base;
    }
    alu(AluOp::Add, width, base, &Scalar::constant(delta as u64))
}

/// What a member of a link class is, given what another member was just found to be. If either has
/// a 32-bit distance, the other is found in 32 bits too. Nothing passes (`None`) between a member
/// with a 64-bit distance and one with a 32-bit distance.
#[must_use]
pub fn propagate(known: &Scalar, known_delta: Delta, member_delta: Delta) -> Option<Scalar> {
    let width = match (known_delta, member_delta) {
        (Delta::Add64(_), Delta::Add32(_)) | (Delta::Add32(_), Delta::Add64(_)) => return None,
        (Delta::Add32(_), _) | (_, Delta::Add32(_)) => Width::W32,
        _ => Width::W64,
    };
    let between = i64::from(member_delta.value()) - i64::from(known_delta.value());
    Some(offset_by(known, width, between))
}
