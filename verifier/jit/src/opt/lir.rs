//! Instructions of the machine, with registers yet to be chosen.

use probity_isa::{AtomicOp, JumpOp, Size};

use crate::encode::{Alu, Reg, Scale, Shift, Width};

/// A virtual register: first those of values, then temporary ones.
pub(super) type Vreg = u32;

/// What an address begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Reg(Vreg),
    /// The frame pointer of BPF.
    Frame,
    Run,
}

/// A place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addr {
    pub(super) base: Base,
    pub(super) index: Option<(Vreg, Scale)>,
    pub(super) disp: i32,
}

/// An operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Src {
    Reg(Vreg),
    Imm(i32),
    Mem(Addr),
    /// Any number; for copies.
    Big(u64),
    /// The frame pointer of BPF and a number; for copies.
    Frame(i32),
}

/// A comparison: `test` for [`JumpOp::Jset`], else `cmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compare {
    pub(super) op: JumpOp,
    /// True when the and of both is compared with 0, by `op`.
    pub(super) test: bool,
    pub(super) width: Width,
    pub(super) a: Src,
    pub(super) b: Src,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lir {
    /// Arguments of the function, and where they are.
    Params(Vec<(Vreg, Reg)>),
    Const {
        dst: Vreg,
        value: u64,
    },
    FuncAddr {
        dst: Vreg,
        function: u32,
    },
    /// With 32 bits, zeros above.
    Copy {
        width: Width,
        dst: Vreg,
        src: Vreg,
    },
    Alu {
        op: Alu,
        width: Width,
        dst: Vreg,
        a: Vreg,
        b: Src,
    },
    Mul {
        width: Width,
        dst: Vreg,
        a: Vreg,
        b: Src,
    },
    Lea {
        width: Width,
        dst: Vreg,
        addr: Addr,
    },
    Shift {
        op: Shift,
        width: Width,
        dst: Vreg,
        a: Vreg,
        count: u8,
    },
    ShiftBy {
        op: Shift,
        width: Width,
        dst: Vreg,
        a: Vreg,
        count: Vreg,
    },
    Neg {
        width: Width,
        dst: Vreg,
        a: Vreg,
    },
    Not {
        width: Width,
        dst: Vreg,
        a: Vreg,
    },
    Swap {
        bits: u8,
        dst: Vreg,
        a: Vreg,
    },
    /// Of a register its low part, or a load; `sign` is the width that the sign is extended to.
    Extend {
        size: Size,
        sign: Option<Width>,
        dst: Vreg,
        src: Src,
    },
    Store {
        size: Size,
        addr: Addr,
        src: Src,
    },
    AluStore {
        op: Alu,
        width: Width,
        addr: Addr,
        src: Src,
    },
    /// The upper half of the product of 64 bits.
    MulHigh {
        dst: Vreg,
        a: Vreg,
        b: Vreg,
    },
    Divide {
        width: Width,
        signed: bool,
        remainder: bool,
        /// The divisor is never 0 or -1.
        plain: bool,
        dst: Vreg,
        a: Vreg,
        b: Vreg,
    },
    Select {
        cmp: Compare,
        dst: Vreg,
        t: Src,
        e: Src,
    },
    Atomic {
        width: Width,
        op: AtomicOp,
        /// Who gets the old value.
        dst: Option<Vreg>,
        addr: Addr,
        value: Vreg,
        expected: Vreg,
    },
    LoadPacket {
        size: Size,
        index: Src,
        imm: i32,
        dst: Vreg,
    },
    Burn,
    Call {
        site: u32,
        args: [Option<Src>; 5],
        dst: Vreg,
    },
    CallFn {
        function: u32,
        args: [Option<Src>; 5],
        dst: Vreg,
    },
    /// All at once.
    Copies(Vec<(Vreg, Src)>),
    Jump(u32),
    Branch(Compare, u32, u32),
    Return(Src),
    TailCall {
        site: u32,
        args: [Src; 3],
        next: u32,
    },
    Unreachable,
}

/// How an instruction has to do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read before anything is written.
    Use,
    /// Read when the result or what is clobbered may be written already.
    Late,
    /// Written at the end.
    Def,
    /// Written while others are still read.
    EarlyDef,
}

/// A set of registers of the machine.
pub(super) type RegSet = u16;

/// The set of one.
pub(super) const fn set(reg: Reg) -> RegSet {
    1 << reg.number()
}

/// What calls leave undefined.
pub(super) const CALLER_SAVED: RegSet = set(Reg::Rax)
    | set(Reg::Rcx)
    | set(Reg::Rdx)
    | set(Reg::Rsi)
    | set(Reg::Rdi)
    | set(Reg::R8)
    | set(Reg::R9)
    | set(Reg::R10)
    | set(Reg::R11);

/// Where arguments of calls are.
pub(super) const ARGUMENTS: [Reg; 5] = [Reg::Rdi, Reg::Rsi, Reg::Rdx, Reg::Rcx, Reg::R8];

impl Addr {
    fn visit(&self, role: Role, f: &mut impl FnMut(Role, Vreg)) {
        if let Base::Reg(reg) = self.base {
            f(role, reg);
        }
        if let Some((reg, _)) = self.index {
            f(role, reg);
        }
    }
}

