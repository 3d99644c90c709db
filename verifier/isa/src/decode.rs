//! From slots to instructions, refusing what Linux refuses and in its words.
//!
//! Linux looks at a program twice: once at every slot in order (unknown opcodes, 64-bit immediates,
//! the reserved fields of loads), and again at each instruction that it visits (all other reserved
//! fields). [`DecodeError::is_early`] tells the two apart, since code that is never visited is never
//! looked at the second time. What is no error here: registers that do not exist, shift amounts,
//! division by zero, where jumps lead, which helper is called.

use thiserror::Error;

use crate::insn::Insn;
use crate::instruction::{Instruction, Source, Swap};
use crate::op::{AluOp, Size, Width};
use crate::opcode::*;

/// Why a slot is no instruction. `Display` is Linux's wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DecodeError {
    /// No such `code`. Every unassigned `code` is this error, also in the classes of arithmetic,
    /// jumps and 64-bit immediates, so Linux's `invalid BPF_ALU opcode` and
    /// `invalid BPF_LD_IMM insn` can never be reached.
    #[error("unknown opcode {0:02x}")]
    UnknownOpcode(u8),
    /// A field that the instruction does not use is not 0, or a used one holds an undefined value
    /// (RFC 9669, section 3.1). The name is the group in Linux's message, as `BPF_ALU`.
    #[error("{0} uses reserved fields")]
    Reserved(&'static str),
    /// The second slot of a 64-bit immediate is missing, or holds more than an immediate.
    #[error("invalid bpf_ld_imm64 insn")]
    InvalidLdImm64,
    /// A 64-bit immediate of no known kind, or a map with an offset into it.
    #[error("unrecognized bpf_ld_imm64 insn")]
    UnrecognizedLdImm64,
    /// An atomic instruction whose immediate names no operation.
    #[error("BPF_ATOMIC uses invalid atomic opcode {0:02x}")]
    InvalidAtomicOpcode(i32),
    /// An atomic read-modify-write of 1 or 2 bytes.
    #[error("invalid atomic operand size")]
    InvalidAtomicSize,
    /// A `may_goto` with an immediate or a register; the number is the immediate.
    #[error("invalid may_goto imm {0}")]
    InvalidMayGoto(i32),
    /// There is no slot at this place. Linux cannot say so: it decodes only slots that exist.
    #[error("no instruction at {0}")]
    OutOfProgram(usize),
}

impl DecodeError {
    /// Whether Linux finds it before the first instruction is verified, in every slot, rather than
    /// only in instructions that it visits.
    #[must_use]
    pub const fn is_early(&self) -> bool {
        match self {
            DecodeError::UnknownOpcode(_)
            | DecodeError::InvalidLdImm64
            | DecodeError::UnrecognizedLdImm64
            | DecodeError::OutOfProgram(_) => true,
            DecodeError::Reserved(group) => matches!(group.as_bytes(), b"BPF_LDX"),
            DecodeError::InvalidAtomicOpcode(_)
            | DecodeError::InvalidAtomicSize
            | DecodeError::InvalidMayGoto(_) => false,
        }
    }
}

/// Decodes the instruction that starts at slot `pc`.
///
/// Never panics, whatever the slots. The second slot of a 64-bit immediate is no instruction of its
/// own: go on at `pc + slots()`.
///
/// # Errors
/// What Linux would say of this slot.
pub fn decode(insns: &[Insn], pc: usize) -> Result<Instruction, DecodeError> {
    let Some(insn) = insns.get(pc) else {
        return Err(DecodeError::OutOfProgram(pc));
    };
    match insn.code & BPF_CLASS_MASK {
        BPF_LD => load_special(insn, insns.get(pc.wrapping_add(1))),
        BPF_LDX => load(insn),
        BPF_ST => store_immediate(insn),
        BPF_STX => store_register(insn),
        BPF_ALU => arithmetic(insn, Width::W32),
        BPF_ALU64 => arithmetic(insn, Width::W64),
        BPF_JMP => jump(insn, Width::W64),
        _ => jump(insn, Width::W32),
    }
}

/// `Ok` when the reserved fields of a group are as they must be.
fn reserved(group: &'static str, clear: bool) -> Result<(), DecodeError> {
    if clear { Ok(()) } else { Err(DecodeError::Reserved(group)) }
}

/// The source operand that bit 3 of an arithmetic or jump `code` selects.
fn source(insn: &Insn) -> Source {
    if insn.code & BPF_SRC_MASK == BPF_X { Source::Reg(insn.src) } else { Source::Imm(insn.imm) }
}

/// Whether the half of the source operand that `code` does not select is 0.
fn other_source_clear(insn: &Insn) -> bool {
    if insn.code & BPF_SRC_MASK == BPF_X { insn.imm == 0 } else { insn.src == 0 }
}

