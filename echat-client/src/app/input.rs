//! Lines of input that are not taken yet, how the input ended, and what a script's exit code says of it.

use std::collections::VecDeque;

use super::common::Common;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::text::Text;

/// Lines that are kept before no more are read.
const LINES_MAX: usize = 1_000;
/// Bytes of these lines; one more line may exceed it.
const BYTES_MAX: usize = 1 << 20;

/// How the input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputEnd {
    /// There is no more, or a line asked to leave.
    Closed,
    /// The line with this number, counted from 1, is no text.
    NotText(u64),
    /// The line with this number, counted from 1, is longer than a line may be.
    LineTooLong(u64),
    /// The input is UTF-16.
    Utf16,
}

/// Lines of input, first in, first out. They wait for the login; without a terminal, for every answer
/// to the lines before them.
#[derive(Debug, Default)]
pub(super) struct InputQueue {
    lines: VecDeque<Secret>,
    /// Bytes of the lines.
    bytes: usize,
    taken: u64,
    end: Option<InputEnd>,
}

impl InputQueue {
    /// Adds a line of a script; a line after the end of input is dropped.
    pub(super) fn push(&mut self, line: Secret) {
        if self.end.is_none() {
            self.bytes += line.len();
            self.lines.push_back(line);
        }
    }

    /// Whether there is room for one more line.
    pub(super) fn has_room(&self) -> bool {
        self.lines.len() < LINES_MAX && self.bytes < BYTES_MAX
    }

    /// Takes the oldest line.
    pub(super) fn take(&mut self) -> Option<Secret> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.len();
        self.taken += 1;
        Some(line)
    }

    /// The number of the newest line that was taken, counted from 1.
    pub(super) fn line_number(&self) -> u64 {
        self.taken
    }

    /// Whether no line is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Drops the lines that were not taken, and says how many they were.
    pub(super) fn clear(&mut self) -> u64 {
        let count = self.lines.len() as u64;
        self.lines.clear();
        self.bytes = 0;
        count
    }

    /// Drops the lines that were typed before a login that failed.
    pub(super) fn drop_held(&mut self, common: &mut Common) {
        if common.is_interactive() && !self.is_empty() {
            let count = self.clear();
            common.fail(Text::HeldDropped { count });
        }
    }

    /// Drops the lines of a script that the end leaves behind. A line that is wrong itself says so already.
    pub(super) fn drop_script(&mut self, common: &mut Common, exit: Exit) {
        let line = self.line_number() + 1;
        let count = self.clear();
        if count > 0 && !common.is_interactive() && exit != Exit::Usage {
            common.fail(Text::NotCarriedOut { line, count });
        }
    }

    /// Ends the input. The first end counts.
    pub(super) fn finish(&mut self, end: InputEnd) {
        self.end.get_or_insert(end);
    }

    /// How the input ended, if it has.
    pub(super) fn end(&self) -> Option<InputEnd> {
        self.end
    }
}

/// The worst that happened in a session, for the exit code of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WorstOutcome {
    /// Everything was done.
    #[default]
    Done,
    /// A line could not be understood.
    Mistaken,
    /// The server refused something.
    Refused,
    /// The connection was lost before something was done.
    Lost,
    /// A local file could not be written.
    LocalFailure,
}

impl WorstOutcome {
    /// Records an outcome: the worse of both stays.
    pub(super) fn record(&mut self, other: Self) {
        *self = (*self).max(other);
    }

    /// The exit code.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Done => Exit::Success,
            Self::Mistaken => Exit::Usage,
            Self::Refused => Exit::Refused,
            Self::Lost => Exit::Protocol,
            Self::LocalFailure => Exit::Local,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Secret {
        Secret::from(text)
    }

    #[test]
    fn lines_after_the_end_are_dropped() {
        let mut input = InputQueue::default();
        input.push(line("one"));
        input.finish(InputEnd::NotText(2));
        input.push(line("three"));
        input.finish(InputEnd::Closed);
        assert_eq!(input.end(), Some(InputEnd::NotText(2)));
        assert_eq!(input.take(), Some(line("one")));
        assert_eq!(input.line_number(), 1);
        assert_eq!((input.take(), input.line_number()), (None, 1));
    }

    #[test]
    fn lines_and_their_bytes_are_bounded() {
        let mut input = InputQueue::default();
        for _ in 0..LINES_MAX {
            assert!(input.has_room());
            input.push(line("a"));
        }
        assert!(!input.has_room());
        assert_eq!(input.clear(), LINES_MAX as u64);
        assert!(input.has_room());
        input.push(line(&"a".repeat(BYTES_MAX)));
        assert!(!input.has_room());
        input.take();
        assert!(input.has_room());
    }

    #[test]
    fn the_worst_failure_decides_the_exit_code() {
        let mut verdict = WorstOutcome::default();
        assert_eq!(verdict.exit(), Exit::Success);
        verdict.record(WorstOutcome::Refused);
        verdict.record(WorstOutcome::Mistaken);
        assert_eq!(verdict.exit(), Exit::Refused);
    }
}
