//! Signals, as something that poll(2) waits for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::low_level;

use crate::local::ignored_signals::IgnoredSignals;

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignalAction {
    /// The terminal has another size.
    Resize,
    /// Stop until continued.
    Stop,
    /// Here again.
    Continue,
    /// Ctrl-C on a terminal that is not in raw mode.
    Interrupt,
    /// End, by this signal.
    End(i32),
}

/// The signals that came.
#[derive(Debug)]
pub(super) struct Signals(SignalDelivery<UnixStream, SignalOnly>);

impl Signals {
    /// From now on they come here, but for those that end or stop the program and that it was started to ignore.
    pub(super) fn new() -> io::Result<Self> {
        const ENDING: [i32; 5] = [SIGTSTP, SIGINT, SIGTERM, SIGHUP, SIGQUIT];
        let (read, write) = UnixStream::pair()?;
        let ending = IgnoredSignals::of_process().without(&ENDING);
        let signals = ending.chain([SIGWINCH, SIGCONT]);
        SignalDelivery::with_pipe(read, write, SignalOnly, signals).map(Self)
    }

    /// Those since the last time.
    pub(super) fn take(&mut self) -> Vec<SignalAction> {
        let action = |signal| match signal {
            SIGWINCH => SignalAction::Resize,
            SIGTSTP => SignalAction::Stop,
            SIGCONT => SignalAction::Continue,
            SIGINT => SignalAction::Interrupt,
            other => SignalAction::End(other),
        };
        self.0.pending().map(action).collect()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_read().as_fd()
    }
}

/// Stops the process until it is continued.
pub(super) fn stop() -> io::Result<()> {
    low_level::emulate_default_handler(SIGTSTP)
}
