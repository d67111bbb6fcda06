//! Daily quotas: what users did in the last 24 hours, in sums of an hour. A sum counts until its hour's end is
//! 24 hours ago. So no 24 hours have more than the quota, and all of it is free again after 25 hours.
//!
//! Sums are checked before anything is written, reverted with a tick that is rolled back, and read from the database at
//! a start.

use crate::clock::HOUR;
use crate::storage::UserId;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Hours for which an hour's sum counts, its own included.
const HOURS: i64 = 25;
/// Users that are remembered. Beyond that the tenth with the least sums is forgotten.
pub(super) const USERS: usize = 20_000;

/// The sums of users. Memory: at most [`USERS`] times 25 sums.
#[derive(Debug, Default)]
pub(crate) struct DailyQuota {
    users: HashMap<UserId, Sums>,
    /// What was counted since it was kept last, in case the database does not keep it.
    changes: Vec<(UserId, i64, u64)>,
}

/// The sums of one user's hours, oldest first.
#[derive(Debug, Default)]
struct Sums(VecDeque<(i64, u64)>);

impl Sums {
    /// What counts at a time, in seconds.
    fn total(&self, now: i64) -> u64 {
        let counting = self.0.iter().filter(|(hour, _)| counts_until(*hour) > now);
        counting.map(|(_, sum)| *sum).sum()
    }

    fn add(&mut self, hour: i64, amount: u64) {
        match self.0.binary_search_by_key(&hour, |(hour, _)| *hour) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(amount),
            Err(place) => self.0.insert(place, (hour, amount)),
        }
    }
}

/// The second from which on an hour's sum does not count.
fn counts_until(hour: i64) -> i64 {
    hour.saturating_add(HOURS).saturating_mul(HOUR)
}

fn seconds(now: Duration) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

impl DailyQuota {
    /// How long a user has to wait until so much more is within the quota; `None` if not at all. What is
    /// more than the quota by itself has to wait a day, each time.
    pub(crate) fn wait(
        &self,
        user: UserId,
        amount: u64,
        most: u64,
        now: Duration,
    ) -> Option<Duration> {
        let now = seconds(now);
        let sums = self.users.get(&user);
        let mut total = sums.map_or(0, |sums| sums.total(now));
        if total.saturating_add(amount) <= most {
            return None;
        }
        let counting = sums.into_iter().flat_map(|sums| &sums.0);
        for (hour, sum) in counting.filter(|(hour, _)| counts_until(*hour) > now) {
            total -= sum;
            if total.saturating_add(amount) <= most {
                let wait = counts_until(*hour) - now;
                return Some(Duration::from_secs(wait.unsigned_abs()));
            }
        }
        Some(Duration::from_hours(24))
    }

    /// Counts so much, until [`roll_back`](Self::roll_back).
    pub(crate) fn count(&mut self, user: UserId, amount: u64, now: Duration) {
        let hour = seconds(now).div_euclid(HOUR);
        self.add(user, amount, hour, seconds(now));
        self.changes.push((user, hour, amount));
    }

    /// Counts what the database has from before the process started, so many seconds old.
    pub(crate) fn load(&mut self, user: UserId, amount: u64, age: i64, now: Duration) {
        let now = seconds(now);
        self.add(user, amount, (now - age.max(0)).div_euclid(HOUR), now);
    }

    fn add(&mut self, user: UserId, amount: u64, hour: i64, now: i64) {
        if self.users.len() >= USERS && !self.users.contains_key(&user) {
            self.make_place(now);
        }
        let sums = self.users.entry(user).or_default();
        while sums
            .0
            .front()
            .is_some_and(|(hour, _)| counts_until(*hour) <= now)
        {
            sums.0.pop_front();
        }
        sums.add(hour, amount);
    }

