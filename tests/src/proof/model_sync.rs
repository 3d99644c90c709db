//! The deductions between the parts of a scalar, one by one and together.

use super::{
    model::{Bits, Ends, Scalar},
    term::Term,
};

/// As many rounds as the engine's.
pub const ROUNDS: u32 = probity_engine::domain::sync::ROUNDS;

/// The ends of an interval from the known bits.
fn ends_of_bits(value: &Term, mask: &Term) -> Ends {
    let width = value.width();
    let sign = Term::number(1 << (width - 1), width);
    Ends {
        umin: value.clone(),
        umax: value | mask,
        smin: value | &(mask & &sign),
        smax: value | &(mask & &!&sign),
    }
}

/// The ends from the known bits; whether one member is left, and which.
#[must_use]
pub fn bounds_from_bits(bits: &Bits, wide: &Ends, half: &Ends) -> (Ends, Ends, Term, Term) {
    let low = |x: &Term| x.bits(0, x.width() / 2);
    let wide = wide.meet(&ends_of_bits(&bits.value, &bits.mask));
    let half = half.meet(&ends_of_bits(&low(&bits.value), &low(&bits.mask)));
    let (is_only, only) = bits.only_member(&wide.umin, &wide.umax);
    (wide, half, is_only, only)
}

/// The half from the whole.
#[must_use]
pub fn half_from_wide(wide: &Ends, half: &Ends) -> Ends {
    let h = half.umin.width();
    let mut half = half.clone();
    for (min, max) in [(&wide.umin, &wide.umax), (&wide.smin, &wide.smax)] {
        let (high, low) = (min.bits(h, h), min.bits(0, h));
        let (last_high, last) = (max.bits(h, h), max.bits(0, h));
        let zero = Term::number(0, h);
        let same = &high.equals(&last_high) & &low.ule(&last);
        let signed = &same & &low.sle(&last);
        let one = Term::number(1, h);
        let steps = &(&high + &one).equals(&last_high) & &(&low.slt(&zero) & &!&last.slt(&zero));
        let by_sign = &signed | &(&!&same & &steps);
        half = Ends {
            umin: same.ite(&half.umin.umax(&low), &half.umin),
            umax: same.ite(&half.umax.umin(&last), &half.umax),
            smin: by_sign.ite(&half.smin.smax(&low), &half.smin),
            smax: by_sign.ite(&half.smax.smin(&last), &half.smax),
        };
    }
    half
}

/// The unsigned and the signed interval from each other.
#[must_use]
pub fn cross(ends: &Ends) -> Ends {
    let plain = ends.umin.sle(&ends.umax);
    let smin = plain.ite(&ends.smin.smax(&ends.umin), &ends.smin);
    let smax = plain.ite(&ends.smax.smin(&ends.umax), &ends.smax);
    let (umin, umax) = (&ends.umin, &ends.umax);
    let one_arc = smin.ule(&smax);
    let below = umax.ult(&smin);
    let above = smax.ult(umin);
    let three = |first: &Term, second: &Term, third: &Term, none: &Term| {
        one_arc.ite(first, &below.ite(second, &above.ite(third, none)))
    };
    Ends {
        umin: three(&umin.umax(&smin), umin, &umin.umax(&smin), umin),
        umax: three(&umax.umin(&smax), &umax.umin(&smax), umax, umax),
        smin: three(&smin, umin, &smin, &smin),
        smax: three(&smax, &smax, umax, &smax),
    }
}

/// The whole from the half.
#[must_use]
pub fn wide_from_half(wide: &Ends, half: &Ends) -> Ends {
    let wide = splice(wide, &half.umin, &half.umax);
    let ordered = half.smin.ule(&half.smax);
    let wide = Ends::ite(&ordered, &splice(&wide, &half.smin, &half.smax), &wide);
    let (w, h) = (wide.umin.width(), half.umin.width());
    let least = Term::number(1 << (h - 1), h).sign_extend(w);
    let most = Term::number((1 << (h - 1)) - 1, h).sign_extend(w);
    let fits = &least.sle(&wide.smin) & &wide.smax.sle(&most);
    let positive = !&half.smin.slt(&Term::number(0, h));
    let (min, max) = (half.smin.sign_extend(w), half.smax.sign_extend(w));
    let exact = Ends { umin: min.clone(), umax: max.clone(), smin: min, smax: max };
    Ends::ite(&(&fits & &positive), &exact, &wide)
}

fn splice(wide: &Ends, min: &Term, max: &Term) -> Ends {
    let (w, h) = (wide.umin.width(), min.width());
    let high = !&Term::number(u64::MAX >> (64 - h), w);
    let with = |end: &Term, low: &Term| &(end & &high) | &low.zero_extend(w);
    wide.meet(&Ends {
        umin: with(&wide.umin, min),
        umax: with(&wide.umax, max),
        smin: with(&wide.smin, min),
        smax: with(&wide.smax, max),
    })
}

/// The known bits from the ends.
#[must_use]
pub fn bits_from_bounds(bits: &Bits, wide: &Ends, half: &Ends) -> Bits {
    let (w, h) = (wide.umin.width(), half.umin.width());
    let whole = bits.intersect(&Bits::range(&wide.umin, &wide.umax));
    let low = Bits::range(&half.umin.zero_extend(w), &half.umax.zero_extend(w));
    whole.with_low(&whole.cast(h).intersect(&low))
}

/// All of them, in the engine's order.
#[must_use]
pub fn sync(scalar: &Scalar) -> Scalar {
    let (mut wide, mut half, is_only, only) = bounds_from_bits(&scalar.bits, &scalar.wide, &scalar.half);
    let start = (wide.clone(), half.clone());
    for _ in 0..ROUNDS {
        half = cross(&half_from_wide(&wide, &half));
        wide = wide_from_half(&cross(&wide), &half);
    }
    let bits = bits_from_bounds(&scalar.bits, &wide, &half);
    let (again_wide, again_half, is_only_now, only_now) = bounds_from_bits(&bits, &wide, &half);
    let same_bits = &bits.value.equals(&scalar.bits.value) & &bits.mask.equals(&scalar.bits.mask);
    let unchanged = &same_bits & &(&wide.same(&start.0) & &half.same(&start.1));
    let settled = Scalar { bits: bits.clone(), wide, half };
    let again = Scalar { bits, wide: again_wide, half: again_half };
    let again = Scalar::ite(&is_only_now, &Scalar::constant(&only_now), &again);
    let result = Scalar::ite(&unchanged, &settled, &again);
    Scalar::ite(&is_only, &Scalar::constant(&only), &result)
}

/// Whether the parts are consistent in themselves.
#[must_use]
pub fn is_consistent(scalar: &Scalar) -> Term {
    let h = scalar.width() / 2;
    let low = |x: &Term| x.bits(0, h);
    let ordered = &scalar.wide.is_ordered() & &scalar.half.is_ordered();
    let whole = scalar.bits.is_const().implies(&scalar.wide.same(&Ends::constant(&scalar.bits.value)));
    let low_const = low(&scalar.bits.mask).equals(&Term::number(0, h));
    let half = low_const.implies(&scalar.half.same(&Ends::constant(&low(&scalar.bits.value))));
    &ordered & &(&whole & &half)
}
