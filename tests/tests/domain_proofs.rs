//! The scalar domain, proved: no operator loses a member.
//!
//! The operators are written a second time, as terms over bit vectors (`probity_tests::proof`).
//! * The terms give the ten numbers that the engine gives, on many abstract values.
//! * A solver (z3, where there is one) finds for no term of 64 or 32 bits an input whose member is
//!   lost. A claim that is refuted fails; what it gives up on is printed.
//! * At 4 bits the same terms are counted through.
//! * The engine's own operators are counted through over all intervals between a few numbers.

use probity_engine::domain::{self, Scalar as Engine, Swap, Tnum};
use probity_isa::{AluOp, JumpOp, Width};
use probity_tests::{
    generate::Rng,
    proof::{
        model::{Bits, Ends, Scalar},
        model_alu as alu, model_branch as branch, model_sync as deduce, samples,
        solver::{self, Answer},
        term::{Tape, Term},
    },
};
use rayon::prelude::*;

/// Of a hundred claims, so many are proved at least. The rest is printed: the solver gave up.
const PROVED: usize = 90;

fn numbers(s: &Engine) -> [u64; 10] {
    [
        s.tnum.value,
        s.tnum.mask,
        s.umin,
        s.umax,
        s.smin as u64,
        s.smax as u64,
        s.u32_min.into(),
        s.u32_max.into(),
        (s.s32_min as u32).into(),
        (s.s32_max as u32).into(),
    ]
}

fn width(narrow: bool) -> Width {
    if narrow { Width::W32 } else { Width::W64 }
}

/// The inputs: a scalar, a scalar, an amount.
const SECOND: u32 = 10;
const AMOUNT: u32 = 20;
/// Two concrete values.
const X: u32 = 21;
const Y: u32 = 22;
const INPUTS: usize = 23;

fn dst(width: u32) -> Scalar {
    Scalar::input(0, width)
}

fn src(width: u32) -> Scalar {
    Scalar::input(SECOND, width)
}

/// One operator: its terms, and the engine's function.
struct Tied {
    name: String,
    terms: Vec<Term>,
    engine: Function,
}

/// Of two scalars and an amount: numbers.
type Function = Box<dyn Fn(&Engine, &Engine, u32) -> Vec<u64>>;

fn tie(name: String, terms: Vec<Term>, engine: impl Fn(&Engine, &Engine, u32) -> Vec<u64> + 'static) -> Tied {
    Tied { name, terms, engine: Box::new(engine) }
}

/// A tie to a function that gives a scalar.
fn tie_scalar(
    name: String,
    terms: &Scalar,
    engine: impl Fn(&Engine, &Engine, u32) -> Engine + 'static,
) -> Tied {
    tie(name, terms.outputs(), move |a, b, amount| numbers(&engine(a, b, amount)).to_vec())
}

