//! What the kernel finds to say of the entry function's prototype. It looks at it as at that of a
//! global function, and goes on when it does not like it.

use std::fmt::Write;

use probity_program::btf::{Btf, Kind, TypeId};
use probity_program::{Linkage, Program};

/// The line about the entry function, when there is something to say.
pub(super) fn remark(out: &mut impl Write, program: &Program) {
    let Some(btf) = &program.btf else { return };
    if program.funcs.iter().any(|func| func.btf_id == 0) {
        // No function information reaches the kernel then.
        return;
    }
    let Some(entry) = program.funcs.first().filter(|func| func.linkage == Linkage::Global) else { return };
    let Some(proto) = btf.func_proto(TypeId(entry.btf_id)) else { return };
    let scalar = |id| matches!(kind(btf, id), Kind::Int | Kind::Enum | Kind::Enum64);
    if !scalar(proto.ret) {
        let name = &entry.name;
        let _ = writeln!(out, "Global function {name}() doesn't return scalar. Only those are supported.");
        return;
    }
    for (index, param) in proto.params().enumerate() {
        let Some(resolved) = btf.resolve(param.ty) else { return };
        if let Some(probity_program::btf::Type::Ptr { target }) = btf.ty(resolved)
            && btf.size_of(target).is_none()
        {
            let name = unsized_name(btf, target);
            let _ = writeln!(out, "arg#{index} reference type('{name}') size cannot be determined: -22");
            return;
        }
    }
}

fn kind(btf: &Btf, id: TypeId) -> Kind {
    btf.resolve(id).and_then(|id| btf.kind(id)).unwrap_or(Kind::Void)
}

/// A type without a size: its kind and its name.
fn unsized_name(btf: &Btf, id: TypeId) -> String {
    let Some(id) = btf.resolve(id) else { return "UNKNOWN ".into() };
    let kind = match btf.kind(id) {
        Some(Kind::Fwd) => "FWD",
        Some(Kind::Func) => "FUNC",
        Some(Kind::FuncProto) => "FUNC_PROTO",
        Some(Kind::Void) | None => return "UNKNOWN ".into(),
        Some(_) => "",
    };
    format!("{kind} {}", btf.name(id).unwrap_or_default())
}
