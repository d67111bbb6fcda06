//! Rate limits and quotas, of users and of address prefixes: messages, joining and leaving rooms, friend requests,
//! registrations, wrong passwords, bytes and rooms a day, log lines. Pure arithmetic on the time that is
//! passed in.

mod address_bans;
mod daily_quota;
mod log_limiter;
mod login_throttle;
mod prefix;
mod sliding_window;
mod token_bucket;

use crate::config::Limits;
use crate::storage::UserId;
use login_throttle::LoginThrottle;
use sliding_window::SlidingWindows;
use std::net::IpAddr;
use std::time::Duration;
use token_bucket::{Rate, TokenBuckets};

pub(crate) use address_bans::{AddressBans, AddressPrefix, LEAST_BITS_V4, LEAST_BITS_V6};
pub(crate) use daily_quota::DailyQuota;
pub(crate) use log_limiter::LogLimiter;
pub(crate) use login_throttle::{CountedAttempt, Guesser};
pub(crate) use prefix::rate_limit_prefix;
pub(crate) use sliding_window::SlidingWindow;

/// The time in which a prefix may register `limits.registrations` accounts.
const REGISTRATION_WINDOW: Duration = Duration::from_mins(10);

/// The time in which a user may make `limits.friend_requests` requests.
const REQUEST_WINDOW: Duration = Duration::from_hours(1);

/// The counters of all rate limits and quotas that are judged from memory.
#[derive(Debug)]
pub(crate) struct RateLimits {
    messages: TokenBuckets,
    joins: TokenBuckets,
    changes: TokenBuckets,
    /// Bytes of content that users stored.
    pub(crate) stored: DailyQuota,
    /// Rooms that users made.
    pub(crate) rooms: DailyQuota,
    registrations: SlidingWindows<IpAddr>,
    requests: SlidingWindows<UserId>,
    pub(crate) guesses: LoginThrottle,
}

impl RateLimits {
    /// Nothing is counted yet. The key says which names share a count of wrong passwords.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            messages: TokenBuckets::default(),
            joins: TokenBuckets::default(),
            changes: TokenBuckets::default(),
            stored: DailyQuota::default(),
            rooms: DailyQuota::default(),
            registrations: SlidingWindows::new(REGISTRATION_WINDOW),
            requests: SlidingWindows::new(REQUEST_WINDOW),
            guesses: LoginThrottle::new(key),
        }
    }

    /// How long a user has to wait before so many more bytes are within the day's quota; `None` if not at
    /// all.
    pub(crate) fn stored_wait(
        &self,
        user: UserId,
        bytes: usize,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let most = Some(limits.user_bytes_a_day).filter(|most| *most > 0)?;
        self.stored.wait(user, bytes as u64, most, now)
    }

    /// How long a user has to wait before making another room; `None` if not at all.
    pub(crate) fn room_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let most = Some(limits.rooms_a_day).filter(|most| *most > 0)?;
        self.rooms.wait(user, 1, most, now)
    }

    /// Keeps what was counted of the day: the database has it.
    pub(crate) fn commit(&mut self) {
        self.stored.commit();
        self.rooms.commit();
    }

    /// Takes back what was counted of the day since it was kept last: the database did not take it.
    pub(crate) fn roll_back(&mut self) {
        self.stored.roll_back();
        self.rooms.roll_back();
    }

    /// How long a user has to wait before the next message; `None` if not at all.
    pub(crate) fn message_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        self.messages.wait(user, 1, now, message_rate(limits)?)
    }

    /// Counts a message that was sent.
    pub(crate) fn count_message(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if let Some(rate) = message_rate(limits) {
            self.messages.count(user, 1, now, rate);
        }
    }

    /// How long a user has to wait before the next change that others are told of; `None` if not at all.
    pub(crate) fn change_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        self.changes.wait(user, 1, now, message_rate(limits)?)
    }

    /// Counts a change that others were told of.
    pub(crate) fn count_change(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if let Some(rate) = message_rate(limits) {
            self.changes.count(user, 1, now, rate);
        }
    }

    /// How long a user has to wait before so many joins to rooms, of any users; `None` if not at all.
    pub(crate) fn join_wait(
        &self,
        user: UserId,
        joins: usize,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        self.joins
            .wait(user, join_tokens(joins), now, join_rate(limits)?)
    }

    /// Counts joins to rooms that a user caused, and that each may be followed by a leave.
    pub(crate) fn count_joins(
        &mut self,
        user: UserId,
        joins: usize,
        now: Duration,
        limits: &Limits,
    ) {
        if let Some(rate) = join_rate(limits) {
            self.joins.count(user, join_tokens(joins), now, rate);
        }
    }

    /// How long an address has to wait before the next registration; `None` if not at all.
    pub(crate) fn registration_wait(
        &self,
        address: IpAddr,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let most = bound(limits.registrations)?;
        self.registrations
            .wait(&rate_limit_prefix(address), now, most)
    }

    /// Counts an attempt at a registration.
    pub(crate) fn count_registration(&mut self, address: IpAddr, now: Duration, limits: &Limits) {
        if bound(limits.registrations).is_some() {
            self.registrations.count(rate_limit_prefix(address), now);
        }
    }

    /// How long a user has to wait before the next friend request; `None` if not at all.
    pub(crate) fn request_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let most = bound(limits.friend_requests)?;
        self.requests.wait(&user, now, most)
    }

    /// Counts a friend request that was made.
    pub(crate) fn count_request(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if bound(limits.friend_requests).is_some() {
            self.requests.count(user, now);
        }
    }
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

/// Joining is charged for leaving too, so that leaving is always possible.
fn join_tokens(joins: usize) -> u64 {
    u64::try_from(joins).unwrap_or(u64::MAX).saturating_mul(2)
}

/// The rate of messages, since as many users get an event. The burst is enough to join and to leave as many rooms as a
/// user may have. Without this limit, a user who joins and leaves repeatedly would fill the queues of all members.
fn join_rate(limits: &Limits) -> Option<Rate> {
    let rooms = u64::try_from(limits.rooms).unwrap_or(u64::MAX);
    message_rate(limits).map(|rate| Rate {
        burst: rooms.saturating_mul(2).max(1),
        ..rate
    })
}

/// A limit of which 0 means that there is none.
fn bound(limit: u64) -> Option<usize> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    Some(most).filter(|most| *most > 0)
}

#[cfg(test)]
mod tests;
