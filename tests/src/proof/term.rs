//! Terms over bit vectors of 1 to 64 bits. A truth value is a vector of one bit.

use std::{
    collections::HashMap,
    ops::{Add, BitAnd, BitOr, BitXor, Not, Sub},
    rc::Rc,
};

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A number.
    Const(u64),
    /// An input, by its index.
    Var(u32),
    /// `a + b`, wrapping.
    Add,
    /// `a - b`, wrapping.
    Sub,
    /// `a * b`, wrapping.
    Mul,
    /// Bits of both.
    And,
    /// Bits of either.
    Or,
    /// Bits of one.
    Xor,
    /// The other bits.
    Not,
    /// `a << b`; 0 from the width on.
    Shl,
    /// `a >> b`, logical; 0 from the width on.
    Lshr,
    /// `a >> b`, arithmetic.
    Ashr,
    /// `a < b`, unsigned.
    Ult,
    /// `a < b`, signed.
    Slt,
    /// `a == b`.
    Eq,
    /// `a * b` fits, unsigned.
    UmulFits,
    /// `a * b` fits, signed.
    SmulFits,
    /// The second or, when the first is 0, the third.
    Ite,
    /// Bits from this one on, as many as the term is wide.
    Extract(u32),
    /// Wider, with zeros.
    ZeroExtend,
    /// Wider, with the sign.
    SignExtend,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    pub(super) width: u32,
    pub(super) args: Vec<Term>,
}

/// A term; cloning shares it.
#[derive(Clone, Debug)]
pub struct Term(pub(super) Rc<Node>);

fn mask(width: u32) -> u64 {
    u64::MAX >> (64 - width)
}

fn signed(value: u64, width: u32) -> i64 {
    (value << (64 - width)).cast_signed() >> (64 - width)
}

impl Term {
    fn new(op: Op, width: u32, args: Vec<Term>) -> Term {
        assert!((1..=64).contains(&width));
        // What is known already is computed at once: it keeps formulas small.
        if !args.is_empty() && args.iter().all(|arg| arg.constant().is_some()) {
            let values: Vec<u64> = args.iter().filter_map(Term::constant).collect();
            return Term::number(apply(op, width, args[0].width(), &values), width);
        }
        Term(Rc::new(Node { op, width, args }))
    }

    /// A number.
    #[must_use]
    pub fn number(value: u64, width: u32) -> Term {
        Term(Rc::new(Node { op: Op::Const(value & mask(width)), width, args: Vec::new() }))
    }

    /// True.
    #[must_use]
    pub fn yes() -> Term {
        Term::number(1, 1)
    }

    /// The input with this index.
    #[must_use]
    pub fn var(index: u32, width: u32) -> Term {
        Term(Rc::new(Node { op: Op::Var(index), width, args: Vec::new() }))
    }

