//! Text that cannot control a terminal.
//!
//! Whatever arrives (names, rooms, messages, a server's words) becomes a [`Safe`] before it may
//! be shown. What was neutralised stays visible: `␛` for an escape, `<U+202E>` for an override of
//! the writing direction, `<+96>` for marks cut off a stack.

mod cluster;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use echat_proto::terminal_text::BRAILLE_BLANK;
use unicode_segmentation::UnicodeSegmentation;

use crate::render::columns;

/// A text that may be shown. It holds no control character but perhaps the newline, nothing
/// invisible, and no stack of marks that would cover its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Safe(Cow<'static, str>);

/// What becomes of newlines and tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// They are shown as the control characters that they are.
    Line,
    /// A newline stays, a tab becomes spaces.
    Text,
}

/// A tab, in a text.
const TAB: &str = "    ";

impl Safe {
    /// A text for one row: names, prompts, errors. Newlines and tabs are neutralised too.
    pub fn line(raw: &str) -> Self {
        Self::neutral(raw, Layout::Line)
    }

    /// A text of several rows, as messages are: a newline stays, a tab becomes spaces.
    pub fn text(raw: &str) -> Self {
        Self::neutral(raw, Layout::Text)
    }

    /// A text for one row whose tabs go to the next multiple of `stop` columns, counted from the
    /// text's beginning. Everything else is as in [`Safe::line`].
    pub fn tabbed(raw: &str, stop: usize) -> Self {
        let (mut shown, mut columns) = (Self::default(), 0);
        for (index, part) in raw.split('\t').enumerate() {
            if index > 0 {
                let spaces = stop - columns % stop;
                shown.0.to_mut().push_str(&" ".repeat(spaces));
                columns += spaces;
            }
            let part = Self::line(part);
            columns += part.width();
            shown.push(&part);
        }
        shown
    }

    /// The same text with one space for every run of blank characters.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut shown = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            let c = if is_blank(c) { ' ' } else { c };
            if c != ' ' || !shown.ends_with(' ') {
                shown.push(c);
            }
        }
        Self(Cow::Owned(shown))
    }

    /// One of the program's own sentences, which needs no look.
    pub const fn ours(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    fn neutral(raw: &str, layout: Layout) -> Self {
        if raw.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self(Cow::Owned(raw.to_owned()));
        }
        let mut shown = String::with_capacity(raw.len() + 16);
        for grapheme in raw.graphemes(true) {
            cluster::show(grapheme, layout, &mut shown);
        }
        Self(Cow::Owned(shown))
    }

    /// The text, safe to write to a terminal.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many columns it takes at most; of several rows, the widest's.
    pub fn width(&self) -> usize {
        self.0.split('\n').map(columns::of).max().unwrap_or(0)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its rows, without the newlines.
    pub fn lines(&self) -> impl Iterator<Item = Self> {
        self.0
            .split('\n')
            .map(|line| Self(Cow::Owned(line.to_owned())))
    }

    /// Adds a text at the end: two safe texts in a row are safe.
    pub fn push(&mut self, more: &Self) {
        self.0.to_mut().push_str(&more.0);
    }

    /// Adds a part of a text, cut at grapheme boundaries.
    pub(crate) fn push_part(&mut self, source: &Self, part: Range<usize>) {
        self.0.to_mut().push_str(&source.0[part]);
    }
}

/// Whether a character that may be shown has no ink: the spaces of Unicode, and the empty pattern
/// of Braille.
fn is_blank(c: char) -> bool {
    c == BRAILLE_BLANK || c != '\n' && c.is_whitespace()
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
