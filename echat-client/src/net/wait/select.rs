//! Waiting with select(2).

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

use super::{Interest, LONGEST, Readiness, WatchedFd};

/// Waits until one of `fds` is ready, at most as long as is `left`.
pub(super) fn sleep(fds: &mut [WatchedFd<'_>], left: Option<Duration>) -> io::Result<()> {
    let (mut reads, mut writes) = (FdSet::new(), FdSet::new());
    for fd in fds.iter() {
        if usize::try_from(fd.fd.as_raw_fd()).map_or(true, |number| number >= FD_SETSIZE) {
            let why = "too many open files for select(2)";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        if fd.interest != Interest::Write {
            reads.insert(fd.fd);
        }
        if fd.interest != Interest::Read {
            writes.insert(fd.fd);
        }
    }
    let micros = left.map(|left| left.min(LONGEST).as_micros());
    let mut timeout =
        micros.map(|micros| TimeVal::microseconds(i64::try_from(micros).expect("at most a day")));
    select(None, &mut reads, &mut writes, None, timeout.as_mut())?;
    for fd in fds.iter_mut() {
        let room = writes.contains(fd.fd);
        fd.found = Readiness {
            any: room || reads.contains(fd.fd),
            room,
        };
    }
    Ok(())
}
