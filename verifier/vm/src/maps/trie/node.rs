//! Prefixes of a trie: a header, the prefix's bytes, the value.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::{self, NonNull};
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

use crossbeam_epoch::Guard;

use crate::guest::GuestBytes;
use crate::maps::memory::Pinned;

/// A place of a trie: a prefix, or nothing.
#[derive(Debug, Default)]
pub(super) struct Link(AtomicPtr<Prefix>);

/// The header of a prefix.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Prefix {
    /// The prefixes that go on with a bit of 0, and of 1.
    pub(super) children: [Link; 2],
    /// In bits.
    pub(super) len: u32,
    /// False for one that only joins two.
    pub(super) has_value: bool,
}

/// How prefixes of a trie are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bytes of a prefix.
    pub(super) bytes: usize,
    pub(super) value_size: usize,
    value_at: usize,
    layout: Layout,
}

const BYTES_AT: usize = size_of::<Prefix>();

impl Shape {
    pub(super) fn new(bytes: usize, value_size: usize) -> Option<Shape> {
        let value_at = (BYTES_AT + bytes).checked_next_multiple_of(8)?;
        let len = value_at.checked_add(value_size)?.checked_next_multiple_of(8)?;
        Some(Shape { bytes, value_size, value_at, layout: Layout::from_size_align(len, 8).ok()? })
    }

    /// A prefix that is in no trie; None without memory.
    pub(super) fn make(
        &self,
        bytes: GuestBytes<'_>,
        len: u32,
        value: Option<GuestBytes<'_>>,
    ) -> Option<Made> {
        // SAFETY: the layout has the header's size at least.
        let node = NonNull::new(unsafe { alloc_zeroed(self.layout) })?.cast::<Prefix>();
        let header = Prefix { children: Default::default(), len, has_value: value.is_some() };
        // SAFETY: new memory, aligned to 8, as large as the header at least.
        unsafe { node.write(header) };
        let made = Made { node, shape: *self };
        self.bits(made.prefix()).copy_from(&bytes);
        if let Some(value) = value {
            self.value(made.prefix()).copy_from(&value);
        }
        Some(made)
    }

    /// The prefix's bytes.
    pub(super) fn bits<'n>(&self, node: &'n Prefix) -> GuestBytes<'n> {
        // SAFETY: prefixes of this shape have their bytes there, as long as they are there.
        unsafe { GuestBytes::new(ptr::from_ref(node) as u64 + BYTES_AT as u64, self.bytes) }
    }

    /// The value.
    pub(super) fn value<'n>(&self, node: &'n Prefix) -> GuestBytes<'n> {
        // SAFETY: prefixes of this shape have their value there, as long as they are there.
        unsafe { GuestBytes::new(ptr::from_ref(node) as u64 + self.value_at as u64, self.value_size) }
    }
}

impl Link {
    /// What is there.
    pub(super) fn get<'p>(&self, _pinned: Pinned<'p>) -> Option<&'p Prefix> {
        // SAFETY: what is in a trie is whole, and stays while the thread is pinned.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Puts a new prefix there; what was there stays the caller's concern.
    pub(super) fn put(&self, made: Made) {
        let node = made.node;
        std::mem::forget(made);
        self.0.store(node.as_ptr(), Release);
    }

    /// Makes it what another place is.
    pub(super) fn same_as(&self, other: &Link) {
        self.0.store(other.0.load(Relaxed), Release);
    }

    /// What is there, to be given to [`Retired::retire`] when it is in the trie no more.
    pub(super) fn retiring(&self, shape: Shape) -> Retired {
        Retired { node: self.0.load(Relaxed), shape }
    }

    /// Frees all that is there, with what is below it.
    ///
    /// # Safety
    ///
    /// Nobody else has the trie, and it is of this shape.
    pub(super) unsafe fn free(&mut self, shape: Shape) {
        let mut all = vec![std::mem::take(self.0.get_mut())];
        while let Some(node) = all.pop() {
            // SAFETY: the caller's.
            let Some(prefix) = (unsafe { node.as_mut() }) else { continue };
            all.extend(prefix.children.iter_mut().map(|child| *child.0.get_mut()));
            // SAFETY: the caller's; it was allocated with this layout.
            unsafe { dealloc(node.cast(), shape.layout) };
        }
    }
}

/// A prefix on its way out.
#[derive(Debug)]
#[must_use]
pub(super) struct Retired {
    node: *mut Prefix,
    shape: Shape,
}

impl Retired {
    /// Frees it when no thread that is pinned now can have its address any more.
    ///
    /// # Safety
    ///
    /// It is in the trie no more, and given to this once.
    pub(super) unsafe fn retire(self, guard: &Guard) {
        let Retired { node, shape } = self;
        // SAFETY: who has its address is pinned, and is not any more when this is called.
        unsafe { guard.defer_unchecked(move || dealloc(node.cast(), shape.layout)) };
        if shape.layout.size() > 1 << 16 {
            guard.flush();
        }
    }
}

/// A prefix that is in no trie yet.
#[derive(Debug)]
pub(super) struct Made {
    node: NonNull<Prefix>,
    shape: Shape,
}

impl Made {
    pub(super) fn prefix(&self) -> &Prefix {
        // SAFETY: `make` wrote the header; it is freed in `drop` only.
        unsafe { self.node.as_ref() }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: `make` made it, and nobody else knows of it.
        unsafe { dealloc(self.node.as_ptr().cast(), self.shape.layout) };
    }
}
