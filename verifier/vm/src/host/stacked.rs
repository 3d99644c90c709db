//! Objects in the program's stack behind which the host has a value of its own. The first word of such an
//! object is the value's number in the run; 0 when making it failed. The verifier lets no program write
//! it, and where nothing was verified a wrong number finds nothing.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use probity_isa::Size;

use super::arguments::{Argument, Taking, sealed};
use super::scope::HostRun;
use super::shape::{Form, Shape};
use crate::guest::GuestBytes;
use crate::run::Left;

/// An object in the stack that is used.
#[derive(Debug)]
pub struct Used<V> {
    number: u64,
    is: PhantomData<fn() -> V>,
}

impl<V: 'static> Used<V> {
    /// Does something with its value; None when it has none, because making it failed.
    pub fn with<R>(
        self,
        run: &mut HostRun<'_>,
        act: impl FnOnce(&mut HostRun<'_>, &mut V) -> R,
    ) -> Option<R> {
        let (mut value, by) = run.run.held.take::<V>(self.number, false)?;
        let result = act(run, &mut value);
        run.run.held.put_back(self.number, value, by);
        Some(result)
    }
}

/// An object in the stack that ends.
#[derive(Debug)]
pub struct Ended<V> {
    number: u64,
    is: PhantomData<fn() -> V>,
}

impl<V: 'static> Ended<V> {
    /// Its value; None when it has none, because making it failed.
    pub fn take(self, run: &mut HostRun<'_>) -> Option<V> {
        Some(*run.run.held.take::<V>(self.number, true)?.0)
    }
}

/// # Safety
///
/// An object in the stack is there.
unsafe fn number(call: &Taking<'_>, register: u8) -> u64 {
    // SAFETY: the caller's; such objects have a multiple of 8 bytes.
    unsafe { GuestBytes::new(call.at(register), 8) }.get(0, Size::Dw).unwrap_or(0)
}

impl<V: 'static> sealed::Take<'_> for Used<V> {
    unsafe fn take(call: &mut Taking<'_>, register: u8) -> Result<Self, Left> {
        // SAFETY: the caller's.
        Ok(Used { number: unsafe { number(call, register) }, is: PhantomData })
    }
}

impl<V: 'static> Argument<'_> for Used<V> {
    const SHAPE: Shape = Form::Used.shape();
}

impl<V: 'static> sealed::Take<'_> for Ended<V> {
    unsafe fn take(call: &mut Taking<'_>, register: u8) -> Result<Self, Left> {
        // SAFETY: the caller's.
        let number = unsafe { number(call, register) };
        // SAFETY: as above; it may be written, because the call ends it.
        unsafe { GuestBytes::new(call.at(register), 8) }.fill(0);
        Ok(Ended { number, is: PhantomData })
    }
}

impl<V: 'static> Argument<'_> for Ended<V> {
    const SHAPE: Shape = Form::Ended.shape();
}
