//! Walking along the pieces of one line.

use super::lexer::{Token, Tokens, tokens};
use super::{AssembleError, Position, Problem, Target};
use crate::op::{Size, Width};

/// One line and how far it has been read.
pub(super) struct Line {
    tokens: Vec<(Token, Position)>,
    next: usize,
    end: Position,
}

/// Which numbers a 32-bit field takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Those of an `i32`: the field will be sign-extended to 64 bits.
    Signed,
    /// Those of an `i32`, and in hex any 32 bits, as the log prints the operand of a jump.
    SignedOrHex,
    /// Those of an `i32` or a `u32`: only 32 bits count.
    Either,
}

impl Line {
    pub(super) fn new(number: usize, text: &str) -> Result<Self, AssembleError> {
        let Tokens { list, end } = tokens(number, text)?;
        Ok(Line { tokens: list, next: 0, end })
    }

    pub(super) fn at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    /// Where the next piece is, or the end of the line.
    pub(super) fn position(&self) -> Position {
        self.tokens.get(self.next).map_or(self.end, |token| token.1)
    }

    /// The error that something else should stand here.
    pub(super) fn expected<T>(&self, expected: &str) -> Result<T, AssembleError> {
        let found = self.peek().map_or("the end of the line".to_owned(), Token::show);
        Err(self.position().error(Problem::Expected { expected: expected.to_owned(), found }))
    }

    /// How far the line has been read, for [`Line::restore`].
    pub(super) fn mark(&self) -> usize {
        self.next
    }

    /// Goes back to where [`Line::mark`] was.
    pub(super) fn restore(&mut self, mark: usize) {
        self.next = mark;
    }

    /// Passes over a minus if a word comes after it.
    pub(super) fn negated_word(&mut self) -> bool {
        let word = matches!(self.tokens.get(self.next + 1), Some((Token::Word(_), _)));
        word && self.eat("-")
    }

    /// Whether a number comes next, with a sign or without.
    pub(super) fn is_number(&self) -> bool {
        let number = |at| matches!(self.tokens.get(at), Some((Token::Number(..), _)));
        match self.peek() {
            Some(Token::Sign("+" | "-")) => number(self.next + 1),
            _ => number(self.next),
        }
    }

    /// The error that something else should stand at an earlier piece.
    pub(super) fn expected_at<T>(&mut self, mark: usize, expected: &str) -> Result<T, AssembleError> {
        self.restore(mark);
        self.expected(expected)
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), AssembleError> {
        if self.at_end() { Ok(()) } else { self.expected("the end of the line") }
    }

    /// A label at the front, with its colon.
    pub(super) fn label(&mut self) -> Option<(String, Position)> {
        let rest = self.tokens.get(self.next..)?;
        let [(Token::Word(label), at), (Token::Sign(":"), _), ..] = rest else {
            return None;
        };
        let found = (label.clone(), *at);
        self.next += 2;
        Some(found)
    }

    /// Passes over a sign if it is the next piece.
    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    /// Passes over a sign that must be there.
    pub(super) fn sign(&mut self, sign: &str) -> Result<(), AssembleError> {
        if self.eat(sign) { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    /// The next piece, if `choose` takes it for a sign.
    pub(super) fn choice<T>(&mut self, choose: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Some(Token::Sign(sign)) = self.peek() else {
            return None;
        };
        let chosen = choose(sign)?;
        self.next += 1;
        Some(chosen)
    }

    /// Passes over a word if it is the next piece.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.next += usize::from(found);
        found
    }

    /// Passes over a word that must be there.
    pub(super) fn keyword(&mut self, word: &str) -> Result<(), AssembleError> {
        if self.eat_word(word) { Ok(()) } else { self.expected(&format!("`{word}`")) }
    }

    /// The next word, if `choose` takes it.
    pub(super) fn word<T>(&mut self, choose: impl Fn(&str) -> Option<T>) -> Option<T> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        let chosen = choose(word)?;
        self.next += 1;
        Some(chosen)
    }

    /// A register of either width, if it is the next piece.
    pub(super) fn any_register(&mut self) -> Option<(Width, u8)> {
        self.word(register)
    }

    /// A register of one width, which must be there.
    pub(super) fn register(&mut self, width: Width) -> Result<u8, AssembleError> {
        let found = self.word(|word| register(word).filter(|found| found.0 == width));
        match (found, width) {
            (Some((_, number)), _) => Ok(number),
            (None, Width::W64) => self.expected("a register `r0` to `r10`"),
            (None, Width::W32) => self.expected("a register `w0` to `w10`"),
        }
    }

    /// A number with its sign, and whether it was in hex.
    fn signed(&mut self) -> Option<(i128, bool)> {
        let rest = self.tokens.get(self.next..)?;
        let (negative, number, used) = match rest {
            [(Token::Sign("-"), _), (Token::Number(number, hex), _), ..] => (true, (*number, *hex), 2),
            [(Token::Sign("+"), _), (Token::Number(number, hex), _), ..] => (false, (*number, *hex), 2),
            [(Token::Number(number, hex), _), ..] => (false, (*number, *hex), 1),
            _ => return None,
        };
        self.next += used;
        let value = i128::from(number.0);
        Some((if negative { -value } else { value }, number.1))
    }

