//! The final code: jumps that reach are short, paddings as long as needed, and the size is known before
//! a byte is written. Addresses that are called stand behind the code: whether a call reaches them without
//! is known when the code is written, and takes as many bytes either way.
//!
//! From the draft to the final code distances only shrink: in the draft every jump is long and every
//! padding as long as it can be. So a jump that is near in the draft may be short, whatever becomes of
//! the rest. A second look, that knows what the first one removed, finds nearly all others.

use thiserror::Error;

use super::assembler::{Assembler, Fix, Label, UNBOUND};
use super::control::nop;

/// A jump goes to a label that was never bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("label {number} is used, and bound nowhere")]
pub struct UnboundLabel {
    /// Which label, by the order in which they were made.
    pub number: u32,
}

/// Code whose every byte has its place. It can be written to anywhere; code that calls addresses has to
/// stay there.
#[derive(Debug)]
pub struct Image<'a> {
    code: &'a Assembler,
    /// How many bytes there are less than in the draft.
    removed: u32,
}

impl Assembler {
    /// Decides on the length of every jump and padding, and so on the exact size.
    ///
    /// # Errors
    /// When a jump goes to a label that was never bound.
    pub fn layout(&mut self) -> Result<Image<'_>, UnboundLabel> {
        for fixup in &self.fixups {
            if let Some(label) = fixup.fix.target()
                && !self.is_bound(label)
            {
                return Err(UnboundLabel { number: label.0 });
            }
        }
        let mut removed = 0;
        for _ in 0..2 {
            self.shorten(removed);
            removed = self.sum_up(|_, _| 0);
        }
        let removed = self.sum_up(|at, multiple| multiple - 1 - padding(at, multiple));
        Ok(Image { code: self, removed })
    }

    /// Makes jumps short that reach, by what is known to be removed.
    fn shorten(&mut self, all: u32) {
        for number in 0..self.fixups.len() {
            let fixup = self.fixups[number];
            let (Fix::Jmp(label) | Fix::Jcc(_, label)) = fixup.fix else { continue };
            let from = i64::from(fixup.at - fixup.removed);
            let to = i64::from(self.position(label, all));
            // Ahead, the distance counts from the end of the long form, which is what `to` knows of.
            let length = if to > from { fixup.fix.len() } else { SHORT };
            self.fixups[number].short = fixup.short || i8::try_from(to - from - i64::from(length)).is_ok();
        }
    }

    /// Counts what is removed before each fixup, and returns what is removed in all. `unpad` says how
    /// much of the padding at an offset of the final code to a multiple is removed.
    fn sum_up(&mut self, unpad: impl Fn(u32, u32) -> u32) -> u32 {
        let mut removed = 0;
        for fixup in &mut self.fixups {
            fixup.removed = removed;
            removed += match fixup.fix {
                Fix::Align(multiple) => unpad(fixup.at - removed, multiple),
                fix if fixup.short => fix.len() - SHORT,
                _ => 0,
            };
        }
        removed
    }

    /// Where a bound label is when `all` bytes of the draft are removed in all.
    fn position(&self, label: Label, all: u32) -> u32 {
        let place = self.labels[label.0 as usize];
        let removed = self.fixups.get(place.fixups as usize).map_or(all, |fixup| fixup.removed);
        place.at - removed
    }
}

