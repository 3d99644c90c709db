//! Moving data: between registers, to and from memory, the stack, and their bytes in another order.

use super::assembler::{Assembler, Fix, Label};
use super::instruction::{Bits, Form, Imm, Row};
use super::operand::{Cond, Mem, Reg, Rm, Width};

const MOV_TO_RM: Row = Row::one(0x89);
const MOV_FROM_RM: Row = Row::one(0x8b);
const MOV_IMM: Row = Row::one(0xc7);
const MOVZX_BYTE: Row = Row::two(0xb6);
const MOVZX_WORD: Row = Row::two(0xb7);
const MOVSX_BYTE: Row = Row::two(0xbe);
const MOVSX_WORD: Row = Row::two(0xbf);
const MOVSXD: Row = Row::one(0x63);
const LEA: Row = Row::one(0x8d);
const CMOV: u8 = 0x40;
const SETCC: u8 = 0x90;
const PUSH_RM: Row = Row::one(0xff);
const POP_RM: Row = Row::one(0x8f);
const MOVBE_LOAD: Row = Row::three_38(0xf0);
const MOVBE_STORE: Row = Row::three_38(0xf1);

impl Assembler {
    /// `mov dst, src` between registers. With 32 bits the upper half of `dst` becomes 0.
    #[inline]
    pub fn mov(&mut self, width: Width, dst: Reg, src: Reg) {
        self.regular(MOV_TO_RM, width, src.number(), dst.into(), Imm::None);
    }

    /// Puts a number into all 64 bits of a register, in the shortest way that leaves the flags alone.
    #[inline]
    pub fn mov_imm(&mut self, dst: Reg, value: u64) {
        let opcode = Bits::of(&[0xb8 | (dst.number() & 7)]);
        let extension = dst.number() >> 3;
        if let Ok(value) = u32::try_from(value) {
            let head = if extension == 0 { opcode } else { opcode.after(0x41) };
            self.put_wide(head, Bits { bits: value.into(), len: 4 });
        } else if let Ok(value) = i32::try_from(value as i64) {
            self.extended(MOV_IMM, Width::W64, 0, dst.into(), Imm::I32(value));
        } else {
            self.put_wide(opcode.after(0x48 | extension), Bits { bits: value, len: 8 });
        }
    }

    /// `xor dst, dst`: a register becomes 0, and the flags change.
    #[inline]
    pub fn zero(&mut self, dst: Reg) {
        self.alu(super::Alu::Xor, Width::W32, dst, dst);
    }

    /// Loads an operand into all 64 bits of a register, with zeros above it: `mov` or `movzx`. From a
    /// register too: then only its low part counts.
    #[inline]
    pub fn movzx(&mut self, width: Width, dst: Reg, src: impl Into<Rm>) {
        let row = match width {
            Width::W8 => MOVZX_BYTE,
            Width::W16 => MOVZX_WORD,
            Width::W32 | Width::W64 => MOV_FROM_RM,
        };
        let to = if width == Width::W64 { Width::W64 } else { Width::W32 };
        self.extend(row, to, width, dst, src.into());
    }

    /// Loads an operand of `from` bits into `to` bits of a register, with its sign above it: `movsx`,
    /// `movsxd`, or `mov` when the widths are the same.
    #[inline]
    pub fn movsx(&mut self, to: Width, from: Width, dst: Reg, src: impl Into<Rm>) {
        debug_assert!(to >= from && to >= Width::W32, "{to:?} of {from:?}");
        let row = match from {
            Width::W8 => MOVSX_BYTE,
            Width::W16 => MOVSX_WORD,
            Width::W32 if to == Width::W64 => MOVSXD,
            Width::W32 | Width::W64 => MOV_FROM_RM,
        };
        self.extend(row, to, from, dst, src.into());
    }

    /// `mov dst, src`: loads from memory, zeros above; the same as [`Assembler::movzx`].
    #[inline]
    pub fn load(&mut self, width: Width, dst: Reg, src: Mem) {
        self.movzx(width, dst, src);
    }

    /// `mov dst, src`: stores the low part of a register.
    #[inline]
    pub fn store(&mut self, width: Width, dst: Mem, src: Reg) {
        self.regular(MOV_TO_RM, width, src.number(), dst.into(), Imm::None);
    }

    /// `mov dst, imm`: stores a number; of 64 bits the low 32, and their sign above.
    #[inline]
    pub fn store_imm(&mut self, width: Width, dst: Mem, imm: i32) {
        self.extended(MOV_IMM, width, 0, dst.into(), Imm::full(width, imm));
    }

