//! How long lookups take. Not a test: `cargo test --release -p probity-vm speed -- --ignored --nocapture`.

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::time::Instant;

use super::*;
use crate::maps::flags::ANY;
use crate::run::Run;

/// Nanoseconds for each of so many calls, the best of some rounds.
fn best(count: u64, mut round: impl FnMut()) -> f64 {
    let rounds = (0..15).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64() * 1e9 / count as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "a measurement"]
#[allow(unsafe_code)]
fn lookups() {
    const COUNT: u64 = 1_000_000;
    for (body, key_size) in [
        (MapBody::Hash, 4),
        (MapBody::Hash, 8),
        (MapBody::Hash, 16),
        (MapBody::Hash, 13),
        (MapBody::PercpuHash, 4),
        (MapBody::LruHash, 4),
    ] {
        let map = map(body, key_size, 8, 1024);
        let keys: Vec<Copied> = (0..1000u64)
            .map(|number| {
                let mut key = number.to_ne_bytes().to_vec();
                key.resize(key_size.max(8) as usize, 0);
                key.truncate(key_size as usize);
                map.update(&key, &vec![1; map.user_value_size()], ANY).expect("room");
                Copied::of(&key)
            })
            .collect();
        let raw = map.lookup_raw().expect("a table");
        // Nothing but the slot is read.
        let mut run = MaybeUninit::<Run<'static>>::zeroed();
        let guard = crossbeam_epoch::pin();
        let mut sum = 0u64;
        let mut one = |keys: &[Copied]| {
            best(COUNT, || {
                for number in 0..COUNT {
                    let key = keys[number as usize % keys.len()].bytes().address();
                    // SAFETY: a key and a map of its own.
                    let found = unsafe { black_box(raw)(map.address(), key, 0, 0, 0, run.as_mut_ptr()) };
                    sum = sum.wrapping_add(found.value);
                }
            })
        };
        let (same, many) = (one(&keys[..1]), one(&keys));
        let direct = best(COUNT, || {
            for number in 0..COUNT {
                let key = keys[number as usize % keys.len()].bytes();
                let pinned = Pinned::by(&guard);
                sum = sum.wrapping_add(map.lookup_address(black_box(key), 0, pinned));
            }
        });
        println!(
            "{body:?} key {key_size}: one key {same:.1} ns, 1000 keys {many:.1} ns, by kind {direct:.1} ns"
        );
        assert_ne!(sum, 0);
    }
    let map = map(MapBody::Hash, 4, 8, 1024);
    let key = 7u32.to_ne_bytes();
    let (key, value) = (Copied::of(&key), Copied::of(&[0; 8]));
    let updates = best(100_000, || {
        for _ in 0..100_000 {
            map.update_by_program(key.bytes(), value.bytes(), ANY, 0).expect("room");
        }
    });
    println!("update of a key that is there {updates:.1} ns");
}
