//! The compiler of one pass: each instruction becomes its machine instructions where it stands, registers
//! are where `abi` says, and nothing is kept about values.
//!
//! | module | subject |
//! |---|---|
//! | `frame` | the stack of a function: its beginning and its end |
//! | `alu` | arithmetic, moves, byte order |
//! | `division` | division and remainder |
//! | `corner` | rare cases, out of the way |
//! | `lookup` | lookups in arrays |
//! | `memory` | loads, stores, atomics |
//! | `control` | jumps, fuel |
//! | `calls` | calls, tail calls, calls back |
//! | `fuse` | instructions that are better as one |

mod alu;
mod calls;
mod control;
mod corner;
mod division;
mod frame;
mod fuse;
mod lookup;
mod memory;

use probity_vm::{Executable, Op, Unit};

use crate::abi::Frames;
use crate::encode::{Assembler, Label, Labels};
use crate::error::JitError;
use crate::listing::{Part, listing};
use crate::memory::ExecutableMemory;
use crate::native::NativeCode;
use crate::options::Options;
use crate::scan::{Mark, Scanned};
use corner::Corner;
use frame::Frame;

/// What loops begin at a multiple of: processors fetch and keep code in blocks of this size.
const LOOPS: u32 = 32;

/// Makes machine code of an executable, in time linear in its length.
///
/// # Errors
/// When there is no compiler for this machine, or no memory.
pub fn compile(executable: &Executable, options: &Options) -> Result<NativeCode, JitError> {
    if cfg!(not(all(target_arch = "x86_64", unix))) {
        return Err(JitError::Target { arch: std::env::consts::ARCH, os: std::env::consts::OS });
    }
    let unit = executable.unit();
    let mut compiler = Compiler::new(unit, *options);
    let entry = compiler.program()?;
    let Compiler { mut asm, slots, functions, parts, .. } = compiler;
    let image = asm.layout()?;
    let memory = ExecutableMemory::new(image.size(), |code| image.write(code))?;
    let at = |label| image.offset(label).unwrap_or(0);
    let listing = parts.map(|parts| {
        let mut parts: Vec<(usize, Part)> =
            parts.into_iter().map(|(label, name)| (at(label), Part::Named(name))).collect();
        let live = unit.ops().iter().enumerate().filter(|(_, op)| !matches!(op, Op::Dead));
        let live = live.filter_map(|(pc, _)| Some((image.offset(slots.at(pc))?, Part::Instruction(pc))));
        parts.extend(live);
        parts.sort_by_key(|part| part.0);
        listing(unit, &memory.bytes()[..image.code_size()], &parts)
    });
    let (entry, tail_entry) = (at(entry), at(functions.at(0)));
    Ok(NativeCode::new(executable, memory, entry, tail_entry, options, listing))
}

/// Code under way.
struct Compiler<'u> {
    asm: Assembler,
    unit: &'u Unit,
    unit_behind_calls: Option<u64>,
    options: Options,
    frames: Frames,
    /// Where the code of each slot is.
    slots: Labels,
    /// Where each function begins, by index.
    functions: Labels,
    /// Where functions that are called back are entered, by index.
    entries: Labels,
    marks: Vec<Mark>,
    /// The function that is on.
    frame: Frame,
    /// What remains to be written behind it.
    corners: Vec<Corner>,
    /// Where counting goes on when there is no fuel.
    no_fuel: Label,
    /// For a listing: what is not for one instruction.
    parts: Option<Vec<(Label, &'static str)>>,
}

