//! DELETE_ACCOUNT: a worker compares the password.

use super::account::{Pending, audience_or_none, count_own_try};
use super::effects::Effect;
use super::journal::Entry;
use super::password::wrong;
use super::session_ends::SessionsEnd;
use super::{Answer, Caller, Ctx, Reject, gate, rooms};
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
        let audience = audience_or_none(ctx, bot.user.id)?;
        ends.push(SessionsEnd::of_deleted(ctx.conn, bot.user, audience));
    }
    let audience = audience_or_none(ctx, me.id)?;
    ends.push(SessionsEnd::of_deleted(ctx.conn, me.user(), audience));
    let now = ctx.now.unix;
    let (deleted, effects) = delete(ctx.batch, me.id, deletion.erase, now)?;
    ctx.journal
        .note(|| Entry::deletion(me.id, deletion.erase, now));
    ctx.throttle.guesses.forgive(deletion.counted.guesser);
    ctx.session_ends.append(&mut ends);
    if deletion.erase {
        ctx.erased.extend(deleted.iter().copied());
    }
    // The sessions that end are told no more of the rooms.
    for user in &deleted {
        ctx.roster.part_all(*user);
    }
    let mut reply = Event::LoggedOut {};
    ctx.announce(effects, &mut reply);
    Ok(reply)
}

/// Deletes the account of a user, and those of the user's bots; returns them, and what members of rooms are told.
pub(crate) fn delete(
    batch: &mut Batch<'_>,
    user: UserId,
    erase: bool,
    now: i64,
) -> Result<(Vec<UserId>, Vec<Effect>), StoreError> {
    let bots = batch.bots_of(user)?.into_iter();
    let mut deleted: Vec<UserId> = bots.map(|bot| bot.user.id).collect();
    deleted.push(user);
    let mut effects = Vec::new();
    for user in &deleted {
        for room in batch.room_sizes_of(*user)? {
            let Some(room) = batch.find_room(&room.name)? else {
                continue;
            };
            batch.remove_member(room.id, *user)?;
            effects.extend(rooms::without(batch, &room, *user)?.effects);
        }
        batch.delete_account(*user, erase, now)?;
    }
    Ok((deleted, effects))
}
