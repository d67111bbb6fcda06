//! Sessions that end with a write. A full disk may roll the write back, so they end after its commit, and the tick ends
//! with the request: no other request of these sessions is handled in between.

use super::account::displace;
use super::{Caller, Ctx, resume};
use crate::conn::ConnId;
use crate::storage::User;

/// Sessions of a user that end when the tick is committed. All secrets that resume one are void.
#[derive(Debug)]
pub(crate) struct SessionsEnd {
    user: User,
    /// The connection of the request.
    asked_by: ConnId,
}

impl SessionsEnd {
    /// The sessions of the caller but this one.
    pub(super) fn others(asked_by: ConnId, me: &Caller) -> Self {
        Self {
            user: me.user(),
            asked_by,
        }
    }

    /// The connection of the request.
    pub(crate) fn asked_by(&self) -> ConnId {
        self.asked_by
    }

    /// Ends them, each with SERVER_KICK and CLOSE_NOTIFY(6).
    pub(crate) fn carry_out(self, ctx: &mut Ctx<'_, '_>) {
        for conn in ctx.roster.conns_of(self.user.id).to_vec() {
            if conn != self.asked_by {
                ctx.roster.leave(conn);
                displace(ctx, &self.user, conn);
            }
        }
        resume::void_resume(ctx, self.user.id);
    }
}
