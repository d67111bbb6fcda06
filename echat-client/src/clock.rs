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
