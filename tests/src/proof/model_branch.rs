//! Conditional jumps: what is decided, and what each outcome tells.

use probity_isa::JumpOp;

use super::{
    model::{Bits, Ends, Scalar},
    model_sync::{is_consistent, sync},
    term::Term,
};

/// All of them.
pub const JUMPS: [JumpOp; 11] = [
    JumpOp::Jeq,
    JumpOp::Jgt,
    JumpOp::Jge,
    JumpOp::Jset,
    JumpOp::Jne,
    JumpOp::Jsgt,
    JumpOp::Jsge,
    JumpOp::Jlt,
    JumpOp::Jle,
    JumpOp::Jslt,
    JumpOp::Jsle,
];

/// Whether the machine jumps, on the whole or on the low half.
#[must_use]
pub fn machine(op: JumpOp, narrow: bool, a: &Term, b: &Term) -> Term {
    let cut = |x: &Term| if narrow { x.bits(0, x.width() / 2) } else { x.clone() };
    let (a, b) = (&cut(a), &cut(b));
    match op {
        JumpOp::Jeq => a.equals(b),
        JumpOp::Jne => !&a.equals(b),
        JumpOp::Jset => !&(a & b).equals(&Term::number(0, a.width())),
        JumpOp::Jgt => b.ult(a),
        JumpOp::Jge => b.ule(a),
        JumpOp::Jlt => a.ult(b),
        JumpOp::Jle => a.ule(b),
        JumpOp::Jsgt => b.slt(a),
        JumpOp::Jsge => b.sle(a),
        JumpOp::Jslt => a.slt(b),
        JumpOp::Jsle => a.sle(b),
    }
}

fn known(narrow: bool, value: &Scalar) -> Bits {
    if narrow { value.bits.cast(value.width() / 2) } else { value.bits.clone() }
}

/// Whether the jump is surely taken, and whether it is surely not.
#[must_use]
pub fn decide(op: JumpOp, narrow: bool, dst: &Scalar, src: &Scalar) -> (Term, Term) {
    let swap = |(yes, no): (Term, Term)| (no, yes);
    match op {
        JumpOp::Jeq => equal(narrow, dst, src),
        JumpOp::Jne => swap(equal(narrow, dst, src)),
        JumpOp::Jset => any_common_bit(narrow, dst, src),
        JumpOp::Jlt => less(narrow, false, dst, src),
        JumpOp::Jge => swap(less(narrow, false, dst, src)),
        JumpOp::Jgt => less(narrow, false, src, dst),
        JumpOp::Jle => swap(less(narrow, false, src, dst)),
        JumpOp::Jslt => less(narrow, true, dst, src),
        JumpOp::Jsge => swap(less(narrow, true, dst, src)),
        JumpOp::Jsgt => less(narrow, true, src, dst),
        JumpOp::Jsle => swap(less(narrow, true, src, dst)),
    }
}

fn equal(narrow: bool, a: &Scalar, b: &Scalar) -> (Term, Term) {
    let (x, y) = (known(narrow, a), known(narrow, b));
    let both = &x.is_const() & &y.is_const();
    let same = x.value.equals(&y.value);
    let apart = &!&x.overlaps(&y) | &!&a.half.overlaps(&b.half);
    let apart = if narrow { apart } else { &apart | &!&a.wide.overlaps(&b.wide) };
    (&both & &same, both.ite(&!&same, &apart))
}

fn any_common_bit(narrow: bool, a: &Scalar, b: &Scalar) -> (Term, Term) {
    let (a, b) = (known(narrow, a), known(narrow, b));
    let asked = &a.is_const() | &b.is_const();
    let zero = Term::number(0, a.value.width());
    let surely = !&(&a.value & &b.value).equals(&zero);
    let never = (&a.max() & &b.max()).equals(&zero);
    (&asked & &surely, &(&asked & &!&surely) & &never)
}

fn less(narrow: bool, signed: bool, a: &Scalar, b: &Scalar) -> (Term, Term) {
    let ends = |x: &Scalar| if narrow { x.half.clone() } else { x.wide.clone() };
    let (a, b) = (ends(a), ends(b));
    if signed {
        let yes = a.smax.slt(&b.smin);
        (yes.clone(), &!&yes & &b.smax.sle(&a.smin))
    } else {
        let yes = a.umax.ult(&b.umin);
        (yes.clone(), &!&yes & &b.umax.ule(&a.umin))
    }
}

