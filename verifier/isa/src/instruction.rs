//! What an instruction means: one variant a kind, with only the fields that the kind has.

use crate::op::{AluOp, AtomicOp, JumpOp, Size, Width};

/// The second operand of an arithmetic instruction, a jump or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A register.
    Reg(u8),
    /// An immediate, sign-extended to the width of the operation (RFC 9669, section 4).
    Imm(i32),
}

impl Source {
    /// The register, if it is one.
    #[must_use]
    pub const fn reg(self) -> Option<u8> {
        match self {
            Source::Reg(reg) => Some(reg),
            Source::Imm(_) => None,
        }
    }
}

/// Which way a byte swap goes (RFC 9669, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// Between the machine's byte order and little endian: `le16`.
    ToLe,
    /// Between the machine's byte order and big endian: `be16`.
    ToBe,
    /// Whatever the machine's byte order: `bswap16`.
    Unconditional,
}

/// One instruction. Register numbers are as encoded, 0 to 15, also those that do not exist.
///
/// [`decode`](crate::decode()) makes them and [`encode`](Instruction::encode) turns them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// `dst op= src` (RFC 9669, section 4.1).
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
    /// `dst = src` (RFC 9669, section 4.1).
    Mov {
        /// 32 or 64 bits.
        width: Width,
        /// The register written.
        dst: u8,
        /// The value.
        src: Source,
        /// MOVSX: only the low bits of this size count, and their sign is extended. Only with a
        /// register as source: B and H, in 64 bits also W.
        sign_extend: Option<Size>,
    },
    /// `dst = addr_space_cast(src, to, from)`: Linux, pointers into an arena.
    AddrSpaceCast {
        /// The register written.
        dst: u8,
        /// The pointer.
        src: u8,
        /// The address space of the result (upper half of `imm`).
        to: u16,
        /// The address space of `src` (lower half of `imm`).
        from: u16,
    },
    /// `dst = -dst` (RFC 9669, section 4.1).
    Neg {
        /// 32 or 64 bits.
        width: Width,
        /// Operand and result.
        dst: u8,
    },
    /// Byte swap of the low `bits` of `dst`; the bits above become 0 (RFC 9669, section 4.2).
    End {
        /// Which way.
        swap: Swap,
        /// 16, 32 or 64.
        bits: u8,
        /// Operand and result.
        dst: u8,
    },
    /// `dst = *(size *)(src + off)` (RFC 9669, sections 5.1 and 5.2).
    Load {
        /// How many bytes.
        size: Size,
        /// Extends the sign rather than with zeros; not with [`Size::Dw`].
        sign_extend: bool,
        /// The register written.
        dst: u8,
        /// The pointer.
        src: u8,
        /// Added to the pointer.
        off: i16,
    },
    /// `*(size *)(dst + off) = src` (RFC 9669, section 5.1).
    Store {
        /// How many bytes.
        size: Size,
        /// The pointer.
        dst: u8,
        /// Added to the pointer.
        off: i16,
        /// The value.
        src: Source,
    },
    /// Atomic read-modify-write of `*(size *)(dst + off)` (RFC 9669, section 5.3).
    Atomic {
        /// [`Size::W`] or [`Size::Dw`].
        size: Size,
        /// The operator.
        op: AtomicOp,
        /// Whether `src` (`r0` with Cmpxchg) gets the old value; always so with Xchg and Cmpxchg.
        fetch: bool,
        /// The pointer.
        dst: u8,
        /// The operand.
        src: u8,
        /// Added to the pointer.
        off: i16,
    },
    /// `dst = load_acquire((size *)(src + off))`: Linux 6.15.
    LoadAcquire {
        /// How many bytes.
        size: Size,
        /// The register written.
        dst: u8,
        /// The pointer.
        src: u8,
        /// Added to the pointer.
        off: i16,
    },
    /// `store_release((size *)(dst + off), src)`: Linux 6.15.
    StoreRelease {
        /// How many bytes.
        size: Size,
        /// The pointer.
        dst: u8,
        /// The value.
        src: u8,
        /// Added to the pointer.
        off: i16,
    },
    /// `r0 = *(size *)skb[imm]`: legacy packet access (RFC 9669, section 5.5). `r6` is the context.
    LoadAbs {
        /// How many bytes, not [`Size::Dw`].
        size: Size,
        /// Where in the packet.
        imm: i32,
    },
    /// `r0 = *(size *)skb[src + imm]`: legacy packet access (RFC 9669, section 5.5).
    LoadInd {
        /// How many bytes, not [`Size::Dw`].
        size: Size,
        /// Holds a part of the place in the packet.
        src: u8,
        /// The other part.
        imm: i32,
    },
    /// `dst = imm64`, in two slots (RFC 9669, section 5.4).
    LoadImm64 {
        /// The register written.
        dst: u8,
        /// What the immediates are: 0 a number, else one of the `BPF_PSEUDO_*` of
        /// [`opcode`](crate::opcode), 1 to 6.
        pseudo: u8,
        /// The low half.
        imm: i32,
        /// The high half.
        next_imm: i32,
    },
    /// `goto`: `off` field in class JMP, `imm` field in class JMP32, `gotol` (RFC 9669, section 4.3).
    Ja {
        /// Slots, relative to the next instruction.
        off: i32,
    },
    /// `if dst op src goto` (RFC 9669, section 4.3).
    Jump {
        /// How many bits are compared.
        width: Width,
        /// The condition.
        op: JumpOp,
        /// Left operand.
        dst: u8,
        /// Right operand.
        src: Source,
        /// Slots, relative to the next instruction.
        off: i16,
    },
    /// `may_goto`: Linux; jumps once the program's loop budget is used up.
    MayGoto {
        /// Slots, relative to the next instruction.
        off: i16,
    },
    /// Call of a helper function (RFC 9669, section 4.3.1).
    CallHelper {
        /// The helper's number.
        id: i32,
    },
    /// Call of a subprogram (RFC 9669, section 4.3.2).
    CallSubprog {
        /// Slots, relative to the next instruction.
        off: i32,
    },
    /// Call of a kernel function (RFC 9669, section 4.3.1: by BTF id).
    CallKfunc {
        /// BTF id of the function.
        id: i32,
        /// 0: in the kernel; else index into the load's array of module descriptors.
        off: i16,
    },
    /// Return `r0`.
    Exit,
}

