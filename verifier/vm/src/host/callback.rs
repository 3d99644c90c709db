//! Functions of the program that a host's functions call.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use probity_platform::HostValue;

use super::arguments::{Argument, Taking, sealed};
use super::held::Lasts;
use super::lend::LentHost;
use super::object::Shared;
use super::plain::Plain;
use super::scope::HostRun;
use super::shape::{EntryShape, Form, Shape};
use crate::errno::Errno;
use crate::fault::RunError;
use crate::run::{Left, Run};

/// The run is over: nothing that the function gives back is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

impl From<Stop> for Errno {
    fn from(_: Stop) -> Errno {
        Errno::EINTR
    }
}

/// What a register of a callback holds. The list is closed.
pub trait Entry: entry::Sealed {}

mod entry {
    use super::{EntryShape, Placing};

    pub trait Sealed: 'static {
        const SHAPE: EntryShape;

        /// What the host gives for it.
        type Given<'g>;

        /// The register's value.
        fn place(given: Self::Given<'_>, call: &mut Placing<'_>) -> u64;
    }
}

/// What registers are filled with.
#[derive(Debug)]
pub struct Placing<'p> {
    run: &'p mut Run<'static>,
    caller: [u64; 5],
    objects: [Option<u16>; 5],
    at: usize,
    /// What the run holds for the call.
    held: [u64; 5],
}

/// A number, which the host gives.
#[derive(Debug)]
pub struct Given;

impl entry::Sealed for Given {
    const SHAPE: EntryShape = EntryShape::Number;
    type Given<'g> = u64;

    fn place(given: u64, _call: &mut Placing<'_>) -> u64 {
        given
    }
}

impl Entry for Given {}

/// What an argument of the call held.
#[derive(Debug)]
pub struct Caller<const ARGUMENT: u8>;

impl<const ARGUMENT: u8> entry::Sealed for Caller<ARGUMENT> {
    const SHAPE: EntryShape = EntryShape::Caller(ARGUMENT);
    type Given<'g> = ();

    fn place((): (), call: &mut Placing<'_>) -> u64 {
        call.caller[usize::from(ARGUMENT)]
    }
}

impl<const ARGUMENT: u8> Entry for Caller<ARGUMENT> {}

/// Nothing.
impl entry::Sealed for () {
    const SHAPE: EntryShape = EntryShape::Nothing;
    type Given<'g> = ();

    fn place((): (), _call: &mut Placing<'_>) -> u64 {
        0
    }
}

impl Entry for () {}

/// An object of the host's, which the program has as long as the call.
impl<T: Plain> entry::Sealed for Shared<T> {
    const SHAPE: EntryShape = EntryShape::Object(T::SIZE);
    type Given<'g> = &'g Shared<T>;

    fn place(given: &Shared<T>, call: &mut Placing<'_>) -> u64 {
        let (address, slab) = given.clone().into_parts();
        let object = call.objects[call.at];
        call.run.held.keep(address, T::SIZE as u64, object, Lasts::Call, slab);
        call.held[call.at] = address;
        address
    }
}

impl<T: Plain> Entry for Shared<T> {}

/// What the registers of a callback hold: a tuple.
pub trait Entries: entries::Sealed {}

mod entries {
    use super::{EntryShape, Placing};

    pub trait Sealed: 'static {
        const SHAPES: &'static [EntryShape];

        /// What the host gives for them.
        type Given<'g>;

        fn place(given: Self::Given<'_>, call: &mut Placing<'_>) -> [u64; 5];
    }
}

macro_rules! entries {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Entry),*> entries::Sealed for ($($name,)*) {
            const SHAPES: &'static [EntryShape] = &[$($name::SHAPE),*];
            type Given<'g> = ($(<$name as entry::Sealed>::Given<'g>,)*);

            #[allow(unused_variables)]
            fn place(given: Self::Given<'_>, call: &mut Placing<'_>) -> [u64; 5] {
                #[allow(unused_mut)]
                let mut regs = [0; 5];
                $(
                    call.at = $at;
                    regs[$at] = $name::place(given.$at, call);
                )*
                regs
            }
        }

        impl<$($name: Entry),*> Entries for ($($name,)*) {}
    };
}

