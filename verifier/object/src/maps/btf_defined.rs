//! Variables of the section `.maps`: structures whose members' types carry the numbers.
//!
//! `__uint(max_entries, 8)` is a member `int (*max_entries)[8]`, `__type(key, T)` a member `T *key`,
//! `__ulong(map_extra, N)` an enumeration with one value, `__array(values, T)` an array
//! `T *values[]`.

use probity_program::{
    Btf, MapDef,
    btf::{Composite, Kind, Member, Type, TypeId},
};

use super::ObjectMap;
use crate::{ObjectError, elf::Elf, limits};

const SECTION: &str = ".maps";

pub(super) fn collect(elf: &Elf, btf: &Btf, list: &mut Vec<ObjectMap>) -> Result<(), ObjectError> {
    let Some(section) = elf.section(SECTION) else {
        return Ok(());
    };
    let Some(Type::Datasec(datasec)) =
        btf.find_by_name_kind(SECTION, Kind::Datasec).and_then(|id| btf.ty(id))
    else {
        return Ok(());
    };
    let mut slots_left = limits::SLOTS;
    for var in datasec.vars() {
        if list.len() >= limits::MAPS {
            return Err(ObjectError::Limit { what: "maps", max: limits::MAPS });
        }
        let Some(Type::Var { name, ty, .. }) = btf.ty(var.var) else {
            continue;
        };
        let reader = Reader { btf, map: name };
        let Some(Type::Struct(body)) = btf.resolved(ty) else {
            return Err(reader.bad("it is not a structure"));
        };
        let read = reader.body(&body, true)?;
        let slots = match read.slots {
            Some(start) => slots(elf, section, u64::from(var.offset), var.size, start),
            None => Vec::new(),
        };
        slots_left = slots_left
            .checked_sub(slots.len())
            .ok_or(ObjectError::Limit { what: "slots of maps with a value", max: limits::SLOTS })?;
        list.push(ObjectMap {
            def: MapDef { name: name.to_owned(), ..read.def },
            inner: read.inner.map(|def| MapDef { name: format!("{name}.inner"), ..def }),
            pinning: read.pinning,
            numa_node: read.numa_node,
            slots,
            old_inner: None,
            section,
            offset: u64::from(var.offset),
        });
    }
    Ok(())
}

/// A map's definition and that of its inner map, without numbers of types: what two declarations of
/// it must have in common.
pub(crate) fn definition(
    btf: &Btf,
    map: &str,
    ty: TypeId,
) -> Result<(MapDef, Option<MapDef>, u32, Option<u32>), ObjectError> {
    let reader = Reader { btf, map };
    let Some(Type::Struct(body)) = btf.resolved(ty) else {
        return Err(reader.bad("it is not a structure"));
    };
    let read = reader.body(&body, true)?;
    let bare = |def: MapDef| MapDef { btf_key: 0, btf_value: 0, ..def };
    Ok((bare(read.def), read.inner.map(bare), read.pinning, read.numa_node))
}

/// What the initialiser of `values` puts into the slots.
fn slots(elf: &Elf, section: usize, offset: u64, size: u32, start: u64) -> Vec<(u32, String)> {
    let first = offset + start;
    let end = offset + u64::from(size);
    let relocs = &elf.sections[section].relocs;
    relocs[relocs.partition_point(|reloc| reloc.offset < first)..]
        .iter()
        .take_while(|reloc| reloc.offset < end)
        .take(limits::SLOTS + 1)
        .filter_map(|reloc| {
            let symbol = elf.symbols.get(reloc.symbol)?;
            let index = u32::try_from((reloc.offset - first) / 8).ok()?;
            Some((index, symbol.name.clone()))
        })
        .collect()
}

struct Body {
    def: MapDef,
    inner: Option<MapDef>,
    pinning: u32,
    numa_node: Option<u32>,
    /// Where `values` begins in the structure, in bytes.
    slots: Option<u64>,
}

struct Reader<'a> {
    btf: &'a Btf,
    map: &'a str,
}

