//! What each kind does at its edges.

use super::*;
use crate::errno::Errno;
use crate::maps::Special;
use crate::maps::flags::{ANY, EXIST, NOEXIST};

#[test]
fn arrays_are_there_from_the_start() {
    let map = map(MapBody::Array, 4, 5, 3);
    assert_eq!(map.get(&2u32.to_ne_bytes()), Ok(vec![0; 5]));
    assert_eq!(map.get(&3u32.to_ne_bytes()), Err(Errno::ENOENT));
    assert_eq!(map.update(&3u32.to_ne_bytes(), &[1; 5], ANY), Err(Errno::E2BIG));
    assert_eq!(map.update(&2u32.to_ne_bytes(), &[1; 5], NOEXIST), Err(Errno::EEXIST));
    assert_eq!(map.update(&2u32.to_ne_bytes(), &[1; 5], EXIST), Ok(()));
    assert_eq!(map.delete(&2u32.to_ne_bytes()), Err(Errno::EINVAL));
    assert_eq!(seen(&map, &2u32.to_ne_bytes(), 1), Some(vec![1; 5]));
    assert_eq!(seen(&map, &3u32.to_ne_bytes(), 1), None);
    let layout = map.array_layout().expect("an array");
    assert_eq!((layout.stride, layout.max_entries, layout.slot_stride), (8, 3, 0));
    assert_eq!(map.value_at(layout.base + 20), Some((layout.base + 16, 5, true)));
    assert_eq!(map.value_at(layout.base + 21), None);
    assert!(!map.frees());
}

#[test]
fn slots_have_values_of_their_own() {
    for body in [MapBody::PercpuArray, MapBody::PercpuHash, MapBody::LruPercpuHash] {
        let map = map(body, 4, 5, 3);
        let key = 1u32.to_ne_bytes();
        let values = vec![vec![1; 5], vec![2; 5], vec![3; 5]];
        map.update_percpu(&key, &values, ANY).expect("room");
        assert_eq!(map.lookup_percpu(&key), Some(values));
        assert_eq!(map.lookup(&key).map(|all| all.len()), Some(24));
        let (one, two) = (Copied::of(&key), Copied::of(&[9; 5]));
        map.update_by_program(one.bytes(), two.bytes(), ANY, 1).expect("there");
        assert_eq!(seen(&map, &key, 0), Some(vec![1; 5]));
        assert_eq!(seen(&map, &key, 1), Some(vec![9; 5]));
        let guard = crossbeam_epoch::pin();
        assert_eq!(map.lookup_address_of_slot(one.bytes(), SLOTS, Pinned::by(&guard)), 0);
        assert_ne!(map.lookup_address_of_slot(one.bytes(), SLOTS - 1, Pinned::by(&guard)), 0);
    }
    let map = map(MapBody::PercpuHash, 4, 8, 3);
    let (key, value) = (Copied::of(&[7; 4]), Copied::of(&[1; 8]));
    map.update_by_program(key.bytes(), value.bytes(), ANY, 1).expect("room");
    assert_eq!(map.lookup_percpu(&[7; 4]), Some(vec![vec![0; 8], vec![1; 8], vec![0; 8]]));
}

#[test]
fn full_tables_refuse_or_make_way() {
    let hash = map(MapBody::Hash, 8, 4, 2);
    for key in 0..2u64 {
        hash.update(&key.to_ne_bytes(), &[0; 4], NOEXIST).expect("room");
    }
    assert_eq!(hash.update(&5u64.to_ne_bytes(), &[0; 4], ANY), Err(Errno::E2BIG));
    assert_eq!(hash.update(&1u64.to_ne_bytes(), &[1; 4], ANY), Ok(()));
    assert_eq!(hash.update(&5u64.to_ne_bytes(), &[0; 4], EXIST), Err(Errno::ENOENT));
    assert_eq!(hash.update(&1u64.to_ne_bytes(), &[0; 4], NOEXIST), Err(Errno::EEXIST));
    assert_eq!(hash.update(&1u64.to_ne_bytes(), &[0; 4], 4), Err(Errno::EINVAL));
    let lru = map(MapBody::LruHash, 8, 4, 2);
    for key in 0..100u64 {
        // What is used stays.
        assert!(key == 0 || seen(&lru, &0u64.to_ne_bytes(), 0).is_some(), "at {key}");
        lru.update(&key.to_ne_bytes(), &[0; 4], ANY).expect("somebody gives way");
    }
    assert_eq!(lru.count(), Some(2));
    lru.delete(&99u64.to_ne_bytes()).expect("the newest");
    lru.update(&7u64.to_ne_bytes(), &[0; 4], ANY).expect("room");
    assert!(lru.lookup(&0u64.to_ne_bytes()).is_some());
}

