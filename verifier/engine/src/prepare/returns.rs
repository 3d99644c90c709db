//! Functions that may be left in their middle — by a tail call, or by a packet load outside the
//! packet — return a number to their caller then, so they must be functions that return one
//! (verifier.md, section 1 row 6).

use probity_isa::Instruction;
use probity_platform::{Code as Why, Intrinsic, Rejection};
use probity_program::Program;
use probity_program::btf::{Btf, Type, TypeId};

use super::{Code, Function};
use crate::prepare::Offered;

/// Marks what each function does that may leave it.
pub(super) fn find(code: &mut Code, offered: &Offered) {
    for function in &mut code.functions {
        for insn in &code.insns[function.start..function.end] {
            match insn.instruction {
                Ok(Instruction::CallHelper { id }) => {
                    let body = offered.callable(id).and_then(|callable| callable.body);
                    function.tail_call |= body == Some(Intrinsic::TailCall);
                }
                Ok(Instruction::LoadAbs { .. } | Instruction::LoadInd { .. }) => {
                    function.packet_load = true;
                }
                _ => {}
            }
        }
    }
}

/// Checks that the called functions among them return numbers.
pub(super) fn check(program: &Program, code: &Code) -> Result<(), (usize, Rejection)> {
    let typed = program.btf.as_deref().filter(|_| program.funcs.iter().any(|info| info.btf_id != 0));
    for function in code.functions.iter().skip(1) {
        let what = match function {
            Function { packet_load: true, .. } => "LD_ABS",
            Function { tail_call: true, .. } => "tail_call",
            _ => continue,
        };
        let message = match typed {
            None => format!("{what} is not allowed in subprogs without BTF"),
            Some(btf) if !returns_number(program, btf, function) => {
                format!("{what} is only allowed in functions that return 'int'.")
            }
            Some(_) => continue,
        };
        let rejection = Rejection::new(Why::NotAllowed, message).facts(
            "a function that returns a number, as its BTF says",
            format!("function {}", function.name),
        );
        return Err((function.start, rejection));
    }
    Ok(())
}

fn returns_number(program: &Program, btf: &Btf, function: &Function) -> bool {
    let info = program.funcs.iter().find(|info| info.pc == function.start);
    let proto = info.and_then(|info| btf.func_proto(TypeId(info.btf_id)));
    match proto.and_then(|proto| btf.resolved(proto.ret)) {
        Some(Type::Int(int)) => int.size <= 8,
        Some(Type::Enum(_)) => true,
        _ => false,
    }
}
