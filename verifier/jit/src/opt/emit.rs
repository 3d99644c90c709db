//! From instructions with registers to bytes: frames, blocks, copies.

use super::alloc::{Place, Places, SCRATCH, callee_saved};
use super::layout::Layout;
use super::lir::{ARGUMENTS, Addr, Base, CALLER_SAVED, Lir, RegSet, Src, Vreg, set};
use super::select::Selected;
use crate::abi::{Frames, RUN};
use crate::encode::{Alu, Assembler, Label, Labels, Mem, Reg, Rm, Width};

/// What is written for a whole program.
pub(super) struct Output<'a> {
    pub(super) asm: &'a mut Assembler,
    pub(super) frames: Frames,
    pub(super) sites: &'a [probity_vm::Site],
    /// See [`crate::abi::unit_behind_calls`].
    pub(super) unit_behind_calls: Option<u64>,
    /// Where each function begins, by index.
    pub(super) functions: Labels,
    /// Where functions that are called back are entered, by index.
    pub(super) entries: Labels,
    pub(super) bmi2: bool,
    /// Where counting goes on when there is no fuel.
    pub(super) no_fuel: Label,
    /// The main function neither calls nor counts, and writes only registers that its caller does not
    /// want kept.
    pub(super) is_bare: bool,
}

/// The stack of a function: what is kept of its caller, then the frame of BPF, then words for values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stack {
    /// Registers that were pushed.
    pub(super) saved: RegSet,
    /// Bytes below them.
    pub(super) size: u32,
    /// Where the frame pointer of BPF points to, from the stack pointer.
    pub(super) frame: u32,
    /// How many bytes of the frame begin as zeros.
    pub(super) zeroed: u32,
}

impl Stack {
    pub(super) fn new(places: &Places, main: bool, bpf: u32, zeroed: bool, calls: bool) -> Stack {
        // The main function's caller has saved all there is, and wants the run where it was.
        let saved = if main { places.used & set(RUN) } else { places.used };
        let pushed = 8 * callee_saved(saved).count() as u32;
        let frame = 8 * places.slots + bpf;
        let mut size = frame;
        if calls && !(pushed + size + 8).is_multiple_of(16) {
            size += 8;
        }
        Stack { saved, size, frame, zeroed: if zeroed { bpf } else { 0 } }
    }
}

/// What is written behind a function.
pub(super) struct Corner {
    pub(super) at: Label,
    pub(super) back: Label,
    pub(super) width: Width,
    pub(super) signed: bool,
    pub(super) remainder: bool,
    pub(super) divisor: Reg,
}

/// A function under way.
pub(super) struct Emitter<'a, 'b> {
    pub(super) asm: &'a mut Assembler,
    pub(super) frames: Frames,
    pub(super) functions: Labels,
    pub(super) entries: Labels,
    pub(super) bmi2: bool,
    pub(super) no_fuel: Label,
    pub(super) places: &'b Places,
    pub(super) stack: Stack,
    pub(super) sites: &'b [probity_vm::Site],
    pub(super) unit_behind_calls: Option<u64>,
    pub(super) corners: Vec<Corner>,
    /// The register that the flags tell of: whether it is 0.
    pub(super) flags: Option<(Vreg, Width)>,
    blocks: Labels,
    /// Where a jump to a block ends up.
    ends: Vec<u32>,
    /// A register that nothing is in.
    spare: Option<Reg>,
    /// The block that is over ended with a jump.
    pub(super) jumped: bool,
    /// Blocks' places in the order.
    first: &'b [u32],
    /// The place of the block that is on.
    pub(super) now: u32,
}

