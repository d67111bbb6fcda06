//! What was measured: for each server and metric one value a round.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::super::figure::number;

/// Buckets of a histogram for each doubling of the latency.
const PER_DOUBLING: f64 = 2.0;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    /// Microseconds of the server's processor for each message that arrives at a member.
    Delivery { members: usize, window: u64 },
    /// Microseconds of the server's processor for each private message with its acknowledgement.
    Private,
    /// Milliseconds from a sender to a member in a room of 100, 100 messages a second; the median.
    LatencyP50,
    /// The same; 99 of 100 are faster.
    LatencyP99,
    /// Microseconds of the server's processor for a connection that is made and closed.
    Handshake,
    /// KiB of memory for each idle connection.
    IdleMemory,
    /// Percent of a processor for all idle connections.
    IdleCpu,
}

/// Everything that was measured in one run.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// Every server with its version; `None` if it is not installed.
    pub(super) servers: Vec<(&'static str, Option<String>)>,
    pub(super) machine: Vec<(&'static str, String)>,
    figures: BTreeMap<Metric, BTreeMap<&'static str, Vec<f64>>>,
    histograms: BTreeMap<&'static str, Histogram>,
}

/// The values of all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// Counts of latencies in buckets of equal ratio.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// By number of the bucket: bucket `n` begins at `2^(n / 2)` microseconds.
    counts: BTreeMap<i32, u64>,
}

impl Results {
    pub(super) fn add(&mut self, server: &'static str, metric: Metric, value: f64) {
        let of_metric = self.figures.entry(metric).or_default();
        of_metric.entry(server).or_default().push(value);
    }

    pub(super) fn add_latencies(&mut self, server: &'static str, latencies: &[Duration]) {
        let histogram = self.histograms.entry(server).or_default();
        for latency in latencies {
            histogram.add(*latency);
        }
    }

    /// The metrics that were measured, in the order of the table.
    pub(super) fn metrics(&self) -> impl Iterator<Item = Metric> + '_ {
        self.figures.keys().copied()
    }

    pub(super) fn spread(&self, server: &str, metric: Metric) -> Option<Spread> {
        let mut values = self.figures.get(&metric)?.get(server)?.clone();
        values.sort_unstable_by(f64::total_cmp);
        Some(Spread {
            median: *values.get(values.len() / 2)?,
            min: *values.first()?,
            max: *values.last()?,
        })
    }

    pub(super) fn histogram(&self, server: &str) -> Option<&Histogram> {
        self.histograms.get(server)
    }

    /// Medians of all servers as lines of text, for standard output.
    pub(super) fn summary(&self) -> String {
        let mut text = String::new();
        for metric in self.metrics() {
            let of_metric = self.servers.iter().filter_map(|(server, _)| {
                let spread = self.spread(server, metric)?;
                Some(format!("{server} {}", significant(spread.median)))
            });
            let medians: Vec<String> = of_metric.collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{metric:?}: {}", medians.join(", "));
        }
        text
    }
}

impl Histogram {
    fn add(&mut self, latency: Duration) {
        let micros = (latency.as_secs_f64() * 1e6).max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "a minute is bucket 51")]
        let bucket = (micros.log2() * PER_DOUBLING).floor() as i32;
        *self.counts.entry(bucket).or_default() += 1;
    }

    /// The buckets from the first to the last that has anything: bounds in milliseconds, and percent of all.
    pub(super) fn shares(&self) -> Vec<(f64, f64, f64)> {
        let all: u64 = self.counts.values().sum();
        let bound = |bucket: i32| (f64::from(bucket) / PER_DOUBLING).exp2() / 1e3;
        let (Some(first), Some(last)) = (self.counts.keys().next(), self.counts.keys().next_back())
        else {
            return Vec::new();
        };
        (*first..=*last)
            .map(|bucket| {
                let count = self.counts.get(&bucket).copied().unwrap_or_default();
                let share = 100.0 * number(count) / number(all);
                (bound(bucket), bound(bucket + 1), share)
            })
            .collect()
    }
}

/// The value that this share of a sorted list does not exceed.
pub(super) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let at = (number(last as u64) * share).round() as usize;
    sorted.get(at.min(last)).copied().unwrap_or_default()
}

/// Three digits that mean something, and all before the point.
pub(super) fn significant(value: f64) -> String {
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_rounds_counts_and_the_spread_is_shown() {
        let mut results = Results::default();
        for value in [3.0, 9.0, 1.0] {
            results.add("echat", Metric::Private, value);
        }
        let spread = results.spread("echat", Metric::Private);
        let expected = Spread {
            median: 3.0,
            min: 1.0,
            max: 9.0,
        };
        assert_eq!(spread, Some(expected));
        assert_eq!(results.spread("redis", Metric::Private), None);
    }

    #[test]
    fn quantiles_are_values_of_the_list() {
        let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5).as_millis(), 51);
        assert_eq!(quantile(&sorted, 0.99).as_millis(), 99);
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn a_bucket_holds_latencies_of_a_ratio() {
        let mut histogram = Histogram::default();
        for micros in [1024, 1025, 1400, 2048] {
            histogram.add(Duration::from_micros(micros));
        }
        let shares = histogram.shares();
        assert_eq!(shares.len(), 3);
        assert!((shares[0].0 - 1.024).abs() < 1e-9, "{shares:?}");
        let of_all: Vec<f64> = shares.iter().map(|bucket| bucket.2).collect();
        assert_eq!(of_all, [75.0, 0.0, 25.0]);
    }
}
