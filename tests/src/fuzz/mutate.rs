//! One object into another.

use std::ops::Range;

use super::layout::{Content, Section, put, sections, types, word};
use crate::generate::rng::Rng;

/// The largest input.
const LARGEST: usize = 1 << 22;

/// Where fields are in a record, and how long they are.
type Fields = &'static [(usize, usize)];

const ELF_HEADER: Fields =
    &[(4, 1), (5, 1), (16, 2), (18, 2), (32, 8), (40, 8), (48, 4), (52, 2), (58, 2), (60, 2), (62, 2)];
const SECTION_HEADER: Fields =
    &[(0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8)];
const SYMBOL: Fields = &[(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8)];
const RELOC: Fields = &[(0, 8), (8, 4), (12, 4)];
const INSN: Fields = &[(0, 1), (1, 1), (2, 2), (4, 4)];
const BTF_HEADER: Fields = &[(0, 2), (2, 1), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4)];
const BTF_EXT_HEADER: Fields =
    &[(0, 2), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (24, 4), (28, 4), (32, 4)];

/// Changes an object in one to eight places; parts may come from another.
#[must_use]
pub fn mutate(rng: &mut Rng, object: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = object.to_vec();
    for _ in 0..=rng.below(8) {
        let known = sections(&bytes);
        match rng.weighted(&[2, 6, 60, 6, 4, 4, 3, 2, 1]) {
            0 => field(rng, &mut bytes, 0, ELF_HEADER),
            1 => section_header(rng, &mut bytes, &known),
            2 => contents(rng, &mut bytes, &known),
            3 => swap_headers(rng, &mut bytes, &known),
            4 => grow(rng, &mut bytes, &known),
            5 => splice(rng, &mut bytes, &known, other),
            6 => flip(rng, &mut bytes),
            7 => repeat_records(rng, &mut bytes, &known),
            _ => bytes.truncate(rng.below(bytes.len().max(1))),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// A number at which something changes, or one near to what was there.
fn number(rng: &mut Rng, old: u64, len: usize) -> u64 {
    const EDGES: [u64; 16] = [
        0,
        1,
        2,
        7,
        8,
        0xff,
        0xffff,
        0x10000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        i64::MAX as u64,
        1 << 63,
        u64::MAX - 7,
        u64::MAX,
    ];
    match rng.below(8) {
        0 | 1 => rng.pick(&EDGES),
        2 => old.wrapping_add(rng.below(17) as u64).wrapping_sub(8),
        3 => old ^ 1 << rng.below(len * 8),
        4 => rng.below(16) as u64,
        5 => rng.below(512) as u64,
        6 => old.wrapping_mul(2),
        _ => rng.bits(),
    }
}

/// Changes a field of a record.
fn field(rng: &mut Rng, bytes: &mut [u8], record: usize, fields: Fields) {
    let (at, len) = rng.pick(fields);
    let at = record.saturating_add(at);
    let value = number(rng, word(bytes, at, len), len);
    put(bytes, at, len, value);
}

fn section_header(rng: &mut Rng, bytes: &mut [u8], known: &[Section]) {
    if !known.is_empty() {
        let section = &known[rng.below(known.len())];
        field(rng, bytes, section.header, SECTION_HEADER);
    }
}

/// A section with bytes, those with structure more often than others.
fn section<'a>(rng: &mut Rng, known: &'a [Section]) -> Option<&'a Section> {
    let weight = |section: &Section| match section.content {
        _ if section.bytes.is_empty() => 0,
        Content::Btf => 12,
        Content::BtfExt => 6,
        Content::Relocs => 4,
        Content::Symbols => 6,
        Content::Code => 3,
        Content::Data | Content::Strings => 2,
    };
    let weights: Vec<usize> = known.iter().map(weight).collect();
    (weights.iter().sum::<usize>() > 0).then(|| &known[rng.weighted(&weights)])
}

fn contents(rng: &mut Rng, bytes: &mut [u8], known: &[Section]) {
    let Some(section) = section(rng, known) else { return };
    let range = section.bytes.clone();
    match section.content {
        Content::Symbols => record(rng, bytes, &range, 24, SYMBOL),
        Content::Relocs => record(rng, bytes, &range, 16, RELOC),
        Content::Code => record(rng, bytes, &range, 8, INSN),
        Content::Btf if rng.chance(10) => field(rng, bytes, range.start, BTF_HEADER),
        Content::Btf if rng.chance(85) => a_type(rng, bytes, &range),
        Content::BtfExt if rng.chance(10) => field(rng, bytes, range.start, BTF_EXT_HEADER),
        Content::Strings => {
            let at = range.start + rng.below(range.len());
            bytes[at] = rng.pick(b"\0\0_./?aA0%\xff");
        }
        _ => record(rng, bytes, &range, 4, &[(0, 4), (0, 2), (2, 2)]),
    }
}

/// Changes a field of one of the records that a section consists of.
fn record(rng: &mut Rng, bytes: &mut [u8], range: &Range<usize>, len: usize, fields: Fields) {
    let count = range.len() / len;
    if count > 0 {
        let index = rng.below(count);
        field(rng, bytes, range.start + index * len, fields);
    }
}

/// Changes a type: its kind, its count, what it refers to, or its name.
fn a_type(rng: &mut Rng, bytes: &mut [u8], range: &Range<usize>) {
    let records = types(bytes, range);
    if records.is_empty() {
        return;
    }
    let index = rng.below(records.len());
    let at = records[index];
    let end = records.get(index + 1).copied().unwrap_or(at + 12);
    let id = |rng: &mut Rng| rng.below(records.len() + 2) as u64;
    match rng.below(6) {
        0 => put(bytes, at + 7, 1, rng.below(32) as u64 | (rng.below(2) as u64) << 7),
        1 => {
            let value = number(rng, word(bytes, at + 4, 2), 2);
            put(bytes, at + 4, 2, value);
        }
        2 => {
            let value = id(rng);
            put(bytes, at + 8, 4, value);
        }
        3 => field(rng, bytes, at, &[(0, 4), (8, 4)]),
        // A word behind the twelve bytes that all have: often a type.
        _ if end > at + 12 => {
            let tail = at + 12 + rng.below((end - at - 12) / 4) * 4;
            let value = if rng.chance(50) { id(rng) } else { number(rng, word(bytes, tail, 4), 4) };
            put(bytes, tail, 4, value);
        }
        // Circles.
        _ => put(bytes, at + 8, 4, index as u64 + 1),
    }
}

/// Gives a section the bytes of another.
fn swap_headers(rng: &mut Rng, bytes: &mut [u8], known: &[Section]) {
    if known.len() < 2 {
        return;
    }
    let (from, to) = (known[rng.below(known.len())].header, known[rng.below(known.len())].header);
    let (at, len) = rng.pick(&[(0, 4), (24, 16), (4, 4), (40, 8)]);
    bytes.copy_within(from + at..from + at + len, to + at);
}

/// Moves a section to the end of the file, its bytes many times over.
fn grow(rng: &mut Rng, bytes: &mut Vec<u8>, known: &[Section]) {
    let Some(section) = section(rng, known) else { return };
    let part = bytes[section.bytes.clone()].to_vec();
    let most = (1usize << rng.below(17)).div_ceil(part.len()).max(2);
    let start = bytes.len();
    for _ in 0..most {
        if bytes.len() + part.len() <= LARGEST {
            bytes.extend_from_slice(&part);
        }
    }
    let len = bytes.len() - start;
    put(bytes, section.header + 24, 8, start as u64);
    put(bytes, section.header + 32, 8, len as u64);
    if section.content == Content::Btf && len >= 24 {
        // Strings to the end; types that are longer than they were.
        let types = word(bytes, start + 12, 4);
        let strings = word(bytes, start + 16, 4);
        put(bytes, start + 20, 4, (len as u64).saturating_sub(24 + strings));
        put(bytes, start + 12, 4, if rng.chance(50) { types } else { len as u64 - 24 });
    }
}

/// Takes bytes over from another object, or from another place.
fn splice(rng: &mut Rng, bytes: &mut [u8], known: &[Section], other: &[u8]) {
    let theirs = sections(other);
    let (Some(to), Some(from)) = (section(rng, known), section(rng, &theirs)) else { return };
    let len = 1 + rng.below(to.bytes.len().min(from.bytes.len()));
    let align = |at: usize| at / 4 * 4;
    let target = to.bytes.start + align(rng.below(to.bytes.len() - len + 1));
    let source = from.bytes.start + align(rng.below(from.bytes.len() - len + 1));
    bytes[target..target + len].copy_from_slice(&other[source..source + len]);
}

fn flip(rng: &mut Rng, bytes: &mut [u8]) {
    let at = rng.below(bytes.len());
    bytes[at] = rng.bits() as u8;
}

/// Copies a record of a section over the next ones: many of a kind, duplicates.
fn repeat_records(rng: &mut Rng, bytes: &mut [u8], known: &[Section]) {
    let Some(section) = section(rng, known) else { return };
    let len = match section.content {
        Content::Symbols => 24,
        Content::Relocs => 16,
        Content::Code => 8,
        _ => rng.pick(&[4, 8, 12, 16]),
    };
    let count = section.bytes.len() / len;
    if count < 2 {
        return;
    }
    let from = rng.below(count - 1);
    let start = section.bytes.start + from * len;
    for index in 1..=rng.below((count - from - 1).min(64) + 1) {
        bytes.copy_within(start..start + len, start + index * len);
    }
}
