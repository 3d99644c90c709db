//! Loops with a bound: nested, with a counter in a register or on the stack, up or down, to a
//! constant or to a number that a guard bounds.

use probity_isa::opcode::*;

use super::{code::Generator, world::Place};

/// How many loops lie in each other.
const NESTED: usize = 2;

impl Generator {
    /// A loop.
    pub(super) fn rounds(&mut self, depth: usize) {
        if self.world().loops >= NESTED {
            return self.unlike_kind();
        }
        let rounds =
            if self.world().loops == 0 { 2 + self.rng.below(9) } else { 2 + self.rng.below(3) } as i32;
        let down = self.rng.chance(25);
        let free = [7u8, 8].into_iter().find(|&reg| self.pool.has(reg) && !self.locked.has(reg));
        let free = free.filter(|_| self.rng.chance(70));
        let start = if down { rounds } else { 0 };
        match free {
            Some(reg) => {
                self.set(reg, start);
                self.locked.insert(reg);
                self.counted_by(reg, None, rounds, down, depth);
                self.locked.remove(reg);
                self.ready.insert(reg);
            }
            None => {
                self.set(0, start);
                let Place::Slot(off) = self.counter_slot() else { return };
                self.emit(BPF_STX | BPF_MEM | BPF_DW, 10, 0, off, 0);
                self.counted_by(0, Some(off), rounds, down, depth);
                self.release_place(Place::Slot(off));
            }
        }
    }

    /// A slot for a counter.
    fn counter_slot(&mut self) -> Place {
        loop {
            match self.hold(0) {
                Place::Reg(reg) => self.pool.insert(reg),
                slot => return slot,
            }
        }
    }

    fn counted_by(&mut self, reg: u8, slot: Option<i16>, rounds: i32, down: bool, depth: usize) {
        self.world().loops += 1;
        let end = self.label();
        let next = self.label();
        let top = self.label();
        // The second round begins with what the first leaves: nothing that is known here.
        self.ready.0 &= self.locked.0;
        self.bind(top);
        let early = self.rng.chance(30);
        let out = std::mem::replace(&mut self.out, if early { end } else { next });
        let stop = self.len() + 2 + self.rng.below(7);
        self.statements(stop, depth + 1);
        self.out = out;
        self.bind(next);
        self.ready.0 &= self.locked.0;
        if let Some(off) = slot {
            self.emit(BPF_LDX | BPF_MEM | BPF_DW, reg, 10, off, 0);
        }
        let step = if rounds > 4 && self.rng.chance(20) { 2 } else { 1 };
        self.emit(BPF_ALU64 | BPF_ADD, reg, 0, 0, if down { -step } else { step });
        if let Some(off) = slot {
            self.emit(BPF_STX | BPF_MEM | BPF_DW, 10, reg, off, 0);
        }
        let class = if self.rng.chance(20) { BPF_JMP32 } else { BPF_JMP };
        if down {
            let op = self.rng.pick(&[BPF_JSGT, BPF_JSGT, BPF_JSGE]);
            self.jump(class | op, reg, 0, 0, top);
        } else {
            let op = if step == 1 && self.rng.chance(25) {
                BPF_JNE
            } else {
                self.rng.pick(&[BPF_JLT, BPF_JSLT, BPF_JLE])
            };
            self.jump(class | op, reg, 0, rounds, top);
        }
        self.bind(end);
        self.ready.0 &= self.locked.0;
        self.world().loops -= 1;
    }

    /// A loop whose bound is a number that is not known.
    pub(super) fn rounds_to_unknown(&mut self, depth: usize) {
        let free = [7u8, 8].into_iter().filter(|&reg| self.pool.has(reg) && !self.locked.has(reg)).count();
        if self.world().loops > 0 || free < 2 {
            return self.unlike_kind();
        }
        let bound = self.number();
        self.copy(8, bound);
        self.emit(BPF_ALU64 | BPF_AND, 8, 0, 0, 7);
        self.set(7, 0);
        self.locked.insert(7);
        self.locked.insert(8);
        self.world().loops += 1;
        let (top, end) = (self.label(), self.label());
        self.ready.0 &= self.locked.0;
        self.bind(top);
        self.jump(BPF_JMP | BPF_JGE | BPF_X, 7, 8, 0, end);
        let next = self.label();
        let out = std::mem::replace(&mut self.out, next);
        let stop = self.len() + 1 + self.rng.below(5);
        self.statements(stop, depth + 1);
        self.out = out;
        self.bind(next);
        self.emit(BPF_ALU64 | BPF_ADD, 7, 0, 0, 1);
        if self.rng.chance(50) {
            self.jump(BPF_JMP | BPF_JA, 0, 0, 0, top);
        } else {
            self.jump(BPF_JMP | BPF_JLT, 7, 0, 9, top);
        }
        self.bind(end);
        self.locked.remove(7);
        self.locked.remove(8);
        self.ready.0 &= self.locked.0;
        self.world().loops -= 1;
    }
}
