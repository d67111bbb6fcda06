//! Admission: which connections are accepted, and which are closed for them.

use super::table::{ConnectionEntry, ConnectionTable};
use crate::config::Limits;
use crate::conn::ConnId;
use crate::limits::{LogLimiter, rate_limit_prefix};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

/// Overflow connections: beyond the limits, and accepted only to be told that the server is full.
pub(super) const OVERFLOW: usize = 16;
/// Of the connections without a login, only the oldest one in so many may be closed for a new one.
const OLDEST_FRACTION: usize = 8;

/// What becomes of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is closed at once.
    Refuse,
    /// It is accepted, and told that the server is full once its handshake is done.
    TellFull,
    /// It is accepted; this one is closed for it.
    Accept(Option<ConnId>),
}

/// The counts that admission is judged by.
#[derive(Default)]
pub(super) struct ConnectionAdmission {
    /// Connections of each rate-limit prefix, without overflow connections.
    by_prefix: HashMap<IpAddr, usize>,
    /// Connections without a login, oldest first.
    unauthenticated: BTreeSet<ConnId>,
    /// Overflow connections.
    overflow: usize,
    stopping: bool,
    /// The rate limit of the log line about refused connections.
    refused: LogLimiter,
}

impl ConnectionAdmission {
    /// Judges a new connection from an address.
    pub(super) fn judge(
        &mut self,
        table: &ConnectionTable,
        address: IpAddr,
        limits: &Limits,
        now: Duration,
    ) -> Decision {
        let prefix = rate_limit_prefix(address);
        let all_full = table.len() - self.overflow >= limits.connections;
        let prefix_full = self.is_prefix_full(address, limits);
        // For a full prefix a connection of the prefix is closed, for a full server one of any prefix.
        let candidate = match () {
            () if prefix_full => self.candidate(table, limits, |entry| counts_for(entry, prefix)),
            () if all_full => self.candidate(table, limits, |entry| !entry.peer.is_overflow()),
            () if self.unauthenticated.len() >= limits.unauthenticated => {
                self.candidate(table, limits, |_| true)
            }
            () => None,
        };
        let full = (all_full || prefix_full) && candidate.is_none();
        if self.stopping {
            return Decision::Refuse;
        }
        if !full {
            return Decision::Accept(candidate);
        }
        self.log_refusal(address, now);
        if self.overflow >= OVERFLOW {
            return Decision::Refuse;
        }
        Decision::TellFull
    }

    /// Counts a connection that was added to the table.
    pub(super) fn added(&mut self, conn: ConnId, entry: &ConnectionEntry) {
        self.unauthenticated.insert(conn);
        if entry.peer.is_overflow() {
            self.overflow += 1;
        } else {
            *self.by_prefix.entry(prefix_of(entry)).or_default() += 1;
        }
    }

    /// Notes that a user is logged in at a connection of the table.
    pub(super) fn logged_in(&mut self, conn: ConnId) {
        self.unauthenticated.remove(&conn);
    }

    /// Notes that the session of a connection of the table ended.
    pub(super) fn logged_out(&mut self, conn: ConnId) {
        self.unauthenticated.insert(conn);
    }

    /// Takes back the counts of a connection that is gone.
    pub(super) fn removed(&mut self, conn: ConnId, entry: &ConnectionEntry) {
        self.unauthenticated.remove(&conn);
        if entry.peer.is_overflow() {
            self.overflow -= 1;
            return;
        }
        let prefix = prefix_of(entry);
        if let Some(count) = self.by_prefix.get_mut(&prefix) {
            *count -= 1;
            if *count == 0 {
                self.by_prefix.remove(&prefix);
            }
        }
    }

    /// Accepts no further connection: the server stops.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether a prefix has all the connections it may have. Overflow connections do not count, and loopback
    /// addresses have no limit.
    fn is_prefix_full(&self, address: IpAddr, limits: &Limits) -> bool {
        let most = limits.connections_per_address;
        let prefix = rate_limit_prefix(address);
        let count = self.by_prefix.get(&prefix).copied().unwrap_or(0);
        most > 0 && count >= most && !address.is_loopback()
    }

    /// The connection without a login, of those that may be closed, that is closed for a new one: the oldest
    /// that keeps the server waiting, not one that waits for a password's hash. But if all of the oldest
    /// do, the first goes: a crowd of logins must not hold all connections and have all others closed.
    /// `None` if none may be closed.
    fn candidate(
        &self,
        table: &ConnectionTable,
        limits: &Limits,
        may: impl Fn(&ConnectionEntry) -> bool,
    ) -> Option<ConnId> {
        let candidates = self.unauthenticated.iter().filter_map(|conn| {
            let entry = table.get(*conn)?;
            may(entry).then_some((*conn, entry.pending.is_none()))
        });
        let oldest = (limits.unauthenticated / OLDEST_FRACTION).max(2);
        let oldest: Vec<_> = candidates.take(oldest).collect();
        let idle = oldest.iter().find(|(_, idle)| *idle);
        idle.or(oldest.first()).map(|(conn, _)| *conn)
    }

    fn log_refusal(&mut self, address: IpAddr, now: Duration) {
        self.expire(now);
        if self.refused.happens(now) {
            tracing::info!(%address, "a connection is refused: full");
        }
    }

    /// Logs the count of refused connections when it is time.
    pub(super) fn expire(&mut self, now: Duration) {
        log_refused(self.refused.expire(now));
    }

    /// Logs the count of refused connections.
    pub(super) fn finish_log(&mut self) {
        log_refused(self.refused.finish());
    }

    /// When [`expire`](Self::expire) has something to log.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.refused.deadline()
    }

    /// Entries of all counts: none if there is no connection.
    pub(super) fn len(&self) -> usize {
        self.by_prefix.len() + self.unauthenticated.len() + self.overflow
    }

    #[cfg(test)]
    pub(super) fn unauthenticated(&self) -> usize {
        self.unauthenticated.len()
    }

    #[cfg(test)]
    pub(super) fn overflow(&self) -> usize {
        self.overflow
    }
}

fn prefix_of(entry: &ConnectionEntry) -> IpAddr {
    rate_limit_prefix(entry.peer.address.ip())
}

/// Whether a connection counts for a prefix.
fn counts_for(entry: &ConnectionEntry, prefix: IpAddr) -> bool {
    !entry.peer.is_overflow() && prefix_of(entry) == prefix
}

fn log_refused(refused: Option<u64>) {
    if let Some(refused) = refused {
        tracing::info!(refused, "further connections were refused: full");
    }
}