#[test]
fn a_replaced_value_stays_for_who_has_it() {
    let map = map(MapBody::Hash, 4, 8, 4);
    map.update(&[1; 4], &[1; 8], ANY).expect("room");
    let guard = crossbeam_epoch::pin();
    let address = map.lookup_address(Copied::of(&[1; 4]).bytes(), 0, Pinned::by(&guard));
    map.update(&[1; 4], &[2; 8], ANY).expect("there");
    map.delete(&[1; 4]).expect("there");
    #[allow(unsafe_code)]
    // SAFETY: what was replaced is kept while this thread is pinned.
    let old = unsafe { crate::guest::GuestBytes::new(address, 8) };
    assert_eq!(old.to_vec(), [1; 8]);
}

#[test]
fn tries_find_the_longest_prefix() {
    let map = map(MapBody::LpmTrie, 8, 4, 4);
    let key = |bits: u32, bytes: [u8; 4]| [bits.to_ne_bytes(), bytes].concat();
    map.update(&key(8, [10, 0, 0, 0]), &[8; 4], ANY).expect("room");
    map.update(&key(24, [10, 1, 2, 0]), &[24; 4], ANY).expect("room");
    map.update(&key(0, [0; 4]), &[0; 4], ANY).expect("room");
    assert_eq!(seen(&map, &key(32, [10, 1, 2, 3]), 0), Some(vec![24; 4]));
    assert_eq!(seen(&map, &key(32, [10, 1, 3, 3]), 0), Some(vec![8; 4]));
    assert_eq!(seen(&map, &key(32, [11, 1, 3, 3]), 0), Some(vec![0; 4]));
    assert_eq!(seen(&map, &key(33, [11, 1, 3, 3]), 0), None);
    assert_eq!(map.update(&key(33, [0; 4]), &[0; 4], ANY), Err(Errno::EINVAL));
    map.update(&key(9, [10, 0, 0, 0]), &[9; 4], NOEXIST).expect("room");
    assert_eq!(map.update(&key(10, [10, 0, 0, 0]), &[9; 4], ANY), Err(Errno::ENOSPC));
    assert_eq!(map.delete(&key(10, [10, 0, 0, 0])), Err(Errno::ENOENT));
}

#[test]
fn queues_and_stacks() {
    for (body, order) in [(MapBody::Queue, [2u8, 3]), (MapBody::Stack, [3, 2])] {
        let map = map(body, 0, 1, 2);
        assert_eq!(map.pop(), Err(Errno::ENOENT));
        map.push(&[1], ANY).expect("room");
        map.push(&[2], ANY).expect("room");
        assert_eq!(map.push(&[3], ANY), Err(Errno::E2BIG));
        assert_eq!(map.push(&[3], NOEXIST), Err(Errno::EINVAL));
        map.push(&[3], EXIST).expect("the oldest gives way");
        assert_eq!(map.peek(), Ok(vec![order[0]]));
        assert_eq!(order.map(|_| map.pop().expect("a value")[0]), order);
        assert_eq!(map.count(), Some(0));
        let value = Copied::of(&[7]);
        assert_eq!(map.pop_by_program(value.bytes()), Err(Errno::ENOENT));
        assert_eq!(value.bytes().to_vec(), [0]);
    }
}

#[test]
fn filters_never_forget() {
    let map = map(MapBody::BloomFilter, 0, 8, 1000);
    for value in 0..1000u64 {
        map.push(&value.to_ne_bytes(), ANY).expect("always");
    }
    assert!((0..1000u64).all(|value| map.may_contain(&value.to_ne_bytes()) == Ok(true)));
    let wrong = (1000..11_000u64).filter(|value| map.may_contain(&value.to_ne_bytes()) == Ok(true)).count();
    assert!(wrong < 500, "{wrong} of 10000 wrongly");
    assert_eq!(map.push(&[0; 8], EXIST), Err(Errno::EINVAL));
    assert_eq!(map.pop(), Err(Errno::EOPNOTSUPP));
}

#[test]
fn maps_of_maps_take_what_is_like_the_template() {
    let template = MapDef::new(1, 4, 8, 2);
    for (body, key) in [(MapBody::ArrayOfMaps, 4), (MapBody::HashOfMaps, 4)] {
        let of_type = |body, definition: &MapDef| {
            Map::of_type(map_type(body), definition, Some(&template), SLOTS).expect("a map")
        };
        let outer = of_type(body, &MapDef::new(1, key, 4, 2));
        let inner = map(MapBody::Array, 4, 8, 2);
        let other = map(MapBody::Array, 4, 8, 3);
        assert_eq!(outer.set_map(&[0; 4], &other, ANY), Err(Errno::EINVAL));
        assert_eq!(outer.set_map(&[0; 4], &inner, ANY), Ok(()));
        assert!(Arc::ptr_eq(&outer.map_at(&[0; 4]).expect("there"), &inner));
        let guard = crossbeam_epoch::pin();
        let found = outer.lookup_address(Copied::of(&[0; 4]).bytes(), 0, Pinned::by(&guard));
        assert_eq!(found, inner.address());
        assert!(outer.inner_at(found).is_some_and(|map| std::ptr::eq(map, &raw const *inner)));
        drop(guard);
        assert_eq!(outer.delete(&[0; 4]), Ok(()));
        assert_eq!(outer.delete(&[0; 4]), Err(Errno::ENOENT));
        assert!(outer.map_at(&[0; 4]).is_none());
        outer.set_map(&[0; 4], &inner, ANY).expect("room");
        drop(outer);
        drop_garbage(|| Arc::strong_count(&inner) == 1);
    }
}

