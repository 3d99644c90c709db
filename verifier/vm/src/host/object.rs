//! Objects that programs hold pointers to. They live in memory of the host's that is counted: it is there
//! as long as anybody has it, the host or a run.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use probity_isa::{AtomicOp, Size};

use super::memory::{Bytes, BytesMut};
use super::plain::{Field, Integer, Plain};
use crate::guest::GuestBytes;
use crate::interpreter::memory::atomic;

/// Words that objects are in, each behind its token.
pub(crate) type Slab = Arc<[AtomicU64]>;

/// Bytes of the token in front of an object.
const TOKEN: u64 = 8;

/// An object that the host shares with programs: they see its fields, and store to those that the spec
/// lets them. Clones are the same object. A token beside it is the host's alone: a number by which it
/// finds what belongs to it.
///
/// The host never has a Rust reference to what programs may change at any time: it copies, all of it or
/// a field.
///
/// ```
/// use probity_vm::host::{Field, Shared};
///
/// // Codegen emits a struct for each object of the spec, with a constant for each field. Here two
/// // numbers stand for one.
/// type Account = [u64; 2];
/// const LIMIT: Field<Account, u64> = Field::new(8);
///
/// let account = Shared::with_token([0, 100], 7);
/// let same = account.clone();
/// account.store(LIMIT, &50);
/// assert_eq!(same.get(), [0, 50]);
/// assert_eq!(same.token(), 7);
/// ```
pub struct Shared<T> {
    slab: Slab,
    first: usize,
    is: PhantomData<fn() -> T>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared { slab: Arc::clone(&self.slab), ..*self }
    }
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("first", &self.first).finish_non_exhaustive()
    }
}

impl<T: Plain> Shared<T> {
    /// A new object, with the token 0.
    #[must_use]
    pub fn new(value: T) -> Shared<T> {
        Shared::with_token(value, 0)
    }

    /// A new object with a token.
    #[must_use]
    pub fn with_token(value: T, token: u64) -> Shared<T> {
        Shared::rows([value], |_| token).pop().expect("one value gives one object")
    }

    /// New objects side by side, with the numbers from 0 as their tokens: the rows of a table. Their
    /// memory goes when the last of them does.
    #[must_use]
    pub fn array(values: impl IntoIterator<Item = T>) -> Vec<Shared<T>> {
        Shared::rows(values, |at| at as u64)
    }

    fn rows(values: impl IntoIterator<Item = T>, token: impl Fn(usize) -> u64) -> Vec<Shared<T>> {
        let values: Vec<T> = values.into_iter().collect();
        let words = 1 + T::SIZE.div_ceil(8).max(1);
        // Objects are as large as their type says, which anybody may have written.
        let all = words.checked_mul(values.len()).expect("objects that fit into memory");
        let slab: Slab = (0..all).map(|_| AtomicU64::new(0)).collect();
        let object = |(at, value): (usize, T)| {
            slab[at * words].store(token(at), Relaxed);
            let object = Shared { slab: Arc::clone(&slab), first: at * words + 1, is: PhantomData };
            object.set(&value);
            object
        };
        values.into_iter().enumerate().map(object).collect()
    }

    /// The object, as a function sees one that it is given.
    #[must_use]
    pub fn guest(&self) -> Guest<'_, T> {
        // SAFETY: words of the slab, which is there as long as `self`, with the token in front of them;
        // they are atomic, and accessed by this module, `guest`, and programs.
        unsafe { Guest::at(self.address()) }
    }

    /// A copy of it.
    #[must_use]
    pub fn get(&self) -> T {
        self.guest().get()
    }

    /// Stores all of it.
    pub fn set(&self, value: &T) {
        self.guest().set(value);
    }

    /// A copy of a field.
    #[must_use]
    pub fn load<V: Plain>(&self, field: Field<T, V>) -> V {
        self.guest().load(field)
    }

    /// Stores a field.
    pub fn store<V: Plain>(&self, field: Field<T, V>, value: &V) {
        self.guest().store(field, value);
    }

    /// Its token.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.guest().token()
    }

    /// How many have it, or one that was made side by side with it ([`Shared::array`]): the host, and runs
    /// that gave it to programs. Other threads may change it at any time.
    #[must_use]
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.slab)
    }

    /// Where its first byte is.
    pub(crate) fn address(&self) -> u64 {
        self.slab[self.first..].as_ptr() as u64
    }

    /// Its bytes from its first on, and who keeps them.
    pub(crate) fn into_parts(self) -> (u64, Slab) {
        (self.address(), self.slab)
    }

    /// The object at an address in a slab.
    pub(crate) fn from_parts(address: u64, slab: Slab) -> Shared<T> {
        let first = (address - slab.as_ptr() as u64) as usize / 8;
        Shared { slab, first, is: PhantomData }
    }
}

/// A reference to an object that a program must release: whoever acquires gives one, whoever releases
/// gets it. It can't be copied. When a run ends early, what it still holds is given back by the function
/// that programs release it with.
///
/// ```
/// use probity_vm::host::{Handle, Shared};
///
/// /// What programs open; the token says which of the host's it is.
/// fn open(files: &[u32], number: u32) -> Option<Handle<u32>> {
///     let at = files.iter().position(|&file| file == number)?;
///     Some(Handle::with_token(number, at as u64))
/// }
///
/// /// An object of the host's own: dropping the handle leaves it as it is.
/// fn take(object: &Shared<u32>) -> Handle<u32> {
///     Handle::of(object)
/// }
///
/// let handle = open(&[3, 5, 8], 5).expect("it is there");
/// assert_eq!((handle.get(), handle.token()), (5, 1));
/// assert_eq!(take(&Shared::new(9)).get(), 9);
/// ```
pub struct Handle<T>(pub(super) Shared<T>);

