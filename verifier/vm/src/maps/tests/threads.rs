//! Threads that read, pinned, beside threads that write.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::*;
use crate::maps::flags::ANY;

const KEYS: u64 = if cfg!(miri) { 8 } else { 256 };
const STEPS: u64 = if cfg!(miri) { 60 } else { 60_000 };

/// A value of which each byte says which key it is of.
fn value(key: u64) -> [u8; 24] {
    [key as u8; 24]
}

fn stress(map: &Arc<Map>, key: impl Fn(u64) -> Vec<u8> + Sync) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..2u64 {
            let (over, key) = (&over, &key);
            scope.spawn(move || {
                let chance = &mut Chance(reader + 100);
                while !over.load(Relaxed) {
                    // A run: all values that it finds stay whole until it ends.
                    let guard = crossbeam_epoch::pin();
                    let found: Vec<(u64, u64)> = (0..16)
                        .map(|_| {
                            let number = chance.below(KEYS);
                            let key = Copied::of(&key(number));
                            (number, map.lookup_address(key.bytes(), 0, Pinned::by(&guard)))
                        })
                        .filter(|(_, address)| *address != 0)
                        .collect();
                    for (number, address) in found {
                        #[allow(unsafe_code)]
                        // SAFETY: values stay while the thread is pinned.
                        let bytes = unsafe { crate::guest::GuestBytes::new(address, 24) };
                        assert_eq!(bytes.to_vec(), value(number));
                    }
                }
            });
        }
        let writers: Vec<_> = (0..2u64)
            .map(|writer| {
                let key = &key;
                scope.spawn(move || {
                    let chance = &mut Chance(writer + 1);
                    for _ in 0..STEPS {
                        let number = chance.below(KEYS);
                        if chance.below(3) == 0 {
                            let _ = map.delete(&key(number));
                        } else {
                            let _ = map.update(&key(number), &value(number), ANY);
                        }
                        assert!(map.count() <= Some(map.definition().max_entries as usize));
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("no panic");
        }
        over.store(true, Relaxed);
    });
    assert_eq!(map.count(), Some(map.pairs().len()));
    for (_, value) in map.pairs() {
        assert!(value.iter().all(|&byte| byte == value[0]));
    }
}

#[test]
fn tables() {
    stress(&map(MapBody::Hash, 8, 24, KEYS as u32 / 2), |key| key.to_ne_bytes().to_vec());
}

#[test]
fn tables_that_make_way() {
    stress(&map(MapBody::LruHash, 8, 24, KEYS as u32 / 4), |key| key.to_ne_bytes().to_vec());
}

#[test]
fn tries() {
    // All of one length: each key finds its own value or none.
    let key = |key: u64| [32u32.to_ne_bytes(), (key as u32).wrapping_mul(0x9e37_79b9).to_be_bytes()].concat();
    stress(&map(MapBody::LpmTrie, 8, 24, KEYS as u32 / 2), key);
}

#[test]
fn maps_of_maps() {
    let template = MapDef::new(1, 4, 8, 1);
    for body in [MapBody::ArrayOfMaps, MapBody::HashOfMaps] {
        let outer = MapDef::new(1, 4, 4, 4);
        let outer = Map::of_type(map_type(body), &outer, Some(&template), SLOTS).expect("a map");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    let guard = crossbeam_epoch::pin();
                    let address =
                        outer.lookup_address(Copied::of(&[1, 0, 0, 0]).bytes(), 0, Pinned::by(&guard));
                    if let Some(inner) = outer.inner_at(address) {
                        assert_eq!(inner.lookup(&[0; 4]), Some(vec![5; 8]));
                    }
                }
            });
            for step in 0..STEPS / 60 {
                let inner = map(MapBody::Array, 4, 8, 1);
                inner.update(&[0; 4], &[5; 8], ANY).expect("there");
                outer.set_map(&[1, 0, 0, 0], &inner, ANY).expect("room");
                if step % 3 == 0 {
                    outer.delete(&[1, 0, 0, 0]).expect("there");
                }
            }
            over.store(true, Relaxed);
        });
    }
}
