//! The Internet checksum.

use super::{Args, Body};
use crate::run::{Left, Run};

/// A sum in one's complement: a carry out of the top comes in again at the bottom, so that only
/// zeros add up to 0.
fn add(left: u32, right: u32) -> u32 {
    let (sum, carry) = left.overflowing_add(right);
    sum + u32::from(carry)
}

/// The sum of the words of some bytes and a start; zeros fill the last word.
fn sum(bytes: &[u8], start: u32) -> u32 {
    let word =
        |chunk: &[u8]| u32::from_le_bytes(std::array::from_fn(|at| chunk.get(at).copied().unwrap_or(0)));
    bytes.chunks(4).fold(start, |sum, chunk| add(sum, word(chunk)))
}

/// A sum of 32 bits as one of 16.
fn fold(sum: u32) -> u16 {
    let once = (sum >> 16) + (sum & 0xffff);
    ((once >> 16) + (once & 0xffff)) as u16
}

/// How a sum changes when `from` is replaced by `to`.
fn diff(from: &[u8], to: &[u8], seed: u32) -> u16 {
    let all = match (from, to) {
        ([], to) => sum(to, seed),
        (from, []) => !sum(from, !seed),
        (from, to) => add(sum(to, seed), !sum(from, 0)),
    };
    fold(all)
}

/// `(from, from size, to, to size, seed)`. Sizes should be multiples of 4, but others are taken.
pub(super) struct CsumDiff;

impl Body for CsumDiff {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let (from, to) = (args.bytes(0, 1), args.bytes(2, 3));
        Ok(diff(&from.to_vec(), &to.to_vec(), args.number(4) as u32).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::diff;

    #[test]
    fn known_sums() {
        // As the kernel of the platform answers.
        assert_eq!(diff(&[], &[], 5), 5);
        assert_eq!(diff(&[], &[], u32::MAX), 0xffff);
        assert_eq!(diff(&[], &[], 0x1234_5678), 0x68ac);
        assert_eq!(diff(&[0; 4], &[0; 4], 0), 0xffff);
        assert_eq!(diff(&[0; 4], &[], 0), 0);
        // What is replaced by itself changes nothing but how zero is written.
        assert_eq!(diff(&[1, 2, 3, 4], &[1, 2, 3, 4], 0), 0xffff);
    }

    proptest! {
        /// In the numbers modulo 0xffff, a difference is one.
        #[test]
        fn modulo(from: Vec<u32>, to: Vec<u32>, seed: u32) {
            let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
            let sum = |words: &[u32]| words.iter().map(|&word| u128::from(word)).sum::<u128>() % 0xffff;
            let expected = (sum(&to) + 0xffff - sum(&from) + u128::from(seed)) % 0xffff;
            prop_assert_eq!(u128::from(diff(&bytes(&from), &bytes(&to), seed)) % 0xffff, expected);
        }
    }
}
