//! Friend requests and their answers.

use super::admission::{Demand, Plan, View, Written};
use super::effects::Effect;
use super::{Caller, Reject, done, done_with, people, targets};
use crate::clock::DAY;
use crate::storage::{FriendRequest, User, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::NameQuery;
use echat_proto::param::RequestState;
use echat_proto::records::Code;

/// For this long, a repeated request after a decline succeeds without a notice to the receiver: 7 days, in seconds.
const DECLINED_FOR: i64 = 7 * DAY;
/// The age from which a request may be replaced by a new one when the receiver has the maximum: a day, in seconds.
const SURE_OF_PLACE: i64 = DAY;

/// Former friends of a user, whose conversations are kept. A user with so many becomes friends only with one of them,
/// so that the number of conversations that a login looks at is bounded.
const FORMER_FRIENDS: usize = 1_000;

/// ADD_FRIEND. A request to a user that blocks the caller gets every answer that any other request would get. It is
/// stored like one, and the receiver is not told.
pub(crate) fn add_friend(
    view: &View<'_, '_>,
    me: Caller,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let other = targets::person(view.batch, &username)?;
    if other.id == me.id {
        return Err(Code::IsSelf.into());
    }
    if view.batch.friendship(me.id, other.id)?.is_some() {
        return Err(Code::AlreadyFriends.into());
    }
    if !view.batch.can_be_asked(other.id, view.now)? {
        return Err(Code::UnknownUser.into());
    }
    if view.batch.blocks(me.id, other.id)? {
        return Err(Code::Blocked.into());
    }
    let hidden = view.batch.blocks(other.id, me.id)?;
    // A request in return accepts an open request, even one that was declined before.
    let theirs = view.batch.request(other.id, me.id)?;
    if !hidden && theirs.is_some_and(stands) {
        let result = done("You are friends now.");
        return befriend(view, &me, other, Event::AddFriendResult { result });
    }
    let mine = view.batch.request(me.id, other.id)?;
    let mine = mine.filter(|mine| is_remembered(*mine, view.now));
    if mine.is_some_and(stands) {
        return Err(Code::AlreadyAsked.into());
    }
    refuse_too_many_friends(view, me.id, other.id)?;
    let gives_way = place_for_a_request(view, other.id)?;
    let now = view.now;
    Ok(Plan::write(Demand::FriendRequest, move |batch| {
        let mut effects = vec![changed(&other, RequestState::Sent)];
        if mine.is_some() {
            // Declined a short while ago: the receiver gets no notice, and the caller gets the usual reply.
            batch.ask_again(me.id, other.id)?;
        } else {
            // A hidden request takes no place.
            if let Some(oldest) = gives_way.filter(|_| !hidden) {
                batch.delete_request(oldest, other.id)?;
            }
            // A request that the caller declined before is void.
            batch.delete_request(other.id, me.id)?;
            batch.add_request(me.id, other.id, now)?;
            let username = String::from(&*me.name);
            let event = Event::IncommingFriendRequest { username };
            if !hidden {
                effects.push(Effect::Tell(other.id, event));
            }
        }
        batch.forget_declined(now.saturating_sub(DECLINED_FOR))?;
        Ok(Written {
            reply: Event::AddFriendResult {
                result: done("好友请求已发送"),
            },
            effects,
        })
    }))
}

/// RESOLVE_FRIEND_REQUEST.
pub(crate) fn resolve_friend_request(
    view: &View<'_, '_>,
    me: Caller,
    username: NameQuery,
    accepted: bool,
) -> Result<Plan, Reject> {
    let other = targets::person(view.batch, &username)?;
    let request = view.batch.request(other.id, me.id)?;
    let is_hidden = view.batch.blocks(me.id, other.id)?;
    if is_hidden || request.is_none_or(|request| request.declined_at.is_some()) {
        return Err(Code::NoRequest.into());
    }
    if accepted {
        let result = done("You are friends now.");
        return befriend(view, &me, other, Event::ResolveResult { result });
    }
    let now = view.now;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        batch.decline_request(other.id, me.id, now)?;
        batch.forget_declined(now.saturating_sub(DECLINED_FOR))?;
        Ok(Written {
            reply: Event::ResolveResult {
                result: done("The request was declined."),
            },
            effects: vec![changed(&other, RequestState::Declined)],
        })
    }))
}

