//! Keys and values of maps as JSON, by their BTF types where these are known.
//!
//! Numbers are little endian, as programs see them. What has no better form, or is in network order,
//! is text of its bytes in the order of memory, `"0x0a000001"`; that form is taken everywhere.

use probity::program::Btf;
use probity::program::btf::TypeId;
use serde_json::Value;

use super::{hex, types};

/// Types nest no deeper.
pub(super) const DEPTH: usize = 32;

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
        (_, Some((btf, id))) => types::write(btf, id, value, &mut bytes, DEPTH)?,
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
        Some((btf, id)) => types::read(btf, id, bytes, DEPTH),
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

pub(super) fn raw(text: &str, to: &mut [u8]) -> Result<(), String> {
    let bytes = hex::parse(text).ok_or_else(|| format!("`{text}` is no text of whole bytes"))?;
    if bytes.len() != to.len() {
        return Err(format!("`{text}` has {} bytes, not {}", bytes.len(), to.len()));
    }
    to.copy_from_slice(&bytes);
    Ok(())
}

pub(super) fn list_of_bytes(list: &[Value], to: &mut [u8]) -> Result<(), String> {
    if list.len() != to.len() {
        return Err(format!("a list of {} bytes, not {}", list.len(), to.len()));
    }
    for (value, byte) in list.iter().zip(to) {
        *byte = number(value, 8)? as u8;
    }
    Ok(())
}

pub(super) fn write_number(value: &Value, to: &mut [u8]) -> Result<(), String> {
    if !matches!(to.len(), 1 | 2 | 4 | 8) {
        return Err(format!("{value} for {} bytes: give them as \"0x..\", or as a list", to.len()));
    }
    let number = number(value, 8 * to.len() as u32)?;
    to.copy_from_slice(&number.to_le_bytes()[..to.len()]);
    Ok(())
}

pub(super) fn read_number(bytes: &[u8], signed: bool) -> Value {
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return hex::text(bytes).into();
    }
    let sign = if signed && bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut word = [sign; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    if signed { i64::from_le_bytes(word).into() } else { u64::from_le_bytes(word).into() }
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
}
