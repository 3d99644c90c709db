//! Queues and stacks. Programs only ever get copies.

use std::sync::Mutex;

use super::flags::{ANY, EXIST};
use super::locked;
use super::memory::Slab;
use crate::errno::Errno;
use crate::guest::GuestBytes;

/// A queue or a stack.
#[derive(Debug)]
pub(crate) struct Queue {
    values: Slab,
    value_size: usize,
    stride: usize,
    max_entries: usize,
    last_first: bool,
    state: Mutex<State>,
}

/// The oldest value's place, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    first: usize,
    len: usize,
}

impl Queue {
    /// `last_first` for a stack; None without memory.
    pub(crate) fn new(value_size: u32, max_entries: u32, last_first: bool) -> Option<Queue> {
        let (value_size, max_entries) = (value_size as usize, max_entries as usize);
        let stride = value_size.checked_next_multiple_of(8)?;
        let values = Slab::new(stride.checked_mul(max_entries)?)?;
        Some(Queue { values, value_size, stride, max_entries, last_first, state: Mutex::default() })
    }

    fn value(&self, place: usize) -> GuestBytes<'_> {
        let at = place % self.max_entries * self.stride;
        self.values.bytes(at, self.value_size).unwrap_or(GuestBytes::empty())
    }

    pub(crate) fn push(&self, value: GuestBytes<'_>, flags: u64) -> Result<(), Errno> {
        if flags != ANY && flags != EXIST {
            return Err(Errno::EINVAL);
        }
        let mut state = locked(&self.state);
        if state.len == self.max_entries {
            if flags != EXIST {
                return Err(Errno::E2BIG);
            }
            // The oldest goes, of a stack too.
            *state = State { first: (state.first + 1) % self.max_entries, len: state.len - 1 };
        }
        self.value(state.first + state.len).copy_from(&value);
        state.len += 1;
        Ok(())
    }

    /// Reads the next value; without one `value` gets zeros.
    pub(crate) fn peek(&self, value: GuestBytes<'_>) -> Result<(), Errno> {
        self.next(value, false)
    }

    /// As [`Queue::peek`], and takes it out.
    pub(crate) fn pop(&self, value: GuestBytes<'_>) -> Result<(), Errno> {
        self.next(value, true)
    }

    fn next(&self, value: GuestBytes<'_>, takes: bool) -> Result<(), Errno> {
        let mut state = locked(&self.state);
        if state.len == 0 {
            value.fill(0);
            return Err(Errno::ENOENT);
        }
        let place = if self.last_first { state.first + state.len - 1 } else { state.first };
        value.copy_from(&self.value(place));
        if takes {
            state.len -= 1;
            if !self.last_first {
                state.first = (state.first + 1) % self.max_entries;
            }
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        locked(&self.state).len
    }
}
