//! Messages that were stored, hidden or removed.

use super::{Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{OfPeople, OfRoom, PlannedRequest, Role, Target, USERS};
use crate::request::content;
use crate::spec::waits;
use crate::truth::{Conversation, Stored, Truth};

impl Changes<'_> {
    pub(super) fn messages(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        self.removed(facts)?;
        let newest = self.before.messages.keys().next_back();
        let newest = newest.copied().unwrap_or(0).max(facts.newest);
        for (id, message) in self.after.messages.range(newest + 1..) {
            facts.newest = *id;
            self.sent(*id, message)?;
            self.permitted(*id, message)?;
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

    /// What is gone was in a room that is closed; what is hidden was written by a user who erased it.
    fn removed(&self, facts: &mut Facts) -> Result<(), String> {
        for (id, before) in &self.before.messages {
            let Some(after) = self.after.messages.get(id) else {
                let closed = self.before.room_of(before.conversation).is_some()
                    && self.after.room_of(before.conversation).is_none();
                if !closed {
                    return fail(&format!("message {id} is gone"));
                }
                facts.remove(*id);
                continue;
            };
            if before == after {
                continue;
            }
            let erases = |truth: &Truth| truth.accounts[&after.sender].erased;
            let erasure = erases(self.before) || erases(self.after) || self.is_gone(after.sender);
            let same = (before.conversation, before.sender, before.time)
                == (after.conversation, after.sender, after.time);
            if !(same && erasure && after.deleted && after.content.is_empty()) {
                return fail(&format!("message {id} is another one than before"));
            }
            facts.meet("a tombstone".to_owned());
            facts.remove(*id);
        }
        Ok(())
    }

    fn sent(&self, id: u64, message: &Stored) -> Result<(), String> {
        let wanted = |planned: &PlannedRequest| match planned {
            PlannedRequest::Send {
                to,
                number,
                size,
                txn,
            } => {
                self.is_to(message, *to)
                    && *message.content == *content(*number, *size)
                    && message.txn == txn.then(|| number.to_string())
            }
            _ => false,
        };
        if !self.was_asked(message.sender, wanted) {
            return fail(&format!("message {id}, which was not sent"));
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
    fn permitted(&self, id: u64, message: &Stored) -> Result<(), String> {
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
        if room.read_only || waits {
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
