//! Ring buffers: records from programs to user space.
//!
//! A record is a header of 8 bytes and the bytes, filled up to a multiple of 8. Positions count bytes
//! since the start and never wrap. A record that begins near the end of the ring goes on behind it:
//! the memory is twice as large as the ring, so that records are in one piece.
#![allow(unsafe_code)]

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::locked;
use super::memory::Slab;
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// Bytes of a header.
pub(super) const HEADER: u64 = 8;
/// Of a header: the record is not handed on yet.
pub(super) const BUSY: u32 = 1 << 31;
/// Of a header: the record was given up.
pub(super) const DISCARD: u32 = 1 << 30;
/// The bytes before the ring, of which the first 8 are the address of its [`Ring`].
const BEFORE: u64 = 64;
/// Records have fewer bytes than this.
const LARGEST: u64 = (u32::MAX / 4) as u64;

/// Don't wake the reader.
pub(crate) const NO_WAKEUP: u64 = 1;
/// Wake the reader in any case.
pub(crate) const FORCE_WAKEUP: u64 = 2;

/// The memory of a ring.
#[derive(Debug)]
pub(super) struct Area {
    memory: Slab,
    pub(super) capacity: u64,
}

/// The bytes that a record takes, header included.
pub(super) fn taken(len: u64) -> u64 {
    (len + HEADER).next_multiple_of(8)
}

impl Area {
    pub(super) fn new(capacity: u32) -> Option<Area> {
        let capacity = u64::from(capacity);
        let memory = Slab::new(usize::try_from(BEFORE + 2 * capacity).ok()?)?;
        Some(Area { memory, capacity })
    }

    /// The offset in the memory of a position.
    fn offset(&self, position: u64) -> u64 {
        BEFORE + (position & (self.capacity - 1))
    }

    /// The header at a position: the length with its bits, then where it is, in words.
    pub(super) fn header(&self, position: u64) -> &AtomicU64 {
        &self.memory.words()[(self.offset(position) / 8) as usize]
    }

    /// The bytes of the record at a position; no more than there are.
    pub(super) fn record(&self, position: u64, len: u64) -> GuestBytes<'_> {
        let at = self.offset(position) + HEADER;
        self.memory.bytes(at as usize, len as usize).unwrap_or(GuestBytes::empty())
    }
}

/// A ring buffer.
#[derive(Debug)]
pub(crate) struct Ring {
    area: Area,
    /// Where the reader is.
    consumed: AtomicU64,
    /// Where writers are.
    produced: AtomicU64,
    /// Writers have it; the oldest record that is not handed on yet.
    pending: Mutex<u64>,
    /// The reader has it.
    reader: Mutex<()>,
    wake: Wake,
}

/// What a reader waits for.
#[derive(Debug, Default)]
pub(super) struct Wake {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Wake {
    pub(super) fn wake(&self) {
        *locked(&self.count) += 1;
        self.changed.notify_all();
    }

