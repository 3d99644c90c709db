//! Text becomes items.
//!
//! The text is divided into tokens (`scan`), those into statements by their `;` and braces
//! (`split`), and each statement goes through the grammar alone (`reader`), by the rule that its
//! keyword has in `keyword`. So each bad statement reports its own error and the others survive.
//!
//! Hostile texts: sizes, the depth of brackets, operators of an expression and errors of a file are
//! bounded, and with the depth all recursion.

pub mod ast;
mod concept;
mod expr;
mod grammar;
mod helper;
mod item;
mod keyword;
mod map;
mod prog_type;
mod reader;
mod scan;
mod split;
mod view;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

pub use ast::Item;

/// Larger files are refused.
pub const LARGEST: usize = 16 << 20;

/// More errors of one file are not reported.
const MOST_ERRORS: usize = 256;

/// Reads a file. Each bad item or clause gives its own error and is left out; the others survive.
/// An item survives without its bad clauses.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Vec<Item>, Vec<Diagnostic>) {
    if text.len() > LARGEST {
        let message = format!("this file is larger than {} MiB", LARGEST >> 20);
        return (Vec::new(), vec![Diagnostic::new(Code::FileTooLarge, Span::new(file, 0, 0), message)]);
    }
    let mut found = Vec::new();
    let tokens = scan::scan(file, text, &mut found);
    let source = split::Source::new(file, text, tokens, &mut found);
    let docs = source.tokens.iter().take_while(|token| token.kind == scan::TokenKind::FileDoc).count();
    let statements = source.statements(docs..source.tokens.len(), true, &mut found);
    let mut reader = reader::Reader { source: &source, found };
    let mut items = Vec::new();
    if docs > 0 {
        let indexes: Vec<usize> = (0..docs).collect();
        let doc = reader.doc_lines(&indexes);
        let span = reader.span(source.bytes(&(0..docs)));
        items.push(Item { doc, span, kind: ast::ItemKind::FileDoc });
    }
    items.extend(reader.items(&statements));
    let mut found = reader.found;
    crate::diagnostic::sort(&mut found);
    if found.len() > MOST_ERRORS {
        found.truncate(MOST_ERRORS);
        let span = found.last().map_or(Span::new(file, 0, 0), |last| last.primary.span);
        let message = format!("more than {MOST_ERRORS} errors; the rest is not shown");
        found.push(Diagnostic::new(Code::TooDeep, span, message));
    }
    (items, found)
}

/// The places of a file's `//` comments, which are part of no item: [`mod@crate::print`] loses them.
/// Comments that follow one another are one place.
#[must_use]
pub fn plain_comments(file: FileId, text: &str) -> Vec<Span> {
    if text.len() > LARGEST {
        return Vec::new();
    }
    // What stands between tokens is white or a comment.
    let tokens = scan::scan(file, text, &mut Vec::new());
    let begins = std::iter::once(0).chain(tokens.iter().map(|token| token.hi));
    let ends = tokens.iter().map(|token| token.lo).chain(std::iter::once(text.len()));
    let mut places = Vec::new();
    for (lo, hi) in begins.zip(ends) {
        let between = text.get(lo..hi).unwrap_or_default();
        let said = between.trim();
        if !said.is_empty() {
            let lo = lo + (between.len() - between.trim_start().len());
            places.push(scan::span(file, lo..lo + said.len()));
        }
    }
    places
}

/// The words that items begin with.
pub fn item_keywords() -> impl Iterator<Item = &'static str> {
    keyword::ITEMS.iter().map(|row| row.0)
}

/// The words that clauses and properties begin with, those of several blocks several times.
pub fn clause_keywords() -> impl Iterator<Item = &'static str> {
    use keyword::{
        ARG_CLASS, CALLBACK, CTX, EVERY, HELPER, KIND, MAP_TYPE, OBJECT, POLICY, PROG_TYPE, REGION,
        SPECIAL_FIELD, STACK_OBJECT,
    };
    let concepts = [REGION, STACK_OBJECT, CALLBACK, OBJECT, SPECIAL_FIELD, EVERY];
    let others = [KIND, ARG_CLASS, MAP_TYPE, HELPER, PROG_TYPE, CTX, POLICY];
    others.into_iter().chain(concepts).flatten().map(|row| row.0)
}
