//! Code under way: instructions so far, labels, and what waits for the layout.

use super::instruction::{self, Bits, Form, Imm, Parts, Row};
use super::operand::{Cond, Mem, Reg, Rm, Width};

/// A place in the code that jumps go to, before or after it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub(super) u32);

/// Labels that were made at once, numbered from 0.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    first: u32,
    count: u32,
}

impl Labels {
    /// The label with a number.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn at(self, number: usize) -> Label {
        assert!(number < self.count as usize, "label {number} of {}", self.count);
        Label(self.first + number as u32)
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.count as usize
    }
}

/// Where a label is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Bytes of the draft before it; [`UNBOUND`] when not known yet.
    pub(super) at: u32,
    /// Fixups before it.
    pub(super) fixups: u32,
}

pub(super) const UNBOUND: u32 = u32::MAX;

/// What an instruction under way may write: its 15 bytes and the rest of a word.
const ROOM: usize = 24;

/// What the layout fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fix {
    /// `jmp` to a label: 5 bytes in the draft, 2 when it is near.
    Jmp(Label),
    /// `jcc` to a label: 6 bytes in the draft, 2 when it is near.
    Jcc(Cond, Label),
    /// The four bytes relative to what follows them, of a `call` or `lea`.
    Relative(Label),
    /// A `call` of the address with this number: 6 bytes.
    Call(u32),
    /// Padding up to a multiple of this power of two: one byte less than that in the draft.
    Align(u32),
}

/// One place of the draft that the layout fills in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixup {
    /// Bytes of the draft before it.
    pub(super) at: u32,
    pub(super) fix: Fix,
    /// For jumps: in the short form.
    pub(super) short: bool,
    /// How many bytes the final code has less than the draft, before this.
    pub(super) removed: u32,
}

/// Takes instructions one by one and keeps a draft of the code, in which every jump has its long form
/// and every padding its greatest length. [`Assembler::layout`] makes the final
/// code of it.
///
/// It takes what the processor takes: that an operation of a width exists is for the caller to know,
/// and checked in debug builds.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    /// The draft, and room for one more instruction.
    draft: Vec<u8>,
    len: usize,
    pub(super) labels: Vec<Place>,
    pub(super) fixups: Vec<Fixup>,
    /// Addresses that are called, each once.
    pub(super) targets: Vec<u64>,
}

impl Assembler {
    /// No code yet.
    #[must_use]
    pub fn new() -> Self {
        Assembler::default()
    }

    /// No code yet, and room for `bytes` of it.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Assembler { draft: vec![0; bytes], ..Assembler::default() }
    }

    /// Forgets all code and labels, and keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
        self.labels.clear();
        self.fixups.clear();
        self.targets.clear();
    }

    /// A new label, to be bound once.
    pub fn label(&mut self) -> Label {
        self.labels(1).at(0)
    }

    /// `count` new labels.
    ///
    /// # Panics
    /// When there are more than 2^32.
    pub fn labels(&mut self, count: usize) -> Labels {
        let first = u32::try_from(self.labels.len()).expect("few labels");
        let count = u32::try_from(count).expect("few labels");
        self.labels.resize((first + count) as usize, Place { at: UNBOUND, fixups: 0 });
        Labels { first, count }
    }

    /// The label is here: before the next instruction.
    ///
    /// # Panics
    /// In debug builds, when it was bound before.
    pub fn bind(&mut self, label: Label) {
        let place = &mut self.labels[label.0 as usize];
        debug_assert_eq!(place.at, UNBOUND, "{label:?} is bound twice");
        *place = Place { at: self.len as u32, fixups: self.fixups.len() as u32 };
    }

    /// A new label that is here.
    pub fn here(&mut self) -> Label {
        let label = self.label();
        self.bind(label);
        label
    }

    /// Whether a label is bound.
    #[must_use]
    pub fn is_bound(&self, label: Label) -> bool {
        self.labels[label.0 as usize].at != UNBOUND
    }

    /// How many bytes the draft has; the final code has no more.
    #[must_use]
    pub fn draft_len(&self) -> usize {
        self.len
    }

    pub(super) fn draft(&self) -> &[u8] {
        &self.draft[..self.len]
    }

    /// Takes an instruction.
    #[inline]
    fn put(&mut self, parts: Parts) {
        if self.len + ROOM > self.draft.len() {
            self.grow(ROOM);
        }
        // Whole words, whatever the lengths: what is too much is written over by what follows.
        let room = &mut self.draft[self.len..self.len + ROOM];
        let mut at = 0;
        for part in [parts.head, parts.operand, parts.imm] {
            room[at..at + 8].copy_from_slice(&part.bits.to_le_bytes());
            at += part.len;
        }
        self.len += at;
    }

    /// Takes at most 8 bytes.
    #[inline]
    pub(super) fn put_bits(&mut self, bits: Bits) {
        self.put(Parts { head: bits, operand: Bits::NONE, imm: Bits::NONE });
    }

    /// Takes an opcode and an immediate, at most 8 bytes each.
    #[inline]
    pub(super) fn put_wide(&mut self, head: Bits, imm: Bits) {
        self.put(Parts { head, operand: Bits::NONE, imm });
    }

    #[inline(never)]
    fn put_register(&mut self, form: Form, reg: u8, rm: Reg, imm: Imm) {
        self.put(form.with_register(reg, rm, imm));
    }

    #[inline(never)]
    fn put_memory(&mut self, form: Form, reg: u8, mem: Mem, imm: Imm) {
        self.put(form.with_memory(reg, mem, imm));
    }

    /// Takes an instruction with a ModRM byte.
    #[inline(always)]
    pub(super) fn form(&mut self, form: Form, reg: u8, rm: Rm, imm: Imm) {
        match rm {
            Rm::Reg(rm) => self.put_register(form, reg, rm, imm),
            Rm::Mem(mem) => self.put_memory(form, reg, mem, imm),
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let room = (2 * self.draft.len()).max(self.len + more).max(256);
        self.draft.resize(room, 0);
    }

    /// Leaves `bytes` for the layout to fill in.
    pub(super) fn reserve(&mut self, bytes: usize, fix: Fix) {
        self.fixups.push(Fixup { at: self.len as u32, fix, short: false, removed: 0 });
        self.len += bytes;
        if self.len > self.draft.len() {
            self.grow(0);
        }
    }

    /// An instruction with registers of one width, or memory.
    #[inline(always)]
    pub(super) fn regular(&mut self, row: Row, width: Width, reg: u8, rm: Rm, imm: Imm) {
        let byte = width == Width::W8;
        let form = Form { byte_reg: byte, byte_rm: byte, ..Form::new(row.sized(width), width) };
        self.form(form, reg, rm, imm);
    }

    /// An instruction whose reg field extends the opcode.
    #[inline(always)]
    pub(super) fn extended(&mut self, row: Row, width: Width, extension: u8, rm: Rm, imm: Imm) {
        let form = Form { byte_rm: width == Width::W8, ..Form::new(row.sized(width), width) };
        self.form(form, extension, rm, imm);
    }

    /// An instruction with a VEX prefix.
    pub(super) fn vex(&mut self, row: Row, width: Width, reg: u8, extra: Option<Reg>, rm: Rm, imm: Imm) {
        self.put(instruction::vex(row, width, reg, extra, rm, imm));
    }
}
