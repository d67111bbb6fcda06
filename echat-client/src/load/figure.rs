//! One thing that was measured.

use std::time::Duration;

use serde_json::{Value, json};

/// One thing that was measured.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) what: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
}

impl Figure {
    pub(super) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            value,
            unit,
        }
    }

    /// So many in so much time.
    pub(super) fn rate(what: impl Into<String>, count: u64, time: Duration) -> Self {
        Self::new(what, number(count) / time.as_secs_f64(), "a second")
    }

    /// Time of the processor for each of so many, in microseconds.
    pub(super) fn cost(what: impl Into<String>, count: u64, cpu: Duration) -> Self {
        Self::new(what, cpu.as_secs_f64() * 1e6 / number(count), "us")
    }

    /// The median of times, in milliseconds.
    pub(super) fn median(what: impl Into<String>, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        Self::new(what, middle.as_secs_f64() * 1e3, "ms")
    }

    /// A percentile of times, in milliseconds.
    pub(super) fn percentile(what: impl Into<String>, times: &[Duration], percent: usize) -> Self {
        let mut times = times.to_vec();
        times.sort_unstable();
        let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        let time = times.get(at).copied().unwrap_or_default();
        Self::new(what, time.as_secs_f64() * 1e3, "ms")
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "what": self.what, "value": self.value, "unit": self.unit })
    }
}

/// A count as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}
