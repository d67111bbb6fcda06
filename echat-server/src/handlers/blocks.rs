//! Blocks. A blocked user must not learn of it: what the user asks of the blocker is answered as a stranger would be
//! answered, is stored, and stays hidden until the block ends, which drops it.

use super::admission::{Demand, Plan, View, Written};
use super::effects::Effect;
use super::moderation::invitation_lines;
use super::{Caller, Ctx, Reject, done_with, people, targets};
use crate::storage::{Batch, StoreError, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::BLOCKS;
use echat_proto::names::NameQuery;
use echat_proto::records::Code;

/// BLOCK. The blocker's own pending request to the other user is withdrawn, since the other user could accept it.
pub(crate) fn block(view: &View<'_, '_>, me: Caller, username: NameQuery) -> Result<Plan, Reject> {
    let other = targets::seen_user(view.batch, &me, &username)?;
    if other.id == me.id {
        return Err(Code::IsSelf.into());
    }
    if view.batch.blocks(me.id, other.id)? {
        return Ok(Plan::Reply(done_with(RequestKind::Block)));
    }
    if view.batch.blocks_as_many(me.id, BLOCKS)? {
        return Err(Reject::too_many(BLOCKS));
    }
    let were_friends = view.batch.friendship(me.id, other.id)?.is_some();
    let rooms = view.batch.shared_rooms(me.id, other.id)?;
    let now = view.now;
    Ok(Plan::write(Demand::Space, move |batch| {
        let shown = batch.invitation_counts(me.id)?.shown;
        batch.block(me.id, other.id, now)?;
        batch.end_friendship(me.id, other.id, now)?;
        batch.withdraw_request(me.id, other.id)?;
        let hides_invitations = batch.invitation_counts(me.id)?.shown != shown;
        let changed = changed(batch, me.id, hides_invitations)?;
        let block = Effect::Block {
            me: me.user(),
            other,
            were_friends,
            rooms,
        };
        Ok(Written {
            reply: done_with(RequestKind::Block),
            effects: vec![block, Effect::TellOthers(changed)],
        })
    }))
}

/// UNBLOCK. It is charged like coming to the rooms that both are in, since it brings as many events to one user.
pub(crate) fn unblock(
    view: &View<'_, '_>,
    me: Caller,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let other = targets::user(view.batch, &username)?;
    if !view.batch.blocks(me.id, other.id)? {
        targets::seen_user(view.batch, &me, &username)?;
        return Ok(Plan::Reply(done_with(RequestKind::Unblock)));
    }
    let rooms = view.batch.shared_rooms(me.id, other.id)?;
    let most = view.limits.presence_room_members as u64;
    let tells_away = view
        .batch
        .rooms_except_lobby(me.id)?
        .iter()
        .any(|room| room.members <= most && rooms.iter().any(|shared| shared.id == room.id));
    let text = view.batch.away(me.id)?;
    Ok(Plan::write(Demand::Reappears(rooms.len()), move |batch| {
        batch.unblock(me.id, other.id)?;
        batch.withdraw_request(other.id, me.id)?;
        batch.delete_invitations_by(me.id, other.id)?;
        let changed = changed(batch, me.id, false)?;
        let unblock = Effect::Unblock {
            me: me.user(),
            other: other.id,
            rooms,
        };
        let mut effects = vec![unblock];
        // It may have changed since the block began.
        if tells_away {
            effects.push(people::tell_away(&me.user(), other.id, text));
        }
        effects.push(Effect::TellOthers(changed));
        Ok(Written {
            reply: done_with(RequestKind::Unblock),
            effects,
        })
    }))
}

/// LIST_BLOCKED: all of them, since 1,000 names fit into one frame.
pub(crate) fn list_blocked(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    Ok(Event::Blocked {
        usernames: blocked_names(ctx.batch, me.id)?,
    })
}

/// The names of the users that a user blocks.
pub(super) fn blocked_names(batch: &Batch<'_>, by: UserId) -> Result<Vec<String>, StoreError> {
    let blocked = batch.blocked_by(by)?.into_iter();
    Ok(blocked.map(|user| user.name).collect())
}

/// What sessions of the blocker learn.
pub(super) fn changed(
    batch: &Batch<'_>,
    me: UserId,
    with_invitations: bool,
) -> Result<Event, StoreError> {
    let invitations = with_invitations.then(|| invitation_lines(batch, me));
    Ok(Event::OnSelfChanged {
        blocked: Some(blocked_names(batch, me)?),
        invitations: invitations.transpose()?,
        away: None,
        last_seen: None,
    })
}
