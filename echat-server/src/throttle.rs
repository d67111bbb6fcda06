//! How often somebody may do something: messages, registrations, wrong passwords (wire.md 4). Pure
//! arithmetic on the time that is passed in.

use crate::config::Limits;
use crate::store::UserId;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// How long wrong passwords are remembered, and the longest wait for them.
const LOGIN_WINDOW: Duration = Duration::from_mins(15);
/// The first wait, after the failures that are free. It doubles; from 30 s on, five free tries and
/// the waits leave a guesser nine tries in a window.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The time in which an address may register `limits.registrations` accounts.
const REGISTRATION_WINDOW: Duration = Duration::from_mins(10);
/// Entries of one map. Over it those that matter no more are dropped, then the one that matters
/// least: made-up names must not push out the count of a name that is being guessed at.
const ENTRIES: usize = 10_000;

/// Whose wrong passwords are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Guesser {
    /// All addresses that are strange to the account, by its name as it is looked up.
    Strangers(String),
    /// An address from which the account's owner logged in before: strangers cannot lock it out.
    Known(String, IpAddr),
}

/// Counters that bound what is repeated too fast.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    messages: HashMap<UserId, Bucket>,
    registrations: HashMap<IpAddr, Bucket>,
    failures: HashMap<Guesser, Failures>,
}

