//! Memory that programs see. Programs, other threads and user space write it at any time, so there
//! is never a Rust reference to it: bytes are copied in and out by relaxed atomic accesses, as wide
//! as alignment allows, which compile to plain loads and stores.
#![allow(unsafe_code)]

use std::sync::atomic::{
    AtomicU8, AtomicU16, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use probity_isa::Size;

/// Loads `size` bytes at `address`, zero-extended.
///
/// # Safety
///
/// The bytes must be readable memory that stays so during the call, and which nobody accesses but
/// by this module, machine code of verified programs, or before it was shared.
#[inline(always)]
pub unsafe fn load(address: u64, size: Size) -> u64 {
    let pointer = address as *const u8;
    // SAFETY: the caller's; each arm has checked the alignment that its atomic needs.
    unsafe {
        match size {
            Size::B => u64::from((*pointer.cast::<AtomicU8>()).load(Relaxed)),
            Size::H if address.is_multiple_of(2) => u64::from((*pointer.cast::<AtomicU16>()).load(Relaxed)),
            Size::W if address.is_multiple_of(4) => u64::from((*pointer.cast::<AtomicU32>()).load(Relaxed)),
            Size::Dw if address.is_multiple_of(8) => (*pointer.cast::<AtomicU64>()).load(Relaxed),
            _ => load_unaligned(pointer, size.bytes() as usize),
        }
    }
}

/// Stores the low `size` bytes of `value` at `address`.
///
/// # Safety
///
/// As for [`load`], and the bytes must be writable.
#[inline(always)]
pub unsafe fn store(address: u64, size: Size, value: u64) {
    let pointer = address as *mut u8;
    // SAFETY: the caller's; each arm has checked the alignment that its atomic needs.
    unsafe {
        match size {
            Size::B => (*pointer.cast::<AtomicU8>()).store(value as u8, Relaxed),
            Size::H if address.is_multiple_of(2) => {
                (*pointer.cast::<AtomicU16>()).store(value as u16, Relaxed);
            }
            Size::W if address.is_multiple_of(4) => {
                (*pointer.cast::<AtomicU32>()).store(value as u32, Relaxed);
            }
            Size::Dw if address.is_multiple_of(8) => (*pointer.cast::<AtomicU64>()).store(value, Relaxed),
            _ => store_unaligned(pointer, size.bytes() as usize, value),
        }
    }
}

/// # Safety
///
/// As for [`load`].
#[cold]
unsafe fn load_unaligned(pointer: *const u8, len: usize) -> u64 {
    let mut bytes = [0; 8];
    for (at, byte) in bytes.iter_mut().enumerate().take(len) {
        // SAFETY: `at` is within the `len` bytes of the caller.
        *byte = unsafe { (*pointer.add(at).cast::<AtomicU8>()).load(Relaxed) };
    }
    u64::from_le_bytes(bytes)
}

/// # Safety
///
/// As for [`store`].
#[cold]
unsafe fn store_unaligned(pointer: *mut u8, len: usize, value: u64) {
    for (at, byte) in value.to_le_bytes().into_iter().enumerate().take(len) {
        // SAFETY: `at` is within the `len` bytes of the caller.
        unsafe { (*pointer.add(at).cast::<AtomicU8>()).store(byte, Relaxed) };
    }
}

/// The widest access at addresses of which all bits that any has are in `bits`, with `left` bytes left.
#[inline]
fn widest(bits: u64, left: usize) -> Size {
    match left {
        8.. if bits.is_multiple_of(8) => Size::Dw,
        4.. if bits.is_multiple_of(4) => Size::W,
        2.. if bits.is_multiple_of(2) => Size::H,
        _ => Size::B,
    }
}

/// Bytes that a program may see. Whoever holds one may copy in and out for as long as `'m`.
#[derive(Clone, Copy, Debug)]
pub struct GuestBytes<'m> {
    start: u64,
    len: usize,
    memory: std::marker::PhantomData<&'m AtomicU8>,
}

// SAFETY: all accesses are atomic.
unsafe impl Send for GuestBytes<'_> {}
// SAFETY: all accesses are atomic.
unsafe impl Sync for GuestBytes<'_> {}

