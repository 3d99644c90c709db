//! What a host's functions are given: types that know how they are taken out of registers. The list is
//! closed; that each stands where its callable has the like is looked at when a program is linked.
#![allow(unsafe_code)]
// Rows of `argument!` have it before them.
#![allow(clippy::undocumented_unsafe_blocks)]

use std::marker::PhantomData;

use super::memory::{Blank, Bytes, BytesMut, Fixed, FixedMut, Place};
use super::object::{Guest, Handle, Shared};
use super::plain::{Integer, Plain};
use super::scope::ContextOf;
use super::shape::{Form, Shape};
use crate::fault::RunError;
use crate::guest::GuestBytes;
use crate::maps::Map;
use crate::run::{Left, Run};

/// A call whose arguments are taken.
#[derive(Debug)]
pub struct Taking<'t> {
    pub(super) run: &'t mut Run<'static>,
    pub(super) regs: [u64; 5],
    pub(super) callable: &'static str,
    /// The callable's number among all.
    pub(super) number: u16,
}

impl Taking<'_> {
    /// What the program passed.
    #[inline(always)]
    pub(super) fn at(&self, register: u8) -> u64 {
        self.regs[usize::from(register)]
    }

    /// Memory that holds nothing before: what the function leaves unwritten is read by programs all the
    /// same, as zeros where the platform lets nobody read what nobody wrote.
    fn blank<'a>(&self, bytes: GuestBytes<'a>) -> GuestBytes<'a> {
        if !self.run.unit.policy.uninit_stack {
            bytes.fill(0);
        }
        bytes
    }
}

pub(super) mod sealed {
    use super::{Left, Taking};

    /// How an argument is taken.
    pub trait Take<'a>: Sized {
        /// # Safety
        ///
        /// The call was verified, or checked, and its callable has in these registers what the type
        /// stands for; what it is taken from is there for `'a`.
        unsafe fn take(call: &mut Taking<'_>, register: u8) -> Result<Self, Left>;
    }

    /// How all of them are.
    pub trait TakeAll<'a>: Sized {
        /// # Safety
        ///
        /// As for [`Take::take`], for each.
        unsafe fn take_all(call: &mut Taking<'_>, registers: &[u8]) -> Result<Self, Left>;
    }
}

/// The type of an argument.
pub trait Argument<'a>: sealed::Take<'a> {
    /// What it stands for.
    const SHAPE: Shape;
}

/// The types of all arguments: a tuple.
pub trait Arguments<'a>: sealed::TakeAll<'a> {
    /// What they stand for.
    const SHAPES: &'static [Shape];
}

macro_rules! argument {
    ([$($generics:tt)*] $ty:ty, $form:expr, |$call:ident, $register:ident| $take:expr) => {
        impl<'a, $($generics)*> sealed::Take<'a> for $ty {
            #[inline(always)]
            unsafe fn take($call: &mut Taking<'_>, $register: u8) -> Result<Self, Left> {
                Ok($take)
            }
        }

        impl<'a, $($generics)*> Argument<'a> for $ty {
            const SHAPE: Shape = $form.shape();
        }
    };
}

/// The bytes at an address in a register; none for null.
///
/// # Safety
///
/// They are there for `'a`.
#[inline(always)]
unsafe fn memory<'a>(call: &Taking<'_>, register: u8, len: usize) -> GuestBytes<'a> {
    match call.at(register) {
        0 => GuestBytes::empty(),
        // SAFETY: the caller's.
        address => unsafe { GuestBytes::new(address, len) },
    }
}

/// As [`memory`], of the size in the next register.
///
/// # Safety
///
/// They are there for `'a`.
#[inline(always)]
unsafe fn slice<'a>(call: &Taking<'_>, register: u8) -> GuestBytes<'a> {
    // SAFETY: the caller's.
    unsafe { memory(call, register, call.at(register + 1) as usize) }
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub struct Number<I>(pub I);

argument!([I: Integer] Number<I>, Form::Number { bytes: I::SIZE, signed: I::SIGNED },
    |call, register| Number(I::from_register(call.at(register))));

// SAFETY of the memory that these take: that is what `Take::take` demands.
argument!([] Bytes<'a>, Form::Slice { writable: false, uninit: false },
    |call, register| Bytes(unsafe { slice(call, register) }));
