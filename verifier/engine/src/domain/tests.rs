//! Soundness: no function of the domain loses a concrete value.

use probity_isa::{AluOp, JumpOp, Width};
use proptest::prelude::*;

use super::interval::{Half, Wide};
use super::*;

const WIDTHS: [Width; 2] = [Width::W32, Width::W64];

const ALU_OPS: [AluOp; 9] = [
    AluOp::Add,
    AluOp::Sub,
    AluOp::Mul,
    AluOp::Or,
    AluOp::And,
    AluOp::Lsh,
    AluOp::Rsh,
    AluOp::Xor,
    AluOp::Arsh,
];

const JUMP_OPS: [JumpOp; 11] = [
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

/// What the machine computes.
fn run(op: AluOp, width: Width, a: u64, b: u64) -> u64 {
    match width {
        Width::W64 => match op {
            AluOp::Add => a.wrapping_add(b),
            AluOp::Sub => a.wrapping_sub(b),
            AluOp::Mul => a.wrapping_mul(b),
            AluOp::Or => a | b,
            AluOp::And => a & b,
            AluOp::Xor => a ^ b,
            AluOp::Lsh => a.wrapping_shl(b as u32),
            AluOp::Rsh => a.wrapping_shr(b as u32),
            AluOp::Arsh => (a as i64).wrapping_shr(b as u32) as u64,
            _ => unreachable!("not tracked"),
        },
        Width::W32 => {
            let low = a as u32;
            u64::from(match op {
                AluOp::Lsh => low.wrapping_shl(b as u32),
                AluOp::Rsh => low.wrapping_shr(b as u32),
                AluOp::Arsh => (low as i32).wrapping_shr(b as u32) as u32,
                _ => run(op, Width::W64, a, b) as u32,
            })
        }
    }
}

/// Whether the machine jumps.
fn jumps(op: JumpOp, width: Width, a: u64, b: u64) -> bool {
    let (a, b, sa, sb) = match width {
        Width::W64 => (a, b, a as i64, b as i64),
        Width::W32 => (u64::from(a as u32), u64::from(b as u32), i64::from(a as i32), i64::from(b as i32)),
    };
    match op {
        JumpOp::Jeq => a == b,
        JumpOp::Jgt => a > b,
        JumpOp::Jge => a >= b,
        JumpOp::Jset => a & b != 0,
        JumpOp::Jne => a != b,
        JumpOp::Jsgt => sa > sb,
        JumpOp::Jsge => sa >= sb,
        JumpOp::Jlt => a < b,
        JumpOp::Jle => a <= b,
        JumpOp::Jslt => sa < sb,
        JumpOp::Jsle => sa <= sb,
    }
}

fn check_alu(op: AluOp, width: Width, dst: &Scalar, src: &Scalar, pairs: &[(u64, u64)]) {
    let states = match fork(op, width, dst, src) {
        None => vec![*dst],
        Some((first, second)) => vec![first, second],
    };
    for &(a, b) in pairs {
        let result = run(op, width, a, b);
        let kept = states.iter().any(|dst| dst.contains(a) && alu(op, width, dst, src).contains(result));
        assert!(kept, "{a:#x} {op:?} {b:#x} = {result:#x} at {width:?}\n{dst:#x?}\n{src:#x?}");
    }
}

fn check_jump(op: JumpOp, width: Width, dst: &Scalar, src: &Scalar, pairs: &[(u64, u64)]) {
    let decided = decide(op, width, dst, src);
    for &(a, b) in pairs {
        let taken = jumps(op, width, a, b);
        let context = || format!("{a:#x} {op:?} {b:#x} at {width:?}\n{dst:#x?}\n{src:#x?}");
        if let Some(decided) = decided {
            assert_eq!(decided, taken, "{}", context());
            continue;
        }
        let refined = refine(op, width, dst, src, taken);
        assert!(refined.dst.contains(a) && refined.src.contains(b), "{}", context());
        assert!(!refined.dst_violation && !refined.src_violation, "{}", context());
        if dst == src && a == b {
            assert!(refine_same(op, width, dst, taken).dst.contains(a), "{}", context());
        }
    }
}

fn check_unary(value: &Scalar, x: u64) {
    let ok = |result: Scalar, x: u64, what: &str| {
        assert!(result.contains(x), "{what}: {x:#x} is lost\n{value:#x?}\n{result:#x?}");
    };
    for width in WIDTHS {
        ok(neg(width, value), run(AluOp::Sub, width, 0, x), "neg");
        for bits in [8, 16, 32] {
            let extended = (x as i64) << (64 - bits) >> (64 - bits);
            let whole = extended as u64;
            let result = if width == Width::W32 { u64::from(whole as u32) } else { whole };
            ok(movsx(value, bits, width), result, "movsx");
        }
    }
    for bytes in [1, 2, 4, 8] {
        let unused = 64 - 8 * bytes;
        let (zero, sign) = (x << unused >> unused, ((x << unused) as i64 >> unused) as u64);
        ok(zero_extend(value, bytes), zero, "zero_extend");
        ok(sign_extend(value, bytes), sign, "sign_extend");
        assert!(!fits_unsigned(value, bytes) || zero == x, "fits_unsigned {x:#x} {value:#x?}");
        assert!(!fits_signed(value, bytes) || sign == x, "fits_signed {x:#x} {value:#x?}");
        if bytes > 1 {
            ok(end(Swap::Le, bytes * 8, value), zero, "le");
            ok(end(Swap::Be, bytes * 8, value), x.swap_bytes() >> unused, "be");
            ok(end(Swap::Bswap, bytes * 8, value), x.swap_bytes() >> unused, "bswap");
        }
    }
    for (delta, other) in [(1, -1), (-5, 7), (i32::MAX, i32::MIN), (0, 3)] {
        let member = x.wrapping_sub(delta as u64).wrapping_add(other as u64);
        let result = propagate(value, Delta::Add64(delta), Delta::Add64(other));
        ok(result.unwrap_or(Scalar::UNKNOWN), member, "propagate");
        if x <= u64::from(u32::MAX) {
            let result = propagate(value, Delta::Add32(delta), Delta::Add32(other));
            ok(result.unwrap_or(Scalar::UNKNOWN), u64::from(member as u32), "propagate 32");
        }
    }
    let mut again = *value;
    again.sync();
    ok(again, x, "sync");
    assert!(again.is_consistent() && again.within(value), "sync\n{value:#x?}\n{again:#x?}");
}

/// The tnums over the low three bits, moved to `at`, other bits as in `rest`; with their members.
fn small_tnums(at: u32, rest: u64) -> Vec<(Tnum, Vec<u64>)> {
    let place = |x: u64| (x << at) | rest & !(7 << at);
    let pairs = (0..8u64).flat_map(|value| (0..8u64).map(move |mask| (value, mask)));
    pairs
        .filter(|(value, mask)| value & mask == 0)
        .map(|(value, mask)| {
            let members = (0..8).filter(|x| x & !mask == value).map(place).collect();
            (Tnum { value: place(value), mask: mask << at }, members)
        })
        .collect()
}

#[test]
fn known_bits_exhaustively() {
    for (at, rest) in [(0, 0), (0, u64::MAX), (30, 0), (30, 5), (61, 0), (61, u64::MAX)] {
        let tnums = small_tnums(at, rest);
        let small = small_tnums(0, 0);
        for (t, members) in &tnums {
            let a = Scalar::of_tnum(*t);
            for &x in members {
                check_unary(&a, x);
            }
            for probe in members.iter().flat_map(|&x| [x.wrapping_sub(1), x, x.wrapping_add(1)]) {
                let next = members.iter().copied().find(|&m| m > probe);
                assert_eq!(t.next(probe), next.unwrap_or(t.max()), "{t:x?} {probe:#x}");
            }
            for (u, others) in tnums.iter().chain(&small) {
                let b = Scalar::of_tnum(*u);
                let pairs: Vec<_> =
                    members.iter().flat_map(|&x| others.iter().map(move |&y| (x, y))).collect();
                assert_eq!(t.overlaps(*u), members.iter().any(|x| others.contains(x)));
                for width in WIDTHS {
                    for op in ALU_OPS {
                        check_alu(op, width, &a, &b, &pairs);
                    }
                    for op in JUMP_OPS {
                        check_jump(op, width, &a, &b, &pairs);
                    }
                }
            }
        }
    }
}

/// Values near boundaries and small differences from them, or any.
fn value() -> impl Strategy<Value = u64> {
    let edge = prop_oneof![
        Just(0u64),
        Just(1 << 7),
        Just(1 << 15),
        Just(1 << 31),
        Just(1 << 32),
        Just(1 << 63),
        (0..64u32).prop_map(|bit| 1 << bit),
    ];
    prop_oneof![
        3 => (edge, -3..=3i64).prop_map(|(edge, by)| edge.wrapping_add(by as u64)),
        1 => any::<u64>(),
        1 => any::<u32>().prop_map(u64::from),
    ]
}

/// A scalar with some of its members: what the parts say of those members, some parts forgotten,
/// some widened, then synced.
fn scalar() -> impl Strategy<Value = (Scalar, Vec<u64>)> {
    (prop::collection::vec(value(), 1..4), any::<u8>(), any::<u64>()).prop_map(
        |(members, forget, unknown)| {
            let mut tnum = Tnum::constant(members[0]);
            for &x in &members {
                tnum = tnum.union(Tnum::constant(x));
            }
            let ends = |key: &dyn Fn(u64) -> i128| {
                let values = members.iter().map(|&x| key(x));
                (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
            };
            let mut s = Scalar::UNKNOWN;
            if forget & 1 == 0 {
                let mask = if forget & 32 == 0 { 0 } else { unknown };
                s.tnum = Tnum { value: tnum.value & !mask, mask: tnum.mask | mask };
            }
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
                s.umin = s.umin.saturating_sub(unknown >> 56);
                s.smax = s.smax.saturating_add((unknown >> 56) as i64);
            }
            s.sync();
            (s, members)
        },
    )
}

/// What is found without deducing is what deducing finds.
#[test]
fn short_ways_lead_to_the_same() {
    for bits in 0..=64u32 {
        let max = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
        let wide = Wide::of_unsigned(0, max);
        let half = Half::of_unsigned(0, max as u32);
        let tnum = Tnum { value: 0, mask: max };
        let (mut short, mut long) = (Scalar::constant(7), Scalar::constant(7));
        short.set_synced(tnum, wide, half);
        long.deduce(tnum, wide, half);
        assert_eq!(short, long, "{bits} bits");
        assert_eq!(short, Scalar::join(tnum, wide, half), "{bits} bits: nothing more is learnt");
    }
    for bytes in [1, 2] {
        let keep = (1 << (bytes * 8)) - 1;
        let mut long = Scalar::UNKNOWN;
        long.deduce(Tnum { value: 0, mask: keep }, Wide::of_unsigned(0, keep), Half::UNKNOWN);
        assert_eq!(zero_extend(&Scalar::UNKNOWN, bytes), long, "{bytes} bytes");
    }
    for (a, b) in [(0, 8), (u64::MAX, 1), (1 << 63, 1 << 63), (i64::MAX as u64, 1), (14, u64::MAX - 5)] {
        let (a, b) = (Scalar::constant(a), Scalar::constant(b));
        let mut long = Scalar::UNKNOWN;
        long.deduce(a.tnum.add(b.tnum), a.wide().add(b.wide()), Half::UNKNOWN);
        assert_eq!(pointer_add(&a, &b), long);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn sync_keeps_members((s, members) in scalar()) {
        for x in members {
            prop_assert!(s.contains(x), "{x:#x}\n{s:#x?}");
            check_unary(&s, x);
        }
    }

    #[test]
    fn binary((a, xs) in scalar(), (b, ys) in scalar(), amount in 0..64u32) {
        let pairs: Vec<_> = xs.iter().flat_map(|&x| ys.iter().map(move |&y| (x, y))).collect();
        for width in WIDTHS {
            for op in ALU_OPS {
                let is_shift = matches!(op, AluOp::Lsh | AluOp::Rsh | AluOp::Arsh);
                if is_shift {
                    let amount = u64::from(amount % width.bits());
                    let pairs: Vec<_> = xs.iter().map(|&x| (x, amount)).collect();
                    check_alu(op, width, &a, &Scalar::constant(amount), &pairs);
                }
                check_alu(op, width, &a, &b, &pairs);
                let constant: Vec<_> = xs.iter().map(|&x| (x, ys[0])).collect();
                check_alu(op, width, &a, &Scalar::constant(ys[0]), &constant);
            }
        }
        for &(x, y) in &pairs {
            prop_assert!(pointer_add(&a, &b).contains(x.wrapping_add(y)));
            prop_assert!(pointer_sub(&a, &b).contains(x.wrapping_sub(y)));
        }
    }

    #[test]
    fn jumps_keep_pairs((a, xs) in scalar(), (b, ys) in scalar()) {
        let pairs: Vec<_> = xs.iter().flat_map(|&x| ys.iter().map(move |&y| (x, y))).collect();
        let constant: Vec<_> = xs.iter().map(|&x| (x, ys[0])).collect();
        let same: Vec<_> = xs.iter().map(|&x| (x, x)).collect();
        for width in WIDTHS {
            for op in JUMP_OPS {
                check_jump(op, width, &a, &b, &pairs);
                check_jump(op, width, &a, &Scalar::constant(ys[0]), &constant);
                check_jump(op, width, &Scalar::constant(ys[0]), &a, &constant
                    .iter().map(|&(x, y)| (y, x)).collect::<Vec<_>>());
                check_jump(op, width, &a, &a, &same);
            }
        }
    }
}
