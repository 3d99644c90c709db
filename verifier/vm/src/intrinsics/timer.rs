//! Timers in values of maps.

use super::{Args, Body};
use crate::errno::{Errno, status};
use crate::run::{Left, Run};
use crate::runtime::ClockKind;
use crate::timers::{Callback, Element, Field};

/// Bytes of a timer.
const BYTES: usize = 16;
/// Of a start: the time is one of the clock, not from now on.
const ABSOLUTE: u64 = 1;
/// Of a start: on this processor. Which one it is on is the host's matter here.
const PINNED: u64 = 2;

/// The clocks by their numbers.
fn clock(flags: u64) -> Result<ClockKind, Errno> {
    match flags {
        0 => Ok(ClockKind::Real),
        1 => Ok(ClockKind::Monotonic),
        7 => Ok(ClockKind::Boot),
        _ => Err(Errno::EINVAL),
    }
}

fn field<'m>(args: Args<'m>) -> Field<'m> {
    Field(args.memory(0, BYTES))
}

/// `(timer, map, flags)`.
pub(super) struct Init;

impl Body for Init {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let map = args.map(1);
        let init = || {
            let clock = clock(args.number(2))?;
            let (value, key) = args.element(0, map, run).ok_or(Errno::EINVAL)?;
            let element = Element { map: map.this(), value, key };
            run.worker.shared.timers.init(field(args), element, clock)
        };
        Ok(status(init()))
    }
}

/// `(timer, function)`.
pub(super) struct SetCallback;

impl Body for SetCallback {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let function = args.number(1);
        // The program must stay for as long as the timer has its function. What the function's value
        // means, the engine that is on knows.
        let unit = run.unit_of(function).and_then(|unit| unit.this.upgrade());
        let (Some(unit), Some(engine)) = (unit, run.call_back) else {
            return Ok(Errno::EINVAL.to_r0());
        };
        let callback = Callback { unit, engine, function };
        Ok(status(run.worker.shared.timers.set_callback(field(args), callback)))
    }
}

/// `(timer, nanoseconds, flags)`.
pub(super) struct Start;

impl Body for Start {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let flags = args.number(2);
        if flags & !(ABSOLUTE | PINNED) != 0 {
            return Ok(Errno::EINVAL.to_r0());
        }
        let shared = &run.worker.shared;
        let when = |clock| match flags & ABSOLUTE {
            0 => shared.clock.now(clock).saturating_add(args.number(1)),
            _ => args.number(1),
        };
        Ok(status(shared.timers.start(field(args), when)))
    }
}

/// `(timer)`: 1 when it was running.
pub(super) struct Cancel;

impl Body for Cancel {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let cancelled = run.worker.shared.timers.cancel(field(args), run.timer);
        Ok(cancelled.map_or_else(Errno::to_r0, u64::from))
    }
}
