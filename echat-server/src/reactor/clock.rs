//! The only place of the server that reads a clock.

use crate::clock::Now;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic time since the start of the server, and the time of day.
pub(super) struct Clock {
    started: Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the reactor is where the clock is read"
)]
impl Clock {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// The time since the start of the server.
    pub(super) fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// What tells the same time elsewhere.
    pub(super) fn stopwatch(&self) -> impl Fn() -> Duration + 'static {
        let started = self.started;
        move || started.elapsed()
    }

    /// The present moment by both clocks. A time of day before 1970 counts as 1970.
    pub(super) fn now(&self) -> Now {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            running: self.running(),
            unix: i64::try_from(unix.as_secs()).unwrap_or(i64::MAX),
        }
    }
}
