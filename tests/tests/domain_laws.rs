//! Laws of the scalar domain and of the order that pruning asks about.

use probity_engine::domain::{Scalar, Tnum};
use probity_tests::{generate::Rng, proof::samples};
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = (Scalar, Vec<u64>)> {
    any::<u64>().prop_map(|seed| samples::scalar(&mut Rng::new(seed)))
}

/// A scalar that is wider in some of its parts than another, and that other.
fn wider() -> impl Strategy<Value = (Scalar, Scalar, Vec<u64>)> {
    (scalar(), scalar(), any::<u8>()).prop_map(|((a, members), (b, _), keep)| {
        let mut wide = a;
        if keep & 1 != 0 {
            wide.tnum = a.tnum.union(b.tnum);
        }
        if keep & 2 != 0 {
            (wide.umin, wide.umax) = (a.umin.min(b.umin), a.umax.max(b.umax));
        }
        if keep & 4 != 0 {
            (wide.smin, wide.smax) = (a.smin.min(b.smin), a.smax.max(b.smax));
        }
        if keep & 8 != 0 {
            (wide.u32_min, wide.u32_max) = (a.u32_min.min(b.u32_min), a.u32_max.max(b.u32_max));
        }
        if keep & 16 != 0 {
            (wide.s32_min, wide.s32_max) = (a.s32_min.min(b.s32_min), a.s32_max.max(b.s32_max));
        }
        (wide, a, members)
    })
}

fn tnum() -> impl Strategy<Value = Tnum> {
    let edge = any::<u64>().prop_map(|seed| samples::number(&mut Rng::new(seed)));
    (edge, any::<u64>(), any::<u64>(), 0..4u8).prop_map(|(value, a, b, sort)| {
        let mask = match sort {
            0 => 0,
            1 => a & b,
            2 => a | b,
            _ => u64::MAX >> (a % 64),
        };
        Tnum { value: value & !mask, mask }
    })
}

fn is_tnum(t: Tnum) -> bool {
    t.value & t.mask == 0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    /// Deduction loses nobody, only narrows, and comes to rest after a few more calls. One call is no
    /// fixpoint, and must not be one: Linux prints what one call finds.
    #[test]
    fn sync_comes_to_rest((start, members) in scalar()) {
        let mut now = start;
        for _ in 0..8 {
            let before = now;
            now.sync();
            prop_assert!(now.within(&before), "{before:#x?}\n{now:#x?}");
            for &x in &members {
                prop_assert!(now.contains(x), "{x:#x}\n{now:#x?}");
            }
            if now == before {
                return Ok(());
            }
        }
        prop_assert!(false, "it does not come to rest\n{start:#x?}\n{now:#x?}");
    }

    /// Everything covers itself; what covers has the members.
    #[test]
    fn covering((wide, narrow, members) in wider()) {
        prop_assert!(narrow.within(&narrow) && wide.within(&wide));
        prop_assert!(narrow.within(&wide));
        for x in members {
            prop_assert!(wide.contains(x));
        }
    }

    /// A chance pair: when one says that it covers the other, it has its members.
    #[test]
    fn covering_is_sound((a, _) in scalar(), (b, members) in scalar(), (wide, _, _) in wider()) {
        for old in [a, wide] {
            if b.within(&old) {
                prop_assert!(members.iter().all(|&x| old.contains(x)));
            }
            // And it is an order.
            if b.within(&old) && old.within(&b) {
                prop_assert_eq!(b, old);
            }
            if b.within(&old) && old.within(&wide) {
                prop_assert!(b.within(&wide));
            }
        }
    }

    #[test]
    fn known_bits(a in tnum(), b in tnum(), c in tnum()) {
        for t in [a.add(b), a.sub(b), a.and(b), a.or(b), a.xor(b), a.mul(b), a.union(b), a.intersect(b)] {
            prop_assert!(is_tnum(t), "{t:x?}");
        }
        prop_assert_eq!(a.add(b), b.add(a));
        prop_assert_eq!(a.and(b), b.and(a));
        prop_assert_eq!(a.or(b), b.or(a));
        prop_assert_eq!(a.xor(b), b.xor(a));
        prop_assert_eq!(a.union(b), b.union(a));
        prop_assert_eq!(a.and(b).and(c), a.and(b.and(c)));
        prop_assert_eq!(a.or(b).or(c), a.or(b.or(c)));
        prop_assert_eq!(a.xor(b).xor(c), a.xor(b.xor(c)));
        let (zero, ones) = (Tnum::constant(0), Tnum::constant(u64::MAX));
        prop_assert_eq!(a.add(zero), a);
        prop_assert_eq!(a.sub(zero), a);
        prop_assert_eq!(a.xor(zero), a);
        prop_assert_eq!(a.or(zero), a);
        prop_assert_eq!(a.and(ones), a);
        prop_assert_eq!(a.and(zero), zero);
        prop_assert_eq!(a.mul(Tnum::constant(1)), a);
        prop_assert_eq!(a.intersect(a), a);
        prop_assert_eq!(a.intersect(Tnum::UNKNOWN), a);
        // De Morgan.
        prop_assert_eq!(a.and(b).xor(ones), a.xor(ones).or(b.xor(ones)));
        prop_assert!(a.within(a.union(b)) && b.within(a.union(b)));
        prop_assert!(a.within(Tnum::UNKNOWN));
        // Monotone: what is narrower gives what is narrower.
        let wide = a.union(c);
        prop_assert!(a.add(b).within(wide.add(b)) && a.sub(b).within(wide.sub(b)));
        prop_assert!(a.and(b).within(wide.and(b)) && a.or(b).within(wide.or(b)));
        prop_assert!(a.xor(b).within(wide.xor(b)));
        prop_assert_eq!(a.overlaps(b), b.overlaps(a));
        if a.overlaps(b) {
            let both = a.intersect(b);
            prop_assert!(both.within(a) && both.within(b));
        }
    }

    #[test]
    fn ranges_of_known_bits(a in any::<u64>(), b in any::<u64>(), x in any::<u64>()) {
        let (min, max) = (a.min(b), a.max(b));
        let range = Tnum::range(min, max);
        prop_assert!(is_tnum(range) && range.contains(min) && range.contains(max));
        let inside = min + x % (max - min).saturating_add(1);
        prop_assert!(range.contains(inside));
    }
}
