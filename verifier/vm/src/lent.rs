//! Something that is lent for a run.
#![allow(unsafe_code)]

use std::ptr::NonNull;

/// A place for something that whoever makes a run has borrowed for it.
#[derive(Debug)]
pub(crate) struct Lent<T: ?Sized>(Option<NonNull<T>>);

impl<T: ?Sized> Lent<T> {
    /// Nothing.
    pub(crate) const fn nothing() -> Lent<T> {
        Lent(None)
    }

    /// Lends `value`, or nothing.
    ///
    /// # Safety
    ///
    /// It must be taken back, by another call, before the borrow of `value` ends; until then `value`
    /// is reached through this only.
    #[inline(always)]
    pub(crate) unsafe fn lend(&mut self, value: Option<&mut T>) {
        self.0 = value.map(NonNull::from);
    }

    /// What is lent.
    #[inline(always)]
    pub(crate) fn get(&mut self) -> Option<&mut T> {
        // SAFETY: `lend` was promised that it is there, and reached from here only.
        self.0.map(|mut value| unsafe { value.as_mut() })
    }
}
