//! Lines laid out in rows of a given width: no escape bytes, no modes.
//!
//! Rows are counted in the most columns that any terminal may take for them, so that none is ever
//! wider than it may be, at any width from 1.

mod prompt;
#[cfg(test)]
mod tests;

use std::ops::Range;

use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

use crate::render::columns;
use crate::render::safe::Safe;
use crate::render::styled::{Line, Span, Style};

pub use prompt::{PromptRows, prompt_rows};

/// Stands for what is wider than a whole row.
const TOO_WIDE: Safe = Safe::ours("?");
/// Stands for the rest of a line that is cut.
const CUT: Safe = Safe::ours("...");
/// Stands between the words of a command for a shell.
const BLANK: Safe = Safe::ours(" ");
/// Ends a row of a command for a shell that goes on in the next row: the shell takes both for one line.
const GOES_ON: Safe = Safe::ours("\\");
/// The columns of the blank and of the mark with which such a row ends.
const MARK_COLUMNS: usize = 2;
/// Rows of fewer columns have no such mark.
const MARKED_FROM: usize = 12;

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

/// The rows of `line`, each filled to its last column. A newline begins a new row.
fn fill(line: &Line, width: usize) -> Vec<Row> {
    let mut rows = Rows::new(width, 0);
    for span in &line.0 {
        rows.put(&span.text, span.style);
    }
    rows.done
}

/// The rows of `line`, divided where UAX #14 permits it: at spaces, and between Chinese characters. A
/// word longer than a row is divided between graphemes. Spaces that do not fit at the end of a row are
/// left out. A newline begins a new row. Every row but the first begins with `indent` spaces: fewer
/// where there would be no room for one wide character behind them.
pub(crate) fn wrap(line: &Line, width: usize, indent: usize) -> Vec<Row> {
    let text = line.text();
    let mut rows = Rows::new(width, indent);
    let mut pieces = Pieces::new(line);
    let mut start = 0;
    let mut wholes = span_places(line, Style::is_link);
    let shells = span_places(line, |style| style == Style::Shell);
    let mut commands = span_places(line, |style| matches!(style, Style::Command | Style::Shell));
    for place in command_places(&text) {
        let fits = columns::of(&text[place.clone()]) <= width.saturating_sub(indent);
        if fits { &mut wholes } else { &mut commands }.push(place);
    }
    let is_within = |places: &[Range<usize>], end: usize| {
        let mut places = places.iter();
        places.any(|place| place.start < end && end < place.end)
    };
    let is_inside = |end: usize| {
        let before = &text[..end];
        is_in_command_name(before)
            || is_within(&wholes, end)
            || (!before.ends_with(' ') && is_within(&commands, end))
    };
    // The last row ends where the text does, also behind a slash.
    for end in word_ends(&text).filter(|end| *end == text.len() || !is_inside(*end)) {
        let word = pieces.take(end - start);
        let shell = shells
            .iter()
            .find(|place| place.start <= start && end <= place.end);
        match shell.filter(|_| rows.has_room_for_marks()) {
            Some(place) => rows.put_shell_word(&word, start == place.start, end == place.end),
            None => rows.put_word(&word),
        }
        start = end;
    }
    rows.done
}

/// Whether a text ends in the slash of a command, or behind a hyphen of its name, as in `/delete-account`.
fn is_in_command_name(text: &str) -> bool {
    // Of most texts the last character says enough.
    if !text.ends_with(['/', '-']) {
        return false;
    }
    let word = text.rsplit([' ', '`']).next().unwrap_or(text);
    let name = word.strip_prefix('/');
    name.is_some_and(|name| {
        let is_of_name = |c: char| c.is_ascii_lowercase() || c == '-';
        name.is_empty() || name.ends_with('-') && name.chars().all(is_of_name)
    })
}

/// Where texts in backquotes stand, in bytes, which are commands to copy: those that fit on a row are not divided, and
/// others at blanks only.
fn command_places(text: &str) -> Vec<Range<usize>> {
    let quotes: Vec<usize> = text.match_indices('`').map(|(at, _)| at).collect();
    let pairs = quotes.chunks_exact(2).map(|pair| pair[0]..pair[1] + 1);
    pairs.collect()
}

/// Where the parts of a line in some styles stand, in bytes.
fn span_places(line: &Line, is_wanted: impl Fn(Style) -> bool) -> Vec<Range<usize>> {
    let mut start = 0;
    let places = line.0.iter().map(|span| {
        let place = start..start + span.text.as_str().len();
        start = place.end;
        is_wanted(span.style).then_some(place)
    });
    places.flatten().collect()
}

/// The bytes of a text where a word ends with the spaces behind it, and a row may end.
fn word_ends(text: &str) -> impl Iterator<Item = usize> {
    let starts = text.grapheme_indices(true).map(|(at, _)| at);
    let mut boundaries = starts.chain([text.len()]).peekable();
    let mut ends: Vec<usize> = linebreaks(text).map(|(end, _)| end).collect();
    // The rules permit no row to begin with a slash, not even behind a space: a list of commands would be one word.
    ends.extend(text.match_indices(" /").map(|(space, _)| space + 1));
    ends.sort_unstable();
    ends.dedup();
    ends.into_iter().filter(move |end| {
        while boundaries.next_if(|at| at < end).is_some() {}
        boundaries.peek() == Some(end)
    })
}

