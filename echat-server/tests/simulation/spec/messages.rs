//! Sending and reading.

use super::{SURE, Spec, Verdict, content, refuse};
use crate::plan::{EMOJI, OfMessage, PlannedRequest, Role, Target, USERS};
use crate::request::{self, edited, kind, named};
use crate::truth::{Named, Stored, Truth};
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_proto::param::Param;

impl Spec<'_> {
    pub(super) fn send(&self, planned: &PlannedRequest, me: usize, known: u64) -> Verdict {
        let PlannedRequest::Send {
            to,
            number,
            size,
            txn,
            reply,
        } = planned
        else {
            unreachable!("{planned:?} is no message")
        };
        let truth = self.truth;
        let before = txn.then(|| truth.sent_with(me, &number.to_string(), self.now));
        if let Some((id, sent)) = before.flatten() {
            let same = truth.was_target(me, sent.conversation, *to)
                && truth.first(id) == request::content(*number, *size);
            return refuse(!same, "txn_reused");
        }
        let answered = |conversation: Option<i64>| {
            let seen = reply.map(|nth| truth.seen(me, known.saturating_sub(nth), self.now));
            let is_there =
                |seen: &Stored| Some(seen.conversation) == conversation && !truth.is_hidden(seen);
            let lost = seen.is_some_and(|seen| !seen.is_some_and(is_there));
            refuse(lost, "unknown_message")
        };
        match *to {
            Target::User(other) => {
                self.known(me, other)?;
                refuse(!truth.are_friends(me, other), "not_a_friend")?;
                answered(truth.conversation(me, *to))
            }
            Target::Room(room) => {
                let role = self.member(me, room)?;
                let found = &truth.rooms[&room];
                answered(Some(found.conversation))?;
                let free = role >= Role::Operator;
                refuse(found.read_only && !free, "read_only")?;
                let last = truth.slow.get(&(me, found.conversation));
                let wait = found.slow_seconds.cast_signed();
                refuse(
                    !free && last.is_some_and(|last| waits(*last, wait, self.now)),
                    "slow_mode",
                )
            }
        }
    }

    /// What is done with a message that is there.
    pub(super) fn message(&self, of: &OfMessage, me: usize, known: u64) -> Verdict {
        let truth = self.truth;
        let seen = truth
            .seen(me, of.id(known), self.now)
            .ok_or("unknown_message")?;
        let is_mine = seen.sender == me;
        let role = truth.role_in(me, seen.conversation);
        if let OfMessage::Delete(_) = of {
            return refuse(!is_mine && role < Some(Role::Operator), "not_yours");
        }
        refuse(truth.is_hidden(seen), "unknown_message")?;
        if let OfMessage::Edit(..) = of {
            refuse(!is_mine, "not_yours")?;
        }
        match truth.room_of(seen.conversation) {
            Some((_, room)) => refuse(room.read_only && role < Some(Role::Operator), "read_only"),
            None => refuse(!truth.takes_part(me, seen.conversation), "not_a_friend"),
        }
    }

    /// Whether what is asked for a message is so.
    pub(crate) fn is_done(&self, of: &OfMessage, me: usize, known: u64) -> bool {
        let Some(message) = self.truth.messages.get(&of.id(known)) else {
            return false;
        };
        match of {
            OfMessage::Edit(_, number) => *message.content == *edited(*number),
            OfMessage::Delete(_) => self.truth.is_hidden(message),
            OfMessage::React(_, number, on) => {
                let mut all = message.reactions.iter();
                all.any(|(emoji, users, _)| emoji == EMOJI[*number] && users.contains(&me)) == *on
            }
        }
    }

    /// Whether a page around a message is refused.
    pub(super) fn around(&self, me: usize, of: Target, id: u64) -> Verdict {
        self.reads(me, of)?;
        let conversation = self.truth.conversation(me, of);
        let seen = self.truth.seen(me, id, self.now);
        let is_it = |seen: &Stored| Some(seen.conversation) == conversation;
        refuse(!seen.is_some_and(is_it), "unknown_message")
    }

    /// The page around a message: half of it before.
    pub(super) fn page_around(&self, me: usize, of: Target, id: u64, limit: u64) -> Option<Value> {
        let truth = self.truth;
        let conversation = truth.conversation(me, of)?;
        let there = truth.visible(me, self.now);
        let all: Vec<(u64, &Stored)> = there
            .filter(|(_, message)| message.conversation == conversation)
            .collect();
        let at = all.iter().position(|(there, _)| *there == id)?;
        let limit = usize::try_from(limit).expect("small");
        let from = at.saturating_sub(limit / 2);
        let to = (at + limit - limit / 2).min(all.len());
        let lines = all[from..to].iter();
        let bytes: usize = lines
            .clone()
            .map(|(_, message)| message.content.len())
            .sum();
        let reply = dict([
            (
                "messages",
                list(lines.map(|(id, found)| message(me, *id, found, truth))),
            ),
            ("more", Value::Bool(from > 0)),
            ("newer", Value::Bool(to < all.len())),
        ]);
        (bytes < SURE).then_some(reply)
    }

    /// The newest messages that name a user.
    pub(super) fn mentions(&self, me: usize, limit: u64) -> Option<Value> {
        let truth = self.truth;
        let there = truth.visible(me, self.now);
        let mut all: Vec<(u64, &Stored)> = there
            .filter(|(_, message)| truth.is_mention(me, message))
            .collect();
        let less = all
            .len()
            .saturating_sub(usize::try_from(limit).expect("small"));
        all.drain(..less);
        let bytes: usize = all.iter().map(|(_, message)| message.content.len()).sum();
        let lines = all
            .into_iter()
            .map(|(id, found)| message(me, id, found, truth));
        let reply = dict([("messages", list(lines)), ("more", Value::Bool(less > 0))]);
        (bytes < SURE).then_some(reply)
    }

    /// Whether a conversation may be read: also that with a former friend.
    pub(super) fn reads(&self, me: usize, of: Target) -> Verdict {
        match of {
            Target::User(other) => {
                let kept = self.truth.conversation(me, of).is_some();
                if !kept {
                    self.known(me, other)?;
                }
                // The name of a deleted account is no longer that of a user.
                refuse(!self.truth.is_there(other), "unknown_user")?;
                refuse(!kept, "not_a_friend")
            }
            Target::Room(room) => self.member(me, room).map(drop),
        }
    }

    pub(super) fn history(
        &self,
        me: usize,
        of: Option<Target>,
        after: Option<u64>,
        limit: u64,
    ) -> Option<Value> {
        let truth = self.truth;
        let conversation = of.and_then(|of| truth.conversation(me, of));
        let limit = usize::try_from(limit).expect("small");
        let there = truth.visible(me, self.now).filter(|(id, message)| {
            *id > after.unwrap_or(0) && conversation.is_none_or(|c| c == message.conversation)
        });
        let mut all: Vec<(u64, &Stored)> = there.collect();
        let more = all.len() > limit;
        if after.is_some() || of.is_none() {
            all.truncate(limit);
        } else {
            all.drain(..all.len().saturating_sub(limit));
        }
        let bytes: usize = all.iter().map(|(_, message)| message.content.len()).sum();
        let lines = all
            .into_iter()
            .map(|(id, found)| message(me, id, found, truth));
        let reply = dict([("messages", list(lines)), ("more", Value::Bool(more))]);
        (bytes < SURE).then_some(reply)
    }
}

