//! Keys and values of maps as JSON, by their BTF types where these are known.
//!
//! Numbers are little endian, as programs see them. What has no better form, or is in network order,
//! is text of its bytes in the order of memory, `"0x0a000001"`; that form is taken everywhere.

use probity::program::Btf;
use probity::program::btf::{Composite, Int, Member, Type, TypeId};
use serde_json::{Map, Value};

use super::facts::NETWORK_ORDER;
use super::hex;

/// Types nest no deeper.
const DEPTH: usize = 32;

/// A type of values, and how many bytes they have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    pub(super) types: Option<&'a Btf>,
    /// 0: not known.
    pub(super) id: u32,
    pub(super) size: usize,
}

/// A number of so many bits, signed or not: a number of JSON, or text of a decimal or hexadecimal
/// one.
pub(super) fn number(value: &Value, bits: u32) -> Result<u64, String> {
    let found: Option<i128> = match value {
        Value::Number(number) => number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from)),
        Value::Bool(value) => Some(i128::from(*value)),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok().map(i128::from),
            None => text.parse().ok(),
        },
        _ => None,
    };
    let found = found.ok_or_else(|| format!("{value} is no whole number"))?;
    let fits = found >= -(1 << (bits - 1)) && found < 1 << bits;
    let mask = u64::MAX >> (64 - bits);
    if fits { Ok(found as u64 & mask) } else { Err(format!("{value} does not fit into {bits} bits")) }
}

/// The bytes of a value.
///
/// # Errors
/// What does not fit its type or size, and where.
pub(super) fn bytes(value: &Value, shape: Shape<'_>) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; shape.size];
    let known = shape.known();
    match (value, known) {
        (Value::String(text), _) if text.starts_with("0x") => raw(text, &mut bytes)?,
        (_, Some((types, id))) => write(types, id, value, &mut bytes, DEPTH)?,
        (Value::Array(list), None) => list_of_bytes(list, &mut bytes)?,
        (Value::Number(_) | Value::Bool(_) | Value::String(_), None) => write_number(value, &mut bytes)?,
        (Value::Object(_), None) => {
            return Err("the object has no types for it: give a number, or bytes as \"0x..\"".into());
        }
        (Value::Null, None) => return Err("null is no value".into()),
    }
    Ok(bytes)
}

/// A value as JSON.
pub(super) fn json(bytes: &[u8], shape: Shape<'_>) -> Value {
    match shape.known() {
        Some((types, id)) => read(types, id, bytes, DEPTH),
        None => read_number(bytes, false),
    }
}

impl<'a> Shape<'a> {
    /// The type, when it is of the right size.
    fn known(self) -> Option<(&'a Btf, TypeId)> {
        let (types, id) = (self.types?, TypeId(self.id));
        let fits = self.id != 0 && types.size_of(id) == Some(self.size as u64);
        fits.then_some((types, id))
    }
}

fn raw(text: &str, to: &mut [u8]) -> Result<(), String> {
    let bytes = hex::parse(text).ok_or_else(|| format!("`{text}` is no text of whole bytes"))?;
    if bytes.len() != to.len() {
        return Err(format!("`{text}` has {} bytes, not {}", bytes.len(), to.len()));
    }
    to.copy_from_slice(&bytes);
    Ok(())
}

fn list_of_bytes(list: &[Value], to: &mut [u8]) -> Result<(), String> {
    if list.len() != to.len() {
        return Err(format!("a list of {} bytes, not {}", list.len(), to.len()));
    }
    for (value, byte) in list.iter().zip(to) {
        *byte = number(value, 8)? as u8;
    }
    Ok(())
}

fn write_number(value: &Value, to: &mut [u8]) -> Result<(), String> {
    if !matches!(to.len(), 1 | 2 | 4 | 8) {
        return Err(format!("{value} for {} bytes: give them as \"0x..\", or as a list", to.len()));
    }
    let number = number(value, 8 * to.len() as u32)?;
    to.copy_from_slice(&number.to_le_bytes()[..to.len()]);
    Ok(())
}

fn read_number(bytes: &[u8], signed: bool) -> Value {
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return hex::text(bytes).into();
    }
    let sign = if signed && bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut word = [sign; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    if signed { i64::from_le_bytes(word).into() } else { u64::from_le_bytes(word).into() }
}

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

fn read(types: &Btf, id: TypeId, bytes: &[u8], depth: usize) -> Value {
    let (Some(ty), Some(depth)) = (bare(types, id), depth.checked_sub(1)) else {
        return hex::text(bytes).into();
    };
    match ty {
        Type::Int(_) if is_in_network_order(types, id) => hex::text(bytes).into(),
        Type::Int(Int { size, signed, is_bool, .. }) if bytes.len() == size as usize => {
            if is_bool && bytes == [bytes[0] & 1] {
                (bytes[0] == 1).into()
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
                    None => read(types, part.ty, bytes.get(part.at..part.at + part.size)?, depth),
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

fn write(types: &Btf, id: TypeId, value: &Value, to: &mut [u8], depth: usize) -> Result<(), String> {
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
                    None => match to.get_mut(part.at..part.at + part.size) {
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

    fn plain(size: usize) -> Shape<'static> {
        Shape { types: None, id: 0, size }
    }

    fn of(text: &str, size: usize) -> Result<Vec<u8>, String> {
        bytes(&serde_json::from_str(text).unwrap(), plain(size))
    }

    #[test]
    fn numbers_fit_their_bits() {
        let number = |text: &str, bits| number(&serde_json::from_str(text).unwrap(), bits);
        assert_eq!((number("255", 8), number("-1", 8), number("-128", 8)), (Ok(255), Ok(255), Ok(128)));
        assert!(number("256", 8).is_err() && number("-129", 8).is_err());
        assert_eq!(number("18446744073709551615", 64), Ok(u64::MAX));
        assert_eq!(
            (number("\"0xff\"", 8), number("\"-2\"", 8), number("true", 1)),
            (Ok(255), Ok(254), Ok(1))
        );
        assert!(number("1.5", 64).is_err() && number("\"x\"", 64).is_err() && number("[]", 64).is_err());
    }

    #[test]
    fn without_types_there_are_numbers_and_bytes() {
        assert_eq!(of("258", 4), Ok(vec![2, 1, 0, 0]));
        assert_eq!(of("\"0x0a000001\"", 4), Ok(vec![10, 0, 0, 1]));
        assert_eq!(of("[1, 2, 3]", 3), Ok(vec![1, 2, 3]));
        for wrong in ["\"0x0a\"", "[1]", "{}", "null", "\"0xzz\"", "4294967296"] {
            assert!(of(wrong, 4).is_err(), "{wrong}");
        }
        assert!(of("1", 3).unwrap_err().contains("0x.."));
        assert_eq!(json(&[2, 1, 0, 0], plain(4)), Value::from(258));
        assert_eq!(json(&[1, 2, 3], plain(3)), Value::from("0x010203"));
    }

    #[test]
    fn bits_go_in_and_out() {
        let mut to = [0xff; 2];
        write_bits(&Value::from(2), &mut to, 6, 4).unwrap();
        assert_eq!(to, [0b1011_1111, 0b1111_1100]);
        assert!(write_bits(&Value::from(2), &mut to, 14, 4).is_err());
    }
}
