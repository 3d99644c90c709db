//! The bytes of one instruction (Intel SDM, volume 2, chapter 2): prefixes, opcode, ModRM, SIB,
//! displacement, immediate.

use super::operand::{Mem, Reg, Rm, Width};

/// Where an opcode is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Map {
    /// One byte.
    One,
    /// After `0f`.
    Two,
    /// After `0f 38`.
    Three38,
    /// After `0f 3a`.
    Three3a,
}

/// One row of Intel's opcode tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// A mandatory prefix: `66`, `f2`, `f3`, or 0 for none.
    prefix: u8,
    map: Map,
    opcode: u8,
}

impl Row {
    pub(super) const fn one(opcode: u8) -> Row {
        Row { prefix: 0, map: Map::One, opcode }
    }

    pub(super) const fn two(opcode: u8) -> Row {
        Row { prefix: 0, map: Map::Two, opcode }
    }

    pub(super) const fn three(prefix: u8, map: Map, opcode: u8) -> Row {
        Row { prefix, map, opcode }
    }

    pub(super) const fn with_prefix(self, prefix: u8) -> Row {
        Row { prefix, ..self }
    }

    /// The row for operands of a width: in most families the lowest bit is 0 for bytes.
    pub(super) const fn sized(self, width: Width) -> Row {
        match width {
            Width::W8 => Row { opcode: self.opcode & !1, ..self },
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
    pub(super) const fn full(width: Width, value: i32) -> Imm {
        match width {
            Width::W8 => Imm::I8(value as i8),
            Width::W16 => Imm::I16(value as i16),
            Width::W32 | Width::W64 => Imm::I32(value),
        }
    }
}

/// An instruction with a ModRM byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// The `f0` prefix.
    pub(super) lock: bool,
    pub(super) row: Row,
    /// Gives the `66` prefix and REX.W.
    pub(super) width: Width,
    /// The reg field: a register, or the opcode's extension.
    pub(super) reg: u8,
    pub(super) rm: Rm,
    /// Whether `reg` is a register of which the low byte counts.
    pub(super) byte_reg: bool,
    /// Whether `rm`, when a register, is one of which the low byte counts.
    pub(super) byte_rm: bool,
    pub(super) imm: Imm,
}

/// The bytes of an instruction under way; none is longer than 15.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes {
    pub(super) bytes: [u8; 16],
    pub(super) len: usize,
}

impl Bytes {
    pub(super) const fn new() -> Bytes {
        Bytes { bytes: [0; 16], len: 0 }
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes[self.len & 15] = byte;
        self.len += 1;
    }

    #[inline]
    pub(super) fn many<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    /// A whole instruction with a ModRM byte.
    #[inline]
    pub(super) fn form(form: &Form) -> Bytes {
        let mut out = Bytes::new();
        if form.lock {
            out.byte(0xf0);
        }
        if form.width == Width::W16 {
            out.byte(0x66);
        }
        if form.row.prefix != 0 {
            out.byte(form.row.prefix);
        }
        let (x, b) = extensions(form.rm);
        let rex = u8::from(form.width == Width::W64) << 3 | (form.reg >> 3) << 2 | x << 1 | b;
        // Without REX, the numbers 4 to 7 of byte registers are ah, ch, dh and bh.
        let needs = (form.byte_reg && form.reg >= 4)
            || (form.byte_rm && matches!(form.rm, Rm::Reg(reg) if reg.number() >= 4));
        if rex != 0 || needs {
            out.byte(0x40 | rex);
        }
        match form.row.map {
            Map::One => {}
            Map::Two => out.byte(0x0f),
            Map::Three38 => out.many([0x0f, 0x38]),
            Map::Three3a => out.many([0x0f, 0x3a]),
        }
        out.byte(form.row.opcode);
        out.modrm(form.reg, form.rm);
        out.immediate(form.imm);
        out
    }

    /// A whole instruction with a VEX prefix of three bytes and no vector: those of BMI1 and BMI2.
    /// `extra` is the register that VEX names, if any.
    #[inline]
    pub(super) fn vex(row: Row, width: Width, reg: u8, extra: Option<Reg>, rm: Rm, imm: Imm) -> Bytes {
        let mut out = Bytes::new();
        let (x, b) = extensions(rm);
        let map = match row.map {
            Map::One | Map::Two => 1,
            Map::Three38 => 2,
            Map::Three3a => 3,
        };
        let prefix = match row.prefix {
            0x66 => 1,
            0xf3 => 2,
            0xf2 => 3,
            _ => 0,
        };
        // All register bits are stored inverted.
        let bits = (reg >> 3) << 7 | x << 6 | b << 5;
        let extra = extra.map_or(0, Reg::number);
        out.byte(0xc4);
        out.byte((bits ^ 0xe0) | map);
        out.byte(u8::from(width == Width::W64) << 7 | (extra ^ 15) << 3 | prefix);
        out.byte(row.opcode);
        out.modrm(reg, rm);
        out.immediate(imm);
        out
    }

    #[inline]
    fn modrm(&mut self, reg: u8, rm: Rm) {
        let reg = (reg & 7) << 3;
        match rm {
            Rm::Reg(rm) => self.byte(0xc0 | reg | (rm.number() & 7)),
            Rm::Mem(mem) => self.memory(reg, mem),
        }
    }

    fn memory(&mut self, reg: u8, mem: Mem) {
        let index = mem.index.map_or(4 << 3, |(index, scale)| (scale as u8) << 6 | (index.number() & 7) << 3);
        let Some(base) = mem.base else {
            // No base: SIB with base 5 under mod 0, and always a displacement of 32 bits.
            self.many([reg | 4, index | 5]);
            return self.many(mem.disp.to_le_bytes());
        };
        let low = base.number() & 7;
        // Base rbp or r13 under mod 0 would mean that there is no base.
        let (mode, bytes) = match i8::try_from(mem.disp) {
            Ok(0) if low != 5 => (0x00, 0),
            Ok(_) => (0x40, 1),
            Err(_) => (0x80, 4),
        };
        // rsp and r12 as number of a base mean that SIB follows.
        if mem.index.is_some() || low == 4 {
            self.many([mode | reg | 4, index | low]);
        } else {
            self.byte(mode | reg | low);
        }
        match bytes {
            0 => {}
            1 => self.byte(mem.disp as u8),
            _ => self.many(mem.disp.to_le_bytes()),
        }
    }

    #[inline]
    fn immediate(&mut self, imm: Imm) {
        match imm {
            Imm::None => {}
            Imm::I8(value) => self.byte(value as u8),
            Imm::I16(value) => self.many(value.to_le_bytes()),
            Imm::I32(value) => self.many(value.to_le_bytes()),
        }
    }
}

/// The upper bits of an operand's index and base, or of its register: REX.X and REX.B.
fn extensions(rm: Rm) -> (u8, u8) {
    match rm {
        Rm::Reg(reg) => (0, reg.number() >> 3),
        Rm::Mem(mem) => (
            mem.index.map_or(0, |(index, _)| index.number() >> 3),
            mem.base.map_or(0, |base| base.number() >> 3),
        ),
    }
}