/// Writes a function.
pub(super) fn emit(
    output: &mut Output<'_>,
    selected: &Selected,
    layout: &Layout,
    places: &Places,
    stack: Stack,
    depth: &[u32],
    (function, tail_calls): (usize, bool),
) {
    let blocks = output.asm.labels(selected.blocks.len());
    // Whoever enters has saved everything, or nothing has to be.
    let saved = (function == 0 && !output.is_bare) || tail_calls;
    let mut emitter = Emitter {
        frames: output.frames,
        functions: output.functions,
        entries: output.entries,
        bmi2: output.bmi2,
        no_fuel: output.no_fuel,
        asm: output.asm,
        places,
        stack,
        sites: output.sites,
        unit_behind_calls: output.unit_behind_calls,
        corners: Vec::new(),
        flags: None,
        blocks,
        ends: ends(selected, places),
        jumped: false,
        spare: spare(places, saved),
        first: &layout.first,
        now: 0,
    };
    emitter.asm.align(16);
    emitter.asm.bind(emitter.functions.at(function));
    if tail_calls && function != 0 {
        emitter.keep_all();
    }
    emitter.prologue();
    // Blocks that only jump are not written; what is behind them is aligned for them.
    let (mut shown, mut aligned) = (Vec::new(), 1);
    for &block in &layout.order {
        aligned = aligned.max(layout.aligned[block as usize]);
        if block == 0 || emitter.ends[block as usize] == block {
            shown.push((block, std::mem::replace(&mut aligned, 1)));
        }
    }
    for (at, &(block, aligned)) in shown.iter().enumerate() {
        // Behind a jump there is room for free, and predictors know few branches of one line.
        let jumped = std::mem::take(&mut emitter.jumped) && depth[block as usize] > 0;
        let aligned = if jumped { aligned.max(16) } else { aligned };
        if aligned > 1 {
            emitter.asm.align(aligned);
        }
        emitter.asm.bind(blocks.at(block as usize));
        emitter.flags = None;
        emitter.now = layout.first[block as usize];
        let next = shown.get(at + 1).map(|next| next.0);
        for lir in &selected.blocks[block as usize] {
            let flags = emitter.flags.take();
            emitter.lir(lir, flags, next);
        }
    }
    emitter.write_corners();
}

/// Notes that there is no fuel, and leaves.
pub(super) fn out_of_fuel(output: &mut Output<'_>) {
    let asm = &mut *output.asm;
    asm.bind(output.no_fuel);
    // A function that calls nothing may have left the stack as it came; its frame is over anyway.
    asm.alu_imm(Alu::And, Width::W64, Reg::Rsp, -16);
    asm.mov(Width::W64, Reg::Rdi, RUN);
    asm.call_address(probity_vm::native::out_of_fuel as *const () as u64);
    asm.jmp(output.frames.exit);
}

/// A register that may be written and that nothing is in.
fn spare(places: &Places, saved: bool) -> Option<Reg> {
    // Operands of calls are moved too.
    let taken = places.used | ARGUMENTS.iter().fold(set(Reg::Rsp) | set(RUN), |taken, reg| taken | set(*reg));
    let taken = if places.scratch { taken | set(SCRATCH[0]) | set(SCRATCH[1]) } else { taken };
    Reg::ALL.into_iter().find(|&reg| taken & set(reg) == 0 && (saved || CALLER_SAVED & set(reg) != 0))
}

/// Where jumps to blocks that only jump end up.
fn ends(selected: &Selected, places: &Places) -> Vec<u32> {
    let same = |&(dst, src): &(Vreg, Src)| matches!(src, Src::Reg(src) if places.of[src as usize] == places.of[dst as usize]);
    let next = |block: u32| match selected.blocks[block as usize].as_slice() {
        [Lir::Jump(next)] => Some(*next),
        [Lir::Copies(copies), Lir::Jump(next)] if copies.iter().all(same) => Some(*next),
        _ => None,
    };
    let follow = |block: u32| {
        let mut at = block;
        // A loop of nothing has no end.
        for _ in 0..8 {
            match next(at) {
                Some(to) if to != at => at = to,
                _ => break,
            }
        }
        if next(at).is_some() { block } else { at }
    };
    (0..selected.blocks.len() as u32).map(follow).collect()
}

/// Where a copy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Place(Place),
    Frame(i32),
}

impl Emitter<'_, '_> {
    /// What a program writes that takes the place of a function: it saves nothing, as a main function,
    /// and so does this one behind here.
    fn keep_all(&mut self) {
        // Without the run's, an odd number: the stack is as a main function finds it.
        const KEPT: [Reg; 5] = [Reg::Rbx, Reg::Rbp, Reg::R13, Reg::R14, Reg::R15];
        for reg in KEPT {
            self.asm.push(reg);
        }
        let body = self.asm.label();
        self.asm.call(body);
        for reg in KEPT.into_iter().rev() {
            self.asm.pop(reg);
        }
        self.asm.ret();
        self.asm.bind(body);
    }

