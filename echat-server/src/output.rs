//! Standard output and standard error, written without the locks of the standard library: a thread that
//! is stuck in a write holds nothing that another thread needs.

use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};

/// One of the two streams. A write may wait for as long as the reader likes: it belongs on a thread
/// of its own, which begins with [`write_from_the_background`].
pub struct Output(BorrowedFd<'static>);

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self(rustix::stdio::stdout())
    }

    /// Standard error.
    pub fn stderr() -> Self {
        Self(rustix::stdio::stderr())
    }
}

impl Write for Output {
    /// Through libc, where the tests of failing disks record it. Waits also where the stream is non-blocking, which another process that shares it may have made it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match nix::unistd::write(self.0, bytes) {
                Err(Errno::EAGAIN) => {
                    let mut fds = [PollFd::new(&self.0, PollFlags::OUT)];
                    poll(&mut fds, None)?;
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on this thread writes to the terminal from the background too. Under `stty tostop` a
/// write would stop the whole process otherwise (SIGTTOU, termios(3)).
///
/// # Errors
/// None on a POSIX system.
pub fn write_from_the_background() -> io::Result<()> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGTTOU);
    Ok(mask.thread_block()?)
}
