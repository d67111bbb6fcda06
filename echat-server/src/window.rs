//! What was done within a window that slides: each time is forgotten by itself. If all were at once, as
//! many as at the window's beginning would fit behind its end.

use std::collections::VecDeque;
use std::time::Duration;

/// When something was done, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Window {
    times: VecDeque<Duration>,
}

impl Window {
    /// Notes that it was done, and forgets what is older than the window.
    pub(crate) fn add(&mut self, now: Duration, length: Duration) {
        while self.times.front().is_some_and(|at| *at + length <= now) {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// Takes back the last one.
    pub(crate) fn take_back(&mut self) {
        self.times.pop_back();
    }

    /// Takes back one that was done then, if it is remembered.
    pub(crate) fn take_back_at(&mut self, at: Duration) {
        if let Some(index) = self.times.iter().rposition(|time| *time == at) {
            self.times.remove(index);
        }
    }

    /// How often it was done, within the window or not yet forgotten.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// How often it was done within the window.
    pub(crate) fn within(&self, now: Duration, length: Duration) -> u64 {
        let recent = self.times.iter().filter(|at| **at + length > now);
        u64::try_from(recent.count()).unwrap_or(u64::MAX)
    }

    /// When it was done last.
    pub(crate) fn last(&self) -> Option<Duration> {
        self.times.back().copied()
    }

    /// How long to wait until it was done less than `most` times within the window; `None` if it was.
    pub(crate) fn wait(&self, now: Duration, length: Duration, most: usize) -> Option<Duration> {
        let oldest = self.times.len().checked_sub(most)?;
        let until = *self.times.get(oldest)? + length;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Whether nothing of the window is left.
    pub(crate) fn is_over(&self, now: Duration, length: Duration) -> bool {
        self.last().is_none_or(|last| last + length <= now)
    }
}
