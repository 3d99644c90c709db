//! Spin locks in values of maps.

use super::{Args, Body};
use crate::fault::RunError;
use crate::run::{Left, Run};

/// `(lock)`.
pub(super) struct Lock;

impl Body for Lock {
    // A program that was not verified may take a lock twice.
    const MAY_LEAVE: bool = true;

    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        // Types may put a lock anywhere in a value, and a map's own tables do not look.
        if !args.number(0).is_multiple_of(4) {
            return Err(run.leave(RunError::Internal("a lock is not aligned")));
        }
        let lock = args.lock(0);
        if run.locks.contains(&lock) {
            return Err(run.leave(RunError::Internal("a lock is taken by the run that holds it")));
        }
        lock.wait();
        run.locks.push(lock);
        Ok(0)
    }
}

/// `(lock)`.
pub(super) struct Unlock;

impl Body for Unlock {
    fn call(run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let lock = args.lock(0);
        // Only who holds it may give it back: others would break in on who does.
        if let Some(place) = run.locks.iter().position(|&held| held == lock) {
            run.locks.swap_remove(place);
            lock.give();
        }
        Ok(0)
    }
}
