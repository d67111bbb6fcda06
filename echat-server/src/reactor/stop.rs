//! Whether the server stops, and when.

use crate::clock::Now;
use std::time::Duration;

/// The longest duration of a stop.
const STOP: Duration = Duration::from_secs(5);

/// Whether the server stops. Times are those of [`Now::running`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stop {
    /// It serves.
    #[default]
    No,
    /// It accepts no connection, and stops at this time.
    Draining(Duration),
    /// A stop was requested. Connections are closed in order until this time at the latest.
    By(Duration),
    /// A second stop was requested.
    Now,
}

impl Stop {
    /// A stop is requested; whether it is the first one, so that connections are to be closed in order.
    pub(super) fn request(&mut self, now: Now) -> bool {
        let is_first = !self.is_begun();
        *self = if is_first {
            Self::By(now.running + STOP)
        } else {
            Self::Now
        };
        is_first
    }

    /// Plans a stop in so many seconds, in place of one that is planned. A stop that has begun goes on.
    pub(super) fn drain(&mut self, seconds: u64, now: Now) {
        if !self.is_begun() {
            *self = Self::Draining(now.running + Duration::from_secs(seconds));
        }
    }

    /// Whether a drain is over, so that a stop is to be requested.
    pub(super) fn is_drained(self, now: Now) -> bool {
        matches!(self, Self::Draining(at) if at <= now.running)
    }

    /// Whether a stop was requested.
    pub(super) fn is_begun(self) -> bool {
        matches!(self, Self::By(_) | Self::Now)
    }

    /// Whether the process is to end. `is_empty`: no connection is left.
    pub(super) fn is_over(self, is_empty: bool, now: Now) -> bool {
        match self {
            Self::No | Self::Draining(_) => false,
            Self::By(at) => is_empty || now.running >= at,
            Self::Now => true,
        }
    }

    /// When there is something to do though nothing else happens.
    pub(super) fn deadline(self) -> Option<Duration> {
        match self {
            Self::Draining(at) | Self::By(at) => Some(at),
            Self::No | Self::Now => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Now {
        Now {
            running: Duration::from_secs(seconds),
            unix: 0,
        }
    }

    #[test]
    fn a_second_request_ends_the_wait_for_connections() {
        let mut stop = Stop::default();
        assert!(!stop.is_over(true, at(0)));
        assert!(stop.request(at(1)));
        assert!(!stop.is_over(false, at(5)) && stop.is_over(true, at(5)));
        assert!(stop.is_over(false, at(6)), "five seconds are over");
        assert!(!stop.request(at(2)));
        assert!(stop.is_over(false, at(2)));
    }

    #[test]
    fn the_end_of_a_drain_is_no_second_request() {
        let mut stop = Stop::default();
        stop.drain(10, at(0));
        assert!(!stop.is_drained(at(9)) && stop.is_drained(at(10)));
        assert!(!stop.is_over(true, at(10)));
        // A signal comes just before: connections still have their five seconds.
        assert!(stop.request(at(9)));
        assert!(!stop.is_drained(at(10)) && !stop.is_over(false, at(10)));
        // Neither is another drain.
        stop.drain(0, at(10));
        assert!(!stop.is_drained(at(10)) && !stop.is_over(false, at(10)));
        assert_eq!(stop.deadline(), Some(Duration::from_secs(14)));
    }
}
