//! What the user is told of a lost connection: once for each outage, and in the prompt how long it takes
//! until the next attempt.

use std::time::Duration;

use crate::net::connection::{Connection, State};

/// In this many seconds before an attempt, the prompt counts every second; before that in steps of this many.
const LAST_SECONDS: u64 = 5;

/// The present outage as the user sees it. It ends when the server answers.
#[derive(Debug, Default)]
pub(super) struct Outage {
    is_told: bool,
    /// The seconds to the next attempt that the prompt shows.
    shown: Option<u64>,
}

impl Outage {
    /// Whether the user was told of it.
    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// Whether the user is to be told now: once for each outage.
    pub(super) fn must_tell(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }

    /// The server has answered, or the user asked for a connection: the next failure is told again.
    pub(super) fn end(&mut self) {
        self.is_told = false;
    }

    /// The prompt shows this count from now on. Whether it is another than before.
    pub(super) fn show(&mut self, seconds: Option<u64>) -> bool {
        seconds != std::mem::replace(&mut self.shown, seconds)
    }

    /// When the count in the prompt changes, if that is after `now` and before the attempt.
    pub(super) fn next_change(&self, connection: &Connection, now: Duration) -> Option<Duration> {
        let State::Waiting(until) = connection.state() else {
            return None;
        };
        let shown = self.shown?;
        let step = if shown > LAST_SECONDS {
            LAST_SECONDS
        } else {
            1
        };
        let next = until.saturating_sub(Duration::from_secs(shown.saturating_sub(step)));
        (next > now).then_some(next)
    }
}

/// The seconds to the next attempt, as they are shown: each of the last five, before that every fifth.
/// `None` if the client does not wait.
pub(super) fn seconds_to_attempt(connection: &Connection, now: Duration) -> Option<u64> {
    let State::Waiting(until) = connection.state() else {
        return None;
    };
    let left = until.saturating_sub(now);
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let shown = if seconds > LAST_SECONDS {
        seconds.next_multiple_of(LAST_SECONDS)
    } else {
        seconds
    };
    (shown > 0).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outage_is_reported_once() {
        let mut outage = Outage::default();
        assert!(!outage.is_told() && outage.must_tell());
        assert!(outage.is_told() && !outage.must_tell());
        outage.end();
        assert!(outage.must_tell());
    }

    #[test]
    fn the_count_is_redrawn_only_when_it_changes() {
        let mut outage = Outage::default();
        assert!(!outage.show(None));
        assert!(outage.show(Some(5)) && !outage.show(Some(5)) && outage.show(Some(4)));
        assert_eq!(
            outage.next_change(&Connection::new(0), Duration::ZERO),
            None
        );
    }
}
