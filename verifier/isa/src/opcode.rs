//! The numbers in an instruction, named as Linux's `linux/bpf.h` names them (RFC 9669, sections 3 to 5).
//!
//! `code` is three bits of class and, by class, either operation and source (arithmetic, jumps) or
//! mode and size (loads, stores).

use crate::op::{AluOp, AtomicOp, JumpOp, Size};

/// Declares public constants with their documentation on the same line.
macro_rules! constants {
    ($($ty:ty { $($name:ident = $value:literal, $doc:literal;)* })*) => {
        $($(
            #[doc = $doc]
            pub const $name: $ty = $value;
        )*)*
    };
}

constants! {
    u8 {
        BPF_CLASS_MASK = 0x07, "The bits of `code` that hold the class (RFC 9669, section 3.3).";
        BPF_LD = 0x00, "Class: non-standard loads (64-bit immediates and legacy packet access).";
        BPF_LDX = 0x01, "Class: load from memory into a register.";
        BPF_ST = 0x02, "Class: store an immediate to memory.";
        BPF_STX = 0x03, "Class: store a register to memory, and atomics.";
        BPF_ALU = 0x04, "Class: 32-bit arithmetic.";
        BPF_JMP = 0x05, "Class: jumps that compare 64 bits, calls and exit.";
        BPF_JMP32 = 0x06, "Class: jumps that compare 32 bits.";
        BPF_ALU64 = 0x07, "Class: 64-bit arithmetic.";

        BPF_SRC_MASK = 0x08, "The bit of an arithmetic or jump `code` that selects the source (RFC 9669, section 4).";
        BPF_K = 0x00, "Source: the immediate.";
        BPF_X = 0x08, "Source: the register.";

        BPF_OP_MASK = 0xf0, "The bits of an arithmetic or jump `code` that hold the operation.";
        BPF_ADD = 0x00, "`dst += src` (RFC 9669, section 4.1).";
        BPF_SUB = 0x10, "`dst -= src`.";
        BPF_MUL = 0x20, "`dst *= src`.";
        BPF_DIV = 0x30, "`dst /= src`; signed when `off` is 1.";
        BPF_OR = 0x40, "`dst |= src`.";
        BPF_AND = 0x50, "`dst &= src`.";
        BPF_LSH = 0x60, "`dst <<= src`.";
        BPF_RSH = 0x70, "`dst >>= src`, logical.";
        BPF_NEG = 0x80, "`dst = -dst`.";
        BPF_MOD = 0x90, "`dst %= src`; signed when `off` is 1.";
        BPF_XOR = 0xa0, "`dst ^= src`.";
        BPF_MOV = 0xb0, "`dst = src`; sign-extending when `off` is 8, 16 or 32.";
        BPF_ARSH = 0xc0, "`dst >>= src`, arithmetic.";
        BPF_END = 0xd0, "Byte swap (RFC 9669, section 4.2).";
        BPF_TO_LE = 0x00, "Byte swap to little endian; in class ALU64 an unconditional swap.";
        BPF_TO_BE = 0x08, "Byte swap to big endian.";

        BPF_JA = 0x00, "`goto` (RFC 9669, section 4.3).";
        BPF_JEQ = 0x10, "Jump if `==`.";
        BPF_JGT = 0x20, "Jump if `>`, unsigned.";
        BPF_JGE = 0x30, "Jump if `>=`, unsigned.";
        BPF_JSET = 0x40, "Jump if `dst & src` is not 0.";
        BPF_JNE = 0x50, "Jump if `!=`.";
        BPF_JSGT = 0x60, "Jump if `>`, signed.";
        BPF_JSGE = 0x70, "Jump if `>=`, signed.";
        BPF_CALL = 0x80, "Call a helper, a subprogram or a kernel function, as `src` says.";
        BPF_EXIT = 0x90, "Return from the program or the subprogram.";
        BPF_JLT = 0xa0, "Jump if `<`, unsigned.";
        BPF_JLE = 0xb0, "Jump if `<=`, unsigned.";
        BPF_JSLT = 0xc0, "Jump if `<`, signed.";
        BPF_JSLE = 0xd0, "Jump if `<=`, signed.";
        BPF_JCOND = 0xe0, "Linux: a jump on a condition that the run time decides; `src` says which.";

        BPF_SIZE_MASK = 0x18, "The bits of a load or store `code` that hold the size (RFC 9669, section 5).";
        BPF_W = 0x00, "Size: 4 bytes.";
        BPF_H = 0x08, "Size: 2 bytes.";
        BPF_B = 0x10, "Size: 1 byte.";
        BPF_DW = 0x18, "Size: 8 bytes.";

        BPF_MODE_MASK = 0xe0, "The bits of a load or store `code` that hold the mode.";
        BPF_IMM = 0x00, "Mode: 64-bit immediate (RFC 9669, section 5.4).";
        BPF_ABS = 0x20, "Mode: legacy packet access, absolute (RFC 9669, section 5.5).";
        BPF_IND = 0x40, "Mode: legacy packet access, indirect.";
        BPF_MEM = 0x60, "Mode: ordinary memory (RFC 9669, section 5.1).";
        BPF_MEMSX = 0x80, "Mode: sign-extending load (RFC 9669, section 5.2).";
        BPF_ATOMIC = 0xc0, "Mode: atomic (RFC 9669, section 5.3).";

        BPF_PSEUDO_MAP_FD = 1, "64-bit immediate: `imm` is a map's file descriptor.";
        BPF_PSEUDO_MAP_VALUE = 2, "64-bit immediate: the map with file descriptor `imm`, offset `next_imm` in its value.";
        BPF_PSEUDO_BTF_ID = 3, "64-bit immediate: the kernel variable with BTF id `imm`.";
        BPF_PSEUDO_FUNC = 4, "64-bit immediate: the subprogram at `imm`, relative as in a call.";
        BPF_PSEUDO_MAP_IDX = 5, "64-bit immediate: a map by index into the load's array of descriptors.";
        BPF_PSEUDO_MAP_IDX_VALUE = 6, "64-bit immediate: as 5, with offset `next_imm` in its value.";

        BPF_PSEUDO_CALL = 1, "Call: `imm` is a subprogram, relative to the next instruction.";
        BPF_PSEUDO_KFUNC_CALL = 2, "Call: `imm` is a kernel function's BTF id, `off` its module.";

        BPF_MAY_GOTO = 0, "`BPF_JCOND`: jump when the program's loop budget is used up.";
    }
    i16 {
        BPF_ADDR_SPACE_CAST = 1, "`off` of a 64-bit register move that changes address space (Linux arenas).";
    }
    i32 {
        BPF_FETCH = 0x01, "Atomic modifier: `src` gets the old value (RFC 9669, section 5.3).";
        BPF_XCHG = 0xe1, "Atomic: exchange, always fetching.";
        BPF_CMPXCHG = 0xf1, "Atomic: compare with `r0` and exchange, always fetching.";
        BPF_LOAD_ACQ = 0x100, "Atomic (Linux 6.15): load with acquire order.";
        BPF_STORE_REL = 0x110, "Atomic (Linux 6.15): store with release order.";
    }
}

