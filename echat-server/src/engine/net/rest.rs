//! Those whose requests were much work, and how long they rest after it: who asks for much again and
//! again gets a share of the time, and the others the rest.

use super::Net;
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use std::time::Duration;

/// Work of one connection in one turn, in steps of `SQLite`'s virtual machine, that is nobody's
/// concern: a millisecond at 50 ns a step. A turn ends with the request that goes over it.
pub(super) const TURN: u64 = 20_000;
/// What a step over it costs: ten times what it took, so that who does nothing but ask for much has
/// a tenth of the time; and as many times more as others rest too, so that they share the tenth.
const PRICE: Duration = Duration::from_nanos(500);
/// No rest is longer.
const LONGEST: Duration = Duration::from_secs(5);

impl Net {
    /// Changes after how much work of a turn a connection rests.
    pub(in crate::engine) fn allow_work(&mut self, steps: u64) {
        self.turn = steps;
    }

    /// Whether that is more work than one turn may be.
    pub(in crate::engine) fn is_much(&self, work: u64) -> bool {
        work > self.turn
    }

    /// Has a connection's next request wait, if those of this turn were much work.
    pub(in crate::engine) fn rest(&mut self, conn: ConnId, work: u64, now: Now) {
        if !self.is_much(work) {
            return;
        }
        let Some(slot) = self.slots.get_mut(&conn) else {
            return;
        };
        let steps = u32::try_from(work).unwrap_or(u32::MAX);
        let others = u32::try_from(self.resting.len()).unwrap_or(u32::MAX);
        let rest = PRICE
            .saturating_mul(steps)
            .saturating_mul(others.saturating_add(1));
        let until = now.running + rest.min(LONGEST);
        slot.rests_until = Some(until);
        self.resting.insert((until, conn));
    }

    /// Lets those go on who have rested.
    pub(super) fn wake(&mut self, limits: &Limits, now: Now) {
        while let Some((until, conn)) = self.resting.first().copied()
            && until <= now.running
        {
            self.resting.pop_first();
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.rests_until = None;
            }
            self.settle(conn, limits);
        }
    }
}
