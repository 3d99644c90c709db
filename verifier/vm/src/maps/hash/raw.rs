//! Lookups for machine code: one function for each size of keys and way of values, so that a lookup
//! is one call without a decision.
#![allow(unsafe_code)]

use super::{Hash, Locks, clock};
use crate::maps::{Kind, Map, memory::Pinned};
use crate::run::{RawFn, Returned, Run};

/// Values that all share.
const SHARED: u8 = 0;
/// Values of run slots.
const PER_SLOT: u8 = 1;
/// Values that are maps.
const MAPS: u8 = 2;

impl Hash {
    /// The function that looks up in this table.
    pub(crate) fn lookup_raw(&self) -> RawFn {
        match self.table.shape.key_size {
            4 => self.with_key::<4>(),
            8 => self.with_key::<8>(),
            16 => self.with_key::<16>(),
            _ => self.with_key::<0>(),
        }
    }

    fn with_key<const KEY: usize>(&self) -> RawFn {
        let gives_way = matches!(self.locks, Locks::Clock(_));
        match (self.per_slot, self.table.shape.holds_maps(), gives_way) {
            (_, true, _) => lookup::<KEY, MAPS, false>,
            (false, _, false) => lookup::<KEY, SHARED, false>,
            (false, _, true) => lookup::<KEY, SHARED, true>,
            (true, _, false) => lookup::<KEY, PER_SLOT, false>,
            (true, _, true) => lookup::<KEY, PER_SLOT, true>,
        }
    }
}

/// Looks a value up.
///
/// # Safety
///
/// See [`RawFn`]; the map is a hash table with such keys and values.
unsafe extern "C" fn lookup<const KEY: usize, const VALUES: u8, const GIVES_WAY: bool>(
    map: u64,
    key: u64,
    _r3: u64,
    _r4: u64,
    _r5: u64,
    run: *mut Run<'static>,
) -> Returned {
    // SAFETY: the first argument is a map, which the program or the run's guard keeps.
    let map = unsafe { &*(map as *const Map) };
    let Kind::Hash(hash) = &map.kind else { return Returned::value(0) };
    // SAFETY: the run that is on has a program with this map, and is pinned.
    let (pinned, slot) = unsafe { (Pinned::as_promised(), (*run).slot) };
    // SAFETY: the caller's: keys have this size, and the second argument is one.
    let Some(node) = (unsafe { hash.table.find_raw::<KEY>(key, pinned) }) else { return Returned::value(0) };
    if GIVES_WAY {
        clock::used(node);
    }
    let start = std::ptr::from_ref(node) as u64;
    let at = match KEY {
        0 => hash.table.shape.value_at,
        key => (super::node::KEY_AT + key).next_multiple_of(8),
    };
    let value = start + at as u64;
    Returned::value(match VALUES {
        PER_SLOT => value + u64::from(slot) * hash.table.shape.stride as u64,
        MAPS => hash.table.shape.held_address(node),
        _ => value,
    })
}
