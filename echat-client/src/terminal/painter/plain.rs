//! The prompt where nothing is redrawn.
//!
//! There are no escape codes, so the cursor only moves to the left, by backspace, within its row.
//! What that cannot reach is written once more in a new row.

use unicode_segmentation::UnicodeSegmentation;

use super::reflow::is_agreed;
use crate::render::columns;
use crate::render::view::PromptRows;
use crate::terminal::{Appearance, write};

/// A prompt as it stands on the screen, its rows divided by newlines.
#[derive(Debug)]
pub(super) struct ShownPrompt {
    text: String,
    /// The byte of it that the cursor stands at.
    at: usize,
}

/// What makes one prompt of another.
#[derive(Debug, PartialEq, Eq)]
enum PromptChange {
    /// These bytes.
    Bytes(String),
    /// The whole prompt, in a new row.
    NewRow,
}

impl ShownPrompt {
    /// The prompt, and the bytes that put it on an empty row.
    pub(super) fn begin(prompt: &PromptRows, look: Appearance) -> (Self, String) {
        let (text, cursor) = flat(prompt, look);
        let mut bytes = text.clone();
        let back = back(&text[cursor..]);
        let at = if back.is_some() { cursor } else { text.len() };
        bytes.extend(back);
        (Self { text, at }, bytes)
    }

    /// The bytes that make this prompt of what is shown.
    pub(super) fn become_prompt(&mut self, prompt: &PromptRows, look: Appearance) -> String {
        let (text, cursor) = flat(prompt, look);
        match self.change(&text, cursor) {
            PromptChange::Bytes(bytes) => {
                (self.text, self.at) = (text, cursor);
                bytes
            }
            PromptChange::NewRow => {
                let (shown, bytes) = Self::begin(prompt, look);
                *self = shown;
                format!("\n{bytes}")
            }
        }
    }

    /// The bytes that end the prompt's row behind all of its text.
    pub(super) fn end(self) -> String {
        format!("{}\n", &self.text[self.at..])
    }

    fn change(&self, text: &str, cursor: usize) -> PromptChange {
        if self.text == text && self.at <= cursor {
            return PromptChange::Bytes(text[self.at..cursor].to_owned());
        }
        let same = common(&self.text, text);
        let (gone, new) = (&self.text[same..], &text[same..]);
        let there = match self.text.get(same..self.at) {
            Some(behind) => back(behind),
            None => Some(self.text[self.at..same].to_owned()),
        };
        let blanks = blanks(gone, new);
        let (Some(there), Some(blanks), Some(back)) = (there, blanks, back(&text[cursor..])) else {
            return PromptChange::NewRow;
        };
        PromptChange::Bytes([&there, new, &blanks, &back].concat())
    }
}

fn flat(prompt: &PromptRows, look: Appearance) -> (String, usize) {
    let shown = |text: &str| {
        let mut bytes = Vec::new();
        write::text(&mut bytes, text, look);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (mut text, mut cursor) = (String::new(), 0);
    for (index, row) in prompt.rows.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let row = row.text();
        if index == prompt.cursor_row {
            cursor = text.len() + shown(&row[..prompt.cursor_byte]).len();
        }
        text.push_str(&shown(&row));
    }
    (text, cursor)
}

/// The bytes of whole graphemes with which both begin.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.graphemes(true).zip(other.graphemes(true));
    let same = pairs.take_while(|(one, other)| one == other);
    same.map(|(grapheme, _)| grapheme.len()).sum()
}

/// The columns of a text that all terminals count alike.
fn agreed_columns(text: &str) -> Option<usize> {
    let columns = text
        .graphemes(true)
        .map(|grapheme| is_agreed(grapheme).then(|| columns::of_grapheme(grapheme)));
    columns.sum()
}

/// To the left over this text.
fn back(text: &str) -> Option<String> {
    agreed_columns(text).map(|columns| "\u{8}".repeat(columns))
}

/// Covers what is left of a text behind the one that took its place.
fn blanks(gone: &str, new: &str) -> Option<String> {
    if gone.is_empty() {
        return Some(String::new());
    }
    let more = agreed_columns(gone)?.saturating_sub(agreed_columns(new)?);
    Some(" ".repeat(more) + &"\u{8}".repeat(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(old: (&str, usize), new: (&str, usize)) -> Option<String> {
        let shown = ShownPrompt {
            text: old.0.to_owned(),
            at: old.1,
        };
        match shown.change(new.0, new.1) {
            PromptChange::Bytes(bytes) => Some(bytes),
            PromptChange::NewRow => None,
        }
    }

    #[test]
    fn typing_at_the_end_writes_only_the_typed_text() {
        assert_eq!(change(("> ", 2), ("> a", 3)).unwrap(), "a");
        assert_eq!(change(("> 你", 5), ("> 你👍", 9)).unwrap(), "👍");
        assert_eq!(change(("> ab", 4), ("> ab\nc", 6)).unwrap(), "\nc");
        assert_eq!(change(("> ab", 4), ("> ab", 4)).unwrap(), "");
    }

    #[test]
    fn backspaces_reach_text_of_the_same_row() {
        assert_eq!(change(("> ab", 4), ("> a", 3)).unwrap(), "\u{8} \u{8}");
        assert_eq!(
            change(("> 你", 5), ("> ", 2)).unwrap(),
            "\u{8}\u{8}  \u{8}\u{8}"
        );
        assert_eq!(change(("> ac", 3), ("> abc", 4)).unwrap(), "bc\u{8}");
        assert_eq!(
            change(("> abc", 5), ("> abc", 2)).unwrap(),
            "\u{8}\u{8}\u{8}"
        );
        assert_eq!(change(("> abc", 2), ("> abc", 4)).unwrap(), "ab");
    }

    #[test]
    fn text_beyond_the_reach_of_backspaces_is_rewritten() {
        assert_eq!(change(("> ab\nc", 6), ("> ab", 4)), None);
        assert_eq!(change(("> 👍", 6), ("> ", 2)), None);
        assert_eq!(change(("> e\u{301}", 5), ("> ", 2)), None);
    }
}
