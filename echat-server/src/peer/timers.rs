//! What a connection has time for: the hello, a login, silence, a slow reader, a goodbye.

use super::{Peer, Stage, own};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::{Departure, End};
use echat_proto::Value;
use echat_proto::commands::{CloseReason, channel as command};
use std::time::Duration;

/// A hello must be whole this long after the accept.
pub(super) const HELLO: Duration = Duration::from_secs(5);
/// FINISHED must be there this long after the accept.
const FINISHED: Duration = Duration::from_secs(10);
/// A login must begin to hold this long after FINISHED or LOGOUT.
const LOGIN: Duration = Duration::from_mins(1);
/// A flush before a close lasts at most this long.
pub(super) const FLUSH: Duration = Duration::from_secs(2);
/// How long a queue may stay over `send_queue_soft`.
const SLOW: Duration = Duration::from_secs(30);
/// Unknown commands in [`ERROR_WINDOW`] that end a connection.
const ERRORS: usize = 20;
/// See [`ERRORS`].
const ERROR_WINDOW: Duration = Duration::from_mins(1);

impl Peer {
    /// Counts an unknown command; true if there were too many.
    pub(crate) fn count_error(&mut self, now: Now) -> bool {
        self.errors.add(now.running, ERROR_WINDOW);
        self.errors.len() >= ERRORS
    }

    /// When something is to happen though nothing comes.
    pub(crate) fn deadline(&self, limits: &Limits) -> Duration {
        match &self.stage {
            Stage::Hello(_) => self.accepted + HELLO,
            Stage::Responding | Stage::Finishing(_) => self.accepted + FINISHED,
            Stage::Closing(_) => self.closing_since.unwrap_or_default() + FLUSH,
            Stage::Closed => Duration::MAX,
            Stage::Open(_) => {
                let login = if self.trusted {
                    Duration::MAX
                } else {
                    self.guest_since + LOGIN
                };
                let slow = self.slow_since.map_or(Duration::MAX, |since| since + SLOW);
                let ping = if self.pinged { 0 } else { limits.ping_seconds };
                let silence = [ping, limits.dead_seconds].into_iter().filter(|s| *s > 0);
                let silence = silence.map(|s| self.heard + Duration::from_secs(s)).min();
                login.min(slow).min(silence.unwrap_or(Duration::MAX))
            }
        }
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, limits: &Limits, now: Now) {
        if self.deadline(limits) > now.running {
            return;
        }
        let Stage::Open(_) = &self.stage else {
            return self.close_at_once();
        };
        let silent = now.running.saturating_sub(self.heard);
        let due = |seconds: u64| seconds > 0 && silent >= Duration::from_secs(seconds);
        if due(limits.dead_seconds) {
            self.departure.get_or_insert(Departure::Silent);
            self.close_at_once();
        } else if !self.trusted && now.running >= self.guest_since + LOGIN {
            self.close(End::Notify(CloseReason::Idle), now);
        } else if self
            .slow_since
            .is_some_and(|since| now.running >= since + SLOW)
        {
            self.close_slow(now);
        } else if due(limits.ping_seconds) && !self.pinged {
            self.pinged = true;
            self.outbound.push(own(command::PING, Value::Null));
        }
    }
}
