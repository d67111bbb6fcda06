//! The connection to the server as one state machine, from the first attempt to the last: when to
//! connect, how long to back off, when to ping and when to give up. Pure: the caller passes the
//! time in and carries out each [`Action`]. It holds no socket.
//!
//! The back-off ends with a reply to a request that is not repeated on every connection, with a requested PONG, or with
//! a login that lasted a minute. The caller judges silence after it has read the socket, so a stopped process does not
//! mistake unread bytes for silence.
//!
//! ```text
//!           connect               opened                logged_in
//!  Offline --------> Dialling ------------> LoggedOut <----------> Online
//!     ^              ^     |                    |     logged_out      |
//!     |         due, |     | lost               | lost                | lost
//!     |      connect |     v                    v                     v
//!     +------------- Waiting <----------------------------------------+
//!        closed
//! ```

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::net::liveness::{Liveness, Periods, Verdict};

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest wait after the first failure. It doubles with each further one.
const SHORTEST: Duration = Duration::from_secs(1);
/// A login that held for so long makes up for the failures before it.
const SETTLED: Duration = Duration::from_mins(1);

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none, and the client makes none until [`Connection::connect`].
    Offline,
    /// There is none; the next attempt is at this time.
    Waiting(Duration),
    /// The caller connects.
    Dialling {
        /// Whether the user asked for this attempt and expects to be told its outcome.
        requested: bool,
    },
    /// The channel is open, and no login holds on it.
    LoggedOut,
    /// The login holds since this time.
    Online(Duration),
}

/// Something that the caller has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connect, and report [`Connection::opened`] or [`Connection::lost`].
    Dial,
    /// Send a PING.
    Ping,
    /// Nothing is heard any more: close without a goodbye, and report [`Connection::lost`].
    GiveUp,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Connection {
    state: State,
    /// Connections that failed since one was useful. It grows the back-off and nothing else.
    failures: u32,
    liveness: Liveness,
    /// PINGs of this connection without a PONG. A PONG beyond them proves nothing.
    pings: u32,
    /// Whether this attempt was made before its time.
    is_early: bool,
    jitter: StdRng,
}

impl Connection {
    /// No connection yet. `seed` is random, so that clients which lost their server at the same
    /// moment do not come back at the same moment.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: State::Offline,
            failures: 0,
            liveness: Liveness::new(Periods::default(), Duration::ZERO),
            pings: 0,
            is_early: false,
            jitter: StdRng::seed_from_u64(seed),
        }
    }

    /// The state.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Whether the channel is open.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::LoggedOut | State::Online(_))
    }

    /// Whether a login holds.
    pub(crate) fn is_online(&self) -> bool {
        matches!(self.state, State::Online(_))
    }

    /// Whether a connection is under way, now or after a wait.
    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.state, State::Waiting(_) | State::Dialling { .. })
    }

    /// How many connections failed since one was useful.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Connects now, from [`State::Offline`] with a new back-off, from
    /// [`State::Waiting`] before its time. `requested` is kept in [`State::Dialling`].
    pub(crate) fn connect(&mut self, requested: bool) -> Option<Action> {
        match self.state {
            State::Offline => self.failures = 0,
            State::Waiting(_) => self.is_early = true,
            State::Dialling { .. } | State::LoggedOut | State::Online(_) => return None,
        }
        self.state = State::Dialling { requested };
        Some(Action::Dial)
    }

    /// The channel is open.
    pub(crate) fn opened(&mut self, now: Duration) {
        self.state = State::LoggedOut;
        self.is_early = false;
        self.liveness = Liveness::new(Periods::default(), now);
        self.pings = 0;
    }

    /// A login holds. That alone does not end the back-off: what was sent after it may be what
    /// the server closes for.
    pub(crate) fn logged_in(&mut self, now: Duration) {
        self.state = State::Online(now);
    }

    /// The login ended, and the channel did not.
    pub(crate) fn logged_out(&mut self) {
        if self.is_online() {
            self.state = State::LoggedOut;
        }
    }

    /// The server answered something that is not asked again with every connection. The back-off
    /// begins anew.
    pub(crate) fn got_through(&mut self) {
        self.failures = 0;
    }

    /// A PONG came.
    pub(crate) fn pong(&mut self) {
        if self.pings > 0 {
            self.pings -= 1;
            if self.is_online() {
                self.got_through();
            }
        }
    }

    /// Bytes came.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.liveness.heard(now);
    }

    /// The machine was suspended or the process stopped. An open connection is asked about at
    /// once, and a wait is over: the network may be another one.
    pub(crate) fn woke(&mut self, now: Duration) {
        self.liveness.woke();
        if let State::Waiting(until) = &mut self.state {
            *until = now.min(*until);
        }
    }

    /// The connection is gone or did not come up, and comes back after the back-off.
    pub(crate) fn lost(&mut self, now: Duration) {
        if matches!(self.state, State::Online(since) if now.saturating_sub(since) >= SETTLED) {
            self.failures = 0;
        }
        // An early attempt does not lengthen later waits.
        if !std::mem::take(&mut self.is_early) {
            self.failures = self.failures.saturating_add(1);
        }
        self.state = State::Waiting(now + self.back_off());
    }

    /// The connection is gone or did not come up, and stays away.
    pub(crate) fn closed(&mut self) {
        self.state = State::Offline;
    }

    /// What to do at `now`. `waits`: whether the client waits for something from the server.
    pub(crate) fn due(&mut self, now: Duration, waits: bool) -> Option<Action> {
        match self.state {
            State::Offline | State::Dialling { .. } => None,
            State::Waiting(until) if now < until => None,
            State::Waiting(_) => {
                self.state = State::Dialling { requested: false };
                Some(Action::Dial)
            }
            State::LoggedOut | State::Online(_) => match self.liveness.check(now, waits) {
                Verdict::Alive => None,
                Verdict::Ping => {
                    self.pings += 1;
                    Some(Action::Ping)
                }
                Verdict::Dead => Some(Action::GiveUp),
            },
        }
    }

    /// When [`Connection::due`] has something to do, if nothing happens before.
    pub(crate) fn due_at(&self, waits: bool) -> Option<Duration> {
        match self.state {
            State::Offline | State::Dialling { .. } => None,
            State::Waiting(until) => Some(until),
            State::LoggedOut | State::Online(_) => Some(self.liveness.due(waits)),
        }
    }

    /// Exponential back-off with jitter: between half of the longest wait for this many failures
    /// and all of it.
    fn back_off(&mut self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let longest = (SHORTEST * (1 << doublings)).min(LONGEST);
        self.jitter.random_range(longest / 2..=longest)
    }
}

#[cfg(test)]
mod tests;