impl<'m> GuestBytes<'m> {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> GuestBytes<'m> {
        GuestBytes { start: 8, len: 0, memory: std::marker::PhantomData }
    }

    /// The `len` bytes at `start`.
    ///
    /// # Safety
    ///
    /// They must be readable and writable (or, if they are not writable, never written through this)
    /// for `'m`, and nobody may access them but as [`load`] says. With `len` 0 anything goes.
    #[must_use]
    pub unsafe fn new(start: u64, len: usize) -> GuestBytes<'m> {
        GuestBytes { start, len, memory: std::marker::PhantomData }
    }

    /// Bytes that nobody else has, as ones that a program may see.
    #[must_use]
    pub fn of(bytes: &'m mut [u8]) -> GuestBytes<'m> {
        // SAFETY: they are borrowed as long as these are.
        unsafe { GuestBytes::new(bytes.as_mut_ptr() as u64, bytes.len()) }
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address that programs see.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.start
    }

    /// The bytes from `at` on, `len` of them; None when they are not all inside.
    #[must_use]
    pub fn slice(&self, at: usize, len: usize) -> Option<GuestBytes<'m>> {
        let inside = at.checked_add(len)? <= self.len;
        inside.then_some(GuestBytes { start: self.start + at as u64, len, memory: self.memory })
    }

    /// Copies out, as many bytes as both have.
    pub fn read(&self, to: &mut [u8]) {
        let len = self.len.min(to.len());
        let mut at = 0;
        while at < len {
            let address = self.start + at as u64;
            let size = widest(address, len - at);
            let bytes = size.bytes() as usize;
            // SAFETY: inside of what `new` was promised.
            let word = unsafe { load(address, size) };
            to[at..at + bytes].copy_from_slice(&word.to_le_bytes()[..bytes]);
            at += bytes;
        }
    }

    /// Copies in, as many bytes as both have.
    pub fn write(&self, from: &[u8]) {
        let len = self.len.min(from.len());
        let mut at = 0;
        while at < len {
            let address = self.start + at as u64;
            let size = widest(address, len - at);
            let bytes = size.bytes() as usize;
            let mut word = [0; 8];
            word[..bytes].copy_from_slice(&from[at..at + bytes]);
            // SAFETY: inside of what `new` was promised.
            unsafe { store(address, size, u64::from_le_bytes(word)) };
            at += bytes;
        }
    }

    /// Copies from other such bytes, as many as both have. They do not overlap, or these begin before
    /// the others.
    #[inline]
    pub fn copy_from(&self, from: &GuestBytes<'_>) {
        let len = self.len.min(from.len);
        let mut at = 0;
        while at < len {
            let (to, source) = (self.start + at as u64, from.start + at as u64);
            let size = widest(to | source, len - at);
            // SAFETY: inside of what `new` was promised for both.
            unsafe { store(to, size, load(source, size)) };
            at += size.bytes() as usize;
        }
    }

    /// As [`GuestBytes::copy_from`]; they may overlap.
    pub fn move_from(&self, from: &GuestBytes<'_>) {
        let mut left = self.len.min(from.len);
        if self.start.wrapping_sub(from.start) >= left as u64 {
            return self.copy_from(from);
        }
        // These begin within the others: the last bytes come first.
        while left > 0 {
            let ends = (self.start + left as u64) | (from.start + left as u64);
            let size = widest(ends, left);
            left -= size.bytes() as usize;
            // SAFETY: inside of what `new` was promised for both.
            unsafe { store(self.start + left as u64, size, load(from.start + left as u64, size)) };
        }
    }

    /// Whether other such bytes are the same; not while either is written.
    #[must_use]
    #[inline]
    pub fn equals(&self, other: &GuestBytes<'_>) -> bool {
        if self.len != other.len {
            return false;
        }
        let mut at = 0;
        if (self.start | other.start).is_multiple_of(8) {
            while self.len - at >= 8 {
                let (one, two) = (self.start + at as u64, other.start + at as u64);
                // SAFETY: inside of what `new` was promised for both.
                if unsafe { load(one, Size::Dw) != load(two, Size::Dw) } {
                    return false;
                }
                at += 8;
            }
        }
        while at < self.len {
            let (one, two) = (self.start + at as u64, other.start + at as u64);
            let size = widest(one | two, self.len - at);
            // SAFETY: inside of what `new` was promised for both.
            if unsafe { load(one, size) != load(two, size) } {
                return false;
            }
            at += size.bytes() as usize;
        }
        true
    }

    /// Sets all bytes.
    pub fn fill(&self, byte: u8) {
        let word = u64::from_le_bytes([byte; 8]);
        let mut at = 0;
        while at < self.len {
            let address = self.start + at as u64;
            let size = widest(address, self.len - at);
            // SAFETY: inside of what `new` was promised.
            unsafe { store(address, size, word) };
            at += size.bytes() as usize;
        }
    }

    /// A copy.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read(&mut bytes);
        bytes
    }

    /// Loads a number of the machine's byte order; None when it is not all inside.
    #[must_use]
    pub fn get(&self, at: usize, size: Size) -> Option<u64> {
        let slice = self.slice(at, size.bytes() as usize)?;
        // SAFETY: inside of what `new` was promised.
        Some(unsafe { load(slice.start, size) })
    }

    /// Stores a number of the machine's byte order; None when it is not all inside.
    pub fn set(&self, at: usize, size: Size, value: u64) -> Option<()> {
        let slice = self.slice(at, size.bytes() as usize)?;
        // SAFETY: inside of what `new` was promised.
        unsafe { store(slice.start, size, value) };
        Some(())
    }
}

