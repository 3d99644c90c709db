//! Keys and values of maps as JSON by their BTF types: structures and variables by name, arrays as
//! lists.

use probity::program::Btf;
use probity::program::btf::{Composite, Int, Member, Type, TypeId};
use serde_json::{Map, Value};

use super::facts::NETWORK_ORDER;
use super::hex;
use super::values::{DEPTH, list_of_bytes, number, raw, read_number, write_number};

/// The type behind typedefs, qualifiers and variables.
fn bare<'a>(types: &'a Btf, id: TypeId) -> Option<Type<'a>> {
    match types.resolved(id)? {
        Type::Var { ty, .. } => types.resolved(ty),
        other => Some(other),
    }
}

/// True for a type whose name says that its bytes are in network order.
fn is_in_network_order(types: &Btf, mut id: TypeId) -> bool {
    for _ in 0..DEPTH {
        id = match types.ty(id) {
            Some(Type::Typedef { name, .. }) if NETWORK_ORDER.contains(&name) => return true,
            Some(
                Type::Typedef { target, .. }
                | Type::Volatile { target }
                | Type::Const { target }
                | Type::TypeTag { target, .. },
            ) => target,
            _ => return false,
        };
    }
    false
}

/// A named part of a structure or a section: its type and its place in bytes.
struct Part<'a> {
    name: &'a str,
    ty: TypeId,
    at: usize,
    size: usize,
    /// First bit and number of bits of a bit field, from the start of the whole.
    bits: Option<(u32, u32)>,
}

impl Part<'_> {
    /// Where it is. Types of hostile objects may say anything.
    fn place(&self) -> std::ops::Range<usize> {
        self.at..self.at.saturating_add(self.size)
    }
}

/// The parts of a structure; None when one has no name or no size: then the whole is bytes.
fn parts<'a>(types: &'a Btf, composite: Composite<'a>) -> Option<Vec<Part<'a>>> {
    let part = |member: Member<'a>| {
        let size = usize::try_from(types.size_of(member.ty)?).ok()?;
        let bits = (member.bitfield_size > 0).then_some((member.bit_offset, member.bitfield_size));
        let at = (member.bit_offset / 8) as usize;
        let whole = bits.is_some() || member.bit_offset.is_multiple_of(8);
        (whole && !member.name.is_empty()).then_some(Part {
            name: member.name,
            ty: member.ty,
            at,
            size,
            bits,
        })
    };
    composite.members().map(part).collect()
}

/// The variables of a section.
fn variables<'a>(types: &'a Btf, section: Composite<'a>) -> Option<Vec<Part<'a>>> {
    let part = |var: probity::program::btf::DatasecVar| {
        let Type::Var { name, ty, .. } = types.ty(var.var)? else { return None };
        let size = usize::try_from(types.size_of(ty)?).ok()?;
        Some(Part { name, ty, at: var.offset as usize, size, bits: None })
    };
    section.vars().map(part).collect()
}

fn parts_of<'a>(types: &'a Btf, ty: Type<'a>) -> Option<Vec<Part<'a>>> {
    match ty {
        Type::Struct(composite) => parts(types, composite),
        Type::Datasec(section) => variables(types, section),
        _ => None,
    }
}

/// A value as JSON.
pub(super) fn read(types: &Btf, id: TypeId, bytes: &[u8], depth: usize) -> Value {
    let (Some(ty), Some(depth)) = (bare(types, id), depth.checked_sub(1)) else {
        return hex::text(bytes).into();
    };
    match ty {
        Type::Int(_) if is_in_network_order(types, id) => hex::text(bytes).into(),
        Type::Int(Int { size, signed, is_bool, .. }) if bytes.len() == size as usize => {
            if is_bool && matches!(bytes, [0 | 1]) {
                (bytes == [1]).into()
            } else {
                read_number(bytes, signed)
            }
        }
        Type::Enum(list) => read_number(bytes, list.signed),
        Type::Array { elem, count, .. } => {
            let size = bytes.len().checked_div(count as usize).unwrap_or(0);
            // Texts, addresses and the like are easier to read in one piece.
            if size <= 1 {
                return hex::text(bytes).into();
            }
            bytes.chunks_exact(size).map(|one| read(types, elem, one, depth)).collect()
        }
        Type::Struct(_) | Type::Datasec(_) => {
            let read_part = |part: &Part<'_>| {
                let value = match part.bits {
                    Some((first, count)) => read_bits(types, part.ty, bytes, first, count)?,
                    None => read(types, part.ty, bytes.get(part.place())?, depth),
                };
                Some((part.name.to_owned(), value))
            };
            let fields = parts_of(types, ty)
                .and_then(|parts| parts.iter().map(read_part).collect::<Option<Map<String, Value>>>());
            fields.map_or_else(|| hex::text(bytes).into(), Value::Object)
        }
        _ => hex::text(bytes).into(),
    }
}

