//! What the wire's description says of a request in a given state: whether it is refused, and what
//! reading gives. Written from PROTOCOL.md, not from the handlers.

use crate::plan::{PlannedRequest, ROOMS, Target, USERS};
use crate::request::{content, kind, named};
use crate::truth::{Stored, Truth};
use echat_proto::commands::Event;
use echat_proto::param::{Mark, RoomRole};
use echat_proto::records::{ChatMessage, Code, RoomLine, Unread};
use echat_server::config::Limits;
use std::collections::BTreeSet;

/// Bytes of messages that an answer surely holds.
pub(crate) const SURE: usize = 150_000;

/// Why a request is refused, if it is. Rates and the disk are not looked at.
pub(crate) fn refusal(
    planned: &PlannedRequest,
    user: Option<usize>,
    truth: &Truth,
    limits: &Limits,
    now: i64,
) -> Option<Code> {
    if matches!(planned, PlannedRequest::Time) {
        return None;
    }
    if matches!(planned, PlannedRequest::Nonsense) {
        return Some(Code::UnknownCommand);
    }
    let refused = match (planned, user) {
        (
            PlannedRequest::Register(_)
            | PlannedRequest::Login { .. }
            | PlannedRequest::Resume { .. },
            Some(_),
        ) => Err(Code::AlreadyLoggedIn),
        // What becomes of a secret is judged by `secrets`.
        (PlannedRequest::Resume { .. }, None) => Ok(()),
        (PlannedRequest::Register(name), None) => {
            refuse(truth.users.contains(name), Code::NameTaken)
        }
        (PlannedRequest::Login { user, right }, None) => {
            refuse(!right || !truth.users.contains(user), Code::BadCredentials)
        }
        (_, None) => Err(Code::NotLoggedIn),
        (planned, Some(me)) => of_member(planned, me, truth, limits, now),
    };
    refused.err()
}

fn refuse(whether: bool, code: Code) -> Result<(), Code> {
    if whether { Err(code) } else { Ok(()) }
}

fn of_member(
    planned: &PlannedRequest,
    me: usize,
    truth: &Truth,
    limits: &Limits,
    now: i64,
) -> Result<(), Code> {
    match planned {
        PlannedRequest::Befriend(other) => befriend((me, *other), truth, limits, now),
        PlannedRequest::Resolve(other, accepted) => {
            refuse(!truth.users.contains(other), Code::UnknownUser)?;
            refuse(!truth.asked.contains(&(*other, me)), Code::NoRequest)?;
            refuse(
                *accepted && full_of_friends(&[me, *other], truth, limits),
                Code::TooMany,
            )
        }
        PlannedRequest::Send {
            to,
            number,
            size,
            txn,
        } => {
            if *txn && let Some(sent) = sent(me, *number, truth) {
                let same = truth.target(me, sent.conversation) == Some(*to)
                    && *sent.content == *content(*number, *size);
                return refuse(!same, Code::TxnReused);
            }
            takes_part(me, *to, truth)
        }
        PlannedRequest::Create(room, members) => {
            are_friends(me, members, truth)?;
            refuse(truth.rooms.contains_key(room), Code::RoomExists)?;
            let all: BTreeSet<usize> = members.iter().copied().chain([me]).collect();
            refuse(all.len() > limits.room_members, Code::TooMany)?;
            have_place(all, truth, limits)
        }
        PlannedRequest::Join(room) => {
            refuse(!truth.rooms.contains_key(room), Code::UnknownRoom)?;
            refuse(truth.is_member(me, *room), Code::AlreadyMember)?;
            refuse(
                truth.members(*room).len() >= limits.room_members,
                Code::TooMany,
            )?;
            have_place(BTreeSet::from([me]), truth, limits)
        }
        PlannedRequest::Add(room, members) => add(me, *room, members, truth, limits),
        PlannedRequest::Part(room) | PlannedRequest::Members(room) => {
            takes_part(me, Target::Room(*room), truth)
        }
        PlannedRequest::History { of: Some(of), .. } | PlannedRequest::Read(of) => {
            takes_part(me, *of, truth)
        }
        _ => Ok(()),
    }
}

