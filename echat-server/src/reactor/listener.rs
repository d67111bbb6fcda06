//! A listening socket.

use super::accepting::Accepting;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::{Resource, getrlimit};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) struct Listener {
    socket: Option<TcpListener>,
    address: SocketAddr,
    accepting: Accepting,
}

/// The backlog of listen(2); the system may allow less (`somaxconn`). A client beyond it retries after one, three and
/// seven seconds.
const QUEUE: i32 = 4_096;

/// The number of connections within the limit of open files, besides the database, the log, the listeners and others.
pub(super) fn places(listeners: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let places = usize::try_from(files - (files / 4).min(64)).unwrap_or(usize::MAX);
    places.saturating_sub(listeners - 1).max(1)
}

/// Creates a non-blocking listening socket.
fn open(address: SocketAddr, only_v6: bool) -> io::Result<std::net::TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    // Connections of an earlier server may be in TIME_WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, only_v6)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, QUEUE)?;
    let socket = std::net::TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Listener {
    /// Listens on an address. `only_v6` says whether an IPv6 socket excludes IPv4; the system's default (`bindv6only`)
    /// has no effect.
    pub(super) fn bind(
        address: SocketAddr,
        only_v6: bool,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        Self::on(open(address, only_v6)?, registry, token)
    }

    /// Accepts at a listening, non-blocking socket.
    pub(super) fn on(
        socket: std::net::TcpListener,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut socket = TcpListener::from_std(socket);
        let address = socket.local_addr()?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self {
            socket: Some(socket),
            address,
            accepting: Accepting::new("connections"),
        })
    }

    /// The address, with the real port if port 0 was configured.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn ready(&mut self) {
        self.accepting.ready();
    }

    /// Whether to accept now.
    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.socket.is_some() && self.accepting.is_ready(now)
    }

    /// Ends a pause, since a connection was closed and its descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.accepting.try_again();
    }

    /// The end of the pause, if any.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.accepting.retry_at()
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        if let Some(mut socket) = self.socket.take() {
            // The socket is closed next in either case.
            let _ = registry.deregister(&mut socket);
        }
        self.accepting.try_again();
    }

    /// The next connection, if there is one.
    pub(super) fn accept(&mut self, now: Duration) -> Option<(TcpStream, SocketAddr)> {
        let socket = self.socket.as_ref()?;
        self.accepting.next(now, || socket.accept())
    }
}
