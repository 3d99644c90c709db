//! What keys hash to: multiplications whose halves are folded, from a secret seed.
#![allow(unsafe_code)]

use std::hash::{BuildHasher, Hasher, RandomState};

use probity_isa::Size;

use crate::guest::{GuestBytes, load};

/// What hashes start from: chance, so that nobody can make keys that collide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    start: u64,
    factor: u64,
}

#[inline(always)]
fn fold(one: u64, two: u64) -> u64 {
    let product = u128::from(one) * u128::from(two);
    product as u64 ^ (product >> 64) as u64
}

impl Seed {
    pub(crate) fn random() -> Seed {
        let chance = || RandomState::new().build_hasher().finish();
        Seed { start: chance(), factor: chance() | 1 }
    }

    /// For maps that want the same order each time.
    pub(crate) fn fixed() -> Seed {
        Seed { start: 0x2d35_8dcc_aa6c_78a5, factor: 0x8bb8_4b93_962e_acc9 }
    }

    /// Of a number.
    #[inline(always)]
    pub(crate) fn word(self, word: u64) -> u32 {
        (fold(word ^ self.start, self.factor) >> 7) as u32
    }

    /// Of two numbers.
    #[inline(always)]
    pub(crate) fn words(self, one: u64, two: u64) -> u32 {
        self.word(fold(one ^ self.factor, 0x9e37_79b9_7f4a_7c15) ^ two.rotate_left(32))
    }

    /// Of bytes: of 4, 8 and 16 bytes what the functions above give.
    #[inline]
    pub(crate) fn bytes(self, key: GuestBytes<'_>) -> u32 {
        let at = key.address();
        // SAFETY: as many bytes are inside of the key as are asked for.
        unsafe {
            match key.len() {
                4 => self.word(load(at, Size::W)),
                8 => self.word(load(at, Size::Dw)),
                16 => self.words(load(at, Size::Dw), load(at + 8, Size::Dw)),
                len => self.long(at, len as u64),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`load`], of `len` bytes.
    #[inline]
    unsafe fn long(self, at: u64, len: u64) -> u32 {
        let mut hash = self.start ^ len;
        let mut done = 0;
        while len - done >= 8 {
            // SAFETY: inside of what the caller promises.
            hash = fold(hash ^ unsafe { load(at + done, Size::Dw) }, self.factor).rotate_left(29);
            done += 8;
        }
        let mut last = 0;
        for size in [Size::W, Size::H, Size::B] {
            let bytes = u64::from(size.bytes());
            if len - done >= bytes {
                // SAFETY: inside of what the caller promises.
                last = last << (8 * bytes) | unsafe { load(at + done, size) };
                done += bytes;
            }
        }
        self.word(hash ^ last)
    }
}
