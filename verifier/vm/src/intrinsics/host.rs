//! Calls of the host.

use std::any::Any;

use crate::run::{Returned, Run};

/// The raw function of host callables that have none of their own.
///
/// # Safety
///
/// See [`RawFn`](crate::run::RawFn).
#[allow(unsafe_code)]
pub(crate) unsafe extern "C" fn raw(
    _r1: u64,
    _r2: u64,
    _r3: u64,
    _r4: u64,
    _r5: u64,
    run: *mut Run<'static>,
) -> Returned {
    // SAFETY: the run that is on, which nobody else uses until this returns.
    let run = unsafe { &mut *run };
    let _ = run.leave(crate::fault::RunError::Internal("no host was given"));
    Returned::leave()
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
