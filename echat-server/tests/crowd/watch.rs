//! Time, for what is measured and for a load that has a pace.

use std::thread;
use std::time::{Duration, Instant};

/// A watch that was started.
#[derive(Clone, Copy)]
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Lets time pass until the watch shows `moment`. Nothing is awaited by it: a load of fifty
    /// messages a second has to wait between them.
    pub(crate) fn pause_until(&self, moment: Duration) {
        while let Some(left) = moment.checked_sub(self.elapsed())
            && !left.is_zero()
        {
            thread::park_timeout(left);
        }
    }
}

/// Times that were measured.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn append(&mut self, mut times: Times) {
        self.0.append(&mut times.0);
    }

    /// The time that this part of them, in percent, does not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1).expect("something was measured");
        sorted[last * percent / 100]
    }
}

impl Extend<Duration> for Times {
    fn extend<I: IntoIterator<Item = Duration>>(&mut self, times: I) {
        self.0.extend(times);
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99, most] = [50, 99, 100].map(|percent| self.percentile(percent));
        let count = self.0.len();
        write!(
            to,
            "p50 {p50:.1?}, p99 {p99:.1?}, longest {most:.1?} of {count}"
        )
    }
}