fn befriend(
    (me, other): (usize, usize),
    truth: &Truth,
    limits: &Limits,
    now: i64,
) -> Result<(), Code> {
    refuse(!truth.users.contains(&other), Code::UnknownUser)?;
    refuse(other == me, Code::IsSelf)?;
    refuse(truth.are_friends(me, other), Code::AlreadyFriends)?;
    if truth.counts_as_asked(other, me) {
        return refuse(full_of_friends(&[me, other], truth, limits), Code::TooMany);
    }
    let silenced = truth.silenced(me, other, now);
    let waits = truth.asked.contains(&(me, other)) || silenced.is_some_and(|found| found.again);
    refuse(waits, Code::AlreadyAsked)?;
    refuse(full_of_friends(&[me], truth, limits), Code::TooMany)?;
    let pending = || {
        truth
            .asked
            .iter()
            .filter(|(_, receiver)| *receiver == other)
    };
    let old = pending()
        .next()
        .is_some_and(|oldest| truth.is_old(*oldest, now));
    let full = pending().count() >= limits.pending_requests;
    refuse(full && !old, Code::TooMany)
}

fn add(
    me: usize,
    room: usize,
    members: &[usize],
    truth: &Truth,
    limits: &Limits,
) -> Result<(), Code> {
    takes_part(me, Target::Room(room), truth)?;
    refuse(truth.rooms[&room].owner != me, Code::NotOwner)?;
    are_friends(me, members, truth)?;
    let there = truth.members(room);
    let new: BTreeSet<usize> = members
        .iter()
        .copied()
        .filter(|member| !there.contains(member))
        .collect();
    refuse(new.is_empty() && !members.is_empty(), Code::AlreadyMember)?;
    let left = |member: &usize| truth.left.contains(&(*member, room));
    refuse(new.iter().any(left), Code::NotAllowed)?;
    refuse(there.len() + new.len() > limits.room_members, Code::TooMany)?;
    have_place(new, truth, limits)
}

fn takes_part(me: usize, of: Target, truth: &Truth) -> Result<(), Code> {
    match of {
        Target::User(other) => {
            refuse(!truth.users.contains(&other), Code::UnknownUser)?;
            refuse(!truth.are_friends(me, other), Code::NotAFriend)
        }
        Target::Room(room) => {
            refuse(!truth.rooms.contains_key(&room), Code::UnknownRoom)?;
            refuse(!truth.is_member(me, room), Code::NotAMember)
        }
    }
}

/// The caller among them is dropped.
fn are_friends(me: usize, members: &[usize], truth: &Truth) -> Result<(), Code> {
    let stranger = |other: &usize| *other != me && !truth.are_friends(me, *other);
    refuse(members.iter().any(stranger), Code::NotFriends)
}

fn full_of_friends(users: &[usize], truth: &Truth, limits: &Limits) -> bool {
    users
        .iter()
        .any(|user| truth.friends_of(*user).len() >= limits.friends)
}

fn have_place(users: BTreeSet<usize>, truth: &Truth, limits: &Limits) -> Result<(), Code> {
    let full = |user: usize| truth.rooms_of(user).len() >= limits.rooms;
    refuse(users.into_iter().any(full), Code::TooMany)
}

/// The message that a user sent with this transaction id.
pub(crate) fn sent(user: usize, number: u8, truth: &Truth) -> Option<&Stored> {
    let txn = number.to_string();
    let mut messages = truth.messages.values();
    messages.find(|message| message.sender == user && message.txn.as_ref() == Some(&txn))
}

