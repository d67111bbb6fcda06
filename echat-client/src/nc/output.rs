//! The two outputs: messages on standard output, everything else on standard error.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};

use echat_proto::terminal_text::is_hazard;

use crate::net::wait::BlockingWriter;

/// Back to the first column, and rid of what stands in this line.
const ERASE_LINE: &str = "\r\x1b[K";
/// Back to the first column: the line that comes is written over the prompt.
const RETURN: &str = "\r";

/// Standard error.
pub type Stderr = BlockingWriter<io::Stderr>;

/// Standard error.
pub fn stderr() -> Stderr {
    BlockingWriter::new(io::stderr())
}

/// Standard output.
pub fn stdout() -> BlockingWriter<io::StdoutLock<'static>> {
    BlockingWriter::new(io::stdout().lock())
}

/// One line of standard output, at once.
pub fn line(line: &str) -> io::Result<()> {
    let mut out = stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Writes to standard error. A failure of that cannot be reported. What the server said in it cannot control the
/// terminal.
pub fn diagnostic(text: &dyn Display) {
    let shown = visible(&text.to_string());
    let _ = writeln!(stderr(), "echat-nc: {shown}");
}

/// The lines of a text, with every character escaped that is not visible by itself.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hazard(character) && character != '\n' {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A question, or a prompt; the line stays open.
pub fn ask(text: &str) {
    let _ = write!(stderr(), "{text}");
}

/// Takes a prompt away, to make room for a line.
pub fn erase() {
    let knows_escapes = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    ask(if knows_escapes { ERASE_LINE } else { RETURN });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_controls_no_terminal() {
        let hostile = "line 1 is refused: \u{1b}]0;x\u{7}\u{9b}2J\r\u{202e}\n{\"a\":1}";
        let shown = "line 1 is refused: \\u{1b}]0;x\\u{7}\\u{9b}2J\\u{d}\\u{202e}\n{\"a\":1}";
        assert_eq!(visible(hostile), shown);
    }
}
