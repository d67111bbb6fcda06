//! The expected LOGIN_BUNDLE, without presence.

use super::{CERTAIN_BYTES, message, room_names, user_names};
use crate::committed::CommittedState;
use crate::plan::ROOMS;
use crate::request::{kind, target_name};
use crate::value::{dict, list, text};
use echat_proto::Value;
use echat_proto::param::Param;

/// The entries of a LOGIN_BUNDLE that are known exactly. The messages are included if they certainly fit.
pub(crate) fn bundle(
    me: usize,
    committed: &CommittedState,
    now: i64,
) -> Vec<(&'static str, Value)> {
    let names = |names: Vec<&str>| list(names.into_iter().map(text));
    let messages: Vec<Value> = committed
        .visible(me, now)
        .map(|(id, stored)| message(me, id, stored, committed))
        .collect();
    let bytes: usize = committed
        .visible(me, now)
        .map(|(_, found)| found.content.len())
        .sum();
    let pending = committed
        .incoming_requests(me)
        .map(|sender| committed.name(sender));
    let away = user_names(committed.friends_of(me), committed).into_iter();
    let away = away.filter_map(|name| {
        let away = committed.accounts[&committed.user_named(name)]
            .away
            .as_ref()?;
        Some(dict([("username", text(name)), ("text", text(away))]))
    });
    let mut entries = vec![
        ("chat_rooms", names(room_names(committed.rooms_of(me)))),
        (
            "friends",
            names(user_names(committed.friends_of(me), committed)),
        ),
        ("pending_requests", names(pending.collect())),
        ("unread", unread(me, committed, now)),
        (
            "blocked",
            names(user_names(committed.blocked_by(me), committed)),
        ),
        ("invitations", invitations(me, committed)),
        ("away", list(away)),
    ];
    if bytes < CERTAIN_BYTES && messages.len() < 50 {
        entries.push(("messages", list(messages)));
    }
    entries
}

/// The invitations that a user sees, by name of the room.
pub(crate) fn invitations(me: usize, committed: &CommittedState) -> Value {
    let mut invited = committed.invited_to(me);
    invited.sort_by_key(|(room, _)| ROOMS[*room]);
    list(invited.into_iter().map(|(room, by)| {
        let by = by.map(|by| ("by", text(committed.name(by))));
        dict([("roomname", text(ROOMS[room]))].into_iter().chain(by))
    }))
}

/// Conversations with unread messages, by name.
fn unread(me: usize, committed: &CommittedState, now: i64) -> Value {
    let mine = committed
        .participations
        .iter()
        .filter(|((user, _), _)| *user == me);
    let mut unread: Vec<(&str, Value)> = mine
        .filter_map(|((_, conversation), participation)| {
            let (count, mentions) = committed.unread(me, *conversation, now);
            let target = committed.target(me, *conversation)?;
            let line = dict([
                ("target_type", kind(target).to_value()),
                ("target", text(target_name(target, committed))),
                ("count", Value::Int(count)),
                ("read_id", Value::Int(participation.read)),
                ("mentions", Value::Int(mentions)),
            ]);
            (count > 0).then_some((target_name(target, committed), line))
        })
        .collect();
    unread.sort_by_key(|(name, _)| *name);
    list(unread.into_iter().map(|(_, line)| line))
}
