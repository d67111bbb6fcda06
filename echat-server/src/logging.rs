//! The log: stderr, one line an event, times in UTC as RFC 3339.

use std::io::{self, IsTerminal, Write};

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
}