/// Both operands with the outcome applied, nothing deduced yet.
#[must_use]
pub fn assume(op: JumpOp, narrow: bool, dst: &Scalar, src: &Scalar, taken: bool) -> (Scalar, Scalar) {
    let turn = |(a, b): (Scalar, Scalar)| (b, a);
    match (op, taken) {
        (JumpOp::Jeq, true) | (JumpOp::Jne, false) => assume_equal(narrow, dst, src),
        (JumpOp::Jeq, false) | (JumpOp::Jne, true) => against_constant(narrow, dst, src, assume_unequal),
        (JumpOp::Jset, true) => against_constant(narrow, dst, src, assume_common_bit),
        (JumpOp::Jset, false) => against_constant(narrow, dst, src, assume_no_common_bit),
        (JumpOp::Jlt, true) | (JumpOp::Jge, false) => assume_order(narrow, false, true, dst, src),
        (JumpOp::Jle, true) | (JumpOp::Jgt, false) => assume_order(narrow, false, false, dst, src),
        (JumpOp::Jgt, true) | (JumpOp::Jle, false) => turn(assume_order(narrow, false, true, src, dst)),
        (JumpOp::Jge, true) | (JumpOp::Jlt, false) => turn(assume_order(narrow, false, false, src, dst)),
        (JumpOp::Jslt, true) | (JumpOp::Jsge, false) => assume_order(narrow, true, true, dst, src),
        (JumpOp::Jsle, true) | (JumpOp::Jsgt, false) => assume_order(narrow, true, false, dst, src),
        (JumpOp::Jsgt, true) | (JumpOp::Jsle, false) => turn(assume_order(narrow, true, true, src, dst)),
        (JumpOp::Jsge, true) | (JumpOp::Jslt, false) => turn(assume_order(narrow, true, false, src, dst)),
    }
}

fn assume_equal(narrow: bool, a: &Scalar, b: &Scalar) -> (Scalar, Scalar) {
    let both = known(narrow, a).intersect(&known(narrow, b));
    if narrow {
        let half = a.half.meet(&b.half);
        let with =
            |x: &Scalar| Scalar { bits: x.bits.with_low(&both), wide: x.wide.clone(), half: half.clone() };
        return (with(a), with(b));
    }
    let wide = a.wide.meet(&b.wide);
    let with = |x: &Scalar| Scalar { bits: both.clone(), wide: wide.clone(), half: x.half.clone() };
    (with(a), with(b))
}

/// Changes the side that is not constant.
fn against_constant(
    narrow: bool,
    a: &Scalar,
    b: &Scalar,
    change: fn(bool, &Scalar, &Term) -> Scalar,
) -> (Scalar, Scalar) {
    let (x, y) = (known(narrow, a), known(narrow, b));
    let second = y.is_const();
    let first = &!&second & &x.is_const();
    (
        Scalar::ite(&second, &change(narrow, a, &y.value), a),
        Scalar::ite(&first, &change(narrow, b, &x.value), b),
    )
}

/// `x + 1` where `cond`, but not past the greatest.
fn up(x: &Term, cond: &Term, greatest: u64) -> Term {
    let width = x.width();
    let can = cond & &!&x.equals(&Term::number(greatest, width));
    can.ite(&(x + &Term::number(1, width)), x)
}

/// `x - 1` where `cond`, but not past the least.
fn down(x: &Term, cond: &Term, least: u64) -> Term {
    let width = x.width();
    let can = cond & &!&x.equals(&Term::number(least, width));
    can.ite(&(x - &Term::number(1, width)), x)
}

fn assume_unequal(narrow: bool, value: &Scalar, excluded: &Term) -> Scalar {
    let trim = |ends: &Ends, excluded: &Term| {
        let sign = 1 << (excluded.width() - 1);
        Ends {
            umin: up(&ends.umin, &ends.umin.equals(excluded), u64::MAX),
            umax: down(&ends.umax, &ends.umax.equals(excluded), 0),
            smin: up(&ends.smin, &ends.smin.equals(excluded), sign - 1),
            smax: down(&ends.smax, &ends.smax.equals(excluded), sign),
        }
    };
    let mut value = value.clone();
    if narrow {
        value.half = trim(&value.half, &excluded.bits(0, excluded.width() / 2));
    } else {
        value.wide = trim(&value.wide, excluded);
    }
    value
}

fn assume_common_bit(_: bool, value: &Scalar, mask: &Term) -> Scalar {
    let (zero, one) = (Term::number(0, mask.width()), Term::number(1, mask.width()));
    let single = &!&mask.equals(&zero) & &(mask & &(mask - &one)).equals(&zero);
    let with = Scalar { bits: value.bits.or(&Bits::constant(mask)), ..value.clone() };
    Scalar::ite(&single, &with, value)
}

fn assume_no_common_bit(_: bool, value: &Scalar, mask: &Term) -> Scalar {
    Scalar::of_bits(value.bits.and(&Bits::constant(&!mask)))
}

/// `a < b` or `a <= b`.
fn assume_order(narrow: bool, signed: bool, strict: bool, a: &Scalar, b: &Scalar) -> (Scalar, Scalar) {
    let (mut a, mut b) = (a.clone(), b.clone());
    let (x, y) = if narrow { (&mut a.half, &mut b.half) } else { (&mut a.wide, &mut b.wide) };
    let strict = Term::number(u64::from(strict), 1);
    let sign = 1 << (x.umin.width() - 1);
    if signed {
        x.smax = x.smax.smin(&down(&y.smax, &strict, sign));
        y.smin = y.smin.smax(&up(&x.smin, &strict, sign - 1));
    } else {
        x.umax = x.umax.umin(&down(&y.umax, &strict, 0));
        y.umin = y.umin.umax(&up(&x.umin, &strict, u64::MAX));
    }
    (a, b)
}

/// A refined operand, and whether it contradicts itself: its ends are reset then.
#[must_use]
pub fn settle(value: &Scalar) -> (Scalar, Term) {
    let synced = sync(value);
    let fine = is_consistent(&synced);
    let reset = Scalar::of_bits(synced.bits.clone());
    (Scalar::ite(&fine, &synced, &reset), !&fine)
}
