//! Struct views: layouts with access rules, the context among them.

use bitflags::bitflags;

use crate::{Guard, GuardEnv, RegType, Site};

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
    /// The size of the host's own struct in bytes.
    pub host_size: u32,
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
    /// The size of an element; of what is no array, its size.
    pub element: u32,
    /// The rules of access, the first whose guard holds counts. A field without one that holds
    /// can't be accessed.
    pub access: &'static [Access],
    /// How the host's struct has it.
    pub host: HostField,
    /// Where it is declared.
    pub site: Site,
}

/// How the host's own struct has a field of a view: the offset and size in bytes of each element
/// there. A pointer that programs see in 4 bytes is 8 bytes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostField {
    /// Its offset in bytes.
    pub offset: u32,
    /// Its size in bytes: of all elements of an array. 0 when the host has no such field and it reads
    /// as 0.
    pub size: u32,
}

/// A rule of access: an access of `n` bytes is allowed when `n` is in the set, the access lies in
/// the field, its offset in the struct is a multiple of `n` (unless `unaligned`), and it either is as
/// wide as the field or begins in the field's first `narrow` bytes. [`View::access`] asks all of it.
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
    /// Accesses smaller than the field begin in so many of its first bytes: 1 where they are
    /// allowed at its beginning only, the field's size where they are allowed anywhere.
    pub narrow: u32,
    /// The type of what a load yields.
    pub yields: RegType,
}

impl Field {
    /// How many elements it has: 1 of what is no array.
    #[must_use]
    pub const fn elements(&self) -> u32 {
        match self.size.checked_div(self.element) {
            Some(count) => count,
            None => 1,
        }
    }
}

impl View {
    /// The field that contains the byte at `offset`.
    #[must_use]
    pub fn field_at(&self, offset: u32) -> Option<&'static Field> {
        let after = self.fields.partition_point(|field| field.offset <= offset);
        let field = &self.fields[after.checked_sub(1)?];
        (offset < field.offset + field.size).then_some(field)
    }

    /// True when some field may be written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.fields.iter().any(|field| field.access.iter().any(|rule| !rule.write.is_empty()))
    }

    /// The rule that allows a load or store of `size` bytes at `offset`; None when none does.
    #[must_use]
    pub fn access(&self, offset: u32, size: u32, write: bool, env: &GuardEnv<'_>) -> Option<&'static Access> {
        let field = self.field_at(offset)?;
        let begin = offset - field.offset;
        if size > field.size - begin {
            return None;
        }
        let rule = field.access.iter().find(|rule| rule.guard.holds(env))?;
        let sizes = if write { rule.write } else { rule.read };
        let allowed = sizes.intersects(SizeMask::of(size))
            && (rule.unaligned || offset.is_multiple_of(size))
            && (size == field.size || begin < rule.narrow);
        allowed.then_some(rule)
    }
}
