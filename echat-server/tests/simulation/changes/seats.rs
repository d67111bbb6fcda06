//! Users who come to rooms and leave them.

use super::{Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{OfAccount, OfBot, OfRoom, PlannedRequest, Role, Target, USERS};
use crate::truth::rooms::Seat;
use crate::truth::{Conversation, Truth};

impl Changes<'_> {
    pub(super) fn seats(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        for (number, room) in &self.after.rooms {
            for user in 0..USERS.len() {
                self.seat(user, (*number, room.conversation), facts, dues)?;
            }
        }
        self.friends_read(dues)?;
        self.reads_and_leaves(dues);
        // Of rooms that were closed, members may have been removed before.
        for room in self.before.rooms.values() {
            self.removals(room.conversation, dues);
        }
        Ok(())
    }

    /// Other sessions are told of what was read, also if the reader then left the conversation in the same tick.
    fn reads_and_leaves(&self, dues: &mut Dues) {
        for ask in self.asked {
            let PlannedRequest::Read(target) = ask.planned else {
                continue;
            };
            let place = |truth: &Truth| truth.conversation(ask.user, target);
            let stays = place(self.before).is_some_and(|conversation| {
                place(self.after) == Some(conversation) && !self.leaves(ask.user, conversation)
            });
            if !stays {
                dues.push((ask.user, Due::Read(target), false));
            }
        }
    }

    /// What friends, present and former, have read of each other.
    fn friends_read(&self, dues: &mut Dues) -> Result<(), String> {
        for (place, after) in &self.after.seats {
            let (user, conversation) = *place;
            let Some(target @ Target::User(_)) = self.after.target(user, conversation) else {
                continue;
            };
            let Some(before) = self.before.seats.get(place) else {
                continue;
            };
            if before == after {
                continue;
            }
            let read = |planned: &PlannedRequest| *planned == PlannedRequest::Read(target);
            if before.after != after.after
                || before.read > after.read
                || !self.was_asked(user, read)
            {
                return fail("a friend's place changes by itself");
            }
            dues.push((user, Due::Read(target), true));
        }
        Ok(())
    }

    fn seat(
        &self,
        user: usize,
        (number, conversation): (usize, Conversation),
        facts: &mut Facts,
        dues: &mut Dues,
    ) -> Result<(), String> {
        let place = (user, conversation);
        let (before, after) = (self.before.seats.get(&place), self.after.seats.get(&place));
        self.note(user, conversation)?;
        let came = self.may_come(user, conversation);
        let former = self.before.room_of(conversation).map(|(former, _)| former);
        let former = former.filter(|former| *former != number);
        match (before, after) {
            (None, Some(seat)) => {
                self.admitted(user, conversation, seat)?;
                if self.before.left.contains(&place) {
                    facts.meet("a member who came back".to_owned());
                }
                let surely = !self.moves_twice(user, conversation) && former.is_none();
                dues.push((user, Due::Room(number), surely));
            }
            (Some(_), None) if !self.leaves(user, conversation) => {
                return fail("a member is gone");
            }
            (Some(_), None) if self.after.is_bot(user) => {
                facts.meet("a bot that left with its owner's role".to_owned());
            }
            (Some(before), Some(after))
                if before.after != after.after || before.read != after.read =>
            {
                let read = |planned: &PlannedRequest| {
                    matches!(planned, PlannedRequest::Read(Target::Room(room))
                        if self.means(*room, conversation))
                };
                let moved = before.after == after.after && before.read < after.read;
                if moved && self.was_asked(user, read) {
                    dues.push((user, Due::Read(Target::Room(number)), !came));
                } else if !(self.leaves(user, conversation) && came) {
                    return fail("a member's place changes by itself");
                }
            }
            _ => {}
        }
        if came {
            dues.push((user, Due::Room(number), false));
            // The user came before the room had its new name.
            dues.extend(former.map(|former| (user, Due::Room(former), false)));
        }
        Ok(())
    }

    /// A new member may come in, and sees nothing from before.
    fn admitted(&self, user: usize, conversation: Conversation, seat: &Seat) -> Result<(), String> {
        let newest = self.newest(conversation);
        if !self.may_come(user, conversation) || seat.after < newest || seat.read < seat.after {
            return fail("a member without a request, or with messages from before");
        }
        let place = (user, conversation);
        let by_itself = self.was_asked(user, |planned| matches!(planned, PlannedRequest::Join(_)));
        let lifted = self.asked.iter().any(
            |ask| matches!(ask.planned, PlannedRequest::Room(OfRoom::Unban(_, of)) if of == user),
        );
        let ban = self.before.bans.get(&place);
        if ban.is_some_and(|ban| ban.holds(self.now.unix)) && !lifted {
            return fail("a banned user comes in");
        }
        let is_public = [self.before, self.after].into_iter().any(|truth| {
            let room = truth.room_of(conversation);
            room.is_some_and(|(_, room)| !room.private)
        });
        let invited = self.before.invitations.contains_key(&place)
            || self.asked.iter().any(|ask| {
                matches!(ask.planned, PlannedRequest::Room(OfRoom::Invite(_, of)) if of == user)
            });
        let opened = self
            .asked
            .iter()
            .any(|ask| matches!(ask.planned, PlannedRequest::Room(OfRoom::Set(..))));
        if by_itself && !self.is_let_in(user, conversation) && !is_public && !invited && !opened {
            return fail("a user joins a private room without an invitation");
        }
        Ok(())
    }

    /// A note that a user left a room comes from leaving and goes by joining, and no member has one. So an
    /// owner never adds a user who has one.
    fn note(&self, user: usize, conversation: Conversation) -> Result<(), String> {
        let note = (user, conversation);
        let (before, after) = (
            self.before.left.contains(&note),
            self.after.left.contains(&note),
        );
        if after && self.after.seats.contains_key(&note) {
            return fail("a member has a note of having left");
        }
        if after && !before && !self.may_leave(user, conversation) {
            return fail("a note of leaving of a user who did not leave");
        }
        let joins = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Join(room) if self.means(*room, conversation));
        if before && !after && !self.was_asked(user, joins) && !self.is_gone(user) {
            return fail("a note of leaving is gone, and its user did not join");
        }
        Ok(())
    }

    /// Whether a user may have come to a room in this tick.
    pub(super) fn may_come(&self, user: usize, conversation: Conversation) -> bool {
        let joins = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Join(room) if self.means(*room, conversation));
        let is_new = !self.before.accounts.contains_key(&user) && !self.after.is_bot(user);
        let room = self.after.room_of(conversation);
        let is_lobby = room.is_some_and(|(_, room)| room.owner.is_none());
        (is_new && is_lobby) || self.was_asked(user, joins) || self.is_let_in(user, conversation)
    }

    /// Whether others, or the one who made it, may have let a user into a room in this tick.
    fn is_let_in(&self, user: usize, conversation: Conversation) -> bool {
        self.asked.iter().any(|ask| match &ask.planned {
            PlannedRequest::Create(of, members, _) | PlannedRequest::Add(of, members) => {
                let made = matches!(ask.planned, PlannedRequest::Create(..));
                let is_new = self.before.room_of(conversation).is_none();
                let right = made && is_new || self.had(ask.user, conversation, Role::Owner);
                let named = members.contains(&user) && self.may_be_friends(ask.user, user);
                self.means(*of, conversation) && right && (ask.user == user || named)
            }
            PlannedRequest::Bot(OfBot::Create(bot, rooms, _)) => {
                *bot == user
                    && rooms.iter().any(|room| self.means(*room, conversation))
                    && self.had(ask.user, conversation, Role::Operator)
            }
            _ => false,
        })
    }

    fn may_be_friends(&self, a: usize, b: usize) -> bool {
        self.before.are_friends(a, b) || self.after.are_friends(a, b)
    }

    /// Whether a user left a room, or was removed by a user who may.
    pub(super) fn leaves(&self, user: usize, conversation: Conversation) -> bool {
        if self.may_leave_alone(user, conversation) {
            return true;
        }
        let removed = self.asked.iter().any(|ask| match ask.planned {
            PlannedRequest::Room(OfRoom::Kick(room, of) | OfRoom::Ban(room, of, _)) => {
                of == user
                    && self.means(room, conversation)
                    && self.removes(ask.user, user, conversation)
            }
            _ => false,
        });
        removed || self.goes_with_owner(user, conversation)
    }

    /// Whether a user may have left a room without being removed.
    pub(super) fn may_leave_alone(&self, user: usize, conversation: Conversation) -> bool {
        self.was_asked(user, |planned| match planned {
            PlannedRequest::Part(room) => self.means(*room, conversation),
            PlannedRequest::Account(OfAccount::Delete { .. }) => true,
            _ => false,
        })
    }

    /// Whether a bot may have left a room with its owner's right to have it there.
    fn goes_with_owner(&self, user: usize, conversation: Conversation) -> bool {
        let bots = [self.before, self.after].map(|truth| truth.bot(user));
        let Some(bot) = bots.into_iter().flatten().next() else {
            return false;
        };
        let removed = self.was_asked(
            bot.owner,
            |planned| matches!(planned, PlannedRequest::Bot(OfBot::Remove(of)) if *of == user),
        );
        let role = |truth: &crate::truth::Truth| truth.role_in(bot.owner, conversation);
        let lost =
            role(self.after) < Some(Role::Operator) || self.may_leave(bot.owner, conversation);
        let demoted = self.asked.iter().any(|ask| {
            matches!(ask.planned, PlannedRequest::Room(OfRoom::SetRole(_, of, Role::Member)) if of == bot.owner)
        });
        removed || lost || demoted || self.is_gone(bot.owner) || self.is_gone(user)
    }

    /// Whether a user may have left a room in this tick, with or without a right to it.
    pub(super) fn may_leave(&self, user: usize, conversation: Conversation) -> bool {
        let named = self.asked.iter().any(|ask| match ask.planned {
            PlannedRequest::Room(OfRoom::Kick(room, of) | OfRoom::Ban(room, of, _)) => {
                of == user && self.means(room, conversation)
            }
            PlannedRequest::Room(OfRoom::Close(room)) => self.means(room, conversation),
            _ => false,
        });
        let is_bot = self.before.is_bot(user) || self.after.is_bot(user);
        named
            || self.may_leave_alone(user, conversation)
            || is_bot && self.goes_with_owner(user, conversation)
    }

    /// Whether a user may come to a room or leave it in this tick.
    pub(super) fn moves(&self, user: usize, conversation: Conversation) -> bool {
        self.may_come(user, conversation) || self.may_leave(user, conversation)
    }

    fn moves_twice(&self, user: usize, conversation: Conversation) -> bool {
        self.may_leave(user, conversation)
    }

    /// Members who were removed are told so, and so are the others.
    fn removals(&self, conversation: Conversation, dues: &mut Dues) {
        for ask in self.asked {
            let PlannedRequest::Room(OfRoom::Kick(room, user) | OfRoom::Ban(room, user, _)) =
                ask.planned
            else {
                continue;
            };
            if !self.means(room, conversation) {
                continue;
            }
            let place = (user, conversation);
            let was_there = self.before.seats.contains_key(&place);
            let is_there = self.after.seats.contains_key(&place);
            let removed = was_there
                && !is_there
                && self.after.room_of(conversation).is_some()
                && !self.may_leave_alone(user, conversation)
                && self.removes(ask.user, user, conversation);
            for told in 0..USERS.len() {
                let place = (told, conversation);
                let stays = self.before.seats.contains_key(&place)
                    && self.after.seats.contains_key(&place)
                    && !self.moves(told, conversation);
                let surely = removed && (told == user || stays);
                let number = self
                    .before
                    .room_of(conversation)
                    .map_or(room, |(name, _)| name);
                dues.push((told, Due::Removed(number, user), surely));
                dues.push((told, Due::Removed(room, user), false));
            }
        }
    }

    /// The newest message that a conversation had before this tick.
    pub(super) fn newest(&self, conversation: Conversation) -> u64 {
        let messages = self.before.messages.iter().rev();
        let mut there = messages.filter(|(_, message)| message.conversation == conversation);
        there.next().map_or(0, |(id, _)| *id)
    }
}