/// What reading gives; `None` for requests that do not only read, and for what is only judged in part.
pub(crate) fn answer(
    planned: &PlannedRequest,
    me: usize,
    known: u64,
    truth: &Truth,
) -> Option<Event> {
    match planned {
        PlannedRequest::History {
            of,
            from_known,
            limit,
        } => history(me, *of, from_known.then_some(known), *limit, truth),
        PlannedRequest::Rooms => {
            let mut rooms: Vec<RoomLine> = truth
                .rooms_of(me)
                .into_iter()
                .map(|room| RoomLine {
                    roomname: ROOMS[room].to_owned(),
                    members: truth.members(room).len() as u64,
                    owner: USERS[truth.rooms[&room].owner].to_owned(),
                    unread: truth.unread(me, truth.rooms[&room].conversation),
                    topic: Some(String::new()),
                    private: Some(false),
                    role: Some(if truth.rooms[&room].owner == me {
                        RoomRole::Owner
                    } else {
                        RoomRole::Member
                    }),
                    mentions: Some(0),
                })
                .collect();
            rooms.sort_by(|a, b| a.roomname.cmp(&b.roomname));
            Some(Event::Rooms { rooms })
        }
        PlannedRequest::Find(keyword) => {
            let of = |names: &[&str], there: &dyn Fn(usize) -> bool| {
                let found = names
                    .iter()
                    .enumerate()
                    .filter(|(n, name)| there(*n) && name.contains(keyword));
                let mut found: Vec<String> = found.map(|(_, name)| (*name).to_owned()).collect();
                found.sort();
                found
            };
            Some(Event::Found {
                users: of(&USERS, &|user| truth.users.contains(&user)),
                rooms: of(&ROOMS, &|room| truth.rooms.contains_key(&room)),
                more: false,
            })
        }
        _ => None,
    }
}

fn history(
    me: usize,
    of: Option<Target>,
    after: Option<u64>,
    limit: u64,
    truth: &Truth,
) -> Option<Event> {
    let conversation = of.and_then(|of| truth.conversation(me, of));
    let limit = usize::try_from(limit).expect("small");
    let there = truth.visible(me).filter(|(id, message)| {
        *id > after.unwrap_or(0) && conversation.is_none_or(|c| c == message.conversation)
    });
    let mut all: Vec<ChatMessage> = there
        .map(|(id, message)| chat_message(me, id, message, truth))
        .collect();
    let more = all.len() > limit;
    if after.is_some() || of.is_none() {
        all.truncate(limit);
    } else {
        all.drain(..all.len().saturating_sub(limit));
    }
    let bytes: usize = all.iter().map(|message| message.content.len()).sum();
    (bytes < SURE).then_some(Event::History {
        messages: all,
        more,
    })
}

/// A stored message as one of its readers sees it.
pub(crate) fn chat_message(me: usize, id: u64, message: &Stored, truth: &Truth) -> ChatMessage {
    let target = truth
        .target(me, message.conversation)
        .expect("a reader takes part");
    let read = truth.seats[&(me, message.conversation)].read;
    ChatMessage {
        id,
        username: USERS[me].to_owned(),
        sender: USERS[message.sender].to_owned(),
        send_time: u64::try_from(message.time).unwrap_or(0),
        target: named(target).to_owned(),
        target_type: kind(target),
        sent: message.sender == me || id <= read,
        content: message.content.to_string(),
        deleted: None,
        bot: Mark::default(),
    }
}

/// What a login shows, without presence.
pub(crate) struct Bundle {
    pub(crate) rooms: Vec<String>,
    pub(crate) friends: Vec<String>,
    pub(crate) pending: Vec<String>,
    /// If they surely fit.
    pub(crate) messages: Option<Vec<ChatMessage>>,
    pub(crate) unread: Vec<Unread>,
}

pub(crate) fn bundle(me: usize, truth: &Truth) -> Bundle {
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let pending = truth.asked.iter().filter(|(_, receiver)| *receiver == me);
    let messages: Vec<ChatMessage> = truth
        .visible(me)
        .map(|(id, stored)| chat_message(me, id, stored, truth))
        .collect();
    let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
    let mine = truth.seats.iter().filter(|((user, _), _)| *user == me);
    let mut unread: Vec<Unread> = mine
        .filter_map(|((_, conversation), seat)| {
            let count = truth.unread(me, *conversation);
            let target = truth.target(me, *conversation)?;
            (count > 0).then(|| Unread {
                target_type: kind(target),
                target: named(target).to_owned(),
                count,
                read_id: seat.read,
            })
        })
        .collect();
    unread.sort_by(|a, b| a.target.cmp(&b.target));
    Bundle {
        rooms: sorted(
            truth
                .rooms_of(me)
                .into_iter()
                .map(|room| ROOMS[room].to_owned())
                .collect(),
        ),
        friends: sorted(
            truth
                .friends_of(me)
                .into_iter()
                .map(|user| USERS[user].to_owned())
                .collect(),
        ),
        pending: pending
            .map(|(sender, _)| USERS[*sender].to_owned())
            .collect(),
        messages: (bytes < SURE && messages.len() < 50).then_some(messages),
        unread,
    }
}