/// REMOVE_FRIEND.
pub(crate) fn remove_friend(
    view: &View<'_, '_>,
    me: Caller,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let other = targets::seen_user(view.batch, &me, &username)?;
    if view.batch.friendship(me.id, other.id)?.is_none() {
        return Err(Code::NotAFriend.into());
    }
    let now = view.now;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        batch.end_friendship(me.id, other.id, now)?;
        Ok(Written {
            reply: done_with(RequestKind::RemoveFriend),
            effects: vec![Effect::Unfriend(me.user(), other)],
        })
    }))
}

/// The caller's other sessions learn what became of a request.
fn changed(other: &User, state: RequestState) -> Effect {
    let username = other.name.clone();
    Effect::TellOthers(Event::OnRequestChanged { username, state })
}

/// Whether the sender still sees the request as open, so that a request in return accepts it.
fn stands(request: FriendRequest) -> bool {
    request.declined_at.is_none() || request.asked_again
}

/// Whether the reply may differ from that for a request that was never made.
fn is_remembered(request: FriendRequest, now: i64) -> bool {
    let declined_at = request.declined_at;
    declined_at.is_none_or(|at| now < at.saturating_add(DECLINED_FOR))
}

/// Whether a user can have one more open request, and which one it replaces, if any.
fn place_for_a_request(view: &View<'_, '_>, receiver: UserId) -> Result<Option<UserId>, Reject> {
    let limit = view.limits.pending_requests;
    if !view.batch.has_as_many_pending(receiver, limit)? {
        return Ok(None);
    }
    let day_ago = view.now.saturating_sub(SURE_OF_PLACE);
    match view.batch.oldest_pending(receiver)? {
        Some((oldest, made_at)) if made_at < day_ago => Ok(Some(oldest)),
        _ => Err(Reject::too_many(limit)),
    }
}

/// Makes two users friends. Both get an event, and each learns whether the other is online.
fn befriend(view: &View<'_, '_>, me: &Caller, other: User, reply: Event) -> Result<Plan, Reject> {
    refuse_too_many_friends(view, me.id, other.id)?;
    refuse_too_many_friends(view, other.id, me.id)?;
    let (me, now) = (me.user(), view.now);
    let accepted = changed(&other, RequestState::Accepted);
    let texts = [away(view, &me, &other)?, away(view, &other, &me)?];
    Ok(Plan::write(Demand::Space, move |batch| {
        batch.befriend(me.id, other.id, now)?;
        let mut effects = vec![Effect::Befriend(me, other)];
        effects.extend(texts.into_iter().flatten());
        effects.push(accepted);
        Ok(Written { reply, effects })
    }))
}

/// A new friend is told that a user is away, if the user is.
fn away(view: &View<'_, '_>, of: &User, told: &User) -> Result<Option<Effect>, Reject> {
    let text = view.batch.away(of.id)?;
    Ok(text.map(|text| people::tell_away(of, told.id, Some(text))))
}

fn refuse_too_many_friends(view: &View<'_, '_>, user: UserId, new: UserId) -> Result<(), Reject> {
    if view.batch.friend_count(user)? >= view.limits.friends as u64 {
        return Err(Reject::too_many(view.limits.friends));
    }
    let is_full = view.batch.former_friend_count(user)? >= FORMER_FRIENDS as u64;
    if is_full && !view.batch.are_former_friends(user, new)? {
        return Err(Reject::too_many(FORMER_FRIENDS));
    }
    Ok(())
}
