//! User ring buffers: records from user space to programs.

use std::sync::Mutex;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use super::locked;
use super::memory::Copied;
use super::ring::{Area, Wake, taken};
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// How many records a program gets at once.
pub(crate) const MAX_SAMPLES: u32 = 128 * 1024;

/// A user ring buffer.
#[derive(Debug)]
pub(crate) struct UserRing {
    area: Area,
    consumed: AtomicU64,
    produced: AtomicU64,
    /// User space has it while it writes.
    writer: Mutex<()>,
    /// A program reads.
    busy: AtomicBool,
    wake: Wake,
}

/// That a program reads; others don't until it is dropped.
#[derive(Debug)]
pub(crate) struct Reading<'r>(&'r UserRing);

impl UserRing {
    /// None without memory.
    pub(crate) fn new(capacity: u32) -> Option<UserRing> {
        Some(UserRing {
            area: Area::new(capacity)?,
            consumed: AtomicU64::new(0),
            produced: AtomicU64::new(0),
            writer: Mutex::new(()),
            busy: AtomicBool::new(false),
            wake: Wake::default(),
        })
    }

    /// Writes a record.
    pub(super) fn push(&self, bytes: &[u8]) -> Result<(), Errno> {
        let len = bytes.len() as u64;
        if taken(len) > self.area.capacity || len >= 1 << 30 {
            return Err(Errno::E2BIG);
        }
        let _writer = locked(&self.writer);
        let at = self.produced.load(Relaxed);
        let end = at + taken(len);
        if end - self.consumed.load(Acquire) > self.area.capacity {
            return Err(Errno::ENOSPC);
        }
        self.area.header(at).store(len, Relaxed);
        self.area.record(at, len).copy_from(&Copied::of(bytes).bytes());
        self.produced.store(end, Release);
        Ok(())
    }

    /// As [`UserRing::push`], and waits for room.
    pub(super) fn push_wait(&self, bytes: &[u8], timeout: Duration) -> Result<(), Errno> {
        let mut result = Err(Errno::ENOSPC);
        self.wake.wait(timeout, || {
            result = self.push(bytes);
            (result != Err(Errno::ENOSPC)).then_some(())
        });
        result
    }

    /// Begins to read.
    pub(crate) fn read(&self) -> Result<Reading<'_>, Errno> {
        if self.busy.swap(true, Acquire) { Err(Errno::EBUSY) } else { Ok(Reading(self)) }
    }

    /// Tells user space that there is room.
    pub(crate) fn wake(&self) {
        self.wake.wake();
    }

    /// The oldest record.
    fn oldest(&self) -> Option<GuestBytes<'_>> {
        let at = self.consumed.load(Relaxed);
        if at >= self.produced.load(Acquire) {
            return None;
        }
        let len = self.area.header(at).load(Relaxed) & u64::from(u32::MAX);
        Some(self.area.record(at, len))
    }

    /// The record that a program reads, when it contains an address.
    pub(crate) fn containing(&self, address: u64) -> Option<(u64, usize)> {
        let oldest = self.oldest()?;
        let inside = address.wrapping_sub(oldest.address()) < oldest.len() as u64;
        inside.then_some((oldest.address(), oldest.len()))
    }
}

impl<'r> Reading<'r> {
    /// The next record.
    pub(crate) fn sample(&self) -> Option<GuestBytes<'r>> {
        self.0.oldest()
    }

    /// The next record is done with.
    pub(crate) fn release(&self, sample: GuestBytes<'_>) {
        let at = self.0.consumed.load(Relaxed);
        self.0.consumed.store(at + taken(sample.len() as u64), Release);
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Release);
    }
}
