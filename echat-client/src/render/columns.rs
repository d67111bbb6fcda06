//! How many columns of a terminal a text takes, at most.
//!
//! Terminals disagree about sequences: a family of emoji takes two columns where the terminal
//! joins them and eight where it does not. Layout that must never overflow counts the most.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns of one grapheme: the most that any terminal gives it, and never 0.
pub(crate) fn of_grapheme(grapheme: &str) -> usize {
    if let [byte] = grapheme.as_bytes() {
        return usize::from(*byte != b'\n');
    }
    let mut apart = 0;
    let mut before = 0;
    for c in grapheme.chars() {
        let columns = match c {
            // Makes a picture, which has two columns, of a sign that had one.
            '\u{fe0f}' => usize::from(before == 1),
            c => c.width().unwrap_or(1),
        };
        apart += columns;
        before = columns;
    }
    apart.max(grapheme.width()).max(1)
}

/// The columns of a text of one row.
pub(crate) fn of(text: &str) -> usize {
    text.graphemes(true).map(of_grapheme).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_rendering_of_a_terminal_is_counted() {
        let cases = [
            ("", 0),
            ("a", 1),
            ("e\u{301}", 1),
            ("你好", 4),
            ("👍", 2),
            ("👍🏽", 4),
            ("🇨🇳", 2),
            ("❤\u{fe0f}", 2),
            ("1\u{fe0f}\u{20e3}", 2),
            ("❤\u{fe0f}\u{200d}❤\u{fe0f}", 4),
            ("👩\u{200d}👩\u{200d}👧", 6),
        ];
        for (text, columns) in cases {
            assert_eq!(of(text), columns, "{text}");
        }
    }
}
