//! Whether a connection still carries bytes both ways: when to ping, and when to give up. Pure: the
//! caller passes the time in. A TCP connection whose peer or network disappeared looks like one on
//! which nothing is said, until something is sent and not answered.

use std::time::Duration;

/// How long silence may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Silence before a ping while the client waits for something.
    pub waiting: Duration,
    /// Silence before a ping while the client waits for nothing.
    pub idle: Duration,
    /// Silence after a ping before the connection counts as dead.
    pub answer: Duration,
}

impl Default for Periods {
    /// 30 s, 90 s and 15 s.
    fn default() -> Self {
        Self {
            waiting: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            answer: Duration::from_secs(15),
        }
    }
}

/// What a look at the connection shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing to do.
    Alive,
    /// Send a PING now. It counts as sent.
    Ping,
    /// A PING had no answer in time.
    Dead,
}

/// The silence of one connection. Any received byte ends it, not only a PONG.
#[derive(Clone, Debug)]
pub(crate) struct Liveness {
    periods: Periods,
    /// When the connection opened or the last bytes came.
    heard: Duration,
    /// When the PING was sent that nothing has followed yet.
    asked: Option<Duration>,
    /// Whether to ping without waiting for a period to end.
    at_once: bool,
}

impl Liveness {
    /// A connection that opened at `now`.
    pub(crate) fn new(periods: Periods, now: Duration) -> Self {
        Self {
            periods,
            heard: now,
            asked: None,
            at_once: false,
        }
    }

    /// Bytes came.
    pub(crate) fn heard(&mut self, now: Duration) {
        self.heard = now;
        self.asked = None;
    }

    /// The machine was suspended or the process stopped: the next [`Liveness::check`] asks for a
    /// ping. Bytes received before the pause prove nothing, so they do not prevent it.
    pub(crate) fn woke(&mut self) {
        self.at_once = true;
    }

    /// Decides what to do at `now`. `waits` says whether the client waits for something. Received
    /// bytes have to be reported first: see [`Liveness::heard`].
    pub(crate) fn check(&mut self, now: Duration, waits: bool) -> Verdict {
        if now < self.due(waits) {
            return Verdict::Alive;
        }
        if self.asked.is_some() && !self.at_once {
            return Verdict::Dead;
        }
        self.at_once = false;
        self.asked = Some(now);
        Verdict::Ping
    }

    /// When [`Liveness::check`] has something to do, if nothing is heard before.
    pub(crate) fn due(&self, waits: bool) -> Duration {
        let Periods {
            waiting,
            idle,
            answer,
        } = self.periods;
        match self.asked {
            _ if self.at_once => Duration::ZERO,
            Some(asked) => asked + answer,
            None if waits => self.heard + waiting,
            None => self.heard + idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Liveness {
        Liveness::new(Periods::default(), at(0))
    }

    #[test]
    fn a_silent_connection_is_pinged_and_given_up() {
        for (waits, asks) in [(true, 30), (false, 90)] {
            let mut liveness = opened();
            assert_eq!(liveness.check(at(asks - 1), waits), Verdict::Alive);
            assert_eq!(liveness.due(waits), at(asks));
            assert_eq!(liveness.check(at(asks), waits), Verdict::Ping);
            assert_eq!(liveness.check(at(asks + 14), waits), Verdict::Alive);
            assert_eq!(liveness.due(waits), at(asks + 15));
            assert_eq!(liveness.check(at(asks + 15), waits), Verdict::Dead);
        }
    }

    #[test]
    fn any_byte_is_an_answer() {
        let mut liveness = opened();
        assert_eq!(liveness.check(at(90), false), Verdict::Ping);
        liveness.heard(at(104));
        assert_eq!(liveness.check(at(120), false), Verdict::Alive);
        assert_eq!(liveness.due(false), at(194));
    }

    #[test]
    fn an_awaited_answer_after_a_long_silence_is_pinged_for_at_once() {
        let mut liveness = opened();
        assert_eq!(liveness.check(at(60), false), Verdict::Alive);
        assert_eq!(liveness.check(at(60), true), Verdict::Ping);
    }

    #[test]
    fn waking_pings_at_once_whatever_was_received_before() {
        let mut liveness = opened();
        liveness.woke();
        liveness.heard(at(1));
        assert_eq!(liveness.check(at(1), false), Verdict::Ping);
        assert_eq!(liveness.check(at(15), false), Verdict::Alive);
        // A ping that was under way during the pause gets its full time again.
        liveness.woke();
        assert_eq!(liveness.check(at(1_000), false), Verdict::Ping);
        assert_eq!(liveness.check(at(1_014), false), Verdict::Alive);
        assert_eq!(liveness.check(at(1_015), false), Verdict::Dead);
    }

    proptest! {
        /// A loop that sleeps until `due` and hears nothing gives up after one ping, within the
        /// longest period and an answer's; one that hears something in time never does.
        #[test]
        fn only_dead_connections_are_given_up(
            heard in prop::collection::vec((0..90_u64, any::<bool>()), 0..20),
            waits: bool,
        ) {
            let mut liveness = opened();
            let mut now = Duration::ZERO;
            for (pause, waits) in heard {
                let end = now + at(pause);
                while liveness.due(waits) < end {
                    now = now.max(liveness.due(waits));
                    // An answer comes to each ping.
                    prop_assert_ne!(liveness.check(now, waits), Verdict::Dead);
                    liveness.heard(now);
                }
                now = end;
                liveness.heard(now);
            }
            let silent_since = now;
            let mut pings = 0;
            loop {
                now = now.max(liveness.due(waits));
                match liveness.check(now, waits) {
                    Verdict::Alive => prop_assert!(false, "due and nothing to do"),
                    Verdict::Ping => pings += 1,
                    Verdict::Dead => break,
                }
            }
            prop_assert_eq!(pings, 1);
            let periods = Periods::default();
            let silence = if waits { periods.waiting } else { periods.idle };
            prop_assert_eq!(now, silent_since + silence + periods.answer);
        }
    }
}
