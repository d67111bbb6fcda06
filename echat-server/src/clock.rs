//! Time as it is passed in: only main and the reactor read a clock.

use std::time::Duration;

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the process started; never goes back. All time-outs go by it.
    pub running: Duration,
    /// Unix seconds; may jump. Only times that users see go by it. Times before 1970 are 0.
    pub unix: i64,
}
