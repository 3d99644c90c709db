//! From values to instructions of the machine: blocks and their instructions are walked backwards, so
//! that it is known who needs a value when it is its turn, and what nobody needs is left out.

use probity_isa::{JumpOp, Size, Width};

use super::analysis::Analysis;
use super::fold::cut;
use super::ir::{BinOp, Func, Inst, Term, UnOp, Value};
use super::lir::{ARGUMENTS, Addr, Base, Lir, Src, Vreg};
use crate::encode::{self, Alu, Reg, Scale, Shift};

/// A function whose instructions are chosen.
#[derive(Debug)]
pub(super) struct Selected {
    /// By the numbers of blocks; those that nothing reaches are empty.
    pub(super) blocks: Vec<Vec<Lir>>,
    /// How many virtual registers there are.
    pub(super) vregs: usize,
    /// Phis of each block.
    pub(super) phis: Vec<Vec<Vreg>>,
}

pub(super) struct Selector<'a> {
    pub(super) func: &'a Func,
    pub(super) analysis: &'a Analysis,
    /// How many operands and phis name a value, of those that are needed at all.
    pub(super) uses: Vec<u32>,
    needed: Vec<bool>,
    /// How many barriers come before a value in its block.
    pub(super) epoch: Vec<u32>,
    pub(super) block: u32,
    /// The epoch of what is being selected.
    pub(super) now: u32,
    next: Vreg,
    /// Backwards.
    out: Vec<Lir>,
    /// What comes before the instruction that is being selected, backwards.
    before: Vec<Lir>,
}

/// Selects instructions. No edge may be critical.
pub(super) fn select(func: &Func, analysis: &Analysis, entry: bool) -> Selected {
    let mut selector = Selector {
        func,
        analysis,
        uses: count_uses(func, analysis),
        needed: vec![false; func.insts.len()],
        epoch: epochs(func, analysis),
        block: 0,
        now: 0,
        next: func.insts.len() as Vreg,
        out: Vec::new(),
        before: Vec::new(),
    };
    let mut blocks = vec![Vec::new(); func.blocks.len()];
    for &block in analysis.order.iter().rev() {
        selector.block(block, entry);
        blocks[block as usize] = std::mem::take(&mut selector.out);
        blocks[block as usize].reverse();
    }
    let phis = func.blocks.iter().map(|block| {
        let live = block.phis.iter().filter(|phi| selector.uses[phi.index()] > 0);
        live.map(|phi| phi.0).collect()
    });
    Selected { blocks, vregs: selector.next as usize, phis: phis.collect() }
}

/// Counts the uses of what has an effect, or is used by what is needed.
fn count_uses(func: &Func, analysis: &Analysis) -> Vec<u32> {
    let mut uses = vec![0_u32; func.insts.len()];
    let mut open = Vec::new();
    for &block in &analysis.order {
        let block = &func.blocks[block as usize];
        block.term.for_each(|value| open.push(value));
        for &value in &block.insts {
            let inst = func.inst(value);
            if inst.has_effect() {
                inst.for_each(|value| open.push(value));
            }
        }
    }
    while let Some(value) = open.pop() {
        uses[value.index()] += 1;
        if uses[value.index()] > 1 || func.inst(value).has_effect() {
            continue;
        }
        func.inst(value).for_each(|value| open.push(value));
        open.extend(func.args_of(value).iter().copied().filter(|&arg| arg != value));
    }
    uses
}

fn epochs(func: &Func, analysis: &Analysis) -> Vec<u32> {
    let mut epochs = vec![0; func.insts.len()];
    for &block in &analysis.order {
        let mut epoch = 0;
        for &value in &func.blocks[block as usize].insts {
            epochs[value.index()] = epoch;
            epoch += u32::from(func.inst(value).is_barrier());
        }
    }
    epochs
}