impl Throttle {
    /// How long a user has to wait before the next message; `None` if not at all.
    pub(crate) fn message_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        wait(&self.messages, &user, now, message_rate(limits)?)
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
        wait(
            &self.registrations,
            &address,
            now,
            registration_rate(limits)?,
        )
    }

    /// Counts a registration.
    pub(crate) fn count_registration(&mut self, address: IpAddr, now: Duration, limits: &Limits) {
        if let Some(rate) = registration_rate(limits) {
            count(&mut self.registrations, address, now, rate);
        }
    }

    /// How long to wait before the next password; `None` if not at all.
    pub(crate) fn login_wait(
        &self,
        guesser: &Guesser,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let until = self.failures.get(guesser)?.until(limits);
        until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Counts a try as a wrong password; [`Self::forgive`] takes it back if it was right. A try that
    /// was never judged, since the helper failed or the connection was cut meanwhile, stays counted:
    /// otherwise hanging up in time would make guesses free.
    pub(crate) fn count_failure(&mut self, guesser: Guesser, now: Duration, limits: &Limits) {
        if limits.login_failures == 0 {
            return;
        }
        let over = |failures: &Failures| failures.is_over(now, limits);
        make_place(&mut self.failures, &guesser, over, |failures| {
            (failures.count, failures.since)
        });
        let failures = self.failures.entry(guesser).or_insert(Failures::none(now));
        if failures.is_over(now, limits) {
            *failures = Failures::none(now);
        }
        failures.count += 1;
        failures.last = now;
    }

    /// Takes back what a right password was counted as. Of an address that is the account's own it
    /// forgives everything; of strangers only this try, since the others may be somebody else's: an
    /// owner who comes from a new address must not give a guesser a new budget.
    pub(crate) fn forgive(&mut self, guesser: &Guesser) {
        let left = match guesser {
            Guesser::Known(..) => None,
            Guesser::Strangers(_) => self.failures.get_mut(guesser),
        };
        let left = left.map_or(0, |failures| {
            failures.count = failures.count.saturating_sub(1);
            failures.count
        });
        if left == 0 {
            self.failures.remove(guesser);
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u64,
    since: Duration,
    /// The time of the last try.
    last: Duration,
}

impl Failures {
    fn none(now: Duration) -> Self {
        Self {
            count: 0,
            since: now,
            last: now,
        }
    }

    /// When the next try is free.
    fn until(&self, limits: &Limits) -> Duration {
        let wait = self.count.checked_sub(limits.login_failures).map(|over| {
            let doubled = FIRST_WAIT.saturating_mul(1 << over.min(16));
            doubled.min(LOGIN_WINDOW)
        });
        self.last + wait.unwrap_or_default()
    }

    /// Whether the window has passed, and the last wait with it.
    fn is_over(&self, now: Duration, limits: &Limits) -> bool {
        now >= self.until(limits).max(self.since + LOGIN_WINDOW)
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

fn wait<K: Hash + Eq>(
    buckets: &HashMap<K, Bucket>,
    key: &K,
    now: Duration,
    rate: Rate,
) -> Option<Duration> {
    let missing = buckets.get(key)?.full_at.saturating_sub(now);
    // One token must be there: at most burst - 1 may be missing.
    let allowed = rate
        .each
        .saturating_mul(u32::try_from(rate.burst - 1).unwrap_or(u32::MAX));
    missing.checked_sub(allowed).filter(|wait| !wait.is_zero())
}

fn count<K: Hash + Eq + Clone>(
    buckets: &mut HashMap<K, Bucket>,
    key: K,
    now: Duration,
    rate: Rate,
) {
    make_place(
        buckets,
        &key,
        |bucket| bucket.full_at <= now,
        |bucket| bucket.full_at,
    );
    let bucket = buckets.entry(key).or_insert(Bucket { full_at: now });
    bucket.full_at = bucket.full_at.max(now) + rate.each;
}

/// Keeps a map to [`ENTRIES`] when `key` is new to it.
fn make_place<K: Hash + Eq + Clone, V, W: Ord>(
    map: &mut HashMap<K, V>,
    key: &K,
    is_over: impl Fn(&V) -> bool,
    weight: impl Fn(&V) -> W,
) {
    if map.len() < ENTRIES || map.contains_key(key) {
        return;
    }
    map.retain(|_, value| !is_over(value));
    if map.len() >= ENTRIES
        && let Some(least) = map
            .iter()
            .min_by_key(|(_, value)| weight(value))
            .map(|(key, _)| key.clone())
    {
        map.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const ANN: UserId = UserId(1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn messages_burst_and_then_trickle() {
        let limits = Limits::default();
        let mut throttle = Throttle::default();
        for _ in 0..limits.message_burst {
            assert_eq!(throttle.message_wait(ANN, at(0), &limits), None);
            throttle.count_message(ANN, at(0), &limits);
        }
        let wait = throttle
            .message_wait(ANN, at(0), &limits)
            .expect("the burst is used up");
        assert_eq!(wait, at(1) / 5);
        assert_eq!(throttle.message_wait(ANN, wait, &limits), None);
        assert_eq!(throttle.message_wait(UserId(2), at(0), &limits), None);
    }

    #[test]
    fn zero_turns_a_rate_off() {
        let limits = Limits {
            message_rate: 0,
            registrations: 0,
            login_failures: 0,
            ..Limits::default()
        };
        let mut throttle = Throttle::default();
        let address = Ipv4Addr::LOCALHOST.into();
        for _ in 0..1_000 {
            throttle.count_message(ANN, at(0), &limits);
            throttle.count_registration(address, at(0), &limits);
            throttle.count_failure(Guesser::Strangers("ann".into()), at(0), &limits);
        }
        assert_eq!(throttle.message_wait(ANN, at(0), &limits), None);
        assert_eq!(throttle.registration_wait(address, at(0), &limits), None);
        assert_eq!(
            throttle.login_wait(&Guesser::Strangers("ann".into()), at(0), &limits),
            None
        );
    }

    #[test]
    fn strangers_get_at_most_ten_guesses_in_a_window_and_the_owner_gets_in() {
        let limits = Limits::default();
        let mut throttle = Throttle::default();
        let strangers = Guesser::Strangers("ann".into());
        let mut guesses = 0;
        for second in 0..LOGIN_WINDOW.as_secs() {
            while throttle
                .login_wait(&strangers, at(second), &limits)
                .is_none()
            {
                throttle.count_failure(strangers.clone(), at(second), &limits);
                guesses += 1;
            }
        }
        assert!((6..=10).contains(&guesses), "{guesses}");
        let owner = Guesser::Known("ann".into(), Ipv4Addr::LOCALHOST.into());
        assert_eq!(throttle.login_wait(&owner, at(1), &limits), None);
    }

    #[test]
    fn a_right_password_forgives_its_own_address_and_of_strangers_its_own_try() {
        let limits = Limits::default();
        let mut throttle = Throttle::default();
        let strangers = Guesser::Strangers("ann".into());
        let owner = Guesser::Known("ann".into(), Ipv4Addr::LOCALHOST.into());
        for guesser in [&strangers, &owner] {
            for _ in 0..limits.login_failures {
                throttle.count_failure(guesser.clone(), at(0), &limits);
            }
            throttle.forgive(guesser);
            assert_eq!(throttle.login_wait(guesser, at(0), &limits), None);
            throttle.count_failure(guesser.clone(), at(0), &limits);
        }
        assert_eq!(throttle.login_wait(&owner, at(0), &limits), None);
        let wait = throttle.login_wait(&strangers, at(0), &limits);
        assert_eq!(wait, Some(FIRST_WAIT), "the guesses before still count");

        // Whoever only ever knew the password leaves nothing behind.
        throttle.forgive(&owner);
        for _ in 0..limits.login_failures {
            throttle.forgive(&strangers);
        }
        assert!(throttle.failures.is_empty());
    }

    #[test]
    fn registrations_are_counted_by_address_and_maps_stay_small() {
        let limits = Limits::default();
        let mut throttle = Throttle::default();
        for n in 0..u32::try_from(ENTRIES).expect("small") + 50 {
            throttle.count_registration(Ipv4Addr::from_bits(n).into(), at(0), &limits);
        }
        assert!(throttle.registrations.len() <= ENTRIES);
        let address = Ipv4Addr::LOCALHOST.into();
        for _ in 0..limits.registrations {
            assert_eq!(throttle.registration_wait(address, at(0), &limits), None);
            throttle.count_registration(address, at(0), &limits);
        }
        assert_eq!(
            throttle.registration_wait(address, at(0), &limits),
            Some(at(10))
        );
    }
}
