//! The number that is asked for of a place.

use probity_program::{
    Btf,
    btf::{Type, TypeId},
};

use super::{
    Kind,
    spec::{Spec, Step},
};

/// A number that a place has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) number: u64,
    /// False when a compiler may have come to another number.
    pub(super) is_certain: bool,
    /// The member that an offset is of.
    pub(super) field: Option<Field>,
}

/// A member whose offset is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) size: u32,
    pub(super) ty: TypeId,
}

impl Value {
    pub(super) fn plain(number: u64) -> Value {
        Value { number, is_certain: true, field: None }
    }
}

impl Spec<'_> {
    /// The number of this place; `None` when it has none.
    pub(super) fn value(&self, btf: &Btf, kind: Kind) -> Option<Value> {
        let plain = |number| Some(Value::plain(number));
        match kind {
            Kind::FieldExists | Kind::TypeExists | Kind::TypeMatches | Kind::EnumvalExists => plain(1),
            Kind::TypeIdLocal | Kind::TypeIdTarget => {
                Some(Value { is_certain: false, ..Value::plain(u64::from(self.root.0)) })
            }
            Kind::TypeSize => plain(btf.size_of(self.root)?),
            Kind::EnumvalValue => match self.steps.last()? {
                Step::Value { value, .. } => plain(*value),
                _ => None,
            },
            _ => match self.steps.last()? {
                Step::Element { ty, .. } => self.element_value(btf, kind, *ty),
                Step::Member { member, .. } => self.member_value(btf, kind, member.ty, member.bitfield_size),
                Step::Value { .. } => None,
            },
        }
    }

    fn element_value(&self, btf: &Btf, kind: Kind, ty: TypeId) -> Option<Value> {
        let size = btf.size_of(ty)?;
        match kind {
            Kind::FieldByteOffset => Some(Value {
                field: Some(Field { size: u32::try_from(size).ok()?, ty }),
                ..Value::plain(self.bit_offset / 8)
            }),
            Kind::FieldByteSize => Some(Value::plain(size)),
            _ => None,
        }
    }

    fn member_value(&self, btf: &Btf, kind: Kind, ty: TypeId, bits: u32) -> Option<Value> {
        let is_bitfield = bits != 0;
        let bit_offset = self.bit_offset;
        let mut size = btf.size_of(ty)?;
        let (byte_offset, bits) = if is_bitfield {
            // The smallest aligned word that has the whole bit field.
            loop {
                let start = (bit_offset / 8).checked_div(size)? * size;
                if bit_offset.checked_add(u64::from(bits))? - start * 8 <= size.checked_mul(8)? {
                    break (start, u64::from(bits));
                }
                if size >= 8 {
                    return None;
                }
                size *= 2;
            }
        } else {
            (bit_offset / 8, size.checked_mul(8)?)
        };
        let number = match kind {
            Kind::FieldByteOffset => byte_offset,
            Kind::FieldByteSize => size,
            Kind::FieldSigned => u64::from(match btf.resolved(ty)? {
                Type::Int(int) => int.signed,
                Type::Enum(values) => values.signed,
                _ => false,
            }),
            Kind::FieldLshift => {
                let end = bit_offset.checked_add(bits)?.checked_sub(byte_offset * 8)?;
                64u64.wrapping_sub(end)
            }
            Kind::FieldRshift => 64u64.wrapping_sub(bits),
            _ => return None,
        };
        Some(Value {
            number,
            is_certain: !is_bitfield || kind == Kind::FieldSigned || kind == Kind::FieldRshift,
            field: if kind == Kind::FieldByteOffset && !is_bitfield {
                Some(Field { size: u32::try_from(size).ok()?, ty })
            } else {
                None
            },
        })
    }
}
