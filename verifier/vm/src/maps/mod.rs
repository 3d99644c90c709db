//! Maps.

use std::sync::Arc;

use probity_platform::{MapBody, MapRefusal, MapType, Platform};
use probity_program::MapDef;
use thiserror::Error;

/// Why there is no map.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MapError {
    /// The platform has no such type.
    #[error("map {name}: {platform} has no map type {number}")]
    UnknownType {
        /// The map.
        name: String,
        /// The platform.
        platform: &'static str,
        /// The type's number.
        number: u32,
    },
    /// The runtime has no such maps.
    #[error("map {name}: unsupported: {map_type} in the runtime")]
    Unsupported {
        /// The map.
        name: String,
        /// The type.
        map_type: &'static str,
    },
    /// The platform would not make it.
    #[error("map {name}: {refusal}")]
    Refused {
        /// The map.
        name: String,
        /// Why.
        refusal: MapRefusal,
    },
    /// Memory is short, or the map is larger than the address space.
    #[error("map {name}: no memory for it")]
    NoMemory {
        /// The map.
        name: String,
    },
}

/// A map: shared between programs, threads and user space.
#[derive(Debug)]
pub struct Map {
    definition: MapDef,
    map_type: &'static MapType,
    body: MapBody,
}

impl Map {
    /// Makes a map; `inner` is the template of a map of maps, `slots` the number of run slots.
    ///
    /// # Errors
    ///
    /// See [`MapError`].
    pub fn create(
        platform: &'static Platform,
        definition: &MapDef,
        inner: Option<&MapDef>,
        slots: u32,
    ) -> Result<Arc<Map>, MapError> {
        let _ = (inner, slots);
        let name = || definition.name.clone();
        let row = platform.map_type(definition.map_type);
        let map_type = row.ok_or_else(|| MapError::UnknownType {
            name: name(),
            platform: platform.name,
            number: definition.map_type,
        })?;
        let Some(body) = map_type.body else {
            return Err(MapError::Unsupported { name: name(), map_type: map_type.name });
        };
        Ok(Arc::new(Map { definition: definition.clone(), map_type, body }))
    }

    /// What it was made from.
    #[must_use]
    pub fn definition(&self) -> &MapDef {
        &self.definition
    }

    /// The platform's type.
    #[must_use]
    pub fn map_type(&self) -> &'static MapType {
        self.map_type
    }

    /// How it is kept.
    #[must_use]
    pub fn body(&self) -> MapBody {
        self.body
    }
}

impl Map {
    /// What programs have for it.
    pub(crate) fn address(&self) -> u64 {
        std::ptr::from_ref(self) as u64
    }

    /// The address of a byte of its global data.
    pub(crate) fn direct_value(&self, offset: u32) -> Option<u64> {
        let _ = offset;
        None
    }

    /// Whether it frees what programs may see while others run.
    pub(crate) fn frees(&self) -> bool {
        true
    }
}

impl Map {
    /// The value that contains an address: its first byte, its length, whether programs may write it.
    pub(crate) fn value_at(&self, address: u64) -> Option<(u64, usize, bool)> {
        let _ = address;
        None
    }

    /// The inner map at an address, when it is in this one.
    pub(crate) fn inner_at(&self, address: u64) -> Option<&Map> {
        let _ = address;
        None
    }
}