/// Class LD: 64-bit immediates and packet access.
fn load_special(insn: &Insn, next: Option<&Insn>) -> Result<Instruction, DecodeError> {
    let size = size(insn.code);
    match (insn.code & BPF_MODE_MASK, size) {
        (BPF_IMM, Size::Dw) => load_imm64(insn, next),
        (BPF_ABS, Size::B | Size::H | Size::W) => {
            let clear = insn.dst == 0 && insn.off == 0 && insn.src == 0;
            reserved("BPF_LD_[ABS|IND]", clear)?;
            Ok(Instruction::LoadAbs { size, imm: insn.imm })
        }
        (BPF_IND, Size::B | Size::H | Size::W) => {
            reserved("BPF_LD_[ABS|IND]", insn.dst == 0 && insn.off == 0)?;
            Ok(Instruction::LoadInd { size, src: insn.src, imm: insn.imm })
        }
        _ => Err(DecodeError::UnknownOpcode(insn.code)),
    }
}

/// A 64-bit immediate. The second slot and the kind are early errors, `off` is a late one.
fn load_imm64(insn: &Insn, next: Option<&Insn>) -> Result<Instruction, DecodeError> {
    let next = match next {
        Some(&Insn { code: 0, dst: 0, src: 0, off: 0, imm }) => imm,
        _ => return Err(DecodeError::InvalidLdImm64),
    };
    match insn.src {
        BPF_PSEUDO_MAP_FD | BPF_PSEUDO_MAP_IDX if next != 0 => {
            return Err(DecodeError::UnrecognizedLdImm64);
        }
        0..=BPF_PSEUDO_MAP_IDX_VALUE => {}
        _ => return Err(DecodeError::UnrecognizedLdImm64),
    }
    reserved("BPF_LD_IMM64", insn.off == 0)?;
    Ok(Instruction::LoadImm64 { dst: insn.dst, pseudo: insn.src, imm: insn.imm, next_imm: next })
}

/// Class LDX. Modes that do not exist count as reserved fields here, sizes as unknown opcodes.
fn load(insn: &Insn) -> Result<Instruction, DecodeError> {
    let size = size(insn.code);
    let sign_extend = match insn.code & BPF_MODE_MASK {
        BPF_MEM if insn.imm == 0 => false,
        BPF_MEMSX if insn.imm == 0 => true,
        _ => return Err(DecodeError::Reserved("BPF_LDX")),
    };
    if sign_extend && size == Size::Dw {
        return Err(DecodeError::UnknownOpcode(insn.code));
    }
    Ok(Instruction::Load { size, sign_extend, dst: insn.dst, src: insn.src, off: insn.off })
}

/// Class ST.
fn store_immediate(insn: &Insn) -> Result<Instruction, DecodeError> {
    if insn.code & BPF_MODE_MASK != BPF_MEM {
        return Err(DecodeError::UnknownOpcode(insn.code));
    }
    reserved("BPF_ST", insn.src == 0)?;
    Ok(Instruction::Store { size: size(insn.code), dst: insn.dst, off: insn.off, src: Source::Imm(insn.imm) })
}

/// Class STX: stores and atomics.
fn store_register(insn: &Insn) -> Result<Instruction, DecodeError> {
    match insn.code & BPF_MODE_MASK {
        BPF_MEM => {
            reserved("BPF_STX", insn.imm == 0)?;
            Ok(Instruction::Store {
                size: size(insn.code),
                dst: insn.dst,
                off: insn.off,
                src: Source::Reg(insn.src),
            })
        }
        BPF_ATOMIC => atomic(insn),
        _ => Err(DecodeError::UnknownOpcode(insn.code)),
    }
}

/// Class STX, mode ATOMIC. Which of a bad immediate and a bad size Linux names first was not measured.
fn atomic(insn: &Insn) -> Result<Instruction, DecodeError> {
    let Insn { dst, src, off, .. } = *insn;
    let size = size(insn.code);
    match insn.imm {
        BPF_LOAD_ACQ => return Ok(Instruction::LoadAcquire { size, dst, src, off }),
        BPF_STORE_REL => return Ok(Instruction::StoreRelease { size, dst, src, off }),
        _ => {}
    }
    let Some((op, fetch)) = atomic_op(insn.imm) else {
        return Err(DecodeError::InvalidAtomicOpcode(insn.imm));
    };
    if !matches!(size, Size::W | Size::Dw) {
        return Err(DecodeError::InvalidAtomicSize);
    }
    Ok(Instruction::Atomic { size, op, fetch, dst, src, off })
}