impl Src {
    fn visit(&self, role: Role, f: &mut impl FnMut(Role, Vreg)) {
        match self {
            Src::Reg(reg) => f(role, *reg),
            Src::Mem(addr) => addr.visit(role, f),
            Src::Imm(_) | Src::Big(_) | Src::Frame(_) => {}
        }
    }
}

impl Compare {
    fn visit(&self, f: &mut impl FnMut(Role, Vreg)) {
        self.a.visit(Role::Use, f);
        self.b.visit(Role::Use, f);
    }
}

/// Whether an operator's operands may change places.
pub(super) fn commutes(op: Alu) -> bool {
    matches!(op, Alu::Add | Alu::Or | Alu::And | Alu::Xor)
}

impl Lir {
    /// Calls `f` with every register.
    pub(super) fn visit(&self, bmi2: bool, f: &mut impl FnMut(Role, Vreg)) {
        use Role::{Def, EarlyDef, Late, Use};
        match self {
            Lir::Params(params) => params.iter().for_each(|(reg, _)| f(Def, *reg)),
            Lir::Const { dst, .. } | Lir::FuncAddr { dst, .. } => f(Def, *dst),
            Lir::Copy { dst, src, .. } => {
                f(Use, *src);
                f(Def, *dst);
            }
            Lir::Alu { op, dst, a, b, .. } => {
                f(Use, *a);
                let early = matches!(b, Src::Reg(_)) && commutes(*op);
                b.visit(if early { Use } else { Late }, f);
                f(Def, *dst);
            }
            Lir::Mul { dst, a, b, .. } => {
                f(Use, *a);
                b.visit(if matches!(b, Src::Reg(_)) { Use } else { Late }, f);
                f(Def, *dst);
            }
            Lir::Lea { dst, addr, .. } => {
                addr.visit(Use, f);
                f(Def, *dst);
            }
            Lir::Shift { dst, a, .. }
            | Lir::Neg { dst, a, .. }
            | Lir::Not { dst, a, .. }
            | Lir::Swap { dst, a, .. } => {
                f(Use, *a);
                f(Def, *dst);
            }
            Lir::ShiftBy { dst, a, count, .. } => {
                f(if bmi2 { Use } else { Late }, *a);
                f(Use, *count);
                f(if bmi2 { Def } else { EarlyDef }, *dst);
            }
            Lir::Extend { dst, src, .. } => {
                src.visit(Use, f);
                f(Def, *dst);
            }
            Lir::Store { addr, src, .. } | Lir::AluStore { addr, src, .. } => {
                addr.visit(Use, f);
                src.visit(Use, f);
            }
            Lir::MulHigh { dst, a, b } | Lir::Divide { dst, a, b, .. } => {
                f(Use, *a);
                f(Late, *b);
                f(Def, *dst);
            }
            Lir::Select { cmp, dst, t, e } => {
                cmp.visit(f);
                t.visit(if matches!(e, Src::Reg(_)) && matches!(t, Src::Reg(_)) { Use } else { Late }, f);
                e.visit(if matches!(t, Src::Reg(_)) { Use } else { Late }, f);
                f(Def, *dst);
            }
            Lir::Atomic { dst, addr, value, expected, .. } => {
                addr.visit(Late, f);
                f(Late, *value);
                f(Use, *expected);
                if let Some(dst) = dst {
                    f(Def, *dst);
                }
            }
            Lir::Call { args, dst, .. } | Lir::CallFn { args, dst, .. } => {
                args.iter().flatten().for_each(|arg| arg.visit(Use, f));
                f(Def, *dst);
            }
            Lir::Copies(copies) => {
                copies.iter().for_each(|(_, src)| src.visit(Use, f));
                copies.iter().for_each(|(dst, _)| f(Def, *dst));
            }
            Lir::Branch(cmp, ..) => cmp.visit(f),
            Lir::Return(src) => src.visit(Use, f),
            Lir::TailCall { args, .. } => {
                // The first is still needed when it is known where to go.
                args[0].visit(Late, f);
                args[1].visit(Use, f);
                args[2].visit(Use, f);
            }
            Lir::LoadPacket { index, dst, .. } => {
                index.visit(Use, f);
                f(Def, *dst);
            }
            Lir::Burn | Lir::Jump(_) | Lir::Unreachable => {}
        }
    }

    /// What it writes besides.
    pub(super) fn clobbers(&self, bmi2: bool) -> RegSet {
        match self {
            Lir::ShiftBy { .. } if !bmi2 => set(Reg::Rcx),
            Lir::MulHigh { .. } if bmi2 => set(Reg::Rdx),
            Lir::MulHigh { .. } | Lir::Divide { .. } => set(Reg::Rax) | set(Reg::Rdx),
            Lir::Atomic { op: AtomicOp::Cmpxchg, .. } => set(Reg::Rax),
            Lir::Atomic { op: AtomicOp::And | AtomicOp::Or | AtomicOp::Xor, dst: Some(_), .. } => {
                set(Reg::Rax) | set(Reg::Rdx)
            }
            Lir::LoadPacket { .. } | Lir::Call { .. } | Lir::CallFn { .. } | Lir::TailCall { .. } => {
                CALLER_SAVED
            }
            _ => 0,
        }
    }
}
