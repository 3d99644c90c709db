//! What an object expects from the kernel: functions, variables and configuration.

use std::collections::HashMap;

use probity_program::{
    Btf, Linkage,
    btf::{Type, TypeId, essential_name},
};

use crate::elf::Elf;

/// What an extern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExternKind {
    /// A function of the kernel.
    Func,
    /// A variable of the kernel whose type is known.
    Var,
    /// An address of the kernel without a type.
    Untyped,
    /// An option of the kernel's configuration.
    Config,
}

/// Something that the kernel has.
#[derive(Clone, Debug)]
pub(crate) struct Extern {
    /// Its name, without a flavour.
    pub(crate) name: String,
    pub(crate) kind: ExternKind,
    /// The type of a variable, the prototype of a function.
    pub(crate) ty: TypeId,
    /// True when it may be missing.
    pub(crate) is_weak: bool,
}

/// The externs of an object, by the index of their symbol.
pub(crate) fn collect(elf: &Elf, btf: Option<&Btf>) -> HashMap<usize, Extern> {
    let Some(btf) = btf else {
        return HashMap::new();
    };
    let known = declared(btf);
    let mut found = HashMap::new();
    for (index, symbol) in elf.symbols.iter().enumerate().skip(1) {
        if symbol.section.is_some() || symbol.is_local || symbol.is_section {
            continue;
        }
        if let Some((kind, ty)) = known.get(symbol.name.as_str()) {
            found.insert(
                index,
                Extern {
                    name: match kind {
                        ExternKind::Config => symbol.name.clone(),
                        _ => essential_name(&symbol.name).to_owned(),
                    },
                    kind: *kind,
                    ty: *ty,
                    is_weak: symbol.is_weak,
                },
            );
        }
    }
    found
}

/// What the sections `.ksyms` and `.kconfig` of the types declare.
fn declared(btf: &Btf) -> HashMap<&str, (ExternKind, TypeId)> {
    let mut found = HashMap::new();
    for (_, ty) in btf.types() {
        let Type::Datasec(section) = ty else {
            continue;
        };
        let is_config = match section.name {
            ".kconfig" => true,
            ".ksyms" => false,
            _ => continue,
        };
        for var in section.vars() {
            match btf.ty(var.var) {
                Some(Type::Func { name, proto, linkage: Linkage::Extern }) if !is_config => {
                    found.insert(name, (ExternKind::Func, proto));
                }
                Some(Type::Var { name, ty, linkage: Linkage::Extern }) => {
                    let kind = match btf.resolved(ty) {
                        _ if is_config => ExternKind::Config,
                        Some(Type::Void) => ExternKind::Untyped,
                        _ => ExternKind::Var,
                    };
                    found.insert(name, (kind, ty));
                }
                _ => {}
            }
        }
    }
    found
}
