//! The trace: each instruction as it is reached, behind it what it read and wrote, branches as they
//! are taken up again, calls and returns.

use std::fmt::Write;

use probity_isa::{Disasm, Names};
use probity_platform::{Platform, Profile};
use probity_program::{LineInfo, Program};

use super::buffer::Buffer;
use super::operands::operands;
use super::stack_liveness::Solved;
use super::{Level, LogOptions, header, prototype};
use crate::explore::checkpoint::{CheckpointId, Precise};
use crate::explore::precision::Followed;
use crate::explore::stack_liveness::Noted;
use crate::explore::walk::Observer;
use crate::prepare::components::components;
use crate::prepare::{Code, functions};
use crate::print::state::Printer;
use crate::report::Report;
use crate::state::State;

/// The column of what stands behind an instruction, and the columns by which it moves when the
/// instruction is longer.
const COLUMN: usize = 38;
const STEP: usize = 8;

/// The code of an exit.
const EXIT: u8 = 0x95;
/// All registers or all slots, as bits.
const ALL_REGS: u16 = u16::MAX;
const ALL_SLOTS: u64 = u64::MAX;

/// Writes a log.
pub struct Writer<'a> {
    pub(super) program: &'a Program,
    pub(super) platform: &'static Platform,
    pub(super) printer: Printer<'a>,
    pub(super) out: Buffer,
    pub(super) solved: Solved,
    level: Level,
    limit: u64,
    /// By instruction: its text.
    texts: Vec<Option<Box<str>>>,
    /// By instruction: the registers that it reads or writes, as bits.
    operands: Vec<u16>,
    /// What the next state shows: registers and slots that were read or written since the last.
    regs: u16,
    slots: u64,
    /// The next state is shown whole, with where the path came from.
    whole: bool,
    /// The instruction before the next one.
    came_from: Option<usize>,
    /// The running instruction.
    pc: usize,
    /// Where the text of the last instruction ends.
    insn_end: usize,
    /// The branches that wait: the instruction before each, and where the log ended.
    waiting: Vec<(Option<usize>, usize)>,
    /// How many functions there are.
    functions: usize,
    /// By instruction: its loop, 0 for none.
    pub(super) components: Vec<u32>,
    /// The loops that are being explored: calls and number, and the checkpoint that they began at.
    pub(super) loops: Vec<(String, CheckpointId)>,
    /// The source line that was printed last.
    line: Option<usize>,
}

/// The names of what a program calls.
struct ProgramNames<'a> {
    program: &'a Program,
    platform: &'static Platform,
}

impl Names for ProgramNames<'_> {
    fn helper(&self, id: i32) -> Option<&str> {
        let rows = self.platform.callables.iter();
        rows.into_iter().find(|row| row.number.cast_signed() == id).map(|row| row.name)
    }

    fn kfunc(&self, id: i32, _off: i16) -> Option<&str> {
        self.program.kfuncs.get(usize::try_from(id).ok()?).map(String::as_str)
    }
}

/// An instruction as the log shows it.
pub(super) fn insn_text(program: &Program, platform: &'static Platform, pc: usize) -> String {
    Disasm::new(&program.insns, pc, &ProgramNames { program, platform }).to_string()
}

impl<'a> Writer<'a> {
    /// A log of a program, empty but for what is known before its verification begins.
    #[must_use]
    pub fn new(
        program: &'a Program,
        platform: &'static Platform,
        _profile: &Profile,
        options: &LogOptions,
    ) -> Writer<'a> {
        let mut out = Buffer::new(options.limit);
        let (functions, told) = functions::starts(&program.insns, platform);
        if options.level.all && told.is_ok() {
            header::functions(&mut out, &functions);
        }
        Writer {
            program,
            platform,
            printer: Printer { platform, program },
            out,
            solved: Solved::default(),
            level: options.level,
            limit: u64::from(platform.limits.processed),
            texts: vec![None; program.insns.len()],
            operands: Vec::new(),
            regs: ALL_REGS,
            slots: ALL_SLOTS,
            whole: false,
            came_from: None,
            pc: 0,
            insn_end: usize::MAX,
            waiting: Vec::new(),
            components: Vec::new(),
            loops: Vec::new(),
            functions: functions.len(),
            line: None,
        }
    }

    /// Ends the log with the reason and the statistics.
    #[must_use]
    pub fn finish(mut self, report: &Report) -> String {
        match report.finding() {
            Some(finding) => {
                let message = &finding.rejection.message;
                let _ = writeln!(self.out, "{message}");
            }
            None if !self.level.all => self.out.take_back(0),
            None => {}
        }
        let stats = &report.stats;
        if self.level.stats {
            let mut depths: Vec<String> = report.stack_depth.iter().map(u32::to_string).collect();
            if depths.is_empty() {
                // Nothing was walked.
                depths = vec!["0".into(); self.functions];
            }
            let _ = writeln!(self.out, "stack depth {}", depths.join("+"));
        }
        let _ = writeln!(
            self.out,
            "processed {} insns (limit {}) max_states_per_insn {} total_states {} peak_states {} mark_read 0",
            stats.processed, self.limit, stats.max_states_per_insn, stats.total_states, stats.peak_states
        );
        self.out.finish()
    }

    /// The text of an instruction.
    pub(super) fn insn(&mut self, pc: usize) -> Box<str> {
        let Some(text) = self.texts.get_mut(pc) else { return "".into() };
        text.get_or_insert_with(|| insn_text(self.program, self.platform, pc).into()).clone()
    }

    fn traces(&self) -> bool {
        self.level.path || self.level.all
    }

    /// What was read or written since the last time: behind the last instruction, or on a line of
    /// its own when something else was written in between.
    fn write_changed(&mut self, pc: usize, state: &State) {
        if self.out.end() == self.insn_end {
            self.out.take_back(self.insn_end - 1);
            let written = self.out.column();
            let over = written.saturating_sub(COLUMN - 3);
            let column = COLUMN + over.div_ceil(STEP) * STEP;
            let _ = write!(self.out, "{:width$};", "", width = column - written);
        } else {
            let _ = write!(self.out, "{pc}:");
        }
        let shown = self.printer.changed(state, self.regs, self.slots);
        let _ = writeln!(self.out, "{shown}");
        (self.regs, self.slots) = (0, 0);
    }

    fn write_whole(&mut self, state: &State) {
        let shown = self.printer.whole(state);
        let _ = writeln!(self.out, "{shown}");
    }

    fn write_line(&mut self, pc: usize) {
        let after = self.program.lines.partition_point(|line| line.pc <= pc);
        let Some(index) = after.checked_sub(1) else { return };
        let LineInfo { file, text, line, .. } = &self.program.lines[index];
        let last = self.line.map(|last| &self.program.lines[last]);
        if last.is_some_and(|last| last.line == *line && last.file == *file) {
            return;
        }
        self.line = Some(index);
        let file = file.rsplit('/').next().unwrap_or(file);
        let _ = writeln!(self.out, "; {} @ {file}:{line}", text.trim_start());
    }

    fn from(&self) -> String {
        self.came_from.map_or_else(|| "-1".into(), |pc| pc.to_string())
    }
}

