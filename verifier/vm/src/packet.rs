//! A packet: bytes with room before and behind, and metadata in front.

use crate::errno::Errno;
use crate::guest::GuestBytes;

/// Room before a packet, in bytes, as Linux gives XDP programs.
pub const HEADROOM: usize = 256;
/// Room behind a packet.
pub const TAILROOM: usize = 512;

/// A packet. Its bytes never move: what grows, grows into the room around them.
#[derive(Debug)]
pub struct Packet {
    // Words, so that the buffer is aligned; only reached by guest accesses while a program runs.
    buffer: Box<[u64]>,
    size: usize,
    meta: usize,
    start: usize,
    end: usize,
}

impl Packet {
    /// A packet with these bytes and room around them.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Packet {
        Packet::with_room(bytes, HEADROOM, TAILROOM)
    }

    /// A packet with these bytes, and so much room before and behind.
    #[must_use]
    pub fn with_room(bytes: &[u8], headroom: usize, tailroom: usize) -> Packet {
        let size = headroom + bytes.len() + tailroom;
        let mut packet = Packet {
            buffer: vec![0; size.div_ceil(8) + 1].into_boxed_slice(),
            size,
            meta: headroom,
            start: headroom,
            end: headroom + bytes.len(),
        };
        packet.bytes_mut().write(bytes);
        packet
    }

    fn base(&mut self) -> u64 {
        self.buffer.as_mut_ptr() as u64
    }

    /// The bytes, for programs.
    pub(crate) fn bytes_mut(&mut self) -> GuestBytes<'_> {
        let (start, len) = (self.start, self.end - self.start);
        self.room(start, len)
    }

    /// A part of the buffer.
    #[allow(unsafe_code)]
    fn room(&mut self, at: usize, len: usize) -> GuestBytes<'_> {
        debug_assert!(at + len <= self.size);
        let base = self.base();
        // SAFETY: all callers stay inside of the buffer, which lives as long as the borrow of it.
        unsafe { GuestBytes::new(base + at as u64, len) }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// True when there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// A copy of the bytes.
    #[must_use]
    pub fn to_vec(&mut self) -> Vec<u8> {
        self.bytes_mut().to_vec()
    }

    /// A copy of the metadata.
    #[must_use]
    pub fn metadata(&mut self) -> Vec<u8> {
        let (meta, len) = (self.meta, self.start - self.meta);
        self.room(meta, len).to_vec()
    }

    /// The bytes from `at` on; None when they are not all inside.
    pub fn slice(&mut self, at: usize, len: usize) -> Option<GuestBytes<'_>> {
        self.bytes_mut().slice(at, len)
    }

    /// Addresses of the metadata, the start and the end.
    pub(crate) fn addresses(&mut self) -> [u64; 3] {
        let base = self.base();
        [self.meta, self.start, self.end].map(|at| base + at as u64)
    }

    /// Moves the start; metadata moves along.
    ///
    /// # Errors
    ///
    /// EINVAL when that leaves the room before it, or no Ethernet header.
    pub fn adjust_head(&mut self, delta: i64) -> Result<(), Errno> {
        const ETHERNET: usize = 14;
        let start = (self.start as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let start = start.ok_or(Errno::EINVAL)?;
        let kept = self.start - self.meta;
        if start < kept || start + ETHERNET > self.end {
            return Err(Errno::EINVAL);
        }
        if kept > 0 {
            let (from, meta) = (self.meta, start - kept);
            let bytes = self.room(from, kept).to_vec();
            self.room(meta, kept).write(&bytes);
        }
        self.meta = start - kept;
        self.start = start;
        Ok(())
    }

    /// Moves the end; new bytes are 0.
    ///
    /// # Errors
    ///
    /// EINVAL when that leaves the room behind it, or no Ethernet header.
    pub fn adjust_tail(&mut self, delta: i64) -> Result<(), Errno> {
        const ETHERNET: usize = 14;
        let end = (self.end as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let end = end.ok_or(Errno::EINVAL)?;
        if end > self.size || end < self.start + ETHERNET {
            return Err(Errno::EINVAL);
        }
        if end > self.end {
            let (at, len) = (self.end, end - self.end);
            self.room(at, len).fill(0);
        }
        self.end = end;
        Ok(())
    }

    /// Moves the start of the metadata.
    ///
    /// # Errors
    ///
    /// EINVAL when it would not be a multiple of 4 bytes, longer than 252, or leave the room.
    pub fn adjust_meta(&mut self, delta: i64) -> Result<(), Errno> {
        const LONGEST: usize = 252;
        let meta = (self.meta as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let meta = meta.filter(|&meta| meta <= self.start).ok_or(Errno::EINVAL)?;
        let len = self.start - meta;
        if !len.is_multiple_of(4) || len > LONGEST {
            return Err(Errno::EINVAL);
        }
        self.meta = meta;
        Ok(())
    }
}
