//! How operators are written, in the log and in the assembler: one table for both directions.

use crate::op::{AluOp, AtomicOp, JumpOp};

/// Every arithmetic operator with its sign.
const ALU: [(AluOp, &str); 13] = [
    (AluOp::Add, "+="),
    (AluOp::Sub, "-="),
    (AluOp::Mul, "*="),
    (AluOp::Div, "/="),
    (AluOp::Or, "|="),
    (AluOp::And, "&="),
    (AluOp::Lsh, "<<="),
    (AluOp::Rsh, ">>="),
    (AluOp::Mod, "%="),
    (AluOp::Xor, "^="),
    (AluOp::Arsh, "s>>="),
    (AluOp::Sdiv, "s/="),
    (AluOp::Smod, "s%="),
];

/// Every condition with its sign.
const JUMP: [(JumpOp, &str); 11] = [
    (JumpOp::Jeq, "=="),
    (JumpOp::Jgt, ">"),
    (JumpOp::Jge, ">="),
    (JumpOp::Jset, "&"),
    (JumpOp::Jne, "!="),
    (JumpOp::Jsgt, "s>"),
    (JumpOp::Jsge, "s>="),
    (JumpOp::Jlt, "<"),
    (JumpOp::Jle, "<="),
    (JumpOp::Jslt, "s<"),
    (JumpOp::Jsle, "s<="),
];

/// Every atomic operator with its name and, where `lock` takes one, its sign.
const ATOMIC: [(AtomicOp, &str, &str); 6] = [
    (AtomicOp::Add, "add", "+="),
    (AtomicOp::Or, "or", "|="),
    (AtomicOp::And, "and", "&="),
    (AtomicOp::Xor, "xor", "^="),
    (AtomicOp::Xchg, "xchg", ""),
    (AtomicOp::Cmpxchg, "cmpxchg", ""),
];

impl AluOp {
    /// How the log writes it, as `s>>=`.
    #[must_use]
    pub fn sign(self) -> &'static str {
        ALU.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The operator that is written so.
    #[must_use]
    pub fn from_sign(sign: &str) -> Option<Self> {
        ALU.iter().find(|row| row.1 == sign).map(|row| row.0)
    }
}

impl JumpOp {
    /// How the log writes it, as `s>=`.
    #[must_use]
    pub fn sign(self) -> &'static str {
        JUMP.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The condition that is written so.
    #[must_use]
    pub fn from_sign(sign: &str) -> Option<Self> {
        JUMP.iter().find(|row| row.1 == sign).map(|row| row.0)
    }
}

impl AtomicOp {
    /// Its name in the log, as `add` in `atomic64_fetch_add`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ATOMIC.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The operator with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ATOMIC.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// How the log writes it after `lock`; empty for exchanges, which have no such form.
    #[must_use]
    pub fn sign(self) -> &'static str {
        ATOMIC.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// The operator that is written so after `lock`.
    #[must_use]
    pub fn from_sign(sign: &str) -> Option<Self> {
        ATOMIC.iter().find(|row| row.2 == sign && !sign.is_empty()).map(|row| row.0)
    }
}
