//! Friend requests and what comes of them.

use super::{Ctx, Member, Reject, done, targets};
use crate::store::{FriendRequest, User, UserId};
use echat_proto::commands::Event;
use echat_proto::names::NameQuery;
use echat_proto::records::Code;

/// How long a declined request may be made again without the receiver hearing of it: 7 days, in seconds.
const DECLINED_FOR: i64 = 7 * 24 * 60 * 60;
/// How long a request waits before it gives way to another, when a user has as many as may be: a day, in
/// seconds.
const SURE_OF_PLACE: i64 = 24 * 60 * 60;

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
    // Asking back answers a request that stands, even one that was declined before.
    let theirs = ctx.batch.request(other.id, me.id)?;
    if theirs.is_some_and(stands) {
        befriend(ctx, &me, &other)?;
        return Ok(Event::AddFriendResult {
            result: done("You are friends now."),
        });
    }
    let mine = ctx.batch.request(me.id, other.id)?;
    let mine = mine.filter(|mine| is_remembered(*mine, ctx.now.unix));
    if mine.is_some_and(stands) {
        return Err(Code::AlreadyAsked.into());
    }
    has_room_for_a_friend(ctx, me.id)?;
    let gives_way = place_for_a_request(ctx, other.id)?;
    may_ask(ctx, &me)?;
    ctx.needs_space()?;

    if mine.is_some() {
        // Declined a short while ago: the receiver is not told, and the asker is told what all are told.
        ctx.batch.ask_again(me.id, other.id)?;
    } else {
        if let Some(oldest) = gives_way {
            ctx.batch.delete_request(oldest, other.id)?;
        }
        // What the asker declined before is over.
        ctx.batch.delete_request(other.id, me.id)?;
        ctx.batch.add_request(me.id, other.id, ctx.now.unix)?;
    }
    ctx.batch
        .forget_declined(ctx.now.unix.saturating_sub(DECLINED_FOR))?;

    ctx.throttle
        .count_request(me.id, ctx.now.running, ctx.limits);
    if mine.is_none() {
        let username = me.name.to_string();
        ctx.outbox.send_all(
            ctx.roster.conns_of(other.id).to_vec(),
            &Event::IncommingFriendRequest { username },
        );
    }
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
    let request = ctx.batch.request(other.id, me.id)?;
    if request.is_none_or(|request| request.declined_at.is_some()) {
        return Err(Code::NoRequest.into());
    }
    let message = if accepted {
        befriend(ctx, &me, &other)?;
        "You are friends now."
    } else {
        let now = ctx.now.unix;
        ctx.batch.decline_request(other.id, me.id, now)?;
        ctx.batch
            .forget_declined(now.saturating_sub(DECLINED_FOR))?;
        "The request was declined."
    };
    Ok(Event::ResolveResult {
        result: done(message),
    })
}

/// Whether the sender believes that the request waits, so that asking back makes friends.
fn stands(request: FriendRequest) -> bool {
    request.declined_at.is_none() || request.asked_again
}

/// Whether the request is to be told from one that was never made.
fn is_remembered(request: FriendRequest, now: i64) -> bool {
    let declined_at = request.declined_at;
    declined_at.is_none_or(|at| now < at.saturating_add(DECLINED_FOR))
}

/// Whether one more request may wait for a user's answer; whose request gives way to it, if one has to.
fn place_for_a_request(ctx: &Ctx<'_, '_>, receiver: UserId) -> Result<Option<UserId>, Reject> {
    let limit = ctx.limits.pending_requests;
    if ctx.batch.pending_count(receiver)? < limit as u64 {
        return Ok(None);
    }
    let day_ago = ctx.now.unix.saturating_sub(SURE_OF_PLACE);
    match ctx.batch.oldest_pending(receiver)? {
        Some((oldest, made_at)) if made_at < day_ago => Ok(Some(oldest)),
        _ => Err(Reject::too_many(limit)),
    }
}

/// Whether a user did not make too many requests within the last hour.
fn may_ask(ctx: &Ctx<'_, '_>, me: &Member) -> Result<(), Reject> {
    match ctx
        .throttle
        .request_wait(me.id, ctx.now.running, ctx.limits)
    {
        Some(wait) => Err(Reject::retry_after(Code::RateLimited, wait)),
        None => Ok(()),
    }
}

/// Makes two friends and tells both, and each of them if the other is online.
fn befriend(ctx: &mut Ctx<'_, '_>, me: &Member, other: &User) -> Result<(), Reject> {
    has_room_for_a_friend(ctx, me.id)?;
    has_room_for_a_friend(ctx, other.id)?;
    ctx.needs_space()?;

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
