//! What a register, or a stack slot that holds one, is known to be.

use probity_platform::{Behaviour, KindId, RegType, TypeFlags};

use crate::domain::Scalar;

/// In [`Reg::id`]: the value is the class's base plus [`Reg::off`], added with 64 bits.
pub const ADD_CONST64: u32 = 1 << 31;
/// In [`Reg::id`]: the value is the class's base plus [`Reg::off`], added with 32 bits and
/// zero-extended.
pub const ADD_CONST32: u32 = 1 << 30;
/// Either of the two.
pub const ADD_CONST: u32 = ADD_CONST64 | ADD_CONST32;

/// The abstract value of a register. Pointers have a fixed offset `off` and a variable one `val`;
/// for scalars `val` is the value and `off` the distance to the base of its link class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reg {
    /// How the value behaves; None when the register was never written.
    pub behaviour: Option<Behaviour>,
    /// Its kind; meaningless when `behaviour` is None.
    pub kind: KindId,
    /// The modifiers of its type.
    pub flags: TypeFlags,
    /// The fixed offset of a pointer, or the delta of a linked scalar.
    pub off: i32,
    /// Identity: of a null check, of a variable packet offset, of a class of equal scalars.
    pub id: u32,
    /// The reference that it derives from, 0 for none; or with [`super::ends::SET`] what it ends with.
    pub ref_id: u32,
    /// By behaviour: the map's index, the region's size, the packet range, the frame number, the
    /// function's first instruction.
    pub data: u32,
    /// By behaviour. Of a map, or a value: which inner map it is, or is in, where that matters: the
    /// identity of the lookup that found it, [`CALLED_LATER`] or [`WALKED`]; 0 for other maps.
    pub data2: u32,
    /// The scalar, or the variable part of the offset.
    pub val: Scalar,
}

/// A packet range that says: this pointer is beyond its bound.
pub const BEYOND_BOUND: i32 = -2;
/// A packet range that says: this pointer is at or beyond its bound.
pub const AT_BOUND: i32 = -1;

/// In [`Reg::data2`]: the inner map whose field calls this function.
pub const CALLED_LATER: u32 = u32::MAX;
/// In [`Reg::data2`]: some inner map whose elements are walked.
pub const WALKED: u32 = u32::MAX - 1;

impl Reg {
    /// A register that was never written.
    pub const NOT_INIT: Reg = Reg {
        behaviour: None,
        kind: KindId(0),
        flags: TypeFlags::empty(),
        off: 0,
        id: 0,
        ref_id: 0,
        data: 0,
        data2: 0,
        val: Scalar::UNKNOWN,
    };

    /// A scalar with a value.
    #[inline]
    #[must_use]
    pub fn scalar(val: Scalar) -> Reg {
        Reg { behaviour: Some(Behaviour::Scalar), val, ..Reg::NOT_INIT }
    }

    /// A scalar of which nothing is known.
    #[inline]
    #[must_use]
    pub fn unknown() -> Reg {
        Reg::scalar(Scalar::UNKNOWN)
    }

    /// A pointer without offset.
    #[inline]
    #[must_use]
    pub fn pointer(behaviour: Behaviour, ty: RegType) -> Reg {
        Reg {
            behaviour: Some(behaviour),
            kind: ty.kind,
            flags: ty.flags,
            val: Scalar::constant(0),
            ..Reg::NOT_INIT
        }
    }

    /// Becomes the number `value`; `kind` is that of scalars.
    #[inline]
    pub fn set_constant(&mut self, kind: KindId, value: u64) {
        self.set_scalar_type(kind);
        self.val.set_constant(value);
    }

    /// Becomes a number of which nothing is known; `kind` is that of scalars.
    #[inline]
    pub fn set_unknown(&mut self, kind: KindId) {
        self.set_scalar_type(kind);
        self.val = Scalar::UNKNOWN;
    }

    #[inline]
    fn set_scalar_type(&mut self, kind: KindId) {
        self.behaviour = Some(Behaviour::Scalar);
        self.kind = kind;
        self.flags = TypeFlags::empty();
        self.off = 0;
        self.id = 0;
        self.ref_id = 0;
        self.data = 0;
        self.data2 = 0;
    }

    /// True for numbers.
    #[inline]
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        self.behaviour == Some(Behaviour::Scalar)
    }

    /// True for everything that is written and no number.
    #[inline]
    #[must_use]
    pub fn is_pointer(&self) -> bool {
        !matches!(self.behaviour, None | Some(Behaviour::Scalar))
    }

    /// True when it may be null.
    #[inline]
    #[must_use]
    pub fn maybe_null(&self) -> bool {
        self.flags.contains(TypeFlags::PTR_MAYBE_NULL)
    }

    /// The type of a pointer.
    #[inline]
    #[must_use]
    pub fn ty(&self) -> RegType {
        RegType { kind: self.kind, flags: self.flags }
    }

    /// The value of a scalar that is known exactly.
    #[inline]
    #[must_use]
    pub fn constant(&self) -> Option<u64> {
        if self.is_scalar() { self.val.is_const() } else { None }
    }

    /// True for the number 0.
    #[inline]
    #[must_use]
    pub fn is_null_scalar(&self) -> bool {
        self.constant() == Some(0)
    }

    /// The class of equal scalars, without the delta bits.
    #[inline]
    #[must_use]
    pub fn link_class(&self) -> u32 {
        self.id & !ADD_CONST
    }

    /// Forgets the link to other scalars.
    #[inline]
    pub fn unlink(&mut self) {
        self.id = 0;
        self.off = 0;
    }

    /// The bytes behind a packet pointer that are proved to be there, or a negative mark.
    #[inline]
    #[must_use]
    pub fn range(&self) -> i32 {
        self.data.cast_signed()
    }

    /// Sets the packet range.
    #[inline]
    pub fn set_range(&mut self, range: i32) {
        self.data = range.cast_unsigned();
    }

    /// The index of the map of a map, key or value.
    #[inline]
    #[must_use]
    pub fn map(&self) -> usize {
        self.data as usize
    }

    /// The number of the frame that a stack pointer points into.
    #[inline]
    #[must_use]
    pub fn frame(&self) -> usize {
        self.data as usize
    }

    /// The size of a region in bytes.
    #[inline]
    #[must_use]
    pub fn region_size(&self) -> u32 {
        self.data
    }
}
