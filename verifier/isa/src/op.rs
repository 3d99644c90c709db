//! The closed lists of operators, widths and sizes (RFC 9669, sections 4 and 5).

/// How many bits of the registers an arithmetic or jump instruction works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// The low 32 bits: classes ALU and JMP32. ALU results are zero-extended.
    W32,
    /// All 64 bits: classes ALU64 and JMP.
    W64,
}

impl Width {
    /// 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Width::W32 => 32,
            Width::W64 => 64,
        }
    }
}

/// How many bytes a memory access touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    /// One byte.
    B,
    /// Two bytes, a half-word.
    H,
    /// Four bytes, a word.
    W,
    /// Eight bytes, a double word.
    Dw,
}

impl Size {
    /// 1, 2, 4 or 8.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Size::B => 1,
            Size::H => 2,
            Size::W => 4,
            Size::Dw => 8,
        }
    }

    /// 8, 16, 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.bytes() * 8
    }
}

/// A binary arithmetic operator `dst = dst op src` (RFC 9669, section 4.1). MOV, NEG and END have
/// instructions of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AluOp {
    /// `dst += src`
    Add,
    /// `dst -= src`
    Sub,
    /// `dst *= src`
    Mul,
    /// `dst /= src`, unsigned; 0 when `src` is 0
    Div,
    /// `dst |= src`
    Or,
    /// `dst &= src`
    And,
    /// `dst <<= src`
    Lsh,
    /// `dst >>= src`, logical
    Rsh,
    /// `dst %= src`, unsigned; `dst` when `src` is 0
    Mod,
    /// `dst ^= src`
    Xor,
    /// `dst s>>= src`, arithmetic
    Arsh,
    /// `dst s/= src`, signed
    Sdiv,
    /// `dst s%= src`, signed
    Smod,
}

/// A condition `dst op src` (RFC 9669, section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JumpOp {
    /// `==`
    Jeq,
    /// `>` unsigned
    Jgt,
    /// `>=` unsigned
    Jge,
    /// `dst & src` is not 0
    Jset,
    /// `!=`
    Jne,
    /// `>` signed
    Jsgt,
    /// `>=` signed
    Jsge,
    /// `<` unsigned
    Jlt,
    /// `<=` unsigned
    Jle,
    /// `<` signed
    Jslt,
    /// `<=` signed
    Jsle,
}

/// What an atomic read-modify-write does to memory (RFC 9669, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtomicOp {
    /// `*p += src`
    Add,
    /// `*p |= src`
    Or,
    /// `*p &= src`
    And,
    /// `*p ^= src`
    Xor,
    /// `src` and `*p` change places
    Xchg,
    /// if `*p == r0` then `*p = src`; `r0` gets the old value
    Cmpxchg,
}
