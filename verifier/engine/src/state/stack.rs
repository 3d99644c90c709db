//! A frame's stack: slots of eight bytes, each with eight tags and the register spilled there.

use std::rc::Rc;

use super::Reg;

/// Bytes of a slot.
pub const SLOT: usize = 8;

/// What is known of a stack byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Never written.
    Invalid,
    /// Part of the register spilled in the slot.
    Spill,
    /// Written, value unknown.
    Misc,
    /// Written with 0.
    Zero,
    /// Part of a stack object, which the slot's register describes.
    Object,
}

/// A slot. Byte `i` of `tags` stands for the address `slot end - 1 - i`: the last tag is the
/// lowest address, so a slot holds a spill exactly when its last tag says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The tags.
    pub tags: [Tag; SLOT],
    /// The spilled register, when the last tag is [`Tag::Spill`].
    pub reg: Reg,
}

impl Slot {
    /// A slot that was never written.
    pub const EMPTY: Slot = Slot { tags: [Tag::Invalid; SLOT], reg: Reg::NOT_INIT };

    /// True when a register is spilled here, whole or its low part.
    #[inline]
    #[must_use]
    pub fn is_spill(&self) -> bool {
        self.tags[SLOT - 1] == Tag::Spill
    }

    /// True when the slot belongs to a stack object.
    #[inline]
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.tags[SLOT - 1] == Tag::Object
    }

    /// True when a register is spilled here with all eight bytes.
    #[inline]
    #[must_use]
    pub fn is_full_spill(&self) -> bool {
        self.tags[0] == Tag::Spill
    }

    /// True when a scalar is spilled here, whole or its low part.
    #[inline]
    #[must_use]
    pub fn is_scalar_spill(&self) -> bool {
        self.is_spill() && self.reg.is_scalar()
    }

    /// True when a whole scalar is spilled here.
    #[inline]
    #[must_use]
    pub fn is_full_scalar_spill(&self) -> bool {
        self.is_full_spill() && self.reg.is_scalar()
    }

    /// Turns all bytes beside and of a spill, or of a stack object, into unknown bytes, but for those
    /// never written.
    pub fn scrub_all(&mut self) {
        if self.is_spill() || self.is_object() {
            for tag in &mut self.tags {
                if *tag != Tag::Invalid {
                    *tag = Tag::Misc;
                }
            }
        }
    }

    /// Turns what is left of a spill into unknown bytes.
    pub fn scrub(&mut self) {
        for tag in &mut self.tags {
            if matches!(*tag, Tag::Spill | Tag::Object) {
                *tag = Tag::Misc;
            }
        }
    }
}

/// Slots that are copied together.
const CHUNK: usize = 2;

type Chunk = [Slot; CHUNK];

/// The slots of a frame, slot 0 at the top (fp-8). Cloning shares them until one is written; then
/// a few around it are copied.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    chunks: Rc<Vec<Rc<Chunk>>>,
    len: usize,
}

impl Stack {
    /// The number of slots that were touched: everything below is untouched.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when nothing was touched.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All touched slots.
    #[inline]
    #[must_use]
    pub fn slots(&self) -> Slots<'_> {
        Slots(self)
    }

    /// A slot; untouched ones are empty.
    #[inline]
    #[must_use]
    pub fn slot(&self, index: usize) -> &Slot {
        match self.chunks.get(index / CHUNK) {
            Some(chunk) => &chunk[index % CHUNK],
            None => &Slot::EMPTY,
        }
    }

    /// A touched slot, to be written.
    #[inline]
    pub fn slot_mut(&mut self, index: usize) -> &mut Slot {
        debug_assert!(index < self.len, "slots are touched before they are written");
        let chunk = &mut Rc::make_mut(&mut self.chunks)[index / CHUNK];
        &mut Rc::make_mut(chunk)[index % CHUNK]
    }

    /// Makes sure that at least `count` slots are touched.
    pub fn grow(&mut self, count: usize) {
        if self.len < count {
            self.len = count;
            let chunks = Rc::make_mut(&mut self.chunks);
            chunks.resize_with(count.div_ceil(CHUNK), || Rc::new([Slot::EMPTY; CHUNK]));
        }
    }

    /// The slots, as bits, that hold something a state must match: a register or zeros, and unless
    /// `uninit_stack` any written byte.
    #[must_use]
    pub fn telling(&self, uninit_stack: bool) -> u64 {
        let tells = |tag: &Tag| *tag != Tag::Invalid && !(uninit_stack && *tag == Tag::Misc);
        let slots = self.slots().iter().enumerate();
        slots.filter(|(_, slot)| slot.tags.iter().any(tells)).fold(0, |bits, (index, _)| bits | 1 << index)
    }

    /// True when both share their slots, so that they are equal without a look.
    #[inline]
    #[must_use]
    pub fn same(&self, other: &Stack) -> bool {
        self.len == other.len && Rc::ptr_eq(&self.chunks, &other.chunks)
    }
}

/// The touched slots of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Slots<'a>(&'a Stack);

impl<'a> Slots<'a> {
    /// From the top down.
    pub fn iter(self) -> impl Iterator<Item = &'a Slot> {
        self.0.chunks.iter().flat_map(|chunk| chunk.iter()).take(self.0.len)
    }

    /// One of them, when it was touched.
    #[inline]
    #[must_use]
    pub fn get(self, index: usize) -> Option<&'a Slot> {
        (index < self.0.len).then(|| self.0.slot(index))
    }
}
