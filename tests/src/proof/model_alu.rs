//! Arithmetic, extension and byte order.

use probity_isa::AluOp;

use super::{
    model::{Bits, Ends, Scalar},
    model_sync::sync,
    term::Term,
};

/// The operations on two scalars that are tracked.
pub const COMBINED: [AluOp; 6] = [AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::And, AluOp::Or, AluOp::Xor];
/// The shifts.
pub const SHIFTS: [AluOp; 3] = [AluOp::Lsh, AluOp::Rsh, AluOp::Arsh];

/// What the machine computes at the width of its operands.
///
/// # Panics
///
/// For operations that are not tracked.
#[must_use]
pub fn machine(op: AluOp, a: &Term, b: &Term) -> Term {
    match op {
        AluOp::Add => a + b,
        AluOp::Sub => a - b,
        AluOp::Mul => a.times(b),
        AluOp::And => a & b,
        AluOp::Or => a | b,
        AluOp::Xor => a ^ b,
        AluOp::Lsh => a.shl(b),
        AluOp::Rsh => a.lshr(b),
        AluOp::Arsh => a.ashr(b),
        _ => panic!("{op:?} is not tracked"),
    }
}

/// What the machine computes with the whole or with the low half.
#[must_use]
pub fn machine_at(op: AluOp, narrow: bool, a: &Term, b: &Term) -> Term {
    if !narrow {
        return machine(op, a, b);
    }
    let low = |x: &Term| x.bits(0, x.width() / 2);
    machine(op, &low(a), &low(b)).zero_extend(a.width())
}

/// The parts of `dst op src`, nothing deduced yet. `narrow`: only the low half counts.
#[must_use]
pub fn combine(op: AluOp, narrow: bool, dst: &Scalar, src: &Scalar) -> Scalar {
    let low = |x: &Term| x.bits(0, x.width() / 2);
    let bits = match op {
        AluOp::Add => dst.bits.add(&src.bits),
        AluOp::Sub => dst.bits.sub(&src.bits),
        AluOp::Mul => dst.bits.mul(&src.bits),
        AluOp::And => dst.bits.and(&src.bits),
        AluOp::Or => dst.bits.or(&src.bits),
        _ => dst.bits.xor(&src.bits),
    };
    let ends = |a: &Ends, b: &Ends, cut: &dyn Fn(&Term) -> Term| match op {
        AluOp::Add => a.add(b),
        AluOp::Sub => a.sub(b),
        AluOp::Mul => a.mul(b),
        AluOp::And => Ends::of_unsigned(&cut(&bits.value), &a.umax.umin(&b.umax)),
        AluOp::Or => Ends::of_unsigned(&a.umin.umax(&b.umin), &cut(&bits.max())),
        _ => Ends::of_unsigned(&cut(&bits.value), &cut(&bits.max())),
    };
    let half = ends(&dst.half, &src.half, &low);
    let wide = if narrow { Ends::unknown(dst.width()) } else { ends(&dst.wide, &src.wide, &Term::clone) };
    Scalar { bits, wide, half }
}

/// The parts of a shift by an amount below the width, nothing deduced yet.
#[must_use]
pub fn shift(op: AluOp, narrow: bool, dst: &Scalar, amount: &Term) -> Scalar {
    let (w, h) = (dst.width(), dst.width() / 2);
    let low_amount = amount.bits(0, h);
    let by: fn(&Term, &Term) -> Term = match op {
        AluOp::Lsh => Term::shl,
        AluOp::Rsh => Term::lshr,
        _ => Term::ashr,
    };
    let ends = |ends: &Ends, amount: &Term| match op {
        AluOp::Lsh => ends.lsh(amount),
        AluOp::Rsh => ends.rsh(amount),
        _ => ends.arsh(amount),
    };
    if narrow {
        let bits = if op == AluOp::Arsh {
            let part = |x: &Term| x.bits(0, h).ashr(&low_amount).zero_extend(w);
            Bits { value: part(&dst.bits.value), mask: part(&dst.bits.mask) }
        } else {
            dst.bits.cast(h).shift(by, amount)
        };
        return Scalar { bits, wide: Ends::unknown(w), half: ends(&dst.half, &low_amount) };
    }
    let bits = dst.bits.shift(by, amount);
    let mut wide = ends(&dst.wide, amount);
    let mut half = Ends::unknown(h);
    if op == AluOp::Lsh {
        let half_width = Term::number(u64::from(h), w);
        half = Ends::ite(&amount.ult(&half_width), &dst.half.lsh(&low_amount), &half);
        let by_half = amount.equals(&half_width);
        let up = |x: &Term| x.sign_extend(w).shl(&half_width);
        wide.smin = by_half.ite(&up(&dst.half.smin), &wide.smin);
        wide.smax = by_half.ite(&up(&dst.half.smax), &wide.smax);
    }
    Scalar { bits, wide, half }
}

fn finish(narrow: bool, result: &Scalar) -> Scalar {
    if narrow { zero_extend(result, result.width() / 2) } else { sync(result) }
}

/// `dst op src`, one of [`COMBINED`].
#[must_use]
pub fn alu(op: AluOp, narrow: bool, dst: &Scalar, src: &Scalar) -> Scalar {
    let both = &dst.bits.is_const() & &src.bits.is_const();
    let exact = Scalar::constant(&machine_at(op, narrow, &dst.bits.value, &src.bits.value));
    Scalar::ite(&both, &exact, &finish(narrow, &combine(op, narrow, dst, src)))
}

