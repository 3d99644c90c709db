//! Random operations on maps and on simple models of them.

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::errno::Errno;
use crate::maps::flags::{ANY, EXIST, NOEXIST};

/// Fewer where each costs a lot.
const STEPS: usize = if cfg!(miri) { 200 } else { 5000 };

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn update(model: &mut Model, key: &[u8], value: &[u8], flags: u64, full: Option<Errno>) -> Result<(), Errno> {
    match (model.contains_key(key), flags) {
        (true, NOEXIST) => return Err(Errno::EEXIST),
        (false, EXIST) => return Err(Errno::ENOENT),
        (false, _) => full.map_or(Ok(()), Err)?,
        _ => {}
    }
    model.insert(key.to_vec(), value.to_vec());
    Ok(())
}

fn sorted(map: &Map) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = map.pairs();
    pairs.sort();
    pairs
}

#[test]
fn tables() {
    for key_size in [1, 3, 4, 7, 8, 12, 16, 24, 33] {
        for seed in 1..4 {
            let chance = &mut Chance(seed * 77 + u64::from(key_size));
            let map = map(MapBody::Hash, key_size, 5, 20);
            let mut model = Model::new();
            for step in 0..STEPS {
                let mut key = vec![0; key_size as usize];
                key[(key_size - 1) as usize] = chance.below(40) as u8;
                let value = chance.bytes(5);
                match chance.below(4) {
                    0 | 1 => {
                        let flags = [ANY, NOEXIST, EXIST][chance.below(3) as usize];
                        let full = (model.len() >= 20).then_some(Errno::E2BIG);
                        let wanted = update(&mut model, &key, &value, flags, full);
                        assert_eq!(map.update(&key, &value, flags), wanted);
                    }
                    2 => {
                        let wanted = model.remove(&key).map(drop).ok_or(Errno::ENOENT);
                        assert_eq!(map.delete(&key), wanted);
                    }
                    _ => {
                        assert_eq!(map.lookup(&key), model.get(&key).cloned());
                        assert_eq!(seen(&map, &key, 0), model.get(&key).cloned());
                    }
                }
                if step % 100 == 0 {
                    assert_eq!(sorted(&map), model.clone().into_iter().collect::<Vec<_>>());
                    assert_eq!(map.count(), Some(model.len()));
                }
            }
            let taken: Model = map.drain().into_iter().collect();
            assert_eq!(taken, model);
            assert_eq!(map.count(), Some(0));
        }
    }
}

/// The bits of a prefix, as a text.
fn bits(key: &[u8]) -> String {
    let len = u32::from_ne_bytes([key[0], key[1], key[2], key[3]]) as usize;
    let all: String = key[4..].iter().map(|byte| format!("{byte:08b}")).collect();
    all[..len].to_owned()
}

#[test]
fn tries() {
    for seed in 1..9 {
        let chance = &mut Chance(seed);
        let map = map(MapBody::LpmTrie, 6, 4, 30);
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for step in 0..STEPS {
            let len = chance.below(17) as u32;
            let byte = |chance: &mut Chance| [0, 0x80, 0xaa, 0xff, 1][chance.below(5) as usize];
            let key = [&len.to_ne_bytes()[..], &[byte(chance), byte(chance)]].concat();
            let value = chance.bytes(4);
            match chance.below(4) {
                0 | 1 => {
                    let there = model.contains_key(&bits(&key));
                    let wanted = if !there && model.len() == 30 { Err(Errno::ENOSPC) } else { Ok(()) };
                    assert_eq!(map.update(&key, &value, ANY), wanted);
                    if wanted.is_ok() {
                        model.insert(bits(&key), value);
                    }
                }
                2 => {
                    let wanted = model.remove(&bits(&key)).map(drop).ok_or(Errno::ENOENT);
                    assert_eq!(map.delete(&key), wanted);
                }
                _ => {
                    let asked = bits(&key);
                    let longest = model.iter().filter(|(prefix, _)| asked.starts_with(prefix.as_str()));
                    let longest =
                        longest.max_by_key(|(prefix, _)| prefix.len()).map(|(_, value)| value.clone());
                    assert_eq!(seen(&map, &key, 0), longest);
                }
            }
            if step % 100 == 0 {
                let mut all: Vec<_> =
                    map.pairs().into_iter().map(|(key, value)| (bits(&key), value)).collect();
                all.sort();
                assert_eq!(all, model.clone().into_iter().collect::<Vec<_>>());
                assert_eq!(map.count(), Some(model.len()));
            }
        }
    }
}

#[test]
fn queues() {
    for (body, last_first) in [(MapBody::Queue, false), (MapBody::Stack, true)] {
        let chance = &mut Chance(9);
        let map = map(body, 0, 3, 7);
        let mut model = VecDeque::new();
        for _ in 0..STEPS {
            let value = chance.bytes(3);
            match chance.below(5) {
                0 | 1 => {
                    let replaces = chance.below(2) == 0;
                    let full = model.len() == 7;
                    let wanted = if full && !replaces { Err(Errno::E2BIG) } else { Ok(()) };
                    assert_eq!(map.push(&value, if replaces { EXIST } else { ANY }), wanted);
                    if wanted.is_ok() {
                        if full {
                            model.pop_front();
                        }
                        model.push_back(value);
                    }
                }
                2 | 3 => {
                    let wanted = if last_first { model.pop_back() } else { model.pop_front() };
                    assert_eq!(map.pop().ok(), wanted);
                }
                _ => {
                    let wanted = if last_first { model.back() } else { model.front() };
                    assert_eq!(map.peek().ok().as_ref(), wanted);
                }
            }
        }
    }
}
