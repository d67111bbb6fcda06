//! Bytes of input, and the whole lines among them.

use zeroize::{Zeroize, Zeroizing};

/// The longest line, in bytes: far more than any frame can carry in hex.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// A line, which may be a password, and its number, from 1; without its end.
pub(crate) type NumberedLine = (usize, Zeroizing<Vec<u8>>);

/// A line that is longer than [`MAX_LINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is longer than 1 MiB")]
pub(crate) struct TooLong(pub usize);

/// What follows a byte order mark in UTF-8, which editors of Windows begin a file with.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// Whether a text begins as UTF-16 does: with its byte order mark, or with a zero byte for half of
/// a Latin character.
pub(crate) fn is_utf16(text: &[u8]) -> bool {
    match text {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [one, other, ..] => (*one == 0) != (*other == 0),
        _ => false,
    }
}

/// Input that has not been cut into lines yet. A byte order mark at its beginning is no part of it.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Zeroizing<Vec<u8>>,
    /// How far the buffer is known to hold no end of a line.
    searched: usize,
    taken: usize,
}

impl Lines {
    /// Appends input.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let length = self.buffer.len() + bytes.len();
        if length > self.buffer.capacity() {
            // A buffer that grows by itself leaves a copy behind.
            let room = length.max(2 * self.buffer.capacity());
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&self.buffer);
            self.buffer = larger;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line.
    pub(crate) fn next_line(&mut self) -> Result<Option<NumberedLine>, TooLong> {
        let end = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let length = end.map_or(self.buffer.len(), |end| self.searched + end);
        if length > MAX_LINE {
            return Err(TooLong(self.taken + 1));
        }
        if end.is_none() {
            self.searched = self.buffer.len();
            return Ok(None);
        }
        self.searched = 0;
        let line = self.line(length);
        // It may be a password. What moves to the front leaves copies, until all is taken.
        self.buffer[..length].zeroize();
        self.buffer.drain(..=length);
        if self.buffer.is_empty() {
            self.buffer.zeroize();
        }
        Ok(Some((self.taken, line)))
    }

    /// The first bytes of the buffer, as the next line.
    fn line(&mut self, length: usize) -> Zeroizing<Vec<u8>> {
        self.taken += 1;
        let line = &self.buffer[..length];
        let line = if self.taken == 1 {
            without_mark(line)
        } else {
            line
        };
        Zeroizing::new(line.to_vec())
    }

    /// What stands behind the last end of a line, once there is no more input.
    pub(crate) fn last_line(&mut self) -> Option<NumberedLine> {
        let line = self.line(self.buffer.len());
        self.buffer.zeroize();
        (!line.is_empty()).then_some((self.taken, line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(parts: &[&[u8]]) -> Vec<(usize, Vec<u8>)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for part in parts {
            lines.push(part);
            while let Some(line) = lines.next_line().unwrap() {
                found.push(line);
            }
        }
        found.extend(lines.last_line());
        let plain = |(number, line): NumberedLine| (number, line.to_vec());
        found.into_iter().map(plain).collect()
    }

    #[test]
    fn lines_are_numbered_and_the_last_needs_no_end() {
        let lines = [
            (1, b"a".to_vec()),
            (2, vec![]),
            (3, b"b\r".to_vec()),
            (4, b"c".to_vec()),
        ];
        assert_eq!(cut(&[b"a\n\nb\r\nc"]), lines);
        assert_eq!(cut(&[b""]), []);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = Lines::default();
        lines.push(b"a\n");
        lines.push(&vec![b'x'; MAX_LINE]);
        assert_eq!(lines.next_line(), Ok(Some((1, b"a".to_vec().into()))));
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(b"x");
        assert_eq!(lines.next_line(), Err(TooLong(2)));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mark = "\u{feff}".as_bytes();
        assert_eq!(
            cut(&[mark, b"a\n", mark]),
            [(1, b"a".to_vec()), (2, mark.to_vec())]
        );
        assert_eq!(cut(&[mark, b"a"]), [(1, b"a".to_vec())]);
        assert_eq!(cut(&[mark]), []);
    }

    #[test]
    fn utf_16_is_recognised_by_its_byte_order_mark() {
        for text in [
            &b"\xff\xfeh\0"[..],
            b"\xfe\xff\0h",
            b"h\0i\0",
            b"\0h\0i",
            b"\xff\xfe",
        ] {
            assert!(is_utf16(text), "{text:?}");
        }
        for text in [
            &b""[..],
            b"h",
            b"hi",
            b"\0\0",
            "\u{feff}h".as_bytes(),
            "\u{4f60}".as_bytes(),
        ] {
            assert!(!is_utf16(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_where_reads_end(text in "[ab\n]{0,40}", at in 0usize..40) {
            let (one, other) = text.as_bytes().split_at(at.min(text.len()));
            prop_assert_eq!(cut(&[one, other]), cut(&[text.as_bytes()]));
        }
    }
}
