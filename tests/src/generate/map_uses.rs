//! Lookups, updates and deletes, and accesses of what a pointer points to.

use probity_isa::opcode::*;

use super::{
    code::{Generator, Label},
    world::{BUFFER, Held, MapUse},
};

const SIZES: [(u8, i32); 4] = [(BPF_B, 1), (BPF_H, 2), (BPF_W, 4), (BPF_DW, 8)];
const ATOMIC: [i32; 10] = [
    BPF_ADD as i32,
    BPF_OR as i32,
    BPF_AND as i32,
    BPF_XOR as i32,
    BPF_ADD as i32 | BPF_FETCH,
    BPF_AND as i32 | BPF_FETCH,
    BPF_XCHG,
    BPF_CMPXCHG,
    BPF_LOAD_ACQ,
    BPF_STORE_REL,
];

impl Generator {
    /// Writes a key of so many bytes to the stack: known, unknown, or in part unwritten.
    pub(super) fn key(&mut self, bytes: i32) -> i16 {
        let off = BUFFER - 16 * self.rng.below(3) as i16;
        if self.rng.chance(15) {
            // Whatever numbers are there.
            return -8 * (1 + self.rng.below(6) as i16 + 1);
        }
        let mut at = 0;
        while at < bytes {
            let to = off + at as i16;
            if self.rng.chance(50) {
                let imm = self.rng.pick(&[0, 0, 1, 2, 3, 9, -1]);
                self.emit(BPF_ST | BPF_MEM | BPF_W, 10, 0, to, imm);
            } else {
                let number = self.number();
                self.emit(BPF_STX | BPF_MEM | BPF_W, 10, number, to, 0);
            }
            at += if self.slips() { 8 } else { 4 };
        }
        off
    }

    /// r0 = the value of a key, or null.
    fn look_up(&mut self, wanted: MapUse) -> i32 {
        let map = wanted.definition(None);
        let key = self.key(map.key_size as i32);
        self.take_arguments();
        self.load_map(1, wanted);
        self.stack_address(2, key);
        let per_cpu = matches!(wanted, MapUse::PerCpuArray | MapUse::PerCpuHash) && self.rng.chance(25);
        if per_cpu {
            self.set(3, 0);
        }
        self.call_helper(if per_cpu { 195 } else { 1 });
        self.ready.remove(0);
        map.value_size as i32
    }

    /// A jump to `to` when `reg` is null.
    pub(super) fn unless_null(&mut self, reg: u8, to: Label) {
        match self.rng.below(12) {
            0 => {
                let over = self.label();
                self.jump(BPF_JMP | BPF_JNE, reg, 0, 0, over);
                self.jump(BPF_JMP | BPF_JA, 0, 0, 0, to);
                self.bind(over);
            }
            1 if self.slips() => self.jump(BPF_JMP32 | BPF_JEQ, reg, 0, 0, to),
            2 if self.slips() => {}
            _ => self.jump(BPF_JMP | BPF_JEQ, reg, 0, 0, to),
        }
    }

    /// A lookup, the check, and statements with the value.
    pub(super) fn value_scope(&mut self, until: usize, depth: usize) {
        let of_maps = self.rng.chance(20);
        let end = self.label();
        let bytes = if of_maps {
            let (outer, inner) =
                self.rng.pick(&[(MapUse::ArrayOfMaps, MapUse::Array), (MapUse::HashOfMaps, MapUse::Hash)]);
            self.look_up(outer);
            self.unless_null(0, end);
            let map = inner.definition(None);
            let kept = self.hold(0);
            let key = self.key(map.key_size as i32);
            self.take_arguments();
            self.load_place(1, kept);
            self.stack_address(2, key);
            self.call_helper(1);
            self.ready.remove(0);
            self.release_place(kept);
            map.value_size as i32
        } else {
            let wanted = self.rng.pick(&MapUse::OF_VALUES);
            self.look_up(wanted)
        };
        // The pointer is copied before or after it is checked.
        let place = if self.rng.chance(40) {
            let place = self.hold(0);
            self.unless_null(0, end);
            place
        } else {
            self.unless_null(0, end);
            self.hold(0)
        };
        self.scope(bytes, place, |generator| generator.body(until, depth));
        self.release_place(place);
        self.bind(end);
        self.ready.0 &= self.locked.0;
    }

    /// Some statements, at least one of which uses what is kept.
    pub(super) fn body(&mut self, until: usize, depth: usize) {
        self.use_held();
        let room = until.saturating_sub(self.len()).min(12) + 1;
        let end = self.len() + self.rng.below(room);
        self.statements(end, depth + 1);
        if self.rng.chance(60) {
            self.use_held();
        }
    }

    /// An access of what is kept.
    pub(super) fn use_held(&mut self) {
        let held = self.world().held.clone();
        if held.is_empty() {
            return;
        }
        let held = self.rng.pick(&held);
        self.access_held(held);
    }

