//! The types of nested programs: of values with a lock, and of functions.

use probity_program::{FuncInfo, Linkage, Program};

use super::calls::{Function, Role};
use super::map;
use crate::special::{called, value};
use crate::types::Types;

const PTR: u32 = 2 << 24;
const FUNC: u32 = 12 << 24;
const FUNC_PROTO: u32 = 13 << 24;
const DECL_TAG: u32 = 17 << 24;

/// Gives a program its types.
pub(super) fn describe(program: &mut Program, functions: &[Function]) {
    let mut types = Types::new();
    let (int, long, value) = (Types::INT, Types::LONG, value(&mut types, false, true));
    let cell = types.composite("cell", 16, &[("a", long, 0), ("b", long, 8)]);
    let memory = types.add("", PTR, cell, &[]);
    let context = types.composite("__sk_buff", 0, &[]);
    let context = types.add("", PTR, context, &[]);
    let names = ["a", "b", "c"].map(|name| types.string(name));
    let mut function = |name: &str, role: Role| {
        let params: Vec<u32> = match role {
            Role::Global { context: true, .. } => vec![memory, long, context],
            Role::Global { .. } => vec![memory, long],
            _ => Vec::new(),
        };
        let words: Vec<[u32; 2]> = names.into_iter().zip(params).map(|(name, ty)| [name, ty]).collect();
        let proto = types.add("", FUNC_PROTO | words.len() as u32, int, words.as_flattened());
        let global = matches!(role, Role::Global { .. });
        let id = types.add(name, FUNC | u32::from(global), proto, &[]);
        if matches!(role, Role::Global { nonnull: true, .. }) {
            types.add("arg:nonnull", DECL_TAG, id, &[0]);
        }
        (id, if global { Linkage::Global } else { Linkage::Static })
    };
    let mut starts = vec![0];
    starts.extend(program.insns.iter().enumerate().filter_map(|(pc, insn)| called(*insn, pc)));
    starts.sort_unstable();
    starts.dedup();
    // They stand in the order in which they were asked for.
    let roles = [Role::Main].into_iter().chain(functions.iter().map(|function| function.role));
    program.funcs = starts
        .into_iter()
        .zip(roles)
        .enumerate()
        .map(|(index, (pc, role))| {
            let name = format!("f{index}");
            let (btf_id, linkage) = function(&name, role);
            FuncInfo { pc, name, btf_id, linkage }
        })
        .collect();
    let special = &mut program.maps[map::SPECIAL];
    (special.btf_key, special.btf_value) = (int, value);
    program.btf = Some(types.done());
}
