//! One statement at a time through the grammar, and what its errors say.

use std::ops::Range;

use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};

use super::ast::{Doc, Spanned};
use super::grammar::{Grammar, Node, Parts, Rule, said};
use super::keyword::Row;
use super::scan::{TokenKind, span};
use super::split::{Source, Statement};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::Span;

/// Longer statements are refused: nobody writes them, and each is read at once.
const LONGEST: usize = 1 << 20;

/// What reads statements.
pub(super) struct Reader<'a> {
    /// The file.
    pub(super) source: &'a Source<'a>,
    /// What was found wrong.
    pub(super) found: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// The row of the word that a statement begins with; `what` says what is looked for.
    pub(super) fn keyword(&mut self, statement: &Statement, rows: &[Row], what: &str) -> Option<Rule> {
        let first = self.source.tokens.get(statement.head.start)?;
        let word = self.source.text(first.range());
        if let Some(row) = rows.iter().find(|row| row.0 == word) {
            return (!statement.bad).then_some(row.1);
        }
        let place = span(self.source.file, first.range());
        match first.kind {
            TokenKind::Bad => {}
            TokenKind::Word => {
                let mut words: Vec<&str> = rows.iter().map(|row| row.0).collect();
                let report =
                    Diagnostic::unknown(Code::UnknownKeyword, what, word, place, words.iter().copied());
                words.sort_unstable();
                let near = report.suggestion.is_some();
                let list = format!("there are {}", listed(&words, "and"));
                self.found.push(if near { report } else { report.help(list) });
            }
            _ => {
                let text = format!("expected the beginning of {}, found `{word}`", article(what));
                self.found.push(Diagnostic::new(Code::UnexpectedToken, place, text).label("unexpected"));
            }
        }
        None
    }

    /// Reads a statement's head by a rule; reports what is wrong with it.
    pub(super) fn head(&mut self, rule: Rule, statement: &Statement) -> Option<Parts<'a>> {
        if statement.bad {
            return None;
        }
        // Of a block that a rule reads itself.
        let whole = rule == Rule::used_by_clause && statement.block.is_some();
        let bytes = if whole { statement.bytes.clone() } else { self.source.bytes(&statement.head) };
        if bytes.len() > LONGEST {
            let text = format!("this is longer than {LONGEST} bytes");
            self.found.push(Diagnostic::new(Code::TooDeep, self.span(bytes.start..bytes.start), text));
            return None;
        }
        match Grammar::parse(rule, self.source.text(bytes.clone())) {
            Ok(mut pairs) => {
                let inner = pairs.next()?.into_inner();
                Some(Parts::new(inner, bytes.start, self.source.file))
            }
            Err(error) => {
                let at = match error.location {
                    InputLocation::Pos(at) | InputLocation::Span((at, _)) => bytes.start + at,
                };
                let expected = match &error.variant {
                    ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
                    ErrorVariant::CustomError { .. } => &[],
                };
                self.unexpected(at, expected);
                None
            }
        }
    }

    /// The statements of a block.
    pub(super) fn block(&mut self, statement: &Statement) -> Vec<Statement> {
        let tokens = statement.block.clone().unwrap_or(0..0);
        self.source.statements(tokens, false, &mut self.found)
    }

    /// A statement's doc comment.
    pub(super) fn doc(&self, statement: &Statement) -> Doc {
        self.doc_lines(&statement.docs)
    }

    /// The lines of some doc tokens.
    pub(super) fn doc_lines(&self, tokens: &[usize]) -> Doc {
        let line = |&token: &usize| {
            let text = self.source.token_text(token);
            let text = text.strip_prefix("///").or_else(|| text.strip_prefix("//!")).unwrap_or(text);
            let text = text.strip_prefix(' ').unwrap_or(text).trim_end();
            Spanned { value: text.to_owned(), span: self.span(self.source.tokens[token].range()) }
        };
        Doc { lines: tokens.iter().map(line).collect() }
    }

    /// The span of some bytes.
    pub(super) fn span(&self, bytes: Range<usize>) -> Span {
        span(self.source.file, bytes)
    }

    /// Reports an error about a part of a statement.
    pub(super) fn refuse<T>(&mut self, code: Code, node: &Node<'_>, text: &str) -> Option<T> {
        self.found.push(Diagnostic::new(code, node.span(), text));
        None
    }

    /// Reports that something else belongs at a byte.
    fn unexpected(&mut self, at: usize, expected: &[Rule]) {
        let tokens = &self.source.tokens;
        let index = tokens.partition_point(|token| token.hi <= at);
        let (place, text) = match tokens.get(index) {
            Some(token) => (token.range(), format!("`{}`", shortened(self.source.text(token.range())))),
            None => (self.source.text.len()..self.source.text.len(), "the end of the file".to_owned()),
        };
        let mut names: Vec<&str> = expected.iter().filter_map(|&rule| said(rule)).collect();
        names.sort_unstable();
        names.dedup();
        let wanted = if names.is_empty() { "something else".to_owned() } else { listed(&names, "or") };
        let message = format!("expected {wanted}, found {text}");
        // What is missing at the end of a line is missing there, not on the next line.
        let before = index.checked_sub(1).map(|before| tokens[before].range());
        let next_line = tokens.get(index).is_none_or(|token| token.first || token.kind == TokenKind::Close);
        if expected.contains(&Rule::semi)
            && next_line
            && let Some(before) = before
        {
            let place = self.span(before.end..before.end);
            let report = Diagnostic::new(Code::UnexpectedToken, self.span(before), message);
            self.found.push(report.label("`;` is missing behind this").suggest("end it", place, ";"));
            return;
        }
        let place = self.span(place);
        let mut report = Diagnostic::new(Code::UnexpectedToken, place, message).label("unexpected");
        let found = self.source.token_text(index);
        let words = names.iter().filter_map(|name| name.strip_prefix('`')?.strip_suffix('`'));
        let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
        if let Some(near) = did_you_mean(found, words) {
            report = report.suggest("did you mean this", place, near);
        }
        self.found.push(report);
    }
}

/// `a`, `a or b`, `a, b or c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., one] => format!("{} {last} {one}", most.join(", ")),
    }
}

/// The word with `a` or `an` before it.
fn article(what: &str) -> String {
    let an = what.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {what}", if an { "an" } else { "a" })
}

/// A token's text, short enough for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain("...".chars()).collect()
}
