//! Connections from trusted proxies, until their PROXY headers have come. Only then it is known which client connects,
//! and the engine is asked whether it accepts it.
//!
//! A header is bounded in bytes and in time, and so is the number of connections without one; the oldest gives way. The
//! bytes are only looked at (`MSG_PEEK`) until the header is whole, so what follows it stays in the socket.

use super::slots::Slots;
use super::tokens::EventSource;
use crate::config::Networks;
use crate::limits::LogLimiter;
use crate::proxy_header::{self, Header};
use mio::net::TcpStream;
use mio::{Interest, Registry};
use rustix::process::{Resource, getrlimit};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Connections without a header at the same time, unless the limit on open files is low.
const SLOTS: u16 = 256;
/// A header must be whole this long after the accept.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A connection without a header.
struct AwaitingHeader {
    stream: TcpStream,
    proxy: SocketAddr,
    /// When it is closed.
    until: Duration,
}

pub(super) struct Proxies {
    trusted: Networks,
    waiting: Slots<AwaitingHeader>,
    /// The slots that became readable.
    readable: Vec<u16>,
    /// When the oldest connection is closed, or earlier.
    deadline: Option<Duration>,
    /// Connections whose header has come, with the address of the client.
    arrived: VecDeque<(TcpStream, SocketAddr)>,
    /// The rate limit of the log line about refused headers.
    refusals: LogLimiter,
}

impl Proxies {
    pub(super) fn new(trusted: Networks) -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let files = u16::try_from(files / 8).unwrap_or(u16::MAX);
        let count = if trusted.is_empty() {
            0
        } else {
            SLOTS.min(files).max(1)
        };
        Self {
            trusted,
            waiting: Slots::new(EventSource::Proxied, count),
            readable: Vec::new(),
            deadline: None,
            arrived: VecDeque::new(),
            refusals: LogLimiter::default(),
        }
    }

    /// How many connections there may be without a header.
    pub(super) fn count(&self) -> usize {
        self.waiting.count().into()
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.contains(address)
    }

    /// Takes a connection from a trusted proxy in.
    pub(super) fn add(
        &mut self,
        stream: TcpStream,
        proxy: SocketAddr,
        registry: &Registry,
        now: Duration,
    ) {
        let slot = self.waiting.free_or_lowest(|waiting| Some(waiting.until));
        let slot = slot.expect("a trusted network has slots");
        self.close(slot, registry, "newer ones need its place", now);
        let until = now + TIMEOUT;
        let waiting = AwaitingHeader {
            stream,
            proxy,
            until,
        };
        self.waiting.put(slot, Some(waiting));
        self.deadline = self.deadline.or(Some(until));
        // Most proxies send the header at once, and it has come already.
        self.look(slot, registry, now, Registration::New);
    }

    /// Marks the connection in a slot as readable.
    pub(super) fn ready(&mut self, slot: u16) {
        self.readable.push(slot);
    }

    /// Whether there is something to do now.
    pub(super) fn is_ready(&self) -> bool {
        !self.readable.is_empty() || !self.arrived.is_empty()
    }

    /// When [`next`](Self::next) has something to do though nothing becomes readable.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// The next connection whose header has come, with the address of its client.
    pub(super) fn next(
        &mut self,
        registry: &Registry,
        now: Duration,
    ) -> Option<(TcpStream, SocketAddr)> {
        for slot in std::mem::take(&mut self.readable) {
            self.look(slot, registry, now, Registration::Old);
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.expire(registry, now);
        }
        self.arrived.pop_front()
    }

    /// Closes all of them.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.readable.clear();
        self.arrived.clear();
        self.deadline = None;
    }

    fn expire(&mut self, registry: &Registry, now: Duration) {
        for slot in 0..self.waiting.count() {
            let waiting = self.waiting.get_mut(slot);
            if waiting.is_some_and(|waiting| waiting.until <= now) {
                self.close(slot, registry, "no whole header came within 5 seconds", now);
            }
        }
        let until = self.waiting.iter().map(|waiting| waiting.until);
        self.deadline = until.min();
    }

    /// Looks whether the header of a connection is whole.
    fn look(&mut self, slot: u16, registry: &Registry, now: Duration, registration: Registration) {
        // An event of a connection that is gone may come late.
        let token = self.waiting.source(slot).token();
        let Some(waiting) = self.waiting.get_mut(slot) else {
            return;
        };
        match header_of(&mut waiting.stream) {
            Ok(Looked::Incomplete) => {
                let stream = &mut waiting.stream;
                if registration == Registration::New
                    && registry
                        .register(stream, token, Interest::READABLE)
                        .is_err()
                {
                    self.waiting.take(slot);
                }
            }
            Ok(Looked::Whole(client)) => {
                let mut waiting = self.waiting.take(slot).expect("it was looked at");
                if registration == Registration::Old {
                    // A stream that cannot be taken out cannot be registered anew either, which ends it.
                    let _ = registry.deregister(&mut waiting.stream);
                }
                let address = client.unwrap_or(waiting.proxy);
                self.arrived.push_back((waiting.stream, address));
            }
            Ok(Looked::Invalid(why)) => self.close(slot, registry, why, now),
            // The proxy has closed. Some check in this way that the server accepts.
            Ok(Looked::End) | Err(_) => drop(self.waiting.take(slot)),
        }
    }

    /// Closes the connection in a slot, if there is one.
    fn close(&mut self, slot: u16, registry: &Registry, why: &str, now: Duration) {
        let Some(mut waiting) = self.waiting.take(slot) else {
            return;
        };
        // It may not be registered yet, and is closed in either case.
        let _ = registry.deregister(&mut waiting.stream);
        if self.refusals.allows(now) {
            let proxy = waiting.proxy;
            tracing::warn!(%proxy, "a connection from a trusted proxy is closed: {why}");
        }
    }
}

/// Whether the poll knows a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Registration {
    New,
    Old,
}

/// What a look at a connection found.
enum Looked {
    Incomplete,
    /// A header, which was taken out of the socket, and the client that it names.
    Whole(Option<SocketAddr>),
    Invalid(&'static str),
    End,
}

/// Looks at the first bytes of a connection, and takes a whole header out of it.
fn header_of(stream: &mut TcpStream) -> io::Result<Looked> {
    let mut bytes = [0; proxy_header::MAX_BYTES];
    let length = loop {
        match stream.peek(&mut bytes) {
            Ok(0) => return Ok(Looked::End),
            Ok(length) => break length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Looked::Incomplete),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    match proxy_header::read(&bytes[..length]) {
        Header::Incomplete => Ok(Looked::Incomplete),
        Header::Invalid(why) => Ok(Looked::Invalid(why)),
        Header::Whole { length, client } => {
            // They are there.
            stream.read_exact(&mut bytes[..length])?;
            Ok(Looked::Whole(client))
        }
    }
}
