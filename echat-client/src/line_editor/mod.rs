//! The line that is being typed: keys in, an edited or submitted line out. It sees no terminal
//! and no escape bytes.
//!
//! Emacs keys, as shells have them. The cursor moves and deletes by what a person calls a
//! character (a grapheme), so that Chinese, combining marks, emoji and flags stay whole.

mod buffer;
mod chords;
mod completion;
mod history;
mod key;
mod paste;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use zeroize::Zeroize;

use crate::secret::Secret;

pub use completion::Completer;
pub use key::Key;

use buffer::{Buffer, Motion};
use history::History;
use paste::PastedText;
use undo::Undo;

/// The longest line, in bytes.
pub const LINE_MAX: usize = 64 << 10;
/// The largest paste, in bytes; what is beyond is left out before it comes here.
pub const PASTE_MAX: usize = 1 << 20;
/// The longest line that may be a password, in bytes: so much more than a password may have that one
/// which was cut off here is still too long, in every normal form.
pub const MASKED_MAX: usize = 4 << 10;

/// What a key did, or asks of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// Nothing.
    None,
    /// The line or the cursor changed.
    Redraw,
    /// The line was sent off; the editor is empty again.
    Submit(Secret),
    /// Tab: complete the word at the cursor.
    Complete,
    /// Shift-Tab: one completion back.
    CompletePrevious,
    /// Several lines were pasted, or one that is too long for the line. The line is as it was.
    PasteOfLines(Vec<String>),
    /// Ctrl-L: clear the screen.
    ClearScreen,
    /// Ctrl-D on an empty line.
    EndOfInput,
    /// Ctrl-C. The line is as it was; [`LineEditor::clear`] empties it.
    Interrupt,
}

/// A line under edit, with a history for each purpose it is used for.
#[derive(Default)]
pub struct LineEditor {
    buffer: Buffer,
    undo: Undo,
    killed: String,
    /// Whether the last key killed, so that the next kill adds to it.
    killing: bool,
    masked: bool,
    bucket: &'static str,
    histories: BTreeMap<&'static str, History>,
}

/// Nothing of what was typed: it may be a password.
impl fmt::Debug for LineEditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LineEditor");
        shown.field("masked", &self.masked).finish_non_exhaustive()
    }
}

impl LineEditor {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been typed.
    pub fn text(&self) -> &str {
        self.buffer.text()
    }

    /// Where the cursor stands: a byte index at a grapheme boundary.
    pub fn cursor(&self) -> usize {
        self.buffer.cursor()
    }

    /// Replaces the line, as after a question that interrupted it. Newlines and tabs stay; other
    /// control characters, which no key types, become U+FFFD; what is over [`LINE_MAX`] is cut.
    pub fn set(&mut self, text: &str, cursor: usize) {
        self.remember();
        self.buffer
            .set(&paste::typeable(text), cursor, self.limit());
        self.settle();
    }

    /// Puts `text` in the place of a part of the line, with the cursor behind it: a completion.
    /// A range that is not one of this line's does nothing.
    pub fn replace(&mut self, range: Range<usize>, text: &str) -> KeyOutcome {
        self.remember();
        let text = paste::typeable(text);
        let changed = self.buffer.replace(range, &text, self.limit());
        self.settle();
        redraw_if(changed)
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.remember();
        self.buffer.wipe();
        self.settle();
    }

    /// Forgets a text: the lines of the histories that `sends` it says send it, and what undo and Ctrl-Y keep of it. If
    /// such a line stands in the editor because it was recalled, what was typed before comes back.
    pub fn forget_text(&mut self, text: &str, sends: impl Fn(&str) -> bool) {
        for history in self.histories.values_mut() {
            if let Some((line, cursor)) = history.forget(&sends) {
                self.buffer.set(&line, cursor, LINE_MAX);
            }
        }
        self.undo.forget_text(text);
        if self.killed.contains(text) {
            self.killed.zeroize();
        }
    }

