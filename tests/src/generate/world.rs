//! What a structured program has at hand at a point: its maps, and the pointers that it keeps.

use probity_isa::opcode::*;
use probity_program::{MapDef, flags};

use super::code::{Generator, Label};

/// A map that programs use, by what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapUse {
    /// An array of several values.
    Array,
    /// An array of one value.
    Single,
    /// BPF_MAP_TYPE_HASH, with keys of 8 bytes
    Hash,
    /// BPF_MAP_TYPE_PERCPU_ARRAY
    PerCpuArray,
    /// BPF_MAP_TYPE_PERCPU_HASH
    PerCpuHash,
    /// BPF_MAP_TYPE_LRU_HASH, with keys of 16 bytes and values that are no multiple of 8 bytes
    LruHash,
    /// An array that programs may only read.
    ReadOnly,
    /// BPF_MAP_TYPE_ARRAY_OF_MAPS, of arrays
    ArrayOfMaps,
    /// BPF_MAP_TYPE_HASH_OF_MAPS, of hashes
    HashOfMaps,
    /// BPF_MAP_TYPE_PROG_ARRAY
    Programs,
    /// BPF_MAP_TYPE_PERF_EVENT_ARRAY
    PerfEvents,
    /// BPF_MAP_TYPE_RINGBUF
    RingBuf,
    /// BPF_MAP_TYPE_QUEUE
    Queue,
    /// BPF_MAP_TYPE_LPM_TRIE
    LpmTrie,
    /// BPF_MAP_TYPE_DEVMAP
    DevMap,
    /// BPF_MAP_TYPE_STACK_TRACE
    StackTrace,
}

impl MapUse {
    /// Those that are looked up for their values.
    pub const OF_VALUES: [MapUse; 7] = [
        MapUse::Array,
        MapUse::Single,
        MapUse::Hash,
        MapUse::PerCpuArray,
        MapUse::PerCpuHash,
        MapUse::LruHash,
        MapUse::ReadOnly,
    ];

    /// The definition; `inner` is the index of the template.
    #[must_use]
    pub fn definition(self, inner: Option<usize>) -> MapDef {
        let plain = MapDef::new;
        match self {
            MapUse::Array => plain(2, 4, 64, 4),
            MapUse::Single => plain(2, 4, 64, 1),
            MapUse::Hash => plain(1, 8, 48, 8),
            MapUse::PerCpuArray => plain(6, 4, 32, 2),
            MapUse::PerCpuHash => plain(5, 4, 16, 2),
            MapUse::LruHash => plain(9, 16, 28, 8),
            MapUse::ReadOnly => MapDef { flags: flags::MAP_RDONLY_PROG, ..plain(2, 4, 24, 2) },
            MapUse::ArrayOfMaps => MapDef { inner, ..plain(12, 4, 4, 2) },
            MapUse::HashOfMaps => MapDef { inner, ..plain(13, 4, 4, 2) },
            MapUse::Programs => plain(3, 4, 4, 2),
            MapUse::PerfEvents => plain(4, 4, 4, 2),
            MapUse::RingBuf => plain(27, 0, 0, 4096),
            MapUse::Queue => plain(22, 0, 16, 4),
            MapUse::LpmTrie => MapDef { flags: 1, ..plain(11, 8, 16, 4) },
            MapUse::DevMap => plain(14, 4, 4, 4),
            MapUse::StackTrace => plain(7, 4, 64, 4),
        }
    }

    fn template(self) -> Option<MapUse> {
        match self {
            MapUse::ArrayOfMaps => Some(MapUse::Array),
            MapUse::HashOfMaps => Some(MapUse::Hash),
            _ => None,
        }
    }
}

/// Where a pointer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a register that calls leave alone.
    Reg(u8),
    /// On the stack.
    Slot(i16),
}

/// A pointer to so many bytes that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where.
    pub place: Place,
    /// The bytes behind it.
    pub bytes: i32,
}

/// What a function gets in r1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it begins.
    pub label: Label,
    /// The bytes behind r1.
    pub bytes: i32,
}

