//! Struct views: layouts with access rules, the context among them.

use bitflags::bitflags;

use crate::{Guard, RegType, Site};

bitflags! {
    /// Sizes of access in bytes, as a set.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct SizeMask: u8 {
        /// One byte.
        const B1 = 1;
        /// Two bytes.
        const B2 = 2;
        /// Four bytes.
        const B4 = 4;
        /// Eight bytes.
        const B8 = 8;
    }
}

impl SizeMask {
    /// The set that holds one size of 1, 2, 4 or 8 bytes; empty for any other.
    #[must_use]
    pub const fn of(bytes: u32) -> SizeMask {
        match bytes {
            1 => SizeMask::B1,
            2 => SizeMask::B2,
            4 => SizeMask::B4,
            8 => SizeMask::B8,
            _ => SizeMask::empty(),
        }
    }
}

/// A struct view.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The struct's name, `__sk_buff`. Several views may share one: a program type may overlay its
    /// own access rules on a layout.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: u32,
    /// Its fields, ascending by offset, without overlap.
    pub fields: &'static [Field],
    /// Where it is declared.
    pub site: Site,
}

/// A field, or an array of equal elements.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its offset in bytes.
    pub offset: u32,
    /// Its whole size in bytes.
    pub size: u32,
    /// The rules of access, the first whose guard holds counts. A field without one that holds
    /// can't be accessed.
    pub access: &'static [Access],
    /// Where it is declared.
    pub site: Site,
}

/// A rule of access: an access of `n` bytes is allowed when `n` is in the set, the access lies in
/// the field, and its offset in the struct is a multiple of `n` (unless `unaligned`).
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// When the rule holds.
    pub guard: Guard,
    /// Sizes that may be read.
    pub read: SizeMask,
    /// Sizes that may be written.
    pub write: SizeMask,
    /// True when offsets need not be multiples of the size.
    pub unaligned: bool,
    /// The type of what a load yields.
    pub yields: RegType,
}

impl View {
    /// The field that contains the byte at `offset`.
    #[must_use]
    pub fn field_at(&self, offset: u32) -> Option<&'static Field> {
        let after = self.fields.partition_point(|field| field.offset <= offset);
        let field = &self.fields[after.checked_sub(1)?];
        (offset < field.offset + field.size).then_some(field)
    }
}
