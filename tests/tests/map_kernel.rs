//! Maps of the runtime beside maps of the running kernel: the same random operations of user space
//! give the same values and the same error numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use probity_linux::PLATFORM;
use probity_platform::MapBody;
use probity_program::MapDef;
use probity_tests::kernel::{
    self,
    live::{LiveMap, processors},
};
use probity_vm::Map;

const NO_PREALLOC: u32 = 1;

/// Numbers that look like chance, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// The number of the map type that is kept in a way.
fn number(body: MapBody) -> u32 {
    let row = PLATFORM.map_types.iter().find(|row| row.body == Some(body));
    row.expect("a type for each body").number
}

struct Pair {
    ours: Arc<Map>,
    theirs: LiveMap,
    name: String,
}

fn pair(body: MapBody, key: u32, value: u32, entries: u32, flags: u32) -> Pair {
    let mut definition = MapDef::new(number(body), key, value, entries);
    definition.flags = flags;
    let slots = processors() as u32;
    let ours = Map::create(&PLATFORM, &definition, None, slots).expect("our map");
    let theirs = LiveMap::create(&definition, ours.user_value_size(), None).expect("the kernel's map");
    Pair { ours, theirs, name: format!("{body:?} {key}/{value} x {entries} flags {flags:#x}") }
}

/// Keys of few values, so that they meet.
fn key(chance: &mut Chance, body: MapBody, len: usize, entries: u64) -> Vec<u8> {
    match body {
        MapBody::Array | MapBody::PercpuArray => (chance.below(entries + 2) as u32).to_ne_bytes().to_vec(),
        MapBody::LpmTrie => {
            let bits = chance.below(len as u64 * 8 - 32 + 2) as u32;
            let mut key = bits.to_ne_bytes().to_vec();
            key.extend((4..len).map(|_| [0, 0x80, 0xc0, 0xff][chance.below(4) as usize]));
            key
        }
        _ => {
            let mut key = vec![0; len];
            key.iter_mut().take(2).for_each(|byte| *byte = chance.below(5) as u8);
            key
        }
    }
}

/// As many operations as this on each map.
const STEPS: usize = 3000;

fn run(pair: &Pair, seed: u64, compares_order: bool, differ: &mut BTreeMap<String, String>) {
    let Pair { ours, theirs, name } = pair;
    let chance = &mut Chance(seed);
    let (body, definition) = (ours.body(), ours.definition());
    let value_size = ours.user_value_size();
    for step in 0..STEPS {
        let key = key(chance, body, definition.key_size as usize, definition.max_entries.into());
        let mut value = vec![0; value_size];
        let part = definition.value_size as usize;
        for chunk in value.chunks_mut(part.next_multiple_of(8)) {
            let len = part.min(chunk.len());
            chunk[..len].copy_from_slice(&chance.bytes(len));
        }
        let errno = |errno: probity_vm::Errno| i32::from(errno.0);
        let at = format!("{name}, seed {seed}, step {step}, key {key:?}");
        let mut same = |what: &str, one: String, two: String| {
            if one != two {
                let what = format!("{body:?} {what}: ours {one}, the kernel's {two}");
                differ.entry(what).or_insert_with(|| at.clone());
            }
        };
        let shown = |result: &Result<Vec<u8>, i32>| format!("{result:?}");
        match chance.below(10) {
            0..4 => {
                let flags = [0, 0, 0, 0, 1, 2, 3, 4, 5, 8, 1 << 40][chance.below(11) as usize];
                let (one, two) =
                    (ours.update(&key, &value, flags).map_err(errno), theirs.update(&key, &value, flags));
                same(&format!("update with {flags:#x}"), format!("{one:?}"), format!("{two:?}"));
            }
            4..6 => {
                let one = ours.get(&key).map_err(errno);
                same("lookup", shown(&one), shown(&theirs.get(&key, &[], false)));
            }
            6..8 => {
                let one = ours.delete(&key).map_err(errno);
                same("delete", format!("{one:?}"), format!("{:?}", theirs.delete(&key)));
            }
            8 => {
                let one = ours.lookup_and_delete(&key).map_err(errno);
                same("take", shown(&one), shown(&theirs.get(&key, &[], true)));
            }
            _ if step % 8 == 0 => {
                let Ok(mut two) = theirs.keys() else { continue };
                let mut one = ours.keys();
                if !compares_order {
                    one.sort();
                    two.sort();
                }
                same("keys", format!("{one:?}"), format!("{two:?}"));
            }
            _ => {}
        }
    }
}

