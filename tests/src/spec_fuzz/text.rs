//! Where the words of a spec are: enough of its tokens to change one of them.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string, a comment, or a doc comment.
    Text,
    /// Anything else, a character.
    Mark,
}

/// The tokens of a text. Blanks are between them.
#[must_use]
pub fn tokens(text: &str) -> Vec<(Sort, Range<usize>)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let run = |from: usize, holds: &dyn Fn(u8) -> bool| {
        from + bytes[from..].iter().take_while(|byte| holds(**byte)).count()
    };
    while let Some(&byte) = bytes.get(at) {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let (sort, end) = match byte {
            b' ' | b'\n' | b'\t' => {
                at += 1;
                continue;
            }
            b'0'..=b'9' => (Sort::Number, run(at, &word)),
            _ if word(byte) => (Sort::Name, run(at, &word)),
            b'/' if bytes.get(at + 1) == Some(&b'/') => (Sort::Text, run(at, &|byte| byte != b'\n')),
            b'"' => {
                let mut end = at + 1;
                while end < bytes.len() && bytes[end] != b'"' && bytes[end] != b'\n' {
                    end += 1 + usize::from(bytes[end] == b'\\');
                }
                (Sort::Text, (end + 1).min(bytes.len()))
            }
            _ => (Sort::Mark, at + 1),
        };
        found.push((sort, at..end));
        at = end;
    }
    found
}

/// The statements between the outermost braces of an item: its clauses, with their doc comments.
#[must_use]
pub fn clauses(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, None);
    for (sort, range) in tokens(text) {
        let mark = if sort == Sort::Mark { &text[range.clone()] } else { "" };
        if matches!(mark, "}" | ")" | "]") {
            depth -= 1;
        }
        if depth == 0 {
            start = None;
        } else if start.is_none() {
            start = Some(range.start);
        }
        if matches!(mark, "{" | "(" | "[") {
            depth += 1;
        }
        if depth == 1 && matches!(mark, ";" | "}") {
            found.extend(start.take().map(|start| start..range.end));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_found_with_their_docs() {
        let text = "helper a = 1 {\n /// it's; {\n since 3.1;\n overload b { c; d; }\n proto (a: [u8; 3]); }";
        let found: Vec<&str> = clauses(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["/// it's; {\n since 3.1;", "overload b { c; d; }", "proto (a: [u8; 3]);"]);
    }

    #[test]
    fn tokens_are_told_apart() {
        let text = "a_1 0x10 \"b\\\"c\" // d e\n+";
        let found: Vec<_> = tokens(text).into_iter().map(|(sort, range)| (sort, &text[range])).collect();
        assert_eq!(
            found,
            [
                (Sort::Name, "a_1"),
                (Sort::Number, "0x10"),
                (Sort::Text, "\"b\\\"c\""),
                (Sort::Text, "// d e"),
                (Sort::Mark, "+")
            ]
        );
    }
}
