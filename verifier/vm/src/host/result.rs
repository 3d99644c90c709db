//! What a host's functions give back.
#![allow(unsafe_code)]

use probity_isa::Size;
use probity_platform::{HostBound, HostRet, HostValue};

use super::arguments::Taking;
use super::held::Lasts;
use super::object::{Handle, Shared, SharedBytes, Slab};
use super::plain::{Integer, Plain};
use super::shape::{RetForm, RetShape};
use crate::errno::Errno;
use crate::fault::RunError;
use crate::guest::GuestBytes;
use crate::run::Left;

pub(super) mod sealed {
    use super::{Left, Taking};

    /// How it is given.
    pub trait Give {
        /// r0.
        fn give(self, call: &mut Taking<'_>) -> Result<u64, Left>;
    }
}

/// The type of what a function gives back.
pub trait Returns: sealed::Give {
    /// What it stands for.
    const SHAPE: RetShape;

    /// What is given where the object in the stack that the call is about was never made.
    #[must_use]
    fn absent() -> Self;
}

impl sealed::Give for () {
    #[inline(always)]
    fn give(self, _call: &mut Taking<'_>) -> Result<u64, Left> {
        Ok(0)
    }
}

impl Returns for () {
    const SHAPE: RetShape = RetForm::Nothing.shape();

    fn absent() {}
}

impl<I: Integer> sealed::Give for I {
    #[inline(always)]
    fn give(self, _call: &mut Taking<'_>) -> Result<u64, Left> {
        Ok(self.to_register())
    }
}

impl<I: Integer> Returns for I {
    const SHAPE: RetShape = RetForm::Number { bytes: I::SIZE, signed: I::SIGNED }.shape();

    fn absent() -> I {
        I::from_register(0)
    }
}

/// An error number is given as Linux does: negative.
impl<I: Integer> sealed::Give for Result<I, Errno> {
    #[inline(always)]
    fn give(self, _call: &mut Taking<'_>) -> Result<u64, Left> {
        Ok(self.map_or_else(Errno::to_r0, Integer::to_register))
    }
}

impl<I: Integer> Returns for Result<I, Errno> {
    const SHAPE: RetShape = RetForm::Number { bytes: I::SIZE, signed: I::SIGNED }.shape();

    fn absent() -> Result<I, Errno> {
        Err(Errno::EINVAL)
    }
}

/// Gives a pointer to memory of the host's, and holds it as long as the spec says.
fn lend(call: &mut Taking<'_>, start: u64, len: u64, slab: Slab) -> Result<u64, Left> {
    let Some(row) = call.row() else {
        return Err(call.run.leave(RunError::Internal("a function of no callable")));
    };
    let (object, lasts) = match row.ret {
        HostRet::Acquired { object, .. } => (Some(object), Lasts::Released(row.given_back_by)),
        HostRet::Object { object, .. } => (Some(object), row.until.map_or(Lasts::Run, Lasts::Until)),
        HostRet::Memory { bytes, .. } => {
            let wanted = bytes.value(&call.regs);
            if i64::try_from(len).is_ok_and(|len| len < wanted) {
                let message = format!("gives {len} bytes and not {wanted}");
                return Err(call.run.leave(RunError::Host { callable: call.callable, message }));
            }
            (None, row.until.map_or(Lasts::Run, Lasts::Until))
        }
        _ => return Err(call.run.leave(RunError::Internal("a pointer that no call gives"))),
    };
    call.run.held.keep(start, len, object, lasts, slab);
    Ok(start)
}

impl<T: Plain> sealed::Give for Shared<T> {
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        let (start, slab) = self.into_parts();
        lend(call, start, T::SIZE as u64, slab)
    }
}

impl<T: Plain> sealed::Give for Handle<T> {
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        self.0.give(call)
    }
}

impl sealed::Give for SharedBytes {
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        let (start, len, slab) = self.into_parts();
        lend(call, start, len as u64, slab)
    }
}

/// Null where there is none.
impl<R: sealed::Give> sealed::Give for Option<R> {
    #[inline(always)]
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        self.map_or(Ok(0), |some| some.give(call))
    }
}

/// Memory of the host's that is a plain struct: a binding's form of what a method gives as [`Shared`].
#[derive(Debug)]
pub struct Memory<T>(Shared<T>);

