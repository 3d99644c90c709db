//! From instructions back to slots, with every unused field 0.

use crate::insn::Insn;
use crate::instruction::{Instruction, Source, Swap};
use crate::op::{Size, Width};
use crate::opcode::*;

impl Instruction {
    /// The slot, and the second one of a [`Instruction::LoadImm64`].
    ///
    /// [`decode`](crate::decode()) gives the same instruction back if it is a valid one: the field
    /// combinations that the documentation of [`Instruction`] rules out have no encoding, and come
    /// out as something that does not decode. A `goto` is in the short form when `off` fits.
    #[must_use]
    pub const fn encode(&self) -> (Insn, Option<Insn>) {
        if let Instruction::LoadImm64 { dst, pseudo, imm, next_imm } = *self {
            let first = Insn::new(BPF_LD | BPF_IMM | BPF_DW, dst, pseudo, 0, imm);
            return (first, Some(Insn::new(0, 0, 0, 0, next_imm)));
        }
        (self.first_slot(), None)
    }

    /// The first slot, or the only one.
    const fn first_slot(&self) -> Insn {
        match *self {
            Instruction::Alu { width, op, dst, src } => {
                let (bits, signed) = alu_code(op);
                with_source(alu_class(width) | bits, dst, src, signed as i16)
            }
            Instruction::Mov { width, dst, src, sign_extend } => {
                let off = match sign_extend {
                    None => 0,
                    Some(size) => size.bits() as i16,
                };
                with_source(alu_class(width) | BPF_MOV, dst, src, off)
            }
            Instruction::AddrSpaceCast { dst, src, to, from } => {
                let spaces = ((to as u32) << 16) | from as u32;
                let code = BPF_ALU64 | BPF_MOV | BPF_X;
                Insn::new(code, dst, src, BPF_ADDR_SPACE_CAST, spaces as i32)
            }
            Instruction::Neg { width, dst } => Insn::new(alu_class(width) | BPF_NEG, dst, 0, 0, 0),
            Instruction::End { swap, bits, dst } => {
                let code = match swap {
                    Swap::ToLe => BPF_ALU | BPF_TO_LE,
                    Swap::ToBe => BPF_ALU | BPF_TO_BE,
                    Swap::Unconditional => BPF_ALU64 | BPF_TO_LE,
                };
                Insn::new(code | BPF_END, dst, 0, 0, bits as i32)
            }
            Instruction::Ja { off } => {
                if off == off as i16 as i32 {
                    Insn::new(BPF_JMP | BPF_JA, 0, 0, off as i16, 0)
                } else {
                    Insn::new(BPF_JMP32 | BPF_JA, 0, 0, 0, off)
                }
            }
            Instruction::Jump { width, op, dst, src, off } => {
                let class = match width {
                    Width::W32 => BPF_JMP32,
                    Width::W64 => BPF_JMP,
                };
                with_source(class | jump_code(op), dst, src, off)
            }
            Instruction::MayGoto { off } => Insn::new(BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, off, 0),
            Instruction::CallHelper { id } => Insn::new(BPF_JMP | BPF_CALL, 0, 0, 0, id),
            Instruction::CallSubprog { off } => Insn::new(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, off),
            Instruction::CallKfunc { id, off } => {
                Insn::new(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, off, id)
            }
            Instruction::Exit => Insn::new(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
            _ => self.memory_slot(),
        }
    }

    /// The slot of a load or a store.
    const fn memory_slot(&self) -> Insn {
        match *self {
            Instruction::Load { size, sign_extend, dst, src, off } => {
                let mode = if sign_extend { BPF_MEMSX } else { BPF_MEM };
                Insn::new(BPF_LDX | mode | size_code(size), dst, src, off, 0)
            }
            Instruction::Store { size, dst, off, src } => {
                let code = BPF_MEM | size_code(size);
                match src {
                    Source::Reg(src) => Insn::new(BPF_STX | code, dst, src, off, 0),
                    Source::Imm(imm) => Insn::new(BPF_ST | code, dst, 0, off, imm),
                }
            }
            Instruction::Atomic { size, op, fetch, dst, src, off } => {
                atomic(size, dst, src, off, atomic_code(op, fetch))
            }
            Instruction::LoadAcquire { size, dst, src, off } => atomic(size, dst, src, off, BPF_LOAD_ACQ),
            Instruction::StoreRelease { size, dst, src, off } => atomic(size, dst, src, off, BPF_STORE_REL),
            Instruction::LoadAbs { size, imm } => Insn::new(BPF_LD | BPF_ABS | size_code(size), 0, 0, 0, imm),
            Instruction::LoadInd { size, src, imm } => {
                Insn::new(BPF_LD | BPF_IND | size_code(size), 0, src, 0, imm)
            }
            _ => Insn::new(0, 0, 0, 0, 0),
        }
    }
}

/// The class of an arithmetic instruction.
const fn alu_class(width: Width) -> u8 {
    match width {
        Width::W32 => BPF_ALU,
        Width::W64 => BPF_ALU64,
    }
}

/// A slot with a register or an immediate as second operand.
const fn with_source(code: u8, dst: u8, src: Source, off: i16) -> Insn {
    match src {
        Source::Reg(src) => Insn::new(code | BPF_X, dst, src, off, 0),
        Source::Imm(imm) => Insn::new(code | BPF_K, dst, 0, off, imm),
    }
}

/// A slot of mode ATOMIC.
const fn atomic(size: Size, dst: u8, src: u8, off: i16, imm: i32) -> Insn {
    Insn::new(BPF_STX | BPF_ATOMIC | size_code(size), dst, src, off, imm)
}
