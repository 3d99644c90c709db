//! Where the parts of an object are: read leniently, for changing them.

use std::ops::Range;

/// A section of an object.
#[derive(Clone, Debug)]
pub struct Section {
    /// Where its header is.
    pub header: usize,
    /// Where its bytes are; empty when they are not inside.
    pub bytes: Range<usize>,
    /// What it holds.
    pub content: Content,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Instructions.
    Code,
    /// Types.
    Btf,
    /// Records about instructions.
    BtfExt,
    /// Symbols of 24 bytes.
    Symbols,
    /// Relocations of 16 bytes.
    Relocs,
    /// Names.
    Strings,
    /// Variables, maps, or anything else.
    Data,
}

/// A number at an offset.
#[must_use]
pub fn word(bytes: &[u8], at: usize, len: usize) -> u64 {
    let bytes = bytes.get(at..at.saturating_add(len)).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Writes a number at an offset; nothing when it is not inside.
pub fn put(bytes: &mut [u8], at: usize, len: usize, value: u64) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(len)) {
        place.copy_from_slice(&value.to_le_bytes()[..len]);
    }
}

/// The sections of an object.
#[must_use]
pub fn sections(bytes: &[u8]) -> Vec<Section> {
    let (start, count) = (word(bytes, 40, 8) as usize, word(bytes, 60, 2) as usize);
    let names = word(bytes, 62, 2) as usize;
    let header = |index: usize| start.saturating_add(index * 64);
    let names = word(bytes, header(names).saturating_add(24), 8) as usize;
    let mut found = Vec::new();
    for index in 1..count.min(256) {
        let header = header(index);
        if header.saturating_add(64) > bytes.len() {
            break;
        }
        let (offset, size) = (word(bytes, header + 24, 8) as usize, word(bytes, header + 32, 8) as usize);
        let range = offset..offset.saturating_add(size);
        let kind = word(bytes, header + 4, 4);
        let inside = kind != 8 && bytes.get(range.clone()).is_some();
        let name = names.saturating_add(word(bytes, header, 4) as usize);
        let name = bytes.get(name..).unwrap_or_default();
        let content = match kind {
            2 => Content::Symbols,
            3 => Content::Strings,
            9 | 4 => Content::Relocs,
            _ if name.starts_with(b".BTF.ext\0") => Content::BtfExt,
            _ if name.starts_with(b".BTF\0") => Content::Btf,
            _ if word(bytes, header + 8, 8) & 4 != 0 => Content::Code,
            _ => Content::Data,
        };
        found.push(Section { header, bytes: if inside { range } else { 0..0 }, content });
    }
    found
}

/// Where the records of types begin, in a section of types.
#[must_use]
pub fn types(bytes: &[u8], section: &Range<usize>) -> Vec<usize> {
    let base = section.start;
    let first = base + word(bytes, base + 4, 4) as usize + word(bytes, base + 8, 4) as usize;
    let end = first.saturating_add(word(bytes, base + 12, 4) as usize).min(section.end);
    let (mut at, mut found) = (first, Vec::new());
    while at.saturating_add(12) <= end && found.len() < 4096 {
        found.push(at);
        let info = word(bytes, at + 4, 4);
        let count = info as usize & 0xffff;
        at += 12
            + match info >> 24 & 0x1f {
                1 | 14 | 17 => 4,
                3 => 12,
                4 | 5 | 15 | 19 => 12 * count,
                6 | 13 => 8 * count,
                _ => 0,
            };
    }
    found
}
