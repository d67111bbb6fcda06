//! Those whose connection is gone are gone: who is to know is told.

use super::Tick;
use crate::conn::{ConnId, Departure};
use crate::handlers::{Reject, account, gate};
use crate::store::StoreError;

impl Tick<'_> {
    /// Announces those who are gone, as many as a turn has time for. Who came just now, and is still told
    /// of, goes later.
    pub(super) fn announce_departed(&mut self) -> Result<(), StoreError> {
        let start = self.work();
        let mut later = Vec::new();
        let mut departed = Ok(());
        while departed.is_ok()
            && self.is_little(start)
            && let Some((conn, reason)) = self.net.departed.pop_front()
        {
            if self.is_told_of(conn) {
                later.push((conn, reason));
            } else {
                let before = self.work();
                let user = self.memory.roster.at(conn).map(|online| online.user);
                departed = self.depart(conn, reason);
                if let Some(user) = user {
                    self.charge_user(user, before);
                }
            }
        }
        self.net.departed.extend(later);
        departed
    }

    /// Whether the rooms of who is logged in at a connection have not all heard of it.
    pub(super) fn is_told_of(&self, conn: ConnId) -> bool {
        let online = self.memory.roster.at(conn);
        online.is_some_and(|online| self.news.tell_of(online.user))
    }

    /// Ends the session of a connection, if it has one, and tells who is to know.
    pub(super) fn depart(&mut self, conn: ConnId, reason: Departure) -> Result<(), StoreError> {
        let mut ctx = self.ctx(conn);
        let Ok(me) = gate::member(&ctx) else {
            return Ok(());
        };
        match account::depart(&mut ctx, &me, reason) {
            Ok(()) => Ok(()),
            Err(reject) => {
                // Friends cannot be looked up now: they see it when they look themselves.
                account::leave(&mut ctx, &me, reason);
                match reject {
                    Reject::Store(error @ StoreError::Fatal(_)) => Err(error),
                    Reject::Store(_) | Reject::Refused(_) => Ok(()),
                }
            }
        }
    }
}
