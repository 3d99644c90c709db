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

    /// Turns all bytes beside and of a spill into unknown bytes, but for those never written.
    pub fn scrub_all(&mut self) {
        if self.is_spill() {
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
            if *tag == Tag::Spill {
                *tag = Tag::Misc;
            }
        }
    }
}

/// The slots of a frame, slot 0 at the top (fp-8). Cloning shares them until one is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    slots: Rc<Vec<Slot>>,
}

impl Stack {
    /// The number of slots that were touched: everything below is untouched.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True when nothing was touched.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All touched slots.
    #[inline]
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// A slot; untouched ones are empty.
    #[inline]
    #[must_use]
    pub fn slot(&self, index: usize) -> &Slot {
        self.slots.get(index).unwrap_or(&Slot::EMPTY)
    }

    /// The slots, to be written.
    #[inline]
    pub fn slots_mut(&mut self) -> &mut [Slot] {
        Rc::<Vec<Slot>>::make_mut(&mut self.slots)
    }

    /// Makes sure that at least `count` slots are touched.
    pub fn grow(&mut self, count: usize) {
        if self.slots.len() < count {
            Rc::make_mut(&mut self.slots).resize(count, Slot::EMPTY);
        }
    }

    /// True when both share their slots, so that they are equal without a look.
    #[inline]
    #[must_use]
    pub fn same(&self, other: &Stack) -> bool {
        Rc::ptr_eq(&self.slots, &other.slots)
    }
}