impl Reader<'_> {
    fn bad(&self, reason: impl Into<String>) -> ObjectError {
        ObjectError::Map {
            map: self.map.to_owned(),
            section: SECTION.into(),
            reason: reason.into(),
            remedy: "define it with __uint, __type, __ulong and __array",
        }
    }

    /// Reads a map's structure. `outer` is false for the template of an inner map, which has no
    /// inner map of its own.
    fn body(&self, body: &Composite<'_>, outer: bool) -> Result<Body, ObjectError> {
        let mut read =
            Body { def: MapDef::new(0, 0, 0, 0), inner: None, pinning: 0, numa_node: None, slots: None };
        if body.len() > limits::MAP_MEMBERS {
            return Err(self.bad("it has too many members"));
        }
        let (mut key, mut value) = (None, None);
        for member in body.members() {
            match member.name {
                "type" => read.def.map_type = self.number32(&member)?,
                "max_entries" => read.def.max_entries = self.number32(&member)?,
                "map_flags" => read.def.flags = self.number32(&member)?,
                "map_extra" => read.def.extra = self.number(&member)?,
                "numa_node" => read.numa_node = Some(self.number32(&member)?),
                "pinning" => read.pinning = self.number32(&member)?,
                "key_size" => self.size(&mut key, self.number32(&member)?, "key")?,
                "value_size" => self.size(&mut value, self.number32(&member)?, "value")?,
                "key" => {
                    let (id, size) = self.pointee(&member)?;
                    read.def.btf_key = id.0;
                    self.size(&mut key, size, "key")?;
                }
                "value" => {
                    let (id, size) = self.pointee(&member)?;
                    read.def.btf_value = id.0;
                    self.size(&mut value, size, "value")?;
                }
                "values" if outer => {
                    read.slots = Some(u64::from(member.bit_offset / 8));
                    self.size(&mut value, 4, "value")?;
                    read.inner = self.values(&member)?;
                }
                "values" => return Err(self.bad("its inner map has an inner map")),
                other => return Err(self.bad(format!("its member {other} is not known"))),
            }
        }
        read.def.key_size = key.unwrap_or(0);
        read.def.value_size = value.unwrap_or(0);
        Ok(read)
    }

    fn size(&self, known: &mut Option<u32>, size: u32, what: &str) -> Result<(), ObjectError> {
        match known.replace(size) {
            Some(before) if before != size => {
                Err(self.bad(format!("it says two sizes of the {what}: {before} and {size}")))
            }
            _ => Ok(()),
        }
    }

    fn number32(&self, member: &Member<'_>) -> Result<u32, ObjectError> {
        u32::try_from(self.number(member)?)
            .map_err(|_| self.bad(format!("{} has more than 32 bits", member.name)))
    }

    /// The number that a member's type carries.
    fn number(&self, member: &Member<'_>) -> Result<u64, ObjectError> {
        let number = match self.btf.resolved(member.ty) {
            Some(Type::Enum(values)) if values.len() == 1 => values.values().next().map(|value| value.value),
            Some(Type::Ptr { target }) => match self.btf.resolved(target) {
                Some(Type::Array { count, .. }) => Some(u64::from(count)),
                _ => None,
            },
            _ => None,
        };
        number.ok_or_else(|| self.bad(format!("{} is not a number", member.name)))
    }

    /// What a member points to, and its size.
    fn pointee(&self, member: &Member<'_>) -> Result<(TypeId, u32), ObjectError> {
        let Some(Type::Ptr { target }) = self.btf.resolved(member.ty) else {
            return Err(self.bad(format!("{} is not a pointer to a type", member.name)));
        };
        let size = self
            .btf
            .size_of(target)
            .and_then(|size| u32::try_from(size).ok())
            .ok_or_else(|| self.bad(format!("the type of {} has no size", member.name)))?;
        Ok((target, size))
    }

    /// The template of the inner map; `None` for an array of programs.
    fn values(&self, member: &Member<'_>) -> Result<Option<MapDef>, ObjectError> {
        let bad = || self.bad("values is not an array of pointers to maps or programs");
        let Some(Type::Array { elem, .. }) = self.btf.resolved(member.ty) else {
            return Err(bad());
        };
        let Some(Type::Ptr { target }) = self.btf.resolved(elem) else {
            return Err(bad());
        };
        match self.btf.resolved(target) {
            Some(Type::Struct(body)) => Ok(Some(self.body(&body, false)?.def)),
            Some(Type::FuncProto(_)) => Ok(None),
            _ => Err(bad()),
        }
    }
}
