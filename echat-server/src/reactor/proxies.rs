//! Connections from trusted proxies, until their PROXY headers have come. Only then it is known which client connects, and
//! the engine is asked whether it accepts it.
//!
//! A header is bounded in bytes and in time, and so is the number of connections without one; the oldest gives way. The
//! bytes are only looked at (`MSG_PEEK`) until the header is whole, so what follows it stays in the socket.

use crate::config::Networks;
use crate::limits::LogLimiter;
use crate::proxy_header::{self, Header};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::process::{Resource, getrlimit};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The token of the first place; below those of the listeners.
const FIRST: usize = usize::MAX - 1_024;
/// Connections without a header at the same time, unless the limit on open files is low.
const PLACES: usize = 256;
/// A header must be whole this long after the accept.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection without a header.
struct AwaitingHeader {
    stream: TcpStream,
    proxy: SocketAddr,
    /// When it is closed.
    until: Duration,
}

pub(super) struct Proxies {
    trusted: Networks,
    /// By token.
    places: Vec<Option<AwaitingHeader>>,
    /// The places that became readable.
    readable: Vec<usize>,
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
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let count = if trusted.is_empty() {
            0
        } else {
            PLACES.min(files / 8).max(1)
        };
        Self {
            trusted,
            places: std::iter::repeat_with(|| None).take(count).collect(),
            readable: Vec::new(),
            deadline: None,
            arrived: VecDeque::new(),
            refusals: LogLimiter::default(),
        }
    }

    /// How many connections there may be without a header.
    pub(super) fn count(&self) -> usize {
        self.places.len()
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
        let free = self.places.iter().position(Option::is_none);
        let place = free.or_else(|| self.oldest());
        let place = place.expect("a trusted network has places");
        self.close(place, registry, "newer ones need its place", now);
        let until = now + PATIENCE;
        self.places[place] = Some(AwaitingHeader {
            stream,
            proxy,
            until,
        });
        self.deadline = self.deadline.or(Some(until));
        // Most proxies send the header at once, and it has come already.
        self.look(place, registry, now, Registration::New);
    }

    /// Marks the connection of this token as readable; false if the token belongs to no place.
    pub(super) fn ready(&mut self, token: Token) -> bool {
        let place = token.0.checked_sub(FIRST);
        let place = place.filter(|place| *place < self.places.len());
        self.readable.extend(place);
        place.is_some()
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
        for place in std::mem::take(&mut self.readable) {
            self.look(place, registry, now, Registration::Old);
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.expire(registry, now);
        }
        self.arrived.pop_front()
    }

    /// Closes all of them.
    pub(super) fn clear(&mut self) {
        self.places.iter_mut().for_each(|place| *place = None);
        self.readable.clear();
        self.arrived.clear();
        self.deadline = None;
    }

    /// The place of the oldest connection.
    fn oldest(&self) -> Option<usize> {
        let until = |place: &usize| self.places[*place].as_ref().map(|waiting| waiting.until);
        (0..self.places.len()).min_by_key(until)
    }

    fn expire(&mut self, registry: &Registry, now: Duration) {
        for place in 0..self.places.len() {
            if self.places[place]
                .as_ref()
                .is_some_and(|waiting| waiting.until <= now)
            {
                self.close(
                    place,
                    registry,
                    "no whole header came within 5 seconds",
                    now,
                );
            }
        }
        let until = self.places.iter().flatten().map(|waiting| waiting.until);
        self.deadline = until.min();
    }

    /// Looks whether the header of a connection is whole.
    fn look(
        &mut self,
        place: usize,
        registry: &Registry,
        now: Duration,
        registration: Registration,
    ) {
        // An event of a connection that is gone may come late.
        let Some(waiting) = &mut self.places[place] else {
            return;
        };
        match header_of(&mut waiting.stream) {
            Ok(Looked::Incomplete) => {
                let token = Token(FIRST + place);
                let stream = &mut waiting.stream;
                if registration == Registration::New
                    && registry
                        .register(stream, token, Interest::READABLE)
                        .is_err()
                {
                    self.places[place] = None;
                }
            }
            Ok(Looked::Whole(client)) => {
                let mut waiting = self.places[place].take().expect("it was looked at");
                if registration == Registration::Old {
                    // A stream that cannot be taken out cannot be registered anew either, which ends it.
                    let _ = registry.deregister(&mut waiting.stream);
                }
                let address = client.unwrap_or(waiting.proxy);
                self.arrived.push_back((waiting.stream, address));
            }
            Ok(Looked::Invalid(why)) => self.close(place, registry, why, now),
            // The proxy has closed. Some check in this way that the server accepts.
            Ok(Looked::End) | Err(_) => self.places[place] = None,
        }
    }

    /// Closes the connection of a place, if there is one.
    fn close(&mut self, place: usize, registry: &Registry, why: &str, now: Duration) {
        let Some(mut waiting) = self.places[place].take() else {
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
