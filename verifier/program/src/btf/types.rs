//! What a type is once decoded: names are borrowed from the BTF, lists are iterators over it.

use std::fmt;

use super::Btf;
use crate::Linkage;

/// The number of a type in its BTF. 0 is void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

impl TypeId {
    /// The type without values, and "no type".
    pub const VOID: TypeId = TypeId(0);

    /// True for [`TypeId::VOID`].
    #[must_use]
    pub const fn is_void(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of types, with the format's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// No type.
    Void = 0,
    /// An integer.
    Int = 1,
    /// A pointer.
    Ptr = 2,
    /// An array.
    Array = 3,
    /// A structure.
    Struct = 4,
    /// A union.
    Union = 5,
    /// An enumeration with values of 32 bits.
    Enum = 6,
    /// A structure or union that is declared only.
    Fwd = 7,
    /// Another name of a type.
    Typedef = 8,
    /// `volatile`.
    Volatile = 9,
    /// `const`.
    Const = 10,
    /// `restrict`.
    Restrict = 11,
    /// A function.
    Func = 12,
    /// A function's prototype.
    FuncProto = 13,
    /// A global variable.
    Var = 14,
    /// A section of variables.
    Datasec = 15,
    /// A floating-point number.
    Float = 16,
    /// A tag on a declaration.
    DeclTag = 17,
    /// A tag on a type.
    TypeTag = 18,
    /// An enumeration with values of 64 bits.
    Enum64 = 19,
}

impl Kind {
    /// The kind with a number of the format.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Kind> {
        Some(match number {
            0 => Kind::Void,
            1 => Kind::Int,
            2 => Kind::Ptr,
            3 => Kind::Array,
            4 => Kind::Struct,
            5 => Kind::Union,
            6 => Kind::Enum,
            7 => Kind::Fwd,
            8 => Kind::Typedef,
            9 => Kind::Volatile,
            10 => Kind::Const,
            11 => Kind::Restrict,
            12 => Kind::Func,
            13 => Kind::FuncProto,
            14 => Kind::Var,
            15 => Kind::Datasec,
            16 => Kind::Float,
            17 => Kind::DeclTag,
            18 => Kind::TypeTag,
            19 => Kind::Enum64,
            _ => return None,
        })
    }
}

