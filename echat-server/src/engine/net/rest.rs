//! How long a payer rests whose turn was much work: who asks for much again and again gets a share of
//! the time, and the others the rest.

use std::time::Duration;

/// Work of one turn, in steps of `SQLite`'s virtual machine, that is nobody's concern: a millisecond at
/// 50 ns a step. A turn ends with the request that goes over it.
pub(in crate::engine) const TURN: u64 = 20_000;
/// What a step of such a turn costs: ten times what it took, so that who does nothing but ask for much
/// has a tenth of the time.
const PRICE: Duration = Duration::from_nanos(500);
/// What a password's hash takes, in steps: 25 ms. A refused try at a password is charged like one.
pub(super) const HASH: u32 = 500_000;
/// No rest is longer.
const LONGEST: Duration = Duration::from_secs(5);
/// After so long without a rest, the next is a first one.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// How long the refused tries of an origin rest for each: 250 ms, so that it has four a second.
pub(super) fn fine() -> Duration {
    PRICE.saturating_mul(HASH)
}

/// When a payer has rested, and how often it did in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    until: Duration,
    row: u32,
}

impl Rest {
    /// Begins one for work of so many steps. Those who rest again and again share the tenth: each of
    /// them waits for the others too. A first long request waits for nobody.
    pub(super) fn begin(&mut self, steps: u64, others: usize, now: Duration) {
        self.row = if self.is_forgotten(now) {
            1
        } else {
            self.row.saturating_add(1)
        };
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let share = self.row.min(others.saturating_add(1));
        let rest = PRICE.saturating_mul(steps).saturating_mul(share);
        self.until = self.until.max(now + rest.min(LONGEST));
    }

    /// When it is over, or was.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// Whether it is so long over that it is as if it had never been.
    pub(super) fn is_forgotten(&self, now: Duration) -> bool {
        self.row == 0 || now >= self.until + FORGOTTEN
    }
}
