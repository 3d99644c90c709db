//! One 64-bit slot of a program, its fields apart and nothing judged (RFC 9669, section 3).

use thiserror::Error;

use crate::opcode::{BPF_DW, BPF_IMM, BPF_LD};

/// One slot: the basic instruction encoding of RFC 9669, section 3.1. Any field may hold any value;
/// [`decode`](crate::decode()) says whether it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Insn {
    /// Class, operation and source, or class, mode and size: see [`opcode`](crate::opcode).
    pub code: u8,
    /// The destination register, 0 to 15.
    pub dst: u8,
    /// The source register, 0 to 15; in calls and 64-bit immediates a kind instead.
    pub src: u8,
    /// A signed offset: of memory, or of a jump in slots.
    pub off: i16,
    /// A signed immediate.
    pub imm: i32,
}

/// The bytes cannot be a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{length} bytes are not a whole number of 8-byte instructions")]
pub struct PartialInsn {
    /// How many bytes there are.
    pub length: usize,
}

impl Insn {
    /// How many bytes a slot takes.
    pub const SIZE: usize = 8;

    /// A slot from its fields; registers are cut to the four bits that the format has.
    #[must_use]
    pub const fn new(code: u8, dst: u8, src: u8, off: i16, imm: i32) -> Self {
        Insn { code, dst: dst & 0xf, src: src & 0xf, off, imm }
    }

    /// How many slots the instruction that starts here takes, whether valid or not: 2 for a 64-bit
    /// immediate (RFC 9669, section 5.4), else 1.
    #[must_use]
    pub const fn slots(self) -> usize {
        if self.code == BPF_LD | BPF_IMM | BPF_DW { 2 } else { 1 }
    }

    /// Reads a little-endian slot: `dst` is the low half of the second byte.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        let [code, regs, off0, off1, imm0, imm1, imm2, imm3] = bytes;
        Insn {
            code,
            dst: regs & 0xf,
            src: regs >> 4,
            off: i16::from_le_bytes([off0, off1]),
            imm: i32::from_le_bytes([imm0, imm1, imm2, imm3]),
        }
    }

    /// Writes a little-endian slot.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        let [off0, off1] = self.off.to_le_bytes();
        let [imm0, imm1, imm2, imm3] = self.imm.to_le_bytes();
        let regs = (self.dst & 0xf) | (self.src << 4);
        [self.code, regs, off0, off1, imm0, imm1, imm2, imm3]
    }

    /// Reads a whole program.
    ///
    /// # Errors
    /// When the length is not a multiple of 8.
    pub fn parse_slice(bytes: &[u8]) -> Result<Vec<Insn>, PartialInsn> {
        let (slots, rest) = bytes.as_chunks::<{ Insn::SIZE }>();
        if !rest.is_empty() {
            return Err(PartialInsn { length: bytes.len() });
        }
        Ok(slots.iter().map(|slot| Insn::from_bytes(*slot)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_the_rfc_puts_them() {
        let bytes = [0x7b, 0x1a, 0xf8, 0xff, 0x01, 0x02, 0x03, 0x84];
        let insn = Insn::from_bytes(bytes);
        assert_eq!(insn, Insn::new(0x7b, 10, 1, -8, 0x8403_0201_u32 as i32));
        assert_eq!(insn.to_bytes(), bytes);
    }

    #[test]
    fn a_program_is_whole_slots() {
        assert_eq!(Insn::parse_slice(&[]), Ok(vec![]));
        assert_eq!(Insn::parse_slice(&[0; 16]), Ok(vec![Insn::default(); 2]));
        let error = Insn::parse_slice(&[0; 9]).unwrap_err();
        assert_eq!(error.to_string(), "9 bytes are not a whole number of 8-byte instructions");
    }

    #[test]
    fn new_keeps_registers_in_four_bits() {
        let insn = Insn::new(0xb7, 0x1a, 0xff, 0, 0);
        assert_eq!((insn.dst, insn.src), (10, 15));
    }
}
