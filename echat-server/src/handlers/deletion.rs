//! DELETE_ACCOUNT: a worker compares the password.

use super::account::{Pending, audience_or_none, count_own_try};
use super::journal::Entry;
use super::password::wrong;
use super::session_ends::{Farewell, SessionsEnd};
use super::{Answer, Caller, Ctx, Reject, gate};
use crate::limits::CountedTry;
use crate::storage::{Batch, StoreError, UserId};
use crate::workers::jobs::{Task, Verdict};
use echat_proto::commands::Event;
use echat_proto::names::Password;
use echat_proto::records::Code;

/// A DELETE_ACCOUNT whose password is not compared yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletion {
    pub(crate) user: UserId,
    pub(crate) counted: CountedTry,
    erase: bool,
}

/// DELETE_ACCOUNT, first step. A try at the password counts as one of LOGIN.
pub(crate) fn delete_account(
    ctx: &mut Ctx<'_, '_>,
    me: Caller,
    password: Password,
    erase: bool,
) -> Result<Answer, Reject> {
    let Some((_, hash)) = ctx.batch.credentials(&me.name)? else {
        return Err(Code::BadCredentials.into());
    };
    let counted = count_own_try(ctx, &me)?;
    let hash = Some(hash);
    let user = me.id;
    Ok(Answer::Wait(
        Task::Verify { password, hash },
        Pending::DeleteAccount(Deletion {
            user,
            counted,
            erase,
        }),
    ))
}

/// DELETE_ACCOUNT, second step. The sessions of the user end after the commit, this one too.
pub(crate) fn deleted(
    ctx: &mut Ctx<'_, '_>,
    deletion: Deletion,
    verdict: &Verdict,
) -> Result<Event, Reject> {
    let me = gate::authenticated(ctx)?;
    if *verdict == Verdict::Wrong {
        return Err(wrong(ctx, &me));
    }
    let mut ends = Vec::new();
    for bot in ctx.batch.bots_of(me.id)? {
        let farewell = audience_or_none(ctx, bot.user.id)?.map(Farewell::Deleted);
        ends.push(SessionsEnd::all(ctx.conn, bot.user, farewell));
    }
    let farewell = audience_or_none(ctx, me.id)?.map(Farewell::Deleted);
    ends.push(SessionsEnd::all(ctx.conn, me.user(), farewell));
    let now = ctx.now.unix;
    let deleted = delete(ctx.batch, me.id, deletion.erase, now)?;
    ctx.journal
        .note(|| Entry::deletion(me.id, deletion.erase, now));
    ctx.throttle.guesses.forgive(deletion.counted.guesser);
    ctx.session_ends.append(&mut ends);
    if deletion.erase {
        ctx.erased.extend(deleted);
    }
    Ok(Event::LoggedOut {})
}

/// Deletes the account of a user, and those of the user's bots; returns them.
pub(crate) fn delete(
    batch: &mut Batch<'_>,
    user: UserId,
    erase: bool,
    now: i64,
) -> Result<Vec<UserId>, StoreError> {
    let bots = batch.bots_of(user)?.into_iter();
    let mut deleted: Vec<UserId> = bots.map(|bot| bot.user.id).collect();
    deleted.push(user);
    for user in &deleted {
        for room in batch.room_sizes_of(*user)? {
            leave_room(batch, room.id, *user)?;
        }
        batch.delete_account(*user, erase, now)?;
    }
    Ok(deleted)
}

/// A member leaves a room for good.
fn leave_room(
    batch: &mut Batch<'_>,
    room: crate::storage::ConversationId,
    user: UserId,
) -> Result<(), StoreError> {
    batch.remove_member(room, user)?;
    if batch.owner_of(room)? == Some(user) {
        batch.succeed_owner(room)?;
    }
    Ok(())
}
