//! Finding the prompt again after the terminal has changed its size.
//!
//! Nothing is painted until the terminal has said where its cursor is. One that does not answer in
//! time loses nothing: then the prompt is cleared from the cursor's row downwards only, and what of it
//! stands above stays there.

use std::collections::VecDeque;
use std::io::{self, Write};

use termion::clear;

use super::reflow::{self, Kind, Widths};
use super::{Painter, write};
use crate::terminal::{Position, Reply};

/// Asks which device it is.
const DEVICE: &str = "\x1b[>c";
/// Asks where the cursor is.
const CURSOR: &str = "\x1b[6n";
/// Asks how wide the screen is, by the cursor's place in its last column. A multiplexer tells its
/// programs a new size some time after it has changed.
const WIDTH: &str = "\x1b7\x1b[999C\x1b[6n\x1b8";
/// A terminal that was silent so often is not asked again.
const SILENT_MAX: u8 = 2;

/// What is known about the terminal at hand.
#[derive(Debug, Default)]
pub(super) struct Seek {
    stage: Stage,
    /// Answers that are still to come.
    owed: usize,
    /// The fewest columns since the prompt was painted.
    narrowest: usize,
    widths: Widths,
    /// What it was seen to do.
    seen: Option<Kind>,
    /// What it does by its own account.
    told: Option<Kind>,
    has_asked: bool,
    /// How often it did not answer.
    silent: u8,
}

#[derive(Debug, Default)]
enum Stage {
    /// Nothing is looked for.
    #[default]
    Found,
    /// The cursor's place and the width were asked for.
    Asked,
    /// The place is there, the width is to come.
    Placed(Position),
    /// It is there; these sequences are being measured.
    Measuring(Position, VecDeque<String>),
}

impl Seek {
    /// The prompt was painted on a terminal of so many columns.
    pub(super) fn painted(&mut self, cols: usize) {
        self.narrowest = cols;
    }
}

impl<W: Write> Painter<W> {
    /// Whether an answer of the terminal is waited for. Nothing may be painted before it, or before
    /// [`Painter::give_up`].
    pub fn is_seeking(&self) -> bool {
        !matches!(self.seek.stage, Stage::Found)
    }

    /// The terminal has another size now. Nothing is painted until the prompt, laid out for the new
    /// width, comes.
    ///
    /// # Errors
    /// The question cannot be written.
    pub fn resize(&mut self, cols: usize, rows: usize) -> io::Result<()> {
        self.stale = true;
        (self.cols, self.rows) = (cols, rows);
        self.seek.narrowest = self.seek.narrowest.min(cols);
        let Some(prompt) = self.prompt.as_ref().filter(|_| self.above.is_some()) else {
            return Ok(());
        };
        if !self.look.redraw {
            return Ok(());
        }
        // What was cleared to measure it has moved; and where there is one row, it is the cursor's.
        let is_lost = matches!(self.seek.stage, Stage::Measuring(..));
        let is_one_row = reflow::is_one_row(prompt, self.seek.narrowest);
        if is_lost || is_one_row || self.seek.silent >= SILENT_MAX {
            self.found(0);
        } else {
            if !std::mem::replace(&mut self.seek.has_asked, true) {
                write::put(&mut self.buffer, DEVICE);
            }
            self.seek.stage = Stage::Asked;
            self.seek.owed += 2;
            write::put(&mut self.buffer, CURSOR);
            write::put(&mut self.buffer, WIDTH);
        }
        self.send()
    }

    /// Takes an answer. One that was not asked for, or comes late, changes nothing.
    ///
    /// # Errors
    /// A further question cannot be written.
    pub fn reply(&mut self, reply: Reply) -> io::Result<()> {
        match reply {
            Reply::Device(number) => self.seek.told = Kind::of_device(number),
            Reply::Cursor(position) => {
                self.seek.silent = 0;
                self.seek.owed = self.seek.owed.saturating_sub(1);
                match std::mem::take(&mut self.seek.stage) {
                    Stage::Found => {}
                    Stage::Asked if self.seek.owed == 1 => {
                        self.seek.stage = Stage::Placed(position);
                    }
                    // The answer to a question before the last change.
                    Stage::Asked => self.seek.stage = Stage::Asked,
                    Stage::Placed(cursor) => {
                        self.cols = position.col;
                        self.seek.narrowest = self.seek.narrowest.min(self.cols);
                        self.located(cursor);
                    }
                    Stage::Measuring(cursor, rest) => self.measured(cursor, rest, position),
                }
            }
        }
        self.send()
    }

    /// The time for an answer is over.
    pub fn late(&mut self) {
        if self.is_seeking() {
            self.seek.silent = self.seek.silent.saturating_add(1);
            self.found(0);
        }
    }

    /// Waits for no answer any longer. What is cleared next is what stands from the cursor's row on,
    /// not above it.
    pub fn give_up(&mut self) {
        if self.is_seeking() {
            self.found(0);
        }
    }

    fn found(&mut self, above: usize) {
        self.seek.stage = Stage::Found;
        self.seek.owed = 0;
        self.above = self.above.map(|_| above);
    }

    /// The cursor's place is known. Where it depends on sequences that terminals disagree on, these are
    /// written in the cursor's row, which is the prompt's, and the cursor's column tells their width.
    fn located(&mut self, position: Position) {
        let Some(prompt) = &self.prompt else {
            return self.found(0);
        };
        let unknown = self.seek.widths.unknown(prompt, self.cols);
        if unknown.is_empty() {
            return self.decide(position);
        }
        write::put(&mut self.buffer, '\r');
        write::put(&mut self.buffer, clear::AfterCursor);
        for grapheme in &unknown {
            write::put(&mut self.buffer, '\r');
            write::text(&mut self.buffer, grapheme, self.look);
            write::put(&mut self.buffer, CURSOR);
        }
        self.seek.owed = unknown.len();
        write::put(&mut self.buffer, '\r');
        write::put(&mut self.buffer, clear::UntilNewline);
        self.seek.stage = Stage::Measuring(position, unknown.into());
    }

    fn measured(&mut self, cursor: Position, mut rest: VecDeque<String>, position: Position) {
        if let Some(grapheme) = rest.pop_front() {
            let columns = position.col.saturating_sub(1);
            self.seek.widths.learn(grapheme, columns);
        }
        if rest.is_empty() {
            self.decide(cursor);
        } else {
            self.seek.stage = Stage::Measuring(cursor, rest);
        }
    }

    fn decide(&mut self, position: Position) {
        let Some(prompt) = &self.prompt else {
            return self.found(0);
        };
        let known = self.seek.told.or(self.seek.seen);
        let sizes = (self.cols, self.seek.narrowest);
        let (above, shown) = reflow::rows_above(prompt, sizes, position, &self.seek.widths, known);
        self.seek.seen = shown.or(self.seek.seen);
        // What has left the screen at its top is out of reach.
        self.found(above.min(position.row.saturating_sub(1)));
    }
}
