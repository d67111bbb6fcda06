//! The signals that the server handles. All others keep their default action: SIGQUIT, for example, ends the process.

use mio::{Interest, Registry, Token};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXFSZ,
};
use std::io;

/// Signals that are received without effect. The server uses no timers or descriptors that send them. By default
/// SIGXFSZ would kill a server that reaches the limit of file sizes (`ulimit -f`); handled, the write fails, and the
/// server says so and ends with exit code 74: no room that is made helps it. The standard library ignores SIGPIPE.
const HARMLESS: [i32; 6] = [SIGUSR2, SIGXFSZ, SIGALRM, SIGVTALRM, SIGPROF, SIGIO];

/// Pending signals.
pub struct Signals(signal_hook_mio::v1_0::Signals);

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignalRequest {
    /// By the signal of this name.
    Stop(&'static str),
    Reload,
    ReopenLog,
}

impl Signals {
    /// Handles SIGHUP, SIGUSR1 and the harmless signals. SIGTERM and SIGINT still end the process until `listen`:
    /// before, there is nothing to finish.
    ///
    /// # Errors
    /// The system provides no handler or socket.
    pub fn catch() -> io::Result<Self> {
        let harmless = HARMLESS.iter().chain(&[SIGHUP, SIGUSR1]);
        Ok(Self(signal_hook_mio::v1_0::Signals::new(harmless)?))
    }

    /// Handles SIGTERM and SIGINT too, and wakes the loop.
    pub(super) fn listen(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT] {
            self.0.add_signal(signal)?;
        }
        registry.register(&mut self.0, token, Interest::READABLE)
    }

    /// The requests since the last call. Repeated signals may count as one.
    pub(super) fn asked(&mut self) -> Vec<SignalRequest> {
        let asked = |signal| match signal {
            SIGTERM => Some(SignalRequest::Stop("SIGTERM")),
            SIGINT => Some(SignalRequest::Stop("SIGINT")),
            SIGHUP => Some(SignalRequest::Reload),
            SIGUSR1 => Some(SignalRequest::ReopenLog),
            _ => None,
        };
        self.0.pending().filter_map(asked).collect()
    }
}
