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
    /// Callables lock with it.
    pub locks: bool,
}

/// The special fields of a map's value.
#[derive(Clone, Debug, Default)]
pub struct MapFields {
    /// Those that the engine models, by offset. None of them when another is not modelled.
    pub fields: Vec<FieldAt>,
    /// The name of one that it does not model, or why they are not known. None where there is nothing
    /// special, or what there is are bytes to Linux.
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
        self.fields.iter().any(|field| field.locks)
    }

    /// True when pointers to inner maps tell the lookups that found them apart: something in a value
    /// is used together with the map that the value is of.
    #[must_use]
    pub fn tells_maps_apart(&self) -> bool {
        self.fields.iter().any(|field| !field.locks)
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
    // Plain bytes, to Linux: of locks it refuses the types.
    if odd && fields.all.iter().all(|(row, _)| is_bytes(platform, row)) {
        return fields;
    }
    if !odd && places.len() == fields.all.len() && places.iter().all(modelled) {
        fields.fields = places;
        fields.fields.sort_by_key(|field| field.offset);
    } else {
        fields.unmodelled = Some(first.name);
    }
    fields
}

/// The special structs that are a value's own members, by offset, modelled or not; none of a value
/// that is bytes to Linux for what it has.
#[must_use]
pub fn in_value(btf: &Btf, platform: &'static Platform, value: u32) -> Vec<FieldAt> {
    let value = TypeId(value);
    let mut search = Search { btf, platform, found: Vec::new() };
    let all = search.in_type(value, MAX_DEPTH).map(|()| search.found).unwrap_or_default();
    let fields = MapFields { all, ..MapFields::default() };
    if fields.all.iter().any(|field| fields.is_odd(*field)) {
        return Vec::new();
    }
    let mut places = places(btf, platform, value);
    places.sort_by_key(|field| field.offset);
    places
}

/// Whether a field that stands twice, or in another size, is bytes.
fn is_bytes(platform: &'static Platform, row: &'static SpecialField) -> bool {
    let index = platform.special_fields.iter().position(|other| std::ptr::eq(other, row));
    index.is_some_and(|index| is_modelled(platform, index as u16) && !locks(platform, index as u16))
}

/// Whether callables lock with a field.
fn locks(platform: &'static Platform, index: u16) -> bool {
    takers(platform, index).any(|row| row.concepts.contains(Concepts::LOCK))
}

/// The callables that take a field.
fn takers(platform: &'static Platform, index: u16) -> impl Iterator<Item = &'static Callable> {
    let takes = move |row: &&Callable| row.args.iter().any(|arg| arg.subject == Subject::Field(index));
    platform.callables.iter().chain(platform.kfuncs).filter(takes)
}

/// Whether the engine models all that can be done with a field. It does not where kfuncs lock with
/// it, which may fail, or take it beside an object.
#[must_use]
pub fn is_modelled(platform: &'static Platform, index: u16) -> bool {
    let no_kfunc = Concepts::LOCK | Concepts::OBJECT;
    let follows = |row: &Callable| {
        MODELLED.contains(row.concepts) && !(row.number == 0 && row.concepts.intersects(no_kfunc))
    };
    let mut takers = takers(platform, index).peekable();
    takers.peek().is_some() && takers.all(follows)
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
        let (index, row) = rows.find(|(_, row)| is(row))?;
        Some(FieldAt { row, index, offset, locks: locks(platform, index) })
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
