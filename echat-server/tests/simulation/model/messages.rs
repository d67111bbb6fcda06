//! The expected replies about messages: sending, changing, reading.

use super::{CERTAIN_BYTES, Expectation, Model, content, refuse};
use crate::committed::{CommittedState, Mention, StoredMessage};
use crate::plan::{EMOJI, MessageRequest, PlannedRequest, Role, Target, USERS};
use crate::request::{self, edited, kind, target_name};
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_proto::param::Param;

impl Model<'_> {
    pub(super) fn send(&self, planned: &PlannedRequest, me: usize, known: u64) -> Expectation {
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
        let committed = self.committed;
        let before = txn.then(|| committed.message_with_txn(me, &number.to_string(), self.now));
        if let Some((id, sent)) = before.flatten() {
            let same = committed.is_acknowledged_as(me, sent.conversation, *to)
                && committed.original_text(id) == request::content(*number, *size);
            return refuse(!same, "txn_reused");
        }
        let answered = |conversation: Option<i64>| {
            let seen = reply.map(|nth| committed.seen(me, known.saturating_sub(nth), self.now));
            let is_there = |seen: &StoredMessage| {
                Some(seen.conversation) == conversation && !committed.is_hidden(seen)
            };
            let lost = seen.is_some_and(|seen| !seen.is_some_and(is_there));
            refuse(lost, "unknown_message")
        };
        match *to {
            Target::User(other) => {
                self.user_visible(me, other)?;
                refuse(!committed.are_friends(me, other), "not_a_friend")?;
                answered(committed.conversation(me, *to))
            }
            Target::Room(room) => {
                let role = self.member(me, room)?;
                let found = &committed.rooms[&room];
                answered(Some(found.conversation))?;
                let free = role >= Role::Operator;
                refuse(found.read_only && !free, "read_only")?;
                let last = committed.slow.get(&(me, found.conversation));
                let wait = found.slow_seconds.cast_signed();
                refuse(
                    !free && last.is_some_and(|last| in_slow_mode(*last, wait, self.now)),
                    "slow_mode",
                )
            }
        }
    }

    /// Whether a change of a message is refused.
    pub(super) fn message(&self, of: &MessageRequest, me: usize, known: u64) -> Expectation {
        let committed = self.committed;
        let seen = committed
            .seen(me, of.id(known), self.now)
            .ok_or("unknown_message")?;
        let is_mine = seen.sender == me;
        let role = committed.role_in(me, seen.conversation);
        if let MessageRequest::Delete(_) = of {
            return refuse(!is_mine && role < Some(Role::Operator), "not_yours");
        }
        refuse(committed.is_hidden(seen), "unknown_message")?;
        if let MessageRequest::Edit(..) = of {
            refuse(!is_mine, "not_yours")?;
        }
        match committed.room_of(seen.conversation) {
            Some((_, room)) => refuse(room.read_only && role < Some(Role::Operator), "read_only"),
            None => refuse(!committed.takes_part(me, seen.conversation), "not_a_friend"),
        }
    }

    /// Whether the effect of a change of a message is stored.
    pub(crate) fn is_done(&self, of: &MessageRequest, me: usize, known: u64) -> bool {
        let Some(message) = self.committed.messages.get(&of.id(known)) else {
            return false;
        };
        match of {
            MessageRequest::Edit(_, number) => *message.content == *edited(*number),
            MessageRequest::Delete(_) => self.committed.is_hidden(message),
            MessageRequest::React(_, number, on) => {
                let mut all = message.reactions.iter();
                all.any(|(emoji, users, _)| emoji == EMOJI[*number] && users.contains(&me)) == *on
            }
        }
    }

    /// Whether a page around a message is refused.
    pub(super) fn around(&self, me: usize, of: Target, id: u64) -> Expectation {
        self.reads(me, of)?;
        let conversation = self.committed.conversation(me, of);
        let seen = self.committed.seen(me, id, self.now);
        let is_it = |seen: &StoredMessage| Some(seen.conversation) == conversation;
        refuse(!seen.is_some_and(is_it), "unknown_message")
    }

    /// The page around a message: half of it before the message.
    pub(super) fn page_around(&self, me: usize, of: Target, id: u64, limit: u64) -> Option<Value> {
        let committed = self.committed;
        let conversation = committed.conversation(me, of)?;
        let there = committed.visible(me, self.now);
        let all: Vec<(u64, &StoredMessage)> = there
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
                list(lines.map(|(id, found)| message(me, *id, found, committed))),
            ),
            ("more", Value::Bool(from > 0)),
            ("newer", Value::Bool(to < all.len())),
        ]);
        (bytes < CERTAIN_BYTES).then_some(reply)
    }

    /// The newest mentions of a user.
    pub(super) fn mentions(&self, me: usize, limit: u64) -> Option<Value> {
        let committed = self.committed;
        let there = committed.visible(me, self.now);
        let mut all: Vec<(u64, &StoredMessage)> = there
            .filter(|(_, message)| committed.is_mention(me, message))
            .collect();
        let less = all
            .len()
            .saturating_sub(usize::try_from(limit).expect("small"));
        all.drain(..less);
        let bytes: usize = all.iter().map(|(_, message)| message.content.len()).sum();
        let lines = all
            .into_iter()
            .map(|(id, found)| message(me, id, found, committed));
        let reply = dict([("messages", list(lines)), ("more", Value::Bool(less > 0))]);
        (bytes < CERTAIN_BYTES).then_some(reply)
    }

    /// Whether a conversation may be read. That with a former friend may.
    pub(super) fn reads(&self, me: usize, of: Target) -> Expectation {
        match of {
            Target::User(other) => {
                let kept = self.committed.conversation(me, of).is_some();
                if !kept {
                    self.user_visible(me, other)?;
                }
                // The name of a deleted account is no user's name.
                refuse(!self.committed.is_active(other), "unknown_user")?;
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
        let committed = self.committed;
        let conversation = of.and_then(|of| committed.conversation(me, of));
        let limit = usize::try_from(limit).expect("small");
        let there = committed.visible(me, self.now).filter(|(id, message)| {
            *id > after.unwrap_or(0) && conversation.is_none_or(|c| c == message.conversation)
        });
        let mut all: Vec<(u64, &StoredMessage)> = there.collect();
        let more = all.len() > limit;
        if after.is_some() || of.is_none() {
            all.truncate(limit);
        } else {
            all.drain(..all.len().saturating_sub(limit));
        }
        let bytes: usize = all.iter().map(|(_, message)| message.content.len()).sum();
        let lines = all
            .into_iter()
            .map(|(id, found)| message(me, id, found, committed));
        let reply = dict([("messages", list(lines)), ("more", Value::Bool(more))]);
        (bytes < CERTAIN_BYTES).then_some(reply)
    }
}

/// A stored message as one of its readers receives it.
pub(crate) fn message(
    me: usize,
    id: u64,
    message: &StoredMessage,
    committed: &CommittedState,
) -> Value {
    let target = committed
        .target(me, message.conversation)
        .expect("a reader takes part");
    let read = committed.participations[&(me, message.conversation)].read;
    let sender = committed.name(message.sender);
    let mut entries = vec![
        ("id", Value::Int(id)),
        ("username", text(USERS[me])),
        ("sender", text(sender)),
        ("send_time", time(message.time)),
        ("target", text(target_name(target, committed))),
        ("target_type", kind(target).to_value()),
        ("sent", Value::Bool(message.sender == me || id <= read)),
        ("content", text(content(message, committed))),
    ];
    if committed.is_hidden(message) {
        entries.push(("deleted", Value::Bool(true)));
    } else {
        entries.extend(attached(me, message, committed));
    }
    if committed.accounts[&message.sender].bot.is_some() {
        entries.push(("bot", Value::Bool(true)));
    }
    dict(entries)
}

/// The fields of a message besides its text.
fn attached(
    me: usize,
    message: &StoredMessage,
    committed: &CommittedState,
) -> Vec<(&'static str, Value)> {
    let mut entries = Vec::new();
    entries.extend(message.reply.map(|id| ("reply_to", Value::Int(id))));
    entries.extend(message.edited.map(|at| ("edited", time(at))));
    let names = message.mentions.iter().map(|named| match named {
        Mention::User(user) => text(committed.name(*user)),
        Mention::All => text("@all"),
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

/// Whether slow mode makes a member wait. A time in the future comes from a clock that was set back.
pub(crate) fn in_slow_mode(last: i64, seconds: i64, now: i64) -> bool {
    last <= now && now < last.saturating_add(seconds)
}