entries!();
entries!(A 0);
entries!(A 0, B 1);
entries!(A 0, B 1, C 2);
entries!(A 0, B 1, C 2, D 3);
entries!(A 0, B 1, C 2, D 3, E 4);

/// A function of the program, to be called as long as the call lasts that it was passed to.
#[derive(Debug)]
pub struct Callback<'a, E> {
    function: u64,
    caller: [u64; 5],
    objects: [Option<u16>; 5],
    /// How often it may be called.
    left: u64,
    callable: &'static str,
    of: PhantomData<&'a ()>,
    is: PhantomData<fn() -> E>,
}

impl<E: Entries> Callback<'_, E> {
    /// Calls it, and lends it the host meanwhile: the program may call the host's functions in it. Gives
    /// what it returned, which lies in the range that the spec says.
    ///
    /// # Errors
    ///
    /// When the run is over: it ended in the function, or the function was called more often than the
    /// spec says.
    pub fn call<H: 'static>(
        &mut self,
        host: &mut H,
        run: &mut HostRun<'_>,
        given: E::Given<'_>,
    ) -> Result<u64, Stop> {
        let run = &mut *run.run;
        if run.has_failed() {
            return Err(Stop);
        }
        let Some(left) = self.left.checked_sub(1) else {
            let message = "calls back more often than the spec says".to_owned();
            let _ = run.leave(RunError::Host { callable: self.callable, message });
            return Err(Stop);
        };
        self.left = left;
        let mut placing = Placing { run, caller: self.caller, objects: self.objects, at: 0, held: [0; 5] };
        let args = E::place(given, &mut placing);
        let held = placing.held;
        // SAFETY: it is taken back when the guard is dropped, after a panic too and before the borrow of
        // the host ends; what runs between reaches it through the run only.
        let again = unsafe { run.host.again(host) };
        let before = std::mem::replace(&mut run.host, again);
        run.held.deepen();
        if let Some(packet) = run.packet.get() {
            packet.keep_old();
        }
        let lent = Lent { run, before, held };
        let result = lent.run.call_back(self.function, args);
        let has_failed = lent.run.has_failed();
        drop(lent);
        match result {
            Ok(value) if !has_failed => Ok(value),
            _ => Err(Stop),
        }
    }
}

/// The host is lent to a function of the program; dropping this takes it back.
struct Lent<'r> {
    run: &'r mut Run<'static>,
    before: LentHost,
    held: [u64; 5],
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.run.host = self.before;
        self.run.held.rise();
        for start in self.held.into_iter().filter(|&start| start != 0) {
            self.run.held.end_call(start);
        }
    }
}

impl<'a, E: Entries> sealed::Take<'a> for Callback<'a, E> {
    unsafe fn take(call: &mut Taking<'_>, register: u8) -> Result<Self, Left> {
        let row = call.row();
        let value =
            row.and_then(|row| row.args.iter().find(|arg| arg.register == register)).map(|arg| arg.value);
        let Some(HostValue::Callback { entry, times, .. }) = value else {
            return Err(call.run.leave(RunError::Internal("a function of the program that nobody takes")));
        };
        let objects = entry.map(|value| match value {
            probity_platform::HostEntry::Object(object) => Some(object),
            _ => None,
        });
        let left = times.map_or(u64::MAX, |times| u64::try_from(times.value(&call.regs)).unwrap_or(0));
        let (function, caller) = (call.at(register), call.regs);
        Ok(Callback {
            function,
            caller,
            objects,
            left,
            callable: call.callable,
            of: PhantomData,
            is: PhantomData,
        })
    }
}

impl<'a, E: Entries> Argument<'a> for Callback<'a, E> {
    const SHAPE: Shape = Form::Callback(E::SHAPES).shape();
}
