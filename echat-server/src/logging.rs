//! Standard error: the log (one line for each event, with times in UTC as RFC 3339), answers of the console, and
//! reports of panics. Everything passes through one bounded queue to a writer thread, so that a log that is not read
//! never stops the server. Lines without room are counted, and the count is written in their place.

mod file;
mod form;
mod queue;
mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Debug, Write as _};
use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tracing::field::Field;
use tracing::{Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{self, Writer};

use crate::config::{LogFilter, LogFormat};
use crate::escape::escape;
use crate::output::{self, Output};
use file::LogFile;
use form::{Form, Style};
use queue::LogQueue;
use writer::{Sink, Writer as QueueWriter};

/// The queue of this process to standard error.
static STDERR: LogQueue = LogQueue::new();
/// The queue of this process to the file of the log.
static FILE: LogQueue = LogQueue::new();
/// The path of the file of the log, if there is one.
static FILE_PATH: OnceLock<PathBuf> = OnceLock::new();
/// The form of the log on standard error, once it is known.
static STDERR_STYLE: OnceLock<Style> = OnceLock::new();
/// The form of the log in its file.
static FILE_STYLE: OnceLock<Style> = OnceLock::new();

/// The longest wait at the end of the process for its last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Dropped at the end of the process, it waits until all lines are written, for two seconds at most.
#[derive(Debug)]
#[must_use = "the last lines are lost without it"]
pub struct FlushGuard(());

impl Drop for FlushGuard {
    fn drop(&mut self) {
        STDERR.wait_until_written(LAST_LINES);
        FILE.wait_until_written(LAST_LINES);
    }
}

/// Starts the writer thread of standard error. Called once, before the first line.
///
/// # Errors
/// The system cannot start a thread.
pub fn start() -> io::Result<FlushGuard> {
    let writer = thread::Builder::new().name("log".to_owned());
    writer.spawn(|| {
        // Without the mask, lines are written too, except under `stty tostop`.
        let _ = output::write_from_the_background();
        QueueWriter::new(Output::stderr(), &STDERR_STYLE).run(&STDERR)
    })?;
    Ok(FlushGuard(()))
}

/// Queues whole lines for standard error. Never waits: if the queue is full, lines are dropped and counted.
pub fn say(text: &str) {
    STDERR.push(text.as_bytes());
}

/// Says why this process ends, where it panicked or what it complains of, whatever the filter: in the log and its form,
/// and on standard error if the log is a file or has not begun. It takes the same way as [`say`].
pub fn complain(level: Level, text: &str) {
    if let Some(style) = FILE_STYLE.get() {
        FILE.push(style.lines(level, text).as_bytes());
    }
    let lines = match STDERR_STYLE.get() {
        Some(style) => style.lines(level, text),
        None => form::outside_of_the_log(level, text),
    };
    STDERR.push(lines.as_bytes());
}

/// Where the log goes, and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// What is logged.
    pub filter: &'a LogFilter,
    /// The file; `None` for standard error.
    pub file: Option<&'a Path>,
    /// The form of a line.
    pub format: LogFormat,
}

/// Sends the events of this process to the log: standard error, with colours on a terminal and priorities for the
/// journal, or a file. A second call has no effect.
///
/// # Errors
/// The file cannot be opened, or the system cannot start its thread.
pub fn init(log: Log<'_>) -> io::Result<()> {
    let Log {
        filter,
        file,
        format,
    } = log;
    if let Some(path) = file {
        let file = LogFile::open(path)?;
        FILE_PATH.get_or_init(|| path.to_owned());
        let writer = thread::Builder::new().name("log file".to_owned());
        writer.spawn(|| QueueWriter::new(file, &FILE_STYLE).run(&FILE))?;
    }
    let (queue, known) = match file {
        Some(_) => (&FILE, &FILE_STYLE),
        None => (&STDERR, &STDERR_STYLE),
    };
    let is_stderr = file.is_none();
    let ansi = is_stderr && format == LogFormat::Text && io::stderr().is_terminal();
    let style = *known.get_or_init(|| Style::new(format, is_stderr && form::is_journal()));
    let (subscriber, set) = reloadable(filter, (ansi, Form::new(style)), move || LineWriter(queue));
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let _ = SET_FILTER.set(Box::new(set));
    }
    Ok(())
}

/// Opens the file of the log again, to which all lines from now on go; `None` if there is no file. If that fails, the
/// log goes on in the old file, wherever that is.
pub fn reopen() -> Option<io::Result<()>> {
    let Some(path) = FILE_PATH.get() else {
        tracing::info!("SIGUSR1: the log goes to standard error, no file is opened again");
        return None;
    };
    let opened = file::append_to(path).map(|file| FILE.continue_in(file));
    match &opened {
        Ok(()) => tracing::info!("SIGUSR1: the log goes on in this file"),
        Err(error) => {
            let shown = path.display();
            tracing::warn!("SIGUSR1: the log goes on in the old file: {shown}: {error}");
        }
    }
    Some(opened)
}

impl Sink for Output {}

