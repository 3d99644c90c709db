//! The arguments of a call.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use crate::guest::GuestBytes;
use crate::maps::Map;

/// r1 to r5 of a call, whose roles are those of the intrinsic's row in
/// [`probity_platform::Intrinsic::ALL`]. Which argument is what, the body knows; it asks for each by
/// its role only, and for memory with the size that belongs to it.
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
}
