//! The server's own terminal. Only a terminal: a file, a pipe, /dev/null or a closed stdin is not
//! looked at and so costs nothing.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::stdio::stdin;
use rustix::termios::tcgetpgrp;
use std::io::{self, IsTerminal};
use std::os::fd::AsRawFd;

/// Bytes of one line; a terminal in its canonical mode gives no longer ones.
const LINE: usize = 4096;

pub(super) struct Terminal {
    end: Option<End>,
}

/// Why nothing will be typed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Ctrl-D, the end-of-file character.
    Typed,
    /// The terminal is gone: its window was closed, the connection to it was cut.
    Gone,
}

impl Terminal {
    /// The terminal on stdin, if there is one.
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

    /// The lines that were typed. The terminal stays in its blocking mode, which it shares with the
    /// shell: each read is asked for first.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while self.end.is_none() && in_foreground() && has_line() {
            let mut line = [0; LINE];
            match rustix::io::read(stdin(), &mut line) {
                Ok(0) => self.end = Some(End::Typed),
                Err(_) => self.end = Some(End::Gone),
                Ok(length) => lines.push(String::from_utf8_lossy(&line[..length]).into_owned()),
            }
        }
        lines
    }

    /// The other end of the terminal is closed.
    pub(super) fn hang_up(&mut self) {
        self.end = Some(End::Gone);
    }

    /// Whether and why nothing will be typed again.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }
}

/// Looks at the terminal no more: what is typed from now on is for other programs.
pub(super) fn forget(registry: &Registry) {
    // It was registered, so this fails only if the system forgot it.
    let _ = registry.deregister(&mut SourceFd(&stdin().as_raw_fd()));
}

/// In the background, what is typed is the shell's, and reading it would stop the server.
fn in_foreground() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

fn has_line() -> bool {
    let stdin = stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// What an administrator reads who has closed the console.
pub(super) fn farewell() -> String {
    let process = std::process::id();
    format!("console closed; the server goes on. To stop it: Ctrl-C, or kill {process}\n")
}
