//! What programs do with maps. Keys and values are memory of programs; results are addresses.

use probity_platform::MapBody;

use super::array::{ArrayLayout, index_of};
use super::memory::Pinned;
use super::value::New;
use super::{Kind, Map, flags};
use crate::errno::Errno;
use crate::guest::GuestBytes;
use crate::run::{Left, RawFn, Run};

impl Map {
    /// What programs have for it.
    pub(crate) fn address(&self) -> u64 {
        std::ptr::from_ref(self) as u64
    }

    /// The address of a byte of its global data.
    pub(crate) fn direct_value(&self, offset: u32) -> Option<u64> {
        match &self.kind {
            Kind::Array(array) => array.direct_value(offset),
            _ => None,
        }
    }

    /// Whether it frees what programs may see while others run.
    pub(crate) fn frees(&self) -> bool {
        matches!(self.kind, Kind::Hash(_) | Kind::Trie(_) | Kind::Programs(_) | Kind::Maps(_))
    }

    /// Where the values of an array are, for machine code.
    #[must_use]
    pub fn array_layout(&self) -> Option<ArrayLayout> {
        match &self.kind {
            Kind::Array(array) => array.layout(),
            _ => None,
        }
    }

    /// The function that does nothing but look values of this map up, which must be its first
    /// argument; for maps whose lookup is worth one.
    #[must_use]
    pub fn lookup_raw(&self) -> Option<RawFn> {
        match &self.kind {
            Kind::Hash(hash) => Some(hash.lookup_raw()),
            _ => None,
        }
    }

    /// Whether programs may write: not what is frozen.
    fn program_writes(&self) -> Result<(), Errno> {
        if self.definition.frozen { Err(Errno::EPERM) } else { Ok(()) }
    }

    /// The address of the value under a key; 0 when there is none. Of a map of maps that of the map.
    #[inline]
    pub(crate) fn lookup_address(&self, key: GuestBytes<'_>, slot: u32, pinned: Pinned<'_>) -> u64 {
        match &self.kind {
            Kind::Array(array) => array.address(index_of(key), slot),
            Kind::Hash(hash) => hash.address(key, slot, pinned),
            Kind::Trie(trie) => trie.address(key, pinned),
            Kind::Maps(held) => held.get(index_of(key), pinned).map_or(0, Map::address),
            _ => 0,
        }
    }

    /// The address of the value that a run slot has under a key; 0 when there is none.
    pub(crate) fn lookup_address_of_slot(&self, key: GuestBytes<'_>, slot: u32, pinned: Pinned<'_>) -> u64 {
        match &self.kind {
            Kind::Array(array) if self.is_per_slot() => array.address_of_slot(index_of(key), slot),
            Kind::Hash(hash) if self.is_per_slot() => hash.address(key, slot, pinned),
            _ => 0,
        }
    }

    pub(crate) fn update_by_program(
        &self,
        key: GuestBytes<'_>,
        value: GuestBytes<'_>,
        flags: u64,
        slot: u32,
    ) -> Result<(), Errno> {
        self.program_writes()?;
        match &self.kind {
            Kind::Array(array) => array.update(key, New::Of(slot, value), flags, self.special()),
            Kind::Hash(hash) if self.body != MapBody::HashOfMaps => {
                hash.update(key, New::Of(slot, value), flags, self.special())
            }
            Kind::Trie(trie) => trie.update(key, value, flags),
            _ => Err(Errno::EINVAL),
        }
    }

    pub(crate) fn delete_by_program(&self, key: GuestBytes<'_>) -> Result<(), Errno> {
        self.program_writes()?;
        match &self.kind {
            Kind::Hash(hash) if self.body != MapBody::HashOfMaps => hash.delete(key, false).map(drop),
            Kind::Trie(trie) => trie.delete(key),
            _ => Err(Errno::EINVAL),
        }
    }

    pub(crate) fn push_by_program(&self, value: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        self.program_writes()?;
        self.put(value, flags)
    }

