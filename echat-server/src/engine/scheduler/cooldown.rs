//! Cool-down: a flow whose turn cost much has no turn for a while, so a client that does nothing but ask for
//! much gets a share of the time, and the others the rest.
//!
//! A cool-down belongs to the user, so a new connection does not avoid it, and a login of such a user waits. Messages
//! have a rate instead. Refused attempts at a password have a cool-down of their own: those of one address wait 250 ms
//! each, in order of arrival, whichever connection they come from. Other requests of the address do not wait.

use super::cost::PASSWORD_HASH;
use std::time::Duration;

/// How many times its cost a turn cools down for: a flow that does nothing but ask for much has a tenth of
/// the time.
const FACTOR: u32 = 10;
/// No cool-down is longer.
const LONGEST: Duration = Duration::from_secs(5);
/// After so long without a cool-down, the next is a first one.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// How long the refused attempts of a prefix cool down for each: 250 ms, so a prefix has four a second.
pub(super) const REFUSAL: Duration = PASSWORD_HASH.saturating_mul(FACTOR);

/// When a flow's cool-down is over, and how many it had one after another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cooldown {
    until: Duration,
    consecutive: u32,
}

impl Cooldown {
    /// Begins one for a turn of this cost, while `others` flows cool down. Flows that cool down again and
    /// again share a tenth of the time: each waits for the others too. A first long request waits for none.
    pub(super) fn begin(&mut self, cost: Duration, others: usize, now: Duration) {
        self.consecutive = if self.is_forgotten(now) {
            1
        } else {
            self.consecutive.saturating_add(1)
        };
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        let share = self.consecutive.min(others.saturating_add(1));
        let length = cost.saturating_mul(FACTOR).saturating_mul(share);
        self.until = self.until.max(now + length.min(LONGEST));
    }

    /// When it is over, or was.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// Whether it ended so long ago that it does not count any more.
    pub(super) fn is_forgotten(&self, now: Duration) -> bool {
        self.consecutive == 0 || now >= self.until + FORGOTTEN
    }
}