#[test]
fn user_space_sees_the_same() {
    if !kernel::available() {
        return kernel::skip("user_space_sees_the_same");
    }
    let tries = [
        pair(MapBody::Array, 4, 1, 5, 0),
        pair(MapBody::Array, 4, 20, 1, 0),
        pair(MapBody::PercpuArray, 4, 5, 3, 0),
        pair(MapBody::PercpuArray, 4, 64, 7, 0),
        pair(MapBody::Hash, 4, 4, 8, 0),
        pair(MapBody::Hash, 8, 12, 20, NO_PREALLOC),
        pair(MapBody::Hash, 16, 3, 10, 0),
        pair(MapBody::Hash, 1, 1, 3, 0),
        pair(MapBody::Hash, 37, 100, 12, NO_PREALLOC),
        pair(MapBody::PercpuHash, 4, 4, 8, 0),
        pair(MapBody::PercpuHash, 5, 17, 12, NO_PREALLOC),
        pair(MapBody::LruHash, 4, 4, 1000, 0),
        pair(MapBody::LruPercpuHash, 8, 12, 1000, 0),
        pair(MapBody::LpmTrie, 5, 4, 20, NO_PREALLOC),
        pair(MapBody::LpmTrie, 8, 9, 200, NO_PREALLOC),
        pair(MapBody::LpmTrie, 20, 9, 40, NO_PREALLOC),
        pair(MapBody::Queue, 0, 4, 5, 0),
        pair(MapBody::Stack, 0, 9, 3, 0),
    ];
    let mut differ = BTreeMap::new();
    for pair in &tries {
        let body = pair.ours.body();
        let ordered = matches!(body, MapBody::Array | MapBody::PercpuArray | MapBody::LpmTrie);
        for seed in 1..4 {
            run(pair, seed, ordered, &mut differ);
        }
    }
    let lines: Vec<String> = differ.iter().map(|(what, at)| format!("{what}: {at}")).collect();
    assert!(lines.is_empty(), "{} differ:\n{}", lines.len(), lines[..lines.len().min(40)].join("\n"));
}

fn errno(errno: probity_vm::Errno) -> i32 {
    i32::from(errno.0)
}

#[test]
fn filters_say_yes_to_the_same() {
    if !kernel::available() {
        return kernel::skip("filters_say_yes_to_the_same");
    }
    let Pair { ours, theirs, .. } = pair(MapBody::BloomFilter, 0, 8, 100, 0);
    for flags in [0, 1, 2, 3, 4, 8] {
        let value = 1000u64.to_ne_bytes();
        assert_eq!(
            ours.update(&[], &value, flags).map_err(errno),
            theirs.update(&[], &value, flags),
            "{flags}"
        );
    }
    for value in 0..100u64 {
        let value = value.to_ne_bytes();
        assert_eq!(ours.push(&value, 0).map_err(errno), theirs.update(&[], &value, 0));
    }
    for value in 0..100u64 {
        let value = value.to_ne_bytes();
        assert_eq!((ours.may_contain(&value), theirs.get(&[], &value, false).is_ok()), (Ok(true), true));
    }
    let wrong = |contains: &dyn Fn(u64) -> bool| (2000..12_000).filter(|&value| contains(value)).count();
    let one = wrong(&|value| ours.may_contain(&value.to_ne_bytes()) == Ok(true));
    let two = wrong(&|value| theirs.get(&[], &value.to_ne_bytes(), false).is_ok());
    assert!(one < 300 + 2 * two, "{one} of 10000 wrongly, the kernel {two}");
    assert_eq!(ours.delete(&[]).map_err(errno), theirs.delete(&[]));
    assert_eq!(ours.lookup_and_delete(&[]).map_err(errno), theirs.get(&[], &[0; 8], true));
}

