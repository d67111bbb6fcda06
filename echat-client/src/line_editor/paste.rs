//! What was pasted: one line or several.

use std::borrow::Cow;

use zeroize::Zeroizing;

/// A pasted text, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PastedText {
    Nothing,
    Line(String),
    /// At least two.
    Lines(Vec<String>),
}

/// Line ends of every system divide lines; those at the end of the text, which copying a whole
/// line brings along, count for nothing.
pub(super) fn sort(text: &str) -> PastedText {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end_matches('\n');
    let mut lines: Vec<String> = text
        .split('\n')
        .map(|line| typeable(line).into_owned())
        .collect();
    match lines.len() {
        1 if lines[0].is_empty() => PastedText::Nothing,
        1 => PastedText::Line(lines.remove(0)),
        _ => PastedText::Lines(lines),
    }
}

/// The first line of a text that may be a password. A password has one line, whatever the password manager put behind
/// it.
pub(super) fn first_line(text: &str) -> Zeroizing<String> {
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    Zeroizing::new(typeable(line).into_owned())
}

/// The text with U+FFFD for control characters: no message can carry them, and leaving them out
/// without a trace would join what they divided. Tabs and newlines stay.
pub(super) fn typeable(text: &str) -> Cow<'_, str> {
    let refused = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    if text.contains(refused) {
        Cow::Owned(text.replace(refused, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