fn ties() -> Vec<Tied> {
    let (a, b, amount) = (dst(64), src(64), Term::var(AMOUNT, 64));
    let mut ties = Vec::new();
    ties.push(tie_scalar("sync".into(), &deduce::sync(&a), |a, _, _| {
        let mut a = *a;
        a.sync();
        a
    }));
    ties.push(tie("is_consistent".into(), vec![deduce::is_consistent(&a)], |a, _, _| {
        vec![a.is_consistent().into()]
    }));
    for narrow in [false, true] {
        for op in alu::COMBINED {
            let terms = alu::alu(op, narrow, &a, &b);
            ties.push(tie_scalar(format!("{op:?} {narrow}"), &terms, move |a, b, _| {
                domain::alu(op, width(narrow), a, b)
            }));
        }
        for op in alu::SHIFTS {
            let terms = alu::alu_shift(op, narrow, &a, &amount);
            ties.push(tie_scalar(format!("{op:?} {narrow}"), &terms, move |a, _, amount| {
                let amount = amount % width(narrow).bits();
                domain::alu(op, width(narrow), a, &Engine::constant(amount.into()))
            }));
        }
        for bits in [8, 16, 32] {
            let terms = alu::movsx(&a, bits, narrow);
            ties.push(tie_scalar(format!("movsx {bits} {narrow}"), &terms, move |a, _, _| {
                domain::movsx(a, bits, width(narrow))
            }));
        }
        for op in branch::JUMPS {
            let (yes, no) = branch::decide(op, narrow, &a, &b);
            ties.push(tie(format!("decide {op:?} {narrow}"), vec![yes, no], move |a, b, _| {
                let decided = domain::decide(op, width(narrow), a, b);
                vec![u64::from(decided == Some(true)), u64::from(decided == Some(false))]
            }));
            for taken in [true, false] {
                let (x, y) = branch::assume(op, narrow, &a, &b, taken);
                let ((x, x_bad), (y, y_bad)) = (branch::settle(&x), branch::settle(&y));
                let mut terms = [x.outputs(), y.outputs()].concat();
                terms.extend([x_bad, y_bad]);
                ties.push(tie(format!("refine {op:?} {narrow} {taken}"), terms, move |a, b, _| {
                    let refined = domain::refine(op, width(narrow), a, b, taken);
                    let mut all = [numbers(&refined.dst), numbers(&refined.src)].concat();
                    all.extend([refined.dst_violation, refined.src_violation].map(u64::from));
                    all
                }));
            }
        }
    }
    for subtract in [false, true] {
        let terms = deduce::sync(&alu::pointer_parts(subtract, &a, &b));
        ties.push(tie_scalar(format!("pointer {subtract}"), &terms, move |a, b, _| {
            if subtract { domain::pointer_sub(a, b) } else { domain::pointer_add(a, b) }
        }));
    }
    for bytes in [1, 2, 4] {
        ties.push(tie_scalar(
            format!("zero_extend {bytes}"),
            &alu::zero_extend(&a, bytes * 8),
            move |a, _, _| domain::zero_extend(a, bytes),
        ));
    }
    for bytes in [2, 4, 8] {
        ties.push(tie_scalar(format!("swap {bytes}"), &alu::swap(&a, bytes), move |a, _, _| {
            domain::end(Swap::Bswap, bytes * 8, a)
        }));
    }
    ties.push(tie(
        "known bits".into(),
        {
            let (x, y) = (&a.bits, &b.bits);
            let (is_only, only) = x.only_member(&b.wide.umin, &b.wide.umax);
            let both = x.intersect(y);
            let either = x.union(y);
            let range = Bits::range(&b.wide.umin, &b.wide.umax);
            let only = is_only.ite(&only, &Term::number(0, 64));
            let next = x.next(&b.wide.umin);
            vec![
                x.overlaps(y),
                next,
                is_only,
                only,
                both.value,
                both.mask,
                either.value,
                either.mask,
                range.value,
                range.mask,
            ]
        },
        |a, b, _| {
            let only = a.tnum.only_member(b.umin, b.umax);
            let both = a.tnum.intersect(b.tnum);
            let either = a.tnum.union(b.tnum);
            let range = Tnum::range(b.umin, b.umax);
            let next = a.tnum.next(b.umin);
            let overlaps = a.tnum.overlaps(b.tnum).into();
            vec![
                overlaps,
                next,
                only.is_some().into(),
                only.unwrap_or(0),
                both.value,
                both.mask,
                either.value,
                either.mask,
                range.value,
                range.mask,
            ]
        },
    ));
    ties
}

#[test]
fn the_terms_are_the_engine() {
    // Terms are not sent between threads: each makes its own.
    let count = ties().len();
    let compared: usize = (0..count)
        .into_par_iter()
        .map(|index| {
            let Tied { name, terms, engine } = ties().swap_remove(index);
            let mut tape = Tape::new(&terms);
            let mut rng = Rng::new(index as u64);
            let samples = if name.starts_with("Mul") { 500 } else { 2_500 };
            for _ in 0..samples {
                let (a, _) = samples::scalar(&mut rng);
                let (mut b, _) = samples::scalar(&mut rng);
                match rng.below(4) {
                    0 => b = Engine::constant(samples::number(&mut rng)),
                    1 => b = a,
                    _ => {}
                }
                let narrow = name.ends_with("true");
                let amount = rng.below(if narrow { 32 } else { 64 }) as u32;
                let mut inputs = [0; INPUTS];
                inputs[..10].copy_from_slice(&numbers(&a));
                inputs[10..20].copy_from_slice(&numbers(&b));
                inputs[AMOUNT as usize] = amount.into();
                let got: Vec<u64> = tape.run(&inputs).collect();
                assert_eq!(got, engine(&a, &b, amount), "{name} {amount}\n{a:#x?}\n{b:#x?}");
            }
            samples
        })
        .sum();
    println!("{count} operators, {compared} results, all equal");
}

