//! Ring buffers from user space: who reads records of programs, and who writes records for them.

use std::sync::Arc;
use std::time::Duration;

use super::{Kind, Map};
use crate::errno::Errno;

/// Reads the records of a ring buffer. Clones read the same ones: each record is read once.
#[derive(Clone, Debug)]
pub struct RingConsumer(Arc<Map>);

impl RingConsumer {
    /// A reader; None when the map is no ring buffer.
    #[must_use]
    pub fn new(map: Arc<Map>) -> Option<RingConsumer> {
        matches!(map.kind, Kind::Ring(_)).then_some(RingConsumer(map))
    }

    /// The next record that was handed on, when there is one.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "none now does not mean none later")]
    pub fn next(&self) -> Option<Vec<u8>> {
        match &self.0.kind {
            Kind::Ring(ring) => ring.next(),
            _ => None,
        }
    }

    /// As [`RingConsumer::next`], and waits for one that a program wakes it for, at most so long.
    #[must_use]
    pub fn next_timeout(&self, timeout: Duration) -> Option<Vec<u8>> {
        match &self.0.kind {
            Kind::Ring(ring) => ring.wait(timeout),
            _ => None,
        }
    }
}

/// Writes the records of a user ring buffer.
#[derive(Clone, Debug)]
pub struct RingProducer(Arc<Map>);

impl RingProducer {
    /// A writer; None when the map is no user ring buffer.
    #[must_use]
    pub fn new(map: Arc<Map>) -> Option<RingProducer> {
        matches!(map.kind, Kind::UserRing(_)).then_some(RingProducer(map))
    }

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when there is no room now, `E2BIG` when there never is.
    pub fn push(&self, record: &[u8]) -> Result<(), Errno> {
        match &self.0.kind {
            Kind::UserRing(ring) => ring.push(record),
            _ => Err(Errno::EINVAL),
        }
    }

    /// As [`RingProducer::push`], and waits for room until a program has read, at most so long.
    ///
    /// # Errors
    ///
    /// As [`RingProducer::push`].
    pub fn push_timeout(&self, record: &[u8], timeout: Duration) -> Result<(), Errno> {
        match &self.0.kind {
            Kind::UserRing(ring) => ring.push_wait(record, timeout),
            _ => Err(Errno::EINVAL),
        }
    }
}
