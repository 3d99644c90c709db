//! From a call to the host's function.
#![allow(unsafe_code)]

use std::any::Any;
use std::hint::cold_path;
use std::panic::{AssertUnwindSafe, catch_unwind};

use probity_platform::{HostBinding, HostCall};

use super::arguments::{Taking, sealed::TakeAll};
use super::bindings::HostFunction;
use super::result::{check_range, sealed::Give};
use super::scope::HostRun;
use crate::fault::{RunError, message};
use crate::run::{Left, Returned, Run};

impl Taking<'_> {
    /// The row of the callable.
    pub(super) fn row(&self) -> Option<&'static HostCall> {
        match self.run.unit.platform.callable_at(self.number)?.host {
            HostBinding::Call(call) => Some(call),
            _ => None,
        }
    }
}

/// The raw function of a host's function. A panic in it ends the run.
///
/// # Safety
///
/// See [`RawFn`](crate::run::RawFn); the function was found to be made for the callable of the call.
pub(super) unsafe extern "C" fn shim<H: 'static, F: HostFunction<H>>(
    r1: u64,
    r2: u64,
    r3: u64,
    r4: u64,
    r5: u64,
    run: *mut Run<'static>,
) -> Returned {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    // SAFETY: the function is called for a unit that was linked with the functions of an `H`, so that what
    // is lent is one, or nobody (`LentHost`). It is reached from here only, until the function calls back
    // with the host in its hands (`Callback::call`).
    let Some(host) = (unsafe { run.host.get::<H>() }) else { return nobody(run) };
    let call = Taking { run, regs: [r1, r2, r3, r4, r5], callable: F::NAME, number: F::NUMBER };
    // SAFETY: as above.
    let result = catch_unwind(AssertUnwindSafe(|| unsafe { call_host::<H, F>(host, call) }));
    match result {
        Ok(Ok(value)) => Returned::value(value),
        Ok(Err(Left)) => Returned::leave(),
        Err(panic) => panicked(run, F::NAME, panic),
    }
}

#[cold]
#[inline(never)]
fn panicked(run: &mut Run<'static>, callable: &'static str, panic: Box<dyn Any + Send>) -> Returned {
    let _ = run.leave(RunError::Panic { callable, message: message(panic.as_ref()) });
    Returned::leave()
}

#[cold]
#[inline(never)]
fn nobody(run: &mut Run<'static>) -> Returned {
    let _ = run.leave(RunError::NoHost);
    Returned::leave()
}

/// The arguments of a call are gone: so is what it kept for them while it called back.
#[cold]
fn settle(run: &mut Run<'static>) {
    if run.held.settle()
        && let Some(packet) = run.packet.get()
    {
        packet.forget_old();
    }
}

/// What is good until a callable is called ends with it, in whatever overload.
fn end_lifetimes(run: &mut Run<'static>, number: u16) {
    let platform = run.unit.platform;
    let Some(called) = platform.callable_at(number) else { return };
    run.held.end(|at| platform.callable_at(at).is_some_and(|row| row.is(called)));
}

/// # Safety
///
/// See [`shim`].
#[inline(always)]
unsafe fn call_host<H: 'static, F: HostFunction<H>>(host: &mut H, mut call: Taking<'_>) -> Result<u64, Left> {
    // SAFETY: the arguments of the call are what the types of the function stand for (`shape::check`), and
    // what they point to is there as long as the call.
    let args = unsafe { F::Args::take_all(&mut call, F::REGISTERS) }?;
    let value = F::call(host, &mut HostRun { run: call.run, callable: F::NAME }, args);
    if call.run.held.has_called_back() {
        settle(call.run);
    }
    if call.run.has_failed() {
        // What the function gave is not to wait for this.
        cold_path();
        return Err(Left);
    }
    if F::ENDS_LIFETIMES {
        end_lifetimes(call.run, F::NUMBER);
    }
    let value = value.give(&mut call)?;
    if F::RANGED
        && let Some(row) = call.row()
    {
        return check_range(&mut call, row.returns, value);
    }
    Ok(value)
}