/// A stored message as one of its readers sees it.
pub(crate) fn message(me: usize, id: u64, message: &Stored, truth: &Truth) -> Value {
    let target = truth
        .target(me, message.conversation)
        .expect("a reader takes part");
    let read = truth.seats[&(me, message.conversation)].read;
    let sender = truth.name(message.sender);
    let mut entries = vec![
        ("id", Value::Int(id)),
        ("username", text(USERS[me])),
        ("sender", text(sender)),
        ("send_time", time(message.time)),
        ("target", text(named(target, truth))),
        ("target_type", kind(target).to_value()),
        ("sent", Value::Bool(message.sender == me || id <= read)),
        ("content", text(content(message, truth))),
    ];
    if truth.is_hidden(message) {
        entries.push(("deleted", Value::Bool(true)));
    } else {
        entries.extend(attached(me, message, truth));
    }
    if truth.accounts[&message.sender].bot.is_some() {
        entries.push(("bot", Value::Bool(true)));
    }
    dict(entries)
}

/// What a message has besides its text.
fn attached(me: usize, message: &Stored, truth: &Truth) -> Vec<(&'static str, Value)> {
    let mut entries = Vec::new();
    entries.extend(message.reply.map(|id| ("reply_to", Value::Int(id))));
    entries.extend(message.edited.map(|at| ("edited", time(at))));
    let names = message.mentions.iter().map(|named| match named {
        Named::User(user) => text(truth.name(*user)),
        Named::All => text("@all"),
    });
    let reactions = message.reactions.iter().map(|(emoji, users, _)| {
        dict([
            ("emoji", text(emoji)),
            ("count", Value::Int(users.len() as u64)),
            ("mine", Value::Bool(users.contains(&me))),
        ])
    });
    let lists = [("mentions", list(names)), ("reactions", list(reactions))];
    entries.extend(
        lists
            .into_iter()
            .filter(|(_, list)| *list != Value::List(vec![])),
    );
    entries
}

/// Whether slow mode makes a member wait. A time that lies ahead is of a clock that was put back since.
pub(crate) fn waits(last: i64, seconds: i64, now: i64) -> bool {
    last <= now && now < last.saturating_add(seconds)
}
