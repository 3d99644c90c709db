//! Where functions begin, and that their jumps stay inside them.

use std::collections::BTreeSet;

use probity_isa::Insn;
use probity_isa::opcode::{
    BPF_CALL, BPF_DW, BPF_EXIT, BPF_IMM, BPF_JA, BPF_JMP, BPF_JMP32, BPF_LD, BPF_PSEUDO_CALL,
    BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL,
};
use probity_platform::rejection::EINVAL;
use probity_platform::{CallableFlags, Code as Why, Platform, Rejection};
use probity_program::{Linkage, Program};

use super::{Function, Offered};
use crate::transfer::call::is_gpl_compatible;

fn reject(pc: usize, why: Why, message: String) -> (usize, Rejection) {
    (pc, Rejection::new(why, message))
}

/// The first instructions of all functions: the entry, the targets of calls, the functions whose
/// address is taken.
pub(super) fn discover(
    raw: &[Insn],
    platform: &Platform,
    program: &Program,
    offered: &Offered,
) -> Result<Vec<usize>, (usize, Rejection)> {
    let (starts, outcome) = starts(raw, platform);
    let bad = outcome.as_ref().err().map_or(raw.len(), |&(pc, _)| pc);
    check_licence(&raw[..bad], program, offered)?;
    outcome.map(|()| starts)
}

/// The first slots of a program's functions, ascending: the entry's, and those that calls and
/// addresses of functions name.
#[must_use]
pub fn function_starts(raw: &[Insn], platform: &Platform) -> Vec<usize> {
    starts(raw, platform).0
}

/// Programs of other licences call no kfuncs that are for the GPL's.
fn check_licence(raw: &[Insn], program: &Program, offered: &Offered) -> Result<(), (usize, Rejection)> {
    let gpl_only = |insn: &&Insn| {
        let kfunc = insn.code == BPF_JMP | BPF_CALL && insn.src == BPF_PSEUDO_KFUNC_CALL;
        let row = offered.kfunc(insn.imm).filter(|_| kfunc).map(|kfunc| kfunc.row);
        row.is_some_and(|row| row.flags.contains(CallableFlags::GPL_ONLY))
    };
    match raw.iter().position(|insn| gpl_only(&insn)) {
        Some(pc) if !is_gpl_compatible(&program.license) => {
            let message = "cannot call kernel function from non-GPL compatible program";
            let rejection = Rejection::new(Why::GplOnly, message).errno(EINVAL).facts(
                "a licence that is compatible with the GPL",
                format!("licence \"{}\"", program.license),
            );
            Err((pc, rejection))
        }
        _ => Ok(()),
    }
}

/// As [`discover`], with those that were found before something is wrong.
pub(crate) fn starts(raw: &[Insn], platform: &Platform) -> (Vec<usize>, Result<(), (usize, Rejection)>) {
    let mut starts = BTreeSet::from([0]);
    let mut outcome = Ok(());
    for (pc, insn) in raw.iter().enumerate() {
        let call = insn.code == BPF_JMP | BPF_CALL && insn.src == BPF_PSEUDO_CALL;
        let address = insn.code == BPF_LD | BPF_IMM | BPF_DW && insn.src == BPF_PSEUDO_FUNC;
        if !call && !address {
            continue;
        }
        let target = pc as i64 + i64::from(insn.imm) + 1;
        match usize::try_from(target) {
            Ok(target) if target < raw.len() => starts.insert(target),
            _ => {
                outcome = Err(reject(pc, Why::InvalidCall, "call to invalid destination".into()));
                break;
            }
        };
        if starts.len() > platform.limits.subprogs as usize {
            outcome = Err(reject(pc, Why::TooManySubprograms, "too many subprograms".into()));
            break;
        }
    }
    (starts.into_iter().collect(), outcome)
}

/// The functions that begin at `starts`.
pub(super) fn describe(program: &Program, starts: &[usize]) -> Vec<Function> {
    let ends = starts[1..].iter().copied().chain([program.insns.len()]);
    let describe = |(&start, end)| {
        let info = program.funcs.iter().find(|info| info.pc == start);
        Function {
            start,
            end,
            global: start != 0 && info.is_some_and(|info| info.linkage == Linkage::Global),
            tail_call: false,
            packet_load: false,
            name: info.map(|info| info.name.clone()).unwrap_or_default(),
        }
    };
    starts.iter().zip(ends).map(describe).collect()
}

/// Every jump stays in its function, and no function runs off its end.
pub(super) fn check_jumps(raw: &[Insn], functions: &[Function]) -> Result<(), (usize, Rejection)> {
    for function in functions {
        let insns = raw.iter().enumerate().take(function.end).skip(function.start);
        for (pc, insn) in insns {
            if let Some(target) = jump_target(*insn, pc) {
                let inside = function.start as i64..function.end as i64;
                if !inside.contains(&target) {
                    let message = format!("jump out of range from insn {pc} to {target}");
                    return Err(reject(pc, Why::JumpOutOfRange, message));
                }
            }
        }
        let last = raw[function.end - 1].code;
        if ![BPF_JMP | BPF_EXIT, BPF_JMP | BPF_JA, BPF_JMP32 | BPF_JA].contains(&last) {
            return Err(reject(function.end - 1, Why::FallsOffEnd, "last insn is not an exit or jmp".into()));
        }
    }
    Ok(())
}

/// The records of functions, when there are any, are about exactly the functions that the
/// instructions have.
pub(super) fn check_info(program: &Program, functions: &[Function]) -> Result<(), (usize, Rejection)> {
    let typed = program.funcs.iter().all(|info| info.btf_id != 0);
    if program.btf.is_none() || program.funcs.is_empty() || !typed {
        return Ok(());
    }
    if program.funcs.len() != functions.len() {
        let message = "number of funcs in func_info doesn't match number of subprogs";
        return Err(reject(0, Why::FunctionInfo, message.into()));
    }
    match program.funcs.iter().zip(functions).find(|(info, function)| info.pc != function.start) {
        None => Ok(()),
        Some((_, function)) => {
            let message = "func_info BTF section doesn't match subprog layout in BPF program";
            Err(reject(function.start, Why::FunctionInfo, message.into()))
        }
    }
}

/// Where a jump goes; None for what is no jump.
fn jump_target(insn: Insn, pc: usize) -> Option<i64> {
    let class = insn.code & 0x07;
    let op = insn.code & 0xf0;
    if (class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT {
        return None;
    }
    let far = insn.code == BPF_JMP32 | BPF_JA;
    let off = if far { i64::from(insn.imm) } else { i64::from(insn.off) };
    Some(pc as i64 + off + 1)
}
