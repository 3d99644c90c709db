//! Instructions as text, with the names that a program knows.

use probity_isa::{Disasm, Names, opcode};
use probity_platform::Platform;
use probity_program::Program;

/// The names of a program's callees.
struct ProgramNames<'a> {
    program: &'a Program,
    platform: &'a Platform,
}

impl Names for ProgramNames<'_> {
    fn helper(&self, id: i32) -> Option<&str> {
        let number = u32::try_from(id).ok()?;
        self.platform.callables.iter().find(|row| row.number == number).map(|row| row.name)
    }

    fn kfunc(&self, id: i32, _off: i16) -> Option<&str> {
        self.program.kfuncs.get(usize::try_from(id).ok()?).map(String::as_str)
    }
}

/// The instruction at a pc in the notation of the kernel's log, maps and functions by name; and the
/// number of its slots.
#[must_use]
pub fn text(program: &Program, platform: &Platform, pc: usize) -> (String, usize) {
    let names = ProgramNames { program, platform };
    let line = Disasm::new(&program.insns, pc, &names);
    let text = named(program, pc).unwrap_or_else(|| line.to_string());
    (text, line.slots())
}

/// The text of an instruction that refers to something by number, when the program has a name for
/// it.
fn named(program: &Program, pc: usize) -> Option<String> {
    let insn = program.insns.get(pc)?;
    let next = program.insns.get(pc + 1).map_or(0, |next| next.imm);
    let index = usize::try_from(insn.imm).ok();
    let at = i64::try_from(pc).ok()? + 1 + i64::from(insn.imm);
    let function = || {
        let at = usize::try_from(at).ok()?;
        program.funcs.iter().find(|func| func.pc == at).map(|func| func.name.as_str())
    };
    const LOAD: u8 = 0x18;
    const CALL: u8 = 0x85;
    Some(match (insn.code, insn.src) {
        (LOAD, opcode::BPF_PSEUDO_MAP_FD) => {
            format!("(18) r{} = map[{}] ll", insn.dst, program.maps.get(index?)?.name)
        }
        (LOAD, opcode::BPF_PSEUDO_MAP_VALUE) => {
            format!("(18) r{} = map_value[{}] + {next} ll", insn.dst, program.maps.get(index?)?.name)
        }
        (LOAD, opcode::BPF_PSEUDO_BTF_ID) => {
            format!("(18) r{} = ksym[{}] ll", insn.dst, program.ksyms.get(index?)?)
        }
        (LOAD, opcode::BPF_PSEUDO_FUNC) => format!("(18) r{} = func[{}] ll", insn.dst, function()?),
        (CALL, opcode::BPF_PSEUDO_CALL) => format!("(85) call pc{:+} <{}>", insn.imm, function()?),
        _ => return None,
    })
}
