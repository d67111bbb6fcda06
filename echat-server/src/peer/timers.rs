//! The time-outs of a connection: handshake, login, silence, a slow reader, the flush before a close.
//!
//! Deadlines of silence and of a missing login are put off to a whole second, so 10,000 idle connections wake the loop
//! once a second for their PINGs. A PONG is no work for a tick, and an idle connection owns no buffer.

use crate::clock::Moment;
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

/// Since when each state lasts that has a time-out.
#[derive(Debug)]
pub(super) struct Timers {
    /// Since when the phase lasts: the accept, the end of the handshake or of a session, or the beginning of the close.
    since: Moment,
    /// When bytes came last.
    heard: Moment,
    /// Since when the send queue is over `send_queue_soft`; never if it is not.
    slow: Moment,
    /// Whether a PING was sent since bytes came.
    pinged: bool,
    authenticated: bool,
    closing: bool,
}

impl Timers {
    /// Those of a connection that was accepted now.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            since: now.into(),
            heard: now.into(),
            slow: Moment::NEVER,
            pinged: false,
            authenticated: false,
            closing: false,
        }
    }

    /// Bytes came.
    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = now.into();
        self.pinged = false;
    }

    /// A PING was sent.
    pub(super) fn pinged(&mut self) {
        self.pinged = true;
    }

    /// The handshake is done, or a session ended.
    pub(super) fn unauthenticated(&mut self, now: Duration) {
        self.authenticated = false;
        if !self.closing {
            self.since = now.into();
        }
    }

    /// A user logged in.
    pub(super) fn authenticated(&mut self) {
        self.authenticated = true;
    }

    /// Whether a user is logged in.
    pub(super) fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The connection is being closed.
    pub(super) fn closing(&mut self, now: Duration) {
        self.closing = true;
        self.since = now.into();
    }

    /// The send queue is over `send_queue_soft`, or not.
    pub(super) fn note_queue(&mut self, is_over: bool, now: Duration) {
        if !is_over {
            self.slow = Moment::NEVER;
        } else if self.slow == Moment::NEVER {
            self.slow = now.into();
        }
    }

    /// When the connection has something to do though no bytes come. A deadline of silence or of the login is shared: up
    /// to a second later.
    pub(super) fn deadline(&self, phase: Phase, limits: &Limits) -> Duration {
        let since = self.since.running();
        match phase {
            Phase::Hello => since + HELLO,
            Phase::Finishing => since + FINISHED,
            Phase::Closing => since + FLUSH,
            Phase::Closed => Duration::MAX,
            Phase::Open => {
                let heard = self.heard.running();
                let ping = if self.pinged { 0 } else { limits.ping_seconds };
                let silence = [ping, limits.dead_seconds].into_iter().filter(|s| *s > 0);
                let silence = silence.map(|s| heard + Duration::from_secs(s));
                let login = (!self.authenticated).then(|| since + LOGIN);
                let idle = silence.chain(login).min().map_or(Duration::MAX, shared);
                idle.min(self.slow.running().saturating_add(SLOW))
            }
        }
    }

    /// What an open connection has to do now.
    pub(super) fn due(&self, limits: &Limits, now: Duration) -> Option<Due> {
        let silent = now.saturating_sub(self.heard.running());
        let silent = |seconds: u64| seconds > 0 && silent >= Duration::from_secs(seconds);
        if silent(limits.dead_seconds) {
            Some(Due::Silent)
        } else if !self.authenticated && now >= self.since.running() + LOGIN {
            Some(Due::Idle)
        } else if now >= self.slow.running().saturating_add(SLOW) {
            Some(Due::Slow)
        } else if silent(limits.ping_seconds) && !self.pinged {
            Some(Due::Ping)
        } else {
            None
        }
    }
}

/// The next whole second. Deadlines of idle connections are put off to it, so that they share wake-ups: the PINGs of
/// 10,000 connections take one wake-up a second.
fn shared(at: Duration) -> Duration {
    let begun = u64::from(at.subsec_nanos() > 0);
    at.as_secs()
        .checked_add(begun)
        .map_or(at, Duration::from_secs)
}
