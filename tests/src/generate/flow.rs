//! Branches, guards, loops and calls.

use probity_isa::opcode::*;

use super::code::{Generator, Label, Regs};

const CONDITIONS: [u8; 11] =
    [BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET];
/// How many statements lie in each other.
const DEPTH: usize = 3;
const FUNCTIONS: usize = 2;

impl Generator {
    /// Statements up to an instruction count.
    pub(super) fn statements(&mut self, until: usize, depth: usize) {
        while self.len() < until {
            self.statement(until, depth);
        }
    }

    fn statement(&mut self, until: usize, depth: usize) {
        if self.world.is_some() && !self.looping && self.rng.chance(45) {
            return self.gadget(until, depth);
        }
        let nested = usize::from(depth < DEPTH);
        let once = usize::from(!self.looping);
        let call = usize::from(self.is_main && !self.looping);
        match self.rng.weighted(&[24, 8, 12, 9, 14 * nested, 8, 7, 7, 2 * once * nested, 2 * call]) {
            0 => self.binary(),
            1 => drop(self.source()),
            2 => self.unary(),
            3 => self.mask(),
            4 => self.branch(until, depth),
            5 => self.guard(),
            6 => self.spill(),
            7 => self.fill(),
            8 => self.counted(depth),
            _ => self.call_function(),
        }
    }

    /// `if` with one or two arms; both go on together.
    fn branch(&mut self, until: usize, depth: usize) {
        let other = self.label();
        self.condition(other);
        let start = self.ready;
        let arm = |generator: &mut Self| {
            let room = until.saturating_sub(generator.len()).min(6) + 1;
            let end = generator.len() + 1 + generator.rng.below(room);
            generator.statements(end, depth + 1);
        };
        arm(self);
        let after_first = self.ready;
        self.ready = start;
        if self.rng.chance(40) {
            let end = self.label();
            self.jump(BPF_JMP | BPF_JA, 0, 0, 0, end);
            self.bind(other);
            arm(self);
            self.bind(end);
        } else {
            self.bind(other);
        }
        self.ready.0 &= after_first.0;
    }

    /// A conditional jump, on whatever.
    fn condition(&mut self, to: Label) {
        let class = if self.rng.chance(35) { BPF_JMP32 } else { BPF_JMP };
        let op = self.rng.pick(&CONDITIONS);
        let dst = self.number();
        if self.rng.chance(30) {
            let src = self.number();
            self.jump(class | op | BPF_X, dst, src, 0, to);
        } else {
            let imm = self.rng.immediate();
            self.jump(class | op, dst, 0, imm, to);
        }
    }

    /// A conditional jump to the end of the function, which bounds a number.
    pub(super) fn guard(&mut self) {
        let reg = self.number();
        let imm = self.rng.below(70) as i32;
        let class = if self.rng.chance(30) { BPF_JMP32 } else { BPF_JMP };
        let out = self.out;
        match self.rng.below(6) {
            0..3 => self.jump(class | BPF_JGT, reg, 0, imm, out),
            3 => self.jump(class | BPF_JSLT, reg, 0, -imm / 8, out),
            4 => self.jump(class | BPF_JSGT, reg, 0, imm, out),
            _ => {
                self.jump(class | BPF_JSLT, reg, 0, 0, out);
                self.jump(class | BPF_JSGE, reg, 0, imm, out);
            }
        }
    }

    /// A loop with a counter, of a few rounds.
    fn counted(&mut self, depth: usize) {
        let counter = self.target();
        self.set(counter, 0);
        self.locked.insert(counter);
        self.looping = true;
        let top = self.label();
        self.bind(top);
        let end = self.len() + 2 + self.rng.below(4);
        self.statements(end, depth + 1);
        self.looping = false;
        self.locked.remove(counter);
        self.emit(BPF_ALU64 | BPF_ADD, counter, 0, 0, 1);
        let rounds = 2 + self.rng.below(7) as i32;
        let op = self.rng.pick(&[BPF_JLT, BPF_JNE, BPF_JSLT, BPF_JLE]);
        self.jump(BPF_JMP | op, counter, 0, rounds, top);
    }

    /// A call of a function of two numbers.
    fn call_function(&mut self) {
        let (first, second) = (self.number(), self.number());
        match (first, second) {
            (2, 1) => self.copy(2, 1),
            (_, 1) => {
                self.copy(2, 1);
                self.copy(1, if first == 2 { 1 } else { first });
            }
            _ => {
                self.copy(1, first);
                self.copy(2, second);
            }
        }
        let function = if self.functions.len() < FUNCTIONS {
            let new = self.label();
            self.functions.push(new);
            self.wanted.push(new);
            new
        } else {
            self.rng.pick(&self.functions)
        };
        self.jump(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, function);
        self.called();
    }

    /// The functions that are called.
    pub(super) fn called_functions(&mut self) {
        while let Some(function) = self.wanted.pop() {
            self.bind(function);
            self.is_main = false;
            self.pool = Regs(0x1ff);
            self.ready = Regs(0b110);
            self.spilled.clear();
            self.out = self.label();
            let end = self.len() + 2 + self.rng.below(8);
            self.statements(end, 1);
            let result = self.number();
            if result != 0 {
                self.copy(0, result);
            }
            self.exit();
            self.end(false);
        }
    }
}
