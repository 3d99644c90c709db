//! The intermediate representation: values in static single assignment, in blocks.
//!
//! Every value has 64 bits. An operation of 32 bits takes the low halves of its operands and gives a
//! value whose upper half is 0, as instructions of both machines do.

use std::collections::HashMap;

use probity_isa::{AtomicOp, JumpOp, Size, Width};

/// A value, by the number of the instruction that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Value(pub(super) u32);

impl Value {
    /// What a register holds that nothing was written to.
    pub(super) const NONE: Value = Value(u32::MAX);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A pure operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum BinOp {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Sar,
    Rotl,
    /// The upper 64 bits of the unsigned product of 64 bits.
    MulHigh,
    Div,
    Mod,
    Sdiv,
    Smod,
}

impl BinOp {
    pub(super) fn commutes(self) -> bool {
        matches!(self, BinOp::Add | BinOp::Mul | BinOp::And | BinOp::Or | BinOp::Xor | BinOp::MulHigh)
    }
}

/// A pure operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum UnOp {
    Neg(Width),
    /// Bytes in opposite order, of the low 16, 32 or 64 bits; zeros above.
    Swap(u8),
    /// The low 32 bits, zeros above.
    Zext32,
    /// The low bits, their sign above; to 32 bits there are zeros above those.
    Sext(Size, Width),
}

/// A condition between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cmp {
    pub(super) op: JumpOp,
    pub(super) width: Width,
    pub(super) a: Value,
    pub(super) b: Value,
}

/// What makes a value, or does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Inst {
    /// r1 to r5 at entry, from 0.
    Arg(u8),
    /// The address of the run.
    Run,
    Const(u64),
    /// The frame pointer and a number.
    Frame(i32),
    /// The address at which a function, by its index, is called back.
    FuncAddr(u32),
    Bin(BinOp, Width, Value, Value),
    Un(UnOp, Value),
    Select(Cmp, Value, Value),
    /// Its arguments are in [`Func::phi_args`], in the order of the block's predecessors.
    Phi(u32),
    Load {
        size: Size,
        sign: bool,
        /// It stays where it is: acquire.
        fixed: bool,
        base: Value,
        off: i32,
    },
    Store {
        size: Size,
        base: Value,
        off: i32,
        value: Value,
    },
    /// `expected` is what Cmpxchg compares with, else the same as `value`.
    Atomic {
        size: Size,
        op: AtomicOp,
        fetch: bool,
        base: Value,
        off: i32,
        value: Value,
        expected: Value,
    },
    /// A number of the packet; where it is not inside, the function returns 0.
    LoadPacket {
        size: Size,
        index: Value,
        imm: i32,
    },
    /// Takes one of the fuel.
    Burn,
    /// A raw function; arguments may be [`Value::NONE`].
    Call {
        site: u32,
        args: [Value; 5],
    },
    /// A function of the program, by its index.
    CallFn {
        function: u32,
        args: [Value; 5],
    },
}

impl Inst {
    /// True when it may be left out, moved and merged.
    pub(super) fn is_pure(&self) -> bool {
        matches!(
            self,
            Inst::Arg(_)
                | Inst::Run
                | Inst::Const(_)
                | Inst::Frame(_)
                | Inst::FuncAddr(_)
                | Inst::Bin(..)
                | Inst::Un(..)
                | Inst::Select(..)
        )
    }

    /// True when it stays even when its value is not used.
    pub(super) fn has_effect(&self) -> bool {
        match self {
            Inst::Load { fixed, .. } => *fixed,
            Inst::Store { .. }
            | Inst::Atomic { .. }
            | Inst::LoadPacket { .. }
            | Inst::Burn
            | Inst::Call { .. }
            | Inst::CallFn { .. } => true,
            _ => false,
        }
    }

    /// True when it may write memory, or orders accesses of it.
    pub(super) fn is_barrier(&self) -> bool {
        self.has_effect()
    }

    /// Calls `f` with each operand but those of phis.
    pub(super) fn for_each(&self, mut f: impl FnMut(Value)) {
        let mut copy = *self;
        copy.map(|value| {
            f(value);
            value
        });
    }

