//! Memory of maps that programs may see, and copies of what user space gives.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use smallvec::SmallVec;

use crate::guest::GuestBytes;
use crate::run::Run;

/// Zeroed memory that stays where it is until it is dropped.
#[derive(Debug)]
pub(crate) struct Slab {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the memory belongs to the slab; it is accessed by atomics only.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

impl Slab {
    /// `len` bytes, aligned as lines of caches are; None when there is no such memory.
    pub(crate) fn new(len: usize) -> Option<Slab> {
        let layout = Layout::from_size_align(len.max(8).checked_next_multiple_of(8)?, 64).ok()?;
        // SAFETY: the layout has a size.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Slab { start, layout })
    }

    /// The address of the first byte.
    pub(crate) fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.layout.size()
    }

    /// The `len` bytes from `at` on; None when they are not all inside.
    pub(crate) fn bytes(&self, at: usize, len: usize) -> Option<GuestBytes<'_>> {
        let inside = at.checked_add(len).is_some_and(|end| end <= self.len());
        // SAFETY: inside of memory that is there as long as the slab.
        inside.then(|| unsafe { GuestBytes::new(self.address() + at as u64, len) })
    }

    /// All of it as words.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the memory is aligned to 64, zeroed, and as long as that.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len() / 8) }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// A copy of bytes, to be read as memory of programs is.
#[derive(Debug)]
pub(crate) struct Copied {
    words: SmallVec<[AtomicU64; 8]>,
    len: usize,
}

impl Copied {
    /// Zeros.
    pub(crate) fn zeros(len: usize) -> Copied {
        Copied { words: (0..len.div_ceil(8)).map(|_| AtomicU64::new(0)).collect(), len }
    }

    /// A copy of bytes of the host.
    pub(crate) fn of(bytes: &[u8]) -> Copied {
        let copied = Copied::zeros(bytes.len());
        copied.bytes().write(bytes);
        copied
    }

    /// A copy of bytes of a program.
    pub(crate) fn of_guest(bytes: GuestBytes<'_>) -> Copied {
        let copied = Copied::zeros(bytes.len());
        copied.bytes().copy_from(&bytes);
        copied
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> GuestBytes<'_> {
        // SAFETY: so many bytes are in the words, which are atomics and stay while they are borrowed.
        unsafe { GuestBytes::new(self.words.as_ptr() as u64, self.len) }
    }
}

/// Says that what maps free stays until `'p` is over: the thread is pinned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinned<'p>(PhantomData<&'p ()>);

impl<'p> Pinned<'p> {
    /// As long as the guard.
    pub(crate) fn by(_guard: &'p crossbeam_epoch::Guard) -> Pinned<'p> {
        Pinned(PhantomData)
    }

    /// As long as the run: it is pinned when one of its maps frees anything.
    pub(crate) fn by_run(_run: &'p Run<'_>) -> Pinned<'p> {
        Pinned(PhantomData)
    }

    /// As long as is said.
    ///
    /// # Safety
    ///
    /// The thread must be pinned for so long: by a run of a program that has the map, say.
    pub(crate) unsafe fn as_promised() -> Pinned<'p> {
        Pinned(PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_and_checked() {
        let slab = Slab::new(20).expect("little memory");
        assert_eq!(slab.len(), 24);
        assert_eq!(slab.bytes(4, 16).expect("inside").to_vec(), vec![0; 16]);
        assert!(slab.bytes(9, 16).is_none());
        assert!(slab.bytes(usize::MAX, 2).is_none());
        assert_eq!(slab.words().len(), 3);
        assert!(Slab::new(isize::MAX as usize).is_none());
    }

    #[test]
    fn copies_are_copies() {
        for len in [0, 1, 7, 8, 9, 100] {
            let bytes: Vec<u8> = (0..len).collect();
            let copied = Copied::of(&bytes);
            assert_eq!(copied.bytes().to_vec(), bytes);
            assert_eq!(Copied::of_guest(copied.bytes()).bytes().to_vec(), bytes);
        }
    }
}
