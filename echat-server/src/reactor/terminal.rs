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
    closed: bool,
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
        Ok(Some(Self { closed: false }))
    }

    /// The lines that were typed. The terminal stays in its blocking mode, which it shares with the
    /// shell: each read is asked for first.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while !self.closed && in_foreground() && has_line() {
            let mut line = [0; LINE];
            match rustix::io::read(stdin(), &mut line) {
                Ok(0) | Err(_) => self.closed = true,
                Ok(length) => lines.push(String::from_utf8_lossy(&line[..length]).into_owned()),
            }
        }
        lines
    }

    /// Whether nothing will ever be typed again.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
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
