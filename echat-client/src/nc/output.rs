//! The two outputs: messages on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Back to the first column, and rid of what stands in this line.
const ERASE_LINE: &str = "\r\x1b[K";

/// One line of standard output, at once.
pub fn line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Writes to standard error. A failure of that cannot be reported.
pub fn diagnostic(text: &dyn Display) {
    let _ = writeln!(io::stderr(), "echat-nc: {text}");
}

/// A question, or a prompt; the line stays open.
pub fn ask(text: &str) {
    let _ = write!(io::stderr(), "{text}");
}

/// Takes a prompt away, to make room for a line.
pub fn erase() {
    ask(ERASE_LINE);
}