/// That something follows: a name, what is assumed, what is claimed.
struct Claim {
    name: String,
    assumed: Term,
    claimed: Term,
}

fn claim(name: impl Into<String>, assumed: &Term, claimed: &Term) -> Claim {
    Claim { name: name.into(), assumed: assumed.clone(), claimed: claimed.clone() }
}

/// The claims of each end of a pair of intervals on its own: small formulas.
fn by_end(claims: &mut Vec<Claim>, name: &str, assumed: &Term, ends: &Ends, x: &Term) {
    for (part, least, greatest) in
        [("unsigned", ends.umin.ule(x), x.ule(&ends.umax)), ("signed", ends.smin.sle(x), x.sle(&ends.smax))]
    {
        claims.push(claim(format!("{name}, least: {part}"), assumed, &least));
        claims.push(claim(format!("{name}, greatest: {part}"), assumed, &greatest));
    }
}

/// The claims of each part of a scalar on its own.
fn by_part(claims: &mut Vec<Claim>, name: &str, assumed: &Term, result: &Scalar, member: &Term) {
    let low = member.bits(0, member.width() / 2);
    claims.push(claim(format!("{name}: bits"), assumed, &result.bits.contains(member)));
    by_end(claims, name, assumed, &result.wide, member);
    let first = claims.len();
    by_end(claims, name, assumed, &result.half, &low);
    for claim in &mut claims[first..] {
        claim.name = claim.name.replace(": ", ": low ");
    }
}

fn claims(w: u32) -> Vec<Claim> {
    let mut claims = Vec::new();
    deduction_claims(&mut claims, w);
    arithmetic_claims(&mut claims, w);
    multiplication_claims(&mut claims, w);
    cast_claims(&mut claims, w);
    branch_claims(&mut claims, w);
    claims
}

/// Each step of the deduction keeps a member; so does any sequence of them, and so does sync.
fn deduction_claims(claims: &mut Vec<Claim>, w: u32) {
    let (a, x) = (dst(w), Term::var(X, w));
    let low = x.bits(0, w / 2);
    let is_member = a.contains(&x);
    let (wide, half, ..) = deduce::bounds_from_bits(&a.bits, &a.wide, &a.half);
    by_end(claims, "bounds from bits", &is_member, &wide, &x);
    by_end(claims, "bounds from bits, half", &is_member, &half, &low);
    let in_range = &a.bits.contains(&x) & &(&a.wide.umin.ule(&x) & &x.ule(&a.wide.umax));
    let (one, which) = a.bits.only_member(&a.wide.umin, &a.wide.umax);
    claims.push(claim("only member", &in_range, &one.implies(&x.equals(&which))));
    let half_now = deduce::half_from_wide(&a.wide, &a.half);
    by_end(claims, "half from wide", &is_member, &half_now, &low);
    by_end(claims, "cross, whole", &is_member, &deduce::cross(&a.wide), &x);
    by_end(claims, "cross, half", &is_member, &deduce::cross(&a.half), &low);
    by_end(claims, "wide from half", &is_member, &deduce::wide_from_half(&a.wide, &a.half), &x);
    let bits = deduce::bits_from_bounds(&a.bits, &a.wide, &a.half);
    claims.push(claim("bits from bounds", &is_member, &bits.contains(&x)));
    let next = a.bits.next(&Term::var(Y, w));
    let above = &Term::var(Y, w).ult(&x) & &a.bits.contains(&x);
    claims.push(claim("next member: none is left out", &above, &next.ule(&x)));
    let well = (&a.bits.value & &a.bits.mask).equals(&Term::number(0, w));
    claims.push(claim("next member: it is one", &well, &a.bits.contains(&next)));
}

