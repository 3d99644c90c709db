//! A linked program: instructions with everything resolved that does not change from run to run.
//! The interpreter decodes it further; machine code is made of it.

use probity_isa::{AluOp, AtomicOp, JumpOp, Size, Source, Swap, Width};

/// One instruction, at the slot where it stands in the program. Targets are slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Nothing runs it: the second slot of a wide load, or what the proof found dead.
    Dead,
    /// `dst op= src`; 32 bits zero-extend. Division by 0 gives 0, its remainder `dst`; the least
    /// number divided by -1 gives itself, its remainder 0 (RFC 9669, section 4.1).
    Alu {
        /// 32 or 64 bits.
        width: Width,
        /// The operator.
        op: AluOp,
        /// Left operand and result.
        dst: u8,
        /// Right operand.
        src: Source,
    },
    /// `dst = src`, sign-extended from `sign_extend` when it is some; 32 bits zero-extend then.
    Mov {
        /// 32 or 64 bits.
        width: Width,
        /// The register written.
        dst: u8,
        /// The value.
        src: Source,
        /// The size whose sign is extended.
        sign_extend: Option<Size>,
    },
    /// `dst = -dst`.
    Neg {
        /// 32 or 64 bits.
        width: Width,
        /// Operand and result.
        dst: u8,
    },
    /// Byte swap of the low `bits` of `dst`; the bits above become 0. The host is little endian or
    /// big endian; [`Swap`] says what is meant.
    End {
        /// Which way.
        swap: Swap,
        /// 16, 32 or 64.
        bits: u8,
        /// Operand and result.
        dst: u8,
    },
    /// `dst = value`: a number, the address of a map, of a map's value.
    Const {
        /// The register written.
        dst: u8,
        /// The value.
        value: u64,
    },
    /// `dst` = a function of the program, by its first slot. What the value is, whoever runs it says.
    Func {
        /// The register written.
        dst: u8,
        /// The function's first slot.
        target: u32,
    },
    /// `dst = *(size *)(src + off)`. Of the context `off` is an offset in the host's own struct.
    Load {
        /// How many bytes.
        size: Size,
        /// Extends the sign rather than with zeros.
        sign_extend: bool,
        /// The register written.
        dst: u8,
        /// The pointer.
        src: u8,
        /// Added to the pointer.
        off: i32,
    },
    /// `*(size *)(dst + off) = src`.
    Store {
        /// How many bytes.
        size: Size,
        /// The pointer.
        dst: u8,
        /// Added to the pointer.
        off: i32,
        /// The value.
        src: Source,
    },
    /// Atomic read-modify-write, as [`probity_isa::Instruction::Atomic`].
    Atomic {
        /// 4 or 8 bytes.
        size: Size,
        /// The operator.
        op: AtomicOp,
        /// Whether `src` (`r0` with Cmpxchg) gets the old value, zero-extended.
        fetch: bool,
        /// The pointer.
        dst: u8,
        /// The operand.
        src: u8,
        /// Added to the pointer.
        off: i32,
    },
    /// A load with acquire semantics.
    LoadAcquire {
        /// How many bytes.
        size: Size,
        /// The register written.
        dst: u8,
        /// The pointer.
        src: u8,
        /// Added to the pointer.
        off: i32,
    },
    /// A store with release semantics.
    StoreRelease {
        /// How many bytes.
        size: Size,
        /// The pointer.
        dst: u8,
        /// The value.
        src: u8,
        /// Added to the pointer.
        off: i32,
    },
    /// `r0` = a big-endian number of the packet at `index + imm`; where it is not inside, the function
    /// returns 0. r1 to r5 are clobbered.
    LoadPacket {
        /// How many bytes, not 8.
        size: Size,
        /// A register with a part of the place (its low 32 bits count).
        index: Option<u8>,
        /// The other part.
        imm: i32,
    },
    /// `goto`.
    Ja {
        /// Where to.
        target: u32,
    },
    /// `if dst op src goto`. A side that no run takes is gone: then there is a `Ja` or a `Nop` here.
    Jump {
        /// How many bits are compared.
        width: Width,
        /// The condition.
        op: JumpOp,
        /// Left operand.
        dst: u8,
        /// Right operand.
        src: Source,
        /// Where to.
        target: u32,
    },
    /// Does nothing.
    Nop,
    /// Takes one of the run's `loops`; jumps when there is none left.
    MayGoto {
        /// Where to.
        target: u32,
    },
    /// A call of what the platform offers.
    Call {
        /// Index into [`Unit::sites`](crate::Unit::sites).
        site: u32,
    },
    /// A call of what the platform offers, by the number in a register: no part of RFC 9669, and only
    /// in the checked interpreter.
    CallRegister {
        /// The register.
        reg: u8,
    },
    /// Another program in the place of this function, of the map in r2 at the index in r3; goes on
    /// behind when there is none.
    TailCall {
        /// Index into [`Unit::sites`](crate::Unit::sites).
        site: u32,
    },
    /// A call of a function of the program. r6 to r9 survive it.
    CallSubprog {
        /// Its first slot.
        target: u32,
    },
    /// Returns `r0`.
    Exit,
}

impl Op {
    /// The registers that it reads, as bits; of calls none, their sites say which.
    #[must_use]
    pub const fn reads(&self) -> u16 {
        const fn of(src: Source) -> u16 {
            match src {
                Source::Reg(reg) => 1 << reg,
                Source::Imm(_) => 0,
            }
        }
        match *self {
            Op::Alu { dst, src, .. } | Op::Store { dst, src, .. } | Op::Jump { dst, src, .. } => {
                1 << dst | of(src)
            }
            Op::Mov { src, .. } => of(src),
            Op::Neg { dst, .. } | Op::End { dst, .. } | Op::CallRegister { reg: dst } => 1 << dst,
            Op::Load { src, .. } | Op::LoadAcquire { src, .. } => 1 << src,
            Op::StoreRelease { dst, src, .. } => 1 << dst | 1 << src,
            Op::Atomic { op, dst, src, .. } => {
                1 << dst | 1 << src | if matches!(op, AtomicOp::Cmpxchg) { 1 } else { 0 }
            }
            Op::LoadPacket { index: Some(reg), .. } => 1 << 6 | 1 << reg,
            Op::LoadPacket { index: None, .. } => 1 << 6,
            Op::Exit => 1,
            Op::Dead
            | Op::Nop
            | Op::Const { .. }
            | Op::Func { .. }
            | Op::Ja { .. }
            | Op::MayGoto { .. }
            | Op::Call { .. }
            | Op::TailCall { .. }
            | Op::CallSubprog { .. } => 0,
        }
    }

    /// The registers that it writes, as bits. Calls clobber r0 to r5.
    #[must_use]
    pub const fn writes(&self) -> u16 {
        match *self {
            Op::Alu { dst, .. }
            | Op::Mov { dst, .. }
            | Op::Neg { dst, .. }
            | Op::End { dst, .. }
            | Op::Const { dst, .. }
            | Op::Func { dst, .. }
            | Op::Load { dst, .. }
            | Op::LoadAcquire { dst, .. } => 1 << dst,
            Op::Atomic { op: AtomicOp::Cmpxchg, .. } | Op::LoadPacket { .. } => 1,
            Op::Atomic { fetch: true, src, .. } => 1 << src,
            _ => 0,
        }
    }
}

/// A function of a linked program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its first slot.
    pub start: u32,
    /// One past its last slot.
    pub end: u32,
    /// Bytes of stack that it uses, a multiple of 8; r10 points behind them.
    pub stack: u32,
}
