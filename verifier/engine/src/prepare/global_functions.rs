//! Global functions: verified by themselves, from the prototype that their BTF says (verifier.md,
//! 5.4). What a call of one may do is found here once, from all that it may run.

use probity_isa::Instruction;
use probity_platform::{ArgRole, CallableFlags, Intrinsic, KfuncFlags, Lifetime, Platform, ProgType};
use probity_program::Program;
use probity_program::btf::{Btf, Type, TypeId};

use super::{Code, Offered};

/// What an argument of a global function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalArg {
    /// A number.
    Scalar,
    /// The context.
    Context,
    /// Memory of so many bytes.
    Memory {
        /// Its size.
        size: u32,
        /// It may be null.
        nullable: bool,
    },
}

/// What a function, with all that it calls, may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packet pointers of its callers go stale.
    pub changes_packet: bool,
    /// It may sleep.
    pub sleeps: bool,
    /// What it calls, of that which pointers of a host are good until: ascending indexes of
    /// [`Platform::callable_at`].
    pub ends: Vec<u16>,
    /// It does something whose effect on its callers is not known.
    pub unknown: bool,
}

/// The arguments of a global function; None when one of them, or what it returns, is not modelled.
#[must_use]
pub fn prototype(
    program: &Program,
    code: &Code,
    platform: &Platform,
    prog_type: &ProgType,
    function: usize,
) -> Option<Vec<GlobalArg>> {
    let btf = program.btf.as_deref()?;
    let start = code.functions[function].start;
    let id = TypeId(program.funcs.iter().find(|info| info.pc == start)?.btf_id);
    let proto = btf.func_proto(id).filter(|_| id.0 != 0)?;
    let tags: Vec<(u32, String)> = btf
        .types()
        .filter_map(|(_, ty)| match ty {
            Type::DeclTag(tag) if tag.target == id => Some((tag.component?, tag.name.to_owned())),
            _ => None,
        })
        .collect();
    if !is_number(btf, proto.ret) || proto.params().count() > 5 {
        return None;
    }
    let context = platform.views[usize::from(prog_type.ctx)].name;
    let argument = |(index, param): (u32, TypeId)| {
        let mut tags = tags.iter().filter(|(component, _)| *component == index);
        let tag = tags.next().map(|(_, name)| name.as_str());
        if tags.next().is_some() {
            return None;
        }
        match tag {
            Some("arg:ctx") => Some(GlobalArg::Context),
            None | Some("arg:nonnull") => in_btf(btf, platform, context, param, tag.is_none()),
            Some(_) => None,
        }
    };
    (0..).zip(proto.params().map(|param| param.ty)).map(argument).collect()
}

fn is_number(btf: &Btf, id: TypeId) -> bool {
    matches!(btf.resolved(id), Some(Type::Int(_) | Type::Enum(_)))
}

fn in_btf(btf: &Btf, platform: &Platform, context: &str, id: TypeId, nullable: bool) -> Option<GlobalArg> {
    let target = match btf.resolved(id)? {
        Type::Int(_) | Type::Enum(_) => return nullable.then_some(GlobalArg::Scalar),
        Type::Ptr { target } => target,
        _ => return None,
    };
    // Names along the way may mean a context, here or for the kernel.
    let pointee = btf.resolved(target)?;
    let tagged = matches!(btf.ty(btf.skip_modifiers(target)?)?, Type::TypeTag { .. });
    match pointee {
        Type::Struct(composite) if composite.name == context => return Some(GlobalArg::Context),
        Type::Int(_) | Type::Enum(_) | Type::Array { .. } if !tagged => {}
        Type::Struct(composite) | Type::Union(composite) if !tagged => {
            let known = platform.views.iter().any(|view| view.name == composite.name)
                || platform.stack_objects.iter().any(|object| object.name == composite.name)
                || platform.objects.iter().any(|object| object.name == composite.name);
            let typedef = matches!(btf.ty(btf.skip_modifiers(target)?)?, Type::Typedef { .. });
            if known || typedef || composite.name.is_empty() {
                return None;
            }
        }
        _ => return None,
    }
    let size = u32::try_from(btf.size_of(target)?).ok()?;
    Some(GlobalArg::Memory { size, nullable })
}

/// What each function may do.
#[must_use]
pub fn summaries(code: &Code, platform: &Platform, offered: &Offered) -> Vec<Summary> {
    let mut summaries = vec![Summary::default(); code.functions.len()];
    let ending = ending(platform);
    let mut changed = true;
    while changed {
        changed = false;
        for index in 0..code.functions.len() {
            let function = &code.functions[index];
            let mut summary = summaries[index].clone();
            for pc in function.start..function.end {
                let Some(instruction) = code.instruction(pc) else { continue };
                add(&mut summary, instruction, platform, offered, &ending);
                if let Some(callee) = callee(code, pc, instruction) {
                    let callee = &summaries[callee];
                    callee.ends.iter().for_each(|&at| insert(&mut summary.ends, at));
                    summary.changes_packet |= callee.changes_packet;
                    summary.sleeps |= callee.sleeps;
                    summary.unknown |= callee.unknown;
                }
            }
            changed |= summary != summaries[index];
            summaries[index] = summary;
        }
    }
    summaries
}

/// The function that an instruction calls, or takes the address of.
fn callee(code: &Code, pc: usize, instruction: &Instruction) -> Option<usize> {
    let off = match *instruction {
        Instruction::CallSubprog { off } => off,
        Instruction::LoadImm64 { pseudo: probity_isa::opcode::BPF_PSEUDO_FUNC, imm, .. } => imm,
        _ => return None,
    };
    code.function_at(usize::try_from(pc as i64 + i64::from(off) + 1).ok()?)
}

/// What pointers of a host are good until.
fn ending(platform: &Platform) -> Vec<u16> {
    let mut ending = Vec::new();
    for row in platform.callables.iter().chain(platform.kfuncs) {
        if let Lifetime::Until(at) = row.ret.lifetime {
            insert(&mut ending, at);
        }
    }
    ending
}

fn insert(list: &mut Vec<u16>, at: u16) {
    if let Err(index) = list.binary_search(&at) {
        list.insert(index, at);
    }
}

fn add(
    summary: &mut Summary,
    instruction: &Instruction,
    platform: &Platform,
    offered: &Offered,
    ending: &[u16],
) {
    let (row, sleeps) = match *instruction {
        Instruction::CallHelper { id } => {
            let Some(row) = offered.callable(id) else { return };
            (row, row.flags.contains(CallableFlags::MIGHT_SLEEP))
        }
        Instruction::CallKfunc { id, .. } => {
            let Some(kfunc) = offered.kfunc(id) else { return };
            (kfunc.row, kfunc.row.kfunc.contains(KfuncFlags::KF_SLEEPABLE))
        }
        _ => return,
    };
    let changes = row.flags.contains(CallableFlags::CHANGES_PKT_DATA);
    let of_view =
        row.args.iter().any(|arg| platform.arg_classes[usize::from(arg.class)].role == ArgRole::StackObject);
    // Another program may call anything.
    let replaces = row.body == Some(Intrinsic::TailCall);
    for &at in ending {
        if replaces || platform.callable_at(at).is_some_and(|end| end.is(row)) {
            insert(&mut summary.ends, at);
        }
    }
    summary.sleeps |= sleeps;
    summary.unknown |= (changes && of_view) || row.flags.contains(CallableFlags::THROWS);
    summary.changes_packet |= changes || replaces;
}
