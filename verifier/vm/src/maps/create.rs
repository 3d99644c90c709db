//! Making maps.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use probity_platform::{MapBody, MapShape, MapType, Platform};
use probity_program::MapDef;

use super::array::Array;
use super::bloom::Bloom;
use super::flags;
use super::hash::{Hash, HashOptions};
use super::held::Held;
use super::programs::Programs;
use super::queue::Queue;
use super::ring::Ring;
use super::trie::Trie;
use super::user_ring::UserRing;
use super::{Kind, Map, MapError};

impl Map {
    /// Makes a map; `inner` is the template of a map of maps, `slots` the number of run slots. A
    /// definition without capacity gets the least that its type has.
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
        let row = platform.map_type(definition.map_type);
        let map_type = row.ok_or_else(|| MapError::UnknownType {
            name: definition.name.clone(),
            platform: platform.name,
            number: definition.map_type,
        })?;
        Map::of_type(map_type, definition, inner, slots)
    }

    /// As [`Map::create`], of a type.
    pub(crate) fn of_type(
        map_type: &'static MapType,
        definition: &MapDef,
        inner: Option<&MapDef>,
        slots: u32,
    ) -> Result<Arc<Map>, MapError> {
        let name = || definition.name.clone();
        let Some(body) = map_type.body else {
            return Err(MapError::Unsupported { name: name(), map_type: map_type.name });
        };
        let capacity = capacity(map_type, definition.max_entries);
        let shape = MapShape {
            key_size: definition.key_size,
            value_size: definition.value_size,
            max_entries: capacity,
            flags: definition.flags,
            extra: definition.extra,
            typed: definition.btf_value != 0,
            inner: inner.is_some(),
        };
        map_type.check(&shape).map_err(|refusal| MapError::Refused { name: name(), refusal })?;
        let kind =
            kind(body, definition, capacity, slots).ok_or_else(|| MapError::NoMemory { name: name() })?;
        let (definition, template) = (definition.clone(), inner.cloned());
        let map = Arc::new_cyclic(|this| Map {
            definition,
            map_type,
            body,
            template,
            slots,
            kind,
            this: Weak::clone(this),
            special: OnceLock::new(),
            inner_special: Mutex::new(None),
        });
        map.fill();
        Ok(map)
    }

    /// Writes the content that it is defined with.
    fn fill(&self) {
        let Some(contents) = &self.definition.contents else { return };
        if let Kind::Array(array) = &self.kind
            && let Some(value) = array.value(0, 0)
        {
            value.write(contents);
        }
    }
}

/// The capacity: the least where the definition leaves it to a loader.
fn capacity(map_type: &MapType, wanted: u32) -> u32 {
    if wanted != 0 || map_type.max_entries.iter().any(|range| range.contains(0)) {
        return wanted;
    }
    let least = map_type.max_entries.iter().map(|range| range.low).min();
    least.and_then(|least| u32::try_from(least).ok()).unwrap_or(wanted)
}

fn kind(body: MapBody, definition: &MapDef, capacity: u32, slots: u32) -> Option<Kind> {
    let &MapDef { key_size, value_size, .. } = definition;
    let fixed_seed = definition.flags & flags::ZERO_SEED != 0;
    let hash = |per_slot: bool, gives_way: bool, of_maps: bool| {
        let slots = per_slot.then_some(slots);
        let max_entries = capacity;
        Hash::new(&HashOptions { key_size, value_size, max_entries, slots, gives_way, of_maps, fixed_seed })
    };
    Some(match body {
        MapBody::Array => Kind::Array(Array::new(value_size, capacity, None)?),
        MapBody::PercpuArray => Kind::Array(Array::new(value_size, capacity, Some(slots))?),
        MapBody::Hash => Kind::Hash(hash(false, false, false)?),
        MapBody::PercpuHash => Kind::Hash(hash(true, false, false)?),
        MapBody::LruHash => Kind::Hash(hash(false, true, false)?),
        MapBody::LruPercpuHash => Kind::Hash(hash(true, true, false)?),
        MapBody::HashOfMaps => Kind::Hash(hash(false, false, true)?),
        MapBody::LpmTrie => Kind::Trie(Trie::new(key_size, value_size, capacity)?),
        MapBody::Queue => Kind::Queue(Queue::new(value_size, capacity, false)?),
        MapBody::Stack => Kind::Queue(Queue::new(value_size, capacity, true)?),
        MapBody::BloomFilter => Kind::Bloom(Bloom::new(capacity, definition.extra, fixed_seed)?),
        MapBody::Ringbuf => Kind::Ring(Box::new(Ring::new(capacity)?)),
        MapBody::UserRingbuf => Kind::UserRing(Box::new(UserRing::new(capacity)?)),
        MapBody::ProgArray => Kind::Programs(Programs::new(capacity)?),
        MapBody::ArrayOfMaps => Kind::Maps(Held::new(capacity)?),
    })
}
