//! Waiting with poll(2).

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Interest, Readiness, WatchedFd};

/// Waits until one of `fds` is ready, at most as long as is `left`.
pub(super) fn sleep(fds: &mut [WatchedFd<'_>], left: Option<Duration>) -> io::Result<()> {
    let left = left
        .map(Timespec::try_from)
        .transpose()
        .map_err(io::Error::other)?;
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(to_poll).collect();
    poll(&mut polled, left.as_ref())?;
    for (fd, polled) in fds.iter_mut().zip(&polled) {
        let found = polled.revents();
        fd.found = Readiness {
            any: !found.is_empty(),
            room: found.contains(PollFlags::OUT),
        };
    }
    Ok(())
}

fn to_poll<'fd>(watched: &WatchedFd<'fd>) -> PollFd<'fd> {
    let flags = match watched.interest {
        Interest::Read => PollFlags::IN,
        Interest::Write => PollFlags::OUT,
        Interest::ReadAndWrite => PollFlags::IN | PollFlags::OUT,
    };
    PollFd::from_borrowed_fd(watched.fd, flags)
}