    /// Replaces each operand but those of phis.
    pub(super) fn map(&mut self, mut f: impl FnMut(Value) -> Value) {
        match self {
            Inst::Arg(_)
            | Inst::Run
            | Inst::Const(_)
            | Inst::Frame(_)
            | Inst::FuncAddr(_)
            | Inst::Burn
            | Inst::Phi(_) => {}
            Inst::Un(_, a) | Inst::LoadPacket { index: a, .. } => *a = f(*a),
            Inst::Bin(_, _, a, b) => {
                *a = f(*a);
                *b = f(*b);
            }
            Inst::Select(cmp, t, e) => {
                cmp.a = f(cmp.a);
                cmp.b = f(cmp.b);
                *t = f(*t);
                *e = f(*e);
            }
            Inst::Load { base, .. } => *base = f(*base),
            Inst::Store { base, value, .. } => {
                *base = f(*base);
                *value = f(*value);
            }
            Inst::Atomic { base, value, expected, .. } => {
                *base = f(*base);
                *value = f(*value);
                *expected = f(*expected);
            }
            Inst::Call { args, .. } | Inst::CallFn { args, .. } => {
                for arg in args {
                    if *arg != Value::NONE {
                        *arg = f(*arg);
                    }
                }
            }
        }
    }
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Jump(u32),
    Branch(Cmp, u32, u32),
    Return(Value),
    /// Another program takes this one's place, or the next block goes on: r1, r2, r3.
    TailCall {
        site: u32,
        args: [Value; 3],
        next: u32,
    },
    /// The verifier showed that nothing gets here.
    Unreachable,
}

impl Term {
    pub(super) fn successors(&self) -> impl Iterator<Item = u32> + use<> {
        let (a, b) = match *self {
            Term::Jump(a) | Term::TailCall { next: a, .. } => (Some(a), None),
            Term::Branch(_, a, b) => (Some(a), Some(b)),
            Term::Return(_) | Term::Unreachable => (None, None),
        };
        a.into_iter().chain(b)
    }

    pub(super) fn retarget(&mut self, mut f: impl FnMut(u32) -> u32) {
        match self {
            Term::Jump(a) | Term::TailCall { next: a, .. } => *a = f(*a),
            Term::Branch(_, a, b) => {
                *a = f(*a);
                *b = f(*b);
            }
            Term::Return(_) | Term::Unreachable => {}
        }
    }

    pub(super) fn map(&mut self, mut f: impl FnMut(Value) -> Value) {
        match self {
            Term::Branch(cmp, ..) => {
                cmp.a = f(cmp.a);
                cmp.b = f(cmp.b);
            }
            Term::Return(value) => *value = f(*value),
            Term::TailCall { args, .. } => {
                for arg in args {
                    *arg = f(*arg);
                }
            }
            Term::Jump(_) | Term::Unreachable => {}
        }
    }

    pub(super) fn for_each(&self, mut f: impl FnMut(Value)) {
        let mut copy = *self;
        copy.map(|value| {
            f(value);
            value
        });
    }
}

/// A block: its phis, what follows them, and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) phis: Vec<Value>,
    pub(super) insts: Vec<Value>,
    pub(super) term: Term,
    pub(super) preds: Vec<u32>,
}

/// A function. Block 0 is the entry and has no predecessors.
#[derive(Clone, Debug, Default)]
pub(super) struct Func {
    pub(super) insts: Vec<Inst>,
    /// The block that each value is in; constants and the like are in the entry, and in no list.
    pub(super) home: Vec<u32>,
    pub(super) phi_args: Vec<Vec<Value>>,
    pub(super) blocks: Vec<Block>,
    /// Bytes of its frame.
    pub(super) stack: u32,
    /// What values were replaced by; most by themselves.
    alias: Vec<Value>,
    unique: HashMap<Inst, Value>,
}

impl Func {
    pub(super) fn inst(&self, value: Value) -> &Inst {
        &self.insts[value.index()]
    }

    pub(super) fn add_block(&mut self, term: Term) -> u32 {
        self.blocks.push(Block { phis: Vec::new(), insts: Vec::new(), term, preds: Vec::new() });
        self.blocks.len() as u32 - 1
    }

    /// A value that is in no list yet.
    pub(super) fn loose(&mut self, block: u32, inst: Inst) -> Value {
        let value = Value(self.insts.len() as u32);
        self.insts.push(inst);
        self.home.push(block);
        self.alias.push(value);
        value
    }

    /// Appends to a block.
    pub(super) fn push(&mut self, block: u32, inst: Inst) -> Value {
        let value = self.loose(block, inst);
        self.blocks[block as usize].insts.push(value);
        value
    }

