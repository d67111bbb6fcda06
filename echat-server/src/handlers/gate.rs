//! The gates of the route table: each says which connections may ask, and gives the handler the caller.

use super::{Caller, Ctx, Reject};
use echat_proto::records::Code;

/// The caller of a request that needs no login.
pub(crate) struct Anyone;

/// A caller who is not logged in.
pub(crate) struct Unauthenticated;

/// What a gate gives its handler.
pub(crate) trait Passed {
    /// The authenticated user, if the gate asks for one.
    fn caller(&self) -> Option<&Caller>;
}

impl Passed for Anyone {
    fn caller(&self) -> Option<&Caller> {
        None
    }
}

impl Passed for Unauthenticated {
    fn caller(&self) -> Option<&Caller> {
        None
    }
}

impl Passed for Caller {
    fn caller(&self) -> Option<&Caller> {
        Some(self)
    }
}

/// Lets bots ask, too.
#[expect(clippy::unnecessary_wraps, reason = "both words have one form")]
pub(crate) fn bots(_: &impl Passed) -> Result<(), Reject> {
    Ok(())
}

/// Refuses bots.
pub(crate) fn people(caller: &impl Passed) -> Result<(), Reject> {
    match caller.caller() {
        Some(caller) if caller.bot => Err(Code::NotForBots.into()),
        _ => Ok(()),
    }
}

/// Admits every connection after its handshake.
#[expect(clippy::unnecessary_wraps, reason = "all gates have one form")]
pub(crate) fn anyone(_: &Ctx<'_, '_>) -> Result<Anyone, Reject> {
    Ok(Anyone)
}

/// Admits a connection without a login. A connection belongs to one user until LOGOUT.
pub(crate) fn unauthenticated(ctx: &Ctx<'_, '_>) -> Result<Unauthenticated, Reject> {
    match ctx.roster.at(ctx.conn) {
        Some(_) => Err(Code::AlreadyLoggedIn.into()),
        None => Ok(Unauthenticated),
    }
}

/// Admits a session whose password is not a temporary one of the administration.
pub(crate) fn authenticated(ctx: &Ctx<'_, '_>) -> Result<Caller, Reject> {
    let caller = logged_in(ctx)?;
    if ctx.roster.has_temporary_password(ctx.conn) {
        return Err(Reject::temporary_password());
    }
    Ok(caller)
}

/// Admits every session, also one that first has to change a temporary password.
pub(crate) fn logged_in(ctx: &Ctx<'_, '_>) -> Result<Caller, Reject> {
    match ctx.roster.at(ctx.conn) {
        Some(session) => Ok(Caller {
            id: session.user,
            name: session.name.clone(),
            bot: session.bot,
        }),
        None => Err(Code::NotLoggedIn.into()),
    }
}