impl Observer for Writer<'_> {
    const FOLLOWS: bool = true;

    fn begin(&mut self, code: &Code) {
        self.operands = code.insns.iter().map(|insn| insn.instruction.as_ref().map_or(0, operands)).collect();
        if self.level.all {
            header::live_registers(&mut self.out, self.program, self.platform, code);
        }
        prototype::remark(&mut self.out, self.program);
        self.components = components(code);
    }

    fn step(&mut self, pc: usize, state: &State) {
        if !self.traces() {
            return;
        }
        if self.whole && self.level.all {
            let _ = write!(self.out, "\nfrom {} to {pc}:", self.from());
            self.write_whole(state);
        }
        self.whole = false;
        if self.regs != 0 || self.slots != 0 {
            self.write_changed(pc, state);
        }
        self.write_line(pc);
        let text = self.insn(pc);
        let _ = writeln!(self.out, "{pc}: {text}");
        self.insn_end = self.out.end();
        self.regs |= self.operands.get(pc).copied().unwrap_or(0);
        self.came_from = Some(pc);
        self.pc = pc;
    }

    fn covered(&mut self, pc: usize, _state: &State, _by: CheckpointId) {
        if !self.traces() {
            return;
        }
        let _ = if self.whole {
            writeln!(self.out, "\nfrom {} to {pc}: safe", self.from())
        } else {
            writeln!(self.out, "{pc}: safe")
        };
        self.whole = true;
    }

    fn resume(&mut self, _pc: usize, _state: &State) {
        let Some((came_from, end)) = self.waiting.pop() else { return };
        self.came_from = came_from;
        if !self.level.all {
            self.out.take_back(end);
        }
        (self.regs, self.slots) = (ALL_REGS, ALL_SLOTS);
        self.whole = true;
    }

    fn slots(&mut self, _frame: usize, slots: u64) {
        self.slots |= slots;
    }

    fn put_aside(&mut self, prev_pc: Option<usize>) {
        self.waiting.push((prev_pc, self.out.end()));
    }

    fn jumped(&mut self, pc: usize, state: &State) {
        if self.traces() {
            self.write_changed(pc, state);
        }
    }

    fn called(&mut self, state: &State) {
        if !self.traces() {
            return;
        }
        let callee = state.current();
        let caller = self.printer.frame_of(state, callee - 1, Precise::default());
        let _ = writeln!(self.out, "caller:\n{caller}\ncallee:");
        self.write_whole(state);
        (self.regs, self.slots) = (ALL_REGS, ALL_SLOTS);
    }

    fn leaving(&mut self, pc: usize, state: &State) {
        if self.traces() {
            let _ = writeln!(self.out, "returning from callee:");
            self.write_whole(state);
        }
        // What ends a function without an exit is shown as any other instruction.
        let exit = self.program.insns.get(pc).is_some_and(|insn| insn.code == EXIT);
        if exit {
            (self.regs, self.slots) = (0, 0);
        }
        self.whole = exit;
    }

    fn returned(&mut self, pc: usize, state: &State) {
        if self.traces() {
            let _ = writeln!(self.out, "to caller at {pc}:");
            self.write_whole(state);
        }
    }

    fn followed(&mut self, event: &Followed<'_>) {
        if self.level.all {
            self.write_followed(event);
        }
    }

    fn stored(&mut self, id: CheckpointId, state: &State) {
        if self.level.all {
            self.enter_loop(id, state);
        }
    }

    fn completed(&mut self, id: CheckpointId) {
        if self.level.all {
            self.leave_loop(id);
        }
    }

    fn framed(&mut self) {
        (self.regs, self.slots) = (ALL_REGS, ALL_SLOTS);
    }

    fn rounds_done(&mut self, frame: usize, name: &str) {
        if self.level.all {
            let _ = writeln!(self.out, "frame{frame} {name} iteration limit reached");
        }
    }

    fn back_edge(&mut self, old: &State) {
        if self.level.all {
            self.come_back(old);
        }
    }

    fn solving(&mut self, code: &Code, instance: Noted<'_>) {
        if self.level.all {
            self.write_solving(code, instance);
        }
    }
}
