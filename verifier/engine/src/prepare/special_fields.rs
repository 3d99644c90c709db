//! Which maps hold values that are more than bytes: locks, timers, kernel pointers. The spec says
//! which types are special; the program's BTF says where they stand.

use probity_platform::rejection::EINVAL;
use probity_platform::{Code as Why, Platform, ProgType, Rejection, SpecialField, SpecialFieldForm};
use probity_program::btf::{Btf, Type, TypeId};
use probity_program::{MapDef, Program};

/// Types nest no deeper than this (verifier.md, 7.1).
const MAX_DEPTH: usize = 32;

/// What is special in a map's values.
#[derive(Clone, Debug, Default)]
pub struct Special {
    /// The name of the first special type, or why they are not known.
    pub name: Option<&'static str>,
    /// The special types with the sizes that they have there, as often as they occur, in the order
    /// of the value.
    fields: Vec<(&'static SpecialField, u32)>,
}

impl Special {
    /// Refuses maps with fields that programs of a type may not have. A value that has a field twice
    /// which it may have once, or in another size, is bytes to Linux 6.18.
    pub(super) fn check(&self, platform: &Platform, prog_type: &ProgType) -> Result<(), Rejection> {
        let times = |field: &SpecialField| {
            self.fields.iter().filter(|(found, _)| std::ptr::eq(*found, field)).count()
        };
        let odd = |(field, size): &(&'static SpecialField, u32)| {
            field.size != *size || (field.unique && times(field) > 1)
        };
        if self.fields.iter().any(odd) {
            return Ok(());
        }
        for field in platform.special_fields.iter().filter(|field| times(field) > 0) {
            for (progs, text) in field.denied {
                if progs.contains(&prog_type.number) {
                    return Err(Rejection::new(Why::InvalidMap, *text)
                        .errno(EINVAL)
                        .facts(format!("a map without {}", field.name), prog_type.name)
                        .at(field.site));
                }
            }
        }
        Ok(())
    }

    fn unknown(why: &'static str) -> Special {
        Special { name: Some(why), fields: Vec::new() }
    }
}

/// By map: what is special in its values.
pub(super) fn find(program: &Program, platform: &'static Platform) -> Vec<Special> {
    program.maps.iter().map(|map| in_map(program, platform, map)).collect()
}

fn in_map(program: &Program, platform: &'static Platform, map: &MapDef) -> Special {
    if map.btf_value == 0 || platform.special_fields.is_empty() {
        return Special::default();
    }
    let Some(btf) = program.btf.as_deref() else { return Special::unknown("a type without BTF") };
    let mut search = Search { btf, platform, fields: Vec::new() };
    match search.in_type(TypeId(map.btf_value), MAX_DEPTH) {
        Some(()) => {
            let name = search.fields.first().map(|(field, _)| field.name);
            Special { name, fields: search.fields }
        }
        None => Special::unknown("types nested too deep"),
    }
}

struct Search<'a> {
    btf: &'a Btf,
    platform: &'static Platform,
    fields: Vec<(&'static SpecialField, u32)>,
}

impl Search<'_> {
    /// None: types are nested too deep, or many, to tell.
    fn in_type(&mut self, id: TypeId, depth: usize) -> Option<()> {
        /// More fields than this no value has.
        const MAX_FIELDS: usize = 1 << 10;
        let depth = depth.checked_sub(1)?;
        match self.btf.ty(id) {
            _ if self.fields.len() > MAX_FIELDS => None,
            Some(Type::Struct(composite) | Type::Union(composite)) => {
                match self.platform.special_field(SpecialFieldForm::Struct, composite.name) {
                    Some(row) => {
                        self.fields.push((row, composite.size));
                        Some(())
                    }
                    None => composite.members().try_for_each(|member| self.in_type(member.ty, depth)),
                }
            }
            Some(Type::Datasec(section)) => section.vars().try_for_each(|var| self.in_type(var.var, depth)),
            // Whether there is more than one is all that counts.
            Some(Type::Array { elem, count, .. }) => {
                (0..count.min(2)).try_for_each(|_| self.in_type(elem, depth))
            }
            Some(
                Type::Var { ty: target, .. }
                | Type::Typedef { target, .. }
                | Type::Volatile { target }
                | Type::Const { target }
                | Type::Restrict { target },
            ) => self.in_type(target, depth),
            Some(Type::Ptr { target }) => {
                self.in_pointer(target, depth);
                Some(())
            }
            _ => Some(()),
        }
    }

    /// Tags stand between a pointer and what it points to.
    fn in_pointer(&mut self, mut id: TypeId, depth: usize) {
        for _ in 0..depth {
            match self.btf.ty(id) {
                Some(Type::TypeTag { name, target, .. }) => {
                    if let Some(row) = self.platform.special_field(SpecialFieldForm::Tag, name) {
                        self.fields.push((row, row.size));
                        return;
                    }
                    id = target;
                }
                Some(Type::Volatile { target } | Type::Const { target } | Type::Restrict { target }) => {
                    id = target;
                }
                _ => return,
            }
        }
    }
}
