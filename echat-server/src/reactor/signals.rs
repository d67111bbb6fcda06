//! The signals that the server handles. All others keep their default action: SIGQUIT, for example, ends the process.

use mio::{Interest, Registry, Token};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXFSZ,
};
use signal_hook::flag;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals that are received without effect. The server uses no timers or descriptors that send them. By default
/// SIGXFSZ would kill a server that reaches the limit of file sizes (`ulimit -f`); handled, the write fails, and the
/// server says so and ends with exit code 74: no room that is made helps it. The standard library ignores SIGPIPE.
const HARMLESS: [i32; 6] = [SIGUSR2, SIGXFSZ, SIGALRM, SIGVTALRM, SIGPROF, SIGIO];

/// The exit code of a process that a signal ended is this and the number of the signal, as shells count it.
const ENDED_BY: i32 = 128;

/// Pending signals.
pub struct Signals {
    pending: signal_hook_mio::v1_0::Signals,
    /// Whether SIGTERM and SIGINT end the process at once if it is process 1.
    are_fatal: Arc<AtomicBool>,
}

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
        let pending = signal_hook_mio::v1_0::Signals::new(harmless)?;
        let are_fatal = Arc::new(AtomicBool::new(true));
        // For process 1, which the server is in a container, the kernel drops signals that have their default action.
        if process::id() == 1 {
            for signal in [SIGTERM, SIGINT] {
                let condition = Arc::clone(&are_fatal);
                flag::register_conditional_shutdown(signal, ENDED_BY + signal, condition)?;
            }
        }
        Ok(Self { pending, are_fatal })
    }

    /// Handles SIGTERM and SIGINT too, and wakes the loop.
    pub(super) fn listen(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT] {
            self.pending.add_signal(signal)?;
        }
        self.are_fatal.store(false, Ordering::SeqCst);
        registry.register(&mut self.pending, token, Interest::READABLE)
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
        self.pending.pending().filter_map(asked).collect()
    }
}