impl GuestBytes<'_> {
    /// Does something while the lock of 4 bytes at an offset is held; None when no lock is there.
    pub(crate) fn locked<T>(&self, at: usize, act: impl FnOnce() -> T) -> Option<T> {
        let place = self.slice(at, 4).filter(|place| place.start.is_multiple_of(4))?;
        // SAFETY: four aligned bytes of what `new` was promised, which stay during this call.
        let lock = unsafe { Lock::new(place.start) };
        lock.wait();
        let result = act();
        lock.give();
        Some(result)
    }
}

/// How often a lock is tried before others are given the processor.
const TRIES: u32 = 64;

/// A lock of 4 bytes in a value of a map: 0 when it is free. Whoever has one of these holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock(u64);

impl Lock {
    /// The lock at an address.
    ///
    /// # Safety
    ///
    /// There must be 4 bytes of a map's value, aligned, which are there as long as this is used.
    pub(crate) unsafe fn new(address: u64) -> Lock {
        Lock(address)
    }

    /// Where it is.
    pub(crate) fn address(self) -> u64 {
        self.0
    }

    fn word(self) -> &'static AtomicU32 {
        // SAFETY: what `new` was promised; the reference does not leave the methods below.
        unsafe { &*(self.0 as *const AtomicU32) }
    }

    /// Takes it if it is free.
    pub(crate) fn take(self) -> bool {
        self.word().compare_exchange(0, 1, Acquire, Relaxed).is_ok()
    }

    /// Takes it when it is free.
    pub(crate) fn wait(self) {
        let mut tries = 0_u32;
        while !self.take() {
            tries = tries.wrapping_add(1);
            if tries.is_multiple_of(TRIES) {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }

    /// Gives it back.
    pub(crate) fn give(self) {
        self.word().store(0, Release);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::maps::Copied;

    proptest! {
        /// Bytes are moved as if there were a copy between, however both lie.
        #[test]
        fn moved_within(from in 0usize..40, to in 0usize..40, len in 0usize..40) {
            let bytes: Vec<u8> = (0..80).collect();
            let memory = Copied::of(&bytes);
            let all = memory.bytes();
            let (source, place) = (all.slice(from, len).expect("inside"), all.slice(to, len).expect("inside"));
            let mut expected = bytes.clone();
            expected.copy_within(from..from + len, to);
            place.move_from(&source);
            prop_assert_eq!(all.to_vec(), expected);
        }
    }
}
