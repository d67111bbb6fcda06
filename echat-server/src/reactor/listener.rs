//! A listening socket. When the process runs out of files, accepting pauses by a timer: readiness
//! would not come again, and trying at once would spin.

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, sockopt};
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
/// like, and these listeners.
pub(super) fn places(listeners: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let places = usize::try_from(files - (files / 4).min(64)).unwrap_or(usize::MAX);
    places.saturating_sub(listeners - 1).max(1)
}

/// A socket that listens, as mio wants it.
fn open(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    // Connections of the server before may still be in TIME_WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, only_v6)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, QUEUE)?;
    let socket = std::net::TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket))
}

impl Listener {
    /// Listens on an address. `only_v6` says whether an IPv6 socket leaves IPv4 alone; the system's own
    /// default (`bindv6only`) is not asked.
    pub(super) fn bind(
        address: SocketAddr,
        only_v6: bool,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut socket = open(address, only_v6)?;
        let address = socket.local_addr()?;
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