    /// Forgets the users without a sum that counts, or else the tenth with the least.
    fn make_place(&mut self, now: i64) {
        self.users.retain(|_, sums| sums.total(now) > 0);
        if self.users.len() < USERS {
            return;
        }
        let mut totals: Vec<_> = self
            .users
            .iter()
            .map(|(user, sums)| (sums.total(now), *user))
            .collect();
        totals.sort_unstable();
        for (_, user) in &totals[..USERS / 10] {
            self.users.remove(user);
        }
    }

    /// Keeps what was counted: the database has it.
    pub(crate) fn commit(&mut self) {
        self.changes.clear();
    }

    /// Takes back what was counted since the last [`commit`](Self::commit): the database rolled it back.
    pub(crate) fn roll_back(&mut self) {
        for (user, hour, amount) in std::mem::take(&mut self.changes) {
            let sums = self.users.get_mut(&user).map(|sums| &mut sums.0);
            let sum = sums.and_then(|sums| sums.iter_mut().find(|(other, _)| *other == hour));
            if let Some((_, sum)) = sum {
                *sum = sum.saturating_sub(amount);
            }
        }
    }

    /// The users with the most, and how much, most first.
    pub(crate) fn most(&self, users: usize, now: Duration) -> Vec<(UserId, u64)> {
        let now = seconds(now);
        let totals = self
            .users
            .iter()
            .map(|(user, sums)| (*user, sums.total(now)));
        let mut totals: Vec<_> = totals.filter(|(_, total)| *total > 0).collect();
        totals.sort_unstable_by_key(|(user, total)| (std::cmp::Reverse(*total), *user));
        totals.truncate(users);
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId(1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn no_24_hours_have_more_than_the_quota() {
        let mut day = DailyQuota::default();
        let mut done = Vec::new();
        for minute in 0..72 * 60 {
            let now = at(minute * 60);
            while day.wait(ANN, 10, 1_000, now).is_none() {
                day.count(ANN, 10, now);
                done.push(minute);
            }
        }
        for from in &done {
            let within = done
                .iter()
                .filter(|at| (*from..from + 24 * 60).contains(at));
            assert!(within.count() <= 100);
        }
        assert_eq!(done.len(), 300, "once in 25 hours");
        assert!(day.users[&ANN].0.len() <= 25);
    }

    #[test]
    fn the_wait_ends_when_the_quota_has_room() {
        let mut day = DailyQuota::default();
        day.count(ANN, 60, at(100));
        day.count(ANN, 40, at(7_300));
        for amount in [1, 60, 61, 100] {
            let wait = day.wait(ANN, amount, 100, at(8_000)).expect("it is full");
            assert_eq!(day.wait(ANN, amount, 100, at(8_000) + wait), None);
            let early = at(7_999) + wait;
            assert!(day.wait(ANN, amount, 100, early).is_some(), "{amount}");
        }
        assert_eq!(day.wait(ANN, 101, 100, at(8_000)), Some(at(86_400)));
        assert_eq!(day.wait(UserId(2), 100, 100, at(8_000)), None);
    }

    #[test]
    fn loaded_usage_counts_by_its_age_and_rolled_back_usage_does_not() {
        let mut day = DailyQuota::default();
        day.load(ANN, 100, 86_399, at(5));
        day.load(ANN, 100, -50, at(5));
        assert_eq!(day.most(9, at(5)), [(ANN, 200)]);
        day.commit();
        day.count(ANN, 7, at(5));
        day.count(UserId(2), 7, at(5));
        day.roll_back();
        assert_eq!(day.most(9, at(5)), [(ANN, 200)]);
        assert_eq!(day.most(9, at(4_000)), [(ANN, 100)]);
    }

    #[test]
    fn users_are_bounded_and_the_largest_are_kept() {
        let mut day = DailyQuota::default();
        for user in 0..30_000 {
            day.count(UserId(user), u64::from(user == 3) * 1_000 + 1, at(0));
        }
        assert!(day.users.len() <= USERS);
        assert_eq!(day.most(1, at(0)), [(UserId(3), 1_001)]);
    }
}
