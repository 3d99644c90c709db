//! What goes through all passes: the sources that they read, and what they report.

use probity_platform::Site;

use crate::Diagnostic;
use crate::code::Code;
use crate::source::{SourceMap, Span};

/// What a pass needs to know of the run, and what it found wrong.
pub(crate) struct Cx<'a> {
    pub(crate) sources: &'a SourceMap,
    pub(crate) found: Vec<Diagnostic>,
}

impl Cx<'_> {
    /// The place of a span as tables carry it.
    pub(crate) fn site(&self, span: Span) -> Site {
        let (line, column) = self.sources.line_column(span);
        Site::new(span.file.0, line, column)
    }

    /// Reports.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// A number as wide as its place.
    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self, value: u64, span: Span, what: &str) -> Option<T> {
        let narrow = T::try_from(value).ok();
        if narrow.is_none() {
            let text = format!("{what} {value} is too large");
            self.report(Diagnostic::new(Code::OutOfRange, span, text));
        }
        narrow
    }

    /// Reports a range that holds nothing.
    pub(crate) fn ordered<T: PartialOrd + std::fmt::Display>(&mut self, low: &T, high: &T, span: Span) {
        if low > high {
            let text = format!("nothing is at least {low} and at most {high}");
            self.report(Diagnostic::new(Code::EmptyRange, span, text));
        }
    }

    /// Reports a clause that stands twice.
    pub(crate) fn repeated(&mut self, what: &str, span: Span, first: Span) {
        let text = format!("`{what}` is said twice");
        self.report(Diagnostic::new(Code::RepeatedClause, span, text).with(first, "first here"));
    }
}

/// A once-only clause: keeps the first and reports any other.
pub(crate) fn once<T>(cx: &mut Cx<'_>, slot: &mut Option<(T, Span)>, value: T, span: Span, what: &str) {
    match slot {
        Some((_, first)) => {
            let first = *first;
            cx.repeated(what, span, first);
        }
        None => *slot = Some((value, span)),
    }
}
