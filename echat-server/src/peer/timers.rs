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
pub(super) const FINISHED: Duration = Duration::from_secs(10);
/// A login must begin to hold this long after FINISHED or LOGOUT.
const LOGIN: Duration = Duration::from_mins(1);
/// A flush before a close lasts at most this long.
pub(super) const FLUSH: Duration = Duration::from_secs(2);
/// How long a send queue may stay over `send_queue_soft`.
const SLOW: Duration = Duration::from_secs(30);

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

/// The time-outs of an open channel: each says since when it runs.
#[derive(Debug)]
pub(super) struct Timers {
    /// When bytes came last.
    heard: Moment,
    /// Whether a PING was sent since then.
    pinged: bool,
    /// Since when no user is logged in; never while one is.
    without_login: Moment,
    /// Since when the send queue is over `send_queue_soft`; never if it is not.
    slow: Moment,
}

impl Timers {
    /// Those of a channel that is open since now.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            heard: now.into(),
            pinged: false,
            without_login: now.into(),
            slow: Moment::NEVER,
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

    /// A user logged in.
    pub(super) fn logged_in(&mut self) {
        self.without_login = Moment::NEVER;
    }

    /// The session ended.
    pub(super) fn logged_out(&mut self, now: Duration) {
        self.without_login = now.into();
    }

    /// The send queue is over `send_queue_soft`, or not.
    pub(super) fn note_queue(&mut self, is_over: bool, now: Duration) {
        if !is_over {
            self.slow = Moment::NEVER;
        } else if self.slow == Moment::NEVER {
            self.slow = now.into();
        }
    }

    /// When the connection has something to do though no bytes come. A deadline of silence or of the login is shared:
    /// up to a second later.
    pub(super) fn deadline(&self, limits: &Limits) -> Duration {
        let heard = self.heard.running();
        let ping = if self.pinged { 0 } else { limits.ping_seconds };
        let silence = [ping, limits.dead_seconds].into_iter().filter(|s| *s > 0);
        let silence = silence.map(|s| heard + Duration::from_secs(s));
        let login = self.login_deadline();
        let idle = silence.chain(login).min().map_or(Duration::MAX, shared);
        idle.min(self.slow.running().saturating_add(SLOW))
    }

    /// When a login must begin to hold, if none does.
    fn login_deadline(&self) -> Option<Duration> {
        let is_awaited = self.without_login != Moment::NEVER;
        is_awaited.then(|| self.without_login.running() + LOGIN)
    }

    /// What the connection has to do now.
    pub(super) fn due(&self, limits: &Limits, now: Duration) -> Option<Due> {
        let silent = now.saturating_sub(self.heard.running());
        let silent = |seconds: u64| seconds > 0 && silent >= Duration::from_secs(seconds);
        if silent(limits.dead_seconds) {
            Some(Due::Silent)
        } else if self.login_deadline().is_some_and(|at| now >= at) {
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