    /// Waits until `next` gives something, which is tried when somebody wakes, or until the time is
    /// up.
    pub(super) fn wait<T>(&self, timeout: Duration, mut next: impl FnMut() -> Option<T>) -> Option<T> {
        let until = Instant::now().checked_add(timeout);
        loop {
            // Whoever wakes after this has made its record visible before.
            let count = locked(&self.count);
            let seen = *count;
            if let Some(thing) = next() {
                return Some(thing);
            }
            let left = until
                .map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            let waited = self.changed.wait_timeout_while(count, left, |count| *count == seen);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// What a program asks about a ring.
const AVAILABLE: u64 = 0;
const SIZE: u64 = 1;
const CONSUMED: u64 = 2;
const PRODUCED: u64 = 3;

impl Ring {
    /// None without memory.
    pub(crate) fn new(capacity: u32) -> Option<Ring> {
        Some(Ring {
            area: Area::new(capacity)?,
            consumed: AtomicU64::new(0),
            produced: AtomicU64::new(0),
            pending: Mutex::new(0),
            reader: Mutex::new(()),
            wake: Wake::default(),
        })
    }

    /// Reserves a record: its bytes, which are not zeroed. None when there is no room.
    pub(crate) fn reserve(&self, len: u64) -> Option<GuestBytes<'_>> {
        if len > LARGEST || taken(len) > self.area.capacity {
            return None;
        }
        let mut pending = locked(&self.pending);
        let at = self.produced.load(Relaxed);
        let end = at + taken(len);
        while *pending < at {
            let header = self.area.header(*pending).load(Acquire) as u32;
            if header & BUSY != 0 {
                break;
            }
            *pending += taken(u64::from(header & !DISCARD));
        }
        // Never quite full. What was not handed on yet is not overwritten even if a reader passed it.
        let limit = self.area.capacity - 1;
        if end - self.consumed.load(Acquire) > limit || end - *pending > limit {
            return None;
        }
        // Where `of_record` finds the way back.
        self.area.memory.words()[0].store(std::ptr::from_ref(self) as u64, Relaxed);
        let words = self.area.offset(at) / 8;
        self.area.header(at).store(words << 32 | len | u64::from(BUSY), Relaxed);
        self.produced.store(end, Release);
        Some(self.area.record(at, len))
    }

    /// The ring of a record.
    ///
    /// # Safety
    ///
    /// `record` is the address of a record that was reserved and is not handed on, of a ring that
    /// lives as long as `'r`.
    unsafe fn of_record<'r>(record: u64) -> &'r Ring {
        let header = record - HEADER;
        // SAFETY: the header is before the record, and belongs to nobody else.
        let word = unsafe { &*(header as *const AtomicU64) }.load(Relaxed);
        let start = header - (word >> 32) * 8;
        // SAFETY: so far before the header the memory begins, whose first word `reserve` wrote: the
        // address of the ring, which is boxed and thus does not move.
        unsafe { &*((*(start as *const AtomicU64)).load(Relaxed) as *const Ring) }
    }

    /// Hands a record on, or gives it up.
    ///
    /// # Safety
    ///
    /// As for `of_record`.
    pub(crate) unsafe fn finish(record: u64, discard: bool, flags: u64) {
        // SAFETY: the caller's.
        let ring = unsafe { Ring::of_record(record) };
        // SAFETY: the header of the record.
        let header = unsafe { &*((record - HEADER) as *const AtomicU64) };
        let word = header.load(Relaxed);
        let done = (word & !u64::from(BUSY)) | if discard { u64::from(DISCARD) } else { 0 };
        let offset = (word >> 32) * 8 - BEFORE;
        // After it the record is the reader's.
        header.store(done, SeqCst);
        let caught_up = ring.consumed.load(SeqCst) & (ring.area.capacity - 1) == offset;
        if flags & FORCE_WAKEUP != 0 || (caught_up && flags & NO_WAKEUP == 0) {
            ring.wake.wake();
        }
    }

    /// Writes a record.
    pub(crate) fn output(&self, bytes: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        if flags & !(NO_WAKEUP | FORCE_WAKEUP) != 0 {
            return Err(Errno::EINVAL);
        }
        let record = self.reserve(bytes.len() as u64).ok_or(Errno::EAGAIN)?;
        record.copy_from(&bytes);
        // SAFETY: it was just reserved.
        unsafe { Ring::finish(record.address(), false, flags) };
        Ok(())
    }

    /// What a program asks about it.
    pub(crate) fn query(&self, what: u64) -> u64 {
        match what {
            AVAILABLE => self.produced.load(Acquire).saturating_sub(self.consumed.load(Acquire)),
            SIZE => self.area.capacity,
            CONSUMED => self.consumed.load(Acquire),
            PRODUCED => self.produced.load(Acquire),
            _ => 0,
        }
    }

    /// The next record that was handed on, when there is one.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let _reader = locked(&self.reader);
        loop {
            let at = self.consumed.load(Relaxed);
            if at >= self.produced.load(Acquire) {
                return None;
            }
            let header = self.area.header(at).load(SeqCst) as u32;
            if header & BUSY != 0 {
                return None;
            }
            let len = u64::from(header & !DISCARD);
            let bytes = (header & DISCARD == 0).then(|| self.area.record(at, len).to_vec());
            self.consumed.store(at + taken(len), SeqCst);
            if bytes.is_some() {
                return bytes;
            }
        }
    }

    /// As [`Ring::next`], and waits for one.
    pub(super) fn wait(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.wake.wait(timeout, || self.next())
    }

    /// The record that a program has and that contains an address.
    pub(crate) fn containing(&self, address: u64) -> Option<(u64, usize)> {
        let mut at = self.consumed.load(Acquire);
        let end = self.produced.load(Acquire);
        while at < end {
            let header = self.area.header(at).load(Acquire) as u32;
            let len = u64::from(header & !(BUSY | DISCARD));
            let start = self.area.record(at, len).address();
            if header & BUSY != 0 && address.wrapping_sub(start) < len {
                return Some((start, len as usize));
            }
            at += taken(len);
        }
        None
    }
}
