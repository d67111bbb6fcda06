//! What a login shows, without presence.

use super::{SURE, message, room_names, user_names};
use crate::plan::ROOMS;
use crate::request::{kind, named};
use crate::truth::Truth;
use crate::value::{dict, list, text};
use echat_proto::Value;
use echat_proto::param::Param;

/// The entries of a LOGIN_BUNDLE that are known, the lists of unread messages and messages if they surely fit.
pub(crate) fn bundle(me: usize, truth: &Truth, now: i64) -> Vec<(&'static str, Value)> {
    let names = |names: Vec<&str>| list(names.into_iter().map(text));
    let messages: Vec<Value> = truth
        .visible(me, now)
        .map(|(id, stored)| message(me, id, stored, truth))
        .collect();
    let bytes: usize = truth
        .visible(me, now)
        .map(|(_, found)| found.content.len())
        .sum();
    let pending = truth.pending(me).map(|sender| truth.name(sender));
    let away = user_names(truth.friends_of(me), truth).into_iter();
    let away = away.filter_map(|name| {
        let away = truth.accounts[&truth.named(name)].away.as_ref()?;
        Some(dict([("username", text(name)), ("text", text(away))]))
    });
    let mut entries = vec![
        ("chat_rooms", names(room_names(truth.rooms_of(me)))),
        ("friends", names(user_names(truth.friends_of(me), truth))),
        ("pending_requests", names(pending.collect())),
        ("unread", unread(me, truth, now)),
        ("blocked", names(user_names(truth.blocked_by(me), truth))),
        ("invitations", invitations(me, truth)),
        ("away", list(away)),
    ];
    if bytes < SURE && messages.len() < 50 {
        entries.push(("messages", list(messages)));
    }
    entries
}

/// The invitations that a user is shown, by room.
pub(crate) fn invitations(me: usize, truth: &Truth) -> Value {
    let mut invited = truth.invited_to(me);
    invited.sort_by_key(|(room, _)| ROOMS[*room]);
    list(invited.into_iter().map(|(room, by)| {
        let by = by.map(|by| ("by", text(truth.name(by))));
        dict([("roomname", text(ROOMS[room]))].into_iter().chain(by))
    }))
}

/// Conversations with unread messages, by name.
fn unread(me: usize, truth: &Truth, now: i64) -> Value {
    let mine = truth.seats.iter().filter(|((user, _), _)| *user == me);
    let mut unread: Vec<(&str, Value)> = mine
        .filter_map(|((_, conversation), seat)| {
            let (count, mentions) = truth.unread(me, *conversation, now);
            let target = truth.target(me, *conversation)?;
            let line = dict([
                ("target_type", kind(target).to_value()),
                ("target", text(named(target, truth))),
                ("count", Value::Int(count)),
                ("read_id", Value::Int(seat.read)),
                ("mentions", Value::Int(mentions)),
            ]);
            (count > 0).then_some((named(target, truth), line))
        })
        .collect();
    unread.sort_by_key(|(name, _)| *name);
    list(unread.into_iter().map(|(_, line)| line))
}