fn arithmetic_claims(claims: &mut Vec<Claim>, w: u32) {
    let (a, b) = (dst(w), src(w));
    let (x, y, amount) = (Term::var(X, w), Term::var(Y, w), Term::var(AMOUNT, w));
    let both = &a.contains(&x) & &b.contains(&y);
    for narrow in [false, true] {
        for op in alu::COMBINED {
            // Products of known bits and of ranges are beyond a solver: see below.
            if op == AluOp::Mul && w > 4 {
                continue;
            }
            // In the narrow form zero extension follows: what counts is the low half.
            let result = alu::machine(op, &x, &y);
            let parts = alu::combine(op, narrow, &a, &b);
            by_part(claims, &format!("{op:?} {w} narrow={narrow}"), &both, &parts, &result);
            let low = alu::machine_at(op, true, &x, &y);
            let cut = result.bits(0, w / 2).zero_extend(w);
            claims.push(claim(format!("{op:?} {w}: the low half"), &Term::yes(), &low.equals(&cut)));
        }
        for op in alu::SHIFTS {
            let limit = Term::number(u64::from(if narrow { w / 2 } else { w }), w);
            let assumed = &a.contains(&x) & &amount.ult(&limit);
            let result = match (op, narrow) {
                (_, false) => alu::machine(op, &x, &amount),
                (AluOp::Lsh, true) => alu::machine(op, &x.bits(0, w / 2).zero_extend(w), &amount),
                (_, true) => alu::machine_at(op, true, &x, &amount),
            };
            let parts = alu::shift(op, narrow, &a, &amount);
            by_part(claims, &format!("{op:?} {w} narrow={narrow}"), &assumed, &parts, &result);
        }
    }
    for subtract in [false, true] {
        let result = if subtract { &x - &y } else { &x + &y };
        let parts = alu::pointer_parts(subtract, &a, &b);
        by_part(claims, &format!("pointer {w} subtract={subtract}"), &both, &parts, &result);
    }
    // A link: what is x + p is found from what is x + q.
    let (p, q) = (Term::var(0, w / 2), Term::var(1, w / 2));
    let (wide_p, wide_q) = (p.sign_extend(w), q.sign_extend(w));
    let found = &(&x + &wide_q) + &(&wide_p - &wide_q);
    claims.push(claim(format!("link {w}"), &Term::yes(), &found.equals(&(&x + &wide_p))));
    let cut = |x: &Term| x.bits(0, w / 2).zero_extend(w);
    let found = cut(&(&cut(&(&x + &wide_q)) + &(&wide_p - &wide_q)));
    claims.push(claim(format!("link {w}, narrow"), &Term::yes(), &found.equals(&cut(&(&x + &wide_p)))));
    let (known, inside) = (a.contains(&x), a.bits.union(&b.bits));
    claims.push(claim("union, left", &known, &inside.contains(&x)));
    claims.push(claim("union, right", &b.contains(&y), &inside.contains(&y)));
    let meet = a.bits.intersect(&b.bits);
    claims.push(claim("intersection", &(&known & &b.contains(&x)), &meet.contains(&x)));
    let never = &known & &b.contains(&x);
    claims.push(claim("overlap", &never, &a.bits.overlaps(&b.bits)));
}

/// A multiplication is a sum of steps. The step is proved; that a product is the sum of its partial
/// products is arithmetic. Products of intervals are proved over the real numbers
/// ([`products_of_intervals`]).
fn multiplication_claims(claims: &mut Vec<Claim>, w: u32) {
    let (sum, other) = (dst(w).bits, src(w).bits);
    let (s, y, bit, value, unknown) =
        (Term::var(X, w), Term::var(Y, w), Term::var(3, 1), Term::var(4, 1), Term::var(5, 1));
    // The bit is one that the tnum has.
    let has = (&bit & &!&unknown).equals(&value);
    let assumed = &(&sum.contains(&s) & &other.contains(&y)) & &has;
    let step = sum.mul_step(&other, &value, &unknown);
    let with = &s + &bit.ite(&y, &Term::number(0, w));
    claims.push(claim(format!("Mul {w}: a step"), &assumed, &step.contains(&with)));
    let amount = Term::var(AMOUNT, w);
    let moved = other.shift(Term::shl, &amount);
    claims.push(claim(format!("Mul {w}: its shift"), &other.contains(&y), &moved.contains(&y.shl(&amount))));
}