impl<'u> Compiler<'u> {
    fn new(unit: &'u Unit, options: Options) -> Compiler<'u> {
        let ops = unit.ops();
        // Most instructions take less.
        let mut asm = Assembler::with_capacity(256 + 8 * ops.len());
        let slots = asm.labels(ops.len());
        let functions = asm.labels(unit.functions().len());
        let entries = asm.labels(unit.functions().len());
        let no_fuel = asm.label();
        let parts = options.listing.then(Vec::new);
        let frames = Frames::new(&mut asm);
        let mut compiler = Compiler {
            asm,
            unit,
            unit_behind_calls: crate::abi::unit_behind_calls(unit),
            options,
            frames,
            slots,
            functions,
            entries,
            marks: vec![Mark::default(); ops.len()],
            frame: Frame::default(),
            corners: Vec::new(),
            no_fuel,
            parts,
        };
        if let Some(parts) = &mut compiler.parts {
            parts.push((frames.exit, "exit"));
        }
        compiler
    }

    /// Writes all there is, and gives the entry.
    fn program(&mut self) -> Result<Label, JitError> {
        self.part("entry");
        let main = self.functions.at(0);
        // A program that keeps to registers that callers don't want kept is entered as it is.
        let entry = if self.is_bare() { main } else { self.frames.entry(&mut self.asm, main) };
        for index in 0..self.unit.functions().len() {
            self.function(index)?;
        }
        if self.options.fuel {
            self.part("out of fuel");
            self.out_of_fuel();
        }
        Ok(entry)
    }

    /// Whether the program is one function that neither calls nor counts, writes only registers that
    /// its caller does not want kept, and uses neither the stack nor the run.
    fn is_bare(&self) -> bool {
        const KEPT: u16 = 0b111_1100_0000;
        let plain = |op: &Op| {
            (op.reads() | op.writes()) & KEPT == 0
                && !matches!(
                    op,
                    Op::Call { .. }
                        | Op::TailCall { .. }
                        | Op::CallSubprog { .. }
                        | Op::LoadPacket { .. }
                        | Op::MayGoto { .. }
                        | Op::Func { .. }
                )
        };
        !self.options.fuel && self.unit.functions().len() == 1 && self.unit.ops().iter().all(plain)
    }

    fn function(&mut self, index: usize) -> Result<(), JitError> {
        let unit = self.unit;
        let (ops, function) = (unit.ops(), unit.functions()[index]);
        let (asm, entries, frames) = (&mut self.asm, self.entries, self.frames);
        let functions = self.functions;
        let mut missing = None;
        let scanned =
            Scanned::new(ops, &function, &mut self.marks, |pc, target| match unit.function_at(target) {
                None => missing = Some(JitError::NoFunction { pc, target }),
                Some(index) if asm.is_bound(entries.at(index)) => {}
                Some(index) => frames.call_back(asm, entries.at(index), functions.at(index)),
            });
        if let Some(error) = missing {
            return Err(error);
        }
        self.part(if index == 0 { "main program" } else { "subprogram" });
        self.enter(index, &function, scanned);
        let end = (function.end as usize).min(ops.len());
        let mut pc = function.start as usize;
        while pc < end {
            if self.marks[pc].is_loop() {
                self.asm.align(LOOPS);
            }
            let label = self.slots.at(pc);
            self.asm.bind(label);
            pc = match self.fused(pc, end) {
                Some(next) => next,
                None => {
                    self.op(pc)?;
                    pc + 1
                }
            };
        }
        self.part("corner cases");
        self.corners();
        Ok(())
    }

    fn op(&mut self, pc: usize) -> Result<(), JitError> {
        match self.unit.ops()[pc] {
            Op::Dead | Op::Nop => {}
            Op::Alu { width, op, dst, src } => self.alu(width, op, dst, src),
            Op::Mov { width, dst, src, sign_extend } => self.mov(width, dst, src, sign_extend),
            Op::Neg { width, dst } => self.neg(width, dst),
            Op::End { swap, bits, dst } => self.end(swap, bits, dst),
            Op::Const { dst, value } => self.constant(dst, value),
            Op::Func { dst, target } => self.function_value(pc, dst, target)?,
            Op::Load { size, sign_extend, dst, src, off } => self.load(size, sign_extend, dst, src, off),
            // Loads acquire and stores release by themselves.
            Op::LoadAcquire { size, dst, src, off } => self.load(size, false, dst, src, off),
            Op::Store { size, dst, off, src } => self.store(size, dst, off, src),
            Op::StoreRelease { size, dst, src, off } => {
                self.store(size, dst, off, probity_isa::Source::Reg(src));
            }
            Op::Atomic { size, op, fetch, dst, src, off } => self.atomic(size, op, fetch, dst, src, off),
            Op::LoadPacket { size, index, imm } => self.load_packet(size, index, imm),
            Op::Ja { target } => self.ja(pc, target),
            Op::Jump { width, op, dst, src, target } => self.jump(pc, width, op, dst, src, target),
            Op::MayGoto { target } => self.may_goto(target),
            Op::Call { site } => self.call(site),
            // No verified program has it.
            Op::CallRegister { .. } => self.asm.ud2(),
            Op::TailCall { site } => self.tail_call(site),
            Op::CallSubprog { target } => self.call_subprog(pc, target)?,
            Op::Exit => self.leave(),
        }
        Ok(())
    }

    /// For a listing: what comes now.
    fn part(&mut self, name: &'static str) {
        if let Some(parts) = &mut self.parts {
            parts.push((self.asm.here(), name));
        }
    }
}
