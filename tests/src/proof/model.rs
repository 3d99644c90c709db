//! A scalar as terms: known bits, and the intervals of the whole word and of its low half.

use super::term::Term;

/// Known bits.
#[derive(Clone, Debug)]
pub struct Bits {
    /// The bits known to be 1.
    pub value: Term,
    /// The unknown bits.
    pub mask: Term,
}

/// The unsigned and the signed interval of one width.
#[derive(Clone, Debug)]
pub struct Ends {
    /// Least, unsigned.
    pub umin: Term,
    /// Greatest, unsigned.
    pub umax: Term,
    /// Least, signed.
    pub smin: Term,
    /// Greatest, signed.
    pub smax: Term,
}

/// What is known of a word.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Known bits.
    pub bits: Bits,
    /// The intervals of the whole.
    pub wide: Ends,
    /// The intervals of the low half.
    pub half: Ends,
}

/// A word with each bit set at and below its highest one.
#[must_use]
pub fn smear(x: &Term) -> Term {
    let mut x = x.clone();
    let mut by = 1;
    while by < x.width() {
        x = &x | &x.lshr(&Term::number(u64::from(by), x.width()));
        by *= 2;
    }
    x
}

/// One operator on two terms, as a function.
pub type Binary = fn(&Term, &Term) -> Term;

impl Bits {
    /// Exactly `value`.
    #[must_use]
    pub fn constant(value: &Term) -> Bits {
        Bits { value: value.clone(), mask: Term::number(0, value.width()) }
    }

    /// Nothing is known.
    #[must_use]
    pub fn unknown(width: u32) -> Bits {
        Bits { value: Term::number(0, width), mask: Term::number(u64::MAX, width) }
    }

    pub(super) fn masked(value: &Term, mask: &Term) -> Bits {
        Bits { value: value & &!mask, mask: mask.clone() }
    }

    /// The best of an interval.
    #[must_use]
    pub fn range(min: &Term, max: &Term) -> Bits {
        Bits::masked(min, &smear(&(min ^ max)))
    }

    /// Whether one value is left.
    #[must_use]
    pub fn is_const(&self) -> Term {
        self.mask.equals(&Term::number(0, self.mask.width()))
    }

    /// The greatest member.
    #[must_use]
    pub fn max(&self) -> Term {
        &self.value | &self.mask
    }

    /// Whether `x` is a member.
    #[must_use]
    pub fn contains(&self, x: &Term) -> Term {
        (x & &!&self.mask).equals(&self.value)
    }

    /// Whether there is a common member.
    #[must_use]
    pub fn overlaps(&self, other: &Bits) -> Term {
        let known = !&(&self.mask | &other.mask);
        (&(&self.value ^ &other.value) & &known).equals(&Term::number(0, self.mask.width()))
    }

    /// The least member above `x`; the greatest member if there is none.
    #[must_use]
    pub fn next(&self, x: &Term) -> Term {
        let one = Term::number(1, x.width());
        let wrong = &(x ^ &self.value) & &!&self.mask;
        let below = smear(&wrong);
        let bit = &below ^ &below.lshr(&one);
        let set = (x & &bit).ult(&(&self.value & &bit));
        let least = &(&(x & &self.mask) & &!&below) | &self.value;
        let up = &(&(x | &!&self.mask) | &below) + &one;
        let counted = &(&up & &self.mask) | &self.value;
        self.max().ule(x).ite(&self.max(), &set.ite(&least, &counted))
    }

    /// Whether there is one member in the interval, as far as that is easily seen; and which.
    #[must_use]
    pub fn only_member(&self, min: &Term, max: &Term) -> (Term, Term) {
        let is_member = self.contains(min);
        let several = &(&is_member & &min.ult(max)) & &self.contains(max);
        let next = self.next(min);
        let is_only = &next.equals(&self.max()) | &(&next.ule(max) & &max.ult(&self.next(&next)));
        let only = is_member.ite(&max.ult(&next), &is_only);
        (&!&several & &only, is_member.ite(min, &next))
    }

    /// `self + other`.
    #[must_use]
    pub fn add(&self, other: &Bits) -> Bits {
        let value = &self.value + &other.value;
        let highest = &value + &(&self.mask + &other.mask);
        let carries = &highest ^ &value;
        Bits::masked(&value, &(&(&carries | &self.mask) | &other.mask))
    }

