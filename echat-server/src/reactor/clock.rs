//! The one place of the server that reads a clock.

use crate::clock::Now;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time since the server started, which never goes back, and the time of day.
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

    /// How long the server has been running.
    pub(super) fn running(&self) -> Duration {
        self.started.elapsed()
    }

    /// This moment by both clocks. A time of day before 1970 reads as 1970.
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
