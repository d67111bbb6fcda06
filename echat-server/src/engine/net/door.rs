//! Who is let in, and who has to go for them.

use super::{Net, Payer, Slot, Turn};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::limits::rate_limit_prefix;
use crate::peer::Peer;
use std::net::{IpAddr, SocketAddr};
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
        let here = rate_limit_prefix(address.ip());
        let all_full = self.slots.len() - self.spares >= limits.connections;
        let here_full = self.is_full_here(address.ip(), limits);
        // A place of the address is given back by a guest of the address, if it has one; a place of the
        // server by any guest that has one.
        let gives_way = match () {
            () if here_full => self.gives_way(limits, |slot| slot.stands_for(here)),
            () if all_full => self.gives_way(limits, |slot| !slot.spare),
            () if self.guests.len() >= limits.unauthenticated => self.gives_way(limits, |_| true),
            () => None,
        };
        let full = (all_full || here_full) && gives_way.is_none();
        let refused = self.stopping || (full && self.spares >= SPARE);
        if full && !self.stopping {
            self.full.refuse(address.ip(), now.running);
        }
        if refused {
            return None;
        }
        if let Some(guest) = gives_way {
            tracing::debug!(conn = %guest, "too many connections without a login: closing the oldest");
            self.with(guest, limits, Peer::close_at_once);
        }
        self.last += 1;
        let conn = ConnId(self.last);
        let slot = Slot {
            peer: Peer::new(address, full, now),
            payer: Payer::Origin(here),
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
        if !full {
            *self.by_origin.entry(here).or_default() += 1;
        }
        self.settle(conn, limits);
        Some(conn)
    }

    /// Whether an address has all the connections it may have. Those that are only told that the server
    /// is full do not count.
    fn is_full_here(&self, address: IpAddr, limits: &Limits) -> bool {
        let most = limits.connections_per_address;
        let from_here = self
            .by_origin
            .get(&rate_limit_prefix(address))
            .copied()
            .unwrap_or(0);
        most > 0 && from_here >= most && !address.is_loopback()
    }

    /// The guest, of those that may be closed, that is closed for a new one: the oldest that keeps the
    /// server waiting, not one that waits for a password's hash. But if all of the oldest do, the first
    /// goes: a crowd of logins must not hold all places and have all others closed. `None` if there is no
    /// such guest.
    fn gives_way(&self, limits: &Limits, may: impl Fn(&Slot) -> bool) -> Option<ConnId> {
        let guests = self.guests.iter().filter_map(|conn| {
            let slot = self.slots.get(conn)?;
            may(slot).then_some((*conn, slot.pending.is_none()))
        });
        let oldest = (limits.unauthenticated / SHELTERED).max(2);
        let oldest: Vec<_> = guests.take(oldest).collect();
        let idle = oldest.iter().find(|(_, idle)| *idle);
        idle.or(oldest.first()).map(|(conn, _)| *conn)
    }
}

impl Slot {
    /// Whether it has one of the places of this origin.
    fn stands_for(&self, here: IpAddr) -> bool {
        !self.spare && rate_limit_prefix(self.peer.address.ip()) == here
    }
}
