//! Arrays of things that are counted: programs, maps. They are read without locks, and what is
//! replaced is let go when no thread that is pinned can have it any more.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use crossbeam_epoch::pin;

use super::memory::{Pinned, Slab};

/// An array of them. Places are empty at first.
#[derive(Debug)]
pub(crate) struct Held<T: Send + Sync + 'static> {
    places: Slab,
    len: u32,
    what: PhantomData<Arc<T>>,
}

impl<T: Send + Sync + 'static> Held<T> {
    /// None without memory.
    pub(crate) fn new(len: u32) -> Option<Held<T>> {
        let places = Slab::new((len as usize).checked_mul(size_of::<AtomicU64>())?)?;
        Some(Held { places, len, what: PhantomData })
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    fn place(&self, index: u32) -> Option<&AtomicU64> {
        (index < self.len).then(|| &self.places.words()[index as usize])
    }

    /// What is at a place.
    #[inline(always)]
    pub(crate) fn get<'p>(&self, index: u32, _pinned: Pinned<'p>) -> Option<&'p T> {
        let address = self.place(index)?.load(Acquire) as *const T;
        // SAFETY: `swap` put it there, and lets it go no sooner than the thread is pinned no more.
        unsafe { address.as_ref() }
    }

    /// All that is there.
    pub(crate) fn iter<'p>(&self, pinned: Pinned<'p>) -> impl Iterator<Item = &'p T> {
        (0..self.len).filter_map(move |index| self.get(index, pinned))
    }

    /// What is at a place, held.
    pub(crate) fn get_arc(&self, index: u32) -> Option<Arc<T>> {
        let guard = pin();
        let thing: *const T = self.get(index, Pinned::by(&guard))?;
        // SAFETY: it came out of an `Arc`, and is still held by the place, or by who waits for this
        // thread.
        unsafe {
            Arc::increment_strong_count(thing);
            Some(Arc::from_raw(thing))
        }
    }

    /// Puts something at a place, or nothing; None where there is no such place, else whether
    /// something was there.
    pub(crate) fn swap(&self, index: u32, new: Option<Arc<T>>) -> Option<bool> {
        let place = self.place(index)?;
        let new = new.map_or(0, |thing| Arc::into_raw(thing) as u64);
        let guard = pin();
        let old = place.swap(new, AcqRel) as *const T;
        if !old.is_null() {
            // SAFETY: it came out of an `Arc` that is let go by who takes the address out of the
            // place, this thread. Programs that may have it are pinned.
            unsafe { guard.defer_unchecked(move || drop(Arc::from_raw(old))) };
            // What is let go may be large.
            guard.flush();
        }
        Some(!old.is_null())
    }
}

impl<T: Send + Sync + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        for place in self.places.words().iter().take(self.len as usize) {
            let thing = place.load(Relaxed) as *const T;
            if !thing.is_null() {
                // SAFETY: it came out of an `Arc`; nobody else has the places.
                drop(unsafe { Arc::from_raw(thing) });
            }
        }
    }
}
