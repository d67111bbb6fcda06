//! When a listening socket accepts. Readiness is edge-triggered, so it is remembered until nothing waits. When an
//! accept fails, because the process has no file descriptors left for example, a timer pauses accepting: readiness
//! would not be reported again, and an immediate retry would spin.

use crate::limits::LogLimiter;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// The pause after an accept that failed.
const PAUSE: Duration = Duration::from_millis(250);

/// What a listening socket remembers between accepts. Times are those of [`Now::running`](crate::clock::Now::running).
pub(super) struct Accepting {
    /// What is accepted, in the plural, for the log.
    what: &'static str,
    /// Whether connections may be pending.
    is_ready: bool,
    /// The time of the next attempt.
    paused_until: Option<Duration>,
    /// The rate limit of the log line about failed accepts.
    failures: LogLimiter,
}

impl Accepting {
    /// Of a new socket, at which connections may be pending already.
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            is_ready: true,
            paused_until: None,
            failures: LogLimiter::default(),
        }
    }

    /// Notes that the poll has said that connections are pending.
    pub(super) fn ready(&mut self) {
        self.is_ready = true;
    }

    /// Whether to accept now.
    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.is_ready && self.paused_until.is_none_or(|until| now >= until)
    }

    /// Ends a pause, since a connection was closed and its descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.paused_until = None;
    }

    /// The end of the pause, if any.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.paused_until
    }

    /// What `accept` gives, if there is a connection.
    pub(super) fn next<T>(
        &mut self,
        now: Duration,
        mut accept: impl FnMut() -> io::Result<T>,
    ) -> Option<T> {
        if !self.is_ready(now) {
            return None;
        }
        self.paused_until = None;
        loop {
            let error = match accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                ErrorKind::WouldBlock => {
                    self.is_ready = false;
                    return None;
                }
                _ => {
                    if self.failures.allows(now) {
                        tracing::warn!(%error, "cannot accept {}; retrying soon", self.what);
                    }
                    self.paused_until = Some(now + PAUSE);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_accept_is_tried_again_after_a_pause_without_an_event() {
        let mut accepting = Accepting::new("connections");
        let mut asked = 0;
        let mut next = |accepting: &mut Accepting, now, result: Result<(), ErrorKind>| {
            accepting.next(now, || {
                asked += 1;
                result.map_err(io::Error::from)
            })
        };
        let start = Duration::from_secs(1);
        let full = Err(ErrorKind::Other);
        assert_eq!(next(&mut accepting, start, full), None);
        assert_eq!(accepting.retry_at(), Some(start + PAUSE));
        // Within the pause the system is not asked.
        assert_eq!(next(&mut accepting, start, Ok(())), None);
        assert!(!accepting.is_ready(start));
        let after = start + PAUSE;
        assert!(accepting.is_ready(after));
        assert_eq!(next(&mut accepting, after, full), None);
        accepting.try_again();
        assert_eq!(next(&mut accepting, after, Ok(())), Some(()));
        assert_eq!(accepting.retry_at(), None);
        // Nothing waits until the poll says so.
        assert_eq!(
            next(&mut accepting, after, Err(ErrorKind::WouldBlock)),
            None
        );
        assert!(!accepting.is_ready(after));
        accepting.ready();
        assert_eq!(next(&mut accepting, after, Ok(())), Some(()));
        assert_eq!(asked, 5);
    }
}
