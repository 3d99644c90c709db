//! Elements of hash tables: a header, the key, the values. What is freed is freed when no thread that
//! is pinned can have its address any more.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

use crossbeam_epoch::Guard;

use crate::guest::GuestBytes;
use crate::maps::Map;

/// The header of an element. Key and values come behind it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Node {
    /// The next in the bucket.
    pub(super) next: AtomicPtr<Node>,
    pub(super) hash: u32,
    /// What the order of use keeps here.
    pub(super) mark: AtomicU32,
}

/// Where the key of an element is.
pub(super) const KEY_AT: usize = size_of::<Node>();

/// How elements of a table are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(super) key_size: usize,
    pub(super) value_at: usize,
    pub(super) value_size: usize,
    /// From one run slot's value to the next.
    pub(super) stride: usize,
    pub(super) slots: usize,
    layout: Layout,
    /// Values are addresses of maps, which are held.
    holds_maps: bool,
}

/// Garbage of more bytes than this is not left to wait for more.
const LARGE: usize = 1 << 16;

impl Shape {
    /// `slots` is 1 for values that all share; None when elements are too large.
    pub(crate) fn new(key_size: usize, value_size: usize, slots: usize, holds_maps: bool) -> Option<Shape> {
        let value_at = KEY_AT.checked_add(key_size)?.checked_next_multiple_of(8)?;
        let stride = value_size.checked_next_multiple_of(8)?;
        let len = value_at.checked_add(stride.checked_mul(slots)?)?;
        let layout = Layout::from_size_align(len, 8).ok()?;
        Some(Shape { key_size, value_at, value_size, stride, slots, layout, holds_maps })
    }

    /// An element with a key and values of zeros, which nobody else knows of; None without memory.
    pub(super) fn make(&self, hash: u32, key: GuestBytes<'_>) -> Option<Made> {
        // SAFETY: the layout has a size: that of the header, at least.
        let node = NonNull::new(unsafe { alloc_zeroed(self.layout) })?.cast::<Node>();
        let header = Node { next: AtomicPtr::new(ptr::null_mut()), hash, mark: AtomicU32::new(0) };
        // SAFETY: new memory, aligned to 8 as the header wants it, and as large at least.
        unsafe { node.write(header) };
        let made = Made { node, shape: *self };
        self.key(made.node()).copy_from(&key);
        Some(made)
    }

    /// The key of an element.
    pub(super) fn key<'n>(&self, node: &'n Node) -> GuestBytes<'n> {
        let start = ptr::from_ref(node) as u64 + KEY_AT as u64;
        // SAFETY: elements of this shape have their key there, as long as they are there.
        unsafe { GuestBytes::new(start, self.key_size) }
    }

    /// The address of a run slot's value; `slot` must be one.
    #[inline(always)]
    pub(super) fn address(&self, node: &Node, slot: usize) -> u64 {
        ptr::from_ref(node) as u64 + (self.value_at + slot * self.stride) as u64
    }

    /// The value of a run slot.
    pub(super) fn value<'n>(&self, node: &'n Node, slot: usize) -> GuestBytes<'n> {
        if slot >= self.slots {
            return GuestBytes::empty();
        }
        // SAFETY: elements of this shape have a value for each slot, as long as they are there.
        unsafe { GuestBytes::new(self.address(node, slot), self.value_size) }
    }

    /// The value as a word: of 8 bytes at least.
    fn word<'n>(&self, node: &'n Node) -> &'n AtomicU64 {
        assert!(self.value_size >= 8, "values of maps are addresses");
        // SAFETY: the value has 8 bytes at an address that is a multiple of 8.
        unsafe { &*(self.address(node, 0) as *const AtomicU64) }
    }

    /// Makes the value of an element a map, which is held from now on.
    pub(super) fn hold(&self, made: &Made, map: Arc<Map>) {
        assert!(self.holds_maps, "values of this table are bytes");
        self.word(made.node()).store(Arc::into_raw(map) as u64, Relaxed);
    }

    /// The map that an element holds.
    pub(super) fn held(&self, node: &Node) -> Option<Arc<Map>> {
        let map: *const Map = self.held_by(node)?;
        // SAFETY: it came out of an `Arc`, which the element holds for as long as it is there.
        unsafe {
            Arc::increment_strong_count(map);
            Some(Arc::from_raw(map))
        }
    }

    /// As [`Shape::held`], for as long as the element is there.
    pub(super) fn held_by<'n>(&self, node: &'n Node) -> Option<&'n Map> {
        if !self.holds_maps {
            return None;
        }
        // SAFETY: `hold` put it there, and the element holds it for as long as it is there.
        unsafe { (self.word(node).load(Relaxed) as *const Map).as_ref() }
    }

    /// Whether values are maps.
    pub(super) fn holds_maps(&self) -> bool {
        self.holds_maps
    }

    /// The address of the map that an element holds.
    pub(super) fn held_address(&self, node: &Node) -> u64 {
        self.word(node).load(Relaxed)
    }

    /// Frees an element.
    ///
    /// # Safety
    ///
    /// It is of this shape, and nobody else has its address.
    pub(super) unsafe fn free(&self, node: NonNull<Node>) {
        if self.holds_maps {
            // SAFETY: the caller's.
            let address = self.word(unsafe { node.as_ref() }).load(Relaxed) as *const Map;
            if !address.is_null() {
                // SAFETY: `hold` put it there, and nobody takes it out but this.
                drop(unsafe { Arc::from_raw(address) });
            }
        }
        // SAFETY: `make` allocated it with this layout.
        unsafe { dealloc(node.as_ptr().cast(), self.layout) };
    }

    /// Frees an element when no thread that is pinned now can have its address any more.
    ///
    /// # Safety
    ///
    /// It is of this shape and in no table any more, and it is given to this once.
    pub(super) unsafe fn retire(&self, node: NonNull<Node>, guard: &Guard) {
        let shape = *self;
        // SAFETY: who has its address is pinned, and is not any more when this is called.
        unsafe { guard.defer_unchecked(move || shape.free(node)) };
        if self.layout.size() > LARGE {
            guard.flush();
        }
    }
}

/// An element that is in no table: freed when it is dropped.
#[derive(Debug)]
pub(crate) struct Made {
    node: NonNull<Node>,
    shape: Shape,
}

impl Made {
    pub(super) fn node(&self) -> &Node {
        // SAFETY: `make` wrote the header; it is freed in `drop` only.
        unsafe { self.node.as_ref() }
    }

    /// Who calls this has to free it.
    pub(super) fn into_inner(self) -> NonNull<Node> {
        let node = self.node;
        std::mem::forget(self);
        node
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: `make` made it, and nobody else knows of it.
        unsafe { self.shape.free(self.node) };
    }
}
