//! From instructions to values: every register becomes the value that was written to it last, and
//! where paths meet, a phi.

use probity_isa::{AluOp, AtomicOp, JumpOp, Size, Source, Swap, Width};
use probity_vm::Op;
use probity_vm::maps::ArrayLayout;
use probity_vm::run::layout;

use super::cfg::{Spans, after, arguments};
use super::fold::Folded;
use super::ir::{BinOp, Cmp, Func, Inst, Term, UnOp, Value};
use super::{Code, Unhandled};
use crate::abi::in_run;

/// The values of r0 to r10.
type State = [Value; 11];

/// Functions of so many instructions take the place of their calls.
const SMALL: usize = 30;

/// Those that are called once only, of so many.
const LARGE: usize = 400;

/// So many instructions are taken in by one function.
const BUDGET: usize = 1500;

/// So deep calls are followed.
const DEEPEST: u32 = 6;

/// So many bytes of stack a function has with those that it took in.
const STACK: i32 = 4096;

/// What is known of all functions of a program.
pub(super) struct Functions<'a> {
    pub(super) spans: &'a [Spans],
    /// Which arguments they take.
    pub(super) takes: &'a [u16],
    /// How many calls name them; more, when their address is taken.
    pub(super) calls: &'a [u32],
}

struct Builder<'a> {
    code: &'a Code<'a>,
    functions: &'a Functions<'a>,
    func: Func,
    block: u32,
    state: State,
    /// The function that is on, and where its frame ends in that of the one that took it in.
    function: usize,
    base: i32,
    depth: u32,
    budget: usize,
    /// Blocks that were put on edges: from where, to where.
    between: Vec<(u32, u32, u32)>,
    /// In a function that was taken in: the blocks that return, and what.
    returns: Option<Vec<(u32, Value)>>,
}

/// Builds a function.
pub(super) fn build(code: &Code<'_>, functions: &Functions<'_>, function: usize) -> Result<Func, Unhandled> {
    let mut builder = Builder {
        code,
        functions,
        func: Func::default(),
        block: 0,
        state: [Value::NONE; 11],
        function,
        base: 0,
        depth: 0,
        budget: BUDGET,
        between: Vec::new(),
        returns: None,
    };
    builder.block = builder.func.add_block(Term::Unreachable);
    for reg in 1..=5 {
        builder.state[reg] = builder.func.leaf(Inst::Arg(reg as u8 - 1));
    }
    builder.body()?;
    let mut func = builder.func;
    func.drop_trivial_phis();
    Ok(func)
}

/// Spans in reverse postorder, the first first.
fn order(spans: &Spans) -> Vec<usize> {
    let mut seen = vec![false; spans.all.len()];
    let mut post = Vec::with_capacity(spans.all.len());
    let mut stack = vec![(spans.first, 0)];
    seen[spans.first] = true;
    while let Some((span, at)) = stack.pop() {
        // The side behind a jump is visited last and so comes first.
        match spans.all[span].next.get(at) {
            Some(&next) => {
                stack.push((span, at + 1));
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, 0));
                }
            }
            None => post.push(span),
        }
    }
    post.reverse();
    post
}

