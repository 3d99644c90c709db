//! BTF bytes as the kernel takes them. What a compiler writes it does not take: sections of
//! variables have no sizes yet, and functions of other objects are `extern`.

use std::collections::HashMap;

const HEADER: usize = 24;

/// The two sections of BTF bytes, open for changes.
#[derive(Clone, Debug)]
pub struct BtfImage {
    types: Vec<u8>,
    strings: Vec<u8>,
    added: HashMap<Box<str>, u32>,
}

impl BtfImage {
    /// An image of the type section's and the string section's bytes.
    #[must_use]
    pub fn new(types: Vec<u8>, strings: Vec<u8>) -> BtfImage {
        BtfImage { types, strings, added: HashMap::new() }
    }

    /// The same strings with other types.
    #[must_use]
    pub fn with_types(mut self, types: Vec<u8>) -> BtfImage {
        self.types = types;
        self
    }

    /// A string's offset; the string is added when it was not added before.
    pub fn string(&mut self, text: &str) -> u32 {
        if let Some(&offset) = self.added.get(text) {
            return offset;
        }
        let offset = u32::try_from(self.strings.len()).expect("BTF has 32-bit offsets");
        self.strings.extend(text.bytes().filter(|&byte| byte != 0));
        self.strings.push(0);
        self.added.insert(text.into(), offset);
        offset
    }

    /// The whole: header, types, strings.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = |part: &[u8]| u32::try_from(part.len()).expect("BTF has 32-bit sizes");
        let header = [HEADER as u32, 0, size(&self.types), size(&self.types), size(&self.strings)];
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        bytes.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(&self.types);
        bytes.extend(&self.strings);
        bytes
    }

    /// Makes of what a compiler wrote what the kernel takes. Type ids stay as they are.
    pub fn sanitize(&mut self) {
        let placeholder = self.string("placeholder");
        let mut at = 0;
        while at + 12 <= self.types.len() {
            let info = self.word(at + 4);
            let (kind, vlen) = (info >> 24 & 0x1f, info & 0xffff);
            let body = at + 12;
            match kind {
                // FUNC: `extern` becomes static.
                12 if vlen == 2 => self.set(at + 4, 12 << 24),
                // FUNC_PROTO: parameters need a name once a FUNC refers to it. The last one may be
                // `...`: without a type and without a name.
                13 => (0..vlen as usize).map(|index| body + index * 8).for_each(|param| {
                    if self.word(param) == 0 && self.word(param + 4) != 0 {
                        self.set(param, placeholder);
                    }
                }),
                // VAR: `extern` becomes a definition.
                14 if self.word(body) == 2 => self.set(body, 1),
                // DATASEC without its size: an ENUM64, whose entries are as long.
                15 if self.word(at + 8) == 0 => {
                    self.set(at, 0);
                    self.set(at + 4, 19 << 24 | vlen);
                    self.set(at + 8, 8);
                    for entry in 0..vlen as usize {
                        let name = self.string(&format!("placeholder_{entry}"));
                        self.set(body + entry * 12, name);
                    }
                }
                _ => {}
            }
            at = body + body_size(kind, vlen as usize);
        }
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.types.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    fn set(&mut self, at: usize, value: u32) {
        if let Some(bytes) = self.types.get_mut(at..at + 4) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// How many bytes follow the 12 that every type has.
fn body_size(kind: u32, vlen: usize) -> usize {
    match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => vlen * 12,
        6 | 13 => vlen * 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_added_once() {
        let mut image = BtfImage::new(vec![0; 12], b"\0int\0".to_vec());
        assert_eq!(image.string("file.c"), 5);
        assert_eq!(image.string("file.c"), 5);
        let bytes = image.to_bytes();
        assert_eq!(bytes.len(), HEADER + 12 + 12);
        assert!(bytes.ends_with(b"\0int\0file.c\0"));
    }

    #[test]
    fn sections_without_size_are_replaced() {
        let words = [0, 15 << 24 | 1, 0, 1, 0, 8, 1, 12 << 24 | 2, 3u32];
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut image = BtfImage::new(bytes, b"\0f\0".to_vec());
        image.sanitize();
        assert_eq!(image.word(4), 19 << 24 | 1);
        assert_eq!(image.word(28), 12 << 24, "the function after it is no longer extern");
    }
}
