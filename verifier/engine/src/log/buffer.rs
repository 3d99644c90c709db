//! The text of a log.

use std::fmt;

/// Text with a bound: of what is longer, the end is kept.
#[derive(Debug)]
pub struct Buffer {
    text: String,
    /// Bytes that were dropped at the front.
    dropped: usize,
    limit: usize,
}

impl Buffer {
    /// Empty, with a bound in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Buffer {
        Buffer { text: String::new(), dropped: 0, limit }
    }

    /// Where the text ends: the number of bytes that are written and not taken back.
    #[must_use]
    pub fn end(&self) -> usize {
        self.dropped + self.text.len()
    }

    /// The number of bytes in the last line.
    #[must_use]
    pub fn column(&self) -> usize {
        self.text.len() - self.text.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Takes back what was written behind `end`.
    pub fn take_back(&mut self, end: usize) {
        let keep = end.saturating_sub(self.dropped).min(self.text.len());
        self.text.truncate(self.text.floor_char_boundary(keep));
    }

    /// The text, which begins with a line that says so when its front was dropped.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.trim(self.limit);
        if self.dropped == 0 {
            return self.text;
        }
        format!("({} bytes are left out)\n{}", self.dropped, self.text)
    }

    /// Drops whole lines at the front until no more than `limit` bytes are left.
    fn trim(&mut self, limit: usize) {
        let excess = self.text.len().saturating_sub(limit);
        if excess == 0 {
            return;
        }
        let from = self.text.ceil_char_boundary(excess);
        let cut = self.text[from..].find('\n').map_or(self.text.len(), |line| from + line + 1);
        self.text.drain(..cut);
        self.dropped += cut;
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        // Seldom, so that all the moving together costs no more than the writing.
        if self.text.len() > self.limit.saturating_mul(2) {
            self.trim(self.limit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_kept() {
        let mut buffer = Buffer::new(8);
        for line in 0..9 {
            let _ = writeln!(buffer, "{line}{line}");
        }
        assert_eq!(buffer.end(), 27);
        assert_eq!(buffer.finish(), "(21 bytes are left out)\n77\n88\n");
    }

    #[test]
    fn what_is_behind_a_place_is_taken_back() {
        let mut buffer = Buffer::new(100);
        let _ = buffer.write_str("one\n");
        let end = buffer.end();
        let _ = buffer.write_str("two\n");
        buffer.take_back(end);
        let _ = buffer.write_str("three");
        assert_eq!(buffer.finish(), "one\nthree");
    }
}