/// A decoded type.
#[derive(Clone, Copy, Debug)]
pub enum Type<'a> {
    /// No type.
    Void,
    /// An integer.
    Int(Int<'a>),
    /// A pointer.
    Ptr {
        /// What it points to.
        target: TypeId,
    },
    /// An array.
    Array {
        /// The type of its elements.
        elem: TypeId,
        /// The type of its indices.
        index: TypeId,
        /// How many elements it has.
        count: u32,
    },
    /// A structure.
    Struct(Composite<'a>),
    /// A union.
    Union(Composite<'a>),
    /// An enumeration, of 32 or 64 bits.
    Enum(Enum<'a>),
    /// A structure or union that is declared only.
    Fwd {
        /// Its name.
        name: &'a str,
        /// True when it is a union.
        is_union: bool,
    },
    /// Another name of a type.
    Typedef {
        /// The name.
        name: &'a str,
        /// The type.
        target: TypeId,
    },
    /// A `volatile` type.
    Volatile {
        /// The type.
        target: TypeId,
    },
    /// A `const` type.
    Const {
        /// The type.
        target: TypeId,
    },
    /// A `restrict` type.
    Restrict {
        /// The type.
        target: TypeId,
    },
    /// A function.
    Func {
        /// Its name.
        name: &'a str,
        /// Its prototype.
        proto: TypeId,
        /// How it is linked.
        linkage: Linkage,
    },
    /// A function's prototype.
    FuncProto(FuncProto<'a>),
    /// A global variable.
    Var {
        /// Its name.
        name: &'a str,
        /// Its type.
        ty: TypeId,
        /// How it is linked.
        linkage: Linkage,
    },
    /// A section of variables.
    Datasec(Composite<'a>),
    /// A floating-point number.
    Float {
        /// Its name.
        name: &'a str,
        /// Its size in bytes.
        size: u32,
    },
    /// A tag on a declaration.
    DeclTag(DeclTag<'a>),
    /// A tag on a type.
    TypeTag {
        /// The tag.
        name: &'a str,
        /// The tagged type.
        target: TypeId,
        /// True when the tag is an `__attribute__((...))` of any kind, written out.
        attribute: bool,
    },
}

/// An integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its size in bytes.
    pub size: u32,
    /// The number of bits that count.
    pub bits: u8,
    /// The first bit that counts.
    pub bit_offset: u8,
    /// True when it is signed.
    pub signed: bool,
    /// True when it is a character.
    pub is_char: bool,
    /// True when it is a boolean.
    pub is_bool: bool,
}

/// A structure, union or section: a name, a size and parts.
#[derive(Clone, Copy)]
pub struct Composite<'a> {
    /// Its name; empty when it has none.
    pub name: &'a str,
    /// Its size in bytes.
    pub size: u32,
    pub(super) bitfields: bool,
    pub(super) list: List<'a>,
}

impl fmt::Debug for Composite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composite")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A member of a structure or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name; empty when it has none.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
    /// Where it begins, in bits from the start of the structure.
    pub bit_offset: u32,
    /// How many bits it has when it is a bit field, else 0.
    pub bitfield_size: u32,
}

/// A variable in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatasecVar {
    /// The variable (or, in `.ksyms`, the function).
    pub var: TypeId,
    /// Where it begins in the section. Compilers leave 0, and symbols tell.
    pub offset: u32,
    /// Its size in bytes.
    pub size: u32,
}

impl<'a> Composite<'a> {
    /// How many members or variables there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len
    }

    /// True when there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.len == 0
    }

    /// The members of a structure or union, in order.
    pub fn members(&self) -> impl ExactSizeIterator<Item = Member<'a>> + use<'a> {
        let (list, bitfields) = (self.list, self.bitfields);
        (0..list.len).map(move |index| member(list, bitfields, index))
    }

    /// The member at an index.
    #[must_use]
    pub fn member(&self, index: usize) -> Option<Member<'a>> {
        (index < self.list.len).then(|| member(self.list, self.bitfields, index))
    }

    /// The variables of a section, in order.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = DatasecVar> + use<'a> {
        let list = self.list;
        (0..list.len).map(move |index| DatasecVar {
            var: TypeId(list.word(index, 0)),
            offset: list.word(index, 1),
            size: list.word(index, 2),
        })
    }
}

fn member(list: List<'_>, bitfields: bool, index: usize) -> Member<'_> {
    let offset = list.word(index, 2);
    Member {
        name: list.btf.name_at(list.word(index, 0)),
        ty: TypeId(list.word(index, 1)),
        bit_offset: if bitfields { offset & 0xff_ffff } else { offset },
        bitfield_size: if bitfields { offset >> 24 } else { 0 },
    }
}

/// An enumeration.
#[derive(Clone, Copy)]
pub struct Enum<'a> {
    /// Its name; empty when it has none.
    pub name: &'a str,
    /// Its size in bytes.
    pub size: u32,
    /// True when its values are signed.
    pub signed: bool,
    /// True when its values have 64 bits.
    pub wide: bool,
    pub(super) list: List<'a>,
}

impl fmt::Debug for Enum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enum")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumValue<'a> {
    /// Its name.
    pub name: &'a str,
    /// The value, sign-extended to 64 bits when the enumeration is signed.
    pub value: u64,
}

impl<'a> Enum<'a> {
    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len
    }

    /// True when there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.len == 0
    }

    /// The values, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = EnumValue<'a>> + use<'a> {
        let this = *self;
        (0..this.list.len).map(move |index| this.at(index))
    }

    /// The value at an index.
    #[must_use]
    pub fn value(&self, index: usize) -> Option<EnumValue<'a>> {
        (index < self.list.len).then(|| self.at(index))
    }

    fn at(&self, index: usize) -> EnumValue<'a> {
        let list = self.list;
        let low = list.word(index, 1);
        let value = if self.wide {
            u64::from(low) | u64::from(list.word(index, 2)) << 32
        } else if self.signed {
            i64::from(low.cast_signed()).cast_unsigned()
        } else {
            u64::from(low)
        };
        EnumValue { name: list.btf.name_at(list.word(index, 0)), value }
    }
}

