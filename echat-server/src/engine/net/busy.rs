//! Those whose request found the database busy, and when they try again.

use super::Net;
use crate::clock::Now;
use crate::config::Limits;
use crate::conn::ConnId;
use std::time::Duration;

impl Net {
    /// Notes that a connection's request found the database busy; true if it has for too long.
    pub(in crate::engine) fn block(
        &mut self,
        conn: ConnId,
        patience: Duration,
        retry: Duration,
        now: Now,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(&conn) else {
            return false;
        };
        let since = *slot.busy_since.get_or_insert(now.running);
        if now.running >= since + patience {
            slot.busy_since = None;
            return true;
        }
        if !slot.blocked {
            slot.blocked = true;
            self.blocked.push(conn);
        }
        self.retry_at.get_or_insert(now.running + retry);
        false
    }

    /// Lets them try again when it is time.
    pub(super) fn unblock(&mut self, limits: &Limits, now: Now) {
        if self.retry_at.is_none_or(|at| at > now.running) {
            return;
        }
        self.retry_at = None;
        for conn in std::mem::take(&mut self.blocked) {
            if let Some(slot) = self.slots.get_mut(&conn) {
                slot.blocked = false;
            }
            self.settle(conn, limits);
        }
        self.completed.append(&mut self.held);
    }
}
