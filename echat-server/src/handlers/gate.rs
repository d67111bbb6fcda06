//! Who may ask: the gates of the route table. A handler gets what its gate found out.

use super::{Ctx, Member, Reject};
use echat_proto::records::Code;

/// Anybody whose handshake is done.
pub(crate) struct Anyone;

/// Somebody who is not logged in.
pub(crate) struct Guest;

/// Lets everybody pass.
#[expect(clippy::unnecessary_wraps, reason = "all gates have one form")]
pub(crate) fn anyone(_: &Ctx<'_, '_>) -> Result<Anyone, Reject> {
    Ok(Anyone)
}

/// Lets those pass who are not logged in on this connection: one connection is one user until
/// LOGOUT.
pub(crate) fn guest(ctx: &Ctx<'_, '_>) -> Result<Guest, Reject> {
    match ctx.roster.at(ctx.conn) {
        Some(_) => Err(Code::AlreadyLoggedIn.into()),
        None => Ok(Guest),
    }
}

/// Lets those pass who are logged in on this connection.
pub(crate) fn member(ctx: &Ctx<'_, '_>) -> Result<Member, Reject> {
    match ctx.roster.at(ctx.conn) {
        Some(session) => Ok(Member {
            id: session.user,
            name: session.name.clone(),
        }),
        None => Err(Code::NotLoggedIn.into()),
    }
}
