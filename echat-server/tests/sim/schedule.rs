//! An irregular schedule: bytes move in pieces of any size or not at all for a while; connections and results of
//! workers are handled in any order.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// Draws what moves next.
pub(crate) struct Schedule {
    rng: StdRng,
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// Bytes that move in one direction of one connection now.
    pub(super) fn bytes(&mut self) -> usize {
        match self.rng.random_range(0..8) {
            0 | 1 => 0,
            2 => 1,
            3 => self.rng.random_range(2..40),
            4 | 5 => self.rng.random_range(40..700),
            _ => self.rng.random_range(700..70_000),
        }
    }

    /// Whether a worker has finished a job.
    pub(super) fn is_done(&mut self) -> bool {
        self.rng.random_range(0..3) == 0
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.rng);
    }
}
