//! What instructions work on: registers, widths, memory operands, conditions.

use probity_isa::{JumpOp, Size};

/// A general-purpose register; which part of it counts is said by the [`Width`] of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reg {
    /// Accumulator: results of calls, low halves of products, quotients.
    Rax,
    /// Counter: `cl` is the count of shifts.
    Rcx,
    /// Data: high halves of products, remainders.
    Rdx,
    /// Base; callee-saved.
    Rbx,
    /// The stack pointer.
    Rsp,
    /// The frame pointer; callee-saved.
    Rbp,
    /// Source; second argument of calls.
    Rsi,
    /// Destination; first argument of calls.
    Rdi,
    /// Fifth argument of calls.
    R8,
    /// Sixth argument of calls.
    R9,
    /// Scratch.
    R10,
    /// Scratch.
    R11,
    /// Callee-saved.
    R12,
    /// Callee-saved.
    R13,
    /// Callee-saved.
    R14,
    /// Callee-saved.
    R15,
}

impl Reg {
    /// All registers, by number.
    pub const ALL: [Reg; 16] = [
        Reg::Rax,
        Reg::Rcx,
        Reg::Rdx,
        Reg::Rbx,
        Reg::Rsp,
        Reg::Rbp,
        Reg::Rsi,
        Reg::Rdi,
        Reg::R8,
        Reg::R9,
        Reg::R10,
        Reg::R11,
        Reg::R12,
        Reg::R13,
        Reg::R14,
        Reg::R15,
    ];

    /// The number that instructions have for it, 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// How many bits of an operand count. A result of 32 bits clears the upper half of its register, one
/// of 8 or 16 leaves the rest of it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// A byte: `al`, never `ah`.
    W8,
    /// A word in Intel's terms.
    W16,
    /// A double word.
    W32,
    /// A quad word.
    W64,
}

impl Width {
    /// 8, 16, 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Width::W8 => 8,
            Width::W16 => 16,
            Width::W32 => 32,
            Width::W64 => 64,
        }
    }
}

impl From<Size> for Width {
    fn from(size: Size) -> Self {
        match size {
            Size::B => Width::W8,
            Size::H => Width::W16,
            Size::W => Width::W32,
            Size::Dw => Width::W64,
        }
    }
}

impl From<probity_isa::Width> for Width {
    fn from(width: probity_isa::Width) -> Self {
        match width {
            probity_isa::Width::W32 => Width::W32,
            probity_isa::Width::W64 => Width::W64,
        }
    }
}

/// What an index register is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scale {
    /// 1
    One,
    /// 2
    Two,
    /// 4
    Four,
    /// 8
    Eight,
}

impl Scale {
    /// The scale that multiplies by `factor`, if there is one.
    #[must_use]
    pub const fn by(factor: u64) -> Option<Scale> {
        match factor {
            1 => Some(Scale::One),
            2 => Some(Scale::Two),
            4 => Some(Scale::Four),
            8 => Some(Scale::Eight),
            _ => None,
        }
    }
}

/// A place in memory: `[base + index * scale + disp]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mem {
    pub(super) base: Option<Reg>,
    pub(super) index: Option<(Reg, Scale)>,
    pub(super) disp: i32,
}

impl Mem {
    /// `[base + disp]`.
    #[must_use]
    pub const fn at(base: Reg, disp: i32) -> Mem {
        Mem { base: Some(base), index: None, disp }
    }

    /// `[base + index * scale + disp]`.
    ///
    /// # Panics
    /// When `index` is `rsp`, which instructions have no number for there.
    #[must_use]
    pub const fn indexed(base: Reg, index: Reg, scale: Scale, disp: i32) -> Mem {
        assert!(!matches!(index, Reg::Rsp), "rsp is no index");
        Mem { base: Some(base), index: Some((index, scale)), disp }
    }

