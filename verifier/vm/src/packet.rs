//! A packet: bytes with room before and behind, and metadata in front. Where its bounds may go is
//! measured at Linux 6.18, with the room that its test runs give.

use crate::errno::Errno;
use crate::guest::GuestBytes;

/// Room before a packet, in bytes, as Linux gives XDP programs.
pub const HEADROOM: usize = 256;
/// Room for a packet and behind it: what Linux has of a page.
pub const SPACE: usize = 4096 - HEADROOM - 320;
/// The least room behind a packet.
pub const TAILROOM: usize = 512;

/// The first bytes of the room, which Linux keeps for itself.
const RESERVED: usize = 40;
/// Room before a packet that may move, until Linux makes it anew.
const FRONT: usize = 64;
/// Bytes of an Ethernet header: no packet gets shorter.
const ETHERNET: usize = 14;
/// The longest that a packet can be made which may move.
const LONGEST: usize = 16064;

/// A packet. While its bounds move its bytes don't, but where they are made to fit a new length
/// ([`change_len`](Packet::change_len), [`add_front`](Packet::add_front)).
#[derive(Debug)]
pub struct Packet {
    // Words, so that the buffer is aligned; only reached by guest accesses while a program runs.
    buffer: Box<[u64]>,
    size: usize,
    meta: usize,
    start: usize,
    end: usize,
    /// Where the link header begins, and the network header.
    link: usize,
    network: usize,
    /// Bytes that were added in front.
    added: usize,
    /// Where it was before it moved, while somebody may have that memory.
    old: Vec<Box<[u64]>>,
    keeps_old: bool,
}

impl Packet {
    /// A packet with these bytes and room around them. It begins with a link header.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Packet {
        Packet::with_room(bytes, HEADROOM, SPACE.saturating_sub(bytes.len()).max(TAILROOM))
    }

    /// A packet with these bytes, of which programs see what is behind the link header.
    #[must_use]
    pub fn behind_link_header(bytes: &[u8]) -> Packet {
        let mut packet = Packet::new(bytes);
        packet.start = packet.network.min(packet.end);
        packet.meta = packet.start;
        packet
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
            link: headroom,
            network: headroom + ETHERNET,
            added: 0,
            old: Vec::new(),
            keeps_old: false,
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

    /// Bytes counted from the network header on, or from the link header.
    pub(crate) fn header(&mut self, network: bool, at: usize, len: usize) -> Option<GuestBytes<'_>> {
        let at = at.checked_add(if network { self.network } else { self.link })?;
        (at.checked_add(len)? <= self.end).then(|| self.room(at, len))
    }

    /// Addresses of the metadata, the start and the end.
    #[inline]
    #[must_use]
    pub fn addresses(&mut self) -> [u64; 3] {
        let base = self.base();
        [self.meta, self.start, self.end].map(|at| base + at as u64)
    }

    /// Moves the start; metadata moves along.
    ///
    /// # Errors
    ///
    /// EINVAL when that leaves the room before it, or no Ethernet header.
    pub fn adjust_head(&mut self, delta: i64) -> Result<(), Errno> {
        let start = (self.start as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let start = start.ok_or(Errno::EINVAL)?;
        let kept = self.start - self.meta;
        if start < RESERVED + kept || start + ETHERNET > self.end {
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
        let end = (self.end as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let end = end.ok_or(Errno::EINVAL)?;
        if end > self.size || end < self.start + ETHERNET {
            return Err(Errno::EINVAL);
        }
        self.set_end(end);
        Ok(())
    }

    /// Sets the end; new bytes are 0.
    fn set_end(&mut self, end: usize) {
        if end > self.end {
            let (at, len) = (self.end, end - self.end);
            self.room(at, len).fill(0);
        }
        self.end = end;
    }

    /// Moves the start of the metadata.
    ///
    /// # Errors
    ///
    /// EINVAL when it would leave the room or begin in the packet, EACCES when its length is no
    /// multiple of 4, or more than 252.
    pub fn adjust_meta(&mut self, delta: i64) -> Result<(), Errno> {
        const LONGEST: usize = 252;
        let meta = (self.meta as i64).checked_add(delta).and_then(|at| usize::try_from(at).ok());
        let meta = meta.filter(|&meta| (RESERVED..=self.start).contains(&meta)).ok_or(Errno::EINVAL)?;
        let len = self.start - meta;
        if !len.is_multiple_of(4) || len > LONGEST {
            return Err(Errno::EACCES);
        }
        self.meta = meta;
        Ok(())
    }

    /// Makes it longer or shorter at its end; new bytes are 0. It may move.
    ///
    /// # Errors
    ///
    /// EINVAL when the link header would not be left whole, or for more than 16064 bytes.
    pub fn change_len(&mut self, len: usize) -> Result<(), Errno> {
        if !(self.least()..=LONGEST).contains(&len) {
            return Err(Errno::EINVAL);
        }
        self.make_room(0, (self.start + len).saturating_sub(self.size));
        self.set_end(self.start + len);
        Ok(())
    }

    /// The least length: the network header stays whole. Once Linux has made new room in front, it takes
    /// a transport header that was never set for one that stands a byte before the first packet's room,
    /// and keeps what is before that.
    fn least(&self) -> usize {
        match self.added.saturating_sub(FRONT + 1) {
            0 => self.network.saturating_sub(self.start),
            before => before,
        }
    }

    /// Adds bytes of 0 in front, which are the link header then. It may move.
    ///
    /// # Errors
    ///
    /// EINVAL when it would have more than 16064 bytes.
    pub fn add_front(&mut self, count: usize) -> Result<(), Errno> {
        if self.len().checked_add(count).is_none_or(|len| len > LONGEST) {
            return Err(Errno::EINVAL);
        }
        self.make_room((RESERVED + count).saturating_sub(self.start), 0);
        self.start -= count;
        self.added += count;
        (self.meta, self.link) = (self.start, self.start);
        let at = self.start;
        self.room(at, count).fill(0);
        Ok(())
    }

    /// Keeps the memory that it moves away from: a function of the host that calls back has some of it.
    pub(crate) fn keep_old(&mut self) {
        self.keeps_old = true;
    }

    /// Nobody has it any more.
    pub(crate) fn forget_old(&mut self) {
        self.keeps_old = false;
        self.old.clear();
    }

    /// Moves all of it to where there is more room before and behind.
    fn make_room(&mut self, before: usize, behind: usize) {
        if before == 0 && behind == 0 {
            return;
        }
        let (old, size) = (self.size, self.size + before + behind);
        let bytes = self.room(0, old).to_vec();
        let new = vec![0; size.div_ceil(8) + 1].into_boxed_slice();
        let moved = std::mem::replace(&mut self.buffer, new);
        if self.keeps_old {
            self.old.push(moved);
        }
        self.size = size;
        self.room(before, old).write(&bytes);
        for place in [&mut self.meta, &mut self.start, &mut self.end, &mut self.link, &mut self.network] {
            *place += before;
        }
    }
}
