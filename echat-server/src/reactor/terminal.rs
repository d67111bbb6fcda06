//! The server's terminal. Standard input that is not a terminal (a file, a pipe, /dev/null, or closed) is never read.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;
use std::io::{self, IsTerminal};
use std::os::fd::AsRawFd;

/// Bytes of one line; a terminal in canonical mode returns no longer ones.
const LINE: usize = 4096;

pub(super) struct Terminal {
    end: Option<TerminalEnd>,
}

/// Why the terminal is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TerminalEnd {
    /// Ctrl-D, the end-of-file character.
    Typed,
    /// The terminal is gone, because its window or connection was closed.
    Gone,
}

impl Terminal {
    /// The terminal on standard input, if there is one.
    pub(super) fn open(registry: &Registry, token: Token) -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        registry.register(
            &mut SourceFd(&stdin().as_raw_fd()),
            token,
            Interest::READABLE,
        )?;
        Ok(Some(Self { end: None }))
    }

    /// The typed lines. The terminal stays in the blocking mode that it shares with the shell, so each read is preceded
    /// by a poll.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while self.end.is_none() && in_foreground() && has_line() {
            let mut line = [0; LINE];
            match rustix::io::read(stdin(), &mut line) {
                Ok(0) => self.end = Some(TerminalEnd::Typed),
                Err(_) => self.end = Some(TerminalEnd::Gone),
                Ok(length) => lines.push(String::from_utf8_lossy(&line[..length]).into_owned()),
            }
        }
        lines
    }

    /// Records that the terminal hung up.
    pub(super) fn hang_up(&mut self) {
        self.end = Some(TerminalEnd::Gone);
    }

    /// Why the terminal is closed, if it is.
    pub(super) fn end(&self) -> Option<TerminalEnd> {
        self.end
    }
}

/// Stops reading the terminal; later input is for other programs.
pub(super) fn forget(registry: &Registry) {
    // It was registered, so this cannot fail in practice.
    let _ = registry.deregister(&mut SourceFd(&stdin().as_raw_fd()));
}

/// Whether the server is in the foreground. In the background the input belongs to the shell, and reading it would stop
/// the server.
fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

fn has_line() -> bool {
    let stdin = stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// The text for an administrator who closes the console.
pub(super) fn farewell() -> String {
    let process = std::process::id();
    format!("console closed; the server continues. To stop it: Ctrl-C, or kill {process}\n")
}
