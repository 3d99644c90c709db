//! The types of all objects as one: declarations give way to definitions, and the sections of
//! variables are those of the joined object.

use std::collections::HashMap;

use probity_program::{
    Btf, Linkage,
    btf::{
        DatasecVar, Kind, Type, TypeId,
        merge::{Merge, Merged, MergedSection},
    },
};

use super::{
    Input, JoinError,
    sections::Layout,
    symbols::{Owner, Symbols},
};
use crate::{
    btf_ext::{BtfExt, CoreRecord, FuncRecord, LineRecord, Records},
    maps,
};

pub(super) fn merge(
    inputs: &[Input<'_>],
    layout: &Layout,
    symbols: &Symbols,
) -> Result<(Option<Btf>, BtfExt), JoinError> {
    if inputs.iter().all(|input| input.tables.btf.is_none()) {
        return Ok((None, BtfExt::default()));
    }
    let empty = Btf::default();
    let all: Vec<&Btf> = inputs.iter().map(|input| input.tables.btf.as_ref().unwrap_or(&empty)).collect();
    let mut merge = Merge::new(all.clone())?;
    for (index, btf) in all.iter().enumerate() {
        for (id, ty) in btf.types() {
            let Some(owner) = other_owner(symbols, index, &ty) else { continue };
            let theirs = all[owner.input].find_by_name_kind(ty.name(), ty.kind());
            let differs = |reason: &str| JoinError::Mismatch {
                what: ty.name().to_owned(),
                first: inputs[index].name.to_owned(),
                second: inputs[owner.input].name.to_owned(),
                reason: reason.to_owned(),
            };
            let other_kind = if ty.kind() == Kind::Func { Kind::Var } else { Kind::Func };
            match theirs {
                Some(theirs) => {
                    let is_map = inputs[owner.input].section_of(owner.symbol) == ".maps";
                    alike((btf, id), (all[owner.input], theirs), is_map)
                        .map_err(|reason| differs(&reason))?;
                    merge.same((index, id), (owner.input, theirs));
                }
                None if all[owner.input].find_by_name_kind(ty.name(), other_kind).is_some() => {
                    return Err(differs("it is a function in one, and a variable in the other"));
                }
                None => {}
            }
        }
    }
    let merged = merge.finish(&sections(inputs, &all, layout, symbols))?;
    let ext = BtfExt::new(records(inputs, layout, &merge, &merged));
    Ok((Some(merged.btf), ext))
}

/// The object that a function or variable that all see belongs to, when it is another one.
fn other_owner(symbols: &Symbols, input: usize, ty: &Type<'_>) -> Option<Owner> {
    let (Type::Func { name, linkage, .. } | Type::Var { name, linkage, .. }) = *ty else {
        return None;
    };
    let owner = if linkage == Linkage::Static { None } else { symbols.owner(name) };
    owner.filter(|owner| owner.input != input)
}

/// Whether a declaration, or a definition that does not count, fits to the one that counts.
fn alike((a, x): (&Btf, TypeId), (b, y): (&Btf, TypeId), is_map: bool) -> Result<(), String> {
    match (a.ty(x), b.ty(y)) {
        (Some(Type::Func { proto: x, .. }), Some(Type::Func { proto: y, .. })) => {
            let count = |btf: &Btf, id| btf.func_proto(id).map_or(0, |proto| proto.params().len());
            let (x, y) = (count(a, x), count(b, y));
            // One without a prototype takes all.
            if x != y && x != 0 && y != 0 {
                return Err(format!("a function of {x} arguments, and of {y}"));
            }
        }
        (Some(Type::Var { name, ty: x, .. }), Some(Type::Var { ty: y, .. })) if is_map => {
            let definition =
                |btf: &Btf, ty| maps::definition(btf, name, ty).map_err(|error| error.to_string());
            let (x, y) = (definition(a, x)?, definition(b, y)?);
            if x != y {
                return Err("the definitions of the map are not the same".into());
            }
        }
        (Some(Type::Var { ty: x, .. }), Some(Type::Var { ty: y, .. })) => {
            let (x, y) = (a.size_of(x).unwrap_or(0), b.size_of(y).unwrap_or(0));
            if x != y && x != 0 && y != 0 {
                return Err(format!("a variable of {x} bytes, and of {y}"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The sections of variables, with what counts.
fn sections(inputs: &[Input<'_>], all: &[&Btf], layout: &Layout, symbols: &Symbols) -> Vec<MergedSection> {
    let mut found: Vec<MergedSection> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (index, btf) in all.iter().enumerate() {
        let elf = &inputs[index].tables.elf;
        for (_, ty) in btf.types() {
            let Type::Datasec(section) = ty else { continue };
            let number = elf.section(section.name);
            let place = number.and_then(|number| layout.place(index, number));
            // The second licence.
            if number.is_some() && place.is_none() {
                continue;
            }
            let known = *by_name.entry(section.name).or_insert_with(|| {
                found.push(MergedSection { name: section.name.to_owned(), ..MergedSection::default() });
                found.len() - 1
            });
            let known = &mut found[known];
            if let Some(place) = place {
                known.size = u32::try_from(layout.sections[place.section].size).unwrap_or(u32::MAX);
            }
            let base = place.and_then(|place| u32::try_from(place.offset).ok()).unwrap_or(0);
            for var in section.vars() {
                let kept = btf.ty(var.var).is_some_and(|ty| other_owner(symbols, index, &ty).is_none());
                if kept {
                    let offset = var.offset.saturating_add(base);
                    known.vars.push((index, DatasecVar { offset, ..var }));
                }
            }
        }
    }
    for section in &mut found {
        section.vars.sort_by_key(|(_, var)| var.offset);
    }
    found
}

/// Function, line and CO-RE records of all objects, by joined section.
fn records(
    inputs: &[Input<'_>],
    layout: &Layout,
    merge: &Merge<'_>,
    merged: &Merged,
) -> HashMap<String, Records> {
    let mut records: HashMap<String, Records> = HashMap::new();
    for (index, input) in inputs.iter().enumerate() {
        for (name, from) in input.tables.ext.sections() {
            let place = input.tables.elf.section(name).and_then(|section| layout.place(index, section));
            let Some(base) = place.and_then(|place| u32::try_from(place.offset).ok()) else { continue };
            let to = records.entry(name.to_owned()).or_default();
            let at = |offset: u32| offset.saturating_add(base);
            let string = |offset: u32| merge.string(index, offset);
            let number = |id: u32| merged.id(index, TypeId(id)).0;
            to.funcs.extend(
                from.funcs
                    .iter()
                    .map(|record| FuncRecord { offset: at(record.offset), btf_id: number(record.btf_id) }),
            );
            to.lines.extend(from.lines.iter().map(|record| LineRecord {
                offset: at(record.offset),
                file: string(record.file),
                text: string(record.text),
                ..*record
            }));
            to.cores.extend(from.cores.iter().map(|record| CoreRecord {
                offset: at(record.offset),
                type_id: number(record.type_id),
                access: string(record.access),
                ..*record
            }));
        }
    }
    records
}
