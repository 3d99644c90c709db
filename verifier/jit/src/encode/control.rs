//! Jumps, calls, traps and padding.

use super::assembler::{Assembler, Fix, Label};
use super::instruction::{Bits, Imm, Row};
use super::operand::{Cond, Rm, Width};

const INDIRECT: Row = Row::one(0xff);

/// The instructions that do nothing, of 1 to 9 bytes (Intel SDM, volume 2, NOP).
const NOPS: [&[u8]; 9] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// An instruction of `len` bytes, 1 to 9, that does nothing.
pub(super) const fn nop(len: usize) -> &'static [u8] {
    NOPS[len - 1]
}

impl Assembler {
    /// `jmp label`.
    pub fn jmp(&mut self, label: Label) {
        self.reserve(5, Fix::Jmp(label));
    }

    /// `jcc label`.
    pub fn jcc(&mut self, cond: Cond, label: Label) {
        self.reserve(6, Fix::Jcc(cond, label));
    }

    /// `jmp target`: to an address in a register or in memory.
    pub fn jmp_to(&mut self, target: impl Into<Rm>) {
        self.extended(INDIRECT, Width::W32, 4, target.into(), Imm::None);
    }

    /// `call label`.
    pub fn call(&mut self, label: Label) {
        self.raw(&[0xe8]);
        self.reserve(4, Fix::Relative(label));
    }

    /// `call target`: of an address in a register or in memory.
    pub fn call_to(&mut self, target: impl Into<Rm>) {
        self.extended(INDIRECT, Width::W32, 2, target.into(), Imm::None);
    }

    /// `call address`, from wherever the code ends up: relative when that is near enough, else of what
    /// stands behind the code. It writes no register.
    ///
    /// # Panics
    /// When more than 2^32 addresses are called.
    pub fn call_address(&mut self, address: u64) {
        let known = self.targets.iter().position(|target| *target == address);
        let number = known.unwrap_or_else(|| {
            self.targets.push(address);
            self.targets.len() - 1
        });
        self.reserve(6, Fix::Call(u32::try_from(number).expect("few addresses")));
    }

    /// `ret`.
    pub fn ret(&mut self) {
        self.raw(&[0xc3]);
    }

    /// `ud2`: traps. For places that are never reached.
    pub fn ud2(&mut self) {
        self.raw(&[0x0f, 0x0b]);
    }

    /// `pause`: says that this is a loop that waits.
    pub fn pause(&mut self) {
        self.raw(&[0xf3, 0x90]);
    }

    /// Instructions of `len` bytes in all that do nothing.
    pub fn nops(&mut self, mut len: usize) {
        while len > 0 {
            let one = len.min(8);
            self.raw(nop(one));
            len -= one;
        }
    }

    /// Padding, so that the next instruction is at a multiple of `multiple` from the code's start.
    ///
    /// # Panics
    /// When `multiple` is no power of two up to 4096.
    pub fn align(&mut self, multiple: u32) {
        assert!(multiple.is_power_of_two() && multiple <= 4096, "{multiple}");
        self.reserve(multiple as usize - 1, Fix::Align(multiple));
    }

    /// At most 8 bytes as they are.
    fn raw(&mut self, bytes: &[u8]) {
        self.put_bits(Bits::of(bytes));
    }
}
