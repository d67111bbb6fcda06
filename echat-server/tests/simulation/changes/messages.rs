//! Messages that were stored, changed, hidden or removed.

use super::{Ask, Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{EMOJI, OfMessage, OfPeople, OfRoom, PlannedRequest, Role, Target, USERS};
use crate::request::{content, edited};
use crate::spec::waits;
use crate::truth::{Conversation, Named, Stored, Truth};
use std::collections::BTreeSet;

impl Changes<'_> {
    pub(super) fn messages(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        self.removed(facts, dues)?;
        let newest = self.before.messages.keys().next_back();
        let newest = newest.copied().unwrap_or(0).max(facts.newest);
        for (id, message) in self.after.messages.range(newest + 1..) {
            facts.newest = *id;
            self.sent(*id, message)?;
            self.permitted(*id, message, true)?;
            self.named(*id, message)?;
            let what = [
                (message.reply.is_some(), "a message that answers another"),
                (!message.mentions.is_empty(), "a message that names a user"),
                (message.mentions == [Named::All], "a message that names all"),
            ];
            for (_, what) in what.into_iter().filter(|(is_so, _)| *is_so) {
                facts.meet(what.to_owned());
            }
            let line = (message.sender, &*message.content, message.txn.is_some());
            if !facts.store(line, self.now.running, self.limits) {
                return fail(&format!(
                    "message {id} was stored before, or its sender is too fast"
                ));
            }
            self.told(*id, message, dues)?;
        }
        // Those of rooms that were closed in the same tick were told, too.
        for id in self.after.former_after(newest) {
            dues.extend((0..USERS.len()).map(|user| (user, Due::Message(id), false)));
        }
        if let Some((id, _)) = self
            .after
            .messages
            .iter()
            .find(|(id, _)| **id <= newest && !self.before.messages.contains_key(id))
        {
            return fail(&format!("message {id} comes after newer ones"));
        }
        Ok(())
    }

    /// What is gone was in a room that is closed, or was too old; what is hidden was written by a user who erased it; what is another was
    /// changed by a user with the right to it.
    fn removed(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        // What was done and undone in this tick was told, too.
        for ask in self.asked {
            if let PlannedRequest::Message(of) = &ask.planned {
                self.tell_change(of.id(ask.known), dues, false);
            }
        }
        for (id, before) in &self.before.messages {
            let Some(after) = self.after.messages.get(id) else {
                let closed = self.before.room_of(before.conversation).is_some()
                    && self.after.room_of(before.conversation).is_none();
                let now = self.now.unix;
                let truths = [self.before, self.after];
                let too_old = truths.iter().any(|truth| truth.is_too_old(before, now));
                if too_old {
                    facts.meet("a message that was too old".to_owned());
                }
                if !closed && !too_old {
                    return fail(&format!("message {id} is gone"));
                }
                facts.remove(*id);
                continue;
            };
            if before == after {
                continue;
            }
            let same = (before.conversation, before.sender, before.time, &before.txn)
                == (after.conversation, after.sender, after.time, &after.txn);
            if !same || before.deleted {
                return fail(&format!("message {id} is another one than before"));
            }
            if after.deleted {
                self.deleted(*id, after, facts, dues)?;
            } else {
                self.edited(*id, (before, after))?;
                self.reacted(*id, (before, after))?;
                self.tell_change(*id, dues, true);
            }
        }
        Ok(())
    }

    /// A message is a tombstone now: by its sender, an operator, or the end of an account that erased it.
    fn deleted(
        &self,
        id: u64,
        after: &Stored,
        facts: &mut Facts,
        dues: &mut Dues,
    ) -> Result<(), String> {
        let is_bare = after.content.is_empty()
            && (after.reply, after.edited) == (None, None)
            && after.mentions.is_empty()
            && after.reactions.is_empty();
        if !is_bare {
            return fail(&format!("something is left of message {id}"));
        }
        let erases = |truth: &Truth| truth.accounts[&after.sender].erased;
        let erasure = erases(self.before) || erases(self.after) || self.is_gone(after.sender);
        let by_right = |user: usize| {
            user == after.sender || self.had(user, after.conversation, Role::Operator)
        };
        let mut asks = self.changes_of(id);
        let deleter = asks.find(|(user, of)| matches!(of, OfMessage::Delete(_)) && by_right(*user));
        match deleter {
            Some((user, _)) => {
                if user != after.sender {
                    facts.meet("a message that an operator deleted".to_owned());
                }
                self.tell_change(id, dues, !erasure);
            }
            None if erasure => facts.meet("a tombstone".to_owned()),
            None => return fail(&format!("message {id} is deleted without the right to it")),
        }
        facts.remove(id);
        Ok(())
    }

    /// The changes of a message that were asked for by users who may have seen it.
    fn changes_of(&self, id: u64) -> impl Iterator<Item = (usize, &OfMessage)> {
        self.asked.iter().filter_map(move |ask| {
            let PlannedRequest::Message(of) = &ask.planned else {
                return None;
            };
            let saw = |truth: &Truth| truth.seen(ask.user, id, self.now.unix).is_some();
            let sees = saw(self.before) || saw(self.after);
            (of.id(ask.known) == id && sees).then_some((ask.user, of))
        })
    }

    /// Only its sender edits a message, where the sender may write.
    fn edited(&self, id: u64, (before, after): (&Stored, &Stored)) -> Result<(), String> {
        let text = |message: &Stored| {
            (
                message.content.clone(),
                message.edited,
                message.mentions.clone(),
            )
        };
        if text(before) == text(after) && before.reply == after.reply {
            return Ok(());
        }
        let mut asks = self.changes_of(id);
        let asked = asks.any(|(user, of)| {
            let says =
                matches!(of, OfMessage::Edit(_, number) if *after.content == *edited(*number));
            user == after.sender && says
        });
        if !asked {
            return fail(&format!(
                "message {id} was edited by no request of its sender"
            ));
        }
        if before.reply != after.reply || after.edited != Some(self.now.unix) {
            return fail(&format!(
                "message {id} was edited at another time, or answers another one"
            ));
        }
        self.permitted(id, after, false)?;
        self.named(id, after)
    }

    /// What a message names is what its text says, of the members.
    fn named(&self, id: u64, message: &Stored) -> Result<(), String> {
        let (sender, conversation) = (message.sender, message.conversation);
        let names = |truth: &Truth| truth.names(sender, conversation, &message.content);
        let (before, after) = (names(self.before), names(self.after));
        let moving =
            (0..USERS.len()).any(|user| self.moves(user, conversation) || self.may_end(user));
        let sets = self
            .asked
            .iter()
            .any(|ask| matches!(ask.planned, PlannedRequest::Room(OfRoom::SetRole(..))));
        if message.mentions == before || message.mentions == after || moving || sets {
            Ok(())
        } else {
            fail(&format!(
                "message {id} names {:?}, not {after:?}",
                message.mentions
            ))
        }
    }

    /// Reactions come and go by those who see the message, each once.
    fn reacted(&self, id: u64, (before, after): (&Stored, &Stored)) -> Result<(), String> {
        let of = |message: &Stored| -> BTreeSet<(String, usize)> {
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
            let mut asks = self.changes_of(id);
            let asked = asks.any(|(by, of)| {
                by == *user && matches!(of, OfMessage::React(_, number, to) if EMOJI[*number] == *emoji && *to == on)
            });
            if !asked {
                return fail(&format!("a reaction to message {id} without a request"));
            }
        }
        Ok(())
    }

    /// A change is told to all who see the message.
    fn tell_change(&self, id: u64, dues: &mut Dues, surely: bool) {
        for user in 0..USERS.len() {
            let before = self.before.seen(user, id, self.now.unix).is_some();
            let seen = self.after.seen(user, id, self.now.unix);
            let moves = seen.is_some_and(|message| self.turns(user, message.conversation));
            if before || seen.is_some() {
                let stays = before && seen.is_some() && !moves;
                dues.push((user, Due::Altered(id), surely && stays));
            }
        }
    }

    fn sent(&self, id: u64, message: &Stored) -> Result<(), String> {
        let wanted = |ask: &Ask| match &ask.planned {
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
                    && message.reply == reply.map(|nth| ask.known.saturating_sub(nth))
            }
            _ => false,
        };
        if !self.of(message.sender).any(wanted) {
            return fail(&format!("message {id}, which was not sent"));
        }
        if let Some(answered) = message.reply {
            let seen = |truth: &Truth| {
                let seen = truth.seen(message.sender, answered, self.now.unix);
                seen.is_some_and(|seen| seen.conversation == message.conversation)
            };
            if !seen(self.before) && !seen(self.after) {
                return fail(&format!(
                    "message {id} answers one that its sender does not see"
                ));
            }
        }
        if message.time != self.now.unix {
            return fail(&format!("message {id} of another time"));
        }
        Ok(())
    }

    fn is_to(&self, message: &Stored, to: Target) -> bool {
        match to {
            Target::Room(room) => {
                self.after.room_of(message.conversation).is_some()
                    && self.means(room, message.conversation)
            }
            Target::User(_) => self.after.target(message.sender, message.conversation) == Some(to),
        }
    }

    /// The sender may write there: in a room that is read-only or slow, operators only.
    fn permitted(&self, id: u64, message: &Stored, is_new: bool) -> Result<(), String> {
        let (sender, conversation) = (message.sender, message.conversation);
        let Some((_, room)) = self.before.room_of(conversation) else {
            return Ok(());
        };
        let sets = self.asked.iter().any(|ask| {
            matches!(
                ask.planned,
                PlannedRequest::Room(OfRoom::Set(..) | OfRoom::SetRole(..))
            )
        });
        if sets || self.had(sender, conversation, Role::Operator) {
            return Ok(());
        }
        let last = self.before.slow.get(&(sender, conversation));
        let wait = room.slow_seconds.cast_signed();
        let waits = last.is_some_and(|last| waits(*last, wait, self.now.unix));
        if room.read_only || is_new && waits {
            return fail(&format!("message {id} in a room that is read-only or slow"));
        }
        Ok(())
    }

    fn told(&self, id: u64, message: &Stored, dues: &mut Dues) -> Result<(), String> {
        let conversation = message.conversation;
        let mut takes_part = false;
        for user in 0..USERS.len() {
            let before = self.before.takes_part(user, conversation);
            let after = self.after.takes_part(user, conversation);
            let moves = self.turns(user, conversation);
            let stays = before && after && !moves;
            let perhaps = before || after || moves;
            takes_part |= user == message.sender && perhaps;
            if perhaps {
                dues.push((user, Due::Message(id), stays));
            }
        }
        if !takes_part {
            return fail(&format!(
                "message {id} of a user outside of the conversation"
            ));
        }
        Ok(())
    }

    /// Whether a user may come to a conversation or leave it in this tick.
    fn turns(&self, user: usize, conversation: Conversation) -> bool {
        let rooms = [self.before, self.after].map(|truth| truth.room_of(conversation));
        if rooms.iter().flatten().next().is_some() {
            return self.moves(user, conversation);
        }
        let ends = self.asked.iter().any(|ask| match ask.planned {
            PlannedRequest::People(OfPeople::Unfriend(_) | OfPeople::Block(_)) => true,
            _ => self.may_end(ask.user),
        });
        let target = self.after.target(user, conversation).is_some();
        target && ends
    }
}
