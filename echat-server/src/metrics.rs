//! What is measured of the server, as text for Prometheus (exposition format 0.0.4).
//!
//! Counts are plain numbers of their owners; a scrape copies them into a registry, and adds up what is queued. Only
//! durations are kept here, as histograms. Nothing here has a name or an address of a user.
//!
//! Labels are names of requests and codes, never what a user wrote. The reactor gives the engine the clock that
//! measures commits; a simulation gives it none.

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::time::Duration;

/// The type of the text, for HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The durations of something, from 100 µs to 1.6 s and more.
#[derive(Clone, Debug)]
pub struct Durations(Histogram);

impl Default for Durations {
    fn default() -> Self {
        Self(Histogram::new(exponential_buckets(0.0001, 2.0, 15)))
    }
}

impl Durations {
    /// Adds a duration.
    pub fn add(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}

/// Counts since the start, by a label.
pub type Labelled = BTreeMap<&'static str, u64>;

/// What the engine counts and knows.
#[derive(Clone, Debug, Default)]
pub struct EngineFacts {
    /// Connections.
    pub connections: usize,
    /// Sessions, of bots too.
    pub sessions: usize,
    /// Users with a session, without bots.
    pub users_online: usize,
    /// Connections whose requests wait for a turn.
    pub waiting: usize,
    /// Bytes that wait to be written to clients.
    pub send_queue_bytes: u64,
    /// Bytes of requests that were received and not handled.
    pub receive_queue_bytes: u64,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Logins.
    pub logins: u64,
    /// Messages that were accepted.
    pub messages: u64,
    /// The greatest id of a message; `None` if the database did not say.
    pub newest_message: Option<u64>,
    /// Messages that the search index does not have yet; `None` if the database did not say.
    pub search_lag: Option<u64>,
    /// Events that were queued for a connection, without answers.
    pub deliveries: u64,
    /// Bytes from clients.
    pub bytes_received: u64,
    /// Bytes to clients.
    pub bytes_sent: u64,
    /// Requests by name.
    pub requests: Labelled,
    /// Refusals by code.
    pub refusals: Labelled,
    /// Transactions that wrote something.
    pub commits: Durations,
}

/// What the loop measures, and what the system says.
#[derive(Clone, Debug, Default)]
pub struct SystemFacts {
    /// The start, in unix seconds.
    pub started_at: i64,
    /// Bytes of the database.
    pub database_bytes: Option<u64>,
    /// Bytes of its write-ahead log.
    pub log_bytes: Option<u64>,
    /// Bytes that are free on its disk.
    pub free_bytes: Option<u64>,
    /// When the last backup was made, in unix seconds; 0 if none is known though the server makes them by itself.
    pub backup_at: Option<i64>,
    /// Bytes of memory in RAM.
    pub resident_bytes: Option<u64>,
    /// Processor time.
    pub processor: Option<Duration>,
    /// Ticks of the engine.
    pub ticks: Durations,
}

/// A number of things in memory, as counts have it.
pub(crate) fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A registry that is filled once.
struct MetricsPage(Registry);

impl MetricsPage {
    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstGauge::new(whole(value)));
    }

    fn bytes(&mut self, name: &str, help: &str, value: Option<u64>) {
        if let Some(value) = value {
            let gauge = ConstGauge::new(whole(value));
            self.0.register_with_unit(name, help, Unit::Bytes, gauge);
        }
    }

    fn time(&mut self, name: &str, help: &str, unix: Option<i64>) {
        if let Some(unix) = unix {
            let gauge = ConstGauge::new(unix);
            self.0.register_with_unit(name, help, Unit::Seconds, gauge);
        }
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.0.register(name, help, ConstCounter::new(value));
    }

    fn counters(&mut self, name: &str, help: &str, label: &'static str, values: &Labelled) {
        let family = Family::<[(&str, &str); 1], Counter>::default();
        for (value, count) in values {
            family.get_or_create(&[(label, *value)]).inc_by(*count);
        }
        self.0.register(name, help, family);
    }

    fn durations(&mut self, name: &str, help: &str, durations: &Durations) {
        let histogram = durations.0.clone();
        self.0
            .register_with_unit(name, help, Unit::Seconds, histogram);
    }
}

