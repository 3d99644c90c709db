//! Structures of numbers in the section `maps`: type, key size, value size, entries, flags, and
//! whatever a loader of its time added. Two forms know inner maps: seven numbers, of which the
//! sixth is the index of the inner map and the last the node of memory; and the nine of `tc`
//! (iproute2's `bpf_elf.h`): an id, pinning, and the id of the inner map behind the five.

use std::collections::HashMap;

use probity_program::MapDef;

use super::ObjectMap;
use crate::{ObjectError, elf::Elf};

/// The bytes of the five numbers that all agree on.
const KNOWN: usize = 20;
/// The bytes of the form whose sixth number is the index of an inner map.
const WITH_INDEX: usize = 28;
/// The bytes of the form with ids of maps and of inner maps.
const WITH_IDS: usize = 36;
/// The flag of a map with a node of memory.
const NUMA_NODE: u32 = 1 << 2;

pub(super) fn collect(elf: &Elf) -> Result<Vec<ObjectMap>, ObjectError> {
    let mut list = Vec::new();
    let Some(section) = elf.section("maps") else {
        return Ok(list);
    };
    let data = elf.data(section);
    let mut symbols: Vec<_> = elf
        .symbols
        .iter()
        .filter(|symbol| symbol.section == Some(section) && !symbol.is_section)
        .filter(|symbol| !symbol.name.is_empty())
        .collect();
    symbols.sort_by_key(|symbol| symbol.value);
    symbols.dedup_by_key(|symbol| symbol.value);
    if symbols.is_empty() {
        return Ok(list);
    }
    let size = data.len() / symbols.len();
    let mut ids = Vec::new();
    for symbol in symbols {
        let bad = |reason: &str| ObjectError::Map {
            map: symbol.name.clone(),
            section: "maps".into(),
            reason: reason.into(),
            remedy: "define the map in the section .maps",
        };
        // An object may mix sizes: only the five numbers must be there.
        let start = usize::try_from(symbol.value).map_err(|_| bad("it is outside"))?;
        let bytes = data
            .get(start..)
            .map(|rest| &rest[..rest.len().min(size.max(KNOWN))])
            .filter(|bytes| bytes.len() >= 16)
            .ok_or_else(|| bad("its numbers are cut off"))?;
        let number = |index: usize| {
            bytes
                .get(index * 4..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |word| u32::from_le_bytes(*word))
        };
        let mut def = MapDef::new(number(0), number(1), number(2), number(3));
        if size >= KNOWN {
            def.flags = number(4);
        }
        def.name.clone_from(&symbol.name);
        ids.push((size == WITH_IDS).then(|| (number(5), number(7))));
        let on_node = size == WITH_INDEX && def.flags & NUMA_NODE != 0;
        list.push(ObjectMap {
            def,
            inner: None,
            pinning: if size == WITH_IDS { number(6) } else { 0 },
            numa_node: on_node.then(|| number(6)),
            slots: Vec::new(),
            old_inner: (size == WITH_INDEX).then(|| number(5) as usize),
            section,
            offset: symbol.value,
        });
    }
    let by_id: HashMap<u32, usize> =
        ids.iter().enumerate().filter_map(|(index, ids)| Some(((*ids)?.0, index))).collect();
    let count = list.len();
    for (index, (map, ids)) in list.iter_mut().zip(&ids).enumerate() {
        let inner = match ids {
            Some((_, 0)) => None,
            Some((_, inner)) => by_id.get(inner).copied(),
            None => map.old_inner,
        };
        map.old_inner = inner.filter(|inner| *inner < count && *inner != index);
    }
    Ok(list)
}
