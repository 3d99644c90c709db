//! The bytes of one instruction (Intel SDM, volume 2, chapter 2): prefixes, opcode, ModRM, SIB,
//! displacement, immediate. They are put together in registers, the first byte lowest, and stored by
//! words: every instruction of a program goes through here.

use super::operand::{Mem, Reg, Rm, Width};

/// One row of Intel's opcode tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The opcode with what says in which table it is: nothing, `0f`, `0f 38`, `0f 3a`.
    bits: u32,
    len: u8,
    /// A mandatory prefix: `66`, `f2`, `f3`, or 0 for none.
    prefix: u8,
    /// What VEX has for the table.
    map: u8,
}

impl Row {
    /// In the table of one byte.
    pub(super) const fn one(opcode: u8) -> Row {
        Row { bits: opcode as u32, len: 1, prefix: 0, map: 0 }
    }

    /// In the table after `0f`.
    pub(super) const fn two(opcode: u8) -> Row {
        Row { bits: (opcode as u32) << 8 | 0x0f, len: 2, prefix: 0, map: 1 }
    }

    /// In the table after `0f 38`.
    pub(super) const fn three_38(opcode: u8) -> Row {
        Row { bits: (opcode as u32) << 16 | 0x38_0f, len: 3, prefix: 0, map: 2 }
    }

    /// In the table after `0f 3a`.
    pub(super) const fn three_3a(opcode: u8) -> Row {
        Row { bits: (opcode as u32) << 16 | 0x3a_0f, len: 3, prefix: 0, map: 3 }
    }

    pub(super) const fn with_prefix(self, prefix: u8) -> Row {
        Row { prefix, ..self }
    }

    const fn opcode(self) -> u8 {
        (self.bits >> (8 * (self.len - 1))) as u8
    }

    /// The row for operands of a width: in most families the lowest bit is 0 for bytes.
    #[inline]
    pub(super) const fn sized(self, width: Width) -> Row {
        match width {
            Width::W8 => Row { bits: self.bits & !(1 << (8 * (self.len - 1))), ..self },
            _ => self,
        }
    }
}

/// The immediate at an instruction's end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Imm {
    None,
    I8(i8),
    I16(i16),
    I32(i32),
}

impl Imm {
    /// As wide as operations of a width have it; with 64 bits it is sign-extended from 32.
    #[inline]
    pub(super) const fn full(width: Width, value: i32) -> Imm {
        match width {
            Width::W8 => Imm::I8(value as i8),
            Width::W16 => Imm::I16(value as i16),
            Width::W32 | Width::W64 => Imm::I32(value),
        }
    }

    #[inline]
    fn bits(self) -> Bits {
        match self {
            Imm::None => Bits::NONE,
            Imm::I8(value) => Bits { bits: (value as u8).into(), len: 1 },
            Imm::I16(value) => Bits { bits: (value as u16).into(), len: 2 },
            Imm::I32(value) => Bits { bits: (value as u32).into(), len: 4 },
        }
    }
}

/// An instruction with a ModRM byte, but for its operands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) row: Row,
    /// Gives the `66` prefix and REX.W.
    pub(super) width: Width,
    /// The `f0` prefix.
    pub(super) lock: bool,
    /// Whether the reg field is a register of which the low byte counts.
    pub(super) byte_reg: bool,
    /// Whether a register as the other operand is one of which the low byte counts.
    pub(super) byte_rm: bool,
}

impl Form {
    /// Operands that are registers as they are, or memory.
    pub(super) const fn new(row: Row, width: Width) -> Form {
        Form { row, width, lock: false, byte_reg: false, byte_rm: false }
    }

    /// All before ModRM.
    #[inline]
    fn head(self, reg: u8, extensions: u8, byte_rm: bool) -> Bits {
        let mut head = Bits { bits: self.row.bits.into(), len: self.row.len.into() };
        let rex = u8::from(self.width == Width::W64) << 3 | (reg >> 3) << 2 | extensions;
        // Without REX, the numbers 4 to 7 of byte registers are ah, ch, dh and bh.
        if rex != 0 || byte_rm || (self.byte_reg && reg >= 4) {
            head = head.after(0x40 | rex);
        }
        if self.row.prefix != 0 {
            head = head.after(self.row.prefix);
        }
        if self.width == Width::W16 {
            head = head.after(0x66);
        }
        if self.lock {
            head = head.after(0xf0);
        }
        head
    }