    /// `self - other`.
    #[must_use]
    pub fn sub(&self, other: &Bits) -> Bits {
        let value = &self.value - &other.value;
        let borrows = &(&value + &self.mask) ^ &(&value - &other.mask);
        Bits::masked(&value, &(&(&borrows | &self.mask) | &other.mask))
    }

    /// `self & other`.
    #[must_use]
    pub fn and(&self, other: &Bits) -> Bits {
        let value = &self.value & &other.value;
        Bits { mask: &(&self.max() & &other.max()) & &!&value, value }
    }

    /// `self | other`.
    #[must_use]
    pub fn or(&self, other: &Bits) -> Bits {
        let value = &self.value | &other.value;
        Bits { mask: &(&self.mask | &other.mask) & &!&value, value }
    }

    /// `self ^ other`.
    #[must_use]
    pub fn xor(&self, other: &Bits) -> Bits {
        Bits::masked(&(&self.value ^ &other.value), &(&self.mask | &other.mask))
    }

    /// Both parts shifted by one of the three shifts.
    #[must_use]
    pub fn shift(&self, by: fn(&Term, &Term) -> Term, amount: &Term) -> Bits {
        Bits { value: by(&self.value, amount), mask: by(&self.mask, amount) }
    }

    /// One step of a multiplication: the partial sum `self`, with or without the shifted `other`.
    #[must_use]
    pub fn mul_step(&self, other: &Bits, known: &Term, unknown: &Term) -> Bits {
        let with = self.add(other);
        let either = self.union(&with);
        let pick = |a: &Term, b: &Term, c: &Term| known.ite(a, &unknown.ite(b, c));
        Bits {
            value: pick(&with.value, &either.value, &self.value),
            mask: pick(&with.mask, &either.mask, &self.mask),
        }
    }

    /// `self * other`.
    #[must_use]
    pub fn mul(&self, other: &Bits) -> Bits {
        let width = self.value.width();
        let mut sum = Bits::constant(&Term::number(0, width));
        for bit in 0..width {
            let shifted = other.shift(Term::shl, &Term::number(u64::from(bit), width));
            sum = sum.mul_step(&shifted, &self.value.bits(bit, 1), &self.mask.bits(bit, 1));
        }
        let both = &self.is_const() & &other.is_const();
        Bits {
            value: both.ite(&self.value.times(&other.value), &sum.value),
            mask: both.ite(&Term::number(0, width), &sum.mask),
        }
    }

    /// What is known to either.
    #[must_use]
    pub fn intersect(&self, other: &Bits) -> Bits {
        Bits::masked(&(&self.value | &other.value), &(&self.mask & &other.mask))
    }

    /// What is known to both, and equal.
    #[must_use]
    pub fn union(&self, other: &Bits) -> Bits {
        let apart = &self.value ^ &other.value;
        Bits::masked(&self.value, &(&(&self.mask | &other.mask) | &apart))
    }

    /// The low `bits`, zero-extended.
    #[must_use]
    pub fn cast(&self, bits: u32) -> Bits {
        let cut = |x: &Term| x.bits(0, bits).zero_extend(x.width());
        Bits { value: cut(&self.value), mask: cut(&self.mask) }
    }

    /// The high half of `self` with the low half of `low`.
    #[must_use]
    pub fn with_low(&self, low: &Bits) -> Bits {
        let width = self.value.width();
        let high = !&Term::number(u64::MAX >> (64 - width / 2), width);
        let high = Bits { value: &self.value & &high, mask: &self.mask & &high };
        high.or(&low.cast(width / 2))
    }
}

impl Ends {
    fn width(&self) -> u32 {
        self.umin.width()
    }

    /// Every value.
    #[must_use]
    pub fn unknown(width: u32) -> Ends {
        let sign = 1 << (width - 1);
        Ends {
            umin: Term::number(0, width),
            umax: Term::number(u64::MAX, width),
            smin: Term::number(sign, width),
            smax: Term::number(sign - 1, width),
        }
    }

    /// Exactly `value`.
    #[must_use]
    pub fn constant(value: &Term) -> Ends {
        Ends { umin: value.clone(), umax: value.clone(), smin: value.clone(), smax: value.clone() }
    }

    /// `yes` or `no`.
    #[must_use]
    pub fn ite(cond: &Term, yes: &Ends, no: &Ends) -> Ends {
        Ends {
            umin: cond.ite(&yes.umin, &no.umin),
            umax: cond.ite(&yes.umax, &no.umax),
            smin: cond.ite(&yes.smin, &no.smin),
            smax: cond.ite(&yes.smax, &no.smax),
        }
    }

