//! What stands before the trace: functions and live registers.

use std::fmt::Write;

use probity_platform::Platform;
use probity_program::Program;

use super::writer::insn_text;
use crate::prepare::Code;
use crate::prepare::components::components;

/// The registers of the columns.
const REGS: usize = 10;

/// A line for each function, by their first instructions.
pub(super) fn functions(out: &mut impl Write, starts: &[usize]) {
    for (index, start) in starts.iter().enumerate() {
        let _ = writeln!(out, "func#{index} @{start}");
    }
}

/// A line for each instruction: its loop, and the registers that are read at or after it.
pub(super) fn live_registers(
    out: &mut impl Write,
    program: &Program,
    platform: &'static Platform,
    code: &Code,
) {
    let _ = writeln!(out, "Live regs before insn:");
    let components = components(code);
    let mut pc = 0;
    while pc < code.insns.len() {
        let component = match components[pc] {
            0 => String::new(),
            number => number.to_string(),
        };
        let live: String = (0..REGS)
            .map(|reg| match code.insns[pc].live_before >> reg & 1 {
                0 => '.',
                _ => char::from(b'0' + reg as u8),
            })
            .collect();
        let text = insn_text(program, platform, pc);
        let _ = writeln!(out, "{component:>3} {pc:>3}: {live} {text}");
        pc += usize::from(code.insns[pc].slots);
    }
}
