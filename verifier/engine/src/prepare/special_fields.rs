//! Which maps hold values that are more than bytes: locks, timers, kernel pointers. The spec says
//! which types are special; the program's BTF says where they stand.

use probity_platform::{Platform, SpecialFieldForm};
use probity_program::btf::{Btf, Type, TypeId};
use probity_program::{MapDef, Program};

/// Types nest no deeper than this (verifier.md, 7.1).
const MAX_DEPTH: usize = 32;

/// By map: the name of a special type in its values, when there is one.
pub(super) fn find(program: &Program, platform: &'static Platform) -> Vec<Option<&'static str>> {
    program.maps.iter().map(|map| in_map(program, platform, map)).collect()
}

fn in_map(program: &Program, platform: &'static Platform, map: &MapDef) -> Option<&'static str> {
    if map.btf_value == 0 || platform.special_fields.is_empty() {
        return None;
    }
    match program.btf.as_deref() {
        Some(btf) => in_type(btf, platform, TypeId(map.btf_value), MAX_DEPTH),
        None => Some("a type without BTF"),
    }
}

fn in_type(btf: &Btf, platform: &'static Platform, id: TypeId, depth: usize) -> Option<&'static str> {
    let Some(depth) = depth.checked_sub(1) else { return Some("types nested too deep") };
    let into = |id| in_type(btf, platform, id, depth);
    match btf.ty(id)? {
        Type::Struct(composite) | Type::Union(composite) => {
            let named = platform.special_field(SpecialFieldForm::Struct, composite.name);
            named.map(|row| row.name).or_else(|| composite.members().find_map(|member| into(member.ty)))
        }
        Type::Datasec(section) => section.vars().find_map(|var| into(var.var)),
        Type::Var { ty, .. } => into(ty),
        Type::Array { elem, .. } => into(elem),
        Type::Typedef { target, .. }
        | Type::Volatile { target }
        | Type::Const { target }
        | Type::Restrict { target } => into(target),
        Type::Ptr { target } => in_pointer(btf, platform, target, depth),
        _ => None,
    }
}

/// Tags stand between a pointer and what it points to.
fn in_pointer(btf: &Btf, platform: &'static Platform, mut id: TypeId, depth: usize) -> Option<&'static str> {
    for _ in 0..depth {
        match btf.ty(id)? {
            Type::TypeTag { name, target, .. } => {
                if let Some(row) = platform.special_field(SpecialFieldForm::Tag, name) {
                    return Some(row.name);
                }
                id = target;
            }
            Type::Volatile { target } | Type::Const { target } | Type::Restrict { target } => id = target,
            _ => return None,
        }
    }
    None
}