    /// Begins or ends the entry of a password, with an empty line: nothing of it is kept in a
    /// history, for Ctrl-Y or for undo, and its memory is wiped.
    pub fn masked(&mut self, masked: bool) {
        if masked != self.masked {
            self.buffer.wipe();
            self.undo.forget();
            self.masked = masked;
            self.settle();
        }
        if masked {
            // A buffer that never grows leaves no copies behind.
            self.buffer.reserve(MASKED_MAX);
        }
    }

    /// Whether a password is being entered.
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// Chooses the history that lines are added to and Up and Ctrl-R look in.
    pub fn use_history(&mut self, bucket: &'static str) {
        if bucket != self.bucket {
            self.settle();
            self.bucket = bucket;
        }
    }

    /// What is being searched for with Ctrl-R; `None` while nothing is.
    pub fn search(&self) -> Option<&str> {
        self.histories.get(self.bucket).and_then(History::query)
    }

    /// Whether no line of the history holds what is being searched for.
    pub fn is_search_failed(&self) -> bool {
        self.histories
            .get(self.bucket)
            .is_some_and(History::is_search_failed)
    }

    /// Takes one key.
    pub fn handle(&mut self, key: Key) -> KeyOutcome {
        if self.search().is_some() {
            return self.handle_in_search(key);
        }
        let killing = std::mem::take(&mut self.killing);
        if let Some(motion) = chords::motion(&key) {
            self.undo.pause();
            return redraw_if(self.buffer.go(motion));
        }
        if let Some(motion) = chords::kill(&key) {
            return self.kill(motion, killing);
        }
        match key {
            Key::Enter => self.submit(),
            // Alt-Enter. A password has one line.
            Key::Alt('\r') if !self.masked => self.insert("\n"),
            Key::Paste(text) => self.paste(&text),
            Key::Char(c) if !c.is_control() => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Ctrl('d') if self.text().is_empty() => KeyOutcome::EndOfInput,
            Key::Delete | Key::Ctrl('d') => self.delete(Motion::Right),
            Key::Backspace | Key::Ctrl('h') => self.delete(Motion::Left),
            Key::Ctrl('t') => self.edit(Buffer::transpose),
            Key::Ctrl('y') => {
                let killed = self.killed.clone();
                self.insert(&killed)
            }
            Key::Ctrl('_') => self.undo(),
            Key::Tab if !self.masked => KeyOutcome::Complete,
            Key::BackTab if !self.masked => KeyOutcome::CompletePrevious,
            Key::Up | Key::Ctrl('p') => self.recall(History::older),
            Key::Down | Key::Ctrl('n') => self.recall(History::newer),
            Key::Ctrl('r') if !self.masked => self.start_search(),
            Key::Ctrl('l') => KeyOutcome::ClearScreen,
            Key::Ctrl('c') => KeyOutcome::Interrupt,
            _ => KeyOutcome::None,
        }
    }

    fn submit(&mut self) -> KeyOutcome {
        let line = self.buffer.take();
        self.settle();
        if self.masked {
            self.buffer.reserve(MASKED_MAX);
        } else {
            self.history().add(&line);
        }
        self.undo.forget();
        KeyOutcome::Submit(line.into())
    }

    fn paste(&mut self, text: &str) -> KeyOutcome {
        if self.masked {
            return self.insert_masked(&paste::first_line(text));
        }
        match paste::sort(text) {
            PastedText::Nothing => KeyOutcome::None,
            PastedText::Line(line) => match self.insert(&line) {
                KeyOutcome::None => KeyOutcome::PasteOfLines(vec![line]),
                outcome => outcome,
            },
            PastedText::Lines(lines) => KeyOutcome::PasteOfLines(lines),
        }
    }

    /// Inserts all of `text`, or nothing if the line would be too long.
    fn insert(&mut self, text: &str) -> KeyOutcome {
        if text.is_empty() || self.text().len() + text.len() > self.limit() {
            return KeyOutcome::None;
        }
        if !self.masked {
            self.undo.insert(self.buffer.snapshot(), text);
        }
        self.buffer.insert(text);
        self.settle();
        KeyOutcome::Redraw
    }

    /// Inserts what there is room for: a line that is full is too long for a password, and refused.
    fn insert_masked(&mut self, text: &str) -> KeyOutcome {
        let room = self.limit().saturating_sub(self.text().len());
        self.insert(&text[..text.floor_char_boundary(room)])
    }

