//! Finding the prompt again after the terminal has changed its size.
//!
//! Nothing is painted until the terminal has said where its cursor is. One that does not answer in
//! time loses nothing: then the prompt is cleared from the cursor's row downwards only, and what of it
//! stands above stays there.

use std::collections::VecDeque;
use std::io::{self, Write};

use termion::clear;

use super::reflow::{self, ReflowKind, Widths};
use super::{Painter, write};
use crate::render::view::{PromptRows, Row};
use crate::terminal::{Position, TerminalReply};

/// Asks which device it is.
const DEVICE: &str = "\x1b[>c";
/// Asks where the cursor is.
const CURSOR: &str = "\x1b[6n";
/// Asks how wide the screen is, by the cursor's place in its last column. A multiplexer tells its
/// programs a new size some time after it has changed.
const WIDTH: &str = "\x1b7\x1b[999C\x1b[6n\x1b8";
/// A terminal that was silent so often is not asked again.
const SILENT_MAX: u8 = 2;

/// GNU screen and tmux, by their secondary DA.
const MULTIPLEXERS: [u16; 2] = [83, 84];
/// Missing replies of the terminal from which on it is not asked any more.
const OWED_MAX: usize = 64;

/// What is known about the terminal at hand.
#[derive(Debug, Default)]
pub(super) struct Seek {
    /// The search under way; nothing is painted until it ends.
    search: Option<CursorSearch>,
    /// Counts the searches, so that an answer that comes late is told from one to a later question.
    searches: u64,
    /// What was asked and is not answered yet. Answers come in the order of the questions.
    owed: VecDeque<TerminalQuery>,
    /// Whether an answer came since the search began.
    heard: bool,
    /// Whether the terminal has ever answered.
    answers: bool,
    /// The fewest columns since the prompt was painted.
    narrowest: usize,
    widths: Widths,
    /// What it was seen to do.
    seen: Option<ReflowKind>,
    /// What it does by its own account.
    told: Option<ReflowKind>,
    /// What it is by its own account (the first number of its secondary DA).
    device: Option<u16>,
    has_asked: bool,
    /// How often it did not answer.
    silent: u8,
}

/// A search for the cursor.
#[derive(Debug)]
struct CursorSearch {
    number: u64,
    /// Where it is; the width is still to come.
    place: Option<Position>,
}

/// What the terminal answers with a position of its cursor.
#[derive(Debug, PartialEq, Eq)]
enum TerminalQuery {
    /// How wide this sequence is: the cursor stands behind it.
    Width(String),
    /// Where the cursor is, in this search.
    Place(u64),
    /// How wide the screen is, in this search: the cursor stands in the last column.
    Size(u64),
}

impl Seek {
    /// The prompt was painted on a terminal of so many columns.
    pub(super) fn painted(&mut self, cols: usize) {
        self.narrowest = cols;
    }

    /// No reply is missing any more.
    pub(super) fn forget(&mut self) {
        self.owed.clear();
    }
}

impl<W: Write> Painter<W> {
    /// Whether an answer of the terminal is waited for. Nothing may be painted before it, or before
    /// [`Painter::give_up`].
    pub fn is_seeking(&self) -> bool {
        self.seek.search.is_some()
    }

    /// The terminal has another size now. [`Painter::locate`] comes before anything is painted, and the
    /// prompt, laid out for the new width, with it.
    pub fn resize(&mut self, cols: usize, rows: usize) {
        self.stale = true;
        (self.cols, self.rows) = (cols, rows);
        self.seek.narrowest = self.seek.narrowest.min(cols);
        // What is still answered was asked before.
        self.seek.search = None;
    }

    /// Whether the prompt reaches above the cursor's row and the terminal may have moved it without a
    /// word yet, as a multiplexer does: then [`Painter::locate`] comes before [`Painter::print`].
    pub fn should_locate(&self) -> bool {
        self.above.is_some_and(|above| above > 0) && self.seek.silent < SILENT_MAX
    }

    /// Whether the terminal may tell a size long after it has changed, as multiplexers do: tmux waits up
    /// to a quarter of a second. One that has not said what it is may be one.
    pub fn tells_late(&self) -> bool {
        self.seek
            .device
            .is_none_or(|device| MULTIPLEXERS.contains(&device))
    }

    /// Whether the terminal has ever answered a question, so that it will.
    pub fn has_answers(&self) -> bool {
        self.seek.answers
    }

