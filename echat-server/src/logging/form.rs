//! The form of a line of the log: text or JSON, with a priority for the journal.

use super::LogFormat;
use crate::escape::escape;
use echat_proto::Value;
use echat_proto::json::to_json;
use std::env;
use std::fmt::{self, Debug};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How events become lines.
pub(super) struct Form {
    text: Format<Full, SystemTime>,
    format: LogFormat,
    /// Whether each line begins with its priority (sd-daemon(3)), which the journal takes off.
    has_priority: bool,
}

impl Form {
    pub(super) fn new(format: LogFormat, has_priority: bool) -> Self {
        Self {
            text: Format::default().with_timer(SystemTime),
            format,
            has_priority,
        }
    }
}

/// Whether standard error is connected to the journal of systemd (systemd.exec(5), JOURNAL_STREAM).
pub(super) fn is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    rustix::fs::fstat(rustix::stdio::stderr())
        .is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.has_priority {
            write!(out, "<{}>", priority(*event.metadata().level()))?;
        }
        if self.format == LogFormat::Text {
            return self.text.format_event(context, out, event);
        }
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        let mut line = Entries(vec![
            ("time".to_owned(), Value::Str(time)),
            ("level".to_owned(), metadata.level().as_str().into()),
            ("target".to_owned(), metadata.target().into()),
        ]);
        event.record(&mut line);
        writeln!(out, "{}", to_json(&Value::Dict(line.0)))
    }
}

/// The entries of a line in JSON.
struct Entries(Vec<(String, Value)>);

impl Visit for Entries {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name().to_owned(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name().to_owned(), Value::Bool(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = escape(&format!("{value:?}"));
        self.0.push((field.name().to_owned(), Value::Str(text)));
    }
}
