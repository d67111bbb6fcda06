//! The ready lines on standard output, one for each configured address. A thread writes them, so that an unread pipe does
//! not stop the server.

use crate::output::{self, Output};
use mio::Waker;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Ready lines that are being written.
pub(super) struct Ready(Receiver<io::Error>);

impl Ready {
    /// Starts writing; wakes `waker` on failure.
    pub(super) fn announce(
        addresses: impl Iterator<Item = SocketAddr>,
        fingerprint: &str,
        waker: Arc<Waker>,
    ) -> io::Result<Self> {
        let mut lines = String::new();
        for address in addresses {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "listening on {address} {fingerprint}");
        }
        let (failure, failures) = channel();
        let writer = thread::Builder::new().name("ready".to_owned());
        writer.spawn(move || {
            let written = output::write_from_the_background()
                .and_then(|()| Output::stdout().write_all(lines.as_bytes()));
            if let Err(error) = written
                && failure.send(error).is_ok()
            {
                // If waking fails, a timer or a client wakes the loop.
                let _ = waker.wake();
            }
        })?;
        Ok(Self(failures))
    }

    /// The error of writing, once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.0.try_recv().ok()
    }
}
