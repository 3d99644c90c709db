//! Damaged objects: an error or a program, never a panic, and soon.

mod common;

use std::{collections::BTreeMap, time::Instant};

use common::options;
use probity_object::Object;
use probity_program::Btf;

const FIXTURES: [&[u8]; 3] = [
    include_bytes!("fixtures/calls.o"),
    include_bytes!("fixtures/externs.o"),
    include_bytes!("fixtures/legacy.o"),
];

/// Loads all that can be loaded; how many programs that are.
fn load(bytes: &[u8], target: &Btf) -> usize {
    let Ok(object) = Object::parse(bytes) else {
        return 0;
    };
    let kconfig = BTreeMap::from([("LINUX_KERNEL_VERSION".to_owned(), "1".to_owned())]);
    let mut options = options();
    options.target = Some(target);
    options.kconfig = Some(&kconfig);
    object.load(&options).filter(|(_, program)| program.is_ok()).count()
}

/// A target made of an object's own types.
fn own_types(bytes: &[u8]) -> Btf {
    let object = Object::parse(bytes).unwrap();
    object.btf().map(|btf| btf.as_ref().clone()).unwrap_or_default()
}

/// A small generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn truncated() {
    for bytes in FIXTURES {
        let target = own_types(bytes);
        for len in 0..bytes.len() {
            load(&bytes[..len], &target);
        }
    }
}

#[test]
fn flipped() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut loaded, start) = (0, Instant::now());
    for bytes in FIXTURES {
        let target = own_types(bytes);
        for _ in 0..20_000 {
            let mut bytes = bytes.to_vec();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = match random.below(4) {
                    0 => 0xff,
                    1 => 0,
                    2 => bytes[at] ^ 1 << random.below(8),
                    _ => random.below(256) as u8,
                };
            }
            loaded += load(&bytes, &target);
        }
    }
    println!("{loaded} programs of 60000 damaged objects in {:?}", start.elapsed());
    assert!(loaded > 0);
}

#[test]
fn every_byte_of_the_tables() {
    for bytes in FIXTURES {
        let target = own_types(bytes);
        for at in 0..bytes.len() {
            for value in [0x00, 0x7f, 0xff] {
                let mut bytes = bytes.to_vec();
                bytes[at] = value;
                load(&bytes, &target);
            }
        }
    }
}
