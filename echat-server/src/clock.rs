//! Time as it is passed in. The reactor reads the clocks, and `main` for commands in place of serving; the log has a
//! clock of its own for its time stamps.

use std::time::Duration;

/// Seconds of an hour of [`Now::unix`].
pub(crate) const HOUR: i64 = 60 * 60;
/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// The last time that can be named or imported, in unix seconds: the end of the year 9999.
pub(crate) const LAST_TIME: i64 = 253_402_300_799;

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the process started; never goes back. Time-outs, rates and retries go by it.
    pub running: Duration,
    /// Unix seconds; may jump. Times that are stored go by it: those that users see, and the ends of bans, suspensions,
    /// secrets and retention. Times before 1970 are 0.
    pub unix: i64,
}

/// A time of [`Now::running`] in eight bytes, to the nanosecond, for what every connection keeps. It ends after 584
/// years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Later than every other.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The time as a duration; [`Duration::MAX`] for [`NEVER`](Self::NEVER).
    pub(crate) fn running(self) -> Duration {
        if self == Self::NEVER {
            Duration::MAX
        } else {
            Duration::from_nanos(self.0)
        }
    }
}

impl From<Duration> for Moment {
    fn from(running: Duration) -> Self {
        u64::try_from(running.as_nanos()).map_or(Self::NEVER, Self)
    }
}
