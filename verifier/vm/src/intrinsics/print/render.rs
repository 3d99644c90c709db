//! From conversions and packed arguments to text.

use super::format::{Conversion, Flags, Piece, Pieces};

/// Text, and how long it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    /// What fits, without the zero.
    pub(super) bytes: Vec<u8>,
    /// How many bytes the whole text has.
    pub(super) len: u64,
}

/// A buffer that counts what does not fit.
struct Writer {
    bytes: Vec<u8>,
    /// Its size, the zero included.
    size: usize,
    len: u64,
}

impl Writer {
    fn repeat(&mut self, byte: u8, count: u64) {
        let left = self.size.saturating_sub(self.bytes.len());
        let fits = usize::try_from(count).map_or(left, |count| count.min(left));
        self.bytes.resize(self.bytes.len() + fits, byte);
        self.len += count;
    }

    fn put(&mut self, bytes: &[u8]) {
        let left = self.size.saturating_sub(self.bytes.len());
        self.bytes.extend(&bytes[..bytes.len().min(left)]);
        self.len += bytes.len() as u64;
    }

    /// Text in a field of a width.
    fn field(&mut self, text: &[u8], flags: Flags, width: Option<i32>) {
        let fill = fill(width, text.len());
        if !flags.contains(Flags::LEFT) {
            self.repeat(b' ', fill);
        }
        self.put(text);
        if flags.contains(Flags::LEFT) {
            self.repeat(b' ', fill);
        }
    }

    /// A number in a field: the zeros come between sign and digits.
    fn number(&mut self, sign: &[u8], digits: &[u8], flags: Flags, width: Option<i32>) {
        if flags.contains(Flags::LEFT) || !flags.contains(Flags::ZEROS) {
            return self.field(&[sign, digits].concat(), flags, width);
        }
        self.put(sign);
        self.repeat(b'0', fill(width, sign.len() + digits.len()));
        self.put(digits);
    }

    fn address(&mut self, value: u64, flags: Flags, width: Option<i32>) {
        let digits = format!("{value:x}");
        let (flags, width) = match width {
            Some(_) => (flags, width),
            None => (flags | Flags::ZEROS, Some(16)),
        };
        self.number(b"", digits.as_bytes(), flags, width);
    }

    fn is_full(&self) -> bool {
        self.len >= self.size as u64
    }
}

/// How many bytes fill a field.
fn fill(width: Option<i32>, len: usize) -> u64 {
    width.map_or(0, |width| u64::try_from(i64::from(width) - len as i64).unwrap_or(0))
}

/// Packed arguments, one after the other. Behind the end there are zeros.
struct Unpacker<'p>(&'p [u8], usize);

impl Unpacker<'_> {
    fn bytes<const N: usize>(&mut self, align: usize) -> [u8; N] {
        self.1 = self.1.next_multiple_of(align);
        let byte = |at: usize| self.0.get(self.1 + at).copied().unwrap_or(0);
        let bytes = std::array::from_fn(byte);
        self.1 += N;
        bytes
    }

    fn word(&mut self) -> u32 {
        u32::from_ne_bytes(self.bytes(4))
    }

    fn wide(&mut self) -> u64 {
        u64::from_ne_bytes(self.bytes(4))
    }

    fn text(&mut self) -> &[u8] {
        let rest = self.0.get(self.1..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
        self.1 += end + 1;
        &rest[..end]
    }
}

/// What stands for an address: 32 bits that whoever does not know the secret can't trace back. Null
/// and error numbers stand for themselves.
fn hashed(address: u64, secret: u64) -> u64 {
    const FIRST_ERROR: u64 = (-4095i64).cast_unsigned();
    if address == 0 || address >= FIRST_ERROR {
        return address;
    }
    let mut hash = address ^ secret;
    for _ in 0..3 {
        hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(secret);
    }
    hash >> 32
}

/// Renders a format that was packed, into a buffer of `size` bytes.
pub(super) fn render(fmt: &[u8], packed: &[u8], size: usize, secret: u64) -> Rendered {
    let mut to = Writer { bytes: Vec::new(), size, len: 0 };
    let mut from = Unpacker(packed, 0);
    for piece in Pieces::new(fmt).map_while(Result::ok) {
        let (flags, width, conversion) = match piece {
            Piece::Literal(byte) => {
                to.repeat(byte, 1);
                continue;
            }
            Piece::Convert { flags, width, conversion } => (flags, width, conversion),
        };
        match conversion {
            Conversion::Char => to.field(&from.bytes::<1>(1), flags, width),
            Conversion::Text => to.field(from.text(), flags, width),
            Conversion::Number { wide, signed, base, upper } => {
                let value = match (wide, signed) {
                    (true, _) => i128::from(from.wide().cast_signed()),
                    (false, _) => i128::from(from.word().cast_signed()),
                };
                let mask = if wide { u64::MAX } else { u32::MAX.into() };
                let magnitude = if signed { value.unsigned_abs() as u64 } else { value as u64 & mask };
                let digits = match (base, upper) {
                    (16, true) => format!("{magnitude:X}"),
                    (16, false) => format!("{magnitude:x}"),
                    _ => magnitude.to_string(),
                };
                let sign: &[u8] = match signed {
                    true if value < 0 => b"-",
                    true if flags.contains(Flags::PLUS) => b"+",
                    true if flags.contains(Flags::SPACE) => b" ",
                    _ => b"",
                };
                to.number(sign, digits.as_bytes(), flags, width);
            }
            Conversion::Address => to.address(from.wide(), flags, width),
            Conversion::Hashed => to.address(hashed(from.wide(), secret), flags, width),
            Conversion::Symbol => to.field(format!("{:#x}", from.wide()).as_bytes(), flags, width),
            // Behind the end of the buffer such a text is neither counted nor passed over: what
            // follows takes its bytes. So it is with the platform's.
            Conversion::Packed(_) if to.is_full() => {}
            Conversion::Packed(_) => to.put(from.text()),
        }
    }
    to.bytes.truncate(size.saturating_sub(1));
    Rendered { bytes: to.bytes, len: to.len }
}
