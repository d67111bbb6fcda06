//! CHANGE_PASSWORD: a worker compares the present password and hashes the new one.

use super::account::{Pending, count_own_attempt};
use super::journal::Entry;
use super::session_ends::SessionsEnd;
use super::{Answer, Caller, Ctx, Reject, done_with, gate};
use crate::limits::CountedAttempt;
use crate::secrets::PasswordHash;
use crate::workers::jobs::Task;
use echat_proto::Value;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::Password;
use echat_proto::param::NewPassword;
use echat_proto::records::Code;

/// CHANGE_PASSWORD, first step. An attempt at the present password counts as one of LOGIN.
pub(crate) fn change_password(
    ctx: &mut Ctx<'_, '_>,
    me: Caller,
    old: Password,
    new: NewPassword,
) -> Result<Answer, Reject> {
    let Some((_, hash)) = ctx.batch.credentials(&me.name)? else {
        return Err(Code::BadCredentials.into());
    };
    let new = new.0;
    if new.as_bytes() == old.as_bytes() && ctx.batch.must_change_password(me.id)? {
        let message = "The new password has to differ from the temporary one.";
        let refused = Reject::with_message(Code::BadPassword, message);
        return Err(refused.with_key("field", Value::Str("new".to_owned())));
    }
    let counted = count_own_attempt(ctx, &me)?;
    Ok(Answer::Wait(
        Task::Change { old, hash, new },
        Pending::ChangePassword(counted),
    ))
}

/// CHANGE_PASSWORD, second step: stores the hash of the new password. `None` if the present one was wrong. The present
/// one cannot have changed in between: a change ends the user's other sessions, and their requests with them.
pub(crate) fn changed(
    ctx: &mut Ctx<'_, '_>,
    counted: CountedAttempt,
    hash: Option<&PasswordHash>,
) -> Result<Event, Reject> {
    let me = gate::logged_in(ctx)?;
    let Some(hash) = hash else {
        return Err(wrong(ctx, &me));
    };
    ctx.batch.change_password(me.id, hash.as_str())?;
    ctx.journal.record(|| Entry::password(me.id, hash));
    ctx.roster.change_password(ctx.conn);
    ctx.throttle.guesses.forgive(counted.guesser);
    let others = SessionsEnd::others(ctx.conn, &me);
    ctx.after_commit.session_ends.push(others);
    Ok(done_with(RequestKind::ChangePassword))
}

/// Refuses a wrong password of a user that is logged in.
pub(super) fn wrong(ctx: &Ctx<'_, '_>, me: &Caller) -> Reject {
    tracing::warn!(user = &*me.name, address = %ctx.address, "wrong password");
    Code::BadCredentials.into()
}
