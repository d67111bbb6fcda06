//! The table of connections, their deadlines, and the ones to be dropped.

use super::database_retries::Retry;
use super::write_queue::Places;
use crate::clock::Moment;
use crate::config::Limits;
use crate::conn::{ConnId, ConnIds, ConnMap};
use crate::engine::scheduler::ConnectionSchedule;
use crate::handlers::account::Pending;
use crate::peer::Peer;
use crate::storage::Search;
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
    pub(in crate::engine) unfinished: Option<(Box<Search>, Duration)>,
    /// Whether it is only told that the server is full.
    pub(super) spare: bool,
    /// Whether [`ConnectionAdmission`](super::admission::ConnectionAdmission) counts it as unauthenticated.
    pub(super) unauthenticated: bool,
    /// Whether it is in [`Connections::waiting`](super::Connections::waiting).
    pub(super) waits: bool,
    /// Its places in [`WriteQueue`](super::write_queue::WriteQueue).
    pub(super) places: Places,
    /// Its entry in [`Agenda`].
    noted: Moment,
}

impl ConnectionEntry {
    /// The entry of a new connection without a login.
    pub(super) fn new(peer: Peer, schedule: ConnectionSchedule, spare: bool) -> Self {
        Self {
            peer,
            schedule,
            pending: None,
            retry: Retry::default(),
            unfinished: None,
            spare,
            unauthenticated: true,
            waits: false,
            places: Places::default(),
            noted: Moment::NEVER,
        }
    }
}

/// All connections.
#[derive(Default)]
pub(super) struct ConnectionTable {
    entries: ConnMap<ConnectionEntry>,
    ids: ConnIds,
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
        Some(entry)
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&ConnectionEntry> {
        self.entries.get(conn)
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut ConnectionEntry> {
        self.entries.get_mut(conn)
    }

    /// All connections, oldest first. This looks at every connection, so a tick does not call it.
    pub(super) fn conns(&self) -> Vec<ConnId> {
        self.entries.conns()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The connections with a deadline, and those that the reactor has to drop. Every connection of the table has one
/// deadline here at most, never later than its peer's.
#[derive(Default)]
pub(super) struct Agenda {
    deadlines: BTreeSet<(Moment, ConnId)>,
    closed: Vec<ConnId>,
}

impl Agenda {
    /// Notes an earlier deadline of a connection. A later deadline is found out when the earlier one comes, so activity
    /// costs nothing here.
    pub(super) fn note(&mut self, conn: ConnId, entry: &mut ConnectionEntry, limits: &Limits) {
        let deadline = Moment::from(entry.peer.deadline(limits));
        if deadline < entry.noted {
            self.deadlines.remove(&(entry.noted, conn));
            self.deadlines.insert((deadline, conn));
            entry.noted = deadline;
        }
    }

    /// Whether a connection's deadline is earlier than the noted one.
    pub(super) fn is_late(entry: &ConnectionEntry, limits: &Limits) -> bool {
        Moment::from(entry.peer.deadline(limits)) < entry.noted
    }

    /// Notes that a connection is gone.
    pub(super) fn close(&mut self, conn: ConnId, entry: &ConnectionEntry) {
        self.deadlines.remove(&(entry.noted, conn));
        self.closed.push(conn);
    }

    /// Connections whose deadlines have come, at most `most` of them.
    pub(super) fn due(&self, now: Duration, most: usize) -> Vec<ConnId> {
        let due = self.deadlines.range(..=(now.into(), ConnId(u64::MAX)));
        due.take(most).map(|(_, conn)| *conn).collect()
    }

    /// Forgets the deadline of a connection, until it is noted again.
    pub(super) fn forget_deadline(&mut self, conn: ConnId, entry: &mut ConnectionEntry) {
        self.deadlines.remove(&(entry.noted, conn));
        entry.noted = Moment::NEVER;
    }

    /// The first deadline.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| at.running())
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
