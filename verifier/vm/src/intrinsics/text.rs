//! Numbers read from text, text compared with a constant.

use probity_isa::Size;

use super::{Args, Body};
use crate::errno::{Errno, status};
use crate::run::{Left, Run};

/// What the platform's text takes for blanks.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0xa0)
}

/// The bits of the flags that say the base.
const BASE: u64 = 0x1f;
/// No more characters than these are looked at behind the sign.
const LONGEST: usize = 63;

/// A number at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parsed {
    negative: bool,
    magnitude: u64,
    /// How many characters were used.
    used: usize,
}

/// The digits' base and where they begin.
fn digits(text: &[u8], base: u32) -> (u32, &[u8]) {
    let at = |index: usize| text.get(index).copied().unwrap_or(0);
    let hex = at(0) == b'0' && at(1).eq_ignore_ascii_case(&b'x');
    let base = match base {
        0 if hex && at(2).is_ascii_hexdigit() => 16,
        0 if at(0) == b'0' => 8,
        0 => 10,
        base => base,
    };
    (base, if base == 16 && hex { &text[2..] } else { text })
}

fn parse(text: &[u8], flags: u64) -> Result<Parsed, Errno> {
    let base = match flags {
        0 | 8 | 10 | 16 => flags as u32,
        // Other bases, and bits above them.
        _ => return Err(Errno::EINVAL),
    };
    debug_assert!(flags <= BASE);
    let blanks = text.iter().take_while(|&&byte| is_space(byte)).count();
    let negative = text.get(blanks) == Some(&b'-');
    let signed = blanks + usize::from(negative);
    let rest = &text[signed..];
    let rest = &rest[..rest.len().min(LONGEST)];
    let (base, from) = digits(rest, base);
    let mut magnitude = Some(0u64);
    let mut count = 0;
    for digit in from.iter().map_while(|&byte| char::from(byte).to_digit(base)) {
        magnitude = magnitude.and_then(|so_far| so_far.checked_mul(base.into())?.checked_add(digit.into()));
        count += 1;
    }
    if count == 0 {
        return Err(Errno::EINVAL);
    }
    let magnitude = magnitude.ok_or(Errno::ERANGE)?;
    Ok(Parsed { negative, magnitude, used: signed + (rest.len() - from.len()) + count })
}

/// A signed number: its bits, and how many characters were used.
fn signed(text: &[u8], flags: u64) -> Result<(u64, usize), Errno> {
    let Parsed { negative, magnitude, used } = parse(text, flags)?;
    let value = if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    Ok((value.ok_or(Errno::ERANGE)?.cast_unsigned(), used))
}

/// A number without sign.
fn unsigned(text: &[u8], flags: u64) -> Result<(u64, usize), Errno> {
    let parsed = parse(text, flags)?;
    if parsed.negative { Err(Errno::EINVAL) } else { Ok((parsed.magnitude, parsed.used)) }
}

/// `(text, length, flags, to)`: what can't be read leaves 0.
fn read(args: Args<'_>, how: fn(&[u8], u64) -> Result<(u64, usize), Errno>) -> u64 {
    let result = how(&args.bytes(0, 1).to_vec(), args.number(2));
    let value = result.map_or(0, |(value, _)| value);
    // The memory has 8 bytes: the signature says so.
    let _ = args.memory(3, 8).set(0, Size::Dw, value);
    result.map_or_else(|error| status(Err(error)), |(_, used)| used as u64)
}

/// `(text, length, flags, to)`.
pub(super) struct Strtol;

impl Body for Strtol {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        Ok(read(args, signed))
    }
}

/// `(text, length, flags, to)`.
pub(super) struct Strtoul;

impl Body for Strtoul {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        Ok(read(args, unsigned))
    }
}

/// `(text, length, constant text)`: -1, 0 or 1.
pub(super) struct Strncmp;