/// The registers that exist: `r0` to `r10`. Higher numbers fit the format and are refused later.
pub const MAX_BPF_REG: u8 = 11;

/// The size that a load or store `code` names.
#[must_use]
pub const fn size(code: u8) -> Size {
    match code & BPF_SIZE_MASK {
        BPF_B => Size::B,
        BPF_H => Size::H,
        BPF_W => Size::W,
        _ => Size::Dw,
    }
}

/// The size bits of a `code`.
pub(crate) const fn size_code(size: Size) -> u8 {
    match size {
        Size::B => BPF_B,
        Size::H => BPF_H,
        Size::W => BPF_W,
        Size::Dw => BPF_DW,
    }
}

/// The operation bits of a binary operator, and whether `off` is 1 (signed).
pub(crate) const fn alu_code(op: AluOp) -> (u8, bool) {
    match op {
        AluOp::Add => (BPF_ADD, false),
        AluOp::Sub => (BPF_SUB, false),
        AluOp::Mul => (BPF_MUL, false),
        AluOp::Div => (BPF_DIV, false),
        AluOp::Or => (BPF_OR, false),
        AluOp::And => (BPF_AND, false),
        AluOp::Lsh => (BPF_LSH, false),
        AluOp::Rsh => (BPF_RSH, false),
        AluOp::Mod => (BPF_MOD, false),
        AluOp::Xor => (BPF_XOR, false),
        AluOp::Arsh => (BPF_ARSH, false),
        AluOp::Sdiv => (BPF_DIV, true),
        AluOp::Smod => (BPF_MOD, true),
    }
}

