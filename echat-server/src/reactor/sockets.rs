//! The sockets of all clients, and which of them are readable and writable.

use super::socket::{self, Socket};
use super::tokens::EventSource;
use crate::clock::Now;
use crate::conn::{ConnId, ConnMap};
use crate::engine::Engine;
use crate::limits::LogLimiter;
use echat_proto::channel::SEALED_TOGETHER;
use mio::Registry;
use mio::event::Event;
use mio::net::TcpStream;
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

/// The sockets of all clients.
pub(super) struct Sockets {
    by_conn: ConnMap<Socket>,
    /// Those with unread bytes.
    readable: BTreeSet<ConnId>,
    /// Those that became writable since the last write.
    writable: Vec<ConnId>,
    buffer: socket::Buffer,
    /// Whether there was ever one.
    served: bool,
    /// The rate limit of the log line about connections that cannot be registered.
    unserved: LogLimiter,
}

impl Sockets {
    pub(super) fn new() -> Self {
        Self {
            by_conn: ConnMap::default(),
            readable: BTreeSet::new(),
            writable: Vec::new(),
            buffer: socket::buffer(),
            served: false,
            unserved: LogLimiter::default(),
        }
    }

    /// Adds the socket of a connection; false if it cannot be registered, which is logged.
    pub(super) fn add(
        &mut self,
        conn: ConnId,
        (stream, address): (TcpStream, SocketAddr),
        registry: &Registry,
        now: Now,
    ) -> bool {
        let token = EventSource::Connection(conn).token();
        match Socket::new(stream, registry, token) {
            Ok(socket) => {
                self.served = true;
                self.by_conn.insert(conn, socket);
                true
            }
            Err(error) => {
                if self.unserved.allows(now.running) {
                    tracing::warn!(%address, %error, "a connection cannot be served");
                }
                false
            }
        }
    }

    /// Drops the socket of a connection that is over.
    pub(super) fn remove(&mut self, conn: ConnId) {
        self.by_conn.remove(conn);
        self.readable.remove(&conn);
    }

    /// Whether a socket was ever added.
    pub(super) fn has_served(&self) -> bool {
        self.served
    }

    /// Takes in what became possible at a socket.
    pub(super) fn take_event(&mut self, conn: ConnId, event: &Event) {
        let ends = event.is_read_closed() || event.is_error();
        if ends && let Some(socket) = self.by_conn.get_mut(conn) {
            socket.note_end();
        }
        if event.is_readable() || ends {
            self.readable.insert(conn);
        }
        if event.is_writable() {
            self.writable.push(conn);
        }
    }

    /// Whether a socket has bytes that the engine takes.
    pub(super) fn has_bytes(&self, engine: &Engine) -> bool {
        self.readable.iter().any(|conn| engine.wants_bytes(*conn))
    }

    /// Reads from every readable socket, which share the bytes of a round. Sockets from which the engine accepts no
    /// bytes now stay marked readable.
    pub(super) fn read(&mut self, engine: &mut Engine, now: Now) {
        let welcome = |conn: &&ConnId| engine.wants_bytes(**conn);
        let readable: Vec<ConnId> = self.readable.iter().filter(welcome).copied().collect();
        let budget = socket::share(readable.len());
        for conn in readable {
            let socket = self.by_conn.get_mut(conn);
            if socket.is_none_or(|socket| socket.read(conn, budget, &mut self.buffer, engine, now))
            {
                self.readable.remove(&conn);
            }
        }
    }

    /// Writes to every connection that has something to write.
    pub(super) fn write(&mut self, engine: &mut Engine, registry: &Registry, now: Now) {
        let mut ready = VecDeque::from(std::mem::take(&mut self.writable));
        let mut group = Vec::with_capacity(SEALED_TOGETHER);
        ready.retain(|conn| {
            let blocked = self.by_conn.get_mut(*conn).is_some_and(Socket::unblock);
            blocked && !engine.output(*conn, now).is_empty()
        });
        // A write may end a connection (its key has reached its limit), which queues a last frame.
        loop {
            ready.extend(engine.take_dirty());
            if ready.is_empty() {
                return;
            }
            // From the front: the engine gives connections in the order of their urgency.
            group.clear();
            group.extend(ready.drain(..SEALED_TOGETHER.min(ready.len())));
            engine.seal(&group, now);
            for conn in group.iter().copied() {
                if let Some(socket) = self.by_conn.get_mut(conn) {
                    let token = EventSource::Connection(conn).token();
                    socket.write(conn, engine, registry, token, now);
                }
            }
        }
    }
}
