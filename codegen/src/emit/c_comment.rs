//! Comments in C.

use std::fmt::Write as _;

use probity_platform::CallableFlags;

use super::guard_text::versions;
use crate::model::Callable;

/// A comment, on one line when it is one.
pub(super) fn comment(out: &mut String, indent: &str, text: &str) {
    let text = text.replace("*/", "* /").replace("/*", "/ *");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    match lines.as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(out, "{indent}/* {one} */");
        }
        lines => {
            let _ = writeln!(out, "{indent}/*");
            for line in lines {
                let _ = writeln!(out, "{}", format!("{indent} * {line}").trim_end());
            }
            let _ = writeln!(out, "{indent} */");
        }
    }
}

/// A callable's doc comment, its versions and its licence.
pub(super) fn documented(out: &mut String, row: &Callable) {
    let mut docs = row.docs.clone();
    let mut facts = Vec::new();
    facts.extend(versions(&row.guard));
    if row.flags.contains(CallableFlags::GPL_ONLY) {
        facts.push("GPL only".to_owned());
    }
    if !facts.is_empty() {
        if !docs.is_empty() {
            docs.push_str("\n\n");
        }
        let said = facts.join(", ");
        let _ = write!(docs, "{said}.");
    }
    comment(out, "", &docs);
}