#[test]
fn what_has_no_values_answers_the_same() {
    if !kernel::available() {
        return kernel::skip("what_has_no_values_answers_the_same");
    }
    let mut lines = Vec::new();
    for (body, key_size, value_size) in
        [(MapBody::Ringbuf, 0, 0), (MapBody::UserRingbuf, 0, 0), (MapBody::ProgArray, 4, 4)]
    {
        let Pair { ours, theirs, name } = pair(body, key_size, value_size, 4096, 0);
        for key in [0u32, 4095, 4096] {
            let key = &key.to_ne_bytes()[..key_size as usize];
            let value = vec![0; value_size as usize];
            let mut same = |what: &str, one: Result<(), i32>, two: Result<(), i32>| {
                if one != two {
                    lines.push(format!("{name}: {what} of {key:?}: ours {one:?}, the kernel's {two:?}"));
                }
            };
            same("delete", ours.delete(key).map_err(errno), theirs.delete(key));
            let one = ours.lookup_and_delete(key).map(drop).map_err(errno);
            same("take", one, theirs.get(key, &value, true).map(drop));
            if body != MapBody::ProgArray {
                same(
                    "lookup",
                    ours.get(key).map(drop).map_err(errno),
                    theirs.get(key, &value, false).map(drop),
                );
                same("update", ours.update(key, &value, 0).map_err(errno), theirs.update(key, &value, 0));
            }
        }
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// Maps that may go into a map of maps with a template, and some that may not.
fn inner_maps() -> Vec<(MapDef, MapDef)> {
    const INNER_MAP: u32 = 1 << 12;
    let of = |body, key, value, entries, flags| {
        let mut definition = MapDef::new(number(body), key, value, entries);
        definition.flags = flags;
        definition
    };
    let array = of(MapBody::Array, 4, 8, 2, 0);
    let open = of(MapBody::Array, 4, 8, 2, INNER_MAP);
    let hash = of(MapBody::Hash, 4, 8, 2, 0);
    let percpu = of(MapBody::PercpuArray, 4, 8, 2, 0);
    vec![
        (array.clone(), array.clone()),
        (array.clone(), of(MapBody::Array, 4, 8, 3, 0)),
        (array.clone(), of(MapBody::Array, 4, 12, 2, 0)),
        (array.clone(), hash.clone()),
        (array.clone(), of(MapBody::Array, 4, 8, 2, 1 << 7)),
        (array.clone(), of(MapBody::Array, 4, 8, 2, 1 << 3)),
        (array.clone(), open.clone()),
        (open.clone(), of(MapBody::Array, 4, 8, 5, INNER_MAP)),
        (open, array),
        (hash.clone(), hash.clone()),
        (hash.clone(), of(MapBody::Hash, 4, 8, 200, 0)),
        (hash.clone(), of(MapBody::Hash, 4, 8, 2, NO_PREALLOC)),
        (hash.clone(), of(MapBody::Hash, 8, 8, 2, 0)),
        (hash, of(MapBody::LruHash, 4, 8, 2, 0)),
        (percpu.clone(), percpu.clone()),
        (percpu.clone(), of(MapBody::PercpuArray, 4, 8, 3, 0)),
        (of(MapBody::Queue, 0, 8, 3, 0), of(MapBody::Queue, 0, 8, 9, 0)),
        (of(MapBody::Ringbuf, 0, 0, 4096, 0), of(MapBody::Ringbuf, 0, 0, 8192, 0)),
    ]
}

#[test]
fn maps_of_maps_take_the_same() {
    if !kernel::available() {
        return kernel::skip("maps_of_maps_take_the_same");
    }
    let slots = processors() as u32;
    let mut lines = Vec::new();
    for (template, inner) in inner_maps() {
        for body in [MapBody::ArrayOfMaps, MapBody::HashOfMaps] {
            let make = |definition: &MapDef| {
                let ours = Map::create(&PLATFORM, definition, None, slots).expect("our inner map");
                let theirs = LiveMap::create(definition, ours.user_value_size(), None).expect("the kernel's");
                (ours, theirs)
            };
            let (_, like) = make(&template);
            let (ours_inner, theirs_inner) = make(&inner);
            let outer = MapDef::new(number(body), 4, 4, 2);
            let ours = Map::create(&PLATFORM, &outer, Some(&template), slots).expect("our map of maps");
            let theirs = LiveMap::create(&outer, 4, Some(&like)).expect("the kernel's map of maps");
            let fd = theirs_inner.raw_fd().to_ne_bytes();
            for (key, flags) in [(0u32, 0), (1, 1), (1, 2), (1, 1), (2, 0), (7, 0), (0, 8), (0, 4)] {
                let key = key.to_ne_bytes();
                let (one, two) =
                    (ours.set_map(&key, &ours_inner, flags).map_err(errno), theirs.update(&key, &fd, flags));
                if one != two {
                    lines.push(format!(
                        "{body:?} of {template:?}, {inner:?}, {key:?}, {flags}: {one:?} {two:?}"
                    ));
                }
            }
            for key in [0u32, 0, 1, 2, 9] {
                let key = key.to_ne_bytes();
                let (one, two) = (ours.delete(&key).map_err(errno), theirs.delete(&key));
                if one != two {
                    lines.push(format!(
                        "{body:?} of {template:?}, {inner:?}, delete {key:?}: {one:?} {two:?}"
                    ));
                }
            }
        }
    }
    assert!(lines.is_empty(), "{} differ:\n{}", lines.len(), lines.join("\n"));
}
