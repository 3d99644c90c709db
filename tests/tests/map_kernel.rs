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
