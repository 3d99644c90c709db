//! What map values hold beyond bytes: locks, timers, kernel pointers. The spec says which types are
//! special; the program's BTF says where they stand.

use probity_platform::{Concepts, Platform, SpecialField, SpecialFieldForm, Subject};
use probity_program::btf::{Btf, Type, TypeId};
use probity_program::{MapDef, Program};

use crate::transfer::concepts::MODELLED;

/// Types nest no deeper than this (verifier.md, 7.1).
const MAX_DEPTH: usize = 32;

/// A special field of a map's value.
#[derive(Clone, Copy, Debug)]
pub struct FieldAt {
    /// Its row.
    pub row: &'static SpecialField,
    /// Its index in [`Platform::special_fields`].
    pub index: u16,
    /// Its offset in the value in bytes.
    pub offset: u32,
}

/// The special fields of a map's value.
#[derive(Clone, Debug, Default)]
pub struct MapFields {
    /// Those that the engine models, by offset.
    pub fields: Vec<FieldAt>,
    /// The name of one that it does not.
    pub unmodelled: Option<&'static str>,
    /// True when the map has no type for its value, so that nobody knows.
    pub untyped: bool,
}

impl MapFields {
    /// The field of this index.
    #[must_use]
    pub fn find(&self, index: u16) -> Option<&FieldAt> {
        self.fields.iter().find(|field| field.index == index)
    }
}

/// The special fields of each map.
pub(super) fn find(program: &Program, platform: &'static Platform) -> Vec<MapFields> {
    let modelled = modelled(platform);
    program.maps.iter().map(|map| in_map(program, platform, &modelled, map)).collect()
}

/// By special field: whether the engine models all that can be done with it.
fn modelled(platform: &'static Platform) -> Vec<bool> {
    let takes = |index: u16, callables: &'static [probity_platform::Callable]| {
        let subject = Subject::Field(index);
        callables.iter().filter(move |row| row.args.iter().any(|arg| arg.subject == subject))
    };
    let fields = 0..u16::try_from(platform.special_fields.len()).unwrap_or(u16::MAX);
    fields
        .map(|index| {
            let mut helpers = takes(index, platform.callables).peekable();
            let used = helpers.peek().is_some() && takes(index, platform.kfuncs).next().is_none();
            let lock = |row: &probity_platform::Callable| {
                row.concepts.contains(Concepts::LOCK) && MODELLED.contains(row.concepts)
            };
            used && helpers.all(lock)
        })
        .collect()
}

fn in_map(program: &Program, platform: &'static Platform, modelled: &[bool], map: &MapDef) -> MapFields {
    let mut found = MapFields::default();
    if map.btf_value == 0 || platform.special_fields.is_empty() {
        found.untyped = map.btf_value == 0;
        return found;
    }
    let Some(btf) = program.btf.as_deref() else {
        found.unmodelled = Some("a type without BTF");
        return found;
    };
    let mut search = Search { btf, platform, modelled, found };
    search.value(TypeId(map.btf_value));
    search.found.fields.sort_by_key(|field| field.offset);
    search.found
}

struct Search<'a> {
    btf: &'a Btf,
    platform: &'static Platform,
    modelled: &'a [bool],
    found: MapFields,
}

impl Search<'_> {
    /// A value: its own members, or variables, may be fields that are modelled.
    fn value(&mut self, id: TypeId) {
        match self.btf.ty(id) {
            Some(Type::Struct(composite)) if self.special(composite.name).is_none() => {
                for member in composite.members() {
                    self.place(member.ty, member.bit_offset / 8);
                }
            }
            Some(Type::Datasec(section)) => {
                for var in section.vars() {
                    let ty = match self.btf.ty(var.var) {
                        Some(Type::Var { ty, .. }) => ty,
                        _ => var.var,
                    };
                    self.place(ty, var.offset);
                }
            }
            _ => self.deep(id),
        }
    }

    /// A member at an offset: a special field that is modelled, or one that is not, deep inside.
    fn place(&mut self, ty: TypeId, offset: u32) {
        if let Some(Type::Struct(composite)) = self.btf.ty(self.plain(ty))
            && let Some((index, row)) = self.special(composite.name)
            && self.modelled.get(usize::from(index)) == Some(&true)
            && (self.found.find(index).is_none() || !row.unique)
        {
            self.found.fields.push(FieldAt { row, index, offset });
            return;
        }
        self.deep(ty);
    }

    fn deep(&mut self, id: TypeId) {
        let name = in_type(self.btf, self.platform, id, MAX_DEPTH);
        self.found.unmodelled = self.found.unmodelled.or(name);
    }

    /// A type without its typedefs and qualifiers.
    fn plain(&self, mut id: TypeId) -> TypeId {
        for _ in 0..MAX_DEPTH {
            match self.btf.ty(id) {
                Some(
                    Type::Typedef { target, .. }
                    | Type::Volatile { target }
                    | Type::Const { target }
                    | Type::Restrict { target },
                ) => id = target,
                _ => break,
            }
        }
        id
    }

    fn special(&self, name: &str) -> Option<(u16, &'static SpecialField)> {
        let rows = (0u16..).zip(self.platform.special_fields);
        let mut named = rows.filter(|(_, row)| row.form == SpecialFieldForm::Struct && row.name == name);
        named.next()
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
