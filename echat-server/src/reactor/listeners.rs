//! One listener for each configured address. They accept in turn, so that many connections at one address do not delay
//! the others. A connection from a trusted proxy is given out when its PROXY header has come.

use super::ReactorError;
use super::inherited::Inherited;
use super::listener::{self, Listener};
use super::proxies::Proxies;
use super::tokens::EventSource;
use crate::config::{Listen, Networks};
use mio::Registry;
use mio::net::TcpStream;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) struct Listeners {
    all: Vec<Listener>,
    /// The index of the next listener.
    next: usize,
    proxies: Proxies,
    /// Whether the service manager has the sockets open too.
    are_inherited: bool,
    /// Whether connections are closed as soon as they are accepted.
    refuse: bool,
}

/// What came of one accept.
pub(super) enum Accepted {
    /// No connection is there.
    None,
    /// A connection that is refused, or whose PROXY header has not come.
    NotYet,
    /// A connection, and the address of its client. An IPv4 address has the form of IPv4.
    Connection(TcpStream, SocketAddr),
}

impl Listeners {
    /// Listens on all addresses, or on none.
    pub(super) fn bind(listen: &Listen, registry: &Registry) -> Result<Self, ReactorError> {
        let bind = |(index, address): (u16, &SocketAddr)| {
            let only_v6 = listen.is_only_v6(*address);
            let token = EventSource::Listener(index).token();
            Listener::bind(*address, only_v6, registry, token).map_err(|source| {
                ReactorError::Listen {
                    address: *address,
                    source,
                }
            })
        };
        let all = (0..).zip(listen.addresses()).map(bind);
        Ok(Self::of(all.collect::<Result<_, _>>()?, false))
    }

    /// Accepts at the sockets that the service manager passed.
    pub(super) fn adopt(inherited: Inherited, registry: &Registry) -> Result<Self, ReactorError> {
        let tokens = (0..).map(|index| EventSource::Listener(index).token());
        let all = inherited.into_sockets().into_iter().zip(tokens);
        let all = all.map(|(socket, token)| Listener::on(socket, registry, token));
        Ok(Self::of(all.collect::<Result<_, _>>()?, true))
    }

    fn of(all: Vec<Listener>, are_inherited: bool) -> Self {
        Self {
            all,
            next: 0,
            proxies: Proxies::new(Networks::default()),
            are_inherited,
            refuse: false,
        }
    }

    /// Connections from these addresses begin with a PROXY header.
    pub(super) fn trust(mut self, proxies: Networks) -> Self {
        self.proxies = Proxies::new(proxies);
        self
    }

    /// How many connections the limit of open files leaves place for.
    pub(super) fn places(&self) -> usize {
        listener::places(self.all.len() + self.proxies.count())
    }

    /// The addresses in the order of the configuration, with real ports for port 0.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.all.iter().map(Listener::address)
    }

    /// Marks the listener of this index as ready.
    pub(super) fn ready(&mut self, index: u16) {
        if let Some(listener) = self.all.get_mut(usize::from(index)) {
            listener.ready();
        }
    }

    /// Marks the connection of a proxy in a slot as readable.
    pub(super) fn header_came(&mut self, slot: u16) {
        self.proxies.ready(slot);
    }

    /// Whether to accept now.
    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.proxies.is_ready() || self.all.iter().any(|listener| listener.is_ready(now))
    }

    /// Ends the pauses, since a connection was closed and its descriptor is free.
    pub(super) fn try_again(&mut self) {
        self.all.iter_mut().for_each(Listener::try_again);
    }

    /// The end of the shortest pause, or the time at which a proxy's header has to be there.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        let pauses = self.all.iter().filter_map(Listener::retry_at);
        pauses.chain(self.proxies.deadline()).min()
    }

    /// Refuses connections from now on. Where the service manager has the sockets open too, clients would wait in their
    /// queues if this process closed them, so they are accepted and closed at once.
    pub(super) fn refuse(&mut self, registry: &Registry) {
        if self.are_inherited {
            self.refuse = true;
            self.proxies.clear();
        } else {
            self.close(registry);
        }
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        for listener in &mut self.all {
            listener.close(registry);
        }
        self.proxies.clear();
    }

    /// The next connection.
    pub(super) fn accept(&mut self, registry: &Registry, now: Duration) -> Accepted {
        if let Some((stream, client)) = self.proxies.next(registry, now) {
            return Accepted::Connection(stream, client);
        }
        let Some((stream, address)) = self.accept_in_turn(now) else {
            return Accepted::None;
        };
        if self.refuse {
            return Accepted::NotYet;
        }
        // A dual-stack socket reports an IPv4 address as IPv4-mapped IPv6.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        if self.proxies.trusts(address.ip()) {
            self.proxies.add(stream, address, registry, now);
            return Accepted::NotYet;
        }
        Accepted::Connection(stream, address)
    }

    /// The next connection, in turn over the listeners.
    fn accept_in_turn(&mut self, now: Duration) -> Option<(TcpStream, SocketAddr)> {
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
