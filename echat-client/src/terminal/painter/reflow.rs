//! Where a prompt begins after its terminal has changed its size.
//!
//! Some terminals divide rows again for the new width, others cut them. Neither what the environment
//! says nor any table tells which, nor how many columns a sequence of emoji takes. So the terminal is
//! asked where its cursor is, and what fits the answer is what it did.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use crate::render::columns;
use crate::render::view::{PromptRows, Row};
use crate::terminal::Position;

/// What a terminal does with its rows when its width changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReflowKind {
    /// What does not fit is gone.
    Cuts,
    /// What does not fit goes on in further rows.
    Reflows,
    /// The same, and a wide character may be divided too.
    Halves,
}

impl ReflowKind {
    /// The kind of a terminal that answers a secondary DA with this number, if that names it: xterm
    /// cuts; VTE (61, 65), GNU screen (83) and tmux (84) reflow. Of others it is found out; rxvt
    /// (82, 85) does the one or the other.
    pub(super) fn of_device(number: u16) -> Option<Self> {
        match number {
            41 => Some(Self::Cuts),
            61 | 65 | 84 => Some(Self::Reflows),
            83 => Some(Self::Halves),
            _ => None,
        }
    }
}

/// The columns of sequences, as the terminal at hand shows them.
#[derive(Debug, Default)]
pub(super) struct Widths(HashMap<String, usize>);

impl Widths {
    pub(super) fn learn(&mut self, grapheme: String, columns: usize) {
        self.0.insert(grapheme, columns);
    }

    fn of(&self, grapheme: &str) -> usize {
        let known = self.0.get(grapheme).copied();
        known.unwrap_or_else(|| columns::of_grapheme(grapheme))
    }

    /// What stands in the prompt, is not known, and can be measured in a row of `cols` columns.
    pub(super) fn unknown(&self, prompt: &PromptRows, cols: usize) -> Vec<String> {
        let mut unknown = Vec::new();
        for row in &prompt.rows {
            for grapheme in row.text().graphemes(true) {
                let is_new = !is_agreed(grapheme) && !self.0.contains_key(grapheme);
                let fits = at_most(grapheme) < cols;
                if is_new && fits && !unknown.iter().any(|known| known == grapheme) {
                    unknown.push(grapheme.to_owned());
                }
            }
        }
        unknown
    }
}

/// Whether the prompt's cursor stands in its first row on any terminal of `cols` columns.
pub(super) fn is_one_row(prompt: &PromptRows, cols: usize) -> bool {
    let text = prompt.rows[prompt.cursor_row].text();
    let before = text[..prompt.cursor_byte].graphemes(true).map(at_most);
    prompt.cursor_row == 0 && before.sum::<usize>() < cols
}

/// Where the prompt begins.
#[derive(Debug)]
pub(super) struct PromptStart {
    /// The rows of the prompt above the cursor's.
    pub(super) above: usize,
    /// What the terminal did to it, if that shows.
    pub(super) shown: Option<ReflowKind>,
    /// The same, or what the terminal is known to do, where that fits the answer too.
    pub(super) kind: Option<ReflowKind>,
}

/// How many rows of the prompt are above the cursor's, and what the terminal did to it, if that shows.
/// The prompt was painted as it is, and the terminal has been `narrowest` columns wide since; now it
/// has `cols`. What fits nothing counts as the least that it can be.
pub(super) fn rows_above(
    prompt: &PromptRows,
    (cols, narrowest): (usize, usize),
    position: Position,
    widths: &Widths,
    known: Option<ReflowKind>,
) -> PromptStart {
    let mut places = vec![cut(prompt, narrowest, widths)];
    for halves in [false, true] {
        places.extend(reflowed(prompt, cols.max(1), widths, halves));
    }
    let least = places.iter().map(|place| place.above).min().unwrap_or(0);
    // Some say of a cursor behind a full row that it is beyond the last column.
    let col = position.col.clamp(1, cols.max(1));
    let is_there = |place: &&CursorPosition| place.col + 1 == col;
    let found: Vec<CursorPosition> = places.iter().filter(is_there).copied().collect();
    let Some(first) = found.first() else {
        return PromptStart {
            above: least,
            shown: None,
            kind: None,
        };
    };
    let shown = found.iter().all(|place| place.kind == first.kind);
    let of_kind = found.iter().filter(|place| Some(place.kind) == known);
    let of_kind = of_kind.map(|place| place.above).min();
    let smallest = found.iter().map(|place| place.above).min();
    let above = of_kind.or(smallest).unwrap_or(least);
    let shown = shown.then_some(first.kind);
    let fits = |kind: &ReflowKind| found.iter().any(|place| place.kind == *kind);
    PromptStart {
        above,
        shown,
        kind: known.filter(fits).or(shown),
    }
}

