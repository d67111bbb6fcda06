//! Who is let in, and who has to go for them.

use super::{Net, Payer, Slot, Turn};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::origin::origin;
use crate::peer::Peer;
use std::net::SocketAddr;
use std::time::Duration;

/// Places beyond the limits for connections that are only told that the server is full.
pub(super) const SPARE: usize = 16;
/// One in so many guests may be spared because it is logging in.
const SHELTERED: usize = 8;

impl Net {
    /// Takes a connection in; `None` if it is to be closed at once.
    pub(in crate::engine) fn accept(
        &mut self,
        address: SocketAddr,
        limits: &Limits,
        now: Now,
    ) -> Option<ConnId> {
        let from_here = self
            .by_origin
            .get(&origin(address.ip()))
            .copied()
            .unwrap_or(0);
        let per_address = limits.connections_per_address;
        let full = self.slots.len() - self.spares >= limits.connections
            || (per_address > 0 && from_here >= per_address && !address.ip().is_loopback());
        if self.stopping || (full && self.spares >= SPARE) {
            return None;
        }
        // Who is only told that there is no place takes nobody's.
        if !full
            && self.guests.len() >= limits.unauthenticated
            && let Some(guest) = self.gives_way(limits)
        {
            tracing::debug!(conn = %guest, "too many connections without a login: closing the oldest");
            self.with(guest, limits, Peer::close_at_once);
        }
        self.last += 1;
        let conn = ConnId(self.last);
        let slot = Slot {
            peer: Peer::new(address, full, now),
            payer: Payer::Origin(origin(address.ip())),
            turn: Turn::No,
            dirty: false,
            guest: true,
            spare: full,
            deadline: Duration::MAX,
            pending: None,
            busy_since: None,
            blocked: false,
        };
        self.slots.insert(conn, slot);
        self.guests.insert(conn);
        self.spares += usize::from(full);
        *self.by_origin.entry(origin(address.ip())).or_default() += 1;
        self.settle(conn, limits);
        Some(conn)
    }

    /// The guest that is closed for a new one: the oldest that keeps the server waiting, not one that
    /// waits for a password's hash. But if all of the oldest do, the first goes: a crowd of logins
    /// must not hold all places and have everybody else closed.
    fn gives_way(&self, limits: &Limits) -> Option<ConnId> {
        let waits = |conn: &&ConnId| {
            self.slots
                .get(conn)
                .is_some_and(|slot| slot.pending.is_none())
        };
        let oldest = (limits.unauthenticated / SHELTERED).max(2);
        let idle = self.guests.iter().take(oldest).find(waits);
        idle.or_else(|| self.guests.first()).copied()
    }
}
