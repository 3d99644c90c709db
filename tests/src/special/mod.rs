//! Programs on a map whose values have a timer and a lock, with the types that say so.

use std::sync::Arc;

use probity_isa::{Insn, assemble, opcode::*};
use probity_program::{Btf, FuncInfo, Linkage, MapDef, Program};

use crate::types::Types;

const SCHED_CLS: u32 = 3;
/// A hash table.
pub const HASH: u32 = 1;
/// An array.
pub const ARRAY: u32 = 2;

/// Where a value has its timer.
pub const TIMER: usize = 8;
/// Where a value has its lock.
pub const LOCK: usize = 24;
/// Where a value has a number of 4 bytes.
pub const NUMBER: usize = 28;
/// Bytes of a value.
pub const VALUE: usize = 32;

/// Adds the type of values.
pub(crate) fn value(types: &mut Types, with_timer: bool, with_lock: bool) -> u32 {
    const INT: u32 = Types::INT;
    const LONG: u32 = Types::LONG;
    let timer = types.composite("bpf_timer", 16, &[("a", LONG, 0), ("b", LONG, 8)]);
    let timer = if with_timer { timer } else { LONG };
    let lock = types.composite("bpf_spin_lock", 4, &[("val", INT, 0)]);
    let lock = if with_lock { lock } else { INT };
    let members = [
        ("before", LONG, 0),
        ("t", timer, TIMER as u32),
        ("lock", lock, LOCK as u32),
        ("number", INT, NUMBER as u32),
    ];
    types.composite("value", VALUE as u32, &members)
}

/// The types: those of the key, the value and functions.
fn types(with_lock: bool) -> (Arc<Btf>, [u32; 3]) {
    let mut types = Types::new();
    let value = value(&mut types, true, with_lock);
    let proto = types.add("", 13 << 24, Types::INT, &[]);
    let function = types.add("function", 12 << 24, proto, &[]);
    (types.done(), [Types::INT, value, function])
}

/// A program in assembler text: its first map is one of such values with 4 places, whose values have a
/// lock only `with_lock`; functions that `func` names begin behind an `exit`.
///
/// # Panics
///
/// When it does not assemble.
#[must_use]
pub fn program(text: &str, map_type: u32, with_lock: bool) -> Program {
    let insns = assemble(text, &()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let (btf, [int, value, function]) = types(with_lock);
    let mut map = MapDef::new(map_type, 4, VALUE as u32, 4);
    (map.btf_key, map.btf_value) = (int, value);
    let func = |pc| FuncInfo { pc, name: "function".to_owned(), btf_id: function, linkage: Linkage::Static };
    let mut starts = vec![0];
    starts.extend(insns.iter().enumerate().filter_map(|(pc, insn)| called(*insn, pc)));
    starts.sort_unstable();
    starts.dedup();
    let mut program = Program::from_insns(SCHED_CLS, insns);
    program.license = "GPL".to_owned();
    program.funcs = starts.into_iter().map(func).collect();
    (program.maps, program.btf) = (vec![map], Some(btf));
    program
}

/// The function that an instruction has the address of, or calls.
pub(crate) fn called(insn: Insn, pc: usize) -> Option<usize> {
    const FUNC: u8 = 4;
    let names = (insn.code == BPF_LD | BPF_IMM | BPF_DW && insn.src == FUNC)
        || (insn.code == BPF_JMP | BPF_CALL && insn.src == 1);
    names.then(|| (pc as i64 + 1 + i64::from(insn.imm)) as usize)
}
