//! The listening socket. When the process runs out of files, accepting pauses by a timer: readiness
//! would not come again, and trying at once would spin.

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rustix::process::{Resource, getrlimit};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

/// How long accepting pauses when the system has no more files.
const PAUSE: Duration = Duration::from_millis(250);
/// How often it is logged at most that nothing can be accepted.
const COMPLAINT: Duration = Duration::from_secs(10);

pub(super) struct Listener {
    socket: Option<TcpListener>,
    address: SocketAddr,
    /// Whether there may be connections to accept.
    ready: bool,
    /// When to try again.
    paused_until: Option<Duration>,
    /// When it was last said that nothing can be accepted.
    complained_at: Option<Duration>,
}

/// Connections that the system keeps until they are accepted; it may allow fewer (`somaxconn`). For
/// whom there is no place waits a second, then three, then seven.
const QUEUE: i32 = 4_096;

/// Connections that the limit on open files leaves room for, beside the database, the log and the
/// like.
pub(super) fn places() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files - (files / 4).min(64)).unwrap_or(usize::MAX)
}

impl Listener {
    pub(super) fn bind(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut socket = TcpListener::bind(address)?;
        let address = socket.local_addr()?;
        // What mio asks for is too short for a crowd that comes back after a restart.
        rustix::net::listen(&socket, QUEUE)?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self {
            socket: Some(socket),
            address,
            ready: true,
            paused_until: None,
            complained_at: None,
        })
    }

    /// Where it listens; the real port when asked for port 0.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn ready(&mut self) {
        self.ready = true;
    }

    /// Whether there may be connections to accept now.
    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.socket.is_some() && self.ready && self.paused_until.is_none_or(|until| now >= until)
    }

    /// A connection was closed: there may be a file for another.
    pub(super) fn try_again(&mut self) {
        self.paused_until = None;
    }

    /// When accepting goes on after a pause.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.paused_until
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        if let Some(mut socket) = self.socket.take() {
            // The socket is closed in the next moment either way.
            let _ = registry.deregister(&mut socket);
        }
        self.paused_until = None;
    }

    /// The next connection, if there is one.
    pub(super) fn accept(&mut self, now: Duration) -> Option<(TcpStream, SocketAddr)> {
        if !self.is_ready(now) {
            return None;
        }
        self.paused_until = None;
        let socket = self.socket.as_ref()?;
        loop {
            match socket.accept() {
                Ok(accepted) => return Some(accepted),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.ready = false;
                        return None;
                    }
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        self.complain(&error, now);
                        self.paused_until = Some(now + PAUSE);
                        return None;
                    }
                },
            }
        }
    }

    fn complain(&mut self, error: &io::Error, now: Duration) {
        if self.complained_at.is_none_or(|at| now >= at + COMPLAINT) {
            self.complained_at = Some(now);
            tracing::warn!(%error, "cannot accept; trying again soon");
        }
    }
}
