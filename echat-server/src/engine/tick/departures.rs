//! Those whose connection is gone are gone: who is to know is told.

use super::Tick;
use crate::conn::ConnId;
use crate::handlers::{Reject, account, gate};
use crate::store::StoreError;

impl Tick<'_> {
    /// Announces those who are gone, as many as a turn has time for: when a crowd goes at once, what there
    /// is to tell of some is told before others go.
    pub(super) fn announce_departed(&mut self) -> Result<(), StoreError> {
        let start = self.work();
        while self.is_little(start)
            && !self.news.are_many()
            && let Some(conn) = self.net.departed.pop_front()
        {
            self.depart(conn)?;
        }
        Ok(())
    }

    /// Ends the session of a connection, if it has one, and tells who is to know.
    pub(super) fn depart(&mut self, conn: ConnId) -> Result<(), StoreError> {
        let before = self.work();
        let mut ctx = self.ctx(conn);
        let Ok(me) = gate::member(&ctx) else {
            return Ok(());
        };
        match account::depart(&mut ctx, &me) {
            Err(Reject::Store(StoreError::Busy)) => {
                // Their friends cannot be looked up now: they see it when they look themselves.
                ctx.roster.leave(conn);
            }
            Err(Reject::Store(error)) => return Err(error),
            Ok(()) | Err(Reject::Refused(_)) => {}
        }
        self.charge_user(me.id, before);
        Ok(())
    }
}