impl Image<'_> {
    /// How many bytes the code has, with the addresses behind it.
    #[must_use]
    pub fn size(&self) -> usize {
        match self.code.targets.len() {
            0 => self.code_size(),
            count => self.targets_at() + 8 * count,
        }
    }

    /// How many bytes the code has.
    #[must_use]
    pub fn code_size(&self) -> usize {
        self.code.draft_len() - self.removed as usize
    }

    /// Where the addresses begin.
    fn targets_at(&self) -> usize {
        self.code_size().next_multiple_of(8)
    }

    /// Where a label is, from the start of the code; None when it was never bound.
    #[must_use]
    pub fn offset(&self, label: Label) -> Option<usize> {
        let place = self.code.labels[label.0 as usize];
        (place.at != UNBOUND).then(|| self.code.position(label, self.removed) as usize)
    }

    /// Writes the code, to where it is executed: calls of addresses are relative to it.
    ///
    /// # Panics
    /// When `out` is not of this size.
    pub fn write(&self, out: &mut [u8]) {
        assert_eq!(out.len(), self.size(), "the size of the memory");
        let draft = self.code.draft();
        let (mut read, mut written) = (0, 0);
        for fixup in &self.code.fixups {
            let at = fixup.at as usize;
            let start = written + (at - read);
            out[written..start].copy_from_slice(&draft[read..at]);
            read = at + fixup.fix.len() as usize;
            let end = match fixup.fix {
                Fix::Align(multiple) => {
                    let end = start + padding(start as u32, multiple) as usize;
                    nops(&mut out[start..end]);
                    end
                }
                Fix::Jmp(label) if fixup.short => self.relative::<1>(out, start, &[0xeb], label),
                Fix::Jmp(label) => self.relative::<4>(out, start, &[0xe9], label),
                Fix::Jcc(cond, label) if fixup.short => {
                    self.relative::<1>(out, start, &[0x70 | cond.number()], label)
                }
                Fix::Jcc(cond, label) => self.relative::<4>(out, start, &[0x0f, 0x80 | cond.number()], label),
                Fix::Relative(label) => self.relative::<4>(out, start, &[], label),
                Fix::Call(number) => self.call(out, start, number as usize),
            };
            written = end;
        }
        let end = self.code_size();
        out[written..end].copy_from_slice(&draft[read..]);
        if !self.code.targets.is_empty() {
            let (padding, targets) = out[end..].split_at_mut(self.targets_at() - end);
            padding.fill(TRAP);
            for (place, target) in targets.as_chunks_mut().0.iter_mut().zip(&self.code.targets) {
                *place = target.to_le_bytes();
            }
        }
    }

    /// Writes a call of an address: relative where that reaches, with a prefix that means nothing so that
    /// it is as long as the other, which takes the address from behind the code.
    fn call(&self, out: &mut [u8], start: usize, number: usize) -> usize {
        let end = start + 6;
        let next = out.as_ptr() as u64 + end as u64;
        let distance = self.code.targets[number].wrapping_sub(next).cast_signed();
        let (opcode, distance) = match i32::try_from(distance) {
            Ok(near) => ([0x67, 0xe8], near),
            Err(_) => ([0xff, 0x15], (self.targets_at() + 8 * number - end) as i32),
        };
        out[start..start + 2].copy_from_slice(&opcode);
        out[start + 2..end].copy_from_slice(&distance.to_le_bytes());
        end
    }

    /// Writes an opcode and, in `N` bytes, how far a label is from what follows them.
    fn relative<const N: usize>(&self, out: &mut [u8], start: usize, opcode: &[u8], label: Label) -> usize {
        let distance = start + opcode.len();
        let end = distance + N;
        let to = i64::from(self.code.position(label, self.removed)) - end as i64;
        debug_assert!(N == 4 || i8::try_from(to).is_ok(), "a short jump of {to} bytes");
        out[start..distance].copy_from_slice(opcode);
        out[distance..end].copy_from_slice(&to.to_le_bytes()[..N]);
        end
    }
}

/// What is between the code and the addresses: `int3`.
const TRAP: u8 = 0xcc;

/// How long the short form of a jump is.
const SHORT: u32 = 2;

impl Fix {
    /// How many bytes of the draft it takes.
    fn len(self) -> u32 {
        match self {
            Fix::Jmp(_) => 5,
            Fix::Jcc(..) => 6,
            Fix::Relative(_) => 4,
            Fix::Call(_) => 6,
            Fix::Align(multiple) => multiple - 1,
        }
    }

    fn target(self) -> Option<Label> {
        match self {
            Fix::Jmp(label) | Fix::Jcc(_, label) | Fix::Relative(label) => Some(label),
            Fix::Call(_) | Fix::Align(_) => None,
        }
    }
}

fn padding(at: u32, multiple: u32) -> u32 {
    at.wrapping_neg() & (multiple - 1)
}

fn nops(mut out: &mut [u8]) {
    while !out.is_empty() {
        let (one, rest) = out.split_at_mut(out.len().min(9));
        one.copy_from_slice(nop(one.len()));
        out = rest;
    }
}
