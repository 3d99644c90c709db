//! What a run leaves behind when it ends early is given back as programs would have given it back.
#![allow(unsafe_code)]

use super::held::{Held, Last};
use crate::run::Run;
use crate::unit::Unit;

/// Gives back what a run leaves behind, the newest first, by the functions of the host that programs
/// would have called. What has none is dropped. `entered` is the program that the run began with.
pub(crate) fn give_back(run: &mut Run<'_>, entered: &Unit) {
    run.held.begin_end();
    // A function that gives back may be given something in turn, but not for ever.
    for _ in 0..4096 + run.held.owed() {
        match run.held.last() {
            None => break,
            Some(Last::Reference(start, by)) => {
                call(run, entered, by, start);
                // Unless the function took it.
                run.held.release(start);
            }
            Some(Last::Stacked(at, by)) => {
                let mut object = [at as u64 + 1];
                call(run, entered, by, object.as_mut_ptr() as u64);
                run.held.forget(at);
            }
        }
    }
    run.held = Held::default();
}

/// Calls a function of the host with a first argument; the others are 0, as all of them are numbers.
fn call(run: &mut Run<'_>, entered: &Unit, callable: Option<u16>, first: u64) {
    // A tail call may have left a program on that has another host's functions, or none.
    let lent = run.host.type_id();
    let linked = [run.unit, entered].into_iter().filter_map(|unit| unit.host.as_ref());
    let Some(linked) = linked.into_iter().find(|linked| Some(linked.host()) == lent) else { return };
    let Some(raw) = callable.and_then(|callable| linked.function(callable)) else { return };
    let failure = run.failure.take();
    let run = std::ptr::from_mut(run).cast::<Run<'static>>();
    // SAFETY: the function takes a reference or an object in the stack first, and numbers beside it
    // (`HostCall::given_back_by`): this is one that the run holds. Of an object in the stack only the
    // first word is looked at, and written. The host is of the type that the function is for. The run is
    // the one that is on.
    unsafe {
        raw(first, 0, 0, 0, 0, run);
        (*run).failure = failure;
    }
}