/// The binary operator of operation bits, unsigned; MOV, NEG, END and the unknown have none.
pub(crate) const fn alu_op(bits: u8) -> Option<AluOp> {
    Some(match bits {
        BPF_ADD => AluOp::Add,
        BPF_SUB => AluOp::Sub,
        BPF_MUL => AluOp::Mul,
        BPF_DIV => AluOp::Div,
        BPF_OR => AluOp::Or,
        BPF_AND => AluOp::And,
        BPF_LSH => AluOp::Lsh,
        BPF_RSH => AluOp::Rsh,
        BPF_MOD => AluOp::Mod,
        BPF_XOR => AluOp::Xor,
        BPF_ARSH => AluOp::Arsh,
        _ => return None,
    })
}

/// The operation bits of a condition.
pub(crate) const fn jump_code(op: JumpOp) -> u8 {
    match op {
        JumpOp::Jeq => BPF_JEQ,
        JumpOp::Jgt => BPF_JGT,
        JumpOp::Jge => BPF_JGE,
        JumpOp::Jset => BPF_JSET,
        JumpOp::Jne => BPF_JNE,
        JumpOp::Jsgt => BPF_JSGT,
        JumpOp::Jsge => BPF_JSGE,
        JumpOp::Jlt => BPF_JLT,
        JumpOp::Jle => BPF_JLE,
        JumpOp::Jslt => BPF_JSLT,
        JumpOp::Jsle => BPF_JSLE,
    }
}

/// The condition of operation bits; JA, CALL, EXIT, JCOND and the unknown have none.
pub(crate) const fn jump_op(bits: u8) -> Option<JumpOp> {
    Some(match bits {
        BPF_JEQ => JumpOp::Jeq,
        BPF_JGT => JumpOp::Jgt,
        BPF_JGE => JumpOp::Jge,
        BPF_JSET => JumpOp::Jset,
        BPF_JNE => JumpOp::Jne,
        BPF_JSGT => JumpOp::Jsgt,
        BPF_JSGE => JumpOp::Jsge,
        BPF_JLT => JumpOp::Jlt,
        BPF_JLE => JumpOp::Jle,
        BPF_JSLT => JumpOp::Jslt,
        BPF_JSLE => JumpOp::Jsle,
        _ => return None,
    })
}

/// The immediate of an atomic read-modify-write.
pub(crate) const fn atomic_code(op: AtomicOp, fetch: bool) -> i32 {
    let plain = match op {
        AtomicOp::Add => BPF_ADD,
        AtomicOp::Or => BPF_OR,
        AtomicOp::And => BPF_AND,
        AtomicOp::Xor => BPF_XOR,
        AtomicOp::Xchg => return BPF_XCHG,
        AtomicOp::Cmpxchg => return BPF_CMPXCHG,
    };
    plain as i32 | if fetch { BPF_FETCH } else { 0 }
}

/// The atomic read-modify-write of an immediate, and whether it fetches.
pub(crate) const fn atomic_op(imm: i32) -> Option<(AtomicOp, bool)> {
    Some(match imm {
        0x00 => (AtomicOp::Add, false),
        0x01 => (AtomicOp::Add, true),
        0x40 => (AtomicOp::Or, false),
        0x41 => (AtomicOp::Or, true),
        0x50 => (AtomicOp::And, false),
        0x51 => (AtomicOp::And, true),
        0xa0 => (AtomicOp::Xor, false),
        0xa1 => (AtomicOp::Xor, true),
        BPF_XCHG => (AtomicOp::Xchg, true),
        BPF_CMPXCHG => (AtomicOp::Cmpxchg, true),
        _ => return None,
    })
}
