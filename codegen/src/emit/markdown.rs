//! Text in Markdown.

use std::fmt::Write as _;

/// A paragraph, or nothing.
pub(super) fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(out, "{}\n\n", text.trim());
    }
}

/// A name as plain text of Markdown: underscores at its ends would be marks.
pub(super) fn escaped(name: &str) -> String {
    name.replace('_', "\\_")
}
