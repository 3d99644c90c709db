//! Iterators over numbers. Such an iterator is 8 bytes of the stack: the number that was given last,
//! and the end. Of an empty one both are 0.

use probity_isa::Size;

use super::callback::MOST;
use super::{Args, Body};
use crate::errno::Errno;
use crate::guest::GuestBytes;
use crate::run::{Left, Run};

const BYTES: usize = 8;
const LAST: usize = 0;
const END: usize = 4;

fn set(iterator: GuestBytes<'_>, last: i32, end: i32) {
    // Both are inside.
    let _ = iterator.set(LAST, Size::W, last.cast_unsigned().into());
    let _ = iterator.set(END, Size::W, end.cast_unsigned().into());
}

fn get(iterator: GuestBytes<'_>, at: usize) -> i32 {
    iterator.get(at, Size::W).unwrap_or(0) as i32
}

/// `(iterator, start, end)`. It gives a number of 32 bits.
pub(super) struct New;

impl Body for New {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let iterator = args.memory(0, BYTES);
        let (start, end) = (args.number(1) as i32, args.number(2) as i32);
        let error = if start > end {
            Errno::EINVAL
        } else if i64::from(end) - i64::from(start) > MOST.cast_signed() {
            Errno::E2BIG
        } else {
            set(iterator, start.wrapping_sub(1), end);
            return Ok(0);
        };
        set(iterator, 0, 0);
        Ok(u64::from(error.to_r0() as u32))
    }
}

/// `(iterator)`: the address of the number, or 0 at the end.
pub(super) struct Next;

impl Body for Next {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let iterator = args.memory(0, BYTES);
        let (next, end) = (get(iterator, LAST).wrapping_add(1), get(iterator, END));
        if next >= end {
            set(iterator, 0, 0);
            return Ok(0);
        }
        set(iterator, next, end);
        Ok(iterator.address() + LAST as u64)
    }
}

/// `(iterator)`.
pub(super) struct Destroy;

impl Body for Destroy {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        set(args.memory(0, BYTES), 0, 0);
        Ok(0)
    }
}