    pub(crate) fn pop_by_program(&self, value: GuestBytes<'_>) -> Result<(), Errno> {
        self.program_writes()?;
        match &self.kind {
            Kind::Queue(queue) => queue.pop(value),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Puts a value into a queue, a stack, a filter.
    pub(super) fn put(&self, value: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        match &self.kind {
            Kind::Queue(queue) => queue.push(value, flags),
            Kind::Bloom(bloom) => bloom.push(value, flags),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Reads the next value of a queue or a stack, or asks a filter for one.
    pub(crate) fn look(&self, value: GuestBytes<'_>) -> Result<(), Errno> {
        match &self.kind {
            Kind::Queue(queue) => queue.peek(value),
            Kind::Bloom(bloom) => bloom.peek(value),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Calls a function of the program for each element, with `[map, key, value, ctx, 0]`, until it
    /// returns something else than 0. Gives r0: how many were visited.
    ///
    /// # Errors
    ///
    /// When the run ended in it.
    pub(crate) fn for_each(
        &self,
        run: &mut Run<'_>,
        function: u64,
        ctx: u64,
        flags: u64,
    ) -> Result<u64, Left> {
        if flags != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        let (map, slot) = (self.address(), run.slot);
        let mut visited = 0;
        match &self.kind {
            Kind::Array(array) => {
                let key = super::memory::Copied::zeros(4);
                let key = key.bytes();
                run.keep(key.address(), 4, false);
                for index in 0..array.max_entries() {
                    key.write(&index.to_ne_bytes());
                    visited += 1;
                    let value = array.address(index, slot);
                    run.keep(value, u64::from(self.definition.value_size), true);
                    if run.call_back(function, [map, key.address(), value, ctx, 0])? != 0 {
                        break;
                    }
                }
                run.forget(key.address());
            }
            // What stands in the place of values there is no memory of programs.
            Kind::Hash(_) if self.body == MapBody::HashOfMaps => return Ok(Errno::EINVAL.to_r0()),
            Kind::Hash(hash) => {
                // Also where the run is not, because this map came out of another.
                let guard = crossbeam_epoch::pin();
                hash.visit(slot, Pinned::by(&guard), |key, value| {
                    visited += 1;
                    run.keep(key.address(), u64::from(self.definition.key_size), false);
                    run.keep(value, u64::from(self.definition.value_size), true);
                    Ok(run.call_back(function, [map, key.address(), value, ctx, 0])? == 0)
                })?;
            }
            _ => return Ok(Errno::EINVAL.to_r0()),
        }
        Ok(visited)
    }

    /// The value that a look-up in this map has just given, as [`Map::value_at`] says it: others may have
    /// replaced or deleted it since, and it stays as long as the run. None where values are not freed.
    pub(crate) fn value_given(&self, start: u64) -> Option<(u64, usize, bool)> {
        let frees = matches!(self.kind, Kind::Hash(_) | Kind::Trie(_)) && self.body != MapBody::HashOfMaps;
        let writable = !self.definition.frozen && self.definition.flags & flags::RDONLY_PROG == 0;
        frees.then_some((start, self.definition.value_size as usize, writable))
    }

    /// The value, the key of a table or the record of a ring buffer that contains an address: where it
    /// starts, how many bytes it has, whether programs may write it. It may take a while.
    #[must_use]
    pub fn value_at(&self, address: u64) -> Option<(u64, usize, bool)> {
        let writable = !self.definition.frozen && self.definition.flags & flags::RDONLY_PROG == 0;
        let len = self.definition.value_size as usize;
        match &self.kind {
            Kind::Array(array) => array.containing(address).map(|start| (start, len, writable)),
            Kind::Hash(_) if self.body == MapBody::HashOfMaps => None,
            Kind::Hash(hash) => {
                let (start, len, is_value) = hash.containing(address)?;
                Some((start, len, writable && is_value))
            }
            Kind::Trie(trie) => trie.containing(address).map(|start| (start, len, writable)),
            Kind::Ring(ring) => ring.containing(address).map(|(start, len)| (start, len, true)),
            Kind::UserRing(ring) => ring.containing(address).map(|(start, len)| (start, len, true)),
            Kind::Queue(_) | Kind::Bloom(_) | Kind::Programs(_) | Kind::Maps(_) => None,
        }
    }
}
