//! What C calls a value: the expression at a place of a source line. It is text, not syntax: what
//! can't be told from the line alone is left out.

use probity_program::LineInfo;

/// The pointer that is dereferenced, indexed or read at a line's column: `tcp` of `tcp->flags`,
/// `value` of `*value`, `a->b` of `a->b->c = 1`.
pub(super) fn name(line: &LineInfo) -> Option<&str> {
    let text = &*line.text;
    let at = start(line)?;
    if is_operator(&text[at..]) {
        let target = without_index(target(&text[..at]));
        let target = owner(target).unwrap_or(target);
        return Some(target).filter(|name| is_path(name));
    }
    let at = at + text[at..].find(|c: char| !matches!(c, '*' | '(' | '&' | '!' | ' '))?;
    let word = word(&text[at..])?;
    // A member: what it is a member of.
    let whole = target(&text[..at + word.len()]);
    if let Some(owner) = owner(whole) {
        return Some(owner).filter(|name| is_path(name));
    }
    let rest = text[at + word.len()..].trim_start();
    // A call, or the type of a cast or of a declaration.
    let other = rest.starts_with(['(', '*']) || rest.starts_with(is_word);
    (is_name(word) && !other && !KEYWORDS.contains(&word)).then_some(word)
}

/// What stands in brackets at the column: `index` of `array[index]`.
pub(super) fn index(line: &LineInfo) -> Option<&str> {
    let at = start(line)?;
    let text = &*line.text;
    if is_operator(&text[at..]) {
        let target = target(&text[..at]);
        let open = target.strip_suffix(']')?.rfind('[')?;
        return Some(target[open + 1..target.len() - 1].trim()).filter(|text| !text.is_empty());
    }
    let rest = &text[at..];
    let open = rest.find('[')?;
    if rest[..open].contains([';', ',', '=']) {
        return None;
    }
    let inside = &rest[open + 1..];
    Some(inside[..inside.find(']')?].trim()).filter(|text| !text.is_empty() && !text.contains('['))
}

/// True where an assignment or an increment stands, whose target is before it.
fn is_operator(text: &str) -> bool {
    ["++", "--", "=", "+=", "-=", "|=", "&=", "^=", "<<=", ">>="].iter().any(|sign| text.starts_with(sign))
        && !text.starts_with("==")
}

/// The last expression of a text: names, members and indexes.
fn target(text: &str) -> &str {
    let text = text.trim_end();
    let mut depth = 0_usize;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        let arrow = c == '-' && text[at..].starts_with("->") || c == '>' && text[..at].ends_with('-');
        match c {
            ']' => depth += 1,
            '[' if depth == 0 => break,
            '[' => depth -= 1,
            _ if depth > 0 || is_word(c) || c == '.' || arrow => {}
            _ => break,
        }
        from = at;
    }
    &text[from..]
}

/// `array` of `array[index]`.
fn without_index(text: &str) -> &str {
    match text.strip_suffix(']').and_then(|inside| inside.rfind('[')) {
        Some(open) => &text[..open],
        None => text,
    }
}

/// What a member is a member of.
fn owner(text: &str) -> Option<&str> {
    let arrow = text.rfind("->")?;
    Some(&text[..arrow])
}

/// Names with members.
fn is_path(text: &str) -> bool {
    text.split("->").flat_map(|part| part.split('.')).all(is_name)
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

const KEYWORDS: [&str; 9] = ["if", "return", "while", "for", "switch", "do", "else", "sizeof", "asm"];

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
        assert_eq!(name(&line("\tasm volatile(\"exit\");", 2)), None);
        assert_eq!(name(&line("\treturn *(volatile int *)at;", 9)), None);
        assert_eq!(name(&line("ü = 5", 2)), None);
        assert_eq!(name(&line("\tvalue->of[3]++;", 14)), Some("value"));
        assert_eq!(name(&line("\ta->b->c = 1;", 10)), Some("a->b"));
        assert_eq!(name(&line("\ta->b->c + 1;", 8)), Some("a->b"));
        assert_eq!(name(&line("\t*data = 0;", 8)), Some("data"));
        assert_eq!(name(&line("\trecord[16] = 1;", 13)), Some("record"));
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
        assert_eq!(index(&line("\tvalue->of[at]++;", 15)), Some("at"));
        let call = line("\treturn f(&map, g(1, 2), size) != 0;", 9);
        assert_eq!(argument(&call, 0), Some("&map"));
        assert_eq!(argument(&call, 1), Some("g(1, 2)"));
        assert_eq!(argument(&call, 2), Some("size"));
        assert_eq!(argument(&call, 3), None);
        assert_eq!(plain("&map"), Some("map"));
        assert_eq!(plain("a + b"), None);
    }
}