impl<T: Plain> Memory<T> {
    /// Memory, or null.
    #[must_use]
    pub fn maybe(memory: Option<Shared<T>>) -> Option<Memory<T>> {
        memory.map(Memory)
    }

    /// Memory that is always there.
    #[must_use]
    pub fn always(memory: Shared<T>) -> Always<Memory<T>> {
        Always(Memory(memory))
    }
}

impl<T: Plain> sealed::Give for Memory<T> {
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        self.0.give(call)
    }
}

macro_rules! pointers {
    ($([$($generics:tt)*] $ty:ty, $form:expr;)*) => {$(
        impl<$($generics)*> Returns for Option<$ty> {
            const SHAPE: RetShape = RetShape { nullable: true, ..$form.shape() };

            fn absent() -> Self {
                None
            }
        }
    )*};
}

pointers! {
    [T: Plain] Shared<T>, RetForm::Object { bytes: T::SIZE };
    [T: Plain] Handle<T>, RetForm::Acquired { bytes: T::SIZE };
    [] SharedBytes, RetForm::Memory;
    [T: Plain] Memory<T>, RetForm::Memory;
}

/// A pointer that is never null. It is a type of generated code, so that a number can't be meant.
#[derive(Debug)]
pub struct Always<P>(pub P);

impl<P> sealed::Give for Always<P>
where
    P: sealed::Give,
{
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        self.0.give(call)
    }
}

macro_rules! never_null {
    ($([$($generics:tt)*] $ty:ty, $form:expr;)*) => {$(
        impl<$($generics)*> Returns for Always<$ty> {
            const SHAPE: RetShape = $form.shape();

            /// A pointer that is never null has nothing to be instead: such calls take no object in
            /// the stack.
            fn absent() -> Self {
                unreachable!("no object in the stack is taken where a pointer is given that is never null")
            }
        }
    )*};
}

never_null! {
    [T: Plain] Shared<T>, RetForm::Object { bytes: T::SIZE };
    [T: Plain] Handle<T>, RetForm::Acquired { bytes: T::SIZE };
    [] SharedBytes, RetForm::Memory;
    [T: Plain] Memory<T>, RetForm::Memory;
}

/// The value behind a new object in the stack, or an error number.
#[derive(Debug)]
pub struct Made<V>(pub Result<V, Errno>);

impl<V: 'static> sealed::Give for Made<V> {
    fn give(self, call: &mut Taking<'_>) -> Result<u64, Left> {
        let row = call.row();
        let made = row.and_then(|row| {
            row.args.iter().find_map(|arg| match arg.value {
                HostValue::Made(object) => Some((arg.register, object)),
                _ => None,
            })
        });
        let (Some(row), Some((register, object))) = (row, made) else {
            return Err(call.run.leave(RunError::Internal("an object in the stack that no call makes")));
        };
        let size = call.run.unit.platform.stack_objects[usize::from(object)].size as usize;
        // SAFETY: the callable makes such an object there, of that size: its row says so, and the call
        // was verified or checked against it.
        let place = unsafe { GuestBytes::new(call.at(register), size) };
        place.fill(0);
        match self.0 {
            Err(error) => Ok(error.to_r0()),
            Ok(value) => {
                let number = call.run.held.put(Box::new(value), row.given_back_by);
                // It is as large at least.
                let _ = place.set(0, Size::Dw, number);
                Ok(0)
            }
        }
    }
}

impl<V: 'static> Returns for Made<V> {
    const SHAPE: RetShape = RetForm::Made.shape();

    fn absent() -> Self {
        Made(Err(Errno::EINVAL))
    }
}

/// That a number lies in the bounds that the proof relies on.
pub(super) fn check_range(
    call: &mut Taking<'_>,
    ranges: &[(HostBound, HostBound)],
    value: u64,
) -> Result<u64, Left> {
    for (low, high) in ranges {
        let (low, high) = (low.value(&call.regs), high.value(&call.regs));
        if !(low..=high).contains(&value.cast_signed()) {
            let message = format!("gives {}, which is not in {low}..={high}", value.cast_signed());
            return Err(call.run.leave(RunError::Host { callable: call.callable, message }));
        }
    }
    Ok(value)
}
