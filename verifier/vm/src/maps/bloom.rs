//! Bloom filters.

use std::sync::atomic::Ordering::Relaxed;

use super::flags::ANY;
use super::hash::Seed;
use super::memory::Slab;
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// How many hashes a filter has that does not say.
const HASHES: u64 = 5;

/// A Bloom filter.
#[derive(Debug)]
pub(crate) struct Bloom {
    bits: Slab,
    mask: u32,
    hashes: u32,
    seed: Seed,
}

impl Bloom {
    /// None without memory.
    pub(crate) fn new(max_entries: u32, extra: u64, fixed_seed: bool) -> Option<Bloom> {
        let hashes = match extra & 15 {
            0 => HASHES,
            hashes => hashes,
        };
        // hashes / ln 2 bits for each value are best; 7/5 is a bit less than 1 / ln 2, and the next power
        // of two more than makes up for it.
        let wanted = u64::from(max_entries) * hashes * 7 / 5;
        let count = wanted.next_power_of_two().clamp(64, 1 << 32);
        let bits = Slab::new(usize::try_from(count / 8).ok()?)?;
        let seed = if fixed_seed { Seed::fixed() } else { Seed::random() };
        Some(Bloom { bits, mask: (count - 1) as u32, hashes: hashes as u32, seed })
    }

    /// The words and bits of a value.
    fn places(&self, value: GuestBytes<'_>) -> impl Iterator<Item = (usize, u64)> {
        let (mask, seed) = (self.mask, self.seed);
        let first = seed.bytes(value);
        (0..self.hashes).map(move |number| {
            let hash = match number {
                0 => first,
                number => seed.words(u64::from(first), u64::from(number)),
            };
            let bit = hash & mask;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    pub(crate) fn push(&self, value: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        if flags != ANY {
            return Err(Errno::EINVAL);
        }
        for (word, bit) in self.places(value) {
            self.bits.words()[word].fetch_or(bit, Relaxed);
        }
        Ok(())
    }

    /// Whether a value may be in it.
    pub(crate) fn peek(&self, value: GuestBytes<'_>) -> Result<(), Errno> {
        let words = self.bits.words();
        let all = self.places(value).all(|(word, bit)| words[word].load(Relaxed) & bit != 0);
        if all { Ok(()) } else { Err(Errno::ENOENT) }
    }
}
