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

/// Where a line comes from that is none of an event.
const TARGET: &str = "echat_server";

/// The form of a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    format: LogFormat,
    /// Whether each line begins with its priority (sd-daemon(3)), which the journal takes off.
    has_priority: bool,
}

impl Style {
    pub(super) const fn new(format: LogFormat, has_priority: bool) -> Self {
        Self {
            format,
            has_priority,
        }
    }

    /// A line with its newline, without colours.
    pub(super) fn line(self, level: Level, target: &str, message: &str) -> String {
        let time = now();
        let line = match self.format {
            LogFormat::Text => format!("{time} {level:>5} {target}: {message}"),
            LogFormat::Json => {
                let mut entries = head(time, level, target);
                entries.push(("message".to_owned(), message.into()));
                to_json(&Value::Dict(entries))
            }
        };
        format!("{}{line}\n", self.prefix(level))
    }

    /// A line of the log for each line of a text.
    pub(super) fn lines(self, level: Level, text: &str) -> String {
        let line = |line| self.line(level, TARGET, &escape(line));
        text.lines().map(line).collect()
    }

    fn prefix(self, level: Level) -> String {
        if self.has_priority {
            format!("<{}>", priority(level))
        } else {
            String::new()
        }
    }
}

/// The lines of a text on a standard error without a log: for people, and with priorities for the journal.
pub(super) fn outside_of_the_log(level: Level, text: &str) -> String {
    let prefix = Style::new(LogFormat::Text, is_journal()).prefix(level);
    let text = format!("echat-server: {text}");
    let line = |line| format!("{prefix}{line}\n");
    text.lines().map(line).collect()
}

/// How events become lines.
pub(super) struct Form {
    text: Format<Full, SystemTime>,
    style: Style,
}

impl Form {
    pub(super) fn new(style: Style) -> Self {
        Self {
            text: Format::default().with_timer(SystemTime),
            style,
        }
    }
}

/// The time as in a line.
fn now() -> String {
    let mut time = String::new();
    // Writing to a String cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    time
}

/// The first entries of a line in JSON.
fn head(time: String, level: Level, target: &str) -> Vec<(String, Value)> {
    vec![
        ("time".to_owned(), Value::Str(time)),
        ("level".to_owned(), level.as_str().into()),
        ("target".to_owned(), target.into()),
    ]
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
        let metadata = event.metadata();
        out.write_str(&self.style.prefix(*metadata.level()))?;
        if self.style.format == LogFormat::Text {
            return self.text.format_event(context, out, event);
        }
        let mut line = JsonFields(head(now(), *metadata.level(), metadata.target()));
        event.record(&mut line);
        writeln!(out, "{}", to_json(&Value::Dict(line.0)))
    }
}

/// The entries of a line in JSON.
struct JsonFields(Vec<(String, Value)>);

impl Visit for JsonFields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name().to_owned(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = Value::Str(escape(value));
        self.0.push((field.name().to_owned(), text));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name().to_owned(), Value::Bool(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = escape(&format!("{value:?}"));
        self.0.push((field.name().to_owned(), Value::Str(text)));
    }
}
