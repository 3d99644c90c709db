//! Hash tables that are read without locks: a power of two of buckets, each a list of elements.
//! Whoever changes a bucket holds its lock.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

use crossbeam_epoch::Guard;
use probity_isa::Size;

use super::node::{KEY_AT, Made, Node, Shape};
use super::seed::Seed;
use crate::guest::{GuestBytes, load};
use crate::maps::memory::{Pinned, Slab};

/// A hash table.
#[derive(Debug)]
pub(crate) struct Table {
    buckets: Slab,
    mask: u32,
    pub(super) seed: Seed,
    pub(super) shape: Shape,
}

/// That the lock of a bucket is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Locked {
    pub(super) bucket: u32,
}

impl Table {
    /// A table for about so many elements; None without memory.
    pub(super) fn new(max_entries: u32, seed: Seed, shape: Shape) -> Option<Table> {
        let count = max_entries.checked_next_power_of_two()?;
        let buckets = Slab::new((count as usize).checked_mul(size_of::<AtomicPtr<Node>>())?)?;
        Some(Table { buckets, mask: count - 1, seed, shape })
    }

    pub(super) fn buckets(&self) -> u32 {
        self.mask + 1
    }

    #[inline(always)]
    pub(super) fn bucket_of(&self, hash: u32) -> u32 {
        hash & self.mask
    }

    #[inline(always)]
    fn head(&self, bucket: u32) -> &AtomicPtr<Node> {
        debug_assert!(bucket <= self.mask);
        // SAFETY: there are `mask + 1` of them, zeroed at first, which is null; all callers have
        // masked the number.
        unsafe { &*(self.buckets.address() as *const AtomicPtr<Node>).add(bucket as usize) }
    }

    /// The first element of a bucket.
    pub(super) fn first<'p>(&self, bucket: u32, _pinned: Pinned<'p>) -> Option<&'p Node> {
        let node = self.head(bucket & self.mask).load(Acquire);
        // SAFETY: elements in the table are whole, and stay while the thread is pinned.
        unsafe { node.as_ref() }
    }

    /// The next element of the bucket.
    pub(super) fn next<'p>(&self, node: &Node, _pinned: Pinned<'p>) -> Option<&'p Node> {
        // SAFETY: as for `first`; what an element that was taken out still points to is freed no
        // sooner than it.
        unsafe { node.next.load(Acquire).as_ref() }
    }

    /// The element with a key, by the way that is best for its size.
    #[inline]
    pub(super) fn lookup<'p>(&self, key: GuestBytes<'_>, pinned: Pinned<'p>) -> Option<&'p Node> {
        if key.len() != self.shape.key_size {
            return None;
        }
        // SAFETY: keys have this size, and this one is bytes that may be read.
        unsafe {
            match key.len() {
                4 => self.find_raw::<4>(key.address(), pinned),
                8 => self.find_raw::<8>(key.address(), pinned),
                16 => self.find_raw::<16>(key.address(), pinned),
                _ => self.find_raw::<0>(key.address(), pinned),
            }
        }
    }

    /// The element with a key.
    #[inline]
    pub(super) fn find<'p>(&self, hash: u32, key: GuestBytes<'_>, pinned: Pinned<'p>) -> Option<&'p Node> {
        let mut at = self.first(self.bucket_of(hash), pinned);
        while let Some(node) = at {
            if node.hash == hash && self.shape.key(node).equals(&key) {
                return Some(node);
            }
            at = self.next(node, pinned);
        }
        None
    }

    /// The element with a key of `KEY` bytes, 4, 8 or 16, or of any size with 0.
    ///
    /// # Safety
    ///
    /// Keys of the table have this size, and `key` is the address of so many bytes as [`load`] says.
    #[inline(always)]
    pub(super) unsafe fn find_raw<'p, const KEY: usize>(
        &self,
        key: u64,
        pinned: Pinned<'p>,
    ) -> Option<&'p Node> {
        // SAFETY: the caller's.
        let (one, two, hash) = unsafe {
            match KEY {
                4 => {
                    let one = load(key, Size::W);
                    (one, 0, self.seed.word(one))
                }
                8 => {
                    let one = load(key, Size::Dw);
                    (one, 0, self.seed.word(one))
                }
                16 => {
                    let (one, two) = (load(key, Size::Dw), load(key + 8, Size::Dw));
                    (one, two, self.seed.words(one, two))
                }
                _ => {
                    let key = GuestBytes::new(key, self.shape.key_size);
                    return self.find(self.seed.bytes(key), key, pinned);
                }
            }
        };
        let mut at = self.first(self.bucket_of(hash), pinned);
        while let Some(node) = at {
            let its = ptr::from_ref(node) as u64 + KEY_AT as u64;
            // SAFETY: keys of this size are there, and are not written any more.
            let same = unsafe {
                match KEY {
                    4 => load(its, Size::W) == one,
                    8 => load(its, Size::Dw) == one,
                    _ => load(its, Size::Dw) == one && load(its + 8, Size::Dw) == two,
                }
            };
            if same {
                return Some(node);
            }
            at = self.next(node, pinned);
        }
        None
    }

    /// Puts an element in, first of its bucket.
    pub(super) fn insert(&self, locked: Locked, made: Made) -> NonNull<Node> {
        let head = self.head(locked.bucket & self.mask);
        made.node().next.store(head.load(Relaxed), Relaxed);
        let node = made.into_inner();
        head.store(node.as_ptr(), Release);
        node
    }

    /// Takes an element out, or puts another in its place; false when it is not there. It is freed
    /// when nobody can have its address any more.
    pub(super) fn take(&self, locked: Locked, old: *const Node, new: Option<Made>, guard: &Guard) -> bool {
        let mut link = self.head(locked.bucket & self.mask);
        loop {
            let at = link.load(Relaxed);
            // SAFETY: elements in the table are whole; the lock is held, so that nobody frees them.
            let Some(node) = (unsafe { at.as_ref() }) else { return false };
            if !ptr::eq(at, old) {
                link = &node.next;
                continue;
            }
            let next = node.next.load(Relaxed);
            let next = match new {
                Some(made) => {
                    made.node().next.store(next, Relaxed);
                    made.into_inner().as_ptr()
                }
                None => next,
            };
            link.store(next, Release);
            // SAFETY: it is in the table no more, since just now: nobody else gives it to this. It is
            // not null, as it has been used.
            unsafe { self.shape.retire(NonNull::new_unchecked(at), guard) };
            return true;
        }
    }
}

/// The element at an address.
///
/// # Safety
///
/// There is one in the table, whose lock is held.
pub(super) unsafe fn node_at(address: usize, _pinned: Pinned<'_>) -> &Node {
    // SAFETY: the caller's.
    unsafe { &*(address as *const Node) }
}

impl Drop for Table {
    fn drop(&mut self) {
        for bucket in 0..self.buckets() {
            let mut at = self.head(bucket).load(Relaxed);
            while let Some(node) = NonNull::new(at) {
                // SAFETY: nobody else has the table; its elements go with it. Programs that may have
                // their addresses hold the map, or are pinned since before its holder let it go.
                unsafe {
                    at = node.as_ref().next.load(Relaxed);
                    self.shape.free(node);
                }
            }
        }
    }
}