/// A function's prototype.
#[derive(Clone, Copy)]
pub struct FuncProto<'a> {
    /// What it returns.
    pub ret: TypeId,
    pub(super) list: List<'a>,
}

impl fmt::Debug for FuncProto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuncProto")
            .field("ret", &self.ret)
            .field("params", &self.params().collect::<Vec<_>>())
            .finish()
    }
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name; empty when it has none.
    pub name: &'a str,
    /// Its type. Void as the last one stands for `...`.
    pub ty: TypeId,
}

impl<'a> FuncProto<'a> {
    /// The parameters, in order.
    pub fn params(&self) -> impl ExactSizeIterator<Item = Param<'a>> + use<'a> {
        let list = self.list;
        (0..list.len).map(move |index| Param {
            name: list.btf.name_at(list.word(index, 0)),
            ty: TypeId(list.word(index, 1)),
        })
    }
}

/// A tag on a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclTag<'a> {
    /// The tag.
    pub name: &'a str,
    /// The tagged structure, union, function, variable or typedef.
    pub target: TypeId,
    /// The index of the tagged member or parameter; `None` when the whole is tagged.
    pub component: Option<u32>,
    /// True when the tag is an `__attribute__((...))` of any kind, written out.
    pub attribute: bool,
}

/// A list of equal records in the type section, checked to be in it.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) btf: &'a Btf,
    /// Where the first record begins.
    pub(super) start: usize,
    /// Words of four bytes in a record.
    pub(super) stride: usize,
    /// How many records there are.
    pub(super) len: usize,
}

impl List<'_> {
    fn word(&self, index: usize, word: usize) -> u32 {
        self.btf.word(self.start + (index * self.stride + word) * 4).unwrap_or(0)
    }
}

impl<'a> Type<'a> {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Type::Void => Kind::Void,
            Type::Int(_) => Kind::Int,
            Type::Ptr { .. } => Kind::Ptr,
            Type::Array { .. } => Kind::Array,
            Type::Struct(_) => Kind::Struct,
            Type::Union(_) => Kind::Union,
            Type::Enum(Enum { wide: false, .. }) => Kind::Enum,
            Type::Enum(_) => Kind::Enum64,
            Type::Fwd { .. } => Kind::Fwd,
            Type::Typedef { .. } => Kind::Typedef,
            Type::Volatile { .. } => Kind::Volatile,
            Type::Const { .. } => Kind::Const,
            Type::Restrict { .. } => Kind::Restrict,
            Type::Func { .. } => Kind::Func,
            Type::FuncProto(_) => Kind::FuncProto,
            Type::Var { .. } => Kind::Var,
            Type::Datasec(_) => Kind::Datasec,
            Type::Float { .. } => Kind::Float,
            Type::DeclTag(_) => Kind::DeclTag,
            Type::TypeTag { .. } => Kind::TypeTag,
        }
    }

    /// The name; empty when the type has none.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        match self {
            Type::Int(Int { name, .. })
            | Type::Struct(Composite { name, .. })
            | Type::Union(Composite { name, .. })
            | Type::Datasec(Composite { name, .. })
            | Type::Enum(Enum { name, .. })
            | Type::Fwd { name, .. }
            | Type::Typedef { name, .. }
            | Type::Func { name, .. }
            | Type::Var { name, .. }
            | Type::Float { name, .. }
            | Type::DeclTag(DeclTag { name, .. })
            | Type::TypeTag { name, .. } => name,
            _ => "",
        }
    }

    /// The type behind a modifier (`const`, `volatile`, `restrict`, a type tag) or a typedef.
    #[must_use]
    pub const fn modified(&self) -> Option<TypeId> {
        match *self {
            Type::Typedef { target, .. }
            | Type::Volatile { target }
            | Type::Const { target }
            | Type::Restrict { target }
            | Type::TypeTag { target, .. } => Some(target),
            _ => None,
        }
    }
}
