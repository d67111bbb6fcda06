//! Sending and reading.

use super::{SURE, Spec, Verdict, content, refuse};
use crate::plan::{PlannedRequest, Role, Target, USERS};
use crate::request::{self, kind, named};
use crate::truth::{Stored, Truth};
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use echat_proto::param::Param;

impl Spec<'_> {
    pub(super) fn send(&self, planned: &PlannedRequest, me: usize) -> Verdict {
        let PlannedRequest::Send {
            to,
            number,
            size,
            txn,
        } = planned
        else {
            unreachable!("{planned:?} is no message")
        };
        let truth = self.truth;
        if *txn && let Some(sent) = sent(me, *number, truth) {
            let same = truth.target(me, sent.conversation) == Some(*to)
                && *sent.content == *request::content(*number, *size);
            return refuse(!same, "txn_reused");
        }
        match *to {
            Target::User(other) => {
                self.known(me, other)?;
                refuse(!truth.are_friends(me, other), "not_a_friend")
            }
            Target::Room(room) => {
                let role = self.member(me, room)?;
                let found = &truth.rooms[&room];
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
        let there = truth.visible(me).filter(|(id, message)| {
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

/// The message that a user sent with this transaction id.
fn sent(user: usize, number: u8, truth: &Truth) -> Option<&Stored> {
    let txn = number.to_string();
    let mut messages = truth.messages.values();
    messages.find(|message| message.sender == user && message.txn.as_ref() == Some(&txn))
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
    }
    if truth.accounts[&message.sender].bot.is_some() {
        entries.push(("bot", Value::Bool(true)));
    }
    dict(entries)
}

/// Whether slow mode makes a member wait. A time that lies ahead is of a clock that was put back since.
pub(crate) fn waits(last: i64, seconds: i64, now: i64) -> bool {
    last <= now && now < last.saturating_add(seconds)
}