/// Classes ALU and ALU64.
fn arithmetic(insn: &Insn, width: Width) -> Result<Instruction, DecodeError> {
    match insn.code & BPF_OP_MASK {
        BPF_MOV => mov(insn, width),
        BPF_NEG if insn.code & BPF_SRC_MASK == BPF_K => {
            let clear = insn.src == 0 && insn.off == 0 && insn.imm == 0;
            reserved("BPF_NEG", clear)?;
            Ok(Instruction::Neg { width, dst: insn.dst })
        }
        BPF_END => end(insn, width),
        bits => {
            let Some(op) = alu_op(bits) else {
                return Err(DecodeError::UnknownOpcode(insn.code));
            };
            let op = match (op, insn.off) {
                (op, 0) => op,
                (AluOp::Div, 1) => AluOp::Sdiv,
                (AluOp::Mod, 1) => AluOp::Smod,
                _ => return Err(DecodeError::Reserved("BPF_ALU")),
            };
            reserved("BPF_ALU", other_source_clear(insn))?;
            Ok(Instruction::Alu { width, op, dst: insn.dst, src: source(insn) })
        }
    }
}

/// MOV, MOVSX and the address space cast: `off` tells them apart, with a register as source.
fn mov(insn: &Insn, width: Width) -> Result<Instruction, DecodeError> {
    let from_register = insn.code & BPF_SRC_MASK == BPF_X;
    let sign_extend = match (insn.off, width) {
        (0, _) => None,
        (BPF_ADDR_SPACE_CAST, Width::W64) if from_register => {
            let spaces = insn.imm as u32;
            return Ok(Instruction::AddrSpaceCast {
                dst: insn.dst,
                src: insn.src,
                to: (spaces >> 16) as u16,
                from: spaces as u16,
            });
        }
        (8, _) if from_register => Some(Size::B),
        (16, _) if from_register => Some(Size::H),
        (32, Width::W64) if from_register => Some(Size::W),
        _ => return Err(DecodeError::Reserved("BPF_MOV")),
    };
    reserved("BPF_MOV", other_source_clear(insn))?;
    Ok(Instruction::Mov { width, dst: insn.dst, src: source(insn), sign_extend })
}

/// Byte swaps: the source bit is the direction, `imm` the width.
fn end(insn: &Insn, width: Width) -> Result<Instruction, DecodeError> {
    let swap = match (width, insn.code & BPF_SRC_MASK) {
        (Width::W32, BPF_TO_LE) => Swap::ToLe,
        (Width::W32, _) => Swap::ToBe,
        (Width::W64, BPF_TO_LE) => Swap::Unconditional,
        (Width::W64, _) => return Err(DecodeError::UnknownOpcode(insn.code)),
    };
    let bits = match insn.imm {
        16 => 16,
        32 => 32,
        64 => 64,
        _ => return Err(DecodeError::Reserved("BPF_END")),
    };
    reserved("BPF_END", insn.src == 0 && insn.off == 0)?;
    Ok(Instruction::End { swap, bits, dst: insn.dst })
}

/// Classes JMP and JMP32.
fn jump(insn: &Insn, width: Width) -> Result<Instruction, DecodeError> {
    if let Some(op) = jump_op(insn.code & BPF_OP_MASK) {
        reserved("BPF_JMP/JMP32", other_source_clear(insn))?;
        return Ok(Instruction::Jump { width, op, dst: insn.dst, src: source(insn), off: insn.off });
    }
    let no_registers = insn.dst == 0 && insn.src == 0;
    match (width, insn.code & (BPF_OP_MASK | BPF_SRC_MASK)) {
        (Width::W64, BPF_JA) => {
            reserved("BPF_JA", no_registers && insn.imm == 0)?;
            Ok(Instruction::Ja { off: i32::from(insn.off) })
        }
        (Width::W32, BPF_JA) => {
            reserved("BPF_JA", no_registers && insn.off == 0)?;
            Ok(Instruction::Ja { off: insn.imm })
        }
        (Width::W64, BPF_CALL) => call(insn),
        (Width::W64, BPF_EXIT) => {
            // `off` too is unused. Whether Linux looks at it was not measured; it changes nothing.
            reserved("BPF_EXIT", no_registers && insn.imm == 0)?;
            Ok(Instruction::Exit)
        }
        (Width::W64, BPF_JCOND) => {
            if insn.dst == 0 && insn.src == BPF_MAY_GOTO && insn.imm == 0 {
                Ok(Instruction::MayGoto { off: insn.off })
            } else {
                Err(DecodeError::InvalidMayGoto(insn.imm))
            }
        }
        _ => Err(DecodeError::UnknownOpcode(insn.code)),
    }
}

/// A call of any kind; only kernel functions have an `off`.
fn call(insn: &Insn) -> Result<Instruction, DecodeError> {
    reserved("BPF_CALL", insn.dst == 0)?;
    match (insn.src, insn.off) {
        (0, 0) => Ok(Instruction::CallHelper { id: insn.imm }),
        (BPF_PSEUDO_CALL, 0) => Ok(Instruction::CallSubprog { off: insn.imm }),
        (BPF_PSEUDO_KFUNC_CALL, off) => Ok(Instruction::CallKfunc { id: insn.imm, off }),
        _ => Err(DecodeError::Reserved("BPF_CALL")),
    }
}