/// What a structured program has at hand.
#[derive(Debug, Default)]
pub struct World {
    pub(super) maps: Vec<MapDef>,
    uses: Vec<(MapUse, usize)>,
    /// The pointers that are kept now.
    pub(super) held: Vec<Held>,
    slots: u16,
    /// The functions that get a pointer, and do not exist yet.
    pub(super) wanted: Vec<Wanted>,
    /// All of them.
    pub(super) functions: Vec<Wanted>,
    /// How many loops are open.
    pub(super) loops: usize,
}

/// Where pointers are kept on the stack: below what arithmetic uses.
const FIRST_SLOT: i16 = -72;
const SLOTS: u16 = 12;
/// Where keys and buffers of a moment are built.
pub(super) const BUFFER: i16 = -256;

impl World {
    /// A world with the two maps of every program.
    #[must_use]
    pub fn new() -> World {
        let mut world = World::default();
        world.map(MapUse::Array);
        world.map(MapUse::Single);
        world
    }

    /// The index of a map; there is one of each use.
    pub fn map(&mut self, wanted: MapUse) -> usize {
        if let Some(&(_, index)) = self.uses.iter().find(|(have, _)| *have == wanted) {
            return index;
        }
        let inner = wanted.template().map(|inner| self.map(inner));
        self.maps.push(wanted.definition(inner));
        self.uses.push((wanted, self.maps.len() - 1));
        self.maps.len() - 1
    }
}

impl Generator {
    pub(super) fn world(&mut self) -> &mut World {
        self.world.as_mut().expect("only structured programs have idioms")
    }

    /// A mistake is due. Rare, as a program has many occasions.
    pub(super) fn slips(&mut self) -> bool {
        self.rng.below(28) == 0
    }

    /// Registers r1 to r5 lose their numbers.
    pub(super) fn take_arguments(&mut self) {
        for reg in 1..6 {
            self.ready.remove(reg);
        }
    }

    /// Adds `dst = the map`.
    pub(super) fn load_map(&mut self, dst: u8, wanted: MapUse) {
        let index = self.world().map(wanted) as i32;
        self.imm64(dst, BPF_PSEUDO_MAP_FD, index, 0);
    }

    /// Adds `dst = fp + off`.
    pub(super) fn stack_address(&mut self, dst: u8, off: i16) {
        self.copy(dst, 10);
        self.emit(BPF_ALU64 | BPF_ADD, dst, 0, 0, i32::from(off));
    }

    /// Keeps the pointer in `reg` somewhere until [`Generator::release_place`].
    pub(super) fn hold(&mut self, reg: u8) -> Place {
        let free = [7, 8].into_iter().find(|&free| self.pool.has(free) && !self.locked.has(free));
        match free {
            Some(free) if self.rng.chance(65) => {
                self.copy(free, reg);
                self.pool.remove(free);
                self.ready.remove(free);
                Place::Reg(free)
            }
            _ => {
                let world = self.world();
                let index = (0..SLOTS).find(|index| world.slots >> index & 1 == 0).unwrap_or(0);
                world.slots |= 1 << index;
                let off = FIRST_SLOT - 8 * index as i16;
                self.emit(BPF_STX | BPF_MEM | BPF_DW, 10, reg, off, 0);
                Place::Slot(off)
            }
        }
    }

    /// The place is free again.
    pub(super) fn release_place(&mut self, place: Place) {
        match place {
            Place::Reg(reg) => self.pool.insert(reg),
            Place::Slot(off) => self.world().slots &= !(1 << ((FIRST_SLOT - off) / 8)),
        }
    }

    /// Adds `dst = what is kept there`.
    pub(super) fn load_place(&mut self, dst: u8, place: Place) {
        match place {
            Place::Reg(reg) => self.copy(dst, reg),
            Place::Slot(off) => self.emit(BPF_LDX | BPF_MEM | BPF_DW, dst, 10, off, 0),
        }
    }

    /// Does something while a pointer is kept. Guards within lead to its end.
    pub(super) fn scope(&mut self, bytes: i32, place: Place, body: impl FnOnce(&mut Self)) {
        self.world().held.push(Held { place, bytes });
        let inner = self.label();
        let out = std::mem::replace(&mut self.out, inner);
        body(self);
        self.out = out;
        self.bind(inner);
        // Who knows which numbers there are where guards come from.
        self.ready.0 &= self.locked.0;
        self.world().held.pop();
    }
}