argument!([] BytesMut<'a>, Form::Slice { writable: true, uninit: false },
    |call, register| BytesMut(unsafe { slice(call, register) }));
argument!([] Blank<'a>, Form::Slice { writable: true, uninit: true },
    |call, register| Blank(BytesMut(call.blank(unsafe { slice(call, register) }))));
argument!([const N: usize] Fixed<'a, N>, Form::Memory { bytes: N, writable: false, uninit: false },
    |call, register| Fixed(Bytes(unsafe { memory(call, register, N) })));
argument!([const N: usize, const NEW: bool] FixedMut<'a, N, NEW>,
Form::Memory { bytes: N, writable: true, uninit: NEW },
|call, register| {
    let bytes = unsafe { memory(call, register, N) };
    FixedMut(BytesMut(if NEW { call.blank(bytes) } else { bytes }))
});
argument!([T: Plain, const NEW: bool] Place<'a, T, NEW>,
Form::Memory { bytes: T::SIZE, writable: true, uninit: NEW },
|call, register| {
    let bytes = unsafe { memory(call, register, T::SIZE) };
    Place { bytes: BytesMut(if NEW { call.blank(bytes) } else { bytes }), holds: PhantomData }
});

/// A copy of a struct or array in the program's memory.
#[derive(Clone, Copy, Debug)]
pub struct Copied<T>(pub T);

argument!([T: Plain] Copied<T>, Form::Memory { bytes: T::SIZE, writable: false, uninit: false },
    |call, register| Copied(T::load(Bytes(unsafe { memory(call, register, T::SIZE) }))));

// SAFETY: an argument of that role is the address of a map of the program, which lives as long as it, or
// of an inner one, which the run's guard keeps.
argument!([] &'a Map, Form::Map, |call, register| unsafe { &*(call.at(register) as *const Map) });

// SAFETY: an argument of that role is the address of an object of the host's, which the run holds; all
// such objects have a token in front (`host::object`).
argument!([T: Plain] Guest<'a, T>, Form::Object { bytes: T::SIZE },
    |call, register| unsafe { Guest::at(call.at(register)) });

argument!([T: Plain] Handle<T>, Form::Released { bytes: T::SIZE }, |call, register| {
    let address = call.at(register);
    match call.run.held.release(address) {
        Some(slab) => Handle(Shared::from_parts(address, slab)),
        None => return Err(call.run.leave(RunError::Internal("a reference that the run does not hold"))),
    }
});

argument!([T: Plain] ContextOf<'a, T>, Form::Context, |call, register| {
    let unit = call.run.unit;
    let size = unit.view().host_size.max(unit.view().size) as usize;
    // SAFETY: the context of a run is of the view of its program type, and as large.
    let bytes = unsafe { memory(call, register, size) };
    ContextOf { bytes: BytesMut(bytes), pointers: &unit.pointers, is: PhantomData }
});

impl<'a, A: Argument<'a>> sealed::Take<'a> for Option<A> {
    #[inline(always)]
    unsafe fn take(call: &mut Taking<'_>, register: u8) -> Result<Self, Left> {
        if call.at(register) == 0 {
            return Ok(None);
        }
        // SAFETY: the caller's, and it is not null.
        unsafe { A::take(call, register) }.map(Some)
    }
}

impl<'a, A: Argument<'a>> Argument<'a> for Option<A> {
    const SHAPE: Shape = Shape { nullable: true, ..A::SHAPE };
}

macro_rules! tuple {
    ($($name:ident $at:literal),*) => {
        impl<'a, $($name: Argument<'a>),*> sealed::TakeAll<'a> for ($($name,)*) {
            #[inline(always)]
            #[allow(unused_variables, clippy::unused_unit)]
            unsafe fn take_all(call: &mut Taking<'_>, registers: &[u8]) -> Result<Self, Left> {
                // SAFETY: the caller's.
                Ok(($(unsafe { $name::take(call, registers[$at]) }?,)*))
            }
        }

        impl<'a, $($name: Argument<'a>),*> Arguments<'a> for ($($name,)*) {
            const SHAPES: &'static [Shape] = &[$($name::SHAPE),*];
        }
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
