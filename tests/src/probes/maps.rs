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

const STRUCT: u32 = 4 << 24;

/// A special type: its name and size.
type Special = (&'static str, u32);
const LOCK: Special = ("bpf_spin_lock", 4);
const TIMER: Special = ("bpf_timer", 16);
const WORK: Special = ("bpf_wq", 16);

/// Gives each map of maps its template, behind all the maps that have names.
pub(super) fn add_inner(maps: &mut Vec<MapDef>, btf: &mut Types) {
    for index in 0..maps.len() {
        if maps[index].map_type == ARRAY_OF_MAPS {
            maps[index].inner = Some(maps.len());
            let special = match maps[index].name.as_str() {
                "touter" => Some(btf.value(MapDef::new(HASH, 4, 32, 4), &[(TIMER, 8)])),
                "louter" => Some(btf.value(MapDef::new(ARRAY, 4, 16, 1), &[(LOCK, 0)])),
                _ => None,
            };
            maps.push(special.unwrap_or_else(|| MapDef::new(ARRAY, 4, 48, 4)));
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
        "outer" | "touter" | "louter" => MapDef::new(ARRAY_OF_MAPS, 4, 4, 2),
        "devmap" => MapDef::new(DEVMAP, 4, 4, 2),
        "sockmap" => MapDef::new(SOCKMAP, 4, 4, 2),
        "xskmap" => MapDef::new(XSKMAP, 4, 4, 2),
        "queue" => MapDef::new(QUEUE, 0, 8, 2),
        "lm" | "lm2" => btf.value(MapDef::new(ARRAY, 4, 16, 1), &[(LOCK, 0)]),
        "rm" => btf.value(MapDef::new(ARRAY, 4, 16, 2), &[(("bpf_res_spin_lock", 8), 0)]),
        "tm" => btf.value(MapDef::new(ARRAY, 4, 24, 1), &[(TIMER, 0)]),
        "th" | "th2" => btf.value(MapDef::new(HASH, 4, 32, 4), &[(TIMER, 8)]),
        "tl" => btf.value(MapDef::new(LRU_HASH, 4, 32, 4), &[(TIMER, 8)]),
        "tlk" => btf.value(MapDef::new(ARRAY, 4, 32, 4), &[(TIMER, 8), (LOCK, 24)]),
        "ttwo" => btf.value(MapDef::new(ARRAY, 4, 40, 4), &[(TIMER, 0), (TIMER, 16)]),
        "todd" => btf.value(MapDef::new(ARRAY, 4, 24, 4), &[(("bpf_timer", 12), 0)]),
        "tbss" => {
            let map = MapDef { flags: flags::MAP_MMAPABLE, ..MapDef::new(ARRAY, 4, 24, 1) };
            btf.section(map, TIMER)
        }
        "wm" => btf.value(MapDef::new(ARRAY, 4, 24, 1), &[(WORK, 0)]),
        "wt" => btf.value(MapDef::new(HASH, 4, 40, 4), &[(TIMER, 0), (WORK, 16)]),
        "twm" => btf.value(MapDef::new(ARRAY, 4, 16, 1), &[(("bpf_task_work", 8), 0)]),
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

    /// Gives the map an `int` as its key, and as its value a structure that has special types at
    /// these offsets, and ends with an `int`.
    fn value(&mut self, map: MapDef, special: &[(Special, u32)]) -> MapDef {
        let key = self.int();
        let [value, lock, opaque] = ["value", "lock", "opaque"].map(|text| self.image.string(text));
        let mut members = Vec::new();
        for &(special, at) in special {
            members.extend([lock, self.special(special, key), at * 8]);
        }
        members.extend([opaque, key, (map.value_size - 4) * 8]);
        let count = members.len() as u32 / 3;
        let outer = self.push(&[[value, STRUCT | count, map.value_size].as_slice(), &members].concat());
        MapDef { btf_key: key, btf_value: outer, ..map }
    }

    /// Gives the map an `int` as its key, and as its value a section with a variable of a special type
    /// behind a number of 8 bytes.
    fn section(&mut self, map: MapDef, special: Special) -> MapDef {
        const VAR: u32 = 14 << 24;
        const DATASEC: u32 = 15 << 24;
        let key = self.int();
        let inner = self.special(special, key);
        let [name, section] = ["variable", ".bss"].map(|text| self.image.string(text));
        let variable = self.push(&[name, VAR, inner, 1]);
        let value = self.push(&[section, DATASEC | 1, map.value_size, variable, 8, special.1]);
        MapDef { btf_key: key, btf_value: value, ..map }
    }

    fn int(&mut self) -> u32 {
        let name = self.image.string("int");
        self.push(&[name, 1 << 24, 4, 1 << 24 | 32])
    }

    /// A struct of as many of those integers as there is room for.
    fn special(&mut self, (name, size): Special, int: u32) -> u32 {
        let [name, word] = [name, "opaque"].map(|text| self.image.string(text));
        let members: Vec<u32> = (0..size / 4).flat_map(|index| [word, int, index * 32]).collect();
        self.push(&[[name, STRUCT | (size / 4), size].as_slice(), &members].concat())
    }
}
