//! BTF in the making, for programs that no compiler wrote.

use std::sync::Arc;

use probity_program::Btf;

use crate::kernel::btf::BtfImage;

/// Types that were added so far. A type's number is how many there were with it.
#[derive(Debug)]
pub struct Types {
    image: BtfImage,
    words: Vec<u32>,
    count: u32,
}

impl Types {
    /// `int`.
    pub const INT: u32 = 1;
    /// `long`, of 8 bytes.
    pub const LONG: u32 = 2;

    /// `int` and `long`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is nothing usual about it")]
    pub fn new() -> Types {
        let mut types = Types { image: BtfImage::new(Vec::new(), vec![0]), words: Vec::new(), count: 0 };
        types.add("int", 1 << 24, 4, &[1 << 24 | 32]);
        types.add("long", 1 << 24, 8, &[1 << 24 | 64]);
        types
    }

    /// The offset of a string.
    pub fn string(&mut self, text: &str) -> u32 {
        self.image.string(text)
    }

    /// A type as the format has it; without a name for an empty one.
    pub fn add(&mut self, name: &str, info: u32, size_or_type: u32, body: &[u32]) -> u32 {
        let name = if name.is_empty() { 0 } else { self.image.string(name) };
        self.words.extend([name, info, size_or_type]);
        self.words.extend(body);
        self.count += 1;
        self.count
    }

    /// A struct of (name, type, offset in bytes).
    ///
    /// # Panics
    ///
    /// When it has too many members.
    pub fn composite(&mut self, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
        let named: Vec<[u32; 3]> =
            members.iter().map(|(name, ty, at)| [self.image.string(name), *ty, at * 8]).collect();
        let vlen = u32::try_from(members.len()).expect("few");
        self.add(name, 4 << 24 | vlen, size, named.as_flattened())
    }

    /// All of them.
    ///
    /// # Panics
    ///
    /// When they are no BTF.
    #[must_use]
    pub fn done(self) -> Arc<Btf> {
        let types = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Arc::new(Btf::parse(&self.image.with_types(types).to_bytes()).expect("our own bytes"))
    }
}
