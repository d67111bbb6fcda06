//! The table of connections, and their deadlines.

use super::database_retries::Retry;
use super::write_queue::QueuePositions;
use crate::clock::Moment;
use crate::config::Limits;
use crate::conn::{ConnId, ConnIds, ConnMap, Many};
use crate::engine::scheduler::ConnectionSchedule;
use crate::handlers::Unfinished;
use crate::handlers::account::Pending;
use crate::peer::Peer;
use std::collections::BTreeSet;
use std::time::Duration;

/// A connection and what the engine keeps of it.
pub(in crate::engine) struct ConnectionEntry {
    pub(in crate::engine) peer: Peer,
    pub(in crate::engine) schedule: ConnectionSchedule,
    /// A request that waits for a worker; later ones wait for it.
    pub(in crate::engine) pending: Option<Box<Pending>>,
    pub(in crate::engine) retry: Retry,
    /// What is left of the request at the head of its inbox, and what its turns cost so far.
    pub(in crate::engine) unfinished: Option<(Unfinished, Duration)>,
    /// Whether it is in [`Connections::waiting`](super::Connections::waiting).
    pub(super) waits: bool,
    /// Its positions in [`WriteQueue`](super::write_queue::WriteQueue).
    pub(super) positions: QueuePositions,
    /// Its entry in [`Deadlines`].
    deadline: Moment,
}

impl ConnectionEntry {
    /// The entry of a new connection without a login.
    pub(super) fn new(peer: Peer, schedule: ConnectionSchedule) -> Self {
        Self {
            peer,
            schedule,
            pending: None,
            retry: Retry::default(),
            unfinished: None,
            waits: false,
            positions: QueuePositions::default(),
            deadline: Moment::NEVER,
        }
    }
}

/// All connections.
#[derive(Default)]
pub(super) struct ConnectionTable {
    entries: ConnMap<ConnectionEntry>,
    ids: ConnIds,
    /// Connections that were removed, until [`take_removed`](Self::take_removed).
    removed: Vec<ConnId>,
}

impl ConnectionTable {
    /// Adds a connection under a new id.
    pub(super) fn insert(&mut self, entry: ConnectionEntry) -> ConnId {
        let conn = self.ids.give();
        self.entries.insert(conn, entry);
        conn
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<ConnectionEntry> {
        let entry = self.entries.remove(conn)?;
        self.ids.take_back(conn);
        self.removed.push(conn);
        Some(entry)
    }

    /// Connections that were removed since the last call. The reactor drops their sockets.
    pub(super) fn take_removed(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.removed)
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&ConnectionEntry> {
        self.entries.get(conn)
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut ConnectionEntry> {
        self.entries.get_mut(conn)
    }

    /// The entries of several connections at the same time; see [`ConnMap::get_many_mut`].
    pub(super) fn get_many_mut(&mut self, conns: &[ConnId]) -> Many<'_, ConnectionEntry> {
        self.entries.get_many_mut(conns)
    }

    /// All connections, oldest first. This looks at every connection, so a tick does not call it.
    pub(super) fn conns(&self) -> Vec<ConnId> {
        self.entries.conns()
    }

    /// The entries of all connections, in no order. This looks at every connection, so a tick does not call it.
    pub(super) fn entries(&self) -> impl Iterator<Item = &ConnectionEntry> {
        self.entries.values()
    }

    /// How many connections there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether neither a connection is there nor a removed one is still to be taken.
    pub(super) fn is_blank(&self) -> bool {
        self.entries.len() == 0 && self.removed.is_empty()
    }
}

/// The deadlines of connections, earliest first. A connection has at most one here, never later than its peer's.
#[derive(Default)]
pub(super) struct Deadlines {
    queue: BTreeSet<(Moment, ConnId)>,
}

impl Deadlines {
    /// Moves the deadline of a connection to an earlier time. A later deadline is found out when the earlier one comes,
    /// so activity costs nothing here.
    pub(super) fn update(&mut self, conn: ConnId, entry: &mut ConnectionEntry, limits: &Limits) {
        let deadline = Moment::from(entry.peer.deadline(limits));
        if deadline < entry.deadline {
            self.queue.remove(&(entry.deadline, conn));
            self.queue.insert((deadline, conn));
            entry.deadline = deadline;
        }
    }

    /// Whether the peer's deadline is earlier than the one here.
    pub(super) fn is_late(entry: &ConnectionEntry, limits: &Limits) -> bool {
        Moment::from(entry.peer.deadline(limits)) < entry.deadline
    }

    /// Removes the deadline of a connection that is gone.
    pub(super) fn remove(&mut self, conn: ConnId, entry: &ConnectionEntry) {
        self.queue.remove(&(entry.deadline, conn));
    }

    /// Connections whose deadlines have come, at most `most` of them.
    pub(super) fn due(&self, now: Duration, most: usize) -> Vec<ConnId> {
        let due = self.queue.range(..=(now.into(), ConnId(u64::MAX)));
        due.take(most).map(|(_, conn)| *conn).collect()
    }

    /// Removes a deadline that has come, until [`update`](Self::update) adds the next one.
    pub(super) fn expire(&mut self, conn: ConnId, entry: &mut ConnectionEntry) {
        self.queue.remove(&(entry.deadline, conn));
        entry.deadline = Moment::NEVER;
    }

    /// The first deadline.
    pub(super) fn first(&self) -> Option<Duration> {
        self.queue.first().map(|(at, _)| at.running())
    }

    /// How many connections have a deadline.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
