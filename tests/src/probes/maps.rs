//! The maps that the records name, and the types of their values.

use probity_program::{MapDef, flags};

use crate::{kernel::btf::BtfImage, raw::RawRecord};

const HASH: u32 = 1;
const ARRAY: u32 = 2;
const PROG_ARRAY: u32 = 3;
const PERF_EVENT_ARRAY: u32 = 4;
const PERCPU_ARRAY: u32 = 6;
const LRU_HASH: u32 = 9;
const ARRAY_OF_MAPS: u32 = 12;
const DEVMAP: u32 = 14;
const SOCKMAP: u32 = 15;
const XSKMAP: u32 = 17;
const QUEUE: u32 = 22;
const RINGBUF: u32 = 27;
const ARENA: u32 = 33;

/// Gives each map of maps its template, behind all the maps that have names.
pub(super) fn add_inner(maps: &mut Vec<MapDef>) {
    for index in 0..maps.len() {
        if maps[index].map_type == ARRAY_OF_MAPS {
            maps[index].inner = Some(maps.len());
            maps.push(MapDef::new(ARRAY, 4, 48, 4));
        }
    }
}

/// The map of a name; `subject` is the part of the probe's name before its `/`. The types of values
/// are added to `btf`.
pub(super) fn named(name: &str, subject: &str, btf: &mut Types) -> Option<MapDef> {
    let map = match name {
        "hash" => MapDef::new(HASH, 4, 48, 4),
        "arr" => MapDef::new(ARRAY, 4, 48, 4),
        "arr1" if subject == "constkey" => MapDef::new(ARRAY, 4, 8, 1),
        "arr1" => MapDef::new(ARRAY, 4, 48, 1),
        "lru" => MapDef::new(LRU_HASH, 4, 8, 4),
        "parr" => MapDef::new(PERCPU_ARRAY, 4, 8, 4),
        "pa" => MapDef::new(PROG_ARRAY, 4, 4, 4),
        "rb" => MapDef::new(RINGBUF, 0, 0, 4096),
        "arena" => MapDef { flags: flags::MAP_MMAPABLE, ..MapDef::new(ARENA, 0, 0, 1) },
        "rdonly" => MapDef { flags: flags::MAP_RDONLY_PROG, ..MapDef::new(ARRAY, 4, 48, 1) },
        "wronly" => MapDef { flags: flags::MAP_WRONLY_PROG, ..MapDef::new(ARRAY, 4, 48, 1) },
        "rodata" => MapDef {
            flags: flags::MAP_RDONLY_PROG,
            contents: Some((1..=48).collect()),
            frozen: true,
            ..MapDef::new(ARRAY, 4, 48, 1)
        },
        "perf" => MapDef::new(PERF_EVENT_ARRAY, 4, 4, 2),
        "outer" => MapDef::new(ARRAY_OF_MAPS, 4, 4, 2),
        "devmap" => MapDef::new(DEVMAP, 4, 4, 2),
        "sockmap" => MapDef::new(SOCKMAP, 4, 4, 2),
        "xskmap" => MapDef::new(XSKMAP, 4, 4, 2),
        "queue" => MapDef::new(QUEUE, 0, 8, 2),
        "lm" | "lm2" => btf.map(MapDef::new(ARRAY, 4, 16, 1), "bpf_spin_lock", 4),
        "rm" => btf.map(MapDef::new(ARRAY, 4, 16, 2), "bpf_res_spin_lock", 8),
        "tm" => btf.map(MapDef::new(ARRAY, 4, 24, 1), "bpf_timer", 16),
        _ => return None,
    };
    Some(MapDef { name: name.to_owned(), ..map })
}

/// BTF that grows: the program's own, then the values of its maps.
#[derive(Debug)]
pub(super) struct Types {
    image: BtfImage,
    types: Vec<u8>,
    next: u32,
}

impl Types {
    /// Of a program's BTF, in hex; empty for a program without one.
    pub(super) fn new(hex: &str) -> Types {
        let bytes = RawRecord::hex(hex);
        let word = |at: usize| {
            let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
            word.map_or(0, u32::from_le_bytes) as usize
        };
        let part = |start: usize, size: usize| bytes.get(start..start + size).unwrap_or_default().to_vec();
        let (types, mut strings) = (part(word(4) + word(8), word(12)), part(word(4) + word(16), word(20)));
        if strings.is_empty() {
            strings.push(0);
        }
        let parsed = probity_program::Btf::parse(&bytes).ok();
        let next = parsed.and_then(|btf| btf.ids().last()).map_or(1, |id| id.0 + 1);
        Types { image: BtfImage::new(Vec::new(), strings), types, next }
    }

    /// The whole; nothing when there is no type.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        (!self.types.is_empty()).then(|| self.image.clone().with_types(self.types.clone()).to_bytes())
    }

    fn push(&mut self, words: &[u32]) -> u32 {
        self.types.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.next += 1;
        self.next - 1
    }

    /// Gives the map an `int` as its key, and as its value a structure that starts with a special
    /// type of `size` bytes.
    fn map(&mut self, map: MapDef, special: &str, size: u32) -> MapDef {
        const INT: u32 = 1 << 24;
        const STRUCT: u32 = 4 << 24;
        let name = self.image.string("int");
        let key = self.push(&[name, INT, 4, 1 << 24 | 32]);
        let [lock, word, name, value] =
            [special, "opaque", "lock", "value"].map(|text| self.image.string(text));
        let members: Vec<u32> = (0..size / 4).flat_map(|index| [word, key, index * 32]).collect();
        let inner = [&[lock, STRUCT | (size / 4), size], members.as_slice()].concat();
        let inner = self.push(&inner);
        let rest = map.value_size - 4;
        let outer = self.push(&[value, STRUCT | 2, map.value_size, name, inner, 0, word, key, rest * 8]);
        MapDef { btf_key: key, btf_value: outer, ..map }
    }
}
