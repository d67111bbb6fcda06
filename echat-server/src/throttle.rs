//! How often somebody may do something: messages, coming to rooms and leaving them, registrations, wrong
//! passwords (wire.md 4). Pure arithmetic on the time that is passed in.

mod bucket;
mod guesses;

use crate::config::Limits;
use crate::origin::origin;
use crate::store::UserId;
use crate::window::Window;
use bucket::{Buckets, ENTRIES, Rate};
use guesses::Guesses;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) use guesses::Guesser;

/// The time in which an origin may register `limits.registrations` accounts.
const REGISTRATION_WINDOW: Duration = Duration::from_mins(10);

/// Counters that bound what is repeated too fast.
#[derive(Debug)]
pub(crate) struct Throttle {
    messages: Buckets,
    moves: Buckets,
    registrations: HashMap<IpAddr, Window>,
    pub(crate) guesses: Guesses,
}

impl Throttle {
    /// Nothing is counted yet. The key says which names share a count of wrong passwords.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            messages: Buckets::default(),
            moves: Buckets::default(),
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
        self.messages.wait(user, now, message_rate(limits)?)
    }

    /// Counts a message that was sent.
    pub(crate) fn count_message(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if let Some(rate) = message_rate(limits) {
            self.messages.count(user, now, rate);
        }
    }

    /// How long a user has to wait before the next coming to a room or leaving it; `None` if not at
    /// all.
    pub(crate) fn move_wait(
        &self,
        user: UserId,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        self.moves.wait(user, now, move_rate(limits)?)
    }

    /// Counts a coming to a room or a leaving.
    pub(crate) fn count_move(&mut self, user: UserId, now: Duration, limits: &Limits) {
        if let Some(rate) = move_rate(limits) {
            self.moves.count(user, now, rate);
        }
    }

    /// How long an address has to wait before the next registration; `None` if not at all.
    pub(crate) fn registration_wait(
        &self,
        address: IpAddr,
        now: Duration,
        limits: &Limits,
    ) -> Option<Duration> {
        let most = registrations(limits)?;
        let window = self.registrations.get(&origin(address))?;
        window.wait(now, REGISTRATION_WINDOW, most)
    }

    /// Counts a try at a registration.
    pub(crate) fn count_registration(&mut self, address: IpAddr, now: Duration, limits: &Limits) {
        if registrations(limits).is_none() {
            return;
        }
        let origin = origin(address);
        if self.registrations.len() >= ENTRIES && !self.registrations.contains_key(&origin) {
            self.forget_registrations(now);
        }
        let window = self.registrations.entry(origin).or_default();
        window.add(now, REGISTRATION_WINDOW);
    }

    /// Forgets what is over, and if that is nothing, who registered least.
    fn forget_registrations(&mut self, now: Duration) {
        self.registrations
            .retain(|_, window| !window.is_over(now, REGISTRATION_WINDOW));
        if self.registrations.len() >= ENTRIES {
            let least = self.registrations.iter().min_by_key(|(_, made)| made.len());
            if let Some(origin) = least.map(|(origin, _)| *origin) {
                self.registrations.remove(&origin);
            }
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

/// As fast as messages, since as many hear of it; at once so many that one may come to all rooms there
/// are places for, and leave them. wire.md names no rate: without one, who comes and goes without end
/// fills the queues of all others.
fn move_rate(limits: &Limits) -> Option<Rate> {
    let rooms = u64::try_from(limits.rooms).unwrap_or(u64::MAX);
    message_rate(limits).map(|rate| Rate {
        burst: rooms.saturating_mul(2).max(1),
        ..rate
    })
}

fn registrations(limits: &Limits) -> Option<usize> {
    let most = usize::try_from(limits.registrations).unwrap_or(usize::MAX);
    Some(most).filter(|most| *most > 0)
}

#[cfg(test)]
mod tests;
