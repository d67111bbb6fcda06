//! Learns that the machine was suspended or the process stopped. Both leave connections behind that
//! may be dead, and no timer of the monotonic clock noticed the pause.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use signal_hook::consts::SIGCONT;
use signal_hook::low_level::pipe;

use crate::clock::Clock;
use crate::net::wait::{Interest, WatchedFd};

/// The shortest suspension that counts. The clocks behind [`Clock::suspended`] are read one after
/// the other, so shorter differences are no suspension.
const PAUSE: Duration = Duration::from_secs(1);

/// The pauses of one process.
#[derive(Debug)]
pub(crate) struct Wakes {
    /// Readable after SIGCONT.
    continued: UnixStream,
    /// Readable after the machine resumed or its clock was set; `None` where the system has no
    /// such thing, and a suspension is noticed only when something else ends the wait.
    resumed: Option<OwnedFd>,
    suspended: Duration,
}

impl Wakes {
    /// From now on pauses are noticed.
    ///
    /// # Errors
    /// The signal handler or its socket pair cannot be made.
    pub(crate) fn new(clock: &Clock) -> io::Result<Self> {
        let (continued, write) = UnixStream::pair()?;
        continued.set_nonblocking(true)?;
        pipe::register(SIGCONT, write)?;
        Ok(Self {
            continued,
            resumed: timer::new(),
            suspended: clock.suspended(),
        })
    }

    /// What a loop waits for beside its own descriptors.
    pub(crate) fn watched(&self) -> impl Iterator<Item = WatchedFd<'_>> {
        let resumed = self.resumed.as_ref();
        let resumed = resumed.map(|fd| WatchedFd::new(fd, Interest::Read));
        std::iter::once(WatchedFd::new(&self.continued, Interest::Read)).chain(resumed)
    }

    /// Whether there was a pause since the last call.
    pub(crate) fn take(&mut self, clock: &Clock) -> bool {
        let mut buffer = [0; 64];
        let mut is_continued = false;
        while matches!(self.continued.read(&mut buffer), Ok(1..)) {
            is_continued = true;
        }
        if let Some(timer) = &self.resumed {
            timer::clear(timer);
        }
        let suspended = clock.suspended();
        let is_resumed = suspended >= self.suspended + PAUSE;
        self.suspended = suspended;
        is_continued || is_resumed
    }
}

/// timerfd(2): a timer of the wall clock that never ends, but is cancelled when that clock is set,
/// which a resume counts as.
#[cfg(target_os = "linux")]
mod timer {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    pub(super) fn new() -> Option<OwnedFd> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Realtime, flags).ok()?;
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // The year 2242. Larger values overflow in some kernels.
        let never = Timespec {
            tv_sec: 1 << 33,
            ..zero
        };
        let set = Itimerspec {
            it_interval: zero,
            it_value: never,
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&timer, flags, &set).ok()?;
        Some(timer)
    }

    /// Reading tells of the cancellation, once. The timer stays set.
    pub(super) fn clear(timer: &OwnedFd) {
        let _ = rustix::io::read(timer, &mut [0; 8]);
    }
}

#[cfg(not(target_os = "linux"))]
mod timer {
    use std::os::fd::OwnedFd;

    pub(super) fn new() -> Option<OwnedFd> {
        None
    }

    pub(super) fn clear(_: &OwnedFd) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::wait::wait;

    #[test]
    fn a_continued_process_is_woken_once() {
        let clock = Clock::start();
        let mut wakes = Wakes::new(&clock).unwrap();
        let mut fds: Vec<_> = wakes.watched().collect();
        wait(&mut fds, &clock, Some(clock.now())).unwrap();
        assert!(!fds.iter().any(WatchedFd::is_ready));
        assert!(!wakes.take(&clock));
        signal_hook::low_level::raise(SIGCONT).unwrap();
        let mut fds: Vec<_> = wakes.watched().collect();
        wait(
            &mut fds,
            &clock,
            Some(clock.now() + Duration::from_secs(30)),
        )
        .unwrap();
        assert!(fds.iter().any(WatchedFd::is_ready));
        assert!(wakes.take(&clock));
        assert!(!wakes.take(&clock));
    }
}