/// A part of a span, in bytes.
type Piece<'a> = (&'a Span, Range<usize>);

/// Takes a line to pieces.
struct Pieces<'a> {
    spans: &'a [Span],
    /// How much of the first span was taken, in bytes.
    taken: usize,
}

impl<'a> Pieces<'a> {
    fn new(line: &'a Line) -> Self {
        let (spans, taken) = (&line.0[..], 0);
        Self { spans, taken }
    }

    /// The next bytes of the line, a piece of each span.
    fn take(&mut self, bytes: usize) -> Vec<Piece<'a>> {
        let mut left = bytes;
        let mut pieces = Vec::new();
        while left > 0
            && let Some((span, rest)) = self.spans.split_first()
        {
            let length = span.text.as_str().len();
            let end = length.min(self.taken + left);
            pieces.push((span, self.taken..end));
            left -= end - self.taken;
            self.taken = end;
            if end == length {
                (self.spans, self.taken) = (rest, 0);
            }
        }
        pieces
    }
}

/// As much of a line as one row shows: what is too long ends in dots.
pub fn cut(line: &Line, width: usize) -> Row {
    let mut rows = fill(line, width);
    if rows.len() > 1 && width > CUT.width() {
        let short = fill(line, width - CUT.width()).swap_remove(0);
        let style = short.spans.last().map_or(Style::Plain, |span| span.style);
        rows[0] = short;
        rows[0].push(&CUT, 0..CUT.as_str().len(), style, CUT.width());
    }
    rows.swap_remove(0)
}

/// Where something stands.
#[derive(Clone, Copy)]
struct TextPosition {
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
    fn put(&mut self, text: &Safe, style: Style) -> Option<TextPosition> {
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

    /// Adds a word with the spaces behind it: in a new row if it fits there and not in the last one.
    fn put_word(&mut self, pieces: &[Piece<'_>]) {
        let graphemes: Vec<(&Span, Range<usize>, &str)> = pieces
            .iter()
            .flat_map(|(span, part)| {
                let graphemes = span.text.as_str()[part.clone()].grapheme_indices(true);
                let start = part.start;
                graphemes.map(move |(at, grapheme)| {
                    let at = start + at;
                    (*span, at..at + grapheme.len(), grapheme)
                })
            })
            .collect();
        let is_inked = |(_, _, grapheme): &(_, _, &str)| !matches!(*grapheme, " " | "\n");
        let ink = graphemes.iter().rposition(is_inked).map_or(0, |at| at + 1);
        let columns = graphemes[..ink]
            .iter()
            .map(|(_, _, grapheme)| columns::of_grapheme(grapheme))
            .sum::<usize>();
        let is_too_long = self.last().width.saturating_add(columns) > self.width;
        if is_too_long && columns <= self.width - self.indent {
            self.begin();
        }
        for (index, (span, part, grapheme)) in graphemes.into_iter().enumerate() {
            if grapheme == "\n" {
                self.begin();
            } else if index < ink || self.last().width < self.width {
                self.put_grapheme(&span.text, part, span.style);
            }
        }
    }

    /// Whether a command for a shell may be marked where it is divided.
    fn has_room_for_marks(&self) -> bool {
        self.width - self.indent >= MARKED_FROM
    }

    /// Adds a word of a command for a shell. Each row that the command fills ends in a mark, for which every word but
    /// the last leaves room.
    fn put_shell_word(&mut self, pieces: &[Piece<'_>], is_first: bool, is_last: bool) {
        let (width, row) = (self.width, self.done.len() - 1);
        if !is_last {
            self.width -= MARK_COLUMNS;
        }
        let before = self.last().width;
        self.put_word(pieces);
        self.width = width;
        let begins_row = self.done.len() > row + 1 && self.done[row].width == before;
        if begins_row && !is_first {
            self.done[row].push(&GOES_ON, 0..1, Style::Shell, GOES_ON.width());
        }
        if !is_last && !self.last().text().ends_with(' ') {
            self.last().push(&BLANK, 0..1, Style::Shell, BLANK.width());
        }
    }

    fn put_grapheme(&mut self, source: &Safe, part: Range<usize>, style: Style) -> TextPosition {
        let needs = columns::of_grapheme(&source.as_str()[part.clone()]);
        if needs > self.width - self.indent {
            let stand_in = 0..TOO_WIDE.as_str().len();
            return self.place(&TOO_WIDE, stand_in, style, TOO_WIDE.width());
        }
        self.place(source, part, style, needs)
    }

    fn place(
        &mut self,
        source: &Safe,
        part: Range<usize>,
        style: Style,
        needs: usize,
    ) -> TextPosition {
        let place = self.make_room(needs);
        self.last().push(source, part, style, needs);
        place
    }

    /// Begins a row if the last one has no room for so many columns; where they will stand.
    fn make_room(&mut self, needs: usize) -> TextPosition {
        if self.last().width + needs > self.width {
            self.begin();
        }
        let row = self.done.len() - 1;
        let last = self.last();
        TextPosition {
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
