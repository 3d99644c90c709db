//! Pages of the process, near the runtime's own code, so that what they call is within reach of near calls.

#![allow(unsafe_code)]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What may be done with pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and written.
    Write,
    /// Read and executed.
    Execute,
}

/// Private pages, zeroed at first.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the pages belong to the mapping alone, and are written by `&mut` only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// What processors predict fastest are calls into the block of this size that they stand in: on Zen 5 a call
/// and its return take a cycle less than across its border.
const BLOCK: usize = 16 << 20;
/// How far apart free pages of the block are looked for.
const STEP: usize = 256 << 10;
/// How far below the runtime's code pages are asked for when the block has none.
const BELOW: usize = 1 << 30;

impl Mapping {
    /// So many writable bytes, a multiple of the page size.
    pub(crate) fn new(len: usize) -> io::Result<Mapping> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let code = runtime();
        if let Some(mapping) = Mapping::beside(code, len) {
            return Ok(mapping);
        }
        let first = code.saturating_sub(BELOW) & !0xffff;
        Mapping::at(first + NEXT.fetch_add(len, Ordering::Relaxed) % BELOW, len)
    }

    /// Pages in the block of the runtime's code, where some are free: below it, or above it and below the
    /// heap, which must have room to grow.
    fn beside(code: usize, len: usize) -> Option<Mapping> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let block = code & !(BLOCK - 1);
        // Once all of it was looked at, one place each time: code may have gone since.
        let mut tries = if NEXT.load(Ordering::Relaxed) < BLOCK { BLOCK / STEP } else { 1 };
        while tries > 0 {
            tries -= 1;
            let next = NEXT.load(Ordering::Relaxed);
            let start = block + next % BLOCK;
            let end = start.checked_add(len)?;
            if end <= code || (start > code && end <= heap_end().min(block + BLOCK)) {
                let mapping = Mapping::at(start, len).ok()?;
                if mapping.start.as_ptr() as usize == start {
                    NEXT.store(next + len, Ordering::Relaxed);
                    return Some(mapping);
                }
            }
            NEXT.store((next + 1).next_multiple_of(STEP), Ordering::Relaxed);
        }
        None
    }

    /// Pages at an address, or wherever the system likes.
    fn at(hint: usize, len: usize) -> io::Result<Mapping> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new private mapping; the address is a wish, which takes nobody's pages away.
        let start = unsafe { libc::mmap(hint as *mut _, len, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { start, len })
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the pages are mapped and readable as long as the mapping lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The bytes, to be written; only while that is what the pages are for.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the pages are mapped, and nobody else has them. Whoever writes pages that may be
        // executed ends the process, not more.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Says what may be done with the pages from now on.
    pub(crate) fn allow(&mut self, access: Access) -> io::Result<()> {
        let protection = match access {
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
            Access::Execute => libc::PROT_READ | libc::PROT_EXEC,
        };
        // SAFETY: the pages are the mapping's own.
        let done = unsafe { libc::mprotect(self.start.as_ptr().cast(), self.len, protection) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Keeps the system from joining the mapping with its neighbours: advice about access does it,
    /// which for memory without a file means nothing else; neighbours get advice by turns.
    pub(crate) fn apart(&self, turn: bool) {
        let advice = if turn { libc::MADV_RANDOM } else { libc::MADV_SEQUENTIAL };
        // SAFETY: advice changes no content; when it is refused, nothing is lost.
        let _ = unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, advice) };
    }
}

/// Where the runtime's code is.
fn runtime() -> usize {
    probity_vm::native::out_of_fuel as *const () as usize
}

/// Where the heap ends that grows upwards from somewhere behind the program; 0 where there is none.
fn heap_end() -> usize {
    #[cfg(target_os = "linux")]
    // SAFETY: nothing is changed, it is only asked.
    let end = unsafe { libc::sbrk(0) } as usize;
    #[cfg(not(target_os = "linux"))]
    let end = 0;
    end
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the pages are the mapping's own, and nobody has them any more.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_is_within_reach() {
        let mappings: Vec<Mapping> = (0..3).map(|_| Mapping::new(8192).expect("pages")).collect();
        for mapping in &mappings {
            let start = mapping.start.as_ptr() as usize;
            assert!(start.abs_diff(runtime()) < i32::MAX as usize, "{start:#x}, from {:#x}", runtime());
            assert!(mapping.bytes().iter().all(|byte| *byte == 0));
        }
        assert_ne!(mappings[0].start, mappings[1].start);
    }
}
