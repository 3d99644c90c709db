//! Expressions, guards (which are expressions over the target and the program), ranges, types.

use super::{Ident, VersionLit};
use crate::source::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A number without a sign.
    Int(u64),
    /// Names with dots between: `size.umax`, `map.type`, `prog.type`, `attach`, `nr_cpus`,
    /// `BPF_XDP`. Never empty.
    Path(Vec<Ident>),
    /// `cap(CAP_BPF)`, `config(CONFIG_X)`: the word and what is between the parentheses.
    Call(Ident, Vec<Ident>),
    /// `since 6.1`
    Since(VersionLit),
    /// `until 6.1`
    Until(VersionLit),
    /// An operator before an expression.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between expressions.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `value in { a, b, 1..=2 }`: a member is a range; one without an end is a single value.
    In(Box<Expr>, Vec<Range>),
}

/// Operators before an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Neg,
}

/// Operators between expressions, from those that bind least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<=`
    Le,
    /// `>=`
    Ge,
    /// `<`
    Lt,
    /// `>`
    Gt,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
}

impl BinaryOp {
    /// All operators.
    pub const ALL: [BinaryOp; 11] = [
        BinaryOp::Or,
        BinaryOp::And,
        BinaryOp::Eq,
        BinaryOp::Ne,
        BinaryOp::Le,
        BinaryOp::Ge,
        BinaryOp::Lt,
        BinaryOp::Gt,
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
    ];

    /// As it is written.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Le => "<=",
            BinaryOp::Ge => ">=",
            BinaryOp::Lt => "<",
            BinaryOp::Gt => ">",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
        }
    }

    /// How strongly it binds; more binds more. Comparisons do not chain.
    #[must_use]
    pub fn strength(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Le | BinaryOp::Ge | BinaryOp::Lt | BinaryOp::Gt => 3,
            BinaryOp::Add | BinaryOp::Sub => 4,
            BinaryOp::Mul => 5,
        }
    }
}

impl Expr {
    /// The number that the expression is when it is made of numbers alone; None also when it leaves
    /// the range of `i128`.
    #[must_use]
    pub fn constant(&self) -> Option<i128> {
        match &self.kind {
            ExprKind::Int(value) => Some(i128::from(*value)),
            ExprKind::Unary(UnaryOp::Neg, of) => of.constant()?.checked_neg(),
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (a.constant()?, b.constant()?);
                match op {
                    BinaryOp::Add => a.checked_add(b),
                    BinaryOp::Sub => a.checked_sub(b),
                    BinaryOp::Mul => a.checked_mul(b),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The name when the expression is one name without dots.
    #[must_use]
    pub fn name(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Path(path) if path.len() == 1 => path.first(),
            _ => None,
        }
    }
}

/// `LO..=HI`, or one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least value.
    pub lo: Expr,
    /// The greatest value; None: it is `lo`.
    pub hi: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

impl Range {
    /// The greatest value.
    #[must_use]
    pub fn hi(&self) -> &Expr {
        self.hi.as_ref().unwrap_or(&self.lo)
    }
}

/// A register type, an argument class with modifiers, or a return type: `NAME(SIZE) | FLAG | FLAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeExpr {
    /// The kind or class.
    pub name: Ident,
    /// The size in parentheses.
    pub size: Option<Expr>,
    /// The modifiers in the order in which they stand.
    pub flags: Vec<Ident>,
    /// Where it stands.
    pub span: Span,
}
