//! The log: stderr, one line an event, times in UTC as RFC 3339. And what is said of a panic.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::panic::{self, PanicHookInfo};
use std::thread;

use tracing_subscriber::fmt::time::SystemTime;

use crate::config::LogFilter;

/// Sends this process's events to stderr from now on; colours only on a terminal. A second call
/// changes nothing.
pub fn init(filter: &LogFilter) {
    let ansi = io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter.to_env_filter())
        .with_writer(move || OneLine {
            out: io::stderr(),
            ansi,
        })
        .with_ansi(ansi)
        .with_timer(SystemTime)
        // It would report a closed stderr with eprintln, which panics on a closed stderr.
        .log_internal_errors(false)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// From now on a panic is told by where it happened, and by a backtrace if the environment asks for
/// one. Its message may quote a password or somebody's text, so it is kept back.
pub fn report_panics_without_contents() {
    panic::set_hook(Box::new(|info| report(&mut io::stderr(), info)));
}

fn report(out: &mut impl Write, info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("?");
    let place = info.location().map_or("?".to_owned(), ToString::to_string);
    let backtrace = Backtrace::capture();
    // With stderr closed there is nobody to tell.
    let _ = writeln!(out, "echat-server: a bug: {name} panicked at {place}");
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(out, "{backtrace}");
    }
}

/// Writes each event, which arrives whole, as one line: a control character in it, which could
/// forge a second line or move the cursor, is escaped.
struct OneLine<W> {
    out: W,
    /// ESC is the formatter's own colours; it has already escaped those of values.
    ansi: bool,
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = String::with_capacity(text.len() + 1);
        for char in text.chars() {
            if char.is_control() && !(self.ansi && char == '\u{1b}') {
                line.extend(char.escape_default());
            } else {
                line.push(char);
            }
        }
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn logged(event: &str, ansi: bool) -> String {
        let mut line = OneLine {
            out: Vec::new(),
            ansi,
        };
        line.write_all(event.as_bytes()).unwrap();
        String::from_utf8(line.out).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let event = "INFO name=a\nINFO forged\r\u{1b}[2J\u{9b}2J \u{4f60}\n";
        let line = "INFO name=a\\nINFO forged\\r\\u{1b}[2J\\u{9b}2J \u{4f60}\n";
        assert_eq!(logged(event, false), line);
    }

    #[test]
    fn colours_pass_on_a_terminal_and_line_ends_do_not() {
        assert_eq!(
            logged("\u{1b}[32mINFO\u{1b}[0m a\nb\n", true),
            "\u{1b}[32mINFO\u{1b}[0m a\\nb\n"
        );
    }

    #[test]
    fn a_panic_says_where_and_quotes_nothing() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (out, before) = (Arc::clone(&said), panic::take_hook());
        // Other tests may panic meanwhile: they are to be reported as ever.
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some("planted") {
                report(&mut *out.lock().expect("nobody panics with it"), info);
            } else {
                before(info);
            }
        }));
        let helper = thread::Builder::new().name("planted".into());
        let helper = helper.spawn(|| panic!("{}", "secret \u{1b}[2J".repeat(2)));
        assert!(helper.expect("a thread").join().is_err());
        let said = String::from_utf8(said.lock().expect("not poisoned").clone()).expect("UTF-8");
        let first = said.lines().next().expect("a line");
        let words = "echat-server: a bug: planted panicked at echat-server/src/logging.rs:";
        assert!(first.starts_with(words), "{first}");
        assert!(
            !said.contains("secret") && !said.contains('\u{1b}'),
            "{said}"
        );
    }
}
