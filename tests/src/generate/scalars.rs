//! Numbers: where unknown ones come from, arithmetic on them, spills and fills.

use probity_isa::opcode::*;

use super::{code::Generator, program::VALUE_SIZE};

const BINARY: [u8; 11] =
    [BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_ARSH];
const SIZES: [(u8, u8); 4] = [(BPF_B, 1), (BPF_H, 2), (BPF_W, 4), (BPF_DW, 8)];
const GET_PRANDOM_U32: i32 = 7;
const KTIME_GET_NS: i32 = 5;

impl Generator {
    /// An unknown number, from where there is one.
    pub(super) fn source(&mut self) -> u8 {
        let calls = if self.looping { 0 } else { 2 };
        let memory = if self.is_main { 5 } else { 0 };
        match self.rng.weighted(&[memory, memory, calls, 1]) {
            0 => self.map_value(),
            1 => self.context_field(),
            2 => {
                let helper = self.rng.pick(&[GET_PRANDOM_U32, GET_PRANDOM_U32, KTIME_GET_NS]);
                self.call_helper(helper);
                0
            }
            _ => self.constant(),
        }
    }

    fn map_value(&mut self) -> u8 {
        let dst = self.target();
        let (size, bytes) = self.rng.pick(&SIZES);
        let slots = self.rng.below(VALUE_SIZE as usize / bytes as usize);
        let off = (slots * bytes as usize) as i16;
        // There is no sign-extending load of 8 bytes.
        let mode = if bytes < 8 && self.rng.chance(25) { BPF_MEMSX } else { BPF_MEM };
        self.emit(BPF_LDX | mode | size, dst, 9, off, 0);
        dst
    }

    fn context_field(&mut self) -> u8 {
        let dst = self.target();
        let fields = self.kind.fields();
        let off = self.rng.pick(fields);
        let size = self.rng.pick(self.kind.field_sizes());
        self.emit(BPF_LDX | BPF_MEM | size, dst, 6, off, 0);
        dst
    }

    fn constant(&mut self) -> u8 {
        let dst = self.target();
        let imm = self.rng.immediate();
        match self.rng.below(4) {
            0 => {
                let high = self.rng.immediate();
                self.imm64(dst, 0, imm, high);
            }
            1 => self.emit(BPF_ALU | BPF_MOV, dst, 0, 0, imm),
            _ => self.set(dst, imm),
        }
        dst
    }

    /// One of the 32-bit and 64-bit classes.
    fn class(&mut self) -> u8 {
        if self.rng.chance(35) { BPF_ALU } else { BPF_ALU64 }
    }

    /// A binary operation.
    pub(super) fn binary(&mut self) {
        let class = self.class();
        let op = self.rng.pick(&BINARY);
        let dst = self.variable();
        let signed = i16::from((op == BPF_DIV || op == BPF_MOD) && self.rng.chance(40));
        if self.rng.chance(45) {
            let src = self.number();
            return self.emit(class | op | BPF_X, dst, src, signed, 0);
        }
        let bits = if class == BPF_ALU { 32 } else { 64 };
        let wrong = self.rng.below(100) == 0;
        let imm = match op {
            BPF_LSH | BPF_RSH | BPF_ARSH if wrong => bits,
            BPF_LSH | BPF_RSH | BPF_ARSH => self.rng.below(bits as usize) as i32,
            BPF_DIV | BPF_MOD if wrong => 0,
            BPF_DIV | BPF_MOD => match self.rng.immediate() {
                0 => 5,
                divisor => divisor,
            },
            _ => self.rng.immediate(),
        };
        self.emit(class | op, dst, 0, signed, imm);
    }

    /// An operation on one number: a negation, a byte swap, a sign extension, a copy.
    pub(super) fn unary(&mut self) {
        let class = self.class();
        match self.rng.weighted(&[2, 3, 4, 6]) {
            0 => {
                let dst = self.variable();
                self.emit(class | BPF_NEG, dst, 0, 0, 0);
            }
            1 => {
                let code = self.rng.pick(&[BPF_ALU | BPF_TO_LE, BPF_ALU | BPF_TO_BE, BPF_ALU64 | BPF_TO_LE]);
                let dst = self.variable();
                let bits = self.rng.pick(&[16, 32, 64]);
                self.emit(code | BPF_END, dst, 0, 0, bits);
            }
            2 => {
                let widths: &[i16] = if class == BPF_ALU { &[8, 16] } else { &[8, 16, 32] };
                let bits = self.rng.pick(widths);
                let src = self.number();
                let dst = self.target();
                self.emit(class | BPF_MOV | BPF_X, dst, src, bits, 0);
            }
            _ => {
                let src = self.number();
                let dst = self.target();
                self.emit(class | BPF_MOV | BPF_X, dst, src, 0, 0);
            }
        }
    }

    /// Few bits of a number are left.
    pub(super) fn mask(&mut self) {
        let class = self.class();
        let dst = self.variable();
        let imm = self.rng.pick(&[1, 3, 7, 8, 12, 15, 16, 31, 0x38, 0x3f, 0xff, -8, 0x7fff_ffff]);
        self.emit(class | BPF_AND, dst, 0, 0, imm);
    }

    /// A number is written to the stack, in whole or in part.
    pub(super) fn spill(&mut self) {
        let (off, size, bytes) = self.stack_bytes();
        if self.rng.chance(20) {
            let imm = self.rng.immediate();
            self.emit(BPF_ST | BPF_MEM | size, 10, 0, off, imm);
        } else {
            let src = self.number();
            self.emit(BPF_STX | BPF_MEM | size, 10, src, off, 0);
        }
        self.spilled.push((off, bytes));
    }

    /// A number is read from the stack, mostly one that was written there.
    pub(super) fn fill(&mut self) {
        let (mut off, mut size, mut bytes) = self.stack_bytes();
        if !self.spilled.is_empty() && self.rng.chance(80) {
            let (written, whole) = self.rng.pick(&self.spilled);
            off = written;
            if self.rng.chance(70) || bytes > whole {
                bytes = whole;
                size = SIZES.iter().find(|size| size.1 == whole).map_or(BPF_DW, |size| size.0);
            }
        }
        let mode = if bytes < 8 && self.rng.chance(20) { BPF_MEMSX } else { BPF_MEM };
        let dst = self.target();
        self.emit(BPF_LDX | mode | size, dst, 10, off, 0);
    }

    /// Bytes in the lowest 64 bytes of the stack: offset, size code, size.
    fn stack_bytes(&mut self) -> (i16, u8, u8) {
        let (size, bytes) = self.rng.pick(&[SIZES[3], SIZES[3], SIZES[2], SIZES[1], SIZES[0]]);
        let slot = self.rng.below(64 / bytes as usize) + 1;
        let wrong = i16::from(bytes > 1 && self.rng.below(120) == 0);
        (-(slot as i16 * i16::from(bytes)) + wrong, size, bytes)
    }
}
