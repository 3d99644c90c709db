//! New values of updates.

use std::sync::OnceLock;

use crate::guest::GuestBytes;

/// The parts of a map's values that updates leave alone: locks and the like, by offset and size, in
/// order. They are known when a program is linked that knows the type of the values.
#[derive(Debug, Default)]
pub(crate) struct Special(OnceLock<Box<[(usize, usize)]>>);

impl Special {
    /// Says which they are; the first word counts.
    pub(crate) fn set(&self, mut parts: Vec<(usize, usize)>) {
        parts.sort_unstable();
        let _ = self.0.set(parts.into());
    }

    /// Copies a value, all but these parts.
    pub(crate) fn copy(&self, to: GuestBytes<'_>, from: GuestBytes<'_>) {
        let Some(parts) = self.0.get() else { return to.copy_from(&from) };
        let mut at = 0;
        let ends = parts.iter().copied().chain([(to.len(), 0)]);
        for (start, len) in ends {
            let between = start.saturating_sub(at);
            if let (Some(to), Some(from)) = (to.slice(at, between), from.slice(at, between)) {
                to.copy_from(&from);
            }
            at = start + len;
        }
    }
}

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
