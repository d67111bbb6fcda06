//! Sliding windows of addresses or users: so much in so long, each time forgotten by itself.

use super::bucket::ENTRIES;
use crate::window::Window;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// When each of up to [`ENTRIES`] did something, within a window of one length.
#[derive(Debug)]
pub(super) struct Windows<K> {
    length: Duration,
    of: HashMap<K, Window>,
}

impl<K: Copy + Eq + Hash> Windows<K> {
    /// Nothing was done yet.
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length,
            of: HashMap::new(),
        }
    }

    /// How long to wait until it was done less than `most` times within the window; `None` if it was.
    pub(super) fn wait(&self, key: &K, now: Duration, most: usize) -> Option<Duration> {
        self.of.get(key)?.wait(now, self.length, most)
    }

    /// Notes that it was done.
    pub(super) fn count(&mut self, key: K, now: Duration) {
        if self.of.len() >= ENTRIES && !self.of.contains_key(&key) {
            self.make_place(now);
        }
        self.of.entry(key).or_default().add(now, self.length);
    }

    /// Forgets what is over, and if that is nothing, the entry that did least.
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