fn cast_claims(claims: &mut Vec<Claim>, w: u32) {
    let (a, x) = (dst(w), Term::var(X, w));
    let member = a.contains(&x);
    for bits in [w / 8, w / 4, w / 2] {
        let parts = alu::zero_extend_parts(&a, bits);
        let result = x.bits(0, bits).zero_extend(w);
        by_part(claims, &format!("zero extension {bits} of {w}"), &member, &parts, &result);
        for narrow in [false, true] {
            let parts = alu::movsx_parts(&a, bits, narrow);
            let result = x.bits(0, bits).sign_extend(w);
            by_part(
                claims,
                &format!("sign extension {bits} of {w} narrow={narrow}"),
                &member,
                &parts,
                &result,
            );
        }
        let fits = a.wide.umax.lshr(&Term::number(u64::from(bits), w)).equals(&Term::number(0, w));
        let stays = fits.implies(&x.bits(0, bits).zero_extend(w).equals(&x));
        claims.push(claim(format!("fits_unsigned {bits} of {w}"), &member, &stays));
        let half = Term::number(1 << (bits - 1), w);
        let fits = &(&Term::number(0, w) - &half).sle(&a.wide.smin) & &a.wide.smax.slt(&half);
        let stays = fits.implies(&x.bits(0, bits).sign_extend(w).equals(&x));
        claims.push(claim(format!("fits_signed {bits} of {w}"), &member, &stays));
    }
    for bytes in [2, 4, 8].into_iter().filter(|bytes| bytes * 8 <= w) {
        let bits =
            Bits { value: alu::reverse(&a.bits.value, bytes), mask: alu::reverse(&a.bits.mask, bytes) };
        let holds = bits.contains(&alu::reverse(&x, bytes));
        claims.push(claim(format!("byte order {bytes} of {w}"), &member, &holds));
    }
    let top = Bits::unknown(w);
    claims.push(claim("unknown", &Term::yes(), &top.contains(&x)));
}

fn branch_claims(claims: &mut Vec<Claim>, w: u32) {
    let (a, b) = (dst(w), src(w));
    let (x, y) = (Term::var(X, w), Term::var(Y, w));
    let both = &a.contains(&x) & &b.contains(&y);
    for narrow in [false, true] {
        for op in branch::JUMPS {
            let jumps = branch::machine(op, narrow, &x, &y);
            let (yes, no) = branch::decide(op, narrow, &a, &b);
            let holds = &yes.implies(&jumps) & &no.implies(&!&jumps);
            claims.push(claim(format!("decide {op:?} {w} narrow={narrow}"), &both, &holds));
            for taken in [true, false] {
                let came = if taken { jumps.clone() } else { !&jumps };
                let assumed = &both & &came;
                let (left, right) = branch::assume(op, narrow, &a, &b, taken);
                let holds = &left.contains(&x) & &right.contains(&y);
                claims.push(claim(
                    format!("refine {op:?} {w} narrow={narrow} taken={taken}"),
                    &assumed,
                    &holds,
                ));
            }
        }
    }
}

/// The claim that the product lies between the least and the greatest product of the ends, over the
/// real numbers: where no such product overflows, the machine's product is the real one.
fn products_of_intervals() -> Vec<(String, String)> {
    let declared = "(declare-const a Real)(declare-const b Real)(declare-const c Real)(declare-const d Real)\
        (declare-const x Real)(declare-const y Real)\
        (assert (and (<= a x) (<= x b) (<= c y) (<= y d)))";
    let script = |refuted: &str| format!("{declared}(assert {refuted})(check-sat)");
    let all = |relation: &str| {
        format!("(and ({relation} p (* a c)) ({relation} p (* a d)) ({relation} p (* b c)) ({relation} p (* b d)))")
            .replace(" p ", " (* x y) ")
    };
    vec![
        ("Mul, signed: not below all corners".into(), script(&all("<"))),
        ("Mul, signed: not above all corners".into(), script(&all(">"))),
        (
            "Mul, unsigned".into(),
            script("(and (<= 0 a) (<= 0 c) (or (< (* x y) (* a c)) (> (* x y) (* b d))))"),
        ),
    ]
}

