//! What map values hold beyond bytes: locks, timers, kernel pointers. The spec says which types are
//! special; the program's BTF says where they stand.

use probity_platform::rejection::EINVAL;
use probity_platform::{
    Callable, Code as Why, Concepts, Platform, ProgType, Rejection, SpecialField, SpecialFieldForm, Subject,
};
use probity_program::btf::{Btf, Type, TypeId};
use probity_program::{MapDef, Program};

use crate::transfer::concepts::MODELLED;

/// Types nest no deeper than this (verifier.md, 7.1).
const MAX_DEPTH: usize = 32;
/// More special fields no value has.
const MAX_FIELDS: usize = 1 << 10;

/// A special field of a map's value that the engine models.
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
    /// Those that the engine models, by offset. None of them when another is not modelled.
    pub fields: Vec<FieldAt>,
    /// The name of one that it does not model, or why they are not known.
    pub unmodelled: Option<&'static str>,
    /// True when the map has no type for its value, so that nobody knows.
    pub untyped: bool,
    /// All of them with the sizes that they have there, in the order of the value.
    all: Vec<(&'static SpecialField, u32)>,
}

impl MapFields {
    /// The field of this index.
    #[must_use]
    pub fn find(&self, index: u16) -> Option<&FieldAt> {
        self.fields.iter().find(|field| field.index == index)
    }

    /// True when pointers to values tell their lookups apart, because something in them may be
    /// locked.
    #[must_use]
    pub fn may_be_locked(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Refuses maps with fields that programs of a type may not have.
    pub(super) fn check(&self, platform: &Platform, prog_type: &ProgType) -> Result<(), Rejection> {
        if self.all.iter().any(|field| self.is_odd(*field)) {
            return Ok(());
        }
        for field in platform.special_fields.iter().filter(|field| self.times(field) > 0) {
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

    fn times(&self, field: &SpecialField) -> usize {
        self.all.iter().filter(|(found, _)| std::ptr::eq(*found, field)).count()
    }

    /// A field that stands twice where it may stand once, or in another size: such a value is bytes
    /// to Linux 6.18.
    fn is_odd(&self, (field, size): (&SpecialField, u32)) -> bool {
        field.size != size || (field.unique && self.times(field) > 1)
    }
}

/// The special fields of each map.
#[must_use]
pub fn find(program: &Program, platform: &'static Platform) -> Vec<MapFields> {
    program.maps.iter().map(|map| in_map(program, platform, map)).collect()
}

fn in_map(program: &Program, platform: &'static Platform, map: &MapDef) -> MapFields {
    if map.btf_value == 0 || platform.special_fields.is_empty() {
        return MapFields { untyped: map.btf_value == 0, ..MapFields::default() };
    }
    let unknown = |why| MapFields { unmodelled: Some(why), ..MapFields::default() };
    let Some(btf) = program.btf.as_deref() else { return unknown("a type without BTF") };
    let value = TypeId(map.btf_value);
    let mut search = Search { btf, platform, found: Vec::new() };
    if search.in_type(value, MAX_DEPTH).is_none() {
        return unknown("types nested too deep");
    }
    let mut fields = MapFields { all: search.found, ..MapFields::default() };
    let Some(&(first, _)) = fields.all.first() else { return fields };
    let places = places(btf, platform, value);
    let odd = fields.all.iter().any(|field| fields.is_odd(*field));
    let modelled = |field: &FieldAt| is_modelled(platform, field.index);
    if !odd && places.len() == fields.all.len() && places.iter().all(modelled) {
        fields.fields = places;
        fields.fields.sort_by_key(|field| field.offset);
    } else {
        fields.unmodelled = Some(first.name);
    }
    fields
}

/// Whether the engine models all that can be done with a field: what takes it are helpers, and they
/// lock with it.
fn is_modelled(platform: &'static Platform, index: u16) -> bool {
    let takes = |row: &&Callable| row.args.iter().any(|arg| arg.subject == Subject::Field(index));
    let lock = |row: &Callable| row.concepts.contains(Concepts::LOCK) && MODELLED.contains(row.concepts);
    let mut helpers = platform.callables.iter().filter(takes).peekable();
    helpers.peek().is_some() && helpers.all(lock) && !platform.kfuncs.iter().any(|row| takes(&row))
}

/// The special structs that are a value's own members, or variables of a section.
fn places(btf: &Btf, platform: &'static Platform, value: TypeId) -> Vec<FieldAt> {
    let members: Vec<(TypeId, u32)> = match btf.ty(value) {
        Some(Type::Struct(composite)) => {
            composite.members().map(|member| (member.ty, member.bit_offset / 8)).collect()
        }
        Some(Type::Datasec(section)) => section.vars().map(|var| (var.var, var.offset)).collect(),
        _ => Vec::new(),
    };
    let place = |(ty, offset)| {
        let Some(Type::Struct(composite)) = btf.ty(plain(btf, ty)) else { return None };
        let mut rows = (0u16..).zip(platform.special_fields);
        let is = |row: &SpecialField| row.form == SpecialFieldForm::Struct && row.name == composite.name;
        rows.find(|(_, row)| is(row)).map(|(index, row)| FieldAt { row, index, offset })
    };
    members.into_iter().filter_map(place).collect()
}

/// A type without its typedefs and qualifiers.
fn plain(btf: &Btf, mut id: TypeId) -> TypeId {
    for _ in 0..MAX_DEPTH {
        match btf.ty(id) {
            Some(
                Type::Var { ty: target, .. }
                | Type::Typedef { target, .. }
                | Type::Volatile { target }
                | Type::Const { target }
                | Type::Restrict { target },
            ) => id = target,
            _ => break,
        }
    }
    id
}

struct Search<'a> {
    btf: &'a Btf,
    platform: &'static Platform,
    found: Vec<(&'static SpecialField, u32)>,
}

impl Search<'_> {
    /// None: types are nested too deep, or many, to tell.
    fn in_type(&mut self, id: TypeId, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.btf.ty(id) {
            _ if self.found.len() > MAX_FIELDS => None,
            Some(Type::Struct(composite) | Type::Union(composite)) => {
                match self.platform.special_field(SpecialFieldForm::Struct, composite.name) {
                    Some(row) => {
                        self.found.push((row, composite.size));
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
                        self.found.push((row, row.size));
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
