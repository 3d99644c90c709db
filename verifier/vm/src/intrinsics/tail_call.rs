//! Tail calls.
#![allow(unsafe_code)]

use crate::maps::{Kind, Map, Pinned};
use crate::run::{MAX_TAIL_CALLS, Returned, Run};
use crate::unit::Unit;

/// The program at an index of a map of programs, when there is one and the run may make one more
/// tail call.
pub(crate) fn target<'u>(run: &mut Run<'u>, map: u64, index: u64) -> Option<&'u Unit> {
    // SAFETY: the map of a call is one of the program, which lives as long as the run, or an inner
    // one, which the run's guard keeps.
    let map: &'u Map = unsafe { &*(map as *const Map) };
    let Kind::Programs(programs) = &map.kind else { return None };
    if run.tail_calls >= MAX_TAIL_CALLS {
        return None;
    }
    // SAFETY: a program with such a map is guarded, so that what is in it stays as long as the run.
    let pinned = unsafe { Pinned::<'u>::as_promised() };
    // The index is a number of 32 bits.
    let unit = programs.get(index as u32, pinned).filter(|unit| run.slot < unit.slots)?;
    run.tail_calls += 1;
    Some(unit)
}

/// The raw function, for machine code: `(context, map, index)`. Gives the address of the machine code
/// to jump to, and makes its program the one that is on; 0 when the run goes on where it is.
///
/// # Safety
///
/// See [`RawFn`](crate::run::RawFn).
pub(crate) unsafe extern "C" fn raw(
    _context: u64,
    map: u64,
    index: u64,
    _r4: u64,
    _r5: u64,
    run: *mut Run<'static>,
) -> Returned {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    let made = run.tail_calls;
    let Some(unit) = target(run, map, index) else { return Returned::value(0) };
    let Some(native) = unit.native() else {
        // Arrays that machine code uses have no such entries.
        run.tail_calls = made;
        return Returned::value(0);
    };
    run.passed.push(run.unit);
    run.go_on(unit);
    run.call_back = Some(native.call_back);
    Returned::value(native.tail_entry as u64)
}