/// How many rows of the screen a row takes after a change to `cols` columns; `None` if that depends
/// on what the terminal makes of a sequence in it.
pub(super) fn height(row: &Row, kind: ReflowKind, cols: usize, widths: &Widths) -> Option<usize> {
    let text = row.text();
    let most: usize = text.graphemes(true).map(at_most).sum();
    if kind == ReflowKind::Cuts || most <= cols {
        return Some(1);
    }
    let is_known = |grapheme: &str| is_agreed(grapheme) || widths.0.contains_key(grapheme);
    text.graphemes(true).all(is_known).then(|| {
        let mut divided = SplitRow::new(cols.max(1), kind == ReflowKind::Halves);
        divided.put_all(&text, widths);
        divided.row + 1
    })
}

/// Where the cursor may be.
#[derive(Clone, Copy, Debug)]
struct CursorPosition {
    kind: ReflowKind,
    above: usize,
    col: usize,
}

fn cut(prompt: &PromptRows, narrowest: usize, widths: &Widths) -> CursorPosition {
    let text = prompt.rows[prompt.cursor_row].text();
    let before = text[..prompt.cursor_byte].graphemes(true);
    let col: usize = before.map(|grapheme| widths.of(grapheme)).sum();
    CursorPosition {
        kind: ReflowKind::Cuts,
        above: prompt.cursor_row,
        col: col.min(narrowest.saturating_sub(1)),
    }
}

/// Where the cursor is if each row was divided for `cols` columns. Behind a full row it may be in its
/// last column or in the first one of the next.
fn reflowed(
    prompt: &PromptRows,
    cols: usize,
    widths: &Widths,
    halves: bool,
) -> Vec<CursorPosition> {
    let kind = if halves {
        ReflowKind::Halves
    } else {
        ReflowKind::Reflows
    };
    let mut above = 0;
    for row in &prompt.rows[..prompt.cursor_row] {
        let mut divided = SplitRow::new(cols, halves);
        divided.put_all(&row.text(), widths);
        above += divided.row + 1;
    }
    let text = prompt.rows[prompt.cursor_row].text();
    let mut divided = SplitRow::new(cols, halves);
    divided.put_all(&text[..prompt.cursor_byte], widths);
    let place = |row, col| CursorPosition {
        kind,
        above: above + row,
        col,
    };
    let (row, col) = (divided.row, divided.col);
    let mut places = vec![place(row, col.min(cols - 1))];
    if col >= cols {
        places.push(place(row + 1, 0));
    } else if let Some(next) = text[prompt.cursor_byte..].graphemes(true).next() {
        divided.put_all(next, widths);
        if divided.row > row {
            places.push(place(row + 1, 0));
        }
    }
    places
}

/// A row that is divided; the place behind what was put.
struct SplitRow {
    cols: usize,
    /// Whether a wide character is divided too, as GNU screen does it.
    halves: bool,
    row: usize,
    col: usize,
}

impl SplitRow {
    fn new(cols: usize, halves: bool) -> Self {
        let (row, col) = (0, 0);
        Self {
            cols,
            halves,
            row,
            col,
        }
    }

    fn put_all(&mut self, text: &str, widths: &Widths) {
        for grapheme in text.graphemes(true) {
            let columns = widths.of(grapheme);
            // A terminal that does not join a sequence may divide it.
            let apart = grapheme.chars().map(|c| c.width().unwrap_or(0));
            if apart.clone().sum::<usize>() == columns {
                apart.for_each(|columns| self.put(columns));
            } else {
                self.put(columns);
            }
        }
    }

    fn put(&mut self, columns: usize) {
        if self.halves && columns > 1 {
            return (0..columns).for_each(|_| self.put(1));
        }
        if self.col + columns > self.cols {
            self.row += 1;
            self.col = 0;
        }
        self.col += columns.min(self.cols);
    }
}

/// Whether all terminals give this the same columns.
pub(super) fn is_agreed(grapheme: &str) -> bool {
    let mut chars = grapheme.chars();
    let first = chars.next();
    chars.next().is_none()
        && matches!(
            first,
            Some(
                ' '..='~'
                | '\u{3041}'..='\u{30ff}'
                | '\u{4e00}'..='\u{9fff}'
                | '\u{ac00}'..='\u{d7a3}',
            )
        )
}

/// The most columns that any terminal gives this.
fn at_most(grapheme: &str) -> usize {
    let columns = columns::of_grapheme(grapheme);
    if is_agreed(grapheme) {
        columns
    } else {
        columns.max(2 * grapheme.chars().count())
    }
}
