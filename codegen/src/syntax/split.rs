//! Tokens become a tree of statements: items, and inside their braces clauses.
//!
//! A statement ends at its `;` or behind its block. Braces behind `in` and `::` are part of an
//! expression or a name and end nothing. Each statement is then parsed alone, so that each reports
//! its own error.

use std::ops::Range;

use super::keyword;
use super::scan::{Token, TokenKind, span};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::FileId;

/// How deep brackets may nest. It bounds every recursion of the parser.
pub(super) const DEPTH: usize = 32;

/// A text, its tokens, and which bracket belongs to which.
pub(super) struct Source<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    /// For an opening bracket that is closed or cut off: the index of the closing one, or of the
    /// token before which it is cut off.
    close: Vec<usize>,
}

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The doc comments before it, as token indexes.
    pub(super) docs: Vec<usize>,
    /// Its tokens. With a block: up to and with the `{`.
    pub(super) head: Range<usize>,
    /// The tokens between the braces of its block.
    pub(super) block: Option<Range<usize>>,
    /// Its bytes, block included.
    pub(super) bytes: Range<usize>,
    /// True when a part of it has been reported already.
    pub(super) bad: bool,
}

impl<'a> Source<'a> {
    /// Pairs the brackets.
    pub(super) fn new(
        file: FileId,
        text: &'a str,
        tokens: Vec<Token>,
        found: &mut Vec<Diagnostic>,
    ) -> Source<'a> {
        let mut source = Source { file, text, tokens, close: Vec::new() };
        let mut reports = Vec::new();
        let before = source.tokens.clone();
        if !source.pair(false, &mut reports) {
            reports.clear();
            source.tokens = before;
            source.pair(true, &mut reports);
        }
        found.extend(reports);
        source
    }

    /// Pairs the brackets; false when some do not match. With `guess`, an item's keyword at the
    /// beginning of a line, no deeper than the line with an open bracket, closes that bracket.
    fn pair(&mut self, guess: bool, found: &mut Vec<Diagnostic>) -> bool {
        self.close = vec![0; self.tokens.len()];
        let mut open: Vec<(usize, usize)> = Vec::new();
        let (mut fine, mut column) = (true, 0);
        for at in 0..self.tokens.len() {
            let token = self.tokens[at];
            if token.first {
                column = token.column;
            }
            let is_item = guess && token.first && keyword::is_item(self.token_text(at));
            if is_item
                && let Some(depth) =
                    open.iter().take(DEPTH + 1).position(|&(_, column)| column >= token.column)
            {
                self.cut(&open[depth..], at, found);
                open.truncate(depth);
            }
            match token.kind {
                TokenKind::Open => open.push((at, column)),
                TokenKind::Close => {
                    // The search is cut short, so that it can't take long.
                    let from = open.len().saturating_sub(2 * DEPTH);
                    let partner = open[from..]
                        .iter()
                        .rposition(|&(start, _)| matches(self.byte(start), self.byte(at)))
                        .map(|depth| from + depth);
                    if let Some(depth) = partner {
                        fine &= depth + 1 == open.len();
                        self.cut(&open[depth + 1..], at, found);
                        self.close[open[depth].0] = at;
                        open.truncate(depth);
                    } else {
                        fine = false;
                        self.tokens[at].kind = TokenKind::Bad;
                        let text = format!("`{}` closes nothing", self.text(token.range()));
                        found.push(Diagnostic::new(
                            Code::UnterminatedBlock,
                            span(self.file, token.range()),
                            text,
                        ));
                    }
                }
                _ => {}
            }
        }
        fine &= open.is_empty();
        self.cut(&open, self.tokens.len(), found);
        fine
    }

    /// Cuts brackets off before a token; reports the outermost.
    fn cut(&mut self, open: &[(usize, usize)], at: usize, found: &mut Vec<Diagnostic>) {
        for &(start, _) in open {
            self.close[start] = at;
            if self.byte(start) != b'{' {
                // Only blocks are read as far as they go.
                self.tokens[start].kind = TokenKind::Bad;
            }
        }
        let Some(&(start, _)) = open.first() else { return };
        let bytes = self.tokens[start].range();
        let text = format!("this `{}` is never closed", self.text(bytes.clone()));
        let report = Diagnostic::new(Code::UnterminatedBlock, span(self.file, bytes), text);
        found.push(match self.tokens.get(at) {
            Some(next) => report.with(span(self.file, next.range()), "it should be closed before this"),
            None => report,
        });
    }

    fn byte(&self, token: usize) -> u8 {
        self.text.as_bytes()[self.tokens[token].lo]
    }

    /// The text of some bytes.
    pub(super) fn text(&self, bytes: Range<usize>) -> &'a str {
        &self.text[bytes]
    }

    /// The text of a token; empty behind the end.
    pub(super) fn token_text(&self, token: usize) -> &'a str {
        self.tokens.get(token).map_or("", |token| &self.text[token.range()])
    }

    /// The bytes from the first of some tokens to the last.
    pub(super) fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        match (self.tokens.get(tokens.start), self.tokens.get(tokens.end.wrapping_sub(1))) {
            (Some(first), Some(last)) if !tokens.is_empty() => first.lo..last.hi,
            _ => 0..0,
        }
    }

    /// Divides tokens into statements. At the level of items a keyword at the beginning of a line
    /// begins a new one even where the `;` before it is missing.
    pub(super) fn statements(
        &self,
        tokens: Range<usize>,
        items: bool,
        found: &mut Vec<Diagnostic>,
    ) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut at = tokens.start;
        while at < tokens.end {
            let mut docs = Vec::new();
            while at < tokens.end {
                match self.tokens[at].kind {
                    TokenKind::Doc => docs.push(at),
                    TokenKind::FileDoc => {
                        let text = "a file's doc comment stands at its beginning";
                        let bytes = self.tokens[at].range();
                        found.push(Diagnostic::new(Code::StrayDoc, span(self.file, bytes), text));
                    }
                    _ => break,
                }
                at += 1;
            }
            if at == tokens.end {
                if let Some(&last) = docs.last() {
                    found.push(self.stray_doc(last));
                }
                break;
            }
            let statement = self.statement(at..tokens.end, docs, items, found);
            at = statement.1;
            statements.push(statement.0);
        }
        statements
    }

    /// Reads one statement; with it comes the index of the token behind.
    fn statement(
        &self,
        tokens: Range<usize>,
        docs: Vec<usize>,
        items: bool,
        found: &mut Vec<Diagnostic>,
    ) -> (Statement, usize) {
        let start = tokens.start;
        let (mut at, mut bad) = (start, false);
        let done = |head: Range<usize>, block: Option<Range<usize>>, bad: bool, next: usize| {
            let bytes = self.bytes(&(start..next));
            (Statement { docs: docs.clone(), head, block, bytes, bad }, next)
        };
        while at < tokens.end {
            let token = self.tokens[at];
            match token.kind {
                TokenKind::Semi => return done(start..at + 1, None, bad, at + 1),
                TokenKind::Open => {
                    let close = self.close[at].min(tokens.end);
                    let too_deep = self.too_deep(at, close, found);
                    bad |= too_deep || self.holds_bad(at..close);
                    if self.byte(at) == b'{' && !self.is_inline(start, at) {
                        let mut next = (close + 1).min(tokens.end);
                        if self.close[at] >= tokens.end || self.tokens[close].kind != TokenKind::Close {
                            next = close;
                        }
                        let block = if too_deep { at + 1..at + 1 } else { at + 1..close };
                        if next < tokens.end && self.tokens[next].kind == TokenKind::Semi {
                            next += 1;
                        }
                        let head_bad = too_deep || self.holds_bad(start..at);
                        return done(start..at + 1, Some(block), head_bad, next);
                    }
                    at = close.max(at + 1);
                    continue;
                }
                TokenKind::Doc | TokenKind::FileDoc => {
                    if !bad {
                        found.push(self.stray_doc(at));
                    }
                    bad = true;
                }
                TokenKind::Bad => bad = true,
                TokenKind::Word
                    if items && at > start && token.first && keyword::is_item(self.token_text(at)) =>
                {
                    return done(start..at, None, bad, at);
                }
                _ => {}
            }
            at += 1;
        }
        done(start..tokens.end, None, bad, tokens.end)
    }

    fn stray_doc(&self, token: usize) -> Diagnostic {
        let bytes = self.tokens[token].range();
        Diagnostic::new(Code::StrayDoc, span(self.file, bytes), "this doc comment documents nothing")
            .help("a doc comment stands before an item, a field or a clause")
    }

    /// True when the brace at a token is part of an expression or a name.
    fn is_inline(&self, start: usize, brace: usize) -> bool {
        brace > start && matches!(self.token_text(brace - 1), "in" | ":")
    }

    fn holds_bad(&self, tokens: Range<usize>) -> bool {
        self.tokens[tokens].iter().any(|token| token.kind == TokenKind::Bad)
    }

    /// Reports and gives true when brackets nest too deep between two tokens.
    fn too_deep(&self, open: usize, close: usize, found: &mut Vec<Diagnostic>) -> bool {
        let mut depth = 0_usize;
        for token in &self.tokens[open..close] {
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH {
                let text = format!("brackets nest deeper than {DEPTH}");
                found.push(Diagnostic::new(Code::TooDeep, span(self.file, token.range()), text));
                return true;
            }
        }
        false
    }
}

fn matches(open: u8, close: u8) -> bool {
    matches!((open, close), (b'(', b')') | (b'[', b']') | (b'{', b'}'))
}