    /// Asks where the cursor is, if the prompt may have more than one row.
    ///
    /// # Errors
    /// The question cannot be written.
    pub fn locate(&mut self) -> io::Result<()> {
        let Some(prompt) = self.prompt.as_ref().filter(|_| self.above.is_some()) else {
            return Ok(());
        };
        if !self.look.redraw {
            return Ok(());
        }
        let is_alone = self.residue.is_empty();
        let is_one_row = is_alone && reflow::is_one_row(prompt, self.seek.narrowest);
        if is_one_row || self.seek.silent >= SILENT_MAX {
            self.found(0);
            return self.send();
        }
        if !std::mem::replace(&mut self.seek.has_asked, true) {
            write::put(&mut self.buffer, DEVICE);
        }
        self.seek.searches += 1;
        let number = self.seek.searches;
        self.seek.search = Some(CursorSearch {
            number,
            place: None,
        });
        self.seek.heard = false;
        self.seek.owed.push_back(TerminalQuery::Place(number));
        self.seek.owed.push_back(TerminalQuery::Size(number));
        write::put(&mut self.buffer, CURSOR);
        write::put(&mut self.buffer, WIDTH);
        self.send()
    }

    /// Takes an answer. One that was not asked for, or comes late, changes nothing.
    pub fn reply(&mut self, reply: TerminalReply) {
        let position = match reply {
            TerminalReply::Device(number) => {
                self.seek.device = Some(number);
                self.seek.told = ReflowKind::of_device(number);
                return;
            }
            TerminalReply::Cursor(position) => position,
        };
        (self.seek.heard, self.seek.answers, self.seek.silent) = (true, true, 0);
        let question = self.seek.owed.pop_front();
        if let Some(TerminalQuery::Width(grapheme)) = question {
            return self
                .seek
                .widths
                .learn(grapheme, position.col.saturating_sub(1));
        }
        let Some(search) = &mut self.seek.search else {
            return;
        };
        match question {
            Some(TerminalQuery::Place(number)) if number == search.number => {
                search.place = Some(position);
            }
            Some(TerminalQuery::Size(number)) if number == search.number => {
                let place = search.place;
                self.stale |= self.cols != position.col;
                self.cols = position.col;
                self.seek.narrowest = self.seek.narrowest.min(self.cols);
                if let Some(place) = place {
                    self.decide(place);
                }
            }
            _ => {}
        }
    }

    /// The time for an answer is over.
    pub fn late(&mut self) {
        if self.is_seeking() {
            self.seek.silent = self.seek.silent.saturating_add(1);
            if self.seek.heard {
                // The terminal does reply, so a reply was lost: how many are missing is not known.
                self.seek.owed.clear();
            }
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

    /// It is not known where the prompt begins, and is not asked either.
    pub fn lose(&mut self) {
        self.found(0);
    }

    fn found(&mut self, above: usize) {
        self.seek.search = None;
        self.above = self.above.map(|_| above);
        self.residue.forget();
        self.plan = None;
    }

    /// Measures the sequences of a prompt that terminals disagree on, once each: they are written in the
    /// empty row that the prompt is about to begin in, and the cursor's column tells their width.
    pub(super) fn measure(&mut self, prompt: &PromptRows) {
        if self.seek.silent >= SILENT_MAX {
            return;
        }
        let room = OWED_MAX.saturating_sub(self.seek.owed.len());
        let mut unknown = self.seek.widths.unknown(prompt, self.cols);
        unknown.retain(|grapheme| {
            let asked = |question: &TerminalQuery| matches!(question, TerminalQuery::Width(asked) if asked == grapheme);
            !self.seek.owed.iter().any(asked)
        });
        unknown.truncate(room);
        if unknown.is_empty() {
            return;
        }
        for grapheme in unknown {
            write::put(&mut self.buffer, '\r');
            write::text(&mut self.buffer, &grapheme, self.look);
            write::put(&mut self.buffer, CURSOR);
            self.seek.owed.push_back(TerminalQuery::Width(grapheme));
        }
        write::put(&mut self.buffer, '\r');
        write::put(&mut self.buffer, clear::UntilNewline);
    }

    fn decide(&mut self, position: Position) {
        let Some(prompt) = &self.prompt else {
            return self.found(0);
        };
        let known = self.seek.told.or(self.seek.seen);
        let sizes = (self.cols, self.seek.narrowest);
        let found = reflow::rows_above(prompt, sizes, position, &self.seek.widths, known);
        self.seek.seen = found.shown.or(self.seek.seen);
        // What has left the screen at its top is out of reach.
        let reach = position.row.saturating_sub(1);
        let Some(kind) = found.kind else {
            return self.found(found.above.min(reach));
        };
        let (cols, widths) = (self.cols, &self.seek.widths);
        let height = |row: &Row| reflow::height(row, kind, cols, widths);
        let rows = &prompt.rows[..prompt.cursor_row];
        let heights: Option<usize> = rows.iter().map(height).sum();
        let Some(within) = heights.and_then(|rows| found.above.checked_sub(rows)) else {
            return self.found(found.above.min(reach));
        };
        let mut left = self.residue.clone();
        let plan = left.plan(rows, within, reach, height);
        self.seek.search = None;
        self.above = self.above.map(|_| plan.above);
        // The window may change again before anything is erased: then this counts for nothing.
        self.plan = Some((plan, left));
    }
}
