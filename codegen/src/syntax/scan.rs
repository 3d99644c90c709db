//! Text becomes tokens, only as finely as the division into items and clauses needs it.

use std::ops::Range;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Word,
    /// A number or version.
    Number,
    /// A string.
    Str,
    /// `/// text`
    Doc,
    /// `//! text`
    FileDoc,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    /// `;`
    Semi,
    /// Any other mark, one character each.
    Punct,
    /// What has been reported already.
    Bad,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// The first byte.
    pub(super) lo: usize,
    /// The byte behind the last.
    pub(super) hi: usize,
    /// The column, from 0, and whether it is the first token of its line.
    pub(super) column: usize,
    /// True when nothing stands before it on its line.
    pub(super) first: bool,
}

impl Token {
    /// The token's bytes.
    pub(super) fn range(&self) -> Range<usize> {
        self.lo..self.hi
    }
}

/// The span of some bytes. Files are below 4 GiB: larger ones are refused before.
pub(super) fn span(file: FileId, bytes: Range<usize>) -> Span {
    let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(file, cut(bytes.start), cut(bytes.end))
}

/// Divides a text into tokens.
pub(super) fn scan(file: FileId, text: &str, found: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut scanner = Scanner { file, text, at: 0, found };
    let mut tokens = Vec::new();
    let (mut line_start, mut first) = (0, true);
    while let Some(next) = text.as_bytes().get(scanner.at) {
        if matches!(next, b' ' | b'\t' | b'\r' | b'\n') {
            if *next == b'\n' {
                (line_start, first) = (scanner.at + 1, true);
            }
            scanner.at += 1;
            continue;
        }
        let lo = scanner.at;
        if let Some(kind) = scanner.token() {
            tokens.push(Token { kind, lo, hi: scanner.at, column: lo - line_start, first });
            first = false;
        }
    }
    tokens
}

struct Scanner<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    found: &'a mut Vec<Diagnostic>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
    }

    fn bad(&mut self, code: Code, lo: usize, message: String) -> Option<TokenKind> {
        self.found.push(Diagnostic::new(code, span(self.file, lo..self.at), message));
        Some(TokenKind::Bad)
    }

    /// Steps over the next token; None for a comment.
    fn token(&mut self) -> Option<TokenKind> {
        let lo = self.at;
        let next = self.rest().chars().next()?;
        if next == '/'
            && let Some(comment) = self.comment()
        {
            return comment;
        }
        match next {
            'a'..='z' | 'A'..='Z' | '_' => {
                self.take_while(is_word);
                if self.rest().starts_with('"') {
                    let text = "a blank belongs between a word and a string".to_owned();
                    self.string();
                    return self.bad(Code::BadString, lo, text);
                }
                Some(TokenKind::Word)
            }
            '0'..='9' => {
                self.take_while(is_word);
                let mut behind = self.rest().chars();
                if behind.next() == Some('.') && behind.next().is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                    self.take_while(is_word);
                }
                Some(TokenKind::Number)
            }
            '"' => Some(self.string()),
            _ => {
                self.at += next.len_utf8();
                match next {
                    '(' | '[' | '{' => Some(TokenKind::Open),
                    ')' | ']' | '}' => Some(TokenKind::Close),
                    ';' => Some(TokenKind::Semi),
                    ':' | ',' | '.' | '=' | '|' | '-' | '>' | '<' | '+' | '*' | '&' | '!' => {
                        Some(TokenKind::Punct)
                    }
                    _ => {
                        self.take_while(|c| c == next);
                        self.bad(
                            Code::BadCharacter,
                            lo,
                            format!("no token begins with `{}`", next.escape_debug()),
                        )
                    }
                }
            }
        }
    }

    /// Steps over a comment, if one begins here.
    #[expect(clippy::option_option, reason = "none: no comment; none inside: one to pass over")]
    fn comment(&mut self) -> Option<Option<TokenKind>> {
        let rest = self.rest();
        if rest.starts_with("/*") {
            let lo = self.at;
            self.at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            return Some(self.bad(Code::BadCharacter, lo, "comments begin with `//`".to_owned()));
        }
        if !rest.starts_with("//") {
            return None;
        }
        // As in Rust, four strokes make a plain comment.
        let kind = match rest {
            _ if rest.starts_with("///") && !rest.starts_with("////") => Some(TokenKind::Doc),
            _ if rest.starts_with("//!") => Some(TokenKind::FileDoc),
            _ => None,
        };
        self.take_while(|c| c != '\n');
        Some(kind)
    }

    /// Steps over a string.
    fn string(&mut self) -> TokenKind {
        let lo = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(&next) = bytes.get(self.at) {
            match next {
                b'"' => {
                    self.at += 1;
                    return TokenKind::Str;
                }
                b'\n' => break,
                b'\\' if bytes.get(self.at + 1).is_some_and(u8::is_ascii) => {
                    let escaped = bytes[self.at + 1];
                    self.at += 2;
                    if !matches!(escaped, b'"' | b'\\' | b'n' | b't') {
                        let bytes = span(self.file, self.at - 2..self.at);
                        let text = format!("unknown escape `\\{}`", char::from(escaped).escape_debug());
                        let found = Diagnostic::new(Code::BadString, bytes, text);
                        self.found.push(found.help("there are `\\\"`, `\\\\`, `\\n` and `\\t`"));
                        self.skip_string();
                        return TokenKind::Bad;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.bad(Code::BadString, lo, "this string does not end on its line".to_owned());
        TokenKind::Bad
    }

    fn skip_string(&mut self) {
        self.take_while(|c| c != '"' && c != '\n');
        if self.rest().starts_with('"') {
            self.at += 1;
        }
    }
}

/// True for the characters of names and numbers.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
