//! Those whose requests were much work, and how long they rest after it: who asks for much again and
//! again gets a share of the time, and the others the rest.

use super::Net;
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use std::time::Duration;

/// Work of one connection in one turn, in steps of `SQLite`'s virtual machine, that is nobody's
/// concern: a millisecond at 50 ns a step. A turn ends with the request that goes over it.
pub(in crate::engine) const TURN: u64 = 20_000;
/// What a step over it costs: ten times what it took, so that who does nothing but ask for much has
/// a tenth of the time; and as many times more as others rest too, so that they share the tenth.
const PRICE: Duration = Duration::from_nanos(500);
/// No rest is longer.
const LONGEST: Duration = Duration::from_secs(5);

impl Net {
    /// Has a connection's next request wait, if those of this turn were much work.
    pub(in crate::engine) fn rest(&mut self, conn: ConnId, work: u64, now: Now) {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return;
        };
        if work <= TURN || slot.rests_until.is_some() {
            return;
        }
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
