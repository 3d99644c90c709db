//! Dynptrs: 16 bytes of the stack with the address of some memory, its size, and whether it may be
//! written. All zeros is a null dynptr.

use probity_isa::Size;

use super::{Args, Body};
use crate::errno::{Errno, status};
use crate::guest::GuestBytes;
use crate::maps::Copied;
use crate::run::{Left, Run};

/// Bytes of the object.
pub(crate) const BYTES: usize = 16;
const ADDRESS: usize = 0;
const LENGTH: usize = 8;
/// The largest memory behind one.
const LARGEST: u64 = 0xff_ffff;
/// Set in the word of the length when the memory is read only.
const READ_ONLY: u64 = 1 << 31;

/// What a dynptr says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dynptr {
    /// Where the memory begins; not 0.
    pub(crate) address: u64,
    /// How many bytes it has.
    pub(crate) len: u64,
    /// Whether it may not be written.
    pub(crate) read_only: bool,
}

/// What an object's bytes say; None when it is null.
pub(crate) fn memory_behind(object: &[u8]) -> Option<Dynptr> {
    Dynptr::of(Copied::of(object).bytes())
}

impl Dynptr {
    /// The dynptr in an argument; None when it is null.
    pub(super) fn load(args: Args<'_>, index: usize) -> Option<Dynptr> {
        Dynptr::of(args.memory(index, BYTES))
    }

    fn of(object: GuestBytes<'_>) -> Option<Dynptr> {
        let (address, word) = (object.get(ADDRESS, Size::Dw)?, object.get(LENGTH, Size::W)?);
        (address != 0).then_some(Dynptr { address, len: word & LARGEST, read_only: word & READ_ONLY != 0 })
    }

    /// Makes the dynptr in an argument; None makes it null.
    pub(super) fn store(args: Args<'_>, index: usize, dynptr: Option<Dynptr>) {
        let object = args.memory(index, BYTES);
        object.fill(0);
        let Some(Dynptr { address, len, read_only }) = dynptr else { return };
        // Both are inside.
        let _ = object.set(ADDRESS, Size::Dw, address);
        let _ = object.set(LENGTH, Size::W, len | if read_only { READ_ONLY } else { 0 });
    }

    /// The address of `len` bytes at an offset.
    pub(super) fn part(self, offset: u64, len: u64) -> Result<u64, Errno> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len);
        if inside { Ok(self.address + offset) } else { Err(Errno::E2BIG) }
    }
}

/// Checks the size of memory that a dynptr is made of.
pub(super) fn check_size(len: u64) -> Result<(), Errno> {
    if len > LARGEST { Err(Errno::E2BIG) } else { Ok(()) }
}

/// `(memory, its size, flags, dynptr)`.
pub(super) struct FromMem;

impl Body for FromMem {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let (address, len) = (args.number(0), args.number(1));
        let flags = if args.number(2) == 0 { Ok(()) } else { Err(Errno::EINVAL) };
        let made = check_size(len).and(flags);
        Dynptr::store(args, 3, made.is_ok().then_some(Dynptr { address, len, read_only: false }));
        Ok(status(made))
    }
}

/// The memory of a dynptr's part.
fn memory<'m>(
    args: Args<'m>,
    index: usize,
    offset: u64,
    len: u64,
    write: bool,
) -> Result<GuestBytes<'m>, Errno> {
    let dynptr = Dynptr::load(args, index).ok_or(Errno::EINVAL)?;
    if write && dynptr.read_only {
        return Err(Errno::EINVAL);
    }
    dynptr.part(offset, len)?;
    let all = args.behind(index, ADDRESS, dynptr.len as usize);
    all.slice(offset as usize, len as usize).ok_or(Errno::E2BIG)
}

/// `(to, length, dynptr, offset, flags)`.
pub(super) struct Read;

impl Body for Read {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        if args.number(4) != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        let from = memory(args, 2, args.number(3), args.number(1), false);
        Ok(status(from.map(|from| args.bytes(0, 1).move_from(&from))))
    }
}

/// `(dynptr, offset, from, length, flags)`.
pub(super) struct Write;

impl Body for Write {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let to = memory(args, 0, args.number(1), args.number(3), true);
        Ok(status(to.and_then(|to| match args.number(4) {
            0 => {
                to.move_from(&args.bytes(2, 3));
                Ok(())
            }
            _ => Err(Errno::EINVAL),
        })))
    }
}

/// `(dynptr, offset, length)`: an address, or 0.
pub(super) struct Data;

impl Body for Data {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let dynptr = Dynptr::load(args, 0).filter(|dynptr| !dynptr.read_only);
        let part = dynptr.and_then(|dynptr| dynptr.part(args.number(1), args.number(2)).ok());
        Ok(part.unwrap_or(0))
    }
}