/// One of [`SHIFTS`] by a known amount below the width.
#[must_use]
pub fn alu_shift(op: AluOp, narrow: bool, dst: &Scalar, amount: &Term) -> Scalar {
    let exact = Scalar::constant(&machine_at(op, narrow, &dst.bits.value, amount));
    Scalar::ite(&dst.bits.is_const(), &exact, &finish(narrow, &shift(op, narrow, dst, amount)))
}

/// Pointer arithmetic on the variable part: the half is found anew.
#[must_use]
pub fn pointer_parts(subtract: bool, var: &Scalar, offset: &Scalar) -> Scalar {
    let op = if subtract { AluOp::Sub } else { AluOp::Add };
    Scalar { half: Ends::unknown(var.width() / 2), ..combine(op, false, var, offset) }
}

/// The low `bits`, zero-extended, nothing deduced yet.
#[must_use]
pub fn zero_extend_parts(value: &Scalar, bits: u32) -> Scalar {
    let (w, h) = (value.width(), value.width() / 2);
    let known = value.bits.cast(bits);
    if bits == h {
        let wide = Ends::of_unsigned(&value.half.umin.zero_extend(w), &value.half.umax.zero_extend(w));
        return Scalar { bits: known, wide, half: value.half.clone() };
    }
    let keep = Term::number(u64::MAX >> (64 - bits), w);
    let high = |x: &Term| x & &!&keep;
    let same = high(&value.wide.umin).equals(&high(&value.wide.umax));
    let umin = same.ite(&(&value.wide.umin & &keep), &Term::number(0, w));
    let umax = same.ite(&(&value.wide.umax & &keep), &keep);
    Scalar { bits: known, wide: Ends::of_unsigned(&umin, &umax), half: Ends::unknown(h) }
}

/// The low `bits`, zero-extended.
#[must_use]
pub fn zero_extend(value: &Scalar, bits: u32) -> Scalar {
    if bits == value.width() {
        return value.clone();
    }
    let parts = zero_extend_parts(value, bits);
    Scalar::ite(&parts.bits.is_const(), &Scalar::constant(&parts.bits.value), &sync(&parts))
}

fn extend(x: &Term, bits: u32) -> Term {
    x.bits(0, bits).sign_extend(x.width())
}

/// The ends of an interval after the sign extension of the low `bits`.
fn extended(min: &Term, max: &Term, bits: u32) -> (Term, Term) {
    let width = min.width();
    let (low, high) = (extend(min, bits), extend(max, bits));
    let zero = Term::number(0, width);
    let by = Term::number(u64::from(bits), width);
    let same_rest = if bits >= width { Term::yes() } else { min.ashr(&by).equals(&max.ashr(&by)) };
    let keeps = &same_rest & &low.slt(&zero).equals(&high.slt(&zero));
    let least = Term::number(1 << (bits - 1), bits).sign_extend(width);
    let most = Term::number((1 << (bits - 1)) - 1, bits).sign_extend(width);
    (keeps.ite(&low, &least), keeps.ite(&high, &most))
}

/// The low `bits`, sign-extended to the whole or to the low half, nothing deduced yet. In the narrow
/// form zero extension comes afterwards.
#[must_use]
pub fn movsx_parts(value: &Scalar, bits: u32, narrow: bool) -> Scalar {
    let w = value.width();
    let ends = if narrow { &value.half } else { &value.wide };
    let (smin, smax) = extended(&ends.smin, &ends.smax, bits);
    let mut parts = Scalar::of_bits(Bits::unknown(w));
    let ends = Ends::of_signed(&smin, &smax);
    if narrow {
        parts.half = ends;
    } else {
        parts.wide = ends;
    }
    parts
}

/// The low `bits`, sign-extended.
#[must_use]
pub fn movsx(value: &Scalar, bits: u32, narrow: bool) -> Scalar {
    let (w, h) = (value.width(), value.width() / 2);
    let parts = movsx_parts(value, bits, narrow);
    if narrow {
        let is_const = value.bits.mask.bits(0, h).equals(&Term::number(0, h));
        let exact = value.bits.value.bits(0, h);
        let exact = exact.bits(0, bits.min(h)).sign_extend(h).zero_extend(w);
        return Scalar::ite(&is_const, &Scalar::constant(&exact), &zero_extend(&parts, h));
    }
    let exact = extend(&value.bits.value, bits);
    Scalar::ite(&value.bits.is_const(), &Scalar::constant(&exact), &sync(&parts))
}

/// The low bytes of a word in reverse order, zero-extended.
#[must_use]
pub fn reverse(x: &Term, bytes: u32) -> Term {
    let width = x.width();
    (0..bytes).fold(Term::number(0, width), |sum, byte| {
        let moved = x.bits(byte * 8, 8).zero_extend(width);
        let to = Term::number(u64::from((bytes - 1 - byte) * 8), width);
        &sum | &moved.shl(&to)
    })
}

/// The low bytes in reverse order.
#[must_use]
pub fn swap(value: &Scalar, bytes: u32) -> Scalar {
    let bits = Bits { value: reverse(&value.bits.value, bytes), mask: reverse(&value.bits.mask, bytes) };
    sync(&Scalar::of_bits(bits))
}
