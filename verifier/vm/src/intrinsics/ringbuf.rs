//! Ring buffers.
#![allow(unsafe_code)]

use super::dynptr::{Dynptr, check_size};
use super::{Args, Body};
use crate::errno::{Errno, status};
use crate::maps::{
    Copied, Kind, Map,
    ring::{FORCE_WAKEUP, NO_WAKEUP, Ring},
    user_ring::MAX_SAMPLES,
};
use crate::run::{Left, Run};

/// Reserves a record of a ring buffer and notes that the run has it: its address, 0 when there is no
/// room.
pub(crate) fn reserve(run: &mut Run<'_>, map: &Map, len: u64) -> u64 {
    let Kind::Ring(ring) = &map.kind else { return 0 };
    let Some(record) = ring.reserve(len) else { return 0 };
    run.records.push(record.address());
    record.address()
}

/// Hands a record on that the run has; nothing for one that it does not have.
pub(crate) fn submit(run: &mut Run<'_>, record: u64, flags: u64) {
    finish(run, record, false, flags);
}

/// Gives a record up that the run has; nothing for one that it does not have.
pub(crate) fn discard(run: &mut Run<'_>, record: u64, flags: u64) {
    finish(run, record, true, flags);
}

fn finish(run: &mut Run<'_>, record: u64, gives_up: bool, flags: u64) {
    let Some(index) = run.records.iter().rposition(|&noted| noted == record) else { return };
    run.records.swap_remove(index);
    // It is the program's no more.
    run.forget(record);
    // SAFETY: the run had reserved it, and has it no more; the ring is kept by the program or by the
    // run's guard.
    unsafe { Ring::finish(record, gives_up, flags) };
}

/// Gives up all records that the run has: it is over.
pub(crate) fn give_back(run: &mut Run<'_>) {
    while let Some(&record) = run.records.last() {
        discard(run, record, 0);
    }
}

/// `(map, data, length, flags)`.
pub(super) struct Output;

impl Body for Output {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let Kind::Ring(ring) = &args.map(0).kind else { return Ok(Errno::EINVAL.to_r0()) };
        Ok(status(ring.output(args.bytes(1, 2), args.number(3))))
    }
}

/// `(map, length, flags)`: an address, or 0.
pub(super) struct Reserve;

impl Body for Reserve {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        if args.number(2) != 0 {
            return Ok(0);
        }
        Ok(reserve(run, args.map(0), args.number(1)))
    }
}

/// `(record, flags)`.
pub(super) struct Submit;

impl Body for Submit {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        submit(run, args.number(0), args.number(1));
        Ok(0)
    }
}

/// `(record, flags)`.
pub(super) struct Discard;

impl Body for Discard {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        discard(run, args.number(0), args.number(1));
        Ok(0)
    }
}

/// `(map, question)`.
pub(super) struct Query;

impl Body for Query {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let Kind::Ring(ring) = &args.map(0).kind else { return Ok(0) };
        Ok(ring.query(args.number(1)))
    }
}

/// `(map, length, flags, dynptr)`.
pub(super) struct ReserveDynptr;

impl Body for ReserveDynptr {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        // The length has 32 bits.
        let len = args.number(1) & u64::from(u32::MAX);
        let flags = if args.number(2) == 0 { Ok(()) } else { Err(Errno::EINVAL) };
        let reserved = flags.and(check_size(len)).and_then(|()| match reserve(run, args.map(0), len) {
            0 => Err(Errno::EINVAL),
            address => Ok(Dynptr { address, len, read_only: false }),
        });
        Dynptr::store(args, 3, reserved.ok());
        Ok(status(reserved.map(drop)))
    }
}

/// What becomes of the record of a dynptr; nothing of a null one.
fn finish_dynptr(run: &mut Run<'_>, args: Args<'_>, gives_up: bool) {
    if let Some(dynptr) = Dynptr::load(args, 0) {
        finish(run, dynptr.address, gives_up, args.number(1));
        Dynptr::store(args, 0, None);
    }
}

/// `(dynptr, flags)`.
pub(super) struct SubmitDynptr;

impl Body for SubmitDynptr {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        finish_dynptr(run, args, false);
        Ok(0)
    }
}

/// `(dynptr, flags)`.
pub(super) struct DiscardDynptr;

impl Body for DiscardDynptr {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        finish_dynptr(run, args, true);
        Ok(0)
    }
}

/// `(map, function, context, flags)`: calls back with a dynptr for each record of user space.
pub(super) struct Drain;

impl Body for Drain {
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let Kind::UserRing(ring) = &args.map(0).kind else { return Ok(Errno::EINVAL.to_r0()) };
        let flags = args.number(3);
        if flags & !(NO_WAKEUP | FORCE_WAKEUP) != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        let reading = match ring.read() {
            Ok(reading) => reading,
            Err(errno) => return Ok(errno.to_r0()),
        };
        let mut read = 0;
        while read < MAX_SAMPLES {
            let Some(sample) = reading.sample() else { break };
            // As `dynptr` has them: the address, then the length.
            let mut object = [0; 16];
            object[..8].copy_from_slice(&sample.address().to_ne_bytes());
            object[8..12].copy_from_slice(&(sample.len() as u32).to_ne_bytes());
            let object = Copied::of(&object);
            let object = object.bytes();
            let result =
                run.call_back_with(args.number(1), object, [object.address(), args.number(2), 0, 0, 0]);
            reading.release(sample);
            read += 1;
            if result? != 0 {
                break;
            }
        }
        drop(reading);
        if flags & FORCE_WAKEUP != 0 || (read > 0 && flags & NO_WAKEUP == 0) {
            ring.wake();
        }
        Ok(u64::from(read))
    }
}
