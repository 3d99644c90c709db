//! Uses of a number that are allowed for some values only: they decide the verdict.

use probity_isa::opcode::*;

use super::{code::Generator, program::VALUE_SIZE};

impl Generator {
    /// The last thing that a program does with its numbers. False when the program ends with it.
    pub(super) fn sink(&mut self) -> bool {
        match self.rng.weighted(&[64, 22, 8, 6]) {
            0 => self.address_in_map(),
            1 => self.address_on_stack(),
            2 => {
                let result = self.number();
                self.copy(0, result);
                self.exit();
                return false;
            }
            _ => {}
        }
        true
    }

    /// A number that may be an offset: bounded in one of several ways, or as it is.
    fn offset(&mut self, limit: i32) -> u8 {
        let reg = self.variable();
        let out = self.out;
        match self.rng.weighted(&[24, 14, 9, 9, 8, 46]) {
            0 => {
                let mask = self.rng.pick(&[7, 0x18, 0x1f, 0x38, 0x3f, 0x7f]);
                let class = self.rng.pick(&[BPF_ALU, BPF_ALU64, BPF_ALU64]);
                self.emit(class | BPF_AND, reg, 0, 0, mask);
            }
            1 => self.jump(BPF_JMP | BPF_JGT, reg, 0, limit, out),
            2 => {
                self.jump(BPF_JMP | BPF_JSLT, reg, 0, 0, out);
                self.jump(BPF_JMP | BPF_JSGT, reg, 0, limit, out);
            }
            3 => self.jump(BPF_JMP32 | BPF_JGT, reg, 0, limit, out),
            4 => {
                let bits = self.rng.pick(&[58, 59, 60, 61]);
                self.emit(BPF_ALU64 | BPF_RSH, reg, 0, 0, bits);
            }
            _ => {}
        }
        if self.rng.chance(15) {
            let shift = self.rng.pick(&[0, 1, 1, 2]);
            self.emit(BPF_ALU64 | BPF_LSH, reg, 0, 0, shift);
        }
        reg
    }

    fn address_in_map(&mut self) {
        let limit = VALUE_SIZE as i32 - self.rng.pick(&[1, 4, 8, 8, 16]) - self.slip();
        let offset = self.offset(limit);
        let pointer = if offset == 0 { 1 } else { 0 };
        self.copy(pointer, 9);
        let op = if self.rng.chance(12) { BPF_SUB } else { BPF_ADD };
        self.emit(BPF_ALU64 | op | BPF_X, pointer, offset, 0, 0);
        let off = self.rng.pick(&[0, 0, 0, 0, 1, 8, -1]);
        self.access(pointer, off);
    }

    fn address_on_stack(&mut self) {
        let limit = 56 - self.slip();
        let offset = self.offset(limit);
        // Accesses by more than a byte have to be aligned, whatever the offset.
        let aligned = self.rng.chance(50);
        if aligned {
            self.emit(BPF_ALU64 | BPF_AND, offset, 0, 0, 0x78);
        }
        let pointer = if offset == 0 { 1 } else { 0 };
        self.copy(pointer, 10);
        self.emit(BPF_ALU64 | BPF_ADD | BPF_X, pointer, offset, 0, 0);
        let off = self.rng.pick(&[-64, -64, -72, -128, -56]);
        if aligned {
            self.access(pointer, off);
        } else {
            self.emit(BPF_ST | BPF_MEM | BPF_B, pointer, 0, off, 0);
        }
    }

    /// A load or a store of some size.
    fn access(&mut self, pointer: u8, off: i16) {
        let size = self.rng.pick(&[BPF_B, BPF_B, BPF_H, BPF_W, BPF_DW]);
        match self.rng.below(3) {
            0 => self.emit(BPF_ST | BPF_MEM | size, pointer, 0, off, 1),
            _ => self.emit(BPF_LDX | BPF_MEM | size, 0, pointer, off, 0),
        }
    }

    /// Mostly nothing; else a bound is wrong by a little.
    fn slip(&mut self) -> i32 {
        if self.rng.chance(15) { self.rng.pick(&[-9, -4, -1, 1, 4]) } else { 0 }
    }
}