/// A number as the immediate of an operation: sign-extended from 32 bits to 64.
pub(super) fn immediate(width: Width, number: u64) -> Option<i32> {
    match width {
        Width::W32 => Some(number as u32 as i32),
        Width::W64 => i32::try_from(number as i64).ok(),
    }
}

impl Selector<'_> {
    pub(super) fn temp(&mut self) -> Vreg {
        self.next += 1;
        self.next - 1
    }

    fn push(&mut self, lir: Lir) {
        self.out.push(lir);
        self.out.append(&mut self.before);
    }

    /// Puts something before the instruction that is being selected. What is put later comes earlier.
    pub(super) fn before(&mut self, lir: Lir) {
        self.before.push(lir);
    }

    /// A value in a register.
    pub(super) fn reg(&mut self, value: Value) -> Vreg {
        match *self.func.inst(value) {
            // Outside of loops numbers are made where they are used.
            Inst::Const(number) if self.analysis.depth[self.block as usize] == 0 => {
                let dst = self.temp();
                self.before(Lir::Const { dst, value: number });
                dst
            }
            Inst::Frame(off) => {
                let dst = self.temp();
                let addr = Addr { base: Base::Frame, index: None, disp: off };
                self.before(Lir::Lea { width: encode::Width::W64, dst, addr });
                dst
            }
            Inst::Run => {
                let dst = self.temp();
                let addr = Addr { base: Base::Run, index: None, disp: 0 };
                self.before(Lir::Lea { width: encode::Width::W64, dst, addr });
                dst
            }
            Inst::FuncAddr(function) => {
                let dst = self.temp();
                self.before(Lir::FuncAddr { dst, function });
                dst
            }
            _ => {
                self.needed[value.index()] = true;
                value.0
            }
        }
    }

    /// A value as an operand of a copy.
    fn copied(&mut self, value: Value) -> Src {
        match *self.func.inst(value) {
            Inst::Const(number) => Src::Big(number),
            Inst::Frame(off) => Src::Frame(off),
            _ => Src::Reg(self.reg(value)),
        }
    }

    /// An immediate or a register.
    pub(super) fn imm_or_reg(&mut self, width: Width, value: Value) -> Src {
        match self.func.as_const(value).and_then(|number| immediate(width, cut(width, number))) {
            Some(imm) => Src::Imm(imm),
            None => Src::Reg(self.reg(value)),
        }
    }

    /// True when a value is only used by what is being selected, so that it may be part of it.
    pub(super) fn is_sole(&self, value: Value) -> bool {
        self.uses[value.index()] == 1 && self.func.home[value.index()] == self.block
    }

    /// A load that may be done by what is being selected, as an operand of a size.
    pub(super) fn foldable_load(&self, value: Value, size: Size) -> Option<(Value, i32)> {
        match *self.func.inst(value) {
            Inst::Load { size: loaded, sign: false, fixed: false, base, off }
                if loaded == size && self.is_sole(value) && self.epoch[value.index()] == self.now =>
            {
                Some((base, off))
            }
            _ => None,
        }
    }

    fn operand_size(width: Width) -> Size {
        match width {
            Width::W32 => Size::W,
            Width::W64 => Size::Dw,
        }
    }

    /// An immediate, a load or a register.
    pub(super) fn operand(&mut self, width: Width, value: Value) -> Src {
        match self.foldable_load(value, Self::operand_size(width)) {
            Some((base, off)) => Src::Mem(self.address(base, off)),
            None => self.imm_or_reg(width, value),
        }
    }

    fn block(&mut self, block: u32, entry: bool) {
        self.block = block;
        let func = self.func;
        let data = &func.blocks[block as usize];
        self.now = data.insts.iter().filter(|&&value| func.inst(value).is_barrier()).count() as u32;
        self.term(&data.term);
        for &value in data.insts.iter().rev() {
            self.now = self.epoch[value.index()];
            let inst = *func.inst(value);
            if inst.has_effect() || self.needed[value.index()] {
                self.inst(value, &inst);
            }
        }
        if block == 0 {
            self.leaves(entry);
        }
    }

    /// At the entry: numbers that loops use, and arguments.
    fn leaves(&mut self, entry: bool) {
        let mut params = Vec::new();
        for at in 0..self.func.insts.len() {
            if !self.needed[at] {
                continue;
            }
            match self.func.insts[at] {
                Inst::Const(value) => self.push(Lir::Const { dst: at as Vreg, value }),
                Inst::Arg(number) => params.push((at as Vreg, ARGUMENTS[usize::from(number)])),
                _ => {}
            }
        }
        // A program is entered with two at most.
        params.retain(|(_, reg)| !entry || matches!(reg, Reg::Rdi | Reg::Rsi));
        self.push(Lir::Params(params));
    }

    fn term(&mut self, term: &Term) {
        match *term {
            Term::Jump(next) => {
                self.push(Lir::Jump(next));
                self.copies(next);
            }
            Term::Branch(cmp, t, e) => {
                let cmp = self.compare(cmp);
                self.push(Lir::Branch(cmp, t, e));
            }
            Term::Return(value) => {
                let src = self.copied(value);
                self.push(Lir::Return(src));
            }
            Term::TailCall { site, args, next } => {
                let args = args.map(|arg| self.copied(arg));
                self.push(Lir::TailCall { site, args, next });
            }
            Term::Unreachable => self.push(Lir::Unreachable),
        }
    }

    /// What the phis of the next block get.
    fn copies(&mut self, next: u32) {
        let func = self.func;
        let target = &func.blocks[next as usize];
        let Some(at) = target.preds.iter().position(|&pred| pred == self.block) else { return };
        let mut copies = Vec::new();
        for &phi in &target.phis {
            let arg = func.args_of(phi)[at];
            if self.uses[phi.index()] > 0 && arg != phi {
                let src = self.copied(arg);
                copies.push((phi.0, src));
            }
        }
        if !copies.is_empty() {
            self.push(Lir::Copies(copies));
        }
    }

    fn inst(&mut self, value: Value, inst: &Inst) {
        let dst = value.0;
        let lir = match *inst {
            Inst::Arg(_) | Inst::Run | Inst::Const(_) | Inst::Frame(_) | Inst::FuncAddr(_) | Inst::Phi(_) => {
                return;
            }
            Inst::Bin(op, width, a, b) => self.bin(op, width, a, b, dst),
            Inst::Un(op, a) => self.un(op, a, dst),
            Inst::Select(cmp, t, e) => self.selection(cmp, t, e, dst),
            Inst::Load { size, sign, base, off, .. } => {
                let src = Src::Mem(self.address(base, off));
                Lir::Extend { size, sign: sign.then_some(encode::Width::W64), dst, src }
            }
            Inst::Store { size, base, off, value } => self.store(size, base, off, value),
            Inst::Atomic { size, op, fetch, base, off, value, expected } => {
                let addr = self.address(base, off);
                let (value, expected) = (self.reg(value), self.reg(expected));
                let dst = fetch.then_some(dst);
                Lir::Atomic { width: size.into(), op, dst, addr, value, expected }
            }
            Inst::LoadPacket { size, index, imm } => {
                Lir::LoadPacket { size, index: self.copied(index), imm, dst }
            }
            Inst::Burn => Lir::Burn,
            Inst::Call { site, args } => Lir::Call { site, args: self.arguments(args), dst },
            Inst::CallFn { function, args } => Lir::CallFn { function, args: self.arguments(args), dst },
        };
        self.push(lir);
    }

    fn arguments(&mut self, args: [Value; 5]) -> [Option<Src>; 5] {
        args.map(|arg| (arg != Value::NONE).then(|| self.copied(arg)))
    }

    fn un(&mut self, op: UnOp, a: Value, dst: Vreg) -> Lir {
        match op {
            UnOp::Neg(width) => Lir::Neg { width: width.into(), dst, a: self.reg(a) },
            UnOp::Swap(bits) => Lir::Swap { bits, dst, a: self.reg(a) },
            UnOp::Zext32 => Lir::Copy { width: encode::Width::W32, dst, src: self.reg(a) },
            UnOp::Sext(size, width) => {
                let src = match self.foldable_load(a, size) {
                    Some((base, off)) => Src::Mem(self.address(base, off)),
                    None => Src::Reg(self.reg(a)),
                };
                Lir::Extend { size, sign: Some(width.into()), dst, src }
            }
        }
    }

    fn bin(&mut self, op: BinOp, width: Width, a: Value, b: Value, dst: Vreg) -> Lir {
        let number = self.func.as_const(b).map(|number| cut(width, number));
        let wide = encode::Width::from(width);
        match op {
            BinOp::Add => self.add(width, a, b, dst),
            BinOp::Sub => self.alu(Alu::Sub, width, a, b, dst),
            BinOp::Or => self.alu(Alu::Or, width, a, b, dst),
            BinOp::Xor if number == Some(cut(width, u64::MAX)) => {
                Lir::Not { width: wide, dst, a: self.reg(a) }
            }
            BinOp::Xor => self.alu(Alu::Xor, width, a, b, dst),
            BinOp::And => match number {
                Some(0xff) => Lir::Extend { size: Size::B, sign: None, dst, src: self.narrow(a) },
                Some(0xffff) => Lir::Extend { size: Size::H, sign: None, dst, src: self.narrow(a) },
                Some(mask) if mask <= u32::MAX.into() => self.alu(Alu::And, Width::W32, a, b, dst),
                _ => self.alu(Alu::And, width, a, b, dst),
            },
            BinOp::Mul => self.mul(width, a, b, dst),
            BinOp::Shl | BinOp::Shr | BinOp::Sar => {
                let op = match op {
                    BinOp::Shl => Shift::Shl,
                    BinOp::Shr => Shift::Shr,
                    _ => Shift::Sar,
                };
                match number {
                    Some(count) => {
                        let count = (count as u32 & (width.bits() - 1)) as u8;
                        Lir::Shift { op, width: wide, dst, a: self.reg(a), count }
                    }
                    None => Lir::ShiftBy { op, width: wide, dst, a: self.reg(a), count: self.reg(b) },
                }
            }
            BinOp::Rotl => {
                let count = (number.unwrap_or(0) as u32 & (width.bits() - 1)) as u8;
                Lir::Shift { op: Shift::Rol, width: wide, dst, a: self.reg(a), count }
            }
            BinOp::MulHigh => Lir::MulHigh { dst, a: self.reg(a), b: self.reg(b) },
            BinOp::Div | BinOp::Mod | BinOp::Sdiv | BinOp::Smod => Lir::Divide {
                width: wide,
                signed: matches!(op, BinOp::Sdiv | BinOp::Smod),
                remainder: matches!(op, BinOp::Mod | BinOp::Smod),
                plain: number.is_some_and(|number| number != 0 && number != cut(width, u64::MAX)),
                dst,
                a: self.reg(a),
                b: self.reg(b),
            },
        }
    }

    /// The register of a value of which only the low part counts.
    fn narrow(&mut self, value: Value) -> Src {
        Src::Reg(self.reg(value))
    }

    pub(super) fn alu(&mut self, op: Alu, width: Width, a: Value, b: Value, dst: Vreg) -> Lir {
        // A load on the left may become the right operand where the order does not matter.
        let swaps = super::lir::commutes(op)
            && self.foldable_load(a, Self::operand_size(width)).is_some()
            && self.foldable_load(b, Self::operand_size(width)).is_none()
            && self.func.as_const(b).is_none();
        let (a, b) = if swaps { (b, a) } else { (a, b) };
        let b = self.operand(width, b);
        Lir::Alu { op, width: width.into(), dst, a: self.reg(a), b }
    }

    fn add(&mut self, width: Width, a: Value, b: Value, dst: Vreg) -> Lir {
        let (x, y) = if self.scaled(a, width).is_some() { (b, a) } else { (a, b) };
        if let (Some((index, scale)), None) = (self.scaled(y, width), self.func.as_const(x)) {
            let (base, index) = (Base::Reg(self.reg(x)), self.reg(index));
            let addr = Addr { base, index: Some((index, scale)), disp: 0 };
            return Lir::Lea { width: width.into(), dst, addr };
        }
        if let Inst::Frame(disp) = *self.func.inst(a)
            && width == Width::W64
        {
            let addr = Addr { base: Base::Frame, index: Some((self.reg(b), Scale::One)), disp };
            return Lir::Lea { width: encode::Width::W64, dst, addr };
        }
        self.alu(Alu::Add, width, a, b, dst)
    }

    /// `x << k` for a small k that is part of an addition only.
    fn scaled(&self, value: Value, width: Width) -> Option<(Value, Scale)> {
        match *self.func.inst(value) {
            Inst::Bin(BinOp::Shl, inner, x, count)
                if self.is_sole(value) && (inner == width || width == Width::W32) =>
            {
                let count = self.func.as_const(count)? & u64::from(inner.bits() - 1);
                let scale = if count <= 3 { Scale::by(1 << count)? } else { return None };
                Some((x, scale))
            }
            _ => None,
        }
    }

    fn mul(&mut self, width: Width, a: Value, b: Value, dst: Vreg) -> Lir {
        let number = self.func.as_const(b).map(|number| cut(width, number));
        if let Some(factor @ (3 | 5 | 9)) = number {
            let a = self.reg(a);
            let index = Scale::by(factor - 1).map(|scale| (a, scale));
            return Lir::Lea { width: width.into(), dst, addr: Addr { base: Base::Reg(a), index, disp: 0 } };
        }
        let b = self.operand(width, b);
        Lir::Mul { width: width.into(), dst, a: self.reg(a), b }
    }

    fn store(&mut self, size: Size, base: Value, off: i32, value: Value) -> Lir {
        if let Some(lir) = self.update(size, base, off, value) {
            return lir;
        }
        let width = if size == Size::Dw { Width::W64 } else { Width::W32 };
        let src = self.imm_or_reg(width, value);
        Lir::Store { size, addr: self.address(base, off), src }
    }

    /// A store of what was just loaded from there and changed.
    fn update(&mut self, size: Size, base: Value, off: i32, value: Value) -> Option<Lir> {
        let Inst::Bin(op, _, a, b) = *self.func.inst(value) else { return None };
        let Inst::Bin(_, width, ..) = *self.func.inst(value) else { return None };
        if !self.is_sole(value) || (size == Size::Dw && width == Width::W32) {
            return None;
        }
        let op = match op {
            BinOp::Add => Alu::Add,
            BinOp::Sub => Alu::Sub,
            BinOp::And => Alu::And,
            BinOp::Or => Alu::Or,
            BinOp::Xor => Alu::Xor,
            _ => return None,
        };
        let same = |value: Value| self.foldable_load(value, size) == Some((base, off));
        let other = if same(a) {
            b
        } else if same(b) && super::lir::commutes(op) {
            a
        } else {
            return None;
        };
        let width = if size == Size::Dw { Width::W64 } else { Width::W32 };
        let src = self.imm_or_reg(width, other);
        Some(Lir::AluStore { op, width: size.into(), addr: self.address(base, off), src })
    }

    pub(super) fn is_unsigned(op: JumpOp) -> bool {
        !matches!(op, JumpOp::Jsgt | JumpOp::Jsge | JumpOp::Jslt | JumpOp::Jsle)
    }
}
