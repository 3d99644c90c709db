//! New values of updates.

use crate::guest::GuestBytes;

/// What an update puts in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum New<'v> {
    /// A value, of this run slot where slots have values of their own.
    Of(u32, GuestBytes<'v>),
    /// The values of all run slots, one after the other, each filled up to a multiple of 8 bytes. The
    /// value where slots have none of their own.
    All(GuestBytes<'v>),
}

impl<'v> New<'v> {
    /// What a run slot gets.
    pub(crate) fn part(self, slot: u32, stride: usize, len: usize) -> GuestBytes<'v> {
        match self {
            New::Of(_, value) => value,
            New::All(values) => values.slice(slot as usize * stride, len).unwrap_or(GuestBytes::empty()),
        }
    }
}