    /// The instruction with a register as the other operand.
    #[inline]
    pub(super) fn with_register(self, reg: u8, rm: Reg, imm: Imm) -> Parts {
        let rm = rm.number();
        let head = self.head(reg, rm >> 3, self.byte_rm && rm >= 4);
        Parts { head, operand: register(reg, rm), imm: imm.bits() }
    }

    /// The instruction with memory as the other operand.
    #[inline]
    pub(super) fn with_memory(self, reg: u8, mem: Mem, imm: Imm) -> Parts {
        let head = self.head(reg, extensions(mem), false);
        Parts { head, operand: memory(reg, mem), imm: imm.bits() }
    }
}

/// Some bytes, the first lowest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    pub(super) bits: u64,
    pub(super) len: usize,
}

impl Bits {
    pub(super) const NONE: Bits = Bits { bits: 0, len: 0 };

    /// With a byte before them.
    #[inline]
    pub(super) const fn after(self, byte: u8) -> Bits {
        Bits { bits: self.bits << 8 | byte as u64, len: self.len + 1 }
    }

    /// At most 8 bytes.
    #[inline]
    pub(super) const fn of(bytes: &[u8]) -> Bits {
        let mut bits = Bits::NONE;
        let mut at = bytes.len();
        while at > 0 {
            at -= 1;
            bits = bits.after(bytes[at]);
        }
        bits
    }
}

/// An instruction: at most 7, 6 and 8 bytes, 15 in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    /// Prefixes and opcode.
    pub(super) head: Bits,
    /// ModRM, SIB, displacement.
    pub(super) operand: Bits,
    pub(super) imm: Bits,
}

/// An instruction with a VEX prefix of three bytes and no vector: those of BMI1 and BMI2. `extra` is the
/// register that VEX names, if any.
#[inline]
pub(super) fn vex(row: Row, width: Width, reg: u8, extra: Option<Reg>, rm: Rm, imm: Imm) -> Parts {
    let prefix = match row.prefix {
        0x66 => 1,
        0xf3 => 2,
        0xf2 => 3,
        _ => 0,
    };
    let (extensions, operand) = match rm {
        Rm::Reg(rm) => (rm.number() >> 3, register(reg, rm.number())),
        Rm::Mem(mem) => (extensions(mem), memory(reg, mem)),
    };
    // All register bits are stored inverted.
    let first = ((reg >> 3) << 7 | extensions << 5) ^ 0xe0 | row.map;
    let extra = extra.map_or(0, Reg::number);
    let second = u8::from(width == Width::W64) << 7 | (extra ^ 15) << 3 | prefix;
    let head = Bits::of(&[0xc4, first, second, row.opcode()]);
    Parts { head, operand, imm: imm.bits() }
}

/// ModRM of two registers.
#[inline]
fn register(reg: u8, rm: u8) -> Bits {
    Bits { bits: (0xc0 | (reg & 7) << 3 | (rm & 7)).into(), len: 1 }
}

/// The upper bits of index and base: REX.X and REX.B.
#[inline]
fn extensions(mem: Mem) -> u8 {
    let index = mem.index.map_or(0, |(index, _)| index.number() >> 3);
    index << 1 | mem.base.map_or(0, |base| base.number() >> 3)
}

/// ModRM, SIB and displacement of memory.
#[inline]
fn memory(reg: u8, mem: Mem) -> Bits {
    let reg = (reg & 7) << 3;
    let index = mem.index.map_or(4 << 3, |(index, scale)| (scale as u8) << 6 | (index.number() & 7) << 3);
    let disp = mem.disp.cast_unsigned().into();
    let Some(base) = mem.base else {
        // No base: SIB with base 5 under mod 0, and always a displacement of 32 bits.
        return Bits { bits: disp, len: 4 }.after(index | 5).after(reg | 4);
    };
    let low = base.number() & 7;
    // Base rbp or r13 under mod 0 would mean that there is no base.
    let (mode, disp) = match i8::try_from(mem.disp) {
        Ok(0) if low != 5 => (0x00, Bits::NONE),
        Ok(_) => (0x40, Bits { bits: disp & 0xff, len: 1 }),
        Err(_) => (0x80, Bits { bits: disp, len: 4 }),
    };
    // rsp and r12 as number of a base mean that SIB follows.
    if mem.index.is_some() || low == 4 {
        disp.after(index | low).after(mode | reg | 4)
    } else {
        disp.after(mode | reg | low)
    }
}