    fn prologue(&mut self) {
        for reg in callee_saved(self.stack.saved) {
            self.asm.push(reg);
        }
        if self.stack.size > 0 {
            self.asm.alu_imm(Alu::Sub, Width::W64, Reg::Rsp, self.stack.size as i32);
        }
        for word in 1..=self.stack.zeroed / 8 {
            let at = Mem::at(Reg::Rsp, (self.stack.frame - 8 * word) as i32);
            self.asm.store_imm(Width::W64, at, 0);
        }
    }

    /// Gives back the stack.
    pub(super) fn epilogue(&mut self) {
        if self.stack.size > 0 {
            self.asm.alu_imm(Alu::Add, Width::W64, Reg::Rsp, self.stack.size as i32);
        }
        for reg in callee_saved(self.stack.saved).rev() {
            self.asm.pop(reg);
        }
    }

    /// The label of where a jump to a block ends up.
    pub(super) fn label(&self, block: u32) -> Label {
        self.blocks.at(self.ends[block as usize] as usize)
    }

    pub(super) fn is_next(&self, block: u32, next: Option<u32>) -> bool {
        next == Some(self.ends[block as usize])
    }

    /// Whether a jump to a block goes back.
    pub(super) fn goes_back(&self, block: u32) -> bool {
        self.first[self.ends[block as usize] as usize] <= self.now
    }

    pub(super) fn jump(&mut self, block: u32, next: Option<u32>) {
        if !self.is_next(block, next) {
            self.jumped = true;
            let label = self.label(block);
            self.asm.jmp(label);
        }
    }

    pub(super) fn place(&self, reg: Vreg) -> Place {
        self.places.of[reg as usize]
    }

    pub(super) fn slot(slot: u32) -> Mem {
        Mem::at(Reg::Rsp, 8 * slot as i32)
    }

    /// A virtual register in a register: where it is, or the one that is given.
    pub(super) fn reg_in(&mut self, reg: Vreg, scratch: Reg) -> Reg {
        match self.place(reg) {
            Place::Reg(reg) => reg,
            place => {
                self.fetch(Width::W64, scratch, place);
                scratch
            }
        }
    }

    /// A virtual register as an operand that may be memory.
    pub(super) fn rm(&mut self, reg: Vreg, scratch: Reg) -> Rm {
        match self.place(reg) {
            Place::Reg(reg) => reg.into(),
            Place::Slot(slot) => Self::slot(slot).into(),
            place => {
                self.fetch(Width::W64, scratch, place);
                scratch.into()
            }
        }
    }

    /// Brings a value into a register; of 32 bits only the low half is needed.
    pub(super) fn fetch(&mut self, width: Width, dst: Reg, place: Place) {
        match place {
            Place::Reg(src) if src == dst => {}
            Place::Reg(src) => self.asm.mov(width, dst, src),
            Place::Slot(slot) => self.asm.load(width, dst, Self::slot(slot)),
            Place::Number(number) => self.asm.mov_imm(dst, number),
        }
    }

    /// As [`Emitter::fetch`], by virtual register.
    pub(super) fn fetch_reg(&mut self, width: Width, dst: Reg, src: Vreg) {
        self.fetch(width, dst, self.place(src));
    }

    /// The register that a result is made in.
    pub(super) fn dst(&self, reg: Vreg) -> Reg {
        match self.place(reg) {
            Place::Reg(reg) => reg,
            _ => SCRATCH[1],
        }
    }

    /// Puts a result where it belongs.
    pub(super) fn done(&mut self, reg: Vreg, from: Reg) {
        match self.place(reg) {
            Place::Reg(reg) if reg == from => {}
            Place::Reg(reg) => self.asm.mov(Width::W64, reg, from),
            Place::Slot(slot) => self.asm.store(Width::W64, Self::slot(slot), from),
            Place::Number(_) => {}
        }
    }