#[test]
fn the_solver_finds_no_lost_member() {
    if !solver::available() {
        return println!("skipped: the_solver_finds_no_lost_member: there is no z3");
    }
    let mut scripts: Vec<(String, Vec<String>)> =
        products_of_intervals().into_iter().map(|(name, script)| (name, vec![script])).collect();
    for w in [64, 32] {
        scripts.extend(claims(w).iter().map(|claim| {
            let less = solver::relevant(&claim.assumed, &claim.claimed, &[X, Y, AMOUNT]);
            let scripts = [&less, &claim.assumed].map(|assumed| solver::script(assumed, &claim.claimed));
            (format!("{} [{w}]", claim.name), scripts.into())
        }));
    }
    if let Ok(wanted) = std::env::var("PROBITY_CLAIMS") {
        scripts.retain(|(name, _)| name.contains(&wanted));
    }
    // With less assumed first; what is not proved so is asked with all.
    let ask = |scripts: &[String]| {
        let mut answers = scripts.iter().map(|script| solver::ask(script));
        let first = answers.next().unwrap_or(Answer::Unknown);
        if first == Answer::Proved { first } else { answers.next().unwrap_or(first) }
    };
    let answers: Vec<(&str, Answer)> =
        scripts.par_iter().map(|(name, scripts)| (name.as_str(), ask(scripts))).collect();
    let proved = answers.iter().filter(|(_, answer)| *answer == Answer::Proved).count();
    println!("{} claims, {proved} proved", answers.len());
    let all = answers.len();
    for (name, answer) in answers {
        match answer {
            Answer::Proved => {}
            Answer::Refuted(model) => panic!("{name} is wrong:\n{model}"),
            Answer::Unknown => println!("not decided: {name}"),
        }
    }
    assert!(proved * 100 >= all * PROVED, "{proved} of {all} proved");
}

#[test]
fn the_solver_is_asked_the_right_thing() {
    if !solver::available() {
        return println!("skipped: the_solver_is_asked_the_right_thing: there is no z3");
    }
    // Wrong claims are refuted: an interval of sums that forgets that they wrap, and a sum of known
    // bits without its carries.
    let (a, b, x, y) = (dst(64), src(64), Term::var(X, 64), Term::var(Y, 64));
    let both = &a.contains(&x) & &b.contains(&y);
    let wraps = (&x + &y).ule(&(&a.wide.umax + &b.wide.umax));
    assert!(matches!(solver::prove(&both, &wraps), Answer::Refuted(_)));
    let carries = a.bits.xor(&b.bits).contains(&(&x + &y));
    assert!(matches!(solver::prove(&both, &carries), Answer::Refuted(_)));
}

/// All known bits of a width, and all intervals.
fn all_bits(w: u32) -> Vec<(u64, u64)> {
    let end = 1 << w;
    let pairs = (0..end).flat_map(|value| (0..end).map(move |mask| (value, mask)));
    pairs.filter(|(value, mask)| value & mask == 0).collect()
}

fn all_ranges(w: u32) -> Vec<(u64, u64)> {
    let end = 1 << w;
    (0..end).flat_map(|min| (min..end).map(move |max| (min, max))).collect()
}

/// The parts of a scalar, as [`by_part`] names them.
const PARTS: [&str; 5] = ["bits", "unsigned", "signed", "low unsigned", "low signed"];
/// A scalar of four bits of which nothing is known, as inputs.
const TOP: [u64; 10] = [0, 15, 0, 15, 8, 7, 0, 3, 2, 1];