/// The page of all metrics.
pub fn page(engine: &EngineFacts, system: &SystemFacts) -> String {
    let mut page = MetricsPage(Registry::with_prefix("echat"));
    of_engine(&mut page, engine);
    of_system(&mut page, system);
    let mut text = String::new();
    encode(&mut text, &page.0).expect("a string takes all text");
    text
}

fn of_engine(page: &mut MetricsPage, engine: &EngineFacts) {
    page.gauge("connections", "Connections", count(engine.connections));
    page.gauge("sessions", "Sessions, of bots too", count(engine.sessions));
    page.gauge(
        "users_online",
        "Users with a session, without bots",
        count(engine.users_online),
    );
    let help = "Connections whose requests wait for a turn";
    page.gauge("waiting_connections", help, count(engine.waiting));
    page.bytes(
        "send_queue",
        "Waiting to be written to clients; an event for many counts for each",
        Some(engine.send_queue_bytes),
    );
    page.bytes(
        "receive_queue",
        "Of requests that were received and not handled",
        Some(engine.receive_queue_bytes),
    );
    if let Some(id) = engine.newest_message {
        page.gauge("newest_message", "The greatest id of a message", id);
    }
    if let Some(lag) = engine.search_lag {
        page.gauge(
            "search_lag_messages",
            "Messages that the search index does not have yet",
            lag,
        );
    }
    page.counter(
        "accepted_connections",
        "Connections that were accepted",
        engine.accepted,
    );
    page.counter("logins", "Logins", engine.logins);
    page.counter("messages", "Messages that were accepted", engine.messages);
    page.counter(
        "deliveries",
        "Events that were queued for a connection",
        engine.deliveries,
    );
    page.counter(
        "received_bytes",
        "Bytes from clients",
        engine.bytes_received,
    );
    page.counter("sent_bytes", "Bytes to clients", engine.bytes_sent);
    page.counters(
        "requests",
        "Requests that were answered",
        "command",
        &engine.requests,
    );
    page.counters(
        "refusals",
        "Requests that were refused",
        "code",
        &engine.refusals,
    );
    page.durations(
        "commit_duration",
        "Transactions that wrote something",
        &engine.commits,
    );
}

fn of_system(page: &mut MetricsPage, system: &SystemFacts) {
    page.durations("tick_duration", "Ticks of the engine", &system.ticks);
    page.bytes("database_size", "The database", system.database_bytes);
    page.bytes(
        "write_ahead_log_size",
        "The write-ahead log",
        system.log_bytes,
    );
    page.bytes(
        "disk_free",
        "Free on the disk of the data folder",
        system.free_bytes,
    );
    page.time(
        "started_at",
        "The start of the server",
        Some(system.started_at),
    );
    page.time(
        "last_backup_at",
        "The last backup, made by the server or by a command",
        system.backup_at,
    );
    page.bytes("resident_memory", "Memory in RAM", system.resident_bytes);
    if let Some(processor) = system.processor {
        let help = "Processor time of all threads";
        let counter = ConstCounter::new(processor.as_secs_f64());
        page.0
            .register_with_unit("processor", help, Unit::Seconds, counter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_each_number_under_its_name() {
        let engine = EngineFacts {
            connections: 3,
            messages: 7,
            send_queue_bytes: 13,
            receive_queue_bytes: 17,
            search_lag: Some(11),
            requests: [("LOGIN", 2)].into(),
            refusals: [("bad_params", 5)].into(),
            ..EngineFacts::default()
        };
        engine.commits.add(Duration::from_millis(3));
        let system = SystemFacts {
            log_bytes: Some(4_096),
            ..SystemFacts::default()
        };
        let text = page(&engine, &system);
        for line in [
            "# TYPE echat_connections gauge",
            "echat_connections 3",
            "# TYPE echat_messages_total counter",
            "echat_messages_total 7",
            "echat_send_queue_bytes 13",
            "echat_receive_queue_bytes 17",
            "echat_search_lag_messages 11",
            "echat_requests_total{command=\"LOGIN\"} 2",
            "echat_refusals_total{code=\"bad_params\"} 5",
            "echat_commit_duration_seconds_count 1",
            "echat_commit_duration_seconds_bucket{le=\"0.0032\"} 1",
            "echat_write_ahead_log_size_bytes 4096",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        // What is not known is left out.
        for unknown in ["database_size", "newest_message", "processor"] {
            assert!(!text.contains(unknown), "{unknown}: {text}");
        }
    }
}
