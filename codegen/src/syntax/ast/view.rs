//! Struct views and plain structs.

use super::{Doc, Expr, Ident, Spanned, TypeExpr};
use crate::source::Span;

/// A struct view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The struct's name.
    pub name: Ident,
    /// Its size in bytes.
    pub size: Spanned<u64>,
    /// Its fields in the order in which they stand.
    pub fields: Vec<Field>,
}

/// A plain struct: a layout without rules of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    /// Its name.
    pub name: Ident,
    /// Its size in bytes; None: as large as its fields, rounded up to the greatest alignment.
    pub size: Option<Spanned<u64>>,
    /// Its fields in the order in which they stand. That they say nothing of access is for
    /// `resolve` to see.
    pub fields: Vec<Field>,
}

/// One field, or several of the same type one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its doc comment.
    pub doc: Doc,
    /// From its beginning to its end.
    pub span: Span,
    /// `at OFF`: the offset in bytes of the first of the names. None: behind the field before it,
    /// aligned to the size of an element.
    pub at: Option<Spanned<u64>>,
    /// The names.
    pub names: Vec<Ident>,
    /// The type of each.
    pub ty: FieldType,
    /// How the host's struct has it; None: as programs see it.
    pub host: Option<Host>,
    /// The rules of access, the first whose guard holds counts. Never empty.
    pub access: Vec<Access>,
}

/// `u32` or `[u32; 5]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// The type of an element.
    pub element: Spanned<IntType>,
    /// How many elements, for arrays.
    pub count: Option<Spanned<u64>>,
    /// Where it stands.
    pub span: Span,
}

/// `host u64` or `host none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The type of an element in the host's struct; None: it has no such field.
    pub ty: Option<IntType>,
    /// Where it stands.
    pub span: Span,
}

/// The types of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntType {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// Eight bytes.
    U64,
}

impl Field {
    /// True when it says nothing beyond where it lies and of which type it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let silent = |rule: &Access| {
            rule.yields.is_none()
                && rule.modes.is_empty()
                && rule.sizes.is_empty()
                && rule.narrow.is_none()
                && rule.when.is_none()
        };
        self.host.is_none() && matches!(self.access.as_slice(), [rule] if silent(rule))
    }
}

impl IntType {
    /// All types.
    pub const ALL: [IntType; 4] = [IntType::U8, IntType::U16, IntType::U32, IntType::U64];

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            IntType::U8 => 1,
            IntType::U16 => 2,
            IntType::U32 => 4,
            IntType::U64 => 8,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            IntType::U8 => "u8",
            IntType::U16 => "u16",
            IntType::U32 => "u32",
            IntType::U64 => "u64",
        }
    }
}

/// A rule of access: `-> TYPE read write sizes 1, 2 narrow first when GUARD`, each part optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The register type that a load yields; None: a number.
    pub yields: Option<TypeExpr>,
    /// `read`, `write`, `none`, as they stand. Empty: `read`.
    pub modes: Vec<Spanned<AccessMode>>,
    /// The sizes of access in bytes. Empty: those that the field's type gives.
    pub sizes: Vec<Spanned<u64>>,
    /// Where accesses smaller than the field may begin. None: anywhere.
    pub narrow: Option<Narrow>,
    /// When the rule holds; None: always.
    pub when: Option<Expr>,
    /// Where it stands; empty and behind the type when the field says nothing about access.
    pub span: Span,
}

/// `narrow first` or `narrow first N`: accesses smaller than the field begin in its first N bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrow {
    /// The number of bytes. None: one.
    pub bytes: Option<Spanned<u64>>,
    /// Where it stands.
    pub span: Span,
}

/// Modes of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// `read`
    Read,
    /// `write`
    Write,
    /// `none`
    None,
    /// `unaligned`: offsets need not be multiples of the size.
    Unaligned,
}

impl AccessMode {
    /// All modes.
    pub const ALL: [AccessMode; 4] =
        [AccessMode::Read, AccessMode::Write, AccessMode::None, AccessMode::Unaligned];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AccessMode::Read => "read",
            AccessMode::Write => "write",
            AccessMode::None => "none",
            AccessMode::Unaligned => "unaligned",
        }
    }
}
