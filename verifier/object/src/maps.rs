//! Map definitions of an object.
//!
//! | module | subject |
//! |---|---|
//! | `btf_defined` | variables of the section `.maps`, described by their types |
//! | `legacy` | structures of numbers in the section `maps` |
//! | `data` | sections of global variables |

mod btf_defined;
mod data;
mod legacy;

use std::collections::HashMap;

use probity_program::{Btf, MapDef};

pub(crate) use btf_defined::definition;
pub(crate) use data::{DataSection, complete_types, map_name};

use crate::{ObjectError, elf::Elf, limits};

/// A map of an object.
#[derive(Clone, Debug)]
pub struct ObjectMap {
    /// Its definition. [`MapDef::inner`] is not set here: see [`ObjectMap::inner`].
    pub def: MapDef,
    /// The template of the inner map, for maps of maps.
    pub inner: Option<MapDef>,
    /// How the map is kept in the file system: 0 not, 1 by its name.
    pub pinning: u32,
    /// The node of memory that it is on, when it says so.
    pub numa_node: Option<u32>,
    /// What its slots hold from the start: an index, and the name of a map or program.
    pub slots: Vec<(u32, String)>,
    /// The map in the object that an old definition names as its inner one, when it is of maps.
    pub(crate) old_inner: Option<usize>,
    /// The index of its section.
    pub(crate) section: usize,
    /// Where it is in its section.
    pub(crate) offset: u64,
}

/// The maps of an object, those of global data last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maps {
    pub(crate) list: Vec<ObjectMap>,
    pub(crate) data: Vec<DataSection>,
    by_place: HashMap<(usize, u64), usize>,
    data_by_section: HashMap<usize, usize>,
}

impl Maps {
    pub(crate) fn collect(elf: &Elf, btf: Option<&Btf>) -> Result<Maps, ObjectError> {
        let mut list = legacy::collect(elf)?;
        if let Some(btf) = btf {
            btf_defined::collect(elf, btf, &mut list)?;
        }
        let data = data::collect(elf, btf);
        if list.len() > limits::MAPS {
            return Err(ObjectError::Limit { what: "maps", max: limits::MAPS });
        }
        let mut by_place = HashMap::new();
        for (index, map) in list.iter().enumerate() {
            by_place.entry((map.section, map.offset)).or_insert(index);
        }
        let data_by_section = data.iter().enumerate().map(|(index, data)| (data.section, index)).collect();
        Ok(Maps { list, data, by_place, data_by_section })
    }

    /// The map at an offset of a section.
    pub(crate) fn at(&self, section: usize, offset: u64) -> Option<usize> {
        self.by_place.get(&(section, offset)).copied()
    }

    /// The global data of a section.
    pub(crate) fn data(&self, section: usize) -> Option<usize> {
        self.data_by_section.get(&section).copied()
    }
}
