//! Abstract values with some of their members.

use probity_engine::domain::{Scalar, Tnum};

use crate::generate::Rng;

/// A number near a place where something changes, or any.
pub fn number(rng: &mut Rng) -> u64 {
    let edge = match rng.below(8) {
        0 => 0,
        1 => 1 << 7,
        2 => 1 << 15,
        3 => 1 << 31,
        4 => 1 << 32,
        5 => 1 << 63,
        _ => 1 << rng.below(64),
    };
    match rng.below(6) {
        0..4 => u64::wrapping_add(edge, rng.below(7) as u64).wrapping_sub(3),
        4 => rng.bits() & 0xffff_ffff,
        _ => rng.bits(),
    }
}

/// A scalar and up to three of its members: what the parts say of those, some parts forgotten, some
/// widened. Synced or, once in a while, as it is.
pub fn scalar(rng: &mut Rng) -> (Scalar, Vec<u64>) {
    let first = number(rng);
    let mut members = vec![first];
    for _ in 0..rng.below(3) {
        let next = if rng.chance(50) { first.wrapping_add(rng.below(40) as u64) } else { number(rng) };
        members.push(next);
    }
    let forget = rng.bits();
    let mut s = Scalar::UNKNOWN;
    if forget & 1 == 0 {
        let tnum = members.iter().fold(Tnum::constant(first), |tnum, &x| tnum.union(Tnum::constant(x)));
        let mask = if forget & 32 == 0 { 0 } else { rng.bits() };
        s.tnum = Tnum { value: tnum.value & !mask, mask: tnum.mask | mask };
    }
    let ends = |key: &dyn Fn(u64) -> i128| {
        let keys = || members.iter().map(|&x| key(x));
        (keys().min().unwrap_or(0), keys().max().unwrap_or(0))
    };
    if forget & 2 == 0 {
        let (min, max) = ends(&i128::from);
        (s.umin, s.umax) = (min as u64, max as u64);
    }
    if forget & 4 == 0 {
        let (min, max) = ends(&|x| i128::from(x as i64));
        (s.smin, s.smax) = (min as i64, max as i64);
    }
    if forget & 8 == 0 {
        let (min, max) = ends(&|x| i128::from(x as u32));
        (s.u32_min, s.u32_max) = (min as u32, max as u32);
    }
    if forget & 16 == 0 {
        let (min, max) = ends(&|x| i128::from(x as i32));
        (s.s32_min, s.s32_max) = (min as i32, max as i32);
    }
    if forget & 64 == 0 {
        s.umin = s.umin.saturating_sub(rng.bits() >> 56);
        s.smax = s.smax.saturating_add((rng.bits() >> 56) as i64);
    }
    if forget & 0x380 != 0 {
        s.sync();
    }
    (s, members)
}
