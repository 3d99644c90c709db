//! A line of text in pieces.

use super::{AssembleError, Position, Problem};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A register, label, keyword or function.
    Word(String),
    /// A number without its sign, and whether it was written in hex.
    Number(u64, bool),
    /// An operator or a bracket.
    Sign(&'static str),
}

impl Token {
    /// How an error message shows it.
    pub(super) fn show(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Number(number, false) => format!("`{number}`"),
            Token::Number(number, true) => format!("`{number:#x}`"),
            Token::Sign(sign) => format!("`{sign}`"),
        }
    }
}

/// All signs; one that another starts with comes after it.
const SIGNS: [&str; 37] = [
    "s>>=", "<<=", ">>=", "s>=", "s<=", "s/=", "s%=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "%=", "==",
    "!=", "<=", ">=", "s>", "s<", "<", ">", "&", "=", "+", "-", "*", "(", ")", "[", "]", ",", ":", "#", "|",
    "^",
];

/// The pieces of a line, each with its place, comments left out, and the place after the last one.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) list: Vec<(Token, Position)>,
    pub(super) end: Position,
}

/// Cuts a line in pieces.
pub(super) fn tokens(line: usize, text: &str) -> Result<Tokens, AssembleError> {
    let mut list = Vec::new();
    let mut rest = text;
    let mut at = Position { line, column: 1 };
    let mut end = at;
    loop {
        let trimmed = rest.trim_start();
        let blanks = rest.len() - trimmed.len();
        let blanks = rest.get(..blanks).unwrap_or_default();
        at.column += blanks.chars().count();
        rest = trimmed;
        if rest.is_empty() || rest.starts_with(';') || rest.starts_with("//") {
            return Ok(Tokens { list, end });
        }
        let (token, length) = token(rest, at)?;
        list.push((token, at));
        // Tokens are ASCII: a byte is a column.
        at.column += length;
        end = at;
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The first piece of a text that does not start with a blank, and its length.
fn token(text: &str, at: Position) -> Result<(Token, usize), AssembleError> {
    if let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let length = text.find(|c| !in_word(c)).unwrap_or(text.len());
    let word = text.get(..length).unwrap_or_default();
    let Some(first) = word.chars().next() else {
        let found = text.chars().next().unwrap_or_default();
        return Err(at.error(Problem::Expected {
            expected: "a word, a number or an operator".to_owned(),
            found: format!("`{found}`"),
        }));
    };
    if !first.is_ascii_digit() {
        return Ok((Token::Word(word.to_owned()), length));
    }
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let value = match hex {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    match value {
        Ok(value) => Ok((Token::Number(value, hex.is_some()), length)),
        Err(_) => Err(at.error(Problem::Expected {
            expected: "a number of at most 64 bits".to_owned(),
            found: format!("`{word}`"),
        })),
    }
}
