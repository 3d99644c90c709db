//! Arrays: values by index, all there from the start.

use probity_isa::Size;

use super::flags::{self, NOEXIST};
use super::memory::Slab;
use super::value::{New, Special};
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// Where the values of an array are, for machine code: the value at `index` of a run slot is at
/// `base + slot * slot_stride + index * stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLayout {
    /// The first value.
    pub base: u64,
    /// From one value to the next.
    pub stride: u32,
    /// How many values.
    pub max_entries: u32,
    /// From one run slot to the next; 0 when all share the values.
    pub slot_stride: u32,
}

/// The values of an array, or of one for each run slot.
#[derive(Debug)]
pub(crate) struct Array {
    slab: Slab,
    value_size: usize,
    stride: usize,
    max_entries: u32,
    slots: u32,
    slot_stride: usize,
    pub(super) special: Special,
}

impl Array {
    /// `slots` is None for an array that all share.
    pub(crate) fn new(value_size: u32, max_entries: u32, slots: Option<u32>) -> Option<Array> {
        let value_size = value_size as usize;
        let stride = value_size.checked_next_multiple_of(8)?;
        let all = stride.checked_mul(max_entries as usize)?;
        // Run slots don't share lines of caches, nor the pairs of lines that processors prefetch.
        let slot_stride = slots.map_or(Some(0), |_| all.checked_next_multiple_of(128))?;
        let len = slots.map_or(Some(all), |slots| slot_stride.checked_mul(slots as usize))?;
        let slab = Slab::new(len)?;
        Some(Array {
            slab,
            value_size,
            stride,
            max_entries,
            slots: slots.unwrap_or(1),
            slot_stride,
            special: Special::default(),
        })
    }

    pub(crate) fn max_entries(&self) -> u32 {
        self.max_entries
    }

    pub(crate) fn layout(&self) -> Option<ArrayLayout> {
        Some(ArrayLayout {
            base: self.slab.address(),
            stride: u32::try_from(self.stride).ok()?,
            max_entries: self.max_entries,
            slot_stride: u32::try_from(self.slot_stride).ok()?,
        })
    }

    /// The address of a value; 0 when there is none.
    #[inline(always)]
    pub(crate) fn address(&self, index: u32, slot: u32) -> u64 {
        if index >= self.max_entries {
            return 0;
        }
        self.slab.address() + slot as u64 * self.slot_stride as u64 + u64::from(index) * self.stride as u64
    }

    /// As [`Array::address`], for a slot that may not be there.
    pub(crate) fn address_of_slot(&self, index: u32, slot: u32) -> u64 {
        if slot < self.slots { self.address(index, slot) } else { 0 }
    }

    /// The address of a byte of the only value.
    pub(crate) fn direct_value(&self, offset: u32) -> Option<u64> {
        let inside = self.max_entries == 1 && self.slot_stride == 0 && (offset as usize) < self.value_size;
        inside.then(|| self.slab.address() + u64::from(offset))
    }

    /// A value.
    pub(crate) fn value(&self, index: u32, slot: u32) -> Option<GuestBytes<'_>> {
        if index >= self.max_entries || slot >= self.slots {
            return None;
        }
        self.slab.bytes(slot as usize * self.slot_stride + index as usize * self.stride, self.value_size)
    }

    /// All slots' values at an index, each with what fills it up.
    pub(crate) fn values(&self, index: u32) -> Option<Vec<u8>> {
        let mut all = Vec::with_capacity(self.stride * self.slots as usize);
        for slot in 0..self.slots {
            all.extend(self.value(index, slot)?.to_vec());
            all.resize((slot as usize + 1) * self.stride, 0);
        }
        Some(all)
    }

    pub(crate) fn update(&self, key: GuestBytes<'_>, new: New<'_>, flags: u64) -> Result<(), Errno> {
        let shared = self.slot_stride == 0;
        // Flags that nobody has come first, a lock that no value has last.
        if flags & !flags::LOCK > flags::EXIST || (!shared && flags > flags::EXIST) {
            return Err(Errno::EINVAL);
        }
        let index = index_of(key);
        if index >= self.max_entries {
            return Err(Errno::E2BIG);
        }
        if flags & NOEXIST != 0 {
            return Err(Errno::EEXIST);
        }
        if flags & flags::LOCK != 0 {
            return Err(Errno::EINVAL);
        }
        let slots = match new {
            New::Of(slot, _) if !shared => slot..slot + 1,
            _ => 0..self.slots,
        };
        for slot in slots {
            let value = self.value(index, slot).ok_or(Errno::EINVAL)?;
            self.special.copy(value, new.part(slot, self.stride, self.value_size));
        }
        Ok(())
    }

    /// The value that contains an address: its start.
    pub(crate) fn containing(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.slab.address())?).ok()?;
        let slot = at.checked_div(self.slot_stride).unwrap_or(0);
        let within = at - slot * self.slot_stride;
        let index = u32::try_from(within / self.stride).ok()?;
        let start = self.address_of_slot(index, u32::try_from(slot).ok()?);
        (start != 0 && address - start < self.value_size as u64).then_some(start)
    }
}

/// The index that a key is.
#[inline(always)]
pub(crate) fn index_of(key: GuestBytes<'_>) -> u32 {
    key.get(0, Size::W).unwrap_or(u64::from(u32::MAX)) as u32
}
