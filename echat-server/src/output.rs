//! Standard output and standard error without the locks of the standard library: a thread that is blocked in a write
//! holds nothing that another thread needs.

use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};

/// One of the two streams. A write blocks until the reader reads, so it belongs on a thread of its own, which first
/// calls [`write_from_the_background`].
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
    /// Writes through libc, where tests with failing disks record it. Blocks even if another process that shares the
    /// stream has made it non-blocking.
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

/// Lets this thread write to the terminal from the background. Otherwise, under `stty tostop`, a write would stop the
/// whole process (SIGTTOU, termios(3)).
///
/// # Errors
/// None on a POSIX system.
pub fn write_from_the_background() -> io::Result<()> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGTTOU);
    Ok(mask.thread_block()?)
}
