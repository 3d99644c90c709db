//! Integers and structs of them: what may stand in memory that programs write, because every pattern
//! of bits is a value.

use std::marker::PhantomData;

use probity_isa::Size;

use super::memory::{Bytes, BytesMut};

/// A type that is copied out of and into memory that programs see, in the machine's byte order.
/// Integers, arrays, and the structs that codegen emits.
pub trait Plain: Clone + 'static {
    /// Its size in bytes.
    const SIZE: usize;

    /// Copies it out of the first [`Plain::SIZE`] bytes; what is not there is 0.
    #[must_use]
    fn load(from: Bytes<'_>) -> Self;

    /// Copies it into the first [`Plain::SIZE`] bytes; what has no place is lost.
    fn store(&self, to: BytesMut<'_>);
}

/// A struct that codegen emits for the context of program types: the host's own struct, without the
/// pointers in it, which are the runtime's.
pub trait ContextStruct: Plain {
    /// The name of its view in the spec.
    const VIEW: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

/// An integer of 1, 2, 4 or 8 bytes.
pub trait Integer: Plain + Copy + sealed::Sealed {
    /// True when it has a sign.
    const SIGNED: bool;

    /// The low bits of a register.
    #[must_use]
    fn from_register(register: u64) -> Self;

    /// What a register holds for it: the sign is extended.
    #[must_use]
    fn to_register(self) -> u64;
}

macro_rules! integers {
    ($($ty:ident $size:ident $signed:literal;)*) => {$(
        impl sealed::Sealed for $ty {}

        impl Plain for $ty {
            const SIZE: usize = size_of::<$ty>();

            #[inline]
            fn load(from: Bytes<'_>) -> $ty {
                from.0.get(0, Size::$size).unwrap_or(0) as $ty
            }

            #[inline]
            fn store(&self, to: BytesMut<'_>) {
                // What has no place is lost.
                let _ = to.0.set(0, Size::$size, *self as u64);
            }
        }

        impl Integer for $ty {
            const SIGNED: bool = $signed;

            #[inline(always)]
            fn from_register(register: u64) -> $ty {
                register as $ty
            }

            #[inline(always)]
            fn to_register(self) -> u64 {
                self as u64
            }
        }
    )*};
}

integers! {
    u8 B false;
    u16 H false;
    u32 W false;
    u64 Dw false;
    i8 B true;
    i16 H true;
    i32 W true;
    i64 Dw true;
}

impl<T: Plain, const N: usize> Plain for [T; N] {
    const SIZE: usize = T::SIZE * N;

    fn load(from: Bytes<'_>) -> [T; N] {
        std::array::from_fn(|at| T::load(from.from(at * T::SIZE)))
    }

    fn store(&self, to: BytesMut<'_>) {
        for (at, element) in self.iter().enumerate() {
            element.store(to.from(at * T::SIZE));
        }
    }
}

/// A field of a struct that codegen emits: it is loaded and stored alone, by the constant of its name.
///
/// ```
/// use probity_vm::host::{Field, Shared};
///
/// // As `Client::LIMIT` is for `limit: u64` behind another field of 8 bytes.
/// const LIMIT: Field<[u64; 2], u64> = Field::new(8);
///
/// let client = Shared::new([0, 3]);
/// client.store(LIMIT, &(client.load(LIMIT) + 1));
/// assert_eq!(client.load(LIMIT), 4);
/// ```
pub struct Field<T, V> {
    offset: usize,
    of: PhantomData<fn() -> (T, V)>,
}

impl<T, V> Clone for Field<T, V> {
    fn clone(&self) -> Field<T, V> {
        *self
    }
}

impl<T, V> Copy for Field<T, V> {}

impl<T, V> std::fmt::Debug for Field<T, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("offset", &self.offset).finish()
    }
}

impl<T: Plain, V: Plain> Field<T, V> {
    /// The field at an offset in bytes.
    #[must_use]
    pub const fn new(offset: usize) -> Field<T, V> {
        Field { offset, of: PhantomData }
    }

    /// Its offset in bytes.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }
}