    fn access_held(&mut self, held: Held) {
        let (size, bytes) = self.rng.pick(&SIZES);
        // A number first: it may take any register.
        let offset = self.rng.chance(45).then(|| self.bounded(held.bytes - bytes));
        let number = self.number();
        let pointer = [1, 2, 3, 4, 5].into_iter().find(|&reg| Some(reg) != offset && reg != number);
        let pointer = pointer.unwrap_or(5);
        self.ready.remove(pointer);
        self.load_place(pointer, held.place);
        let mut off = 0;
        if let Some(offset) = offset {
            self.emit(BPF_ALU64 | BPF_ADD | BPF_X, pointer, offset, 0, 0);
        } else {
            let last = (held.bytes - bytes).max(0) / bytes;
            off = self.rng.below(last as usize + 1) as i32 * bytes;
            if self.rng.chance(20) {
                // In part in the pointer.
                let part = self.rng.pick(&[1, 4, 8, -8, off]);
                self.emit(BPF_ALU64 | BPF_ADD, pointer, 0, 0, part);
                off -= part;
            }
            if self.slips() {
                off += self.rng.pick(&[-64, -1, 1, 4, 64]);
            }
        }
        self.access_through(pointer, off as i16, size, number);
    }

    /// A load, a store or an atomic.
    pub(super) fn access_through(&mut self, pointer: u8, off: i16, size: u8, number: u8) {
        match self.rng.below(10) {
            0..5 => {
                let dst = self.target();
                let mode = if size != BPF_DW && self.rng.chance(15) { BPF_MEMSX } else { BPF_MEM };
                self.emit(BPF_LDX | mode | size, dst, pointer, off, 0);
            }
            5 => {
                let imm = self.rng.immediate();
                self.emit(BPF_ST | BPF_MEM | size, pointer, 0, off, imm);
            }
            6..8 => self.emit(BPF_STX | BPF_MEM | size, pointer, number, off, 0),
            _ => {
                let op = self.rng.pick(&ATOMIC);
                let narrow = size == BPF_B || size == BPF_H;
                let size = if op < BPF_LOAD_ACQ && narrow && !self.slips() { BPF_W } else { size };
                if op == BPF_CMPXCHG && !self.ready.has(0) {
                    self.set(0, 1);
                    self.ready.insert(0);
                }
                if op == BPF_LOAD_ACQ {
                    let dst = self.target();
                    return self.emit(BPF_STX | BPF_ATOMIC | size, dst, pointer, off, op);
                }
                let number = if self.locked.has(number) { self.variable() } else { number };
                if number != pointer {
                    self.emit(BPF_STX | BPF_ATOMIC | size, pointer, number, off, op);
                }
            }
        }
    }

    /// A number from 0 to `limit`, in one of many ways. Guards lead to the end of the scope.
    pub(super) fn bounded(&mut self, limit: i32) -> u8 {
        let reg = self.variable();
        let limit = if self.slips() { limit + self.rng.pick(&[1, 4, 8]) } else { limit };
        let out = self.out;
        let below =
            |limit: i32| if limit <= 0 { 0 } else { ((limit + 1) as u32).next_power_of_two() as i32 / 2 - 1 };
        match self.rng.below(8) {
            0..2 => {
                let class = self.rng.pick(&[BPF_ALU, BPF_ALU64]);
                let mask = if limit <= 0 {
                    0
                } else if (limit as u32 + 1).is_power_of_two() {
                    limit
                } else {
                    below(limit)
                };
                let mask = if self.rng.chance(40) { mask & !3 } else { mask };
                self.emit(class | BPF_AND, reg, 0, 0, mask);
            }
            2..4 => self.jump(BPF_JMP | BPF_JGT, reg, 0, limit.max(0), out),
            4 => {
                self.jump(BPF_JMP | BPF_JSLT, reg, 0, 0, out);
                self.jump(BPF_JMP | BPF_JSGE, reg, 0, limit.max(0) + 1, out);
            }
            5 => {
                self.emit(BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 0);
                self.jump(BPF_JMP32 | BPF_JGT, reg, 0, limit.max(0), out);
            }
            6 if self.slips() => self.emit(BPF_ALU64 | BPF_MOD, reg, 0, 0, limit.max(0) + 1),
            6 => {
                let inside = self.label();
                self.jump(BPF_JMP | BPF_JLT, reg, 0, limit.max(0) + 1, inside);
                self.jump(BPF_JMP | BPF_JA, 0, 0, 0, out);
                self.bind(inside);
            }
            _ => {
                self.emit(
                    BPF_ALU64 | BPF_RSH,
                    reg,
                    0,
                    0,
                    64 - (32 - (limit.max(1) as u32).leading_zeros() as i32 - 1).max(1),
                );
            }
        }
        reg
    }

    /// An update or a delete.
    pub(super) fn update(&mut self) {
        let wanted = self.rng.pick(&MapUse::OF_VALUES);
        let map = wanted.definition(None);
        let key = self.key(map.key_size as i32);
        let held = self.world().held.clone();
        let held = held.into_iter().find(|held| held.bytes >= map.value_size as i32);
        let delete = self.rng.chance(30);
        if held.is_none() && !delete {
            let bytes = map.value_size as i16 - 8 * i16::from(self.slips());
            for at in (0..bytes).step_by(8) {
                self.emit(BPF_ST | BPF_MEM | BPF_DW, 10, 0, BUFFER - 160 + at, 0);
            }
        }
        self.take_arguments();
        self.load_map(1, wanted);
        self.stack_address(2, key);
        if !delete {
            match held {
                Some(held) => self.load_place(3, held.place),
                None => self.stack_address(3, BUFFER - 160),
            }
            let flags = self.rng.below(3) as i32;
            self.set(4, flags);
        }
        self.call_helper(if delete { 3 } else { 2 });
    }
}