/// Waits until what was let go is dropped.
fn drop_garbage(done: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        crossbeam_epoch::pin().flush();
        std::thread::yield_now();
    }
    panic!("it is never dropped");
}

#[test]
fn what_is_frozen_stays() {
    let mut definition = MapDef::new(1, 4, 8, 1);
    definition.contents = Some(vec![1, 2, 3, 4, 5, 6, 7, 8]);
    definition.frozen = true;
    let map = Map::of_type(map_type(MapBody::Array), &definition, None, SLOTS).expect("a map");
    assert_eq!(map.update(&[0; 4], &[0; 8], ANY), Err(Errno::EPERM));
    let (key, value) = (Copied::of(&[0; 4]), Copied::of(&[0; 8]));
    assert_eq!(map.update_by_program(key.bytes(), value.bytes(), ANY, 0), Err(Errno::EPERM));
    assert_eq!(map.get(&[0; 4]), Ok(vec![1, 2, 3, 4, 5, 6, 7, 8]));
    let start = map.direct_value(0).expect("global data");
    assert_eq!(map.direct_value(7), Some(start + 7));
    assert_eq!(map.direct_value(8), None);
    assert_eq!(map.value_at(start + 3), Some((start, 8, false)));
}

#[test]
#[allow(unsafe_code)]
fn keys_are_found_from_values() {
    for (body, key_size) in [(MapBody::Hash, 5), (MapBody::LruHash, 16), (MapBody::Array, 4)] {
        let map = map(body, key_size, 12, 9);
        for number in 0..9u32 {
            let mut key = number.to_ne_bytes().to_vec();
            key.resize(key_size as usize, 3);
            map.update(&key, &[1; 12], ANY).expect("room");
            let guard = crossbeam_epoch::pin();
            let found = map.shared_value(Copied::of(&key).bytes(), Pinned::by(&guard)).expect("it is there");
            let element = Some((found.address(), key));
            assert_eq!(map.element_at(found.address() + 11), element);
            // SAFETY: that is where a value starts.
            assert_eq!(unsafe { map.element_of(found.address()) }, element);
        }
    }
    assert_eq!(map(MapBody::PercpuHash, 4, 8, 1).element_at(0), None);
}

#[test]
fn updates_leave_special_parts_alone() {
    for (body, kept) in [(MapBody::Array, 5), (MapBody::Hash, 0)] {
        let map = map(body, 4, 16, 4);
        let key = [0; 4];
        map.update(&key, &[5; 16], ANY).expect("room");
        let special = Some(Special { lock: Some(12), timer: None });
        assert!(map.learn(special) && map.learn(None) && !map.learn(Some(Special::default())));
        map.update(&key, &[9; 16], ANY).expect("there");
        let wanted = |kept| [[9; 12].as_slice(), &[kept; 4]].concat();
        assert_eq!(seen(&map, &key, 0), Some(wanted(kept)), "{body:?}");
        assert_eq!(map.lookup(&key), Some(wanted(0)), "{body:?}");
    }
}

#[test]
fn hosts_see_keys_and_values_as_structs() {
    let hash = map(MapBody::Hash, 8, 4, 4);
    assert_eq!(hash.set_value(&[1_u32, 2], &7_u32), Ok(()));
    assert_eq!(hash.value::<[u32; 2], u32>(&[1, 2]), Some(7));
    assert_eq!(hash.value::<[u32; 2], u32>(&[2, 2]), None);
    // Of other sizes.
    assert_eq!(hash.value::<[u32; 2], u64>(&[1, 2]), None);
    assert_eq!(hash.value::<u32, u32>(&1), None);
    assert_eq!(hash.set_value(&1_u32, &7_u32), Err(Errno::EINVAL));
    assert_eq!(hash.values::<[u32; 2], u32>(&[1, 2]), Vec::<u32>::new());

    let slots = map(MapBody::PercpuArray, 4, 4, 1);
    let each: Vec<Vec<u8>> = (0..SLOTS).map(|slot| slot.to_ne_bytes().to_vec()).collect();
    slots.update_percpu(&[0; 4], &each, 0).expect("values of all slots");
    assert_eq!(slots.values::<u32, u32>(&0), [0, 1, 2]);
    assert_eq!(slots.value::<u32, u32>(&0), Some(0));
}
