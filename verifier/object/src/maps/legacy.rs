//! Structures of numbers in the section `maps`: type, key size, value size, entries, flags, and
//! whatever a loader of its time added.

use probity_program::MapDef;

use super::ObjectMap;
use crate::{ObjectError, elf::Elf};

/// The bytes of the five numbers that all agree on.
const KNOWN: usize = 20;

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
        list.push(ObjectMap {
            def,
            inner: None,
            pinning: 0,
            numa_node: None,
            slots: Vec::new(),
            section,
            offset: symbol.value,
        });
    }
    Ok(list)
}
