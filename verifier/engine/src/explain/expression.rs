//! What C calls a value: the expression at a place of a source line. It is text, not syntax: what
//! can't be told from the line alone is left out.

use probity_program::LineInfo;

/// The name that is dereferenced, indexed or read at a line's column: `tcp` of `tcp->flags`,
/// `value` of `*value`.
pub(super) fn name(line: &LineInfo) -> Option<&str> {
    let text = &*line.text;
    let start = start(line)?;
    let skipped = text[start..].find(|c: char| !matches!(c, '*' | '(' | '&' | '!' | ' '))?;
    let at = start + skipped;
    let word = word(&text[at..])?;
    // A member: what it is a member of.
    let before = text[..at].trim_end();
    if let Some(owner) = before.strip_suffix("->").or_else(|| before.strip_suffix('.')) {
        let owner = owner.trim_end();
        let from = owner.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1);
        return Some(&owner[from..]).filter(|name| is_name(name));
    }
    let called = text[at + word.len()..].trim_start().starts_with('(');
    (is_name(word) && !called && !KEYWORDS.contains(&word)).then_some(word)
}

/// What stands in brackets behind the column: `index` of `array[index]`.
pub(super) fn index(line: &LineInfo) -> Option<&str> {
    let rest = &line.text[start(line)?..];
    let open = rest.find('[')?;
    if rest[..open].contains([';', ',', '=']) {
        return None;
    }
    let inside = &rest[open + 1..];
    Some(inside[..inside.find(']')?].trim()).filter(|text| !text.is_empty() && !text.contains('['))
}

/// An argument, counted from 0, of the call at a line's column, when it is all on that line.
pub(super) fn argument(line: &LineInfo, wanted: usize) -> Option<&str> {
    let rest = &line.text[start(line)?..];
    let open = word(rest)?.len();
    let inside = rest[open..].trim_start().strip_prefix('(')?;
    let mut depth = 0_usize;
    let mut from = 0;
    let mut number = 0;
    for (at, c) in inside.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return (number == wanted).then(|| inside[from..at].trim()),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if number == wanted {
                    return Some(inside[from..at].trim());
                }
                number += 1;
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// The name inside an argument: `key` of `&key`.
pub(super) fn plain(argument: &str) -> Option<&str> {
    Some(argument.trim_start_matches('&').trim()).filter(|name| is_name(name))
}

const KEYWORDS: [&str; 8] = ["if", "return", "while", "for", "switch", "do", "else", "sizeof"];

fn start(line: &LineInfo) -> Option<usize> {
    let start = (line.column as usize).checked_sub(1)?;
    (start < line.text.len() && line.text.is_char_boundary(start)).then_some(start)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word) && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, column: u32) -> LineInfo {
        LineInfo { pc: 0, file: "a.c".into(), text: text.into(), line: 1, column }
    }

    #[test]
    fn names_are_found_where_columns_point() {
        assert_eq!(name(&line("\tif (tcp->flags & 1)", 11)), Some("tcp"));
        assert_eq!(name(&line("\tif (tcp->flags & 1)", 6)), Some("tcp"));
        assert_eq!(name(&line("\treturn *value;", 9)), Some("value"));
        assert_eq!(name(&line("\treturn lookup(1);", 9)), None);
        assert_eq!(name(&line("\treturn *value;", 2)), None);
        assert_eq!(name(&line("ü = 5", 2)), None);
        for column in 0..20 {
            let _ = name(&line("a->b[ü].c = (x)", column));
            let _ = index(&line("a->b[ü].c = (x)", column));
            let _ = argument(&line("a->b[ü].c = (x)", column), 0);
        }
    }

    #[test]
    fn indexes_and_arguments_are_found() {
        assert_eq!(index(&line("\treturn table[at & 7];", 9)), Some("at & 7"));
        assert_eq!(index(&line("\tx = f(a), b[1];", 2)), None);
        let call = line("\treturn f(&map, g(1, 2), size) != 0;", 9);
        assert_eq!(argument(&call, 0), Some("&map"));
        assert_eq!(argument(&call, 1), Some("g(1, 2)"));
        assert_eq!(argument(&call, 2), Some("size"));
        assert_eq!(argument(&call, 3), None);
        assert_eq!(plain("&map"), Some("map"));
        assert_eq!(plain("a + b"), None);
    }
}
