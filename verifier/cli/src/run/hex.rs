//! Bytes as hexadecimal text: in, out, and as a dump that marks what changed.

use std::fmt::Write as _;

use crate::output::{DIM, Painted, YELLOW};

/// The bytes of hexadecimal text; white space and `0x` before bytes count for nothing. None when the
/// text is something else.
pub(super) fn parse(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace() {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for pair in digits.as_bytes().chunks_exact(2) {
            let pair = std::str::from_utf8(pair).ok()?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
        }
    }
    Some(bytes)
}

/// The bytes that a file holds: those of its text when it is text of hexadecimal digits, its own when
/// not.
pub(super) fn of_file(bytes: Vec<u8>) -> Vec<u8> {
    let text = std::str::from_utf8(&bytes).ok().and_then(parse).filter(|found| !found.is_empty());
    text.unwrap_or(bytes)
}

/// `0x` and two digits a byte.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What differs between two versions of some bytes.
#[derive(Debug)]
pub(super) struct Change<'a> {
    after: &'a [u8],
    /// Of each byte of `after`, whether it is new.
    new: Vec<bool>,
}

impl<'a> Change<'a> {
    /// Compares. Bytes that were put in or taken away are looked for at the start or at the end,
    /// where programs do that.
    pub(super) fn new(before: &[u8], after: &'a [u8]) -> Change<'a> {
        let from_start = (0..after.len()).map(|at| before.get(at) != Some(&after[at]));
        let from_start: Vec<bool> = from_start.collect();
        let shift = |at: usize| (at + before.len()).checked_sub(after.len());
        let from_end = (0..after.len()).map(|at| shift(at).map(|at| before[at]) != Some(after[at]));
        let from_end: Vec<bool> = from_end.collect();
        let count = |new: &[bool]| new.iter().filter(|new| **new).count();
        let new = if count(&from_end) < count(&from_start) { from_end } else { from_start };
        Change { after, new }
    }

    /// How many bytes are new.
    pub(super) fn count(&self) -> usize {
        self.new.iter().filter(|new| **new).count()
    }

    /// Rows of 16 bytes; what is new stands in brackets. Equal rows are left out with `only_new`.
    pub(super) fn dump(&self, only_new: bool) -> String {
        let mut text = String::new();
        let rows = self.after.chunks(16).zip(self.new.chunks(16)).enumerate();
        let mut left_out = false;
        for (index, (bytes, new)) in rows {
            if only_new && !new.contains(&true) {
                if !left_out {
                    text.push_str("  ...\n");
                }
                left_out = true;
                continue;
            }
            left_out = false;
            let _ = writeln!(text, "  {} {}", Painted(format!("{:04x} ", index * 16), DIM), row(bytes, new));
        }
        text
    }
}

/// ` 00 01[02 03]04`: what stands before a byte says whether a new piece begins or ends there.
fn row(bytes: &[u8], new: &[bool]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let before = at > 0 && new[at - 1];
        text.push_str(match (before, new[at]) {
            (false, true) => "[",
            (true, false) => "]",
            _ => " ",
        });
        let byte = format!("{byte:02x}");
        let _ = if new[at] { write!(text, "{}", Painted(byte, YELLOW)) } else { write!(text, "{byte}") };
    }
    text.push(if new.last() == Some(&true) { ']' } else { ' ' });
    text.push_str(&"   ".repeat(16 - bytes.len()));
    let printable =
        |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
    let letters: String = bytes.iter().map(printable).collect();
    let _ = write!(text, " {letters}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_digits_is_bytes() {
        assert_eq!(parse("00 01  ff\n"), Some(vec![0, 1, 255]));
        assert_eq!(parse("0x0a0B"), Some(vec![10, 11]));
        assert_eq!((parse("0"), parse("zz"), parse("é0")), (None, None, None));
        assert_eq!(of_file(b"0102\n".to_vec()), [1, 2]);
        assert_eq!(of_file(vec![0, 1]), [0, 1]);
        assert_eq!(of_file(b"  ".to_vec()), b"  ");
        assert_eq!(text(&[0, 0xab]), "0x00ab");
    }

    #[test]
    fn what_was_put_in_front_is_new_and_the_rest_is_not() {
        let change = Change::new(&[1, 2, 3], &[9, 1, 2, 3]);
        assert_eq!((change.count(), change.new), (1, vec![true, false, false, false]));
        assert_eq!(Change::new(&[1, 2, 3], &[1, 2, 3, 0]).new, [false, false, false, true]);
        assert_eq!(Change::new(&[1, 2, 3], &[2, 3]).count(), 0);
        assert_eq!(Change::new(&[], &[]).count(), 0);
    }

    #[test]
    fn new_bytes_stand_in_brackets() {
        let dump = Change::new(&[0; 18], &[&[0, 1, 1][..], &[0; 14], b"A"].concat()).dump(false);
        let plain = anstream::adapter::strip_str(&dump).to_string();
        assert_eq!(
            plain,
            "  0000   00[01 01]00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n  0010   00[41]                                           .A\n"
        );
    }
}
