//! Damaged objects from a seed: what is changed knows the structure of ELF, BTF and `.BTF.ext`.
//!
//! An input is a function of the seed, its number and the objects that it is made from, so a number
//! is all that a finding needs.
//!
//! | module | subject |
//! |---|---|
//! | [`layout`] | where the parts of an object are |
//! | [`mutate`] | one object into another |
//! | [`targets`] | what is done with an input |

pub mod layout;
pub mod mutate;
pub mod targets;

use std::{fs, io, path::Path};

use crate::generate::rng::Rng;

/// The objects that inputs are made from: our own, which the repository has.
///
/// # Errors
///
/// When a folder or file can't be read.
pub fn seeds(root: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    for folder in ["tests/programs", "verifier/object/tests/fixtures", "verifier/cli/tests/objects"] {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "o") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.iter().map(fs::read).collect()
}

/// The input with a number.
#[must_use]
pub fn input(seeds: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    let mut rng = rng(seed, number);
    let first = rng.below(seeds.len());
    let other = rng.below(seeds.len());
    mutate::mutate(&mut rng, &seeds[first], &seeds[other])
}

/// The stream of an input's number.
#[must_use]
pub fn rng(seed: u64, number: u64) -> Rng {
    Rng::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