fn read_bits(types: &Btf, ty: TypeId, bytes: &[u8], first: u32, count: u32) -> Option<Value> {
    let bit = |index: u32| Some(bytes.get(index as usize / 8)? >> (index % 8) & 1);
    let mut found = 0u64;
    for index in (0..count.min(64)).rev() {
        found = found << 1 | u64::from(bit(first + index)?);
    }
    let signed = matches!(bare(types, ty), Some(Type::Int(int)) if int.signed);
    let shift = 64 - count.clamp(1, 64);
    Some(if signed { ((found << shift).cast_signed() >> shift).into() } else { found.into() })
}

/// Writes a value's bytes.
pub(super) fn write(
    types: &Btf,
    id: TypeId,
    value: &Value,
    to: &mut [u8],
    depth: usize,
) -> Result<(), String> {
    if let Value::String(text) = value
        && text.starts_with("0x")
    {
        return raw(text, to);
    }
    let (Some(ty), Some(depth)) = (bare(types, id), depth.checked_sub(1)) else {
        return Err("its type is not known: give bytes as \"0x..\"".into());
    };
    match (ty, value) {
        (Type::Int(_), Value::Array(list)) => list_of_bytes(list, to),
        (Type::Int(_), _) => write_number(value, to),
        (Type::Enum(list), Value::String(name)) => {
            let found = list.values().find(|row| row.name == name);
            let found = found.ok_or_else(|| format!("{} has no value `{name}`", list.name))?;
            let len = to.len().min(8);
            to[..len].copy_from_slice(&found.value.to_le_bytes()[..len]);
            Ok(())
        }
        (Type::Enum(_), _) => write_number(value, to),
        (Type::Array { elem, count, .. }, Value::Array(list)) => {
            let size = to.len().checked_div(count as usize).unwrap_or(0);
            if list.len() > count as usize {
                return Err(format!("a list of {}, where {count} fit", list.len()));
            }
            for (index, (value, one)) in list.iter().zip(to.chunks_exact_mut(size.max(1))).enumerate() {
                write(types, elem, value, one, depth).map_err(|error| format!("[{index}]: {error}"))?;
            }
            Ok(())
        }
        (Type::Struct(_) | Type::Datasec(_), Value::Object(fields)) => {
            let parts = parts_of(types, ty)
                .ok_or("the type has members without a name: give its bytes as \"0x..\"")?;
            for (name, value) in fields {
                let part = parts.iter().find(|part| part.name == name).ok_or_else(|| {
                    let known: Vec<_> = parts.iter().map(|part| part.name).collect();
                    format!("there is no field `{name}`; there is {}", known.join(", "))
                })?;
                let done = match part.bits {
                    Some((first, count)) => write_bits(value, to, first, count),
                    None => match to.get_mut(part.place()) {
                        Some(to) => write(types, part.ty, value, to, depth),
                        None => Err("it lies outside of its structure".into()),
                    },
                };
                done.map_err(|error| format!("{name}: {error}"))?;
            }
            Ok(())
        }
        (Type::Struct(_) | Type::Datasec(_), Value::Array(list)) => list_of_bytes(list, to),
        (Type::Struct(_) | Type::Datasec(_), _) => Err("it is a structure: give an object of fields".into()),
        (Type::Array { .. }, _) => Err("it is an array: give a list, or bytes as \"0x..\"".into()),
        (_, Value::Array(list)) => list_of_bytes(list, to),
        (_, _) => write_number(value, to),
    }
}

fn write_bits(value: &Value, to: &mut [u8], first: u32, count: u32) -> Result<(), String> {
    let number = number(value, count.clamp(1, 64))?;
    for index in 0..count.min(64) {
        let at = first + index;
        let byte = to.get_mut(at as usize / 8).ok_or("it lies outside of its structure")?;
        let mask = 1 << (at % 8);
        *byte = if number >> index & 1 == 1 { *byte | mask } else { *byte & !mask };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_go_in_and_out() {
        let mut to = [0xff; 2];
        write_bits(&Value::from(2), &mut to, 6, 4).unwrap();
        assert_eq!(to, [0b1011_1111, 0b1111_1100]);
        assert!(write_bits(&Value::from(2), &mut to, 14, 4).is_err());
    }
}
