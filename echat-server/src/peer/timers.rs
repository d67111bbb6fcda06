//! The time-outs of a connection: handshake, login, silence, a slow reader, the flush before a close.

use crate::config::Limits;
use std::time::Duration;

/// A hello must be whole this long after the accept.
pub(super) const HELLO: Duration = Duration::from_secs(5);
/// FINISHED must be there this long after the accept.
const FINISHED: Duration = Duration::from_secs(10);
/// A login must begin to hold this long after FINISHED or LOGOUT.
const LOGIN: Duration = Duration::from_mins(1);
/// A flush before a close lasts at most this long.
pub(super) const FLUSH: Duration = Duration::from_secs(2);
/// How long a send queue may stay over `send_queue_soft`.
const SLOW: Duration = Duration::from_secs(30);

/// The stage of a connection, as far as its deadlines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Hello,
    Finishing,
    Open,
    Closing,
    Closed,
}

/// What an open connection does because time went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing came for `dead_seconds`.
    Silent,
    /// No user logged in for a minute.
    Idle,
    /// The send queue was over its limit for too long.
    Slow,
    /// Nothing came for `ping_seconds`: a PING is to be sent.
    Ping,
}

/// Since when each state lasts that has a time-out. Times are those of `Now::running`.
#[derive(Debug)]
pub(super) struct Timers {
    accepted: Duration,
    /// Since when no user is logged in; `None` while one is.
    unauthenticated: Option<Duration>,
    /// When bytes came last.
    heard: Duration,
    /// Whether a PING was sent since.
    pinged: bool,
    closing: Option<Duration>,
    /// Since when the send queue is over `send_queue_soft`.
    slow: Option<Duration>,
}

impl Timers {
    /// Those of a connection that was accepted now.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            accepted: now,
            unauthenticated: Some(now),
            heard: now,
            pinged: false,
            closing: None,
            slow: None,
        }
    }

    /// Bytes came.
    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.pinged = false;
    }

    /// A PING was sent.
    pub(super) fn pinged(&mut self) {
        self.pinged = true;
    }

    /// The handshake is done, or a session ended.
    pub(super) fn unauthenticated(&mut self, now: Duration) {
        self.unauthenticated = Some(now);
    }

    /// A user logged in.
    pub(super) fn authenticated(&mut self) {
        self.unauthenticated = None;
    }

    /// Whether a user is logged in.
    pub(super) fn is_authenticated(&self) -> bool {
        self.unauthenticated.is_none()
    }

    /// The connection is being closed.
    pub(super) fn closing(&mut self, now: Duration) {
        self.closing = Some(now);
    }

    /// The send queue is over `send_queue_soft`, or not.
    pub(super) fn note_queue(&mut self, is_over: bool, now: Duration) {
        if is_over {
            self.slow.get_or_insert(now);
        } else {
            self.slow = None;
        }
    }

    /// When the connection has something to do though no bytes come.
    pub(super) fn deadline(&self, phase: Phase, limits: &Limits) -> Duration {
        match phase {
            Phase::Hello => self.accepted + HELLO,
            Phase::Finishing => self.accepted + FINISHED,
            Phase::Closing => self.closing.unwrap_or_default() + FLUSH,
            Phase::Closed => Duration::MAX,
            Phase::Open => {
                let login = self.unauthenticated.map(|since| since + LOGIN);
                let slow = self.slow.map(|since| since + SLOW);
                let ping = if self.pinged { 0 } else { limits.ping_seconds };
                let silence = [ping, limits.dead_seconds].into_iter().filter(|s| *s > 0);
                let silence = silence.map(|s| self.heard + Duration::from_secs(s)).min();
                let deadlines = [login, slow, silence].into_iter().flatten();
                deadlines.min().unwrap_or(Duration::MAX)
            }
        }
    }

    /// What an open connection has to do now.
    pub(super) fn due(&self, limits: &Limits, now: Duration) -> Option<Due> {
        let silent = now.saturating_sub(self.heard);
        let silent = |seconds: u64| seconds > 0 && silent >= Duration::from_secs(seconds);
        let is_over = |since: Option<Duration>, most| since.is_some_and(|at| now >= at + most);
        if silent(limits.dead_seconds) {
            Some(Due::Silent)
        } else if is_over(self.unauthenticated, LOGIN) {
            Some(Due::Idle)
        } else if is_over(self.slow, SLOW) {
            Some(Due::Slow)
        } else if silent(limits.ping_seconds) && !self.pinged {
            Some(Due::Ping)
        } else {
            None
        }
    }
}
