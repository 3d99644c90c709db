//! Tests of maps: each kind against a simple model, and threads against each other.

mod kinds;
mod model;
mod rings;
mod speed;
mod threads;

use std::sync::Arc;

use probity_platform::{
    Callers, Guard, MapBody, MapRefusal, MapTraits, MapType, NullCheckYields, Site, SizeRange, Step,
    ValueSizes,
};
use probity_program::MapDef;

use super::memory::Copied;
use super::{Map, MapError, Pinned};

const ANYTHING: SizeRange = SizeRange { low: 0, high: u32::MAX as u64, step: Step::One };
const NO_FLAGS: &[probity_platform::MapFlag] =
    &[probity_platform::MapFlag { name: "all", mask: u32::MAX, required: false }];

/// A type of maps that takes any definition.
fn map_type(body: MapBody) -> &'static MapType {
    Box::leak(Box::new(MapType {
        name: "test",
        number: 1,
        guard: Guard::Always,
        key: &[ANYTHING],
        value: &[ValueSizes { with: 0, sizes: &[ANYTHING] }],
        element: SizeRange { low: 0, high: u64::MAX, step: Step::One },
        max_entries: &[SizeRange { low: 1, high: u32::MAX as u64, step: Step::One }],
        extra: ANYTHING,
        flags: NO_FLAGS,
        exclusive: &[],
        traits: MapTraits::empty(),
        callers: Callers::Any,
        null_check_yields: NullCheckYields::Value,
        unsupported: None,
        unsupported_with: &[],
        body: Some(body),
        site: Site::NONE,
    }))
}

const SLOTS: u32 = 3;

fn map(body: MapBody, key: u32, value: u32, entries: u32) -> Arc<Map> {
    Map::of_type(map_type(body), &MapDef::new(1, key, value, entries), None, SLOTS).expect("a map")
}

/// Numbers that look like chance, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// What a program of a slot finds under a key.
fn seen(map: &Map, key: &[u8], slot: u32) -> Option<Vec<u8>> {
    let key = Copied::of(key);
    let guard = crossbeam_epoch::pin();
    let address = map.lookup_address(key.bytes(), slot, Pinned::by(&guard));
    if address == 0 {
        return None;
    }
    let (start, len, _) = map.value_at(address).expect("a value");
    assert_eq!(start, address);
    #[allow(unsafe_code)]
    // SAFETY: the value stays while the thread is pinned.
    let bytes = unsafe { crate::guest::GuestBytes::new(address, len) };
    Some(bytes.to_vec())
}

#[test]
fn what_the_platform_would_not_make_is_refused() {
    let ty = map_type(MapBody::Array);
    let two = |low| SizeRange { low, high: 4, step: Step::One };
    let narrow: &'static MapType = Box::leak(Box::new(MapType { key: Box::leak(Box::new([two(4)])), ..*ty }));
    let error = Map::of_type(narrow, &MapDef::new(1, 8, 8, 1), None, 1).expect_err("keys of 8 bytes");
    assert_eq!(error, MapError::Refused { name: String::new(), refusal: MapRefusal::KeySize(8) });
    let none: &'static MapType = Box::leak(Box::new(MapType { body: None, ..*ty }));
    let error = Map::of_type(none, &MapDef::new(1, 4, 8, 1), None, 1).expect_err("no body");
    assert_eq!(error, MapError::Unsupported { name: String::new(), map_type: "test" });
    let error = Map::of_type(ty, &MapDef::new(1, 4, u32::MAX, u32::MAX), None, 1).expect_err("too large");
    assert_eq!(error, MapError::NoMemory { name: String::new() });
}
