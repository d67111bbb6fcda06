//! The one place of the client that reads a clock; everything else is told what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the program started; it never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that begins at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that loops are given"
    )]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time since [`Clock::start`].
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The time since 1970, as the system has it; it may go back.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that loops are given"
    )]
    pub fn unix(&self) -> Duration {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }

    /// How long the machine has been suspended since it started: what [`Clock::now`] left out.
    #[cfg(target_os = "linux")]
    pub fn suspended(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        let read = |id| Duration::try_from(clock_gettime(id)).unwrap_or_default();
        read(ClockId::Boottime).saturating_sub(read(ClockId::Monotonic))
    }

    /// How long the machine has been suspended since [`Clock::start`], or longer: on macOS
    /// CLOCK_MONOTONIC goes on during a suspension, and [`Instant`] does not.
    #[cfg(not(target_os = "linux"))]
    pub fn suspended(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
        now.saturating_sub(self.now())
    }
}

/// Reads a number of seconds, which may have a fraction. More than a [`Duration`] holds is its maximum.
pub(crate) fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_any_size_are_read() {
        for (text, duration) in [
            ("0", Some(Duration::ZERO)),
            ("5", Some(Duration::from_secs(5))),
            ("0.25", Some(Duration::from_millis(250))),
            ("18446744073709551615", Some(Duration::MAX)),
            ("1e300", Some(Duration::MAX)),
            ("inf", Some(Duration::MAX)),
            ("-1", None),
            ("nan", None),
            ("5 s", None),
            ("", None),
        ] {
            assert_eq!(parse_seconds(text), duration, "{text:?}");
        }
    }
}
