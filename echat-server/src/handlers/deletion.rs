//! DELETE_ACCOUNT: a worker compares the password.

use super::account::{Pending, count_own_attempt};
use super::effects::Effect;
use super::journal::Entry;
use super::password::wrong;
use super::session_ends::SessionsEnd;
use super::{Answer, Caller, Ctx, Reject, gate, rooms};
use crate::limits::CountedAttempt;
use crate::storage::{Batch, DeletedAccount, ErasureCursor, Removal, StoreError, UserId};
use crate::workers::jobs::{Task, Verdict};
use echat_proto::commands::Event;
use echat_proto::names::Password;
use echat_proto::records::Code;

/// A DELETE_ACCOUNT whose password is not compared yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletion {
    pub(crate) user: UserId,
    pub(crate) counted: CountedAttempt,
    erase: bool,
}

/// DELETE_ACCOUNT, first step. An attempt at the password counts as one of LOGIN.
pub(crate) fn delete_account(
    ctx: &mut Ctx<'_, '_>,
    me: Caller,
    password: Password,
    erase: bool,
) -> Result<Answer, Reject> {
    let Some((_, hash)) = ctx.batch.credentials(&me.name)? else {
        return Err(Code::BadCredentials.into());
    };
    let counted = count_own_attempt(ctx, &me)?;
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
    let me = gate::logged_in(ctx)?;
    if *verdict == Verdict::Wrong {
        return Err(wrong(ctx, &me));
    }
    let ends = SessionsEnd::of_account(ctx, me.user())?;
    let now = ctx.now.unix;
    let is_last_administrator = ctx.batch.is_last_administrator(me.id)?;
    let effects = delete(ctx.batch, me.id, deletion.erase, now)?;
    ctx.journal
        .record(|| Entry::deletion(me.id, deletion.erase, now));
    ctx.throttle.guesses.forgive(deletion.counted.guesser);
    if is_last_administrator {
        ctx.session_log.last_administrator_deleted(me.name.clone());
    }
    forget(ctx, ends);
    let mut reply = Event::LoggedOut {};
    ctx.announce(effects, &mut reply)?;
    Ok(reply)
}

/// Forgets accounts that were deleted, whose sessions end so after the commit.
pub(super) fn forget(ctx: &mut Ctx<'_, '_>, ends: Vec<SessionsEnd>) {
    for user in ends.iter().map(SessionsEnd::user) {
        // The sessions that end are told no more of the rooms.
        ctx.roster.leave_all(user);
    }
    ctx.after_commit.session_ends.extend(ends);
}

/// Deletes the account of a user, and those of the user's bots; returns what members of rooms are told, and what is
/// left to remove. With `erase`, the messages of the user go. Those of the bots stay, as when a bot is removed.
pub(crate) fn delete(
    batch: &mut Batch<'_>,
    owner: UserId,
    erase: bool,
    now: i64,
) -> Result<Vec<Effect>, StoreError> {
    let bots = batch.bots_of(owner)?.into_iter();
    let mut deleted: Vec<UserId> = bots.map(|bot| bot.user.id).collect();
    deleted.push(owner);
    let mut effects = Vec::new();
    for user in &deleted {
        for room in batch.room_sizes_of(*user)? {
            let Some(room) = batch.find_room(&room.name)? else {
                continue;
            };
            batch.remove_member(room.id, *user)?;
            effects.extend(rooms::without(batch, &room, *user)?.effects);
        }
        effects.extend(end_account(batch, *user, erase && *user == owner, now)?);
    }
    Ok(effects)
}

/// Deletes the account of a user that is in no room and owns no bot; returns what other users are told, and what is
/// left to remove.
pub(super) fn end_account(
    batch: &mut Batch<'_>,
    user: UserId,
    erase: bool,
    now: i64,
) -> Result<Vec<Effect>, StoreError> {
    let DeletedAccount { left, lists } = batch.delete_account(user, erase, now)?;
    let mut effects = vec![Effect::ListsChanged(lists)];
    effects.extend(left.map(Effect::Remove));
    if erase {
        let removal = Removal::Account(user, ErasureCursor::default());
        effects.push(Effect::Remove(removal));
    }
    Ok(effects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{ConversationId, Retention, Store, Usage};
    use echat_proto::names::{Content, RoomName, Username};

    const ROOMS: usize = 200;
    const FRIENDS: usize = 500;

    /// A user with as many rooms and friends as the default limits allow, and with so many messages.
    fn large_account(messages: usize) -> (Store, UserId) {
        let mut store = Store::in_memory().expect("memory");
        let mut batch = store.batch();
        let user = |batch: &mut Batch<'_>, name: &str| {
            let name = Username::new(name).expect("a name");
            let made = batch.create_user(&name, "phc", 1).expect("memory");
            made.expect("free")
        };
        let ann = user(&mut batch, "ann");
        let mut conversations: Vec<ConversationId> = Vec::new();
        let friends = (0..FRIENDS).map(|number| format!("friend{number}"));
        let friends: Vec<UserId> = friends.map(|name| user(&mut batch, &name)).collect();
        for friend in &friends {
            conversations.push(batch.befriend(ann, *friend, 1).expect("memory"));
        }
        for number in 0..ROOMS {
            let name = RoomName::new(&format!("room{number}")).expect("a name");
            let room = batch.create_room(&name, ann, 1).expect("memory");
            let room = room.expect("free");
            for member in [ann, friends[number], friends[number + 1]] {
                batch.add_member(room, member, 1).expect("memory");
            }
            conversations.push(room);
        }
        let text = Content::new("hello").expect("a text");
        for number in 0..messages {
            let to = conversations[number % conversations.len()];
            let sent = batch.insert_message(to, ann, &text, None, 1);
            sent.expect("memory");
        }
        drop(batch.commit().expect("memory"));
        (store, ann)
    }

    fn deletion(messages: usize) -> (Store, UserId, Usage) {
        let (mut store, ann) = large_account(messages);
        let mut batch = store.batch();
        delete(&mut batch, ann, true, 2).expect("memory");
        let usage = batch.usage();
        drop(batch.commit().expect("memory"));
        (store, ann, usage)
    }

    #[test]
    fn the_deletion_of_a_large_account_is_bounded_and_does_not_depend_on_its_messages() {
        let (_, _, few) = deletion(1_000);
        let (mut store, ann, many) = deletion(100_000);
        // The request: some statements for each room, and one for each table.
        assert_eq!(few.statements, many.statements);
        assert!(many.statements < 20 * ROOMS as u64, "{many:?}");
        assert!(many.steps < few.steps + few.steps / 10, "{few:?} {many:?}");
        assert!(many.steps < 100_000, "{many:?}");
        // What is left is done in portions: 64 messages, or 2,000 that are looked at.
        let retention = Retention { now: 3, days: None };
        let (mut left, mut portions) = (Removal::Account(ann, ErasureCursor::default()), 0);
        loop {
            let mut batch = store.batch();
            let more = batch.remove(&left, retention).expect("memory");
            let usage = batch.usage();
            drop(batch.commit().expect("memory"));
            assert!(usage.steps < 40_000, "{usage:?}");
            assert!(usage.statements <= 300, "{usage:?}");
            portions += 1;
            match more {
                Some(more) => left = more,
                None => break,
            }
        }
        assert!(portions >= 100_000 / 64, "{portions}");
    }
}
