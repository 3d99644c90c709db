//! What formats mean.

use bitflags::bitflags;

use crate::errno::Errno;
use crate::intrinsics::text::is_space;

bitflags! {
    /// Flags in front of a width.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Flags: u8 {
        /// Fills with zeros: `0`.
        const ZEROS = 1;
        /// A sign also for positive numbers: `+`.
        const PLUS = 2;
        /// A space in the place of the plus: ` `.
        const SPACE = 4;
        /// Fills on the right: `-`.
        const LEFT = 8;
    }
}

/// What a conversion makes of its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// `%c`.
    Char,
    /// `%s`: text at an address.
    Text,
    /// `%d` and its like.
    Number {
        /// 64 bits rather than 32.
        wide: bool,
        /// Whether there is a sign.
        signed: bool,
        /// 10 or 16.
        base: u8,
        /// Upper-case digits.
        upper: bool,
    },
    /// `%px`: an address.
    Address,
    /// `%p`, `%pK`: what stands for an address without giving it away.
    Hashed,
    /// `%ps`, `%pS`: a symbol's name. There are none here.
    Symbol,
    /// What is text already when it is packed; flags and width count for nothing.
    Packed(Packed),
}

/// What packing turns to text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    /// `%pks`, `%pus`: text at an address; of user space there is none.
    Text {
        /// Whether it is of user space.
        user: bool,
    },
    /// `%pB`: a symbol's name.
    Symbol,
    /// `%pi4`, `%pI4`, `%pi6`, `%pI6`: an Internet address in memory.
    Ip {
        /// 16 bytes rather than 4.
        v6: bool,
        /// With points without filling zeros, or with colons.
        pretty: bool,
    },
}

/// A part of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A byte as it is.
    Literal(u8),
    /// A conversion.
    Convert {
        /// Flags.
        flags: Flags,
        /// The width. None or a negative one: as wide as it gets; None makes addresses full width.
        width: Option<i32>,
        /// What.
        conversion: Conversion,
    },
}

/// The pieces of a format, one after the other, up to the first mistake.
pub(super) struct Pieces<'f>(&'f [u8]);

impl<'f> Pieces<'f> {
    pub(super) fn new(fmt: &'f [u8]) -> Pieces<'f> {
        Pieces(fmt)
    }

    /// The byte at an index, 0 behind the end.
    fn peek(&self, index: usize) -> u8 {
        self.0.get(index).copied().unwrap_or(0)
    }

    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    /// Takes bytes as long as they are such.
    fn take_while(&mut self, such: fn(u8) -> bool) -> &'f [u8] {
        let count = self.0.iter().take_while(|&&byte| such(byte)).count();
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn convert(&mut self) -> Result<Piece, Errno> {
        let mut flags = Flags::empty();
        for &byte in self.take_while(|byte| matches!(byte, b'0' | b'+' | b'-' | b' ')) {
            flags |= match byte {
                b'0' => Flags::ZEROS,
                b'+' => Flags::PLUS,
                b'-' => Flags::LEFT,
                _ => Flags::SPACE,
            };
        }
        let width = self.width();
        let conversion = self.conversion().ok_or(Errno::EINVAL)?;
        Ok(Piece::Convert { flags, width, conversion })
    }

    /// The width, which has 32 bits and is cut at some 8 millions.
    fn width(&mut self) -> Option<i32> {
        const WIDEST: i32 = (1 << 23) - 1;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let add = |so_far: u32, &digit: &u8| so_far.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
        let width = digits.iter().fold(0, add).cast_signed();
        (!digits.is_empty() && width != -1).then_some(width.clamp(-WIDEST, WIDEST))
    }

    fn conversion(&mut self) -> Option<Conversion> {
        let letter = self.peek(0);
        self.skip(1);
        match letter {
            b'c' => Some(Conversion::Char),
            b's' => self.ends().then_some(Conversion::Text),
            b'p' => self.pointer(),
            _ => {
                let mut letter = letter;
                let mut longs = 0;
                while letter == b'l' && longs < 2 {
                    longs += 1;
                    letter = self.peek(0);
                    self.skip(1);
                }
                let (signed, base, upper) = match letter {
                    b'd' | b'i' => (true, 10, false),
                    b'u' => (false, 10, false),
                    b'x' => (false, 16, false),
                    b'X' => (false, 16, true),
                    _ => return None,
                };
                Some(Conversion::Number { wide: longs > 0, signed, base, upper })
            }
        }
    }

    /// Whether nothing follows that could be meant as a part of the conversion.
    fn ends(&self) -> bool {
        let byte = self.peek(0);
        byte == 0 || is_space(byte) || is_punctuation(byte)
    }

    fn pointer(&mut self) -> Option<Conversion> {
        let (conversion, letters) = match [self.peek(0), self.peek(1)] {
            [kind @ (b'k' | b'u'), b's'] => {
                self.skip(2);
                return self.ends().then_some(Conversion::Packed(Packed::Text { user: kind == b'u' }));
            }
            [b'x', _] => (Conversion::Address, 1),
            [b'K', _] => (Conversion::Hashed, 1),
            [b's' | b'S', _] => (Conversion::Symbol, 1),
            [b'B', _] => (Conversion::Packed(Packed::Symbol), 1),
            [kind @ (b'i' | b'I'), version @ (b'4' | b'6')] => {
                (Conversion::Packed(Packed::Ip { v6: version == b'6', pretty: kind == b'I' }), 2)
            }
            _ if self.ends() => (Conversion::Hashed, 0),
            _ => return None,
        };
        self.skip(letters);
        // Letters behind are taken for more of the conversion, and mean nothing.
        self.take_while(is_alphanumeric);
        Some(conversion)
    }
}

/// Letters and digits; above ASCII those of Latin-1.
fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || (byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7))
}

fn is_punctuation(byte: u8) -> bool {
    byte.is_ascii_punctuation() || matches!(byte, 0xa1..=0xbf | 0xd7 | 0xf7)
}

impl Iterator for Pieces<'_> {
    type Item = Result<Piece, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        let byte = *self.0.first()?;
        self.skip(1);
        Some(match byte {
            b'%' if self.peek(0) == b'%' => {
                self.skip(1);
                Ok(Piece::Literal(b'%'))
            }
            b'%' => self.convert(),
            byte if byte.is_ascii_control() && !is_space(byte) => Err(Errno::EINVAL),
            byte => Ok(Piece::Literal(byte)),
        })
    }
}
