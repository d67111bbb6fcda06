//! The table of connections, their deadlines, and the ones to be dropped.

use super::database_retries::Retry;
use super::write_queue::Places;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::engine::scheduler::Schedule;
use crate::handlers::account::Pending;
use crate::peer::Peer;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A connection and what the engine keeps of it.
pub(in crate::engine) struct ConnectionEntry {
    pub(in crate::engine) peer: Peer,
    pub(in crate::engine) schedule: Schedule,
    /// A request that waits for a worker; later ones wait for it.
    pub(in crate::engine) pending: Option<Pending>,
    pub(in crate::engine) retry: Retry,
    /// Whether it is only told that the server is full.
    pub(super) spare: bool,
    /// Whether [`Admission`](super::admission::Admission) counts it as unauthenticated.
    pub(super) unauthenticated: bool,
    /// Its places in [`WriteQueue`](super::write_queue::WriteQueue).
    pub(super) places: Places,
    /// Its entry in [`Agenda`].
    noted: Duration,
}

impl ConnectionEntry {
    /// The entry of a new connection without a login.
    pub(super) fn new(peer: Peer, schedule: Schedule, spare: bool) -> Self {
        Self {
            peer,
            schedule,
            pending: None,
            retry: Retry::default(),
            spare,
            unauthenticated: true,
            places: Places::default(),
            noted: Duration::MAX,
        }
    }
}

/// All connections by their numbers. A number is never used again.
#[derive(Default)]
pub(super) struct ConnectionTable {
    entries: BTreeMap<ConnId, ConnectionEntry>,
    last: u64,
}

impl ConnectionTable {
    /// Adds a connection under a new number.
    pub(super) fn insert(&mut self, entry: ConnectionEntry) -> ConnId {
        self.last += 1;
        let conn = ConnId(self.last);
        self.entries.insert(conn, entry);
        conn
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<ConnectionEntry> {
        self.entries.remove(&conn)
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&ConnectionEntry> {
        self.entries.get(&conn)
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut ConnectionEntry> {
        self.entries.get_mut(&conn)
    }

    /// The numbers of all connections, oldest first.
    pub(super) fn conns(&self) -> Vec<ConnId> {
        self.entries.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The connections with a deadline, and those that the reactor has to drop. Every connection of the table has one
/// deadline here at most, never later than its peer's.
#[derive(Default)]
pub(super) struct Agenda {
    deadlines: BTreeSet<(Duration, ConnId)>,
    closed: Vec<ConnId>,
}

impl Agenda {
    /// Notes an earlier deadline of a connection. A later deadline is found out when the earlier one comes, so activity
    /// costs nothing here.
    pub(super) fn note(&mut self, conn: ConnId, entry: &mut ConnectionEntry, limits: &Limits) {
        let deadline = entry.peer.deadline(limits);
        if deadline < entry.noted {
            self.deadlines.remove(&(entry.noted, conn));
            self.deadlines.insert((deadline, conn));
            entry.noted = deadline;
        }
    }

    /// Whether a connection's deadline is earlier than the noted one.
    pub(super) fn is_late(entry: &ConnectionEntry, limits: &Limits) -> bool {
        entry.peer.deadline(limits) < entry.noted
    }

    /// Notes that a connection is gone.
    pub(super) fn close(&mut self, conn: ConnId, entry: &ConnectionEntry) {
        self.deadlines.remove(&(entry.noted, conn));
        self.closed.push(conn);
    }

    /// Connections whose deadlines have come, at most `most` of them.
    pub(super) fn due(&self, now: Duration, most: usize) -> Vec<ConnId> {
        let due = self.deadlines.range(..=(now, ConnId(u64::MAX)));
        due.take(most).map(|(_, conn)| *conn).collect()
    }

    /// Forgets the deadline of a connection, until it is noted again.
    pub(super) fn forget_deadline(&mut self, conn: ConnId, entry: &mut ConnectionEntry) {
        self.deadlines.remove(&(entry.noted, conn));
        entry.noted = Duration::MAX;
    }

    /// The first deadline.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Connections that are gone, once.
    pub(super) fn take_closed(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.closed)
    }

    /// Entries of all lists: none if there is no connection.
    pub(super) fn len(&self) -> usize {
        self.deadlines.len() + self.closed.len()
    }
}