    /// `[index * scale + disp]`.
    ///
    /// # Panics
    /// When `index` is `rsp`, which instructions have no number for there.
    #[must_use]
    pub const fn scaled(index: Reg, scale: Scale, disp: i32) -> Mem {
        assert!(!matches!(index, Reg::Rsp), "rsp is no index");
        Mem { base: None, index: Some((index, scale)), disp }
    }

    /// The same place, `bytes` further; None when that is too far.
    #[must_use]
    pub const fn offset(self, bytes: i32) -> Option<Mem> {
        match self.disp.checked_add(bytes) {
            Some(disp) => Some(Mem { disp, ..self }),
            None => None,
        }
    }
}

/// An operand that may be a register or memory: `r/m` in Intel's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rm {
    /// A register.
    Reg(Reg),
    /// Memory.
    Mem(Mem),
}

impl From<Reg> for Rm {
    fn from(reg: Reg) -> Self {
        Rm::Reg(reg)
    }
}

impl From<Mem> for Rm {
    fn from(mem: Mem) -> Self {
        Rm::Mem(mem)
    }
}

/// What the flags say after a comparison, by the names of jumps: below and above are unsigned, less
/// and greater signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cond {
    /// Overflow.
    O,
    /// No overflow.
    No,
    /// Below: carry.
    B,
    /// Above or equal: no carry.
    Ae,
    /// Equal: zero.
    E,
    /// Not equal: not zero.
    Ne,
    /// Below or equal.
    Be,
    /// Above.
    A,
    /// Sign.
    S,
    /// No sign.
    Ns,
    /// Parity even.
    P,
    /// Parity odd.
    Np,
    /// Less.
    L,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Greater.
    G,
}

impl Cond {
    /// All conditions, by number.
    pub const ALL: [Cond; 16] = [
        Cond::O,
        Cond::No,
        Cond::B,
        Cond::Ae,
        Cond::E,
        Cond::Ne,
        Cond::Be,
        Cond::A,
        Cond::S,
        Cond::Ns,
        Cond::P,
        Cond::Np,
        Cond::L,
        Cond::Ge,
        Cond::Le,
        Cond::G,
    ];

    /// The number that instructions have for it, 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The opposite.
    #[must_use]
    pub const fn negate(self) -> Cond {
        // Opposite conditions differ in the lowest bit.
        Cond::ALL[(self as u8 ^ 1) as usize]
    }

    /// The condition after a comparison whose operands change places.
    #[must_use]
    pub const fn swap(self) -> Cond {
        match self {
            Cond::B => Cond::A,
            Cond::A => Cond::B,
            Cond::Ae => Cond::Be,
            Cond::Be => Cond::Ae,
            Cond::L => Cond::G,
            Cond::G => Cond::L,
            Cond::Ge => Cond::Le,
            Cond::Le => Cond::Ge,
            same => same,
        }
    }
}

impl From<JumpOp> for Cond {
    /// The condition after `cmp`, or after `test` for [`JumpOp::Jset`].
    fn from(op: JumpOp) -> Self {
        match op {
            JumpOp::Jeq => Cond::E,
            JumpOp::Jgt => Cond::A,
            JumpOp::Jge => Cond::Ae,
            JumpOp::Jset | JumpOp::Jne => Cond::Ne,
            JumpOp::Jsgt => Cond::G,
            JumpOp::Jsge => Cond::Ge,
            JumpOp::Jlt => Cond::B,
            JumpOp::Jle => Cond::Be,
            JumpOp::Jslt => Cond::L,
            JumpOp::Jsle => Cond::Le,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places() {
        for (number, reg) in Reg::ALL.iter().enumerate() {
            assert_eq!(usize::from(reg.number()), number);
        }
        for (number, cond) in Cond::ALL.iter().enumerate() {
            assert_eq!(usize::from(cond.number()), number);
            assert_eq!(cond.negate().negate(), *cond);
            assert_eq!(cond.swap().swap(), *cond);
        }
        assert_eq!(Cond::B.negate(), Cond::Ae);
        assert_eq!(Cond::G.negate(), Cond::Le);
    }
}