/// All abstract values of four bits of which only this part says something, as inputs.
fn of_part(part: usize) -> Vec<[u64; 10]> {
    let at = 2 * part;
    let width = if part < 3 { 4 } else { 2 };
    // Signed ranges are unsigned ones moved by half of the circle.
    let turn = |x: u64| if part == 2 || part == 4 { (x + (1 << (width - 1))) % (1 << width) } else { x };
    let pairs = if part == 0 { all_bits(width) } else { all_ranges(width) };
    let with = |(a, b): (u64, u64)| {
        let mut s = TOP;
        (s[at], s[at + 1]) = (turn(a), turn(b));
        s
    };
    pairs.into_iter().map(with).collect()
}

/// Runs claims over all values of their concrete inputs, for all pairs of these abstract values.
fn count_through(claims: &[Claim], firsts: &[[u64; 10]], seconds: &[[u64; 10]]) -> usize {
    let terms: Vec<Term> = claims.iter().map(|claim| claim.assumed.implies(&claim.claimed)).collect();
    let mut tape = Tape::new(&terms);
    let mut inputs = [0; INPUTS];
    let mut count = 0;
    for a in firsts {
        inputs[..10].copy_from_slice(a);
        for b in seconds {
            inputs[10..20].copy_from_slice(b);
            for concrete in 0..256u64 {
                (inputs[X as usize], inputs[Y as usize]) = (concrete & 15, concrete >> 4);
                inputs[AMOUNT as usize] = concrete >> 4 & 3;
                for (index, holds) in tape.run(&inputs).enumerate() {
                    assert_eq!(holds, 1, "{} {inputs:?}", claims[index].name);
                }
                count += claims.len();
            }
        }
    }
    count
}

/// Whatever concerns one part of a scalar: all values of that part, each with every seventh other, and
/// all their members.
#[test]
fn four_bits_are_counted_through() {
    let count: usize = (0..PARTS.len() * 8)
        .into_par_iter()
        .map(|job| -> usize {
            let (part, share) = (job / 8, job % 8);
            let mut claims = Vec::new();
            arithmetic_claims(&mut claims, 4);
            claims.retain(|claim| claim.name.ends_with(&format!(": {}", PARTS[part])));
            let all = of_part(part);
            let firsts = all.iter().enumerate().skip(share).step_by(8);
            firsts
                .map(|(index, &first)| {
                    let seconds: Vec<_> = all.iter().skip(index % 7).step_by(7).copied().collect();
                    count_through(&claims, &[first], &seconds)
                })
                .sum()
        })
        .sum();
    println!("{count} results of 4 bits");
}

/// Branches: pairs of values of one part, all their members. Each first value meets every 31st second
/// one, and each another 31st.
#[test]
fn branches_of_four_bits_are_counted_through() {
    let count: usize = (0..PARTS.len())
        .into_par_iter()
        .map(|part| {
            let mut claims = Vec::new();
            branch_claims(&mut claims, 4);
            let all = of_part(part);
            let pairs = all.iter().enumerate();
            let one = |(index, first): (usize, &[u64; 10])| {
                let seconds: Vec<_> = all.iter().skip(index % 31).step_by(31).copied().collect();
                (*first, seconds)
            };
            let terms = pairs.map(one).collect::<Vec<_>>();
            terms.iter().map(|(first, seconds)| count_through(&claims, &[*first], seconds)).sum::<usize>()
        })
        .sum();
    println!("{count} outcomes of jumps of 4 bits");
}