    /// A constant, an argument, an address of the frame or of a function: one value each.
    pub(super) fn leaf(&mut self, inst: Inst) -> Value {
        if let Some(value) = self.unique.get(&inst) {
            return *value;
        }
        let value = self.loose(0, inst);
        self.unique.insert(inst, value);
        value
    }

    pub(super) fn constant(&mut self, value: u64) -> Value {
        self.leaf(Inst::Const(value))
    }

    /// The run.
    pub(super) fn run(&mut self) -> Value {
        self.leaf(Inst::Run)
    }

    pub(super) fn as_const(&self, value: Value) -> Option<u64> {
        match self.inst(value) {
            Inst::Const(number) => Some(*number),
            _ => None,
        }
    }

    /// Appends a phi without arguments.
    pub(super) fn add_phi(&mut self, block: u32) -> Value {
        let number = self.phi_args.len() as u32;
        self.phi_args.push(Vec::new());
        let value = self.loose(block, Inst::Phi(number));
        self.blocks[block as usize].phis.push(value);
        value
    }

    pub(super) fn args_of(&self, phi: Value) -> &[Value] {
        match self.inst(phi) {
            Inst::Phi(number) => &self.phi_args[*number as usize],
            _ => &[],
        }
    }

    pub(super) fn set_args(&mut self, phi: Value, args: Vec<Value>) {
        if let Inst::Phi(number) = *self.inst(phi) {
            self.phi_args[number as usize] = args;
        }
    }

    /// From now on `to` stands for `from`.
    pub(super) fn replace(&mut self, from: Value, to: Value) {
        if from != to {
            self.alias[from.index()] = to;
        }
    }

    /// What stands for a value.
    pub(super) fn resolve(&mut self, value: Value) -> Value {
        if value == Value::NONE {
            return value;
        }
        let mut root = value;
        while self.alias[root.index()] != root {
            root = self.alias[root.index()];
        }
        let mut at = value;
        while at != root {
            at = std::mem::replace(&mut self.alias[at.index()], root);
        }
        root
    }

    /// Writes what was replaced into all operands.
    pub(super) fn apply_replacements(&mut self) {
        for block in 0..self.blocks.len() {
            for at in 0..self.blocks[block].insts.len() {
                let value = self.blocks[block].insts[at];
                let mut inst = *self.inst(value);
                inst.map(|value| self.resolve(value));
                self.insts[value.index()] = inst;
            }
            for at in 0..self.blocks[block].phis.len() {
                let phi = self.blocks[block].phis[at];
                let args = self.args_of(phi).to_vec();
                let args = args.into_iter().map(|arg| self.resolve(arg)).collect();
                self.set_args(phi, args);
            }
            let mut term = self.blocks[block].term;
            term.map(|value| self.resolve(value));
            self.blocks[block].term = term;
        }
    }

    /// Phis whose arguments are all the same, or themselves, become that argument.
    pub(super) fn drop_trivial_phis(&mut self) {
        loop {
            let mut changed = false;
            for block in 0..self.blocks.len() {
                let phis = std::mem::take(&mut self.blocks[block].phis);
                let mut kept = Vec::with_capacity(phis.len());
                for phi in phis {
                    let args = self.args_of(phi).to_vec();
                    let mut only = None;
                    let mut trivial = true;
                    for arg in args {
                        let arg = self.resolve(arg);
                        if arg == phi || Some(arg) == only {
                            continue;
                        }
                        trivial &= only.is_none();
                        only = Some(arg);
                    }
                    match only {
                        Some(only) if trivial => {
                            self.replace(phi, only);
                            changed = true;
                        }
                        _ => kept.push(phi),
                    }
                }
                self.blocks[block].phis = kept;
            }
            if !changed {
                break;
            }
        }
        self.apply_replacements();
    }

    /// Takes one edge from `pred` out of a block's predecessors, and its arguments out of the phis.
    pub(super) fn remove_edge(&mut self, pred: u32, block: u32) {
        let Some(at) = self.blocks[block as usize].preds.iter().position(|other| *other == pred) else {
            return;
        };
        self.blocks[block as usize].preds.remove(at);
        for index in 0..self.blocks[block as usize].phis.len() {
            if let Inst::Phi(number) = *self.inst(self.blocks[block as usize].phis[index]) {
                self.phi_args[number as usize].remove(at);
            }
        }
    }
}