    fn edit(&mut self, change: impl FnOnce(&mut Buffer) -> bool) -> KeyOutcome {
        self.remember();
        let changed = change(&mut self.buffer);
        self.settle();
        redraw_if(changed)
    }

    fn delete(&mut self, motion: Motion) -> KeyOutcome {
        self.edit(|buffer| !buffer.cut(motion).1.is_empty())
    }

    fn kill(&mut self, motion: Motion, again: bool) -> KeyOutcome {
        self.remember();
        let (backwards, text) = self.buffer.cut(motion);
        self.settle();
        if self.masked {
            // Dropping a Zeroizing wipes it.
            return redraw_if(!text.is_empty());
        }
        self.killing = true;
        if text.is_empty() {
            return KeyOutcome::None;
        }
        if !again {
            self.killed.clear();
        }
        let at = if backwards { 0 } else { self.killed.len() };
        self.killed.insert_str(at, &text);
        KeyOutcome::Redraw
    }

    fn undo(&mut self) -> KeyOutcome {
        let Some((text, cursor)) = self.undo.back() else {
            return KeyOutcome::None;
        };
        self.settle();
        let left = self.buffer.text().to_owned();
        self.history().undone(&text, left);
        self.buffer.set(&text, cursor, LINE_MAX);
        KeyOutcome::Redraw
    }

    /// Shows another line. Undo brings back the one that was typed, even after the other one is edited.
    fn recall(&mut self, step: impl FnOnce(&mut History, &str) -> Option<String>) -> KeyOutcome {
        if self.masked {
            return KeyOutcome::None;
        }
        let before = self.buffer.snapshot();
        let was_typed = !self.history().is_walking();
        let Some(line) = step(self.history(), &before.0) else {
            return KeyOutcome::None;
        };
        if was_typed {
            self.undo.change(before);
        }
        self.buffer.set(&line, line.len(), LINE_MAX);
        KeyOutcome::Redraw
    }

    fn start_search(&mut self) -> KeyOutcome {
        let snapshot = self.buffer.snapshot();
        self.history().start_search(snapshot);
        KeyOutcome::Redraw
    }

    fn handle_in_search(&mut self, key: Key) -> KeyOutcome {
        let history = self.histories.entry(self.bucket).or_default();
        let found = match key {
            Key::Char(c) if !c.is_control() => history.narrow(c),
            Key::Backspace | Key::Ctrl('h') => history.widen(),
            Key::Ctrl('r') => history.search_older(),
            Key::Ctrl('s') => history.search_newer(),
            Key::Ctrl('g' | 'c') | Key::Esc => history.cancel_search(),
            // There is nothing to send.
            Key::Enter if history.is_search_failed() => return KeyOutcome::None,
            // A report of the terminal's, or a key of no use, ends nothing.
            Key::Unknown => return KeyOutcome::None,
            other => {
                if let Some(before) = history.end_search() {
                    self.undo.change(before);
                }
                return match self.handle(other) {
                    KeyOutcome::None => KeyOutcome::Redraw,
                    outcome => outcome,
                };
            }
        };
        if let Some((line, cursor)) = found {
            self.buffer.set(&line, cursor, LINE_MAX);
        }
        KeyOutcome::Redraw
    }

    fn history(&mut self) -> &mut History {
        self.histories.entry(self.bucket).or_default()
    }

    /// Keeps the line for undo, before it changes.
    fn remember(&mut self) {
        if !self.masked {
            self.undo.change(self.buffer.snapshot());
        }
    }

    /// After an edit: the line is no longer one from the history, and no search is on.
    fn settle(&mut self) {
        self.killing = false;
        if let Some(history) = self.histories.get_mut(self.bucket) {
            history.settle();
        }
    }

    fn limit(&self) -> usize {
        if self.masked { MASKED_MAX } else { LINE_MAX }
    }
}

fn redraw_if(changed: bool) -> KeyOutcome {
    if changed {
        KeyOutcome::Redraw
    } else {
        KeyOutcome::None
    }
}