/// Changes which events of this process are logged.
static SET_FILTER: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Logs what `filter` says from now on; nothing before [`init`].
pub fn set_filter(filter: &LogFilter) {
    if let Some(set) = SET_FILTER.get() {
        set(filter.to_env_filter());
    }
}

/// The formatter's output; it writes a whole event in one call.
struct LineWriter(&'static LogQueue);

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes events to `out`, one line each, with or without colours.
pub fn subscriber<W: Write + 'static>(
    filter: &LogFilter,
    ansi: bool,
    out: impl Fn() -> W + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    reloadable(filter, (ansi, Form::new(Style::default())), out).0
}

/// The same, and what changes its filter.
fn reloadable<W: Write + 'static>(
    filter: &LogFilter,
    (ansi, form): (bool, Form),
    out: impl Fn() -> W + Send + Sync + 'static,
) -> (
    impl Subscriber + Send + Sync,
    impl Fn(EnvFilter) + Send + Sync + 'static,
) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.to_env_filter())
        .with_writer(out)
        .with_ansi(ansi)
        // It would report a closed stderr by eprintln, which panics on a closed stderr.
        .log_internal_errors(false)
        .event_format(form)
        .fmt_fields(format::debug_fn(write_field).delimited(" "))
        .with_filter_reloading();
    let handle = builder.reload_handle();
    let set = move |filter| {
        // The subscriber lives as long as the process.
        let _ = handle.reload(filter);
    };
    (builder.finish(), set)
}

/// Writes a field; the message is a field too. Escapes characters that could forge a line, move the cursor or hide
/// text, before the formatter adds its own colours.
fn write_field(out: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let value = escape(&format!("{value:?}"));
    match field.name() {
        "message" => out.write_str(&value),
        name => write!(out, "{name}={value}"),
    }
}

/// Reports panics by their location, and with a backtrace if the environment requests one. The message is omitted,
/// because it may quote a password or a user's text.
pub fn report_panics_without_contents() {
    panic::set_hook(Box::new(|info| complain(Level::ERROR, &report(info))));
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("?");
    let place = info.location().map_or("?".to_owned(), ToString::to_string);
    let backtrace = Backtrace::capture();
    let mut text = format!("a bug: {name} panicked at {place}");
    if backtrace.status() == BacktraceStatus::Captured {
        // A string takes all text.
        let _ = write!(text, "\n{backtrace}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What an event with a hostile value becomes.
    fn logged(ansi: bool) -> String {
        let paper = Arc::new(Mutex::new(Vec::new()));
        let out = Arc::clone(&paper);
        let subscriber = subscriber(
            &LogFilter::parse("info").expect("a level"),
            ansi,
            move || Paper(Arc::clone(&out)),
        );
        let hostile = "a\nINFO forged\r\u{1b}[2J\u{9b}2J\u{202e} \u{4f60}";
        echat_testkit::log_capture::with_subscriber(subscriber, || {
            tracing::info!(name = %hostile, "is {hostile}");
        });
        let bytes = paper.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let shown = r"a\nINFO forged\r\u{1b}[2J\u{9b}2J\u{202e} 你";
        let line = logged(false);
        assert!(
            line.ends_with(&format!(": is {shown} name={shown}\n")),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn colours_are_the_formatters_and_no_values() {
        let line = logged(true);
        assert!(line.contains('\u{1b}'), "{line:?}");
        assert!(
            !line.contains("\u{1b}[2J") && line.lines().count() == 1,
            "{line:?}"
        );
    }

    #[test]
    fn each_line_of_a_complaint_is_a_line_of_the_log() {
        let complaint = "a bug: somewhere\n  0: a\u{1b}[2Jb";
        let lines = Style::new(LogFormat::Json, true).lines(Level::ERROR, complaint);
        assert_eq!(lines.lines().count(), 2, "{lines}");
        for (line, words) in lines
            .lines()
            .zip(["a bug: somewhere", r"  0: a\\u{1b}[2Jb"])
        {
            assert!(line.starts_with(r#"<3>{"time":""#), "{line}");
            assert!(line.contains(&format!(r#""message":"{words}""#)), "{line}");
        }
        let text = Style::default().lines(Level::ERROR, complaint);
        let words = " ERROR echat_server: ";
        assert!(text.lines().all(|line| line.contains(words)), "{text}");
    }

    #[test]
    fn a_panic_says_where_and_quotes_nothing() {
        let said = Arc::new(Mutex::new(String::new()));
        let (out, before) = (Arc::clone(&said), panic::take_hook());
        // Other tests may panic at the same time; those panics are reported as usual.
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some("planted") {
                *out.lock()
                    .expect("no thread panics while it holds the lock") = report(info);
            } else {
                before(info);
            }
        }));
        let worker = thread::Builder::new().name("planted".into());
        let worker = worker.spawn(|| panic!("{}", "secret \u{1b}[2J".repeat(2)));
        assert!(worker.expect("a thread").join().is_err());
        let said = said.lock().expect("not poisoned");
        let first = said.lines().next().expect("a line");
        let words = "a bug: planted panicked at echat-server/src/logging.rs:";
        assert!(first.starts_with(words), "{first}");
        assert!(
            !said.contains("secret") && !said.contains('\u{1b}'),
            "{said}"
        );
    }
}
