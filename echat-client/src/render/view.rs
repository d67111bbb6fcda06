//! Lines laid out in rows of a given width: no escape bytes, no modes.
//!
//! Rows are counted in the most columns that any terminal may take for them, so that none is ever
//! wider than it may be, at any width from 1.

mod prompt;
#[cfg(test)]
mod tests;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::render::columns;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};

pub use prompt::{PromptRows, prompt_rows};

/// Stands for what is wider than a whole row.
const TOO_WIDE: Safe = Safe::ours("?");
/// Stands for the rest of a line that is cut.
const CUT: Safe = Safe::ours("...");

/// One row of a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    spans: Vec<Span>,
    width: usize,
}

impl Row {
    /// Its parts, from left to right.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Its text without the styles.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    fn push(&mut self, source: &Safe, part: Range<usize>, style: Style, width: usize) {
        self.width += width;
        if self.spans.last().is_none_or(|last| last.style != style) {
            let text = Safe::default();
            self.spans.push(Span { text, style });
        }
        if let Some(last) = self.spans.last_mut() {
            last.text.push_part(source, part);
        }
    }
}

/// The rows of `line`. A newline begins a new row; what is too long goes on in the next.
fn wrap(line: &Line, width: usize) -> Vec<Row> {
    wrap_indented(line, width, 0)
}

/// The same, with `indent` spaces before every row but the first: fewer where there would be no room
/// for one wide character behind them.
pub(crate) fn wrap_indented(line: &Line, width: usize, indent: usize) -> Vec<Row> {
    let mut rows = Rows::new(width, indent);
    for span in &line.0 {
        rows.put(&span.text, span.style);
    }
    rows.done
}

/// As much of a line as one row shows: what is too long ends in dots.
pub fn cut(line: &Line, width: usize) -> Row {
    let mut rows = wrap(line, width);
    if rows.len() > 1 && width > CUT.width() {
        let short = wrap(line, width - CUT.width()).swap_remove(0);
        let style = short.spans.last().map_or(Style::Plain, |span| span.style);
        rows[0] = short;
        rows[0].push(&CUT, 0..CUT.as_str().len(), style, CUT.width());
    }
    rows.swap_remove(0)
}

/// Where something stands.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    col: usize,
    byte: usize,
}

/// Rows under construction.
struct Rows {
    /// At least one.
    done: Vec<Row>,
    width: usize,
    indent: usize,
}

impl Rows {
    fn new(width: usize, indent: usize) -> Self {
        let width = width.max(1);
        Self {
            done: vec![Row::default()],
            width,
            indent: indent.min(width.saturating_sub(2)),
        }
    }

    /// Adds a text and says where its first grapheme came to stand.
    fn put(&mut self, text: &Safe, style: Style) -> Option<Place> {
        let mut first = None;
        for (at, grapheme) in text.as_str().grapheme_indices(true) {
            if grapheme == "\n" {
                self.begin();
            } else {
                let place = self.put_grapheme(text, at..at + grapheme.len(), style);
                first = first.or(Some(place));
            }
        }
        first
    }

    fn put_grapheme(&mut self, source: &Safe, part: Range<usize>, style: Style) -> Place {
        let needs = columns::of_grapheme(&source.as_str()[part.clone()]);
        if needs > self.width - self.indent {
            let stand_in = 0..TOO_WIDE.as_str().len();
            return self.place(&TOO_WIDE, stand_in, style, TOO_WIDE.width());
        }
        self.place(source, part, style, needs)
    }

    fn place(&mut self, source: &Safe, part: Range<usize>, style: Style, needs: usize) -> Place {
        let place = self.make_room(needs);
        self.last().push(source, part, style, needs);
        place
    }

    /// Begins a row if the last one has no room for so many columns; where they will stand.
    fn make_room(&mut self, needs: usize) -> Place {
        if self.last().width + needs > self.width {
            self.begin();
        }
        let row = self.done.len() - 1;
        let last = self.last();
        Place {
            row,
            col: last.width,
            byte: last.spans.iter().map(|span| span.text.as_str().len()).sum(),
        }
    }

    fn begin(&mut self) {
        let mut row = Row::default();
        if self.indent > 0 {
            let spaces = Safe::line(&" ".repeat(self.indent));
            row.push(&spaces, 0..self.indent, Style::Plain, self.indent);
        }
        self.done.push(row);
    }

    fn last(&mut self) -> &mut Row {
        self.done.last_mut().expect("there is always a row")
    }
}
