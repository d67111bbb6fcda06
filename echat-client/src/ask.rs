//! A question to a person that only a typed yes answers.

use std::io::{self, IsTerminal, Write};

use rustix::io::Errno;

/// Whether a person reads questions and types answers.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal, and waits for a typed yes. A terminal in raw mode must have left it.
pub fn yes(mut out: impl Write, question: &str) -> io::Result<bool> {
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = [0; 256];
    // A terminal gives one line to one read, so that lines behind it stay for what follows.
    let length = loop {
        match rustix::io::read(rustix::stdio::stdin(), &mut answer[..]) {
            Ok(length) => break length,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    Ok(answer[..length].trim_ascii() == b"yes")
}
