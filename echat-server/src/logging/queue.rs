//! A bounded queue of lines for standard error or the log file. Adding never waits: lines without room are dropped and
//! counted. One thread takes them.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most lines in the queue.
const LINES: usize = 1_000;
/// The most bytes in the queue; a longer text is dropped.
const BYTES: usize = 256 * 1024;

/// A bounded queue of whole lines.
pub(super) struct LogQueue {
    state: Mutex<QueueState>,
    /// Signals that there is an entry.
    filled: Condvar,
    /// Signals that the last entry is written.
    written: Condvar,
}

struct QueueState {
    entries: VecDeque<LogItem>,
    lines: usize,
    bytes: usize,
    /// Lines dropped since the last entry.
    dropped: u64,
    /// Whether an entry that was taken is still being written.
    writing: bool,
}

/// The next entry for the writer.
#[derive(Debug)]
pub(super) enum LogItem {
    /// One or more whole lines.
    Text(Vec<u8>),
    /// This many lines are missing at this place.
    Dropped(u64),
    /// Further lines go to this file.
    GoOnIn(File),
}

impl LogQueue {
    pub(super) const fn new() -> Self {
        Self {
            state: Mutex::new(QueueState {
                entries: VecDeque::new(),
                lines: 0,
                bytes: 0,
                dropped: 0,
                writing: false,
            }),
            filled: Condvar::new(),
            written: Condvar::new(),
        }
    }

    /// Adds whole lines, or drops them if there is no room. After a drop the queue accepts lines again when it is half
    /// empty, so that a slow reader receives long runs of lines with few gaps.
    pub(super) fn push(&self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.dropped > 0 && state.is_half_empty() {
            let gap = LogItem::Dropped(std::mem::take(&mut state.dropped));
            state.entries.push_back(gap);
        }
        if state.dropped > 0 || !state.has_room_for(text) {
            state.dropped += lines(text) as u64;
        } else {
            state.lines += lines(text);
            state.bytes += text.len();
            state.entries.push_back(LogItem::Text(text.to_vec()));
        }
        self.filled.notify_one();
    }

    /// Has the lines behind those in the queue written to another file. Of two files without a line between, the second
    /// is meant.
    pub(super) fn continue_in(&self, file: File) {
        let mut state = self.lock();
        match state.entries.back_mut() {
            Some(LogItem::GoOnIn(last)) => *last = file,
            _ => state.entries.push_back(LogItem::GoOnIn(file)),
        }
        self.filled.notify_one();
    }

    /// Waits for the next entry. The previous one then counts as written.
    pub(super) fn take(&self) -> LogItem {
        let mut state = self.lock();
        state.writing = false;
        self.written.notify_all();
        let mut state = self
            .filled
            .wait_while(state, |state| state.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.writing = true;
        match state.entries.pop_front() {
            Some(LogItem::Text(text)) => {
                state.lines -= lines(&text);
                state.bytes -= text.len();
                LogItem::Text(text)
            }
            Some(other) => other,
            None => LogItem::Dropped(std::mem::take(&mut state.dropped)),
        }
    }

    /// Waits until all entries are written, but not longer than `patience`.
    pub(super) fn wait_until_written(&self, patience: Duration) {
        let unwritten = |state: &mut QueueState| state.writing || !state.is_empty();
        // A time-out is no error: the process ends either way.
        let _ = self
            .written
            .wait_timeout_while(self.lock(), patience, unwritten);
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // A panic in another thread leaves no partial entry.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped == 0
    }

    fn is_half_empty(&self) -> bool {
        self.lines <= LINES / 2 && self.bytes <= BYTES / 2
    }

    fn has_room_for(&self, text: &[u8]) -> bool {
        self.lines + lines(text) <= LINES && self.bytes + text.len() <= BYTES
    }
}

/// The number of lines in a text.
pub(super) fn lines(text: &[u8]) -> usize {
    text.split_inclusive(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    impl PartialEq for LogItem {
        fn eq(&self, other: &Self) -> bool {
            match (self, other) {
                (Self::Text(text), Self::Text(other)) => text == other,
                (Self::Dropped(count), Self::Dropped(other)) => count == other,
                _ => false,
            }
        }
    }

    fn text(bytes: &str) -> LogItem {
        LogItem::Text(bytes.into())
    }

    #[test]
    fn lines_come_out_in_order_and_a_gap_stands_where_lines_are_missing() {
        let queue = LogQueue::new();
        for n in 0..LINES + 7 {
            queue.push(format!("{n}\n").as_bytes());
        }
        for n in 0..LINES / 2 {
            assert_eq!(queue.take(), text(&format!("{n}\n")));
        }
        queue.push(b"later\n");
        for n in LINES / 2..LINES {
            assert_eq!(queue.take(), text(&format!("{n}\n")));
        }
        assert_eq!(queue.take(), LogItem::Dropped(7));
        assert_eq!(queue.take(), text("later\n"));
    }

    #[test]
    fn a_gap_at_the_end_is_reported_after_the_last_line() {
        let queue = LogQueue::new();
        for _ in 0..=LINES {
            queue.push(b"two\nlines\n");
        }
        for _ in 0..LINES / 2 {
            assert_eq!(queue.take(), text("two\nlines\n"));
        }
        assert_eq!(queue.take(), LogItem::Dropped(LINES as u64 + 2));
        queue.push(b"again\n");
        assert_eq!(queue.take(), text("again\n"));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let queue = LogQueue::new();
        queue.push(&vec![b'x'; BYTES + 1]);
        let quarter = vec![b'x'; BYTES / 4];
        for _ in 0..6 {
            queue.push(&quarter);
        }
        assert_eq!(queue.lock().bytes, BYTES);
        assert_eq!(queue.take(), LogItem::Dropped(1));
        for _ in 0..4 {
            assert_eq!(queue.take(), LogItem::Text(quarter.clone()));
        }
        assert_eq!(queue.take(), LogItem::Dropped(2));
    }

    #[test]
    fn another_file_begins_between_the_lines_of_before_and_after() {
        let queue = LogQueue::new();
        let [first, mut second] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        queue.push(b"before\n");
        queue.continue_in(first);
        queue.continue_in(second.try_clone().unwrap());
        queue.push(b"after\n");
        assert_eq!(queue.take(), text("before\n"));
        let LogItem::GoOnIn(mut file) = queue.take() else {
            panic!("a file");
        };
        file.write_all(b"x").unwrap();
        assert_eq!(second.stream_position().unwrap(), 1, "the second is meant");
        assert_eq!(queue.take(), text("after\n"));
    }

    #[test]
    fn waiting_is_bounded_while_no_line_is_taken() {
        let queue = LogQueue::new();
        queue.wait_until_written(Duration::from_hours(1));
        queue.push(b"stuck\n");
        queue.wait_until_written(Duration::from_millis(1));
        assert_eq!(queue.lock().lines, 1);
    }
}
