//! One listener for each configured address. They accept in turn, so that many connections at one address do not delay
//! the others.

use super::ReactorError;
use super::inherited::Inherited;
use super::listener::Listener;
use crate::config::Listen;
use mio::net::TcpStream;
use mio::{Registry, Token};
use std::net::SocketAddr;
use std::time::Duration;

/// The token of the first listener; the others follow.
const FIRST: usize = usize::MAX - 64;
const _: () = assert!(
    Listen::MAX < 32,
    "room for the reactor's other tokens above"
);

pub(super) struct Listeners {
    all: Vec<Listener>,
    /// The index of the next listener.
    next: usize,
}

impl Listeners {
    /// Listens on all addresses, or on none.
    pub(super) fn bind(listen: &Listen, registry: &Registry) -> Result<Self, ReactorError> {
        let bind = |(index, address): (usize, &SocketAddr)| {
            let only_v6 = listen.is_only_v6(*address);
            Listener::bind(*address, only_v6, registry, Token(FIRST + index)).map_err(|source| {
                ReactorError::Listen {
                    address: *address,
                    source,
                }
            })
        };
        let all = listen.addresses().iter().enumerate().map(bind);
        Ok(Self {
            all: all.collect::<Result<_, _>>()?,
            next: 0,
        })
    }

    /// Accepts at the sockets that the service manager passed.
    pub(super) fn adopt(inherited: Inherited, registry: &Registry) -> Result<Self, ReactorError> {
        let tokens = (FIRST..).map(Token);
        let all = inherited.into_sockets().into_iter().zip(tokens);
        let all = all.map(|(socket, token)| Listener::on(socket, registry, token));
        Ok(Self {
            all: all.collect::<Result<_, _>>()?,
            next: 0,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The addresses in the order of the configuration, with real ports for port 0.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.all.iter().map(Listener::address)
    }

    /// Marks the listener of this token as ready; false if the token belongs to no listener.
    pub(super) fn ready(&mut self, token: Token) -> bool {
        let index = token.0.checked_sub(FIRST);
        let listener = index.and_then(|index| self.all.get_mut(index));
        listener.map(Listener::ready).is_some()
    }

    /// Whether to accept now.
    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.all.iter().any(|listener| listener.is_ready(now))
    }

    /// Ends the pauses, since a connection was closed and its descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.all.iter_mut().for_each(Listener::try_again);
    }

    /// The end of the shortest pause, if any.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.all.iter().filter_map(Listener::retry_at).min()
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        for listener in &mut self.all {
            listener.close(registry);
        }
    }

    /// The next connection, in turn over the listeners.
    pub(super) fn accept(&mut self, now: Duration) -> Option<(TcpStream, SocketAddr)> {
        for _ in 0..self.all.len() {
            let index = self.next;
            self.next = (index + 1) % self.all.len();
            if let Some(accepted) = self.all[index].accept(now) {
                return Some(accepted);
            }
        }
        None
    }
}