    /// How many bits it has.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.0.width
    }

    pub(super) fn constant(&self) -> Option<u64> {
        if let Op::Const(value) = self.0.op { Some(value) } else { None }
    }

    fn binary(&self, op: Op, other: &Term) -> Term {
        assert_eq!(self.width(), other.width(), "{op:?}");
        Term::new(op, self.width(), vec![self.clone(), other.clone()])
    }

    fn relation(&self, op: Op, other: &Term) -> Term {
        assert_eq!(self.width(), other.width(), "{op:?}");
        Term::new(op, 1, vec![self.clone(), other.clone()])
    }

    /// `self * other`, wrapping.
    #[must_use]
    pub fn times(&self, other: &Term) -> Term {
        self.binary(Op::Mul, other)
    }

    /// `self << other`.
    #[must_use]
    pub fn shl(&self, other: &Term) -> Term {
        self.binary(Op::Shl, other)
    }

    /// `self >> other`, logical.
    #[must_use]
    pub fn lshr(&self, other: &Term) -> Term {
        self.binary(Op::Lshr, other)
    }

    /// `self >> other`, arithmetic.
    #[must_use]
    pub fn ashr(&self, other: &Term) -> Term {
        self.binary(Op::Ashr, other)
    }

    /// `self < other`, unsigned.
    #[must_use]
    pub fn ult(&self, other: &Term) -> Term {
        self.relation(Op::Ult, other)
    }

    /// `self <= other`, unsigned.
    #[must_use]
    pub fn ule(&self, other: &Term) -> Term {
        !&other.ult(self)
    }

    /// `self < other`, signed.
    #[must_use]
    pub fn slt(&self, other: &Term) -> Term {
        self.relation(Op::Slt, other)
    }

    /// `self <= other`, signed.
    #[must_use]
    pub fn sle(&self, other: &Term) -> Term {
        !&other.slt(self)
    }

    /// `self == other`.
    #[must_use]
    pub fn equals(&self, other: &Term) -> Term {
        self.relation(Op::Eq, other)
    }

    /// Whether the product fits, unsigned.
    #[must_use]
    pub fn umul_fits(&self, other: &Term) -> Term {
        self.relation(Op::UmulFits, other)
    }

    /// Whether the product fits, signed.
    #[must_use]
    pub fn smul_fits(&self, other: &Term) -> Term {
        self.relation(Op::SmulFits, other)
    }

    /// `yes` if this is true, else `no`.
    #[must_use]
    pub fn ite(&self, yes: &Term, no: &Term) -> Term {
        assert_eq!((self.width(), yes.width()), (1, no.width()));
        match self.constant() {
            Some(0) => no.clone(),
            Some(_) => yes.clone(),
            None => Term::new(Op::Ite, yes.width(), vec![self.clone(), yes.clone(), no.clone()]),
        }
    }

    /// If this is true, so is the other.
    #[must_use]
    pub fn implies(&self, other: &Term) -> Term {
        &!self | other
    }

    /// The `width` bits from `low` on.
    #[must_use]
    pub fn bits(&self, low: u32, width: u32) -> Term {
        assert!(low + width <= self.width());
        if width == self.width() {
            self.clone()
        } else {
            Term::new(Op::Extract(low), width, vec![self.clone()])
        }
    }

    /// As wide as `width`, with zeros.
    #[must_use]
    pub fn zero_extend(&self, width: u32) -> Term {
        if width == self.width() {
            self.clone()
        } else {
            Term::new(Op::ZeroExtend, width, vec![self.clone()])
        }
    }

    /// As wide as `width`, with the sign.
    #[must_use]
    pub fn sign_extend(&self, width: u32) -> Term {
        if width == self.width() {
            self.clone()
        } else {
            Term::new(Op::SignExtend, width, vec![self.clone()])
        }
    }

    /// The greater, unsigned.
    #[must_use]
    pub fn umax(&self, other: &Term) -> Term {
        self.ult(other).ite(other, self)
    }

    /// The less, unsigned.
    #[must_use]
    pub fn umin(&self, other: &Term) -> Term {
        self.ult(other).ite(self, other)
    }

    /// The greater, signed.
    #[must_use]
    pub fn smax(&self, other: &Term) -> Term {
        self.slt(other).ite(other, self)
    }

    /// The less, signed.
    #[must_use]
    pub fn smin(&self, other: &Term) -> Term {
        self.slt(other).ite(self, other)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:ident) => {
        impl $trait for &Term {
            type Output = Term;
            fn $method(self, other: &Term) -> Term {
                self.binary(Op::$op, other)
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Sub);
operator!(BitAnd, bitand, And);
operator!(BitOr, bitor, Or);
operator!(BitXor, bitxor, Xor);

impl Not for &Term {
    type Output = Term;
    fn not(self) -> Term {
        Term::new(Op::Not, self.width(), vec![self.clone()])
    }
}

/// What an operation gives: `width` is that of the result, `from` that of its first operand.
fn apply(op: Op, width: u32, from: u32, args: &[u64]) -> u64 {
    let sign = |index: usize| signed(args[index], from);
    let wide = |index: usize| u128::from(args[index]);
    let result = match op {
        Op::Const(value) => value,
        Op::Var(_) => unreachable!("inputs are given"),
        Op::Add => args[0].wrapping_add(args[1]),
        Op::Sub => args[0].wrapping_sub(args[1]),
        Op::Mul => args[0].wrapping_mul(args[1]),
        Op::And => args[0] & args[1],
        Op::Or => args[0] | args[1],
        Op::Xor => args[0] ^ args[1],
        Op::Not => !args[0],
        Op::Shl if args[1] < u64::from(width) => args[0] << args[1],
        Op::Lshr if args[1] < u64::from(width) => args[0] >> args[1],
        Op::Shl | Op::Lshr => 0,
        Op::Ashr => (sign(0) >> args[1].min(63)).cast_unsigned(),
        Op::Ult => u64::from(args[0] < args[1]),
        Op::Slt => u64::from(sign(0) < sign(1)),
        Op::Eq => u64::from(args[0] == args[1]),
        Op::UmulFits => u64::from(wide(0) * wide(1) <= u128::from(mask(from))),
        Op::SmulFits => {
            let product = i128::from(sign(0)) * i128::from(sign(1));
            let half = 1i128 << (from - 1);
            u64::from((-half..half).contains(&product))
        }
        Op::Ite => args[if args[0] == 0 { 2 } else { 1 }],
        Op::Extract(low) => args[0] >> low,
        Op::ZeroExtend => args[0],
        Op::SignExtend => sign(0).cast_unsigned(),
    };
    result & mask(width)
}

/// Terms in an order in which they can be computed.
#[derive(Debug)]
pub struct Tape {
    steps: Vec<Step>,
    outputs: Vec<usize>,
    values: Vec<u64>,
}

#[derive(Debug)]
struct Step {
    op: Op,
    width: u32,
    from: u32,
    args: [usize; 3],
    count: usize,
}

impl Tape {
    /// For these outputs.
    #[must_use]
    pub fn new(outputs: &[Term]) -> Tape {
        let mut tape = Tape { steps: Vec::new(), outputs: Vec::new(), values: Vec::new() };
        let mut known = HashMap::new();
        tape.outputs = outputs.iter().map(|term| tape.add(term, &mut known)).collect();
        tape.values = vec![0; tape.steps.len()];
        tape
    }

    fn add(&mut self, term: &Term, known: &mut HashMap<*const Node, usize>) -> usize {
        let key = Rc::as_ptr(&term.0);
        if let Some(&index) = known.get(&key) {
            return index;
        }
        let mut args = [0; 3];
        for (place, arg) in args.iter_mut().zip(&term.0.args) {
            *place = self.add(arg, known);
        }
        let from = term.0.args.first().map_or(term.width(), Term::width);
        self.steps.push(Step { op: term.0.op, width: term.width(), from, args, count: term.0.args.len() });
        known.insert(key, self.steps.len() - 1);
        self.steps.len() - 1
    }

    /// What the outputs are for these inputs.
    pub fn run(&mut self, inputs: &[u64]) -> impl Iterator<Item = u64> + '_ {
        for index in 0..self.steps.len() {
            let step = &self.steps[index];
            let args = step.args.map(|arg| self.values[arg]);
            self.values[index] = match step.op {
                Op::Var(input) => inputs[input as usize] & mask(step.width),
                op => apply(op, step.width, step.from, &args[..step.count]),
            };
        }
        self.outputs.iter().map(|&output| self.values[output])
    }
}
