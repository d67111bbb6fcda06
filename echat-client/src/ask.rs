//! A question to a person that only a typed yes answers.

use std::io::{self, IsTerminal, Write};

use rustix::io::Errno;

/// Whether a person reads questions and types answers.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal, and waits for a typed yes. A terminal in raw mode must have left it.
pub fn yes(out: impl Write, question: &str) -> io::Result<bool> {
    put(out, question)?;
    is_yes()
}

/// Asks, and does not wait.
pub fn put(mut out: impl Write, question: &str) -> io::Result<()> {
    write!(out, "{question}")?;
    out.flush()
}

/// Whether the line that is typed is a yes; waits for it.
pub fn is_yes() -> io::Result<bool> {
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
