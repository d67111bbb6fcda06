//! Token buckets of users (as in RFC 2697): a burst, then one token in each interval.

use crate::storage::UserId;
use std::collections::HashMap;
use std::time::Duration;

/// Buckets of one map. When there are as many, those that are full again are dropped, else the fullest one.
pub(super) const ENTRIES: usize = 10_000;

/// A burst of tokens, then one in each interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) burst: u64,
    pub(super) each: Duration,
}

/// The buckets that are not full, each as the time at which it will be full again.
#[derive(Debug, Default)]
pub(super) struct TokenBuckets {
    full_at: HashMap<UserId, Duration>,
}

impl TokenBuckets {
    /// How long a user has to wait for so many tokens; `None` if not at all. More than the burst can be
    /// had when the bucket is full; what is missing then is a debt that is paid off first.
    pub(super) fn wait(
        &self,
        user: UserId,
        tokens: u64,
        now: Duration,
        rate: Rate,
    ) -> Option<Duration> {
        let missing = self.full_at.get(&user)?.saturating_sub(now);
        // So many must be there: of the burst, at most the rest may be missing.
        let allowed = times(rate.each, rate.burst.saturating_sub(tokens));
        missing.checked_sub(allowed).filter(|wait| !wait.is_zero())
    }

    /// Takes tokens.
    pub(super) fn count(&mut self, user: UserId, tokens: u64, now: Duration, rate: Rate) {
        if tokens == 0 {
            return;
        }
        if self.full_at.len() >= ENTRIES && !self.full_at.contains_key(&user) {
            self.make_place(now);
        }
        let full_at = self.full_at.entry(user).or_insert(now);
        *full_at = (*full_at).max(now) + times(rate.each, tokens);
    }

    fn make_place(&mut self, now: Duration) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= ENTRIES {
            let fullest = self.full_at.iter().min_by_key(|(_, full_at)| **full_at);
            if let Some(user) = fullest.map(|(user, _)| *user) {
                self.full_at.remove(&user);
            }
        }
    }
}

/// What so many tokens take to come.
fn times(each: Duration, tokens: u64) -> Duration {
    each.saturating_mul(u32::try_from(tokens).unwrap_or(u32::MAX))
}
