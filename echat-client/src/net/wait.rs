//! Waiting: until something can be read or written, or a time has come. With poll(2), but on macOS
//! with select(2), since poll(2) there does not work on every terminal.

mod blocking;
#[cfg(any(test, not(target_os = "macos")))]
mod poll;
#[cfg(any(test, target_os = "macos"))]
mod select;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::clock::Clock;
pub use blocking::BlockingWriter;
#[cfg(not(target_os = "macos"))]
use poll::sleep;
#[cfg(target_os = "macos")]
use select::sleep;

/// The longest sleep: the systems refuse some that are longer, macOS those of more than 10^8 seconds. A sleep that ends
/// early is a wait in which nothing was ready.
const LONGEST: Duration = Duration::from_hours(24);

/// What is waited for at one descriptor; its end or an error of it is always waited for too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read.
    Read,
    /// Room to write.
    Write,
    /// Something to read, or room to write.
    ReadAndWrite,
}

/// A descriptor that is waited for, and what was found there.
#[derive(Debug)]
pub struct WatchedFd<'fd> {
    fd: BorrowedFd<'fd>,
    interest: Interest,
    found: Readiness,
}

/// The result of a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Readiness {
    /// Something of what was waited for.
    any: bool,
    /// Room to write.
    room: bool,
}

impl<'fd> WatchedFd<'fd> {
    /// A descriptor to wait for.
    pub fn new(fd: &'fd impl AsFd, interest: Interest) -> Self {
        Self {
            fd: fd.as_fd(),
            interest,
            found: Readiness::default(),
        }
    }

    /// Whether what was waited for is there.
    pub fn is_ready(&self) -> bool {
        self.found.any
    }

    /// Whether it takes bytes now; only known if that was waited for.
    pub fn is_writable(&self) -> bool {
        self.found.room
    }
}

/// Waits until one of `fds` is ready, at most until `deadline`. A signal ends the wait early; what
/// is ready then is found all the same.
///
/// # Errors
/// The system cannot wait for one of them.
pub fn wait(
    fds: &mut [WatchedFd<'_>],
    clock: &Clock,
    deadline: Option<Duration>,
) -> io::Result<()> {
    let left = deadline.map(|deadline| deadline.saturating_sub(clock.now()).min(LONGEST));
    for fd in fds.iter_mut() {
        fd.found = Readiness::default();
    }
    let mut slept = sleep(fds, left);
    while is_interrupted(&slept) {
        slept = sleep(fds, Some(Duration::ZERO));
    }
    slept
}

/// Waits until a descriptor takes bytes, or fails.
fn wait_for_room(fd: &impl AsFd) -> io::Result<()> {
    let mut fds = [WatchedFd::new(fd, Interest::Write)];
    let mut slept = sleep(&mut fds, None);
    while is_interrupted(&slept) {
        slept = sleep(&mut fds, None);
    }
    slept
}

fn is_interrupted(slept: &io::Result<()>) -> bool {
    matches!(slept, Err(error) if error.kind() == io::ErrorKind::Interrupted)
}
