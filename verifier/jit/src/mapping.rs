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

/// How far below the runtime's code the first pages are asked for.
const BELOW: usize = 1 << 30;

impl Mapping {
    /// So many writable bytes, a multiple of the page size.
    pub(crate) fn new(len: usize) -> io::Result<Mapping> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let code = probity_vm::native::out_of_fuel as *const () as usize;
        let first = code.saturating_sub(BELOW) & !0xffff;
        let hint = first + NEXT.fetch_add(len, Ordering::Relaxed) % BELOW;
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

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the pages are the mapping's own, and nobody has them any more.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