    /// A number that must be there and that `fit` must take.
    fn fitting<T>(
        &mut self,
        expected: &str,
        fit: impl Fn(i128, bool) -> Option<T>,
    ) -> Result<T, AssembleError> {
        let start = self.next;
        let at = self.position();
        let Some((value, hex)) = self.signed() else {
            return self.expected(expected);
        };
        fit(value, hex).ok_or_else(|| {
            let written = self.tokens.get(start..self.next).unwrap_or_default();
            let written: Vec<String> = written.iter().map(|(token, _)| token.show()).collect();
            at.error(Problem::Expected {
                expected: expected.to_owned(),
                found: written.concat().replace("``", ""),
            })
        })
    }

    /// An integer of a type of at most 64 bits.
    pub(super) fn integer<T: TryFrom<i128>>(&mut self, expected: &str) -> Result<T, AssembleError> {
        self.fitting(expected, |value, _| T::try_from(value).ok())
    }

    /// An immediate of 32 bits.
    pub(super) fn immediate(&mut self, range: Range) -> Result<i32, AssembleError> {
        let expected = match range {
            Range::Signed => "a number from -2147483648 to 2147483647",
            Range::SignedOrHex | Range::Either => "a number of 32 bits",
        };
        self.fitting(expected, |value, hex| {
            let bits = range == Range::Either || (range == Range::SignedOrHex && hex);
            let unsigned = u32::try_from(value).ok().filter(|_| bits);
            let signed = i32::try_from(value).ok();
            signed.or(unsigned.map(|value| value as i32))
        })
    }

    /// A number of 64 bits, signed or not, as its bits.
    pub(super) fn wide(&mut self) -> Option<u64> {
        let start = self.next;
        let (value, _) = self.signed()?;
        let unsigned = u64::try_from(value).ok();
        let bits = unsigned.or_else(|| i64::try_from(value).ok().map(|value| value as u64));
        if bits.is_none() {
            self.next = start;
        }
        bits
    }

    /// Where a jump or a call goes: `name`, `pc+1` or `+1`.
    pub(super) fn target(&mut self) -> Result<(Target, Position), AssembleError> {
        let at = self.position();
        let signed = |token: &(Token, Position)| matches!(token.0, Token::Sign("+" | "-"));
        let relative = self.tokens.get(self.next + 1).is_some_and(signed);
        if !(relative && self.eat_word("pc")) {
            let word = self.word(|word| (register(word).is_none()).then(|| word.to_owned()));
            if let Some(label) = word {
                return Ok((Target::Label(label), at));
            }
        }
        let offset = self.integer("a label or an offset as `pc+1`")?;
        Ok((Target::Offset(offset), at))
    }

    /// `(u32 *)`.
    pub(super) fn pointer(&mut self) -> Result<(bool, Size), AssembleError> {
        self.sign("(")?;
        let Some(found) = self.word(sized) else {
            return self.expected("a size `u8`, `u16`, `u32` or `u64`, or `s8` to `s32`");
        };
        self.sign("*")?;
        self.sign(")")?;
        Ok(found)
    }

    /// `(r1 +4)`.
    pub(super) fn place_after(&mut self, signed: bool, size: Size) -> Result<Place, AssembleError> {
        self.sign("(")?;
        let reg = self.register(Width::W64)?;
        let off = if self.eat(")") {
            return Ok(Place { signed, size, reg, off: 0 });
        } else {
            self.integer("an offset of 16 bits")?
        };
        self.sign(")")?;
        Ok(Place { signed, size, reg, off })
    }
}

/// Memory that an instruction names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) signed: bool,
    pub(super) size: Size,
    pub(super) reg: u8,
    pub(super) off: i16,
}

/// `r0` to `r15` and `w0` to `w15`: also those that do not exist, which decoding lets through.
fn register(word: &str) -> Option<(Width, u8)> {
    let (width, digits) = match word.strip_prefix('r') {
        Some(digits) => (Width::W64, digits),
        None => (Width::W32, word.strip_prefix('w')?),
    };
    let number = digits.parse().ok().filter(|number| *number <= 15)?;
    (digits.len() == 1 || digits.starts_with('1')).then_some((width, number))
}

/// `u8` to `u64`, `s8` to `s64`.
pub(super) fn sized(word: &str) -> Option<(bool, Size)> {
    let (signed, bits) = match word.strip_prefix('s') {
        Some(bits) => (true, bits),
        None => (false, word.strip_prefix('u')?),
    };
    let size = match bits {
        "8" => Size::B,
        "16" => Size::H,
        "32" => Size::W,
        "64" => Size::Dw,
        _ => return None,
    };
    Some((signed, size))
}