impl<T> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.0).finish()
    }
}

impl<T: Plain> Handle<T> {
    /// A reference to a new object.
    #[must_use]
    pub fn new(value: T) -> Handle<T> {
        Handle(Shared::new(value))
    }

    /// A reference to a new object with a token.
    #[must_use]
    pub fn with_token(value: T, token: u64) -> Handle<T> {
        Handle(Shared::with_token(value, token))
    }

    /// A reference to an object that others may have too.
    #[must_use]
    pub fn of(object: &Shared<T>) -> Handle<T> {
        Handle(object.clone())
    }
}

impl<T> Deref for Handle<T> {
    type Target = Shared<T>;

    fn deref(&self) -> &Shared<T> {
        &self.0
    }
}

/// An object that a function is given for as long as the call.
///
/// ```
/// use probity_vm::host::{Field, Guest, Shared};
///
/// const COUNT: Field<[u64; 2], u64> = Field::new(0);
///
/// fn count(object: Guest<'_, [u64; 2]>) -> Option<u64> {
///     // In one step, whatever programs on other threads do meanwhile.
///     object.fetch_add(COUNT, 1)
/// }
///
/// let object = Shared::new([41, 0]);
/// assert_eq!(count(object.guest()), Some(41));
/// assert_eq!(object.load(COUNT), 42);
/// ```
pub struct Guest<'a, T> {
    bytes: GuestBytes<'a>,
    is: PhantomData<fn() -> T>,
}

impl<T> Clone for Guest<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Guest<'_, T> {}

impl<T: Plain + std::fmt::Debug> std::fmt::Debug for Guest<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Guest").field(&self.get()).finish()
    }
}

impl<'a, T: Plain> Guest<'a, T> {
    /// # Safety
    ///
    /// An object of the host's must be there for `'a`: [`Plain::SIZE`] bytes that may be written, aligned
    /// to 8, with the token in front of them.
    pub(super) unsafe fn at(address: u64) -> Guest<'a, T> {
        // SAFETY: the caller's.
        Guest { bytes: unsafe { GuestBytes::new(address, T::SIZE) }, is: PhantomData }
    }

    /// A copy of it.
    #[must_use]
    pub fn get(self) -> T {
        T::load(Bytes(self.bytes))
    }

    /// Stores all of it.
    pub fn set(self, value: &T) {
        value.store(BytesMut(self.bytes));
    }

    /// A copy of a field.
    #[must_use]
    pub fn load<V: Plain>(self, field: Field<T, V>) -> V {
        V::load(Bytes(self.bytes).from(field.offset()))
    }

    /// Stores a field.
    pub fn store<V: Plain>(self, field: Field<T, V>, value: &V) {
        value.store(BytesMut(self.bytes).from(field.offset()));
    }

    /// Adds to a field, wrapping, in one step that no program comes between; gives what it was before.
    /// None for integers smaller than 4 bytes, and where the field is not aligned.
    pub fn fetch_add<V: Integer>(self, field: Field<T, V>, value: V) -> Option<V> {
        let place = self.bytes.slice(field.offset(), V::SIZE)?;
        let size = match V::SIZE {
            4 => Size::W,
            8 => Size::Dw,
            _ => return None,
        };
        if !place.address().is_multiple_of(V::SIZE as u64) {
            return None;
        }
        // SAFETY: aligned bytes of the object.
        let old = unsafe { atomic(place.address(), size, AtomicOp::Add, value.to_register(), 0) };
        Some(V::from_register(old))
    }

    /// Its token.
    #[must_use]
    pub fn token(self) -> u64 {
        // SAFETY: `at` was promised that the token is in front of the object.
        unsafe { crate::guest::load(self.bytes.address() - TOKEN, Size::Dw) }
    }
}

/// Bytes that the host shares with programs. Clones are the same bytes. A function that returns memory
/// without a struct gives them.
///
/// ```
/// use probity_vm::host::SharedBytes;
///
/// let shared = SharedBytes::new(b"GET /");
/// shared.bytes().write(b"PUT");
/// assert_eq!(shared.bytes().bytes().to_text(), "PUT /");
/// ```
#[derive(Clone, Debug)]
pub struct SharedBytes {
    slab: Slab,
    len: usize,
}

impl SharedBytes {
    /// A copy of some bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> SharedBytes {
        let slab = (0..bytes.len().div_ceil(8).max(1)).map(|_| AtomicU64::new(0)).collect();
        let shared = SharedBytes { slab, len: bytes.len() };
        shared.bytes().write(bytes);
        shared
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> BytesMut<'_> {
        // SAFETY: words of the slab, which is there as long as `self`; they are atomic.
        BytesMut(unsafe { GuestBytes::new(self.slab.as_ptr() as u64, self.len) })
    }

    pub(crate) fn into_parts(self) -> (u64, usize, Slab) {
        (self.slab.as_ptr() as u64, self.len, self.slab)
    }
}
