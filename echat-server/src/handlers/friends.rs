//! Friend requests and what comes of them.

use super::{Ctx, Member, Reject, done, targets};
use crate::store::{User, UserId};
use echat_proto::commands::Event;
use echat_proto::names::NameQuery;
use echat_proto::records::Code;

/// ADD_FRIEND.
pub(crate) fn add_friend(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    username: NameQuery,
) -> Result<Event, Reject> {
    let other = targets::user(ctx, &username)?;
    if other.id == me.id {
        return Err(Code::IsSelf.into());
    }
    if ctx.batch.friendship(me.id, other.id)?.is_some() {
        return Err(Code::AlreadyFriends.into());
    }
    // Who was asked and asks back has answered.
    if ctx.batch.requested(other.id, me.id)? {
        befriend(ctx, &me, &other)?;
        return Ok(Event::AddFriendResult {
            result: done("You are friends now."),
        });
    }
    if ctx.batch.requested(me.id, other.id)? {
        return Err(Code::AlreadyAsked.into());
    }
    has_room_for_a_friend(ctx, me.id)?;
    if ctx.batch.pending_count(other.id)? >= ctx.limits.pending_requests as u64 {
        return Err(Reject::too_many(ctx.limits.pending_requests));
    }

    ctx.batch.add_request(me.id, other.id, ctx.now.unix)?;

    let username = me.name.to_string();
    ctx.outbox.send_all(
        ctx.roster.conns_of(other.id).to_vec(),
        &Event::IncommingFriendRequest { username },
    );
    Ok(Event::AddFriendResult {
        result: done("好友请求已发送"),
    })
}

/// RESOLVE_FRIEND_REQUEST.
pub(crate) fn resolve_friend_request(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    username: NameQuery,
    accepted: bool,
) -> Result<Event, Reject> {
    let other = targets::user(ctx, &username)?;
    if !ctx.batch.requested(other.id, me.id)? {
        return Err(Code::NoRequest.into());
    }
    let message = if accepted {
        befriend(ctx, &me, &other)?;
        "You are friends now."
    } else {
        ctx.batch.delete_request(other.id, me.id)?;
        "The request was declined."
    };
    Ok(Event::ResolveResult {
        result: done(message),
    })
}

/// Makes two friends and tells both, and each of them if the other is online.
fn befriend(ctx: &mut Ctx<'_, '_>, me: &Member, other: &User) -> Result<(), Reject> {
    has_room_for_a_friend(ctx, me.id)?;
    has_room_for_a_friend(ctx, other.id)?;

    ctx.batch.befriend(me.id, other.id, ctx.now.unix)?;

    let mine = ctx.roster.conns_of(me.id).to_vec();
    let theirs = ctx.roster.conns_of(other.id).to_vec();
    for (told, name, online) in [
        (mine, other.name.as_str(), !theirs.is_empty()),
        (theirs, &*me.name, true),
    ] {
        let username = name.to_owned();
        let contact = Event::NewContact {
            username: username.clone(),
        };
        ctx.outbox.send_all(told.clone(), &contact);
        if online {
            ctx.outbox
                .send_all(told, &Event::OnFriendOnline { username });
        }
    }
    Ok(())
}

fn has_room_for_a_friend(ctx: &Ctx<'_, '_>, user: UserId) -> Result<(), Reject> {
    if ctx.batch.friend_count(user)? >= ctx.limits.friends as u64 {
        return Err(Reject::too_many(ctx.limits.friends));
    }
    Ok(())
}
