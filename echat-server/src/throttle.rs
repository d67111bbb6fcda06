//! How often somebody may do something: messages, registrations, wrong passwords (wire.md 4). Pure
//! arithmetic on the time that is passed in.

mod guesses;

use crate::config::Limits;
use crate::origin::origin;
use crate::store::UserId;
use guesses::Guesses;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) use guesses::Guesser;

/// The time in which an address may register `limits.registrations` accounts.
const REGISTRATION_WINDOW: Duration = Duration::from_mins(10);
/// Buckets of one map. Over it those that are full again are dropped, then the fullest.
const ENTRIES: usize = 10_000;

/// Counters that bound what is repeated too fast.
#[derive(Debug)]
pub(crate) struct Throttle {
    messages: HashMap<UserId, Bucket>,
    registrations: HashMap<IpAddr, Bucket>,
    pub(crate) guesses: Guesses,
}

impl Throttle {
    /// Nothing is counted yet. The key says which names share a count of wrong passwords.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            messages: HashMap::new(),
            registrations: HashMap::new(),
            guesses: Guesses::new(key),
        }
    }

    /// How long a user has to wait before the next message; `None` if not at all.
    pub(crate) fn message_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        wait(&self.messages, user, now, message_rate(limits)?)
    }

    /// Counts a message that was sent.
    pub(crate) fn count_message(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if let Some(rate) = message_rate(limits) {
            count(&mut self.messages, user, now, rate);
        }
    }

    /// How long an address has to wait before the next registration; `None` if not at all.
    pub(crate) fn registration_wait(
        &self,
        address: IpAddr,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let rate = registration_rate(limits)?;
        wait(&self.registrations, origin(address), now, rate)
    }

    /// Counts a try at a registration.
    pub(crate) fn count_registration(&mut self, address: IpAddr, now: Duration, limits: &Limits) {
        if let Some(rate) = registration_rate(limits) {
            count(&mut self.registrations, origin(address), now, rate);
        }
    }
}

/// So many at once, then one in so long.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u64,
    each: Duration,
}

fn message_rate(limits: &Limits) -> Option<Rate> {
    let a_second = u32::try_from(limits.message_rate)
        .ok()
        .filter(|rate| *rate > 0)?;
    Some(Rate {
        burst: limits.message_burst,
        each: Duration::from_secs(1) / a_second,
    })
}

fn registration_rate(limits: &Limits) -> Option<Rate> {
    let burst = u32::try_from(limits.registrations)
        .ok()
        .filter(|burst| *burst > 0)?;
    Some(Rate {
        burst: burst.into(),
        each: REGISTRATION_WINDOW / burst,
    })
}

/// A token bucket (as in RFC 2697), kept as the time at which it will be full again.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: Duration,
}

fn wait<K: Hash + Eq + Copy>(
    buckets: &HashMap<K, Bucket>,
    key: K,
    now: Duration,
    rate: Rate,
) -> Option<Duration> {
    let missing = buckets.get(&key)?.full_at.saturating_sub(now);
    // One token must be there: at most burst - 1 may be missing.
    let allowed = rate
        .each
        .saturating_mul(u32::try_from(rate.burst - 1).unwrap_or(u32::MAX));
    missing.checked_sub(allowed).filter(|wait| !wait.is_zero())
}

fn count<K: Hash + Eq + Copy>(buckets: &mut HashMap<K, Bucket>, key: K, now: Duration, rate: Rate) {
    if buckets.len() >= ENTRIES && !buckets.contains_key(&key) {
        make_place(buckets, now);
    }
    let bucket = buckets.entry(key).or_insert(Bucket { full_at: now });
    bucket.full_at = bucket.full_at.max(now) + rate.each;
}

fn make_place<K: Hash + Eq + Copy>(buckets: &mut HashMap<K, Bucket>, now: Duration) {
    buckets.retain(|_, bucket| bucket.full_at > now);
    if buckets.len() >= ENTRIES {
        let fullest = buckets.iter().min_by_key(|(_, bucket)| bucket.full_at);
        if let Some(key) = fullest.map(|(key, _)| *key) {
            buckets.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