    /// `lea dst, mem`: the address itself.
    #[inline]
    pub fn lea(&mut self, width: Width, dst: Reg, src: Mem) {
        debug_assert!(width >= Width::W32, "{width:?}");
        self.regular(LEA, width, dst.number(), src.into(), Imm::None);
    }

    /// `lea dst, [rip + label]`: where a label is.
    pub fn lea_label(&mut self, dst: Reg, label: Label) {
        // Base 5 under mod 0 is the next instruction.
        self.put_bits(Bits::of(&[0x48 | (dst.number() >> 3) << 2, 0x8d, (dst.number() & 7) << 3 | 5]));
        self.reserve(4, Fix::Relative(label));
    }

    /// `cmovcc dst, src`: with 32 bits the upper half of `dst` becomes 0 in either case.
    #[inline]
    pub fn cmov(&mut self, cond: Cond, width: Width, dst: Reg, src: impl Into<Rm>) {
        debug_assert!(width >= Width::W32, "{width:?}");
        self.regular(Row::two(CMOV | cond.number()), width, dst.number(), src.into(), Imm::None);
    }

    /// `setcc dst`: a byte becomes 1 or 0.
    #[inline]
    pub fn setcc(&mut self, cond: Cond, dst: impl Into<Rm>) {
        let form = Form { byte_rm: true, ..Form::new(Row::two(SETCC | cond.number()), Width::W8) };
        self.form(form, 0, dst.into(), Imm::None);
    }

    /// `xchg a, b` between registers.
    #[inline]
    pub fn swap(&mut self, width: Width, a: Reg, b: Reg) {
        self.xchg(width, a, b);
    }

    /// `bswap dst`: the bytes of 32 or 64 bits in opposite order. For 16 bits, rotate by 8.
    #[inline]
    pub fn bswap(&mut self, width: Width, dst: Reg) {
        debug_assert!(width >= Width::W32, "{width:?}");
        let opcode = Bits::of(&[0x0f, 0xc8 | (dst.number() & 7)]);
        let rex = u8::from(width == Width::W64) << 3 | dst.number() >> 3;
        self.put_bits(if rex == 0 { opcode } else { opcode.after(0x40 | rex) });
    }

    /// `movbe dst, src`: loads 16, 32 or 64 bits in opposite order. With 16 the rest of `dst` stays.
    /// Not every x86-64 processor has it.
    #[inline]
    pub fn movbe_load(&mut self, width: Width, dst: Reg, src: Mem) {
        self.movbe(MOVBE_LOAD, width, dst, src);
    }

    /// `movbe dst, src`: stores 16, 32 or 64 bits in opposite order. Not every x86-64 processor has it.
    #[inline]
    pub fn movbe_store(&mut self, width: Width, dst: Mem, src: Reg) {
        self.movbe(MOVBE_STORE, width, src, dst);
    }

    /// `push src`, 64 bits.
    #[inline]
    pub fn push(&mut self, src: impl Into<Rm>) {
        match src.into() {
            Rm::Reg(reg) => self.short(0x50, reg),
            rm @ Rm::Mem(_) => self.extended(PUSH_RM, Width::W32, 6, rm, Imm::None),
        }
    }

    /// `pop dst`, 64 bits.
    #[inline]
    pub fn pop(&mut self, dst: impl Into<Rm>) {
        match dst.into() {
            Rm::Reg(reg) => self.short(0x58, reg),
            rm @ Rm::Mem(_) => self.extended(POP_RM, Width::W32, 0, rm, Imm::None),
        }
    }

    fn movbe(&mut self, row: Row, width: Width, reg: Reg, mem: Mem) {
        debug_assert!(width >= Width::W16, "{width:?}");
        self.form(Form::new(row, width), reg.number(), mem.into(), Imm::None);
    }

    /// A load of `from` bits into `to` bits.
    #[inline]
    fn extend(&mut self, row: Row, to: Width, from: Width, dst: Reg, src: Rm) {
        let form = Form { byte_rm: from == Width::W8, ..Form::new(row, to) };
        self.form(form, dst.number(), src, Imm::None);
    }

    /// An opcode of one byte that has a register in it.
    #[inline]
    fn short(&mut self, opcode: u8, reg: Reg) {
        let opcode = Bits::of(&[opcode | (reg.number() & 7)]);
        self.put_bits(if reg.number() < 8 { opcode } else { opcode.after(0x41) });
    }
}
