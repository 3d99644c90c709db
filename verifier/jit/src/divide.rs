//! Unsigned division by constants as multiplication (Granlund and Montgomery, "Division by Invariant
//! Integers using Multiplication", 1994).

/// How `n / d` is computed, for a `d` that is neither 0 nor a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reciprocal {
    /// `(n * factor) >> shift` with 64 bits, for `n` of 32.
    Low {
        /// The factor, 32 bits.
        factor: u32,
        /// 32 to 63.
        shift: u8,
    },
    /// The upper half of `n * factor`, shifted.
    High {
        /// The factor.
        factor: u64,
        /// 0 to 63.
        shift: u8,
    },
    /// With `h` the upper half of `n * factor`: `(((n - h) >> 1) + h) >> shift`. The factor has a 65th
    /// bit that is left out.
    HighAdd {
        /// The factor's low bits.
        factor: u64,
        /// 0 to 63.
        shift: u8,
    },
}

/// Division of 32 bits.
pub(crate) fn reciprocal32(d: u32) -> Reciprocal {
    debug_assert!(d > 2 && !d.is_power_of_two());
    // With 2^s below d the factor fits into 32 bits, unless it takes the 33rd.
    let s = d.ilog2();
    let power = 1_u64 << (32 + s);
    let factor = power.div_ceil(d.into());
    let error = factor * u64::from(d) - power;
    if error <= 1 << s {
        return Reciprocal::Low { factor: factor as u32, shift: 32 + s as u8 };
    }
    // ceil(2^64 / d) * d is less than 2^64 + d: what it is too large by, times n, stays below 2^64.
    Reciprocal::High { factor: u64::MAX / u64::from(d) + 1, shift: 0 }
}

/// Division of 64 bits, by less than 2^63.
pub(crate) fn reciprocal64(d: u64) -> Reciprocal {
    debug_assert!(d > 2 && !d.is_power_of_two() && d < 1 << 63);
    let s = d.ilog2();
    let power = 1_u128 << (64 + s);
    let factor = power.div_ceil(d.into());
    let error = factor * u128::from(d) - power;
    if error <= 1 << s {
        return Reciprocal::High { factor: factor as u64, shift: s as u8 };
    }
    // One bit more of precision, which the factor has as its 65th.
    let factor = (power << 1).div_ceil(d.into());
    Reciprocal::HighAdd { factor: factor as u64, shift: s as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotient(reciprocal: Reciprocal, n: u64) -> u64 {
        let high = |factor: u64| ((u128::from(n) * u128::from(factor)) >> 64) as u64;
        match reciprocal {
            Reciprocal::Low { factor, shift } => (n * u64::from(factor)) >> shift,
            Reciprocal::High { factor, shift } => high(factor) >> shift,
            Reciprocal::HighAdd { factor, shift } => {
                let h = high(factor);
                (((n - h) >> 1) + h) >> shift
            }
        }
    }

    /// Numbers around which things go wrong, and others.
    fn numbers(bits: u32) -> Vec<u64> {
        let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let mut numbers: Vec<u64> =
            (0..bits).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).collect();
        numbers.extend((0..20).flat_map(|n| [n, mask - n]));
        let mut seed = 1_u64;
        for _ in 0..500 {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            numbers.push((seed >> (seed >> 58)) & mask);
        }
        numbers
    }

    #[test]
    fn quotients_are_right() {
        for bits in [32, 64] {
            let divisors = numbers(bits).into_iter().filter(|d| *d > 2 && *d < 1 << 63);
            for d in divisors.filter(|d| !d.is_power_of_two()) {
                let reciprocal = if bits == 32 { reciprocal32(d as u32) } else { reciprocal64(d) };
                for n in numbers(bits) {
                    for n in [n, n / d * d, (n / d * d).wrapping_sub(1) & (u64::MAX >> (64 - bits))] {
                        assert_eq!(quotient(reciprocal, n), n / d, "{n} / {d} with {reciprocal:?}");
                    }
                }
            }
        }
    }
}