impl Instruction {
    /// How many slots it takes: 2 for [`Instruction::LoadImm64`], else 1.
    #[must_use]
    pub const fn slots(&self) -> usize {
        match self {
            Instruction::LoadImm64 { .. } => 2,
            _ => 1,
        }
    }

    /// The number that a [`Instruction::LoadImm64`] holds: `next_imm` above `imm`.
    #[must_use]
    pub const fn value(&self) -> Option<u64> {
        match *self {
            Instruction::LoadImm64 { imm, next_imm, .. } => Some(wide_value(imm, next_imm)),
            _ => None,
        }
    }

    /// How far it may jump within its subprogram, in slots relative to the next instruction. Calls
    /// return, so they have none.
    #[must_use]
    pub const fn jump_offset(&self) -> Option<i32> {
        match *self {
            Instruction::Ja { off, .. } => Some(off),
            Instruction::Jump { off, .. } | Instruction::MayGoto { off } => Some(off as i32),
            _ => None,
        }
    }

    /// Whether the next instruction can run after this one.
    #[must_use]
    pub const fn falls_through(&self) -> bool {
        !matches!(self, Instruction::Ja { .. } | Instruction::Exit)
    }

    /// Whether it calls something.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        matches!(
            self,
            Instruction::CallHelper { .. } | Instruction::CallSubprog { .. } | Instruction::CallKfunc { .. }
        )
    }

    /// Whether its class is JMP or JMP32: jumps, calls and exit.
    #[must_use]
    pub const fn is_jump_class(&self) -> bool {
        self.is_call() || self.jump_offset().is_some() || matches!(self, Instruction::Exit)
    }
}

/// The 64-bit number in the immediates of two slots.
pub(crate) const fn wide_value(imm: i32, next_imm: i32) -> u64 {
    ((next_imm as u32 as u64) << 32) | imm as u32 as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_values_do_not_extend_the_sign_of_the_low_half() {
        let load = |imm, next_imm| Instruction::LoadImm64 { dst: 1, pseudo: 0, imm, next_imm };
        assert_eq!(load(-1, 0).value(), Some(0xffff_ffff));
        assert_eq!(load(1, -1).value(), Some(0xffff_ffff_0000_0001));
        assert_eq!(load(1, -1).slots(), 2);
        assert_eq!(Instruction::Exit.value(), None);
    }

    #[test]
    fn control_flow_is_told_by_kind() {
        let goto = Instruction::Ja { off: -3 };
        assert_eq!(goto.jump_offset(), Some(-3));
        assert!(!goto.falls_through() && goto.is_jump_class() && !goto.is_call());
        let call = Instruction::CallSubprog { off: 4 };
        assert_eq!(call.jump_offset(), None);
        assert!(call.falls_through() && call.is_jump_class() && call.is_call());
        let may = Instruction::MayGoto { off: i16::MIN };
        assert_eq!(may.jump_offset(), Some(-32768));
        assert!(may.falls_through());
        assert!(!Instruction::Exit.falls_through() && Instruction::Exit.is_jump_class());
    }
}