impl Body for Strncmp {
    fn call(_run: &mut Run<'_>, args: Args<'_>) -> Result<u64, Left> {
        let text = args.bytes(0, 1);
        for at in 0..text.len() {
            // The constant is as long as its terminating zero, where the comparison ends at the latest.
            let byte = |from: crate::GuestBytes<'_>| from.get(at, Size::B).unwrap_or(0);
            let (left, right) = (byte(text), byte(args.memory(2, at + 1)));
            if left != right {
                return Ok(if left < right { -1i64 } else { 1 }.cast_unsigned());
            }
            if left == 0 {
                break;
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{signed, unsigned};
    use crate::errno::Errno;

    /// As the kernel of the platform answers.
    #[test]
    fn numbers_from_text() {
        type Result = std::result::Result<(u64, usize), Errno>;
        const NONE: Result = Err(Errno::EINVAL);
        const RANGE: Result = Err(Errno::ERANGE);
        let same = |result: Result| (result, result);
        let cases: &[(&[u8], u64, (Result, Result))] = &[
            (b"12", 0, same(Ok((12, 2)))),
            (b" 12", 0, same(Ok((12, 3)))),
            (b"-12", 0, (Ok((-12i64 as u64, 3)), NONE)),
            (b"+12", 0, same(NONE)),
            (b"0x1f", 0, same(Ok((31, 4)))),
            (b"0x1f", 16, same(Ok((31, 4)))),
            (b"0x1f", 10, same(Ok((0, 1)))),
            (b"0X1F", 0, same(Ok((31, 4)))),
            (b"017", 0, same(Ok((15, 3)))),
            (b"017", 8, same(Ok((15, 3)))),
            (b"08", 0, same(Ok((0, 1)))),
            (b"9", 8, same(NONE)),
            (b"-", 0, same(NONE)),
            (b"- 1", 0, same(NONE)),
            (b"--1", 0, same(NONE)),
            (b"-0", 0, (Ok((0, 2)), NONE)),
            (b"0x", 0, same(Ok((0, 1)))),
            (b"0xg", 0, same(Ok((0, 1)))),
            (b"0x", 16, same(NONE)),
            (b"12abc", 0, same(Ok((12, 2)))),
            (b"\t\n\x0b\x0c\r\xa0 5", 0, same(Ok((5, 8)))),
            (b"   ", 0, same(NONE)),
            (b"\0", 0, same(NONE)),
            (b"12", 2, same(NONE)),
            (b"12", 32, same(NONE)),
            (b"12", 1 << 32 | 10, same(NONE)),
            (b"9223372036854775807", 0, same(Ok((i64::MAX as u64, 19)))),
            (b"9223372036854775808", 0, (RANGE, Ok((1 << 63, 19)))),
            (b"-9223372036854775808", 0, (Ok((1 << 63, 20)), NONE)),
            (b"-9223372036854775809", 0, (RANGE, NONE)),
            (b"18446744073709551615", 0, (RANGE, Ok((u64::MAX, 20)))),
            (b"18446744073709551616", 0, same(RANGE)),
            (b"0xfffffffffffffffff", 16, same(RANGE)),
            (b"99999999999999999999zzz", 0, same(RANGE)),
            // 63 characters behind the sign are looked at.
            (&[[b'0'; 62].as_slice(), b"57"].concat(), 10, same(Ok((5, 63)))),
            (&[b"-", [b'0'; 62].as_slice(), b"57"].concat(), 10, (Ok((-5i64 as u64, 64)), NONE)),
            (&[[b' '; 70].as_slice(), b"5"].concat(), 10, same(Ok((5, 71)))),
        ];
        for (text, flags, (as_signed, as_unsigned)) in cases {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(signed(text, *flags), *as_signed, "{shown:?} {flags}");
            assert_eq!(unsigned(text, *flags), *as_unsigned, "{shown:?} {flags}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(value: i64, blanks in 0usize..4, behind in "[ g-z]{0,5}") {
            for (text, base) in [(format!("{value}"), 10), (format!("{value}"), 0)] {
                let text = [" ".repeat(blanks), text, behind.clone()].concat();
                let used = text.len() - behind.len();
                prop_assert_eq!(signed(text.as_bytes(), base), Ok((value as u64, used)));
            }
            let number = value as u64;
            for (text, base) in [(format!("{number:x}"), 16), (format!("{number:#X}"), 16), (format!("{number:o}"), 8)] {
                prop_assert_eq!(unsigned(text.as_bytes(), base), Ok((number, text.len())));
            }
        }

        #[test]
        fn nothing_panics(text: Vec<u8>, flags in 0u64..40) {
            if let Ok((_, used)) = signed(&text, flags) {
                prop_assert!(used <= text.len() && used > 0);
            }
        }
    }
}