    /// Whether `x` is a member.
    #[must_use]
    pub fn contains(&self, x: &Term) -> Term {
        let unsigned = &self.umin.ule(x) & &x.ule(&self.umax);
        let signed = &self.smin.sle(x) & &x.sle(&self.smax);
        &unsigned & &signed
    }

    /// The unsigned interval, and the signed one if it is the same set.
    #[must_use]
    pub fn of_unsigned(umin: &Term, umax: &Term) -> Ends {
        let unknown = Ends::unknown(umin.width());
        let same = umin.sle(umax);
        Ends {
            smin: same.ite(umin, &unknown.smin),
            smax: same.ite(umax, &unknown.smax),
            umin: umin.clone(),
            umax: umax.clone(),
        }
    }

    /// The signed interval alone.
    #[must_use]
    pub fn of_signed(smin: &Term, smax: &Term) -> Ends {
        Ends { smin: smin.clone(), smax: smax.clone(), ..Ends::unknown(smin.width()) }
    }

    /// Whether the intervals have members.
    #[must_use]
    pub fn is_ordered(&self) -> Term {
        &self.umin.ule(&self.umax) & &self.smin.sle(&self.smax)
    }

    /// Whether neither pair of intervals is apart.
    #[must_use]
    pub fn overlaps(&self, other: &Ends) -> Term {
        let unsigned = &self.umin.ule(&other.umax) & &other.umin.ule(&self.umax);
        let signed = &self.smin.sle(&other.smax) & &other.smin.sle(&self.smax);
        &unsigned & &signed
    }

    /// Whether the two are the same.
    #[must_use]
    pub fn same(&self, other: &Ends) -> Term {
        let unsigned = &self.umin.equals(&other.umin) & &self.umax.equals(&other.umax);
        let signed = &self.smin.equals(&other.smin) & &self.smax.equals(&other.smax);
        &unsigned & &signed
    }

    /// The interval of sums or differences from ends and whether they wrap or overflow.
    fn from_ends(unsigned: [(Term, Term); 2], signed: [(Term, Term); 2]) -> Ends {
        let [(umin, low), (umax, high)] = unsigned;
        let [(smin, under), (smax, over)] = signed;
        let unknown = Ends::unknown(umin.width());
        let (alike, fits) = (low.equals(&high), !&(&under | &over));
        Ends {
            umin: alike.ite(&umin, &unknown.umin),
            umax: alike.ite(&umax, &unknown.umax),
            smin: fits.ite(&smin, &unknown.smin),
            smax: fits.ite(&smax, &unknown.smax),
        }
    }

    /// Sums.
    #[must_use]
    pub fn add(&self, other: &Ends) -> Ends {
        let zero = Term::number(0, self.width());
        let unsigned = |a: &Term, b: &Term| (a + b, (a + b).ult(a));
        let signed = |a: &Term, b: &Term| {
            let sum = a + b;
            let overflows = (&(a ^ &sum) & &(b ^ &sum)).slt(&zero);
            (sum, overflows)
        };
        Ends::from_ends(
            [unsigned(&self.umin, &other.umin), unsigned(&self.umax, &other.umax)],
            [signed(&self.smin, &other.smin), signed(&self.smax, &other.smax)],
        )
    }

    /// Differences.
    #[must_use]
    pub fn sub(&self, other: &Ends) -> Ends {
        let zero = Term::number(0, self.width());
        let unsigned = |a: &Term, b: &Term| (a - b, a.ult(b));
        let signed = |a: &Term, b: &Term| {
            let difference = a - b;
            let overflows = (&(a ^ b) & &(a ^ &difference)).slt(&zero);
            (difference, overflows)
        };
        Ends::from_ends(
            [unsigned(&self.umin, &other.umax), unsigned(&self.umax, &other.umin)],
            [signed(&self.smin, &other.smax), signed(&self.smax, &other.smin)],
        )
    }

