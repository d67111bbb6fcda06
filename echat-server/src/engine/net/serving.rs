//! A connection's turn, from when it is given until the next may come, and who pays for it.

use super::turns::Payer;
use super::{Net, Turn};
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use crate::limits::rate_limit_prefix;
use crate::store::UserId;

impl Net {
    /// Changes after how much work of a turn its payer rests.
    pub(in crate::engine) fn allow_work(&mut self, steps: u64) {
        self.turn = steps.max(1);
    }

    /// After how much work a turn ends.
    pub(in crate::engine) fn turn(&self) -> u64 {
        self.turn
    }

    /// The next connection whose turn it is; it has no other before [`end_turn`](Self::end_turn).
    pub(in crate::engine) fn next_turn(&mut self) -> Option<(ConnId, Payer)> {
        let (conn, payer) = self.turns.next()?;
        if let Some(slot) = self.slots.get_mut(&conn) {
            slot.turn = Turn::Had;
            if let Payer::Refused(origin) = payer {
                slot.payer = Payer::Origin(origin);
            }
        }
        Some((conn, payer))
    }

    /// Charges for a turn: all of its work, and what of it is paid for by a rest if it was too much.
    pub(in crate::engine) fn charge(&mut self, payer: Payer, work: u64, restful: u64, now: Now) {
        let heavy = (restful > self.turn).then_some(restful);
        self.turns.charge(payer, work, heavy, now.running);
    }

    /// Has a connection wait for its refusal if others of its origin do, or if the origin rests for one;
    /// whether it waits. Only its refused try waits: requests of other connections go on.
    pub(in crate::engine) fn defer_refusal(&mut self, conn: ConnId) -> bool {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return false;
        };
        let payer = Payer::Refused(rate_limit_prefix(slot.peer.address.ip()));
        if !self.turns.is_taken(payer) {
            return false;
        }
        slot.payer = payer;
        true
    }

    /// Charges the refused tries of a connection's origin for one more, as if a password had been hashed
    /// for it. Nothing of it was work, so no other payer rests longer for it.
    pub(in crate::engine) fn fine(&mut self, conn: ConnId, now: Now) {
        if let Some(slot) = self.slots.get(&conn) {
            let payer = Payer::Refused(rate_limit_prefix(slot.peer.address.ip()));
            self.turns.fine(payer, now.running);
        }
    }

    /// Whether a payer rests.
    pub(in crate::engine) fn rests(&self, payer: Payer) -> bool {
        self.turns.rests(payer)
    }

    /// Lets a connection wait for another turn when it has something to handle.
    pub(in crate::engine) fn end_turn(&mut self, conn: ConnId, limits: &Limits) {
        if let Some(slot) = self.slots.get_mut(&conn) {
            slot.turn = Turn::No;
            self.settle(conn, limits);
        }
    }

    /// Notes who pays for a connection from now on: who logged in there, or nobody but its origin.
    pub(in crate::engine) fn bill(&mut self, conn: ConnId, user: Option<UserId>) {
        if let Some(slot) = self.slots.get_mut(&conn) {
            let origin = || Payer::Origin(rate_limit_prefix(slot.peer.address.ip()));
            slot.payer = user.map_or_else(origin, Payer::User);
        }
    }
}
