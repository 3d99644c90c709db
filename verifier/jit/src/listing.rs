//! Code beside the instructions that it was made of, as text: a line for each instruction, with the
//! bytes of its code below.

use std::fmt::Write;

use probity_isa::Disasm;
use probity_vm::Unit;

/// Writes the listing; `parts` are where code begins, in order, with what it is for.
pub(crate) fn listing(unit: &Unit, code: &[u8], parts: &[(usize, Part)]) -> String {
    let insns = &unit.program().insns;
    let mut text = String::new();
    for (number, &(start, part)) in parts.iter().enumerate() {
        let end = parts.get(number + 1).map_or(code.len(), |next| next.0);
        // Writing to a string does not fail.
        let _ = match part {
            Part::Instruction(pc) => writeln!(text, "{pc}: {}", Disasm::new(insns, pc, &()).assembly()),
            Part::Named(name) => writeln!(text, "{name}:"),
        };
        for (line, bytes) in (start..).step_by(16).zip(code[start..end].chunks(16)) {
            let _ = write!(text, "    {line:6x} ");
            for byte in bytes {
                let _ = write!(text, " {byte:02x}");
            }
            text.push('\n');
        }
    }
    text
}

/// What a stretch of code is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// The instruction at a slot.
    Instruction(usize),
    /// Something else.
    Named(&'static str),
}