    /// Products.
    #[must_use]
    pub fn mul(&self, other: &Ends) -> Ends {
        let unknown = Ends::unknown(self.width());
        let pairs = [
            (&self.smin, &other.smin),
            (&self.smin, &other.smax),
            (&self.smax, &other.smin),
            (&self.smax, &other.smax),
        ];
        let fits = pairs.iter().fold(Term::yes(), |fits, (a, b)| &fits & &a.smul_fits(b));
        let [a, b, c, d] = pairs.map(|(a, b)| a.times(b));
        let unsigned = self.umax.umul_fits(&other.umax);
        Ends {
            umin: unsigned.ite(&self.umin.times(&other.umin), &unknown.umin),
            umax: unsigned.ite(&self.umax.times(&other.umax), &unknown.umax),
            smin: fits.ite(&a.smin(&b).smin(&c).smin(&d), &unknown.smin),
            smax: fits.ite(&a.smax(&b).smax(&c).smax(&d), &unknown.smax),
        }
    }

    /// Left shifts.
    #[must_use]
    pub fn lsh(&self, amount: &Term) -> Ends {
        let unknown = Ends::unknown(self.width());
        let limit = Term::number(1 << (self.width() - 1), self.width()).lshr(amount);
        let lost = limit.ult(&self.umax);
        let kept = Ends { umin: self.umin.shl(amount), umax: self.umax.shl(amount), ..unknown.clone() };
        Ends::ite(&lost, &unknown, &kept)
    }

    /// Logical right shifts.
    #[must_use]
    pub fn rsh(&self, amount: &Term) -> Ends {
        Ends { umin: self.umin.lshr(amount), umax: self.umax.lshr(amount), ..Ends::unknown(self.width()) }
    }

    /// Arithmetic right shifts.
    #[must_use]
    pub fn arsh(&self, amount: &Term) -> Ends {
        Ends::of_signed(&self.smin.ashr(amount), &self.smax.ashr(amount))
    }

    /// What both say.
    #[must_use]
    pub fn meet(&self, other: &Ends) -> Ends {
        Ends {
            umin: self.umin.umax(&other.umin),
            umax: self.umax.umin(&other.umax),
            smin: self.smin.smax(&other.smin),
            smax: self.smax.smin(&other.smax),
        }
    }
}

impl Scalar {
    /// The inputs from `first` on: value, mask, four ends of the whole, four of the half.
    #[must_use]
    pub fn input(first: u32, width: u32) -> Scalar {
        let ends = |first, width| Ends {
            umin: Term::var(first, width),
            umax: Term::var(first + 1, width),
            smin: Term::var(first + 2, width),
            smax: Term::var(first + 3, width),
        };
        Scalar {
            bits: Bits { value: Term::var(first, width), mask: Term::var(first + 1, width) },
            wide: ends(first + 2, width),
            half: ends(first + 6, width / 2),
        }
    }

    /// The ten terms, as [`Scalar::input`] takes them.
    #[must_use]
    pub fn outputs(&self) -> Vec<Term> {
        let Scalar { bits, wide, half } = self;
        [
            &bits.value,
            &bits.mask,
            &wide.umin,
            &wide.umax,
            &wide.smin,
            &wide.smax,
            &half.umin,
            &half.umax,
            &half.smin,
            &half.smax,
        ]
        .map(Clone::clone)
        .into()
    }

    /// How many bits it has.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.bits.value.width()
    }

    /// Exactly `value`.
    #[must_use]
    pub fn constant(value: &Term) -> Scalar {
        let half = value.bits(0, value.width() / 2);
        Scalar { bits: Bits::constant(value), wide: Ends::constant(value), half: Ends::constant(&half) }
    }

    /// Known bits, with intervals that say nothing.
    #[must_use]
    pub fn of_bits(bits: Bits) -> Scalar {
        let width = bits.value.width();
        Scalar { bits, wide: Ends::unknown(width), half: Ends::unknown(width / 2) }
    }

    /// `yes` or `no`.
    #[must_use]
    pub fn ite(cond: &Term, yes: &Scalar, no: &Scalar) -> Scalar {
        Scalar {
            bits: Bits {
                value: cond.ite(&yes.bits.value, &no.bits.value),
                mask: cond.ite(&yes.bits.mask, &no.bits.mask),
            },
            wide: Ends::ite(cond, &yes.wide, &no.wide),
            half: Ends::ite(cond, &yes.half, &no.half),
        }
    }

    /// Whether `x` is a member.
    #[must_use]
    pub fn contains(&self, x: &Term) -> Term {
        let half = self.half.contains(&x.bits(0, x.width() / 2));
        &(&self.bits.contains(x) & &self.wide.contains(x)) & &half
    }
}
