//! Pointers to the stack with offsets that vary, functions that get pointers, tail calls, and
//! arithmetic on pointers.

use probity_isa::opcode::*;

use super::{
    code::{Generator, Regs},
    world::{BUFFER, Held, MapUse, Place, Wanted},
};

const TAIL_CALL: i32 = 12;
const FUNCTIONS: usize = 3;

impl Generator {
    /// An access of the stack at an offset that varies.
    pub(super) fn vary_on_stack(&mut self) {
        let offset = self.bounded(56);
        let number = self.number();
        let pointer = [1, 2, 3].into_iter().find(|&reg| reg != offset && reg != number).unwrap_or(4);
        self.ready.remove(pointer);
        let (size, mask) = self.rng.pick(&[(BPF_B, -1), (BPF_DW, 0x38), (BPF_W, 0x3c), (BPF_DW, 0x38)]);
        if mask > 0 && !self.slips() {
            if self.locked.has(offset) {
                return;
            }
            self.emit(BPF_ALU64 | BPF_AND, offset, 0, 0, mask);
        }
        self.copy(pointer, 10);
        self.emit(BPF_ALU64 | BPF_ADD | BPF_X, pointer, offset, 0, 0);
        let off = if self.slips() { -60 } else { -64 };
        match self.rng.below(3) {
            0 => self.emit(BPF_ST | BPF_MEM | size, pointer, 0, off, 0),
            1 => self.emit(BPF_STX | BPF_MEM | size, pointer, number, off, 0),
            _ => {
                let dst = self.target();
                self.emit(BPF_LDX | BPF_MEM | size, dst, pointer, off, 0);
            }
        }
    }

    /// An atomic or a plain access through a pointer to the stack.
    pub(super) fn access_stack(&mut self) {
        let number = self.number();
        let pointer = if number == 2 { 3 } else { 2 };
        self.ready.remove(pointer);
        self.stack_address(pointer, -64);
        let (size, bytes) = self.rng.pick(&[(BPF_W, 4), (BPF_DW, 8)]);
        let off = self.rng.below(64 / bytes) as i16 * bytes as i16;
        self.access_through(pointer, off, size, number);
    }

    /// A call of a function with a pointer in r1 and a number in r2.
    pub(super) fn call_with_pointer(&mut self) {
        let held = self.world().held.clone();
        let number = self.number();
        if number != 2 {
            self.copy(2, number);
        }
        self.take_arguments();
        let bytes = if !held.is_empty() && self.rng.chance(60) {
            let held = self.rng.pick(&held);
            self.load_place(1, held.place);
            held.bytes
        } else if self.is_main && self.rng.chance(25) {
            self.copy(1, 9);
            64
        } else {
            self.stack_address(1, BUFFER - 160);
            16
        };
        let slip = if self.slips() { 8 } else { 0 };
        let functions = self.world().functions.clone();
        // Only the entry calls a function again: there is no recursion.
        let known = functions.iter().find(|function| function.bytes <= bytes + slip);
        let label = match known {
            Some(function) if self.is_main => function.label,
            _ if functions.len() < FUNCTIONS => {
                let label = self.label();
                let wanted = Wanted { label, bytes };
                self.world().functions.push(wanted);
                self.world().wanted.push(wanted);
                label
            }
            _ => return self.set(1, 0),
        };
        self.jump(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, label);
        self.called();
    }

    /// True when a function is called that does not exist yet.
    pub(super) fn has_wanted(&mut self) -> bool {
        !self.wanted.is_empty() || !self.world().wanted.is_empty()
    }

    /// The functions that get pointers.
    pub(super) fn functions_of_pointers(&mut self) {
        loop {
            let Some(Wanted { label, bytes }) = self.world().wanted.pop() else { return };
            self.bind(label);
            self.is_main = false;
            self.pool = Regs(0b1_1011_1111);
            self.ready = Regs(0b100);
            self.locked = Regs(0);
            self.spilled.clear();
            self.out = self.label();
            let place = if self.rng.chance(70) {
                self.copy(6, 1);
                Place::Reg(6)
            } else {
                self.hold(1)
            };
            self.world().held = vec![Held { place, bytes }];
            let end = self.len() + 3 + self.rng.below(12);
            self.use_held();
            self.statements(end, 2);
            self.world().held.clear();
            self.release_place(place);
            let result = self.number();
            if result != 0 {
                self.copy(0, result);
            }
            self.exit();
            self.end(false);
        }
    }

    /// A tail call.
    pub(super) fn tail_call(&mut self) {
        if !self.is_main {
            return self.unlike_kind();
        }
        let index = self.number();
        if index != 3 {
            self.copy(3, index);
        }
        self.take_arguments();
        self.copy(1, 6);
        let wanted = if self.slips() { MapUse::Array } else { MapUse::Programs };
        self.load_map(2, wanted);
        self.call_helper(TAIL_CALL);
    }

    /// A pointer that is kept goes through arithmetic and comparisons and comes back.
    pub(super) fn pointer_arithmetic(&mut self) {
        let held = self.world().held.clone();
        if held.is_empty() {
            return self.access_stack();
        }
        let held = self.rng.pick(&held);
        self.take_arguments();
        self.load_place(1, held.place);
        self.copy(2, 1);
        let by = self.rng.pick(&[1, 4, 8, held.bytes]);
        let op = self.rng.pick(&[BPF_ADD, BPF_ADD, BPF_SUB]);
        self.emit(BPF_ALU64 | op, 1, 0, 0, by);
        match self.rng.below(6) {
            0 => {
                // The distance between two is a number.
                self.emit(BPF_ALU64 | BPF_SUB | BPF_X, 1, 2, 0, 0);
                self.ready.insert(1);
            }
            1 => {
                let over = self.label();
                let op = self.rng.pick(&[BPF_JEQ, BPF_JNE, BPF_JGT]);
                self.jump(BPF_JMP | op | BPF_X, 1, 2, 0, over);
                self.emit(BPF_LDX | BPF_MEM | BPF_B, 3, 2, 0, 0);
                self.bind(over);
            }
            2 if self.slips() => {
                let op = self.rng.pick(&[BPF_AND, BPF_MUL, BPF_LSH, BPF_XOR]);
                self.emit(BPF_ALU64 | op, 1, 0, 0, 1);
            }
            _ => {
                let back = if op == BPF_ADD { BPF_SUB } else { BPF_ADD };
                self.emit(BPF_ALU64 | back, 1, 0, 0, by);
                self.emit(BPF_LDX | BPF_MEM | BPF_B, 3, 1, 0, 0);
                self.ready.insert(3);
            }
        }
    }
}
