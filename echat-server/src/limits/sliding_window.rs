//! Sliding windows: so many events in so long. Each event expires by itself, so no window of that length
//! has more, wherever it begins.

use super::token_bucket::ENTRIES;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// When the events of one window happened, oldest first.
#[derive(Debug, Default)]
pub(crate) struct SlidingWindow {
    times: VecDeque<Duration>,
}

impl SlidingWindow {
    /// Adds an event, and forgets those older than the window.
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

    /// Takes back an event of that time, if there is one.
    pub(crate) fn take_back_at(&mut self, at: Duration) {
        if let Some(index) = self.times.iter().rposition(|time| *time == at) {
            self.times.remove(index);
        }
    }

    /// Events that are remembered: those of the window, and older ones that were not forgotten yet.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Events within the window.
    pub(crate) fn within(&self, now: Duration, length: Duration) -> u64 {
        let recent = self.times.iter().filter(|at| **at + length > now);
        u64::try_from(recent.count()).unwrap_or(u64::MAX)
    }

    /// When the last event happened.
    pub(crate) fn last(&self) -> Option<Duration> {
        self.times.back().copied()
    }

    /// How long until the window has fewer than `most` events; `None` if it has.
    pub(crate) fn wait(&self, now: Duration, length: Duration, most: usize) -> Option<Duration> {
        let oldest = self.times.len().checked_sub(most)?;
        let until = *self.times.get(oldest)? + length;
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Whether the window has no event left.
    pub(crate) fn is_over(&self, now: Duration, length: Duration) -> bool {
        self.last().is_none_or(|last| last + length <= now)
    }
}

/// A sliding window for each of up to [`ENTRIES`] keys, all of one length.
#[derive(Debug)]
pub(super) struct SlidingWindows<K> {
    length: Duration,
    of: HashMap<K, SlidingWindow>,
}

impl<K: Copy + Eq + Hash> SlidingWindows<K> {
    /// No key has an event.
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length,
            of: HashMap::new(),
        }
    }

    /// How long until the window has fewer than `most` events; `None` if it has.
    pub(super) fn wait(&self, key: &K, now: Duration, most: usize) -> Option<Duration> {
        self.of.get(key)?.wait(now, self.length, most)
    }

    /// Adds an event of a key.
    pub(super) fn count(&mut self, key: K, now: Duration) {
        if self.of.len() >= ENTRIES && !self.of.contains_key(&key) {
            self.make_place(now);
        }
        self.of.entry(key).or_default().add(now, self.length);
    }

    /// Forgets the keys without an event in the window, or else the key with the fewest events.
    fn make_place(&mut self, now: Duration) {
        self.of
            .retain(|_, window| !window.is_over(now, self.length));
        if self.of.len() >= ENTRIES {
            let least = self.of.iter().min_by_key(|(_, times)| times.len());
            if let Some(key) = least.map(|(key, _)| *key) {
                self.of.remove(&key);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}
