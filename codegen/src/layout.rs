//! A macro's tokens become text, each token at the line and column where it stands in the source,
//! so that the same parser reads both front doors and a byte leads back to its token.
//!
//! Inside a macro `///` arrives as a `doc` attribute and `//!` as an inner one; they are laid out as
//! comments again. `//` comments are gone. Tokens without a usable place (made by another macro)
//! follow the token before them.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, LineColumn, Spacing, Span, TokenStream, TokenTree};

/// Lines before the first token are kept up to this number, so that lines are those of the source.
const LINES: usize = 1 << 20;

/// A text and the tokens that it was laid out from.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The text.
    text: String,
    /// Each token's bytes, ascending, and its place in the source.
    tokens: Vec<(Range<usize>, Span)>,
    line: usize,
    column: usize,
    /// The token before takes the next one without a gap.
    joined: bool,
    /// The line can take no further token.
    ended: bool,
}

impl Layout {
    /// Lays tokens out.
    #[must_use]
    pub fn new(tokens: TokenStream) -> Layout {
        let mut layout = Layout { line: 1, ..Layout::default() };
        layout.stream(tokens);
        if layout.ended {
            layout.text.push('\n');
        }
        layout
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The places of the first and of the last token that have to do with some bytes: those that
    /// they overlap, or else the one before them, or else the first.
    #[must_use]
    pub fn tokens(&self, lo: u32, hi: u32) -> Option<(Span, Span)> {
        let (lo, hi) = (lo as usize, (hi as usize).max(lo as usize + 1));
        let first = self.tokens.partition_point(|(bytes, _)| bytes.end <= lo);
        let behind = self.tokens.partition_point(|(bytes, _)| bytes.start < hi);
        let range = if first < behind { first..behind } else { behind.saturating_sub(1)..behind.max(1) };
        let found = self.tokens.get(range)?;
        Some((found.first()?.1, found.last()?.1))
    }

    /// Lays out tokens in their order; groups within groups as deep as the compiler's own limit
    /// allows them to be.
    fn stream(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            if let TokenTree::Punct(mark) = &token
                && mark.as_char() == '#'
            {
                let span = mark.span();
                let inner = matches!(tokens.peek(), Some(TokenTree::Punct(not)) if not.as_char() == '!');
                let mut ahead = tokens.clone();
                if inner {
                    ahead.next();
                }
                if let Some(TokenTree::Group(group)) = ahead.next()
                    && let Some(doc) = doc_text(&group)
                {
                    tokens = ahead;
                    self.doc(&doc, if inner { "//!" } else { "///" }, span);
                    continue;
                }
            }
            match token {
                TokenTree::Group(group) => self.group(&group),
                TokenTree::Ident(word) => self.put(&word.to_string(), word.span(), false),
                TokenTree::Punct(mark) => {
                    let joint = mark.spacing() == Spacing::Joint;
                    self.put(mark.as_char().encode_utf8(&mut [0; 4]), mark.span(), joint);
                }
                TokenTree::Literal(literal) => self.put(&literal.to_string(), literal.span(), false),
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        if !open.is_empty() {
            self.put(open, group.span_open(), false);
        }
        self.stream(group.stream());
        if !close.is_empty() {
            self.put(close, group.span_close(), false);
        }
    }

    /// Lays a doc comment out, to the end of its line.
    fn doc(&mut self, text: &str, mark: &str, span: Span) {
        for line in text.split('\n') {
            self.put(&format!("{mark}{}", line.trim_end_matches('\r')), span, false);
            self.ended = true;
        }
    }

    /// Lays a token out at its place, or behind the token before it.
    fn put(&mut self, text: &str, span: Span, joint: bool) {
        let LineColumn { line, column } = span.start();
        if self.ended && line <= self.line {
            self.new_line();
        }
        if line > self.line && line - self.line <= LINES {
            while self.line < line {
                self.new_line();
            }
        }
        if line == self.line && column >= self.column {
            while self.column < column {
                self.text.push(' ');
                self.column += 1;
            }
        } else if self.column > 0 && !self.joined {
            self.text.push(' ');
            self.column += 1;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.tokens.push((start..self.text.len(), span));
        // Strings may reach over lines.
        for c in text.chars() {
            if c == '\n' {
                (self.line, self.column) = (self.line + 1, 0);
            } else {
                self.column += 1;
            }
        }
        self.joined = joint;
    }

    fn new_line(&mut self) {
        self.text.push('\n');
        (self.line, self.column, self.joined, self.ended) = (self.line + 1, 0, false, false);
    }
}

/// The text of `[doc = "text"]`.
fn doc_text(group: &Group) -> Option<String> {
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut tokens = group.stream().into_iter();
    match (tokens.next()?, tokens.next()?, tokens.next()?, tokens.next()) {
        (TokenTree::Ident(word), TokenTree::Punct(is), TokenTree::Literal(text), None)
            if word == "doc" && is.as_char() == '=' =>
        {
            Some(syn::parse_str::<syn::LitStr>(&text.to_string()).ok()?.value())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::new(text.parse().expect("Rust tokens"))
    }

    #[test]
    fn tokens_stand_where_they_stood() {
        let text = "//! top\n\n/// \"ü\" x\nkind A: b {\n    returns -1..=0; // gone\n}\n";
        let expected = "//! top\n\n/// \"ü\" x\nkind A: b {\n    returns -1..=0;\n}";
        assert_eq!(layout(text).text(), expected);
    }

    #[test]
    fn bytes_lead_back_to_tokens() {
        let layout = layout("ab cd;\n  ef");
        let at = |lo, hi| layout.tokens(lo, hi).map(|(a, b)| (a.start().column, b.end().column));
        assert_eq!(at(3, 5), Some((3, 5)));
        assert_eq!(at(0, 5), Some((0, 5)));
        // Between tokens and behind the end: the token before.
        assert_eq!(at(6, 6), Some((5, 6)));
        assert_eq!(at(99, 99), Some((2, 4)));
        // Before the first: the first.
        let lower = super::Layout::new("\n\nab cd;".parse().expect("Rust tokens"));
        assert_eq!(lower.tokens(0, 0).map(|(a, b)| (a.start().line, b.end().column)), Some((3, 2)));
        assert!(Layout::default().tokens(0, 0).is_none());
    }

    #[test]
    fn tokens_without_a_place_keep_their_order_and_their_marks() {
        let tokens = quote::quote! { #[doc = " say"] helper a = 1 { returns 0..=1; } };
        assert_eq!(Layout::new(tokens).text(), "/// say\nhelper a = 1 { returns 0 ..= 1 ; }");
    }
}
