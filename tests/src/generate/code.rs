//! Instructions with labels, and the registers and stack bytes that hold numbers.

use probity_isa::{Insn, opcode::*};

use super::{kind::Kind, rng::Rng, world::World};

/// A place in the code, bound once and jumped to from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// A set of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regs(pub u16);

impl Regs {
    /// r0 to r5: lost in a call.
    pub const CALLER_SAVED: Regs = Regs(0x3f);

    /// True when `reg` is one of them.
    #[must_use]
    pub fn has(self, reg: u8) -> bool {
        self.0 >> reg & 1 == 1
    }

    /// With `reg`.
    pub fn insert(&mut self, reg: u8) {
        self.0 |= 1 << reg;
    }

    /// Without `reg`.
    pub fn remove(&mut self, reg: u8) {
        self.0 &= !(1 << reg);
    }

    /// One of them, by chance.
    pub fn pick(self, rng: &mut Rng) -> Option<u8> {
        let regs: Vec<u8> = (0..10).filter(|&reg| self.has(reg)).collect();
        (!regs.is_empty()).then(|| rng.pick(&regs))
    }
}

/// The state of a generation: the code so far, and what is known of the point that it has reached.
#[derive(Debug)]
pub struct Generator {
    pub(super) rng: Rng,
    pub(super) kind: Kind,
    insns: Vec<Insn>,
    labels: Vec<Option<usize>>,
    uses: Vec<(usize, Label)>,
    /// The registers that may hold numbers in this function.
    pub(super) pool: Regs,
    /// Those that do, on every path.
    pub(super) ready: Regs,
    /// Those that must keep their value: counters of loops.
    pub(super) locked: Regs,
    /// The offsets and sizes of what was written to the stack.
    pub(super) spilled: Vec<(i16, u8)>,
    /// The end of this function, where the rest is skipped.
    pub(super) out: Label,
    /// The functions that are called and do not exist yet.
    pub(super) wanted: Vec<Label>,
    /// The functions that exist or are wanted.
    pub(super) functions: Vec<Label>,
    /// True in the entry function: r6 is the context, r9 a map value.
    pub(super) is_main: bool,
    /// True in a loop that must not call anything.
    pub(super) looping: bool,
    /// What a structured program has at hand; None for programs of arithmetic.
    pub(super) world: Option<World>,
}

impl Generator {
    /// Nothing generated yet.
    #[must_use]
    pub fn new(rng: Rng, kind: Kind) -> Generator {
        Generator {
            rng,
            kind,
            insns: Vec::new(),
            labels: vec![None],
            uses: Vec::new(),
            pool: Regs(0b1_1011_1111),
            ready: Regs(0),
            locked: Regs(0),
            spilled: Vec::new(),
            out: Label(0),
            wanted: Vec::new(),
            functions: Vec::new(),
            is_main: true,
            looping: false,
            world: None,
        }
    }

    /// How many instructions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.insns.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.insns.is_empty()
    }

    /// A label for later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0] = Some(self.insns.len());
    }

    /// Ends a function at its label `out`, with 0. The kernel takes no code that nothing reaches.
    pub(super) fn end(&mut self, falls_through: bool) {
        let out = self.out;
        self.bind(out);
        if falls_through || self.uses.iter().any(|&(_, label)| label == out) {
            self.set(0, 0);
            self.exit();
        }
    }

    /// Adds an instruction.
    pub fn emit(&mut self, code: u8, dst: u8, src: u8, off: i16, imm: i32) {
        self.insns.push(Insn::new(code, dst, src, off, imm));
    }

    /// Adds a jump or a call to a label.
    pub fn jump(&mut self, code: u8, dst: u8, src: u8, imm: i32, to: Label) {
        self.uses.push((self.insns.len(), to));
        self.emit(code, dst, src, 0, imm);
    }

    /// Adds a 64-bit immediate, or what `src` makes of it.
    pub fn imm64(&mut self, dst: u8, src: u8, low: i32, high: i32) {
        self.emit(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, low);
        self.emit(0, 0, 0, 0, high);
    }

    /// Adds `dst = imm`.
    pub fn set(&mut self, dst: u8, imm: i32) {
        self.emit(BPF_ALU64 | BPF_MOV, dst, 0, 0, imm);
    }

    /// Adds `dst = src`.
    pub fn copy(&mut self, dst: u8, src: u8) {
        self.emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
    }

    /// Adds a call of a helper: r1 to r5 are lost, r0 is a number.
    pub fn call_helper(&mut self, id: i32) {
        self.emit(BPF_JMP | BPF_CALL, 0, 0, 0, id);
        self.called();
    }

    /// What a call does to the registers.
    pub(super) fn called(&mut self) {
        self.ready.0 &= !Regs::CALLER_SAVED.0;
        self.ready.insert(0);
    }

    /// Adds the end of the program.
    pub fn exit(&mut self) {
        self.emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    }

    /// A register that holds a number; makes one if there is none. Once in a while one that may
    /// not hold any.
    pub(super) fn number(&mut self) -> u8 {
        if self.rng.below(1500) == 0 {
            return self.rng.pick(&[0, 1, 2, 3, 4, 5, 7, 8]);
        }
        self.ready.pick(&mut self.rng).unwrap_or_else(|| {
            let dst = self.target();
            let imm = self.rng.immediate();
            self.set(dst, imm);
            dst
        })
    }

    /// A register to write a number to; it counts as written.
    pub(super) fn target(&mut self) -> u8 {
        let free = Regs(self.pool.0 & !self.locked.0);
        let reg = free.pick(&mut self.rng).expect("loops lock few registers");
        self.ready.insert(reg);
        reg
    }

    /// A register that holds a number and may be changed.
    pub(super) fn variable(&mut self) -> u8 {
        let reg = self.number();
        if !self.locked.has(reg) {
            return reg;
        }
        let copy = self.target();
        self.copy(copy, reg);
        copy
    }

    /// The code with its jumps resolved.
    ///
    /// # Panics
    ///
    /// When a label that is used is not bound.
    #[must_use]
    pub fn finish(mut self) -> Vec<Insn> {
        for (pc, label) in self.uses {
            let target = self.labels[label.0].expect("every label is bound");
            let distance = target as i64 - pc as i64 - 1;
            let insn = &mut self.insns[pc];
            if insn.code == BPF_JMP | BPF_CALL {
                insn.imm = i32::try_from(distance).expect("small programs");
            } else {
                insn.off = i16::try_from(distance).expect("small programs");
            }
        }
        self.insns
    }
}
