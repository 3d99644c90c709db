//! The blocks of one function's instructions, and which registers are live where.

use std::collections::BTreeMap;

use probity_isa::{AtomicOp, Source};
use probity_platform::CallableFlags;
use probity_vm::Op;

use super::{Code, Unhandled};

/// A set of registers.
pub(super) type Regs = u16;

/// r1 to r5.
pub(super) const ARGS: Regs = 0b11_1110;

/// Instructions that run one after the other.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    /// One past the last.
    pub(super) end: usize,
    /// The block of the jump's target, then that behind it; for other ends the only one.
    pub(super) next: Vec<usize>,
    /// Registers whose value at the start is used.
    pub(super) live: Regs,
}

/// The spans of a function that are reached from its start, in the order of the program.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    pub(super) all: Vec<Span>,
    /// The one that it starts with.
    pub(super) first: usize,
}

/// How an instruction ends a span: where it may go, by slots.
fn ends(op: &Op, pc: usize) -> Option<Vec<usize>> {
    match *op {
        Op::Ja { target } => Some(vec![target as usize]),
        Op::Jump { target, .. } | Op::MayGoto { target } => Some(vec![target as usize, pc + 1]),
        Op::TailCall { .. } => Some(vec![pc + 1]),
        Op::Exit | Op::Dead => Some(Vec::new()),
        _ => None,
    }
}

/// The slot behind an instruction.
pub(super) fn after(op: &Op, pc: usize) -> usize {
    match op {
        Op::Const { .. } | Op::Func { .. } => pc + 2,
        _ => pc + 1,
    }
}

impl Spans {
    /// Finds them.
    pub(super) fn new(ops: &[Op], start: usize) -> Result<Spans, Unhandled> {
        let outside = Unhandled("a jump out of the program");
        let mut starts = BTreeMap::from([(start, 0)]);
        let mut seen = vec![false; ops.len()];
        let mut open = vec![start];
        while let Some(mut pc) = open.pop() {
            loop {
                let op = ops.get(pc).ok_or_else(|| outside.clone())?;
                if std::mem::replace(&mut seen[pc], true) {
                    break;
                }
                if let Some(targets) = ends(op, pc) {
                    for target in targets {
                        starts.insert(target, 0);
                        open.push(target);
                    }
                    break;
                }
                pc = after(op, pc);
            }
        }
        for (number, place) in starts.values_mut().enumerate() {
            *place = number;
        }
        let mut all = Vec::with_capacity(starts.len());
        for &start in starts.keys() {
            let mut pc = start;
            let (end, targets) = loop {
                let op = ops.get(pc).ok_or_else(|| outside.clone())?;
                let next = after(op, pc);
                if let Some(targets) = ends(op, pc) {
                    break (next, targets);
                }
                if starts.contains_key(&next) {
                    break (next, vec![next]);
                }
                pc = next;
            };
            let next = targets.iter().map(|target| starts[target]).collect();
            all.push(Span { start, end, next, live: 0 });
        }
        let first = starts[&start];
        Ok(Spans { all, first })
    }

    /// Computes what is live, given which arguments functions of the program take.
    pub(super) fn find_live(&mut self, code: &Code<'_>, takes: &[Regs]) {
        let effects: Vec<(Regs, Regs)> = self.all.iter().map(|span| effect(span, code, takes)).collect();
        let mut preds = vec![Vec::new(); self.all.len()];
        for (number, span) in self.all.iter().enumerate() {
            for &next in &span.next {
                preds[next].push(number);
            }
        }
        let mut open: Vec<usize> = (0..self.all.len()).collect();
        let mut queued = vec![true; self.all.len()];
        while let Some(number) = open.pop() {
            queued[number] = false;
            let out = self.all[number].next.iter().fold(0, |out, &next| out | self.all[next].live);
            let live = effects[number].0 | out & !effects[number].1;
            if live != self.all[number].live {
                self.all[number].live = live;
                for &pred in &preds[number] {
                    if !std::mem::replace(&mut queued[pred], true) {
                        open.push(pred);
                    }
                }
            }
        }
    }
}

/// Which registers a span uses before it writes them, and which it writes.
fn effect(span: &Span, code: &Code<'_>, takes: &[Regs]) -> (Regs, Regs) {
    let (mut used, mut written) = (0, 0);
    let mut pc = span.start;
    while pc < span.end {
        let op = &code.ops[pc];
        let (uses, writes) = registers(op, code, takes);
        used |= uses & !written;
        written |= writes;
        pc = after(op, pc);
    }
    (used, written)
}

fn bit(reg: u8) -> Regs {
    1 << reg
}

fn of(source: Source) -> Regs {
    source.reg().map_or(0, bit)
}

/// Which registers an instruction uses and writes.
fn registers(op: &Op, code: &Code<'_>, takes: &[Regs]) -> (Regs, Regs) {
    match *op {
        Op::Dead | Op::Nop | Op::Ja { .. } | Op::MayGoto { .. } => (0, 0),
        Op::Alu { dst, src, .. } => (bit(dst) | of(src), bit(dst)),
        Op::Mov { dst, src, .. } => (of(src), bit(dst)),
        Op::Neg { dst, .. } | Op::End { dst, .. } => (bit(dst), bit(dst)),
        Op::Const { dst, .. } | Op::Func { dst, .. } => (0, bit(dst)),
        Op::Load { dst, src, .. } | Op::LoadAcquire { dst, src, .. } => (bit(src), bit(dst)),
        Op::Store { dst, src, .. } => (bit(dst) | of(src), 0),
        Op::StoreRelease { dst, src, .. } => (bit(dst) | bit(src), 0),
        Op::Atomic { op: AtomicOp::Cmpxchg, dst, src, .. } => (bit(dst) | bit(src) | bit(0), bit(0)),
        Op::Atomic { fetch, dst, src, .. } => (bit(dst) | bit(src), if fetch { bit(src) } else { 0 }),
        Op::LoadPacket { index, .. } => (index.map_or(0, bit), bit(0)),
        Op::Jump { dst, src, .. } => (bit(dst) | of(src), 0),
        Op::Call { site } => (arguments(code, site), bit(0)),
        Op::CallRegister { .. } => (ARGS, bit(0)),
        Op::TailCall { .. } => (0b1110, bit(0)),
        Op::CallSubprog { target } => (code.function_at(target).map_or(ARGS, |index| takes[index]), bit(0)),
        Op::Exit => (bit(0), 0),
    }
}

/// The registers that a callable takes.
pub(super) fn arguments(code: &Code<'_>, site: u32) -> Regs {
    let callable = code.sites[site as usize].callable;
    if callable.flags.contains(CallableFlags::VARIADIC) {
        return ARGS;
    }
    let count = callable.args.len().min(5);
    ((1 << count) - 1) << 1
}
