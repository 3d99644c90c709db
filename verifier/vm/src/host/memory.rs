//! Memory that a call is about. It is copied in and out: programs, on this thread or others, may write
//! it at any time.
use std::marker::PhantomData;

use super::plain::Plain;
use crate::guest::GuestBytes;

/// Bytes that may be read.
///
/// ```
/// use probity_vm::host::{Bytes, SharedBytes};
///
/// /// The number of a message, and its text.
/// fn message(bytes: Bytes<'_>) -> Option<(u32, String)> {
///     Some((bytes.get(0)?, bytes.from(4).to_text()))
/// }
///
/// let shared = SharedBytes::new(&[7_u32.to_ne_bytes(), *b"out\0"].concat());
/// assert_eq!(message(shared.bytes().bytes()), Some((7, "out".to_owned())));
/// assert_eq!(message(SharedBytes::new(&[1, 2]).bytes().bytes()), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub(crate) GuestBytes<'a>);

impl<'a> Bytes<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Those from an offset on; none when it is behind the end.
    #[must_use]
    pub fn from(self, offset: usize) -> Bytes<'a> {
        let offset = offset.min(self.len());
        Bytes(self.0.slice(offset, self.len() - offset).unwrap_or_else(GuestBytes::empty))
    }

    /// Copies out as many as both have; gives their number.
    pub fn read(self, to: &mut [u8]) -> usize {
        self.0.read(to);
        self.len().min(to.len())
    }

    /// A copy.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// A copy as text: what is no UTF-8 is replaced, and a zero ends it.
    #[must_use]
    pub fn to_text(self) -> String {
        let bytes = self.to_vec();
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    /// A number or struct at an offset; None when it is not all there.
    #[must_use]
    pub fn get<T: Plain>(self, offset: usize) -> Option<T> {
        let part = self.0.slice(offset, T::SIZE)?;
        Some(T::load(Bytes(part)))
    }
}

/// Bytes that may be read and written.
///
/// ```
/// use probity_vm::host::{BytesMut, SharedBytes};
///
/// /// Writes as much of a name as there is room for, and says how much that was.
/// fn name(to: BytesMut<'_>) -> u64 {
///     to.write(b"probity") as u64
/// }
///
/// let shared = SharedBytes::new(&[0; 4]);
/// assert_eq!(name(shared.bytes()), 4);
/// assert_eq!(shared.bytes().bytes().to_vec(), b"prob");
/// // A number where there is no room for it.
/// assert_eq!(shared.bytes().set(1, &5_u32), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BytesMut<'a>(pub(crate) GuestBytes<'a>);

impl<'a> BytesMut<'a> {
    /// The same, to be read.
    #[must_use]
    pub fn bytes(self) -> Bytes<'a> {
        Bytes(self.0)
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Those from an offset on; none when it is behind the end.
    #[must_use]
    pub fn from(self, offset: usize) -> BytesMut<'a> {
        BytesMut(self.bytes().from(offset).0)
    }

    /// Copies in as many as both have; gives their number.
    pub fn write(self, from: &[u8]) -> usize {
        self.0.write(from);
        self.len().min(from.len())
    }

    /// Stores a number or struct at an offset; None when there is no room for it.
    pub fn set<T: Plain>(self, offset: usize, value: &T) -> Option<()> {
        let part = self.0.slice(offset, T::SIZE)?;
        value.store(BytesMut(part));
        Some(())
    }
}

/// Memory of a struct or number that the function may write; with `NEW` it holds nothing before. It is an
/// argument of generated code, which hands a copy on and writes it back.
#[derive(Debug)]
pub struct Place<'a, T, const NEW: bool> {
    pub(super) bytes: BytesMut<'a>,
    pub(super) holds: PhantomData<fn() -> T>,
}

impl<T: Plain, const NEW: bool> Place<'_, T, NEW> {
    /// What is there.
    #[must_use]
    pub fn get(&self) -> T {
        T::load(self.bytes.bytes())
    }

    /// Stores.
    pub fn set(&self, value: &T) {
        value.store(self.bytes);
    }
}

/// `N` bytes that may be read: more than are copied.
#[derive(Clone, Copy, Debug)]
pub struct Fixed<'a, const N: usize>(pub(super) Bytes<'a>);

impl<'a, const N: usize> Fixed<'a, N> {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> Bytes<'a> {
        self.0
    }
}

/// `N` bytes that may be written; with `NEW` they hold nothing before.
#[derive(Clone, Copy, Debug)]
pub struct FixedMut<'a, const N: usize, const NEW: bool>(pub(super) BytesMut<'a>);

impl<'a, const N: usize, const NEW: bool> FixedMut<'a, N, NEW> {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> BytesMut<'a> {
        self.0
    }
}

/// Bytes that are to be written and hold nothing before.
#[derive(Clone, Copy, Debug)]
pub struct Blank<'a>(pub(super) BytesMut<'a>);

impl<'a> Blank<'a> {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> BytesMut<'a> {
        self.0
    }
}
