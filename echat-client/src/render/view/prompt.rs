//! The prompt with the line that is being typed.

use unicode_segmentation::UnicodeSegmentation;

use crate::render::safe::Safe;
use crate::render::styled::{Line, Style};

use super::{Row, Rows};

/// What a password is shown as, a character each.
const MASK: Safe = Safe::ours("*");

/// The rows of a prompt, and where the cursor stands in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptRows {
    /// At least one.
    pub rows: Vec<Row>,
    /// The cursor's row.
    pub cursor_row: usize,
    /// The columns left of the cursor, at most; always less than the width.
    pub cursor_col: usize,
    /// The bytes of the cursor's row left of it. A terminal that takes fewer columns for a
    /// sequence than were counted still finds the place by them.
    pub cursor_byte: usize,
}

impl PromptRows {
    /// The same below further rows, the first on top.
    #[must_use]
    pub fn below(mut self, above: Vec<Row>) -> Self {
        self.cursor_row += above.len();
        self.rows.splice(0..0, above);
        self
    }

    /// At most `height` of the rows, with the cursor's among them: what a low screen can show.
    #[must_use]
    pub fn window(mut self, height: usize) -> Self {
        let height = height.max(1);
        if self.rows.len() > height {
            let start = (self.cursor_row + 1).saturating_sub(height);
            self.rows.drain(..start);
            self.rows.truncate(height);
            self.cursor_row -= start;
        }
        self
    }
}

/// Lays out `prompt` and behind it `text` with the cursor at byte `cursor`, in rows of `width` columns. A newline in
/// the text begins a row, and is shown at the end of the one before. A `masked` text is shown as so many `*`. What is
/// typed passes [`Safe`] too, since a paste may hold anything.
///
/// The cursor always has a column of its own: behind a row that is full it stands at the start of
/// the next one.
pub fn prompt_rows(
    prompt: &Line,
    text: &str,
    cursor: usize,
    width: usize,
    masked: bool,
) -> PromptRows {
    let mut rows = Rows::new(width, 0);
    for span in &prompt.0 {
        rows.put(&span.text, span.style);
    }
    let mut place = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let first = if masked {
            rows.put(&MASK, Style::Plain)
        } else {
            rows.put(&Safe::line(grapheme), Style::Plain)
        };
        if grapheme == "\n" && !masked {
            rows.begin();
        }
        if cursor < at + grapheme.len() {
            place = place.or(first);
        }
    }
    let place = place.unwrap_or_else(|| rows.make_room(1));
    PromptRows {
        cursor_row: place.row,
        cursor_col: place.col,
        cursor_byte: place.byte,
        rows: rows.done,
    }
}