#[test]
fn deductions_of_four_bits_are_counted_through() {
    let (a, x) = (dst(4), Term::var(X, 4));
    let synced = deduce::sync(&a);
    let member = a.contains(&x);
    let mut claims = vec![
        claim("sync", &member, &synced.contains(&x)),
        claim("sync is consistent", &member, &deduce::is_consistent(&synced)),
    ];
    deduction_claims(&mut claims, 4);
    let terms: Vec<Term> = claims.iter().map(|claim| claim.assumed.implies(&claim.claimed)).collect();
    let mut tape = Tape::new(&terms);
    let parts: Vec<_> = (0..PARTS.len()).flat_map(of_part).collect();
    let mut inputs = [0; INPUTS];
    let mut count = 0;
    let meet = |a: &[u64; 10], b: &[u64; 10]| {
        std::array::from_fn::<u64, 10, _>(|at| if a[at] == TOP[at] { b[at] } else { a[at] })
    };
    for (index, first) in parts.iter().enumerate() {
        // All pairs are too many for a test of each day: every fifth.
        for second in parts.iter().skip(index % 5).step_by(5) {
            inputs[..10].copy_from_slice(&meet(first, second));
            for x in 0..16 {
                inputs[X as usize] = x;
                inputs[Y as usize] = (x * 7 + count as u64) % 16;
                for (index, holds) in tape.run(&inputs).enumerate() {
                    assert_eq!(holds, 1, "{} {inputs:?}", claims[index].name);
                }
                count += 1;
            }
        }
    }
    println!("{count} members of pairs of parts of 4 bits");
}

/// The engine's own functions over all intervals between a few numbers, unsigned and signed.
#[test]
fn intervals_between_edges_are_counted_through() {
    const EDGES: [u64; 11] = [
        0,
        1,
        0x7f,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        i64::MAX as u64,
        1 << 63,
        0xffff_ffff_8000_0000,
        u64::MAX,
    ];
    let mut scalars: Vec<(Engine, Vec<u64>)> = Vec::new();
    for (index, &min) in EDGES.iter().enumerate() {
        for &max in &EDGES[index..] {
            let members = |holds: &dyn Fn(u64) -> bool| EDGES.iter().copied().filter(|&x| holds(x)).collect();
            scalars.push((Engine::of_unsigned(min, max), members(&|x| min <= x && x <= max)));
            let turn = |x: u64| x.wrapping_add(1 << 63) as i64;
            let (smin, smax) = (turn(min), turn(max));
            let inside = |x: u64| smin <= x as i64 && x as i64 <= smax;
            scalars.push((Engine::of_signed(smin, smax), members(&inside)));
        }
    }
    let count: usize = scalars
        .par_iter()
        .map(|(a, xs)| {
            let mut count = 0;
            for (b, ys) in &scalars {
                for narrow in [false, true] {
                    count += check_pair(a, xs, b, ys, narrow);
                }
            }
            count
        })
        .sum();
    println!("{count} results between edges");
}

/// Concrete results by the terms of the machine.
fn check_pair(a: &Engine, xs: &[u64], b: &Engine, ys: &[u64], narrow: bool) -> usize {
    let mut count = 0;
    let number = |x: u64| Term::number(x, 64);
    for op in alu::COMBINED {
        let result = domain::alu(op, width(narrow), a, b);
        for (&x, &y) in xs.iter().flat_map(|x| ys.iter().map(move |y| (x, y))) {
            let exact = alu::machine_at(op, narrow, &number(x), &number(y));
            let exact = Tape::new(&[exact]).run(&[]).next().unwrap_or_default();
            assert!(result.contains(exact), "{x:#x} {op:?} {y:#x} narrow={narrow}\n{a:#x?}\n{b:#x?}");
            count += 1;
        }
    }
    for op in branch::JUMPS {
        for (&x, &y) in xs.iter().flat_map(|x| ys.iter().map(move |y| (x, y))) {
            let jumps = branch::machine(op, narrow, &number(x), &number(y));
            let jumps = Tape::new(&[jumps]).run(&[]).next() == Some(1);
            count += 1;
            check_jump(op, narrow, (a, x), (b, y), jumps);
        }
    }
    count
}

fn check_jump(op: JumpOp, narrow: bool, a: (&Engine, u64), b: (&Engine, u64), jumps: bool) {
    let context = || format!("{:#x} {op:?} {:#x} narrow={narrow}\n{:#x?}\n{:#x?}", a.1, b.1, a.0, b.0);
    match domain::decide(op, width(narrow), a.0, b.0) {
        Some(decided) => assert_eq!(decided, jumps, "{}", context()),
        None => {
            let refined = domain::refine(op, width(narrow), a.0, b.0, jumps);
            assert!(refined.dst.contains(a.1) && refined.src.contains(b.1), "{}", context());
        }
    }
}
