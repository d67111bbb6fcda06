//! Checks messages: new, changed, deleted and removed ones.

use super::{CandidateRequest, Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::{CommittedState, Conversation, Mention, StoredMessage};
use crate::fail;
use crate::model::in_slow_mode;
use crate::observations::Observations;
use crate::plan::{
    EMOJI, MessageRequest, PeopleRequest, PlannedRequest, Role, RoomRequest, Target, USERS,
};
use crate::request::{content, edited};
use std::collections::BTreeSet;

impl Changes<'_> {
    pub(super) fn messages(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        self.check_changed(observed, events)?;
        let newest = self.before.messages.keys().next_back();
        let newest = newest.copied().unwrap_or(0).max(observed.newest);
        for (id, message) in self.after.messages.range(newest + 1..) {
            observed.newest = *id;
            self.check_sent(*id, message)?;
            self.check_permission(*id, message, true)?;
            self.check_mentions(*id, message)?;
            let what = [
                (message.reply.is_some(), "a message that answers another"),
                (!message.mentions.is_empty(), "a message with a mention"),
                (
                    message.mentions == [Mention::All],
                    "a message that mentions all",
                ),
            ];
            for (_, what) in what.into_iter().filter(|(is_so, _)| *is_so) {
                observed.cover(what.to_owned());
            }
            let line = (message.sender, &*message.content, message.txn.is_some());
            if !observed.note_message(line, self.now.running, self.limits) {
                return fail(&format!(
                    "message {id} is a duplicate, or its sender exceeds the rate"
                ));
            }
            self.expect_delivery(*id, message, events)?;
        }
        // Messages of rooms that were closed in the same tick were delivered, too.
        for id in self.after.former_after(newest) {
            events.extend((0..USERS.len()).map(|user| (user, ExpectedEvent::Message(id), false)));
        }
        if let Some((id, _)) = self
            .after
            .messages
            .iter()
            .find(|(id, _)| **id <= newest && !self.before.messages.contains_key(id))
        {
            return fail(&format!("message {id} is stored after newer ones"));
        }
        Ok(())
    }

    /// A removed message was in a closed room or too old. A hidden message belongs to an erased account. A changed
    /// message was changed by a user with the right to do so.
    fn check_changed(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        // A change that was reverted within this tick was delivered, too.
        for request in self.requests {
            if let PlannedRequest::Message(of) = &request.planned {
                self.expect_change(of.id(request.known), events, false);
            }
        }
        for (id, before) in &self.before.messages {
            let Some(after) = self.after.messages.get(id) else {
                let closed = self.before.room_of(before.conversation).is_some()
                    && self.after.room_of(before.conversation).is_none();
                let now = self.now.unix;
                let states = [self.before, self.after];
                let too_old = states
                    .iter()
                    .any(|committed| committed.is_too_old(before, now));
                if too_old {
                    observed.cover("a message that was too old".to_owned());
                }
                if !closed && !too_old {
                    return fail(&format!("message {id} is gone"));
                }
                observed.forget_message(*id);
                continue;
            };
            if before == after {
                continue;
            }
            let same = (before.conversation, before.sender, before.time, &before.txn)
                == (after.conversation, after.sender, after.time, &after.txn);
            if !same || before.deleted {
                return fail(&format!("message {id} has other fixed fields than before"));
            }
            if after.deleted {
                self.check_deleted(*id, after, observed, events)?;
            } else {
                self.check_edited(*id, (before, after))?;
                self.check_reactions(*id, (before, after))?;
                self.expect_change(*id, events, true);
            }
        }
        Ok(())
    }

    /// A new tombstone: deleted by its sender, by an operator, or because the sender's account was erased. The messages
    /// of a bot are not erased with the account of its owner.
    fn check_deleted(
        &self,
        id: u64,
        after: &StoredMessage,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let is_bare = after.content.is_empty()
            && (after.reply, after.edited) == (None, None)
            && after.mentions.is_empty()
            && after.reactions.is_empty();
        if !is_bare {
            return fail(&format!("deleted message {id} has content"));
        }
        let erases = |committed: &CommittedState| committed.accounts[&after.sender].erased;
        let is_bot = self.before.bot(after.sender).is_some();
        let is_deleted = self.was_deleted(after.sender) && !is_bot;
        let erasure = erases(self.before) || erases(self.after) || is_deleted;
        let may_be_allowed = |user: usize| {
            user == after.sender || self.may_have_role(user, after.conversation, Role::Operator)
        };
        let mut requests = self.changes_of(id);
        let deleter = requests
            .find(|(user, of)| matches!(of, MessageRequest::Delete(_)) && may_be_allowed(*user));
        match deleter {
            Some((user, _)) => {
                if user != after.sender {
                    observed.cover("a message that an operator deleted".to_owned());
                }
                self.expect_change(id, events, !erasure);
            }
            None if erasure => observed.cover("a tombstone".to_owned()),
            None => return fail(&format!("message {id} is deleted without the right to it")),
        }
        observed.forget_message(id);
        Ok(())
    }

    /// The changes of a message that were requested by users who may have seen it.
    fn changes_of(&self, id: u64) -> impl Iterator<Item = (usize, &MessageRequest)> {
        self.requests.iter().filter_map(move |request| {
            let PlannedRequest::Message(of) = &request.planned else {
                return None;
            };
            let saw = |committed: &CommittedState| {
                committed.seen(request.user, id, self.now.unix).is_some()
            };
            let sees = saw(self.before) || saw(self.after);
            (of.id(request.known) == id && sees).then_some((request.user, of))
        })
    }

    /// Only the sender edits a message, and only where the sender may write.
    fn check_edited(
        &self,
        id: u64,
        (before, after): (&StoredMessage, &StoredMessage),
    ) -> Result<(), String> {
        let text = |message: &StoredMessage| {
            (
                message.content.clone(),
                message.edited,
                message.mentions.clone(),
            )
        };
        if text(before) == text(after) && before.reply == after.reply {
            return Ok(());
        }
        let mut requests = self.changes_of(id);
        let requested = requests.any(|(user, of)| {
            let says =
                matches!(of, MessageRequest::Edit(_, number) if *after.content == *edited(*number));
            user == after.sender && says
        });
        if !requested {
            return fail(&format!(
                "message {id} was edited by no request of its sender"
            ));
        }
        if before.reply != after.reply || after.edited != Some(self.now.unix) {
            return fail(&format!(
                "message {id} was edited at another time, or answers another one"
            ));
        }
        self.check_permission(id, after, false)?;
        self.check_mentions(id, after)
    }

    /// The mentions of a message are the members that its text names.
    fn check_mentions(&self, id: u64, message: &StoredMessage) -> Result<(), String> {
        let (sender, conversation) = (message.sender, message.conversation);
        let names =
            |committed: &CommittedState| committed.names(sender, conversation, &message.content);
        let (before, after) = (names(self.before), names(self.after));
        let moving = (0..USERS.len()).any(|user| {
            self.membership_may_change(user, conversation) || self.may_delete_account(user)
        });
        let sets = self.requests.iter().any(|request| {
            matches!(
                request.planned,
                PlannedRequest::Room(RoomRequest::SetRole(..))
            )
        });
        if message.mentions == before || message.mentions == after || moving || sets {
            Ok(())
        } else {
            fail(&format!(
                "message {id} mentions {:?}, not {after:?}",
                message.mentions
            ))
        }
    }

    /// A reaction is added or removed only by its user, who sees the message. Each counts once.
    fn check_reactions(
        &self,
        id: u64,
        (before, after): (&StoredMessage, &StoredMessage),
    ) -> Result<(), String> {
        let of = |message: &StoredMessage| -> BTreeSet<(String, usize)> {
            let all = message.reactions.iter();
            let each = all
                .flat_map(|(emoji, users, _)| users.iter().map(move |user| (emoji.clone(), *user)));
            each.collect()
        };
        let is_counted = |(_, users, counted): &(String, BTreeSet<usize>, u64)| {
            !users.is_empty() && users.len() as u64 == *counted
        };
        if !after.reactions.iter().all(is_counted) {
            return fail(&format!(
                "the reactions to message {id} are not counted right"
            ));
        }
        let (was, is) = (of(before), of(after));
        for (emoji, user) in was.symmetric_difference(&is) {
            let on = is.contains(&(emoji.clone(), *user));
            let mut requests = self.changes_of(id);
            let requested = requests.any(|(by, of)| {
                by == *user && matches!(of, MessageRequest::React(_, number, to) if EMOJI[*number] == *emoji && *to == on)
            });
            if !requested {
                return fail(&format!("a reaction to message {id} without a request"));
            }
        }
        Ok(())
    }

    /// All users who see the message are told of a change.
    fn expect_change(&self, id: u64, events: &mut ExpectedEvents, certain: bool) {
        for user in 0..USERS.len() {
            let before = self.before.seen(user, id, self.now.unix).is_some();
            let seen = self.after.seen(user, id, self.now.unix);
            let moves = seen
                .is_some_and(|message| self.participation_may_change(user, message.conversation));
            if before || seen.is_some() {
                let stays = before && seen.is_some() && !moves;
                events.push((user, ExpectedEvent::MessageChanged(id), certain && stays));
            }
        }
    }

    fn check_sent(&self, id: u64, message: &StoredMessage) -> Result<(), String> {
        let wanted = |request: &CandidateRequest| match &request.planned {
            PlannedRequest::Send {
                to,
                number,
                size,
                txn,
                reply,
            } => {
                self.is_to(message, *to)
                    && *message.content == *content(*number, *size)
                    && message.txn == txn.then(|| number.to_string())
                    && message.reply == reply.map(|nth| request.known.saturating_sub(nth))
            }
            _ => false,
        };
        if !self.requests_of(message.sender).any(wanted) {
            return fail(&format!("message {id} was not sent"));
        }
        if let Some(answered) = message.reply {
            let seen = |committed: &CommittedState| {
                let seen = committed.seen(message.sender, answered, self.now.unix);
                seen.is_some_and(|seen| seen.conversation == message.conversation)
            };
            if !seen(self.before) && !seen(self.after) {
                return fail(&format!(
                    "message {id} answers one that its sender does not see"
                ));
            }
        }
        if message.time != self.now.unix {
            return fail(&format!("message {id} has another time"));
        }
        Ok(())
    }

    fn is_to(&self, message: &StoredMessage, to: Target) -> bool {
        match to {
            Target::Room(room) => {
                self.after.room_of(message.conversation).is_some()
                    && self.may_be_named(room, message.conversation)
            }
            Target::User(_) => self.after.target(message.sender, message.conversation) == Some(to),
        }
    }

    /// The sender may write here. In a room that is read-only or slow, only operators may.
    fn check_permission(
        &self,
        id: u64,
        message: &StoredMessage,
        is_new: bool,
    ) -> Result<(), String> {
        let (sender, conversation) = (message.sender, message.conversation);
        let Some((_, room)) = self.before.room_of(conversation) else {
            return Ok(());
        };
        let sets = self.requests.iter().any(|request| {
            matches!(
                request.planned,
                PlannedRequest::Room(RoomRequest::Set(..) | RoomRequest::SetRole(..))
            )
        });
        if sets || self.may_have_role(sender, conversation, Role::Operator) {
            return Ok(());
        }
        let last = self.before.slow.get(&(sender, conversation));
        let wait = room.slow_seconds.cast_signed();
        let waits = last.is_some_and(|last| in_slow_mode(*last, wait, self.now.unix));
        if room.read_only || is_new && waits {
            return fail(&format!("message {id} in a room that is read-only or slow"));
        }
        Ok(())
    }

    fn expect_delivery(
        &self,
        id: u64,
        message: &StoredMessage,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let conversation = message.conversation;
        let mut takes_part = false;
        for user in 0..USERS.len() {
            let before = self.before.takes_part(user, conversation);
            let after = self.after.takes_part(user, conversation);
            let moves = self.participation_may_change(user, conversation);
            let stays = before && after && !moves;
            let perhaps = before || after || moves;
            takes_part |= user == message.sender && perhaps;
            if perhaps {
                events.push((user, ExpectedEvent::Message(id), stays));
            }
        }
        if !takes_part {
            return fail(&format!(
                "message {id} of a user outside of the conversation"
            ));
        }
        Ok(())
    }

    /// Whether a user may have joined or left a conversation in this tick.
    fn participation_may_change(&self, user: usize, conversation: Conversation) -> bool {
        let rooms = [self.before, self.after].map(|committed| committed.room_of(conversation));
        if rooms.iter().flatten().next().is_some() {
            return self.membership_may_change(user, conversation);
        }
        let ends = self.requests.iter().any(|request| match request.planned {
            PlannedRequest::People(PeopleRequest::Unfriend(_) | PeopleRequest::Block(_)) => true,
            _ => self.may_delete_account(request.user),
        });
        let target = self.after.target(user, conversation).is_some();
        target && ends
    }
}
