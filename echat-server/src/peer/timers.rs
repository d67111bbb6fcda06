//! The time-outs of a connection: handshake, login, silence, a slow reader, the flush before a close.
//!
//! Deadlines of idle connections are put off so that many share a wake-up: those of silence to a multiple of
//! [`interval`], 5 s with the default limits, and that of a missing login to a whole second. Clients answer the first
//! PINGs of a burst while the last ones are sent, so the server reads many PONGs a wake-up. A PONG is no work for a
//! tick, and an idle connection owns no buffer.

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

    /// When the connection has something to do though no bytes come. Deadlines of idle connections are shared: see the
    /// module.
    pub(super) fn deadline(&self, limits: &Limits) -> Duration {
        let ping = if self.pinged { 0 } else { limits.ping_seconds };
        let silence = [ping, limits.dead_seconds].into_iter().filter(|s| *s > 0);
        let silence = silence.map(|s| self.heard.running() + Duration::from_secs(s));
        let silence = silence.min().map(|at| put_off(at, interval(limits)));
        let login = self.login_deadline().map(|at| put_off(at, 1));
        let idle = silence.into_iter().chain(login).min();
        let slow = self.slow.running().saturating_add(SLOW);
        idle.map_or(slow, |at| at.min(slow))
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

/// Silence is looked at every so many seconds: a twelfth of `ping_seconds`, or of the time that a client then has to
/// answer if that is shorter, and at least one second.
fn interval(limits: &Limits) -> u64 {
    let ping = limits.ping_seconds;
    let answer = match limits.dead_seconds {
        0 => ping,
        dead => dead.saturating_sub(ping),
    };
    (ping.min(answer) / 12).max(1)
}

/// The next multiple of so many seconds.
fn put_off(at: Duration, seconds: u64) -> Duration {
    let begun = u64::from(at.subsec_nanos() > 0);
    let whole = at.as_secs().saturating_add(begun);
    let multiple = whole.checked_next_multiple_of(seconds);
    multiple.map_or(at, Duration::from_secs)
}