    /// A place in memory. It may use the first scratch register until the instruction is over, and
    /// the second one only now.
    pub(super) fn mem(&mut self, addr: &Addr) -> Mem {
        let [first, second] = SCRATCH;
        let (base, disp) = match addr.base {
            Base::Reg(reg) => (self.reg_in(reg, first), addr.disp),
            Base::Frame => (Reg::Rsp, addr.disp + self.stack.frame as i32),
            Base::Run => (RUN, addr.disp),
        };
        let Some((index, scale)) = addr.index else {
            return Mem::at(base, disp);
        };
        let in_use = base == first && self.places.scratch;
        let index = self.reg_in(index, if in_use { second } else { first });
        let mem = Mem::indexed(base, index, scale, disp);
        if in_use && index == second {
            self.asm.lea(Width::W64, first, mem);
            return Mem::at(first, 0);
        }
        mem
    }

    /// Where a copy comes from.
    pub(super) fn from(&self, src: &Src) -> From {
        match *src {
            Src::Reg(reg) => From::Place(self.place(reg)),
            Src::Imm(imm) => From::Place(Place::Number(i64::from(imm) as u64)),
            Src::Big(number) => From::Place(Place::Number(number)),
            Src::Frame(off) => From::Frame(off),
            Src::Mem(_) => From::Place(Place::Number(0)),
        }
    }

    /// Copies all at once.
    pub(super) fn copy_all(&mut self, mut copies: Vec<(Place, From)>) {
        copies.retain(|(dst, src)| From::Place(*dst) != *src);
        while !copies.is_empty() {
            let free = copies.iter().position(|(dst, _)| {
                let dst = From::Place(*dst);
                copies.iter().all(|(_, src)| *src != dst)
            });
            match free {
                Some(at) => {
                    let (dst, src) = copies.swap_remove(at);
                    self.copy_one(dst, src);
                }
                None => self.untie(&mut copies),
            }
        }
    }

    /// Only circles are left: opens one.
    fn untie(&mut self, copies: &mut Vec<(Place, From)>) {
        let both =
            |(dst, src): &(Place, From)| matches!((dst, src), (Place::Reg(_), From::Place(Place::Reg(_))));
        if let Some(at) = copies.iter().position(both)
            && let (Place::Reg(dst), From::Place(Place::Reg(src))) = copies[at]
        {
            // Moves are cheaper than an exchange, where there is a register to spare.
            if let Some(spare) = self.spare {
                self.asm.mov(Width::W64, spare, src);
                for (_, from) in copies.iter_mut() {
                    if *from == From::Place(Place::Reg(src)) {
                        *from = From::Place(Place::Reg(spare));
                    }
                }
                return;
            }
            self.asm.swap(Width::W64, dst, src);
            copies.swap_remove(at);
            for (_, from) in copies.iter_mut() {
                if *from == From::Place(Place::Reg(dst)) {
                    *from = From::Place(Place::Reg(src));
                } else if *from == From::Place(Place::Reg(src)) {
                    *from = From::Place(Place::Reg(dst));
                }
            }
            copies.retain(|(dst, src)| From::Place(*dst) != *src);
            return;
        }
        // Between words of the frame: the first scratch register holds one.
        let (_, from) = copies[0];
        self.copy_one(Place::Reg(SCRATCH[0]), from);
        for (_, other) in copies.iter_mut() {
            if *other == from {
                *other = From::Place(Place::Reg(SCRATCH[0]));
            }
        }
    }

    fn copy_one(&mut self, dst: Place, src: From) {
        let reg = match dst {
            Place::Reg(reg) => reg,
            _ => SCRATCH[1],
        };
        match (dst, src) {
            (Place::Slot(slot), From::Place(Place::Reg(src))) => {
                self.asm.store(Width::W64, Self::slot(slot), src);
                return;
            }
            (Place::Slot(slot), From::Place(Place::Number(number))) => {
                if let Ok(imm) = i32::try_from(number as i64) {
                    self.asm.store_imm(Width::W64, Self::slot(slot), imm);
                    return;
                }
                self.asm.mov_imm(reg, number);
            }
            // Nobody looks at the flags while copies are made.
            (_, From::Place(Place::Number(0))) => self.asm.zero(reg),
            (_, From::Place(place)) => self.fetch(Width::W64, reg, place),
            (_, From::Frame(off)) => {
                let at = Mem::at(Reg::Rsp, off + self.stack.frame as i32);
                self.asm.lea(Width::W64, reg, at);
            }
        }
        if let Place::Slot(slot) = dst {
            self.asm.store(Width::W64, Self::slot(slot), reg);
        }
    }
}
