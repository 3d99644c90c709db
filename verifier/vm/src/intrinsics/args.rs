//! The arguments of a call.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use probity_isa::Size;

use crate::guest::{GuestBytes, Lock};
use crate::maps::Map;
use crate::run::Run;

/// r1 to r5 of a call, whose roles are those of the intrinsic's row in
/// [`probity_platform::Intrinsic::ALL`]. Which argument is what, the body knows; it asks for each by
/// its role only, and for memory with the size that belongs to it. What a body takes for granted beyond
/// roles (what it writes, returns, makes stale) is in its row's demands: a body that does more gets a
/// new one there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args<'m> {
    regs: [u64; 5],
    memory: PhantomData<&'m ()>,
}

impl<'m> Args<'m> {
    /// # Safety
    ///
    /// The arguments must be those of a call that was verified, or checked, against the signature of
    /// the intrinsic that is given them.
    pub(crate) unsafe fn new(regs: [u64; 5]) -> Args<'m> {
        Args { regs, memory: PhantomData }
    }

    /// A number, or the address of something.
    pub(crate) fn number(&self, index: usize) -> u64 {
        self.regs[index]
    }

    /// A map.
    pub(crate) fn map(&self, index: usize) -> &'m Map {
        // SAFETY: an argument of the role map is the address of a map of the program, which lives as
        // long as the program, or of an inner one, which the run's guard keeps.
        unsafe { &*(self.regs[index] as *const Map) }
    }

    /// Memory with its size in another argument; empty for null.
    pub(crate) fn bytes(&self, memory: usize, size: usize) -> GuestBytes<'m> {
        self.memory(memory, self.regs[size] as usize)
    }

    /// Memory of a size that the signature says: a key or a value of a map, an object in the stack.
    pub(crate) fn memory(&self, index: usize, size: usize) -> GuestBytes<'m> {
        if self.regs[index] == 0 {
            return GuestBytes::empty();
        }
        // SAFETY: memory of that size was demanded of the call.
        unsafe { GuestBytes::new(self.regs[index], size) }
    }

    /// The memory behind an address that an object in the stack holds, `len` bytes of it.
    pub(crate) fn behind(&self, index: usize, at: usize, len: usize) -> GuestBytes<'m> {
        let address = self.memory(index, at + 8).get(at, Size::Dw).unwrap_or(0);
        if address == 0 {
            return GuestBytes::empty();
        }
        // SAFETY: programs can't write such objects, only the intrinsics of dynptrs, which put the
        // address and the size of memory there that was demanded of a call. The memory is there as
        // long as the object may be used: the proof sees to that. The checked mode, whose programs
        // write what they like, looks at what is behind before the call.
        unsafe { GuestBytes::new(address, len) }
    }

    /// The element of a map whose value has a timer that is an argument: where the value starts, and a
    /// copy of the key. None where the timer is in no value of the map.
    pub(crate) fn element(&self, timer: usize, map: &Map, run: &Run<'_>) -> Option<(u64, Vec<u8>)> {
        let at = self.regs[timer];
        match map.special().timer {
            Some(offset) if !run.unit.checked => {
                // SAFETY: the timer was proved to be the one in a value of that map. Where it stands in
                // values, the map has learnt from the types of the proof.
                unsafe { map.element_of(at - offset as u64) }
            }
            // It may be anywhere.
            _ => map.element_at(at),
        }
    }

    /// A lock in a map's value.
    pub(crate) fn lock(&self, index: usize) -> Lock {
        // SAFETY: an argument of that role is the address of a lock in a value of a map; values do not
        // move, and the run's guard keeps them.
        unsafe { Lock::new(self.regs[index]) }
    }
}