impl Builder<'_> {
    /// The function that is on, behind the block that is.
    fn body(&mut self) -> Result<(), Unhandled> {
        let functions = self.functions;
        let spans = &functions.spans[self.function];
        let stack = self.code.functions[self.function].stack as i32;
        self.func.stack = self.func.stack.max((stack - self.base) as u32);
        self.state[10] = self.func.leaf(Inst::Frame(self.base));
        let order = order(spans);
        // Blocks by spans: those that they begin with, and those that they end with.
        let mut number = vec![u32::MAX; spans.all.len()];
        for &span in &order {
            number[span] = self.func.add_block(Term::Unreachable);
        }
        let mut last = number.clone();
        // Where spans come from; None: from before the function.
        let mut preds: Vec<Vec<Option<usize>>> = vec![Vec::new(); spans.all.len()];
        preds[spans.first].push(None);
        for &span in &order {
            let next = &spans.all[span].next;
            for (at, &next_span) in next.iter().enumerate() {
                if !next[..at].contains(&next_span) {
                    preds[next_span].push(Some(span));
                }
            }
        }
        let (entry, before) = (self.block, self.state);
        self.end(Term::Jump(number[spans.first]));
        let mut states: Vec<Option<State>> = vec![None; spans.all.len()];
        let mut phis = Vec::new();
        for &span in &order {
            self.block = number[span];
            let from: Vec<Option<State>> =
                preds[span].iter().map(|pred| pred.map_or(Some(before), |pred| states[pred])).collect();
            self.state = self.merge(&from, spans.all[span].live, span, &mut phis);
            let next: Vec<u32> = spans.all[span].next.iter().map(|&next| number[next]).collect();
            self.span(spans.all[span].start, spans.all[span].end, &next)?;
            states[span] = Some(self.state);
            last[span] = self.block;
        }
        for (phi, span, reg) in phis {
            let value = |pred: &Option<usize>| {
                let state = pred.map_or(Some(before), |pred| states[pred]);
                state.map_or(Value::NONE, |state| state[reg])
            };
            let args: Vec<Value> = preds[span].iter().map(value).collect();
            let args = args.into_iter().map(|arg| self.defined(arg)).collect();
            self.func.set_args(phi, args);
        }
        for &span in &order {
            let to = number[span];
            let pred = |pred: &Option<usize>| {
                let from = pred.map_or(entry, |pred| last[pred]);
                let between = self.between.iter().find(|edge| (edge.0, edge.1) == (from, to));
                between.map_or(from, |edge| edge.2)
            };
            let preds = preds[span].iter().map(pred).collect();
            self.func.blocks[to as usize].preds = preds;
        }
        Ok(())
    }

    /// Whether a function is taken in rather than called.
    fn takes_in(&mut self, function: usize) -> bool {
        let spans = &self.functions.spans[function];
        let size: usize = spans.all.iter().map(|span| span.end - span.start).sum();
        let stack = self.code.functions[function].stack;
        let deep =
            i64::from(self.base) - i64::from(self.code.functions[self.function].stack) - i64::from(stack);
        let leaves = |op: &Op| matches!(op, Op::TailCall { .. } | Op::LoadPacket { .. });
        let small = size <= SMALL || size <= LARGE && self.functions.calls[function] == 1;
        small
            && self.depth < DEEPEST
            && size <= self.budget
            && deep > -i64::from(STACK)
            && !(self.code.zeroes_stack && stack > 0)
            && !spans.all.iter().any(|span| self.code.ops[span.start..span.end].iter().any(leaves))
    }

    /// A function in the place of its call; gives what it returns.
    fn take_in(&mut self, function: usize) -> Result<Value, Unhandled> {
        let size: usize = self.functions.spans[function].all.iter().map(|span| span.end - span.start).sum();
        self.budget -= size;
        let args = self.arguments(self.functions.takes[function]);
        let (state, caller, base, depth) = (self.state, self.function, self.base, self.depth);
        let returns = self.returns.replace(Vec::new());
        self.state = [Value::NONE; 11];
        self.state[1..6].copy_from_slice(&args);
        self.base -= self.code.functions[caller].stack as i32;
        self.function = function;
        self.depth += 1;
        self.body()?;
        let ends = std::mem::replace(&mut self.returns, returns).unwrap_or_default();
        (self.state, self.function, self.base, self.depth) = (state, caller, base, depth);
        self.block = self.func.add_block(Term::Unreachable);
        for &(block, _) in &ends {
            self.func.blocks[block as usize].term = Term::Jump(self.block);
        }
        self.func.blocks[self.block as usize].preds = ends.iter().map(|end| end.0).collect();
        match ends.as_slice() {
            [] => Ok(self.func.constant(0)),
            [(_, value)] => Ok(*value),
            _ => {
                let phi = self.func.add_phi(self.block);
                self.func.set_args(phi, ends.iter().map(|end| end.1).collect());
                Ok(phi)
            }
        }
    }

    /// The registers where paths meet. A path that is not known yet, a loop's, makes phis.
    fn merge(
        &mut self,
        before: &[Option<State>],
        live: u16,
        span: usize,
        phis: &mut Vec<(Value, usize, usize)>,
    ) -> State {
        let mut state = [Value::NONE; 11];
        state[10] = self.func.leaf(Inst::Frame(self.base));
        if let [Some(only)] = before {
            return *only;
        }
        for reg in (0..10).filter(|reg| live & 1 << reg != 0) {
            let mut values = before.iter().map(|state| state.map(|state| state[reg]));
            let first = values.next().flatten();
            state[reg] = match first {
                Some(first) if values.all(|value| value == Some(first)) => first,
                _ => {
                    let phi = self.func.add_phi(self.block);
                    phis.push((phi, span, reg));
                    phi
                }
            };
        }
        state
    }

    /// A value to compute with: what nothing was written to is 0.
    fn defined(&mut self, value: Value) -> Value {
        if value == Value::NONE { self.func.constant(0) } else { value }
    }

    fn get(&mut self, reg: u8) -> Result<Value, Unhandled> {
        let value = *self.state.get(usize::from(reg)).ok_or(Unhandled("a register beyond r10"))?;
        Ok(self.defined(value))
    }

    fn set(&mut self, reg: u8, value: Value) -> Result<(), Unhandled> {
        match self.state.get_mut(usize::from(reg)) {
            Some(place) if reg != 10 => *place = value,
            _ => return Err(Unhandled("a write to the frame pointer")),
        }
        Ok(())
    }

    fn source(&mut self, source: Source) -> Result<Value, Unhandled> {
        match source {
            Source::Reg(reg) => self.get(reg),
            Source::Imm(imm) => Ok(self.func.constant(i64::from(imm) as u64)),
        }
    }

    fn push(&mut self, inst: Inst) -> Value {
        match self.func.fold(inst) {
            Folded::Value(value) => value,
            Folded::Inst(inst) => self.func.push(self.block, inst),
        }
    }

    fn write(&mut self, reg: u8, inst: Inst) -> Result<(), Unhandled> {
        let value = self.push(inst);
        self.set(reg, value)
    }

    fn end(&mut self, term: Term) {
        self.func.blocks[self.block as usize].term = term;
    }

    fn branch(&mut self, cmp: Cmp, next: &[u32]) {
        let cmp = self.func.fold_cmp(cmp);
        self.end(if next[0] == next[1] { Term::Jump(next[0]) } else { Term::Branch(cmp, next[0], next[1]) });
    }

    fn span(&mut self, start: usize, end: usize, next: &[u32]) -> Result<(), Unhandled> {
        let mut pc = start;
        while pc < end {
            let op = self.code.ops[pc];
            self.op(&op, pc, next)?;
            pc = after(&op, pc);
        }
        // What did not end the block goes on.
        if let ([next], Term::Unreachable) = (next, self.func.blocks[self.block as usize].term) {
            self.end(Term::Jump(*next));
        }
        Ok(())
    }

    fn op(&mut self, op: &Op, pc: usize, next: &[u32]) -> Result<(), Unhandled> {
        match *op {
            Op::Dead => self.end(Term::Unreachable),
            Op::Ja { target } if target as usize <= pc => self.burn(),
            Op::Nop | Op::Ja { .. } => {}
            Op::Alu { width, op, dst, src } => {
                let (a, b) = (self.get(dst)?, self.source(src)?);
                self.write(dst, Inst::Bin(operator(op), width, a, b))?;
            }
            Op::Mov { width: Width::W64, dst, src: Source::Imm(imm), .. } => {
                let value = self.func.constant(i64::from(imm) as u64);
                self.set(dst, value)?;
            }
            Op::Mov { dst, src: Source::Imm(imm), .. } => {
                let value = self.func.constant(imm.cast_unsigned().into());
                self.set(dst, value)?;
            }
            Op::Mov { width, dst, src: Source::Reg(src), sign_extend } => {
                let value = self.get(src)?;
                match (width, sign_extend) {
                    (Width::W64, None | Some(Size::Dw)) => self.set(dst, value)?,
                    (Width::W32, None | Some(Size::W | Size::Dw)) => {
                        self.write(dst, Inst::Un(UnOp::Zext32, value))?;
                    }
                    (_, Some(size)) => self.write(dst, Inst::Un(UnOp::Sext(size, width), value))?,
                }
            }
            Op::Neg { width, dst } => {
                let value = self.get(dst)?;
                self.write(dst, Inst::Un(UnOp::Neg(width), value))?;
            }
            Op::End { swap, bits, dst } => self.swap(swap, bits, dst)?,
            Op::Const { dst, value } => {
                let value = self.func.constant(value);
                self.set(dst, value)?;
            }
            Op::Func { dst, target } => {
                let function =
                    self.code.function_at(target).ok_or(Unhandled("a function that is not there"))?;
                let value = self.func.leaf(Inst::FuncAddr(function as u32));
                self.set(dst, value)?;
            }
            Op::Load { size, sign_extend, dst, src, off } => {
                let base = self.get(src)?;
                self.write(dst, Inst::Load { size, sign: sign_extend, fixed: false, base, off })?;
            }
            Op::LoadAcquire { size, dst, src, off } => {
                let base = self.get(src)?;
                self.write(dst, Inst::Load { size, sign: false, fixed: true, base, off })?;
            }
            Op::Store { size, dst, off, src } => {
                let (base, value) = (self.get(dst)?, self.source(src)?);
                self.push(Inst::Store { size, base, off, value });
            }
            // Stores of this machine are seen in their order.
            Op::StoreRelease { size, dst, src, off } => {
                let (base, value) = (self.get(dst)?, self.get(src)?);
                self.push(Inst::Store { size, base, off, value });
            }
            Op::Atomic { size, op, fetch, dst, src, off } => {
                if size < Size::W {
                    return Err(Unhandled("an atomic operation on less than 4 bytes"));
                }
                let (base, value) = (self.get(dst)?, self.get(src)?);
                let exchange = op == AtomicOp::Cmpxchg;
                let expected = if exchange { self.get(0)? } else { value };
                let fetch = fetch || matches!(op, AtomicOp::Xchg | AtomicOp::Cmpxchg);
                let old = self.push(Inst::Atomic { size, op, fetch, base, off, value, expected });
                match (exchange, fetch) {
                    (true, _) => self.set(0, old)?,
                    (false, true) => self.set(src, old)?,
                    _ => {}
                }
            }
            Op::LoadPacket { size, index, imm } => {
                let index = match index {
                    Some(index) => self.get(index)?,
                    None => self.func.constant(0),
                };
                self.write(0, Inst::LoadPacket { size, index, imm })?;
            }
            Op::CallRegister { .. } => return Err(Unhandled("a call of a register's number")),
            Op::Jump { width, op, dst, src, target } => {
                let (a, b) = (self.get(dst)?, self.source(src)?);
                let cmp = Cmp { op, width, a, b };
                if self.code.fuel && target as usize <= pc {
                    let between = self.func.add_block(Term::Jump(next[0]));
                    self.func.push(between, Inst::Burn);
                    self.func.blocks[between as usize].preds.push(self.block);
                    self.between.push((self.block, next[0], between));
                    self.branch(cmp, &[between, next[1]]);
                } else {
                    self.branch(cmp, next);
                }
            }
            Op::MayGoto { .. } => self.may_goto(next),
            Op::Call { site } => self.call(site)?,
            Op::TailCall { site } => {
                self.burn();
                let args = [self.get(1)?, self.get(2)?, self.get(3)?];
                // What r0 is when there is no such program: what the interpreter says then.
                let value = self.func.constant(probity_vm::Errno::ENOENT.to_r0());
                self.set(0, value)?;
                self.end(Term::TailCall { site, args, next: next[0] });
            }
            Op::CallSubprog { target } => {
                let function =
                    self.code.function_at(target).ok_or(Unhandled("a function that is not there"))?;
                self.burn();
                if self.takes_in(function) {
                    let value = self.take_in(function)?;
                    return self.set(0, value);
                }
                let args = self.arguments(self.functions.takes[function]);
                self.write(0, Inst::CallFn { function: function as u32, args })?;
            }
            Op::Exit => {
                let value = self.get(0)?;
                match &mut self.returns {
                    Some(returns) => returns.push((self.block, value)),
                    None => self.end(Term::Return(value)),
                }
            }
        }
        Ok(())
    }

    fn swap(&mut self, swap: Swap, bits: u8, dst: u8) -> Result<(), Unhandled> {
        let value = self.get(dst)?;
        if swap == Swap::ToLe {
            let mask = u64::MAX >> (64 - u32::from(bits));
            let mask = self.func.constant(mask);
            return self.write(dst, Inst::Bin(BinOp::And, Width::W64, value, mask));
        }
        self.write(dst, Inst::Un(UnOp::Swap(bits), value))
    }

    /// r1 to r5, those of a set.
    fn arguments(&self, set: u16) -> [Value; 5] {
        std::array::from_fn(|at| if set & 2 << at != 0 { self.state[at + 1] } else { Value::NONE })
    }

    /// Takes one of the fuel, in code that counts.
    fn burn(&mut self) {
        if self.code.fuel {
            self.func.push(self.block, Inst::Burn);
        }
    }

    fn call(&mut self, site: u32) -> Result<(), Unhandled> {
        self.burn();
        if let Some(array) = super::array_of(self.code, site) {
            let key = self.get(2)?;
            let value = self.lookup(array, key);
            return self.set(0, value);
        }
        if let Some(off) = in_run(&self.code.sites[site as usize]) {
            let base = self.func.run();
            return self.write(0, Inst::Load { size: Size::W, sign: false, fixed: false, base, off });
        }
        let args = self.arguments(arguments(self.code, site));
        self.write(0, Inst::Call { site, args })
    }

    /// The address of an array's value, or 0.
    fn lookup(&mut self, array: ArrayLayout, key: Value) -> Value {
        let constant = |this: &mut Self, number: u64| this.func.constant(number);
        let index = self.push(Inst::Load { size: Size::W, sign: false, fixed: false, base: key, off: 0 });
        let stride = constant(self, array.stride.into());
        let offset = self.push(Inst::Bin(BinOp::Mul, Width::W64, index, stride));
        let mut base = constant(self, array.base);
        if array.slot_stride != 0 {
            let (run, off) = (self.func.run(), layout::SLOT as i32);
            let slot = self.push(Inst::Load { size: Size::W, sign: false, fixed: false, base: run, off });
            let stride = constant(self, array.slot_stride.into());
            let offset = self.push(Inst::Bin(BinOp::Mul, Width::W64, slot, stride));
            base = self.push(Inst::Bin(BinOp::Add, Width::W64, offset, base));
        }
        let address = self.push(Inst::Bin(BinOp::Add, Width::W64, offset, base));
        let (zero, end) = (constant(self, 0), constant(self, array.max_entries.into()));
        let inside = Cmp { op: JumpOp::Jlt, width: Width::W32, a: index, b: end };
        self.push(Inst::Select(inside, address, zero))
    }

    /// Takes one of the run's loops, when there is one.
    fn may_goto(&mut self, next: &[u32]) {
        let (base, off) = (self.func.run(), layout::LOOPS as i32);
        let zero = self.func.constant(0);
        let one = self.func.constant(1);
        let left = self.push(Inst::Load { size: Size::Dw, sign: false, fixed: true, base, off });
        let none = Cmp { op: JumpOp::Jeq, width: Width::W64, a: left, b: zero };
        let less = self.push(Inst::Bin(BinOp::Sub, Width::W64, left, one));
        let less = self.push(Inst::Select(none, zero, less));
        self.push(Inst::Store { size: Size::Dw, base, off, value: less });
        self.branch(none, next);
    }
}

fn operator(op: AluOp) -> BinOp {
    match op {
        AluOp::Add => BinOp::Add,
        AluOp::Sub => BinOp::Sub,
        AluOp::Mul => BinOp::Mul,
        AluOp::Div => BinOp::Div,
        AluOp::Or => BinOp::Or,
        AluOp::And => BinOp::And,
        AluOp::Lsh => BinOp::Shl,
        AluOp::Rsh => BinOp::Shr,
        AluOp::Mod => BinOp::Mod,
        AluOp::Xor => BinOp::Xor,
        AluOp::Arsh => BinOp::Sar,
        AluOp::Sdiv => BinOp::Sdiv,
        AluOp::Smod => BinOp::Smod,
    }
}
