//! Signals that do not end the server by themselves. All others keep their default: SIGQUIT, for
//! instance, ends it at once.

use mio::{Interest, Registry, Token};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXFSZ,
};
use std::io;

/// Signals that are received without any effect. Timers and descriptors that would send one are not in
/// use. SIGXFSZ would end a server that meets the limit on
/// file sizes (`ulimit -f`): without it, the write fails and is answered for. SIGPIPE is ignored by
/// the standard library.
const HARMLESS: [i32; 7] = [
    SIGUSR1, SIGUSR2, SIGXFSZ, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
];

/// The signals that were received and not looked at yet.
pub struct Signals(signal_hook_mio::v1_0::Signals);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Stop,
    Reload,
}

impl Signals {
    /// From now on SIGHUP and the harmless signals do not end the process. SIGTERM and SIGINT do,
    /// until the server serves: before, there is nothing to finish.
    ///
    /// # Errors
    /// The system refuses a handler or a socket.
    pub fn catch() -> io::Result<Self> {
        let harmless = HARMLESS.iter().chain(&[SIGHUP]);
        Ok(Self(signal_hook_mio::v1_0::Signals::new(harmless)?))
    }

    /// Receives SIGTERM and SIGINT too, and wakes the loop.
    pub(super) fn listen(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT] {
            self.0.add_signal(signal)?;
        }
        registry.register(&mut self.0, token, Interest::READABLE)
    }

    /// What the signals since the last call ask for. The same signal twice may count as one.
    pub(super) fn asked(&mut self) -> Vec<Asked> {
        let asked = |signal| match signal {
            SIGTERM | SIGINT => Some(Asked::Stop),
            SIGHUP => Some(Asked::Reload),
            _ => None,
        };
        self.0.pending().filter_map(asked).collect()
    }
}
