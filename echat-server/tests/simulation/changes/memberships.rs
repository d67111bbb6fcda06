//! Checks memberships: joining and leaving rooms, read markers, and the notes that keep a user from being added again.

use super::{Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::rooms::Participation;
use crate::committed::{CommittedState, Conversation};
use crate::fail;
use crate::observations::Observations;
use crate::plan::{AccountRequest, BotRequest, PlannedRequest, Role, RoomRequest, Target, USERS};

impl Changes<'_> {
    pub(super) fn memberships(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        for (number, room) in &self.after.rooms {
            for user in 0..USERS.len() {
                self.check_membership(user, (*number, room.conversation), observed, events)?;
            }
        }
        self.check_friends_read_markers(events)?;
        self.expect_read_markers(events);
        // Members of a room that was closed in this tick may have been removed before.
        for room in self.before.rooms.values() {
            self.expect_removals(room.conversation, events);
        }
        Ok(())
    }

    /// The user's other sessions are told of a read marker, also if the user left the conversation later in the same
    /// tick.
    fn expect_read_markers(&self, events: &mut ExpectedEvents) {
        for request in self.requests {
            let PlannedRequest::Read(target) = request.planned else {
                continue;
            };
            let key = |committed: &CommittedState| committed.conversation(request.user, target);
            let stays = key(self.before).is_some_and(|conversation| {
                key(self.after) == Some(conversation)
                    && !self.may_leave_rightfully(request.user, conversation)
            });
            if !stays {
                events.push((request.user, ExpectedEvent::ReadMarker(target), false));
            }
        }
    }

    /// Checks the read markers of friends and former friends.
    fn check_friends_read_markers(&self, events: &mut ExpectedEvents) -> Result<(), String> {
        for (key, after) in &self.after.participations {
            let (user, conversation) = *key;
            let Some(target @ Target::User(_)) = self.after.target(user, conversation) else {
                continue;
            };
            let Some(before) = self.before.participations.get(key) else {
                continue;
            };
            if before == after {
                continue;
            }
            let read = |planned: &PlannedRequest| *planned == PlannedRequest::Read(target);
            if before.after != after.after
                || before.read > after.read
                || !self.has_request(user, read)
            {
                return fail("the read marker of a friend changes without a request");
            }
            events.push((user, ExpectedEvent::ReadMarker(target), true));
        }
        Ok(())
    }

    fn check_membership(
        &self,
        user: usize,
        (number, conversation): (usize, Conversation),
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let key = (user, conversation);
        let (before, after) = (
            self.before.participations.get(&key),
            self.after.participations.get(&key),
        );
        self.check_left_note(user, conversation)?;
        let came = self.may_join(user, conversation);
        let former = self.before.room_of(conversation).map(|(former, _)| former);
        let former = former.filter(|former| *former != number);
        match (before, after) {
            (None, Some(participation)) => {
                self.check_admission(user, conversation, participation)?;
                if self.before.left.contains(&key) {
                    observed.cover("a member who joined again".to_owned());
                }
                let certain = !self.may_leave_and_join(user, conversation) && former.is_none();
                events.push((user, ExpectedEvent::RoomJoined(number), certain));
            }
            (Some(_), None) if !self.may_leave_rightfully(user, conversation) => {
                return fail("a member is gone");
            }
            (Some(_), None) if self.after.is_bot(user) => {
                observed.cover("a bot that left because of its owner".to_owned());
            }
            (Some(before), Some(after))
                if before.after != after.after || before.read != after.read =>
            {
                let read = |planned: &PlannedRequest| {
                    matches!(planned, PlannedRequest::Read(Target::Room(room))
                        if self.may_be_named(*room, conversation))
                };
                let moved = before.after == after.after && before.read < after.read;
                if moved && self.has_request(user, read) {
                    events.push((user, ExpectedEvent::ReadMarker(Target::Room(number)), !came));
                } else if !(self.may_leave_rightfully(user, conversation) && came) {
                    return fail("the read marker of a member changes without a request");
                }
            }
            _ => {}
        }
        if came {
            events.push((user, ExpectedEvent::RoomJoined(number), false));
            // The user joined before the room had its new name.
            events.extend(former.map(|former| (user, ExpectedEvent::RoomJoined(former), false)));
        }
        Ok(())
    }

    /// A new member had the right to join, and sees no message from before.
    fn check_admission(
        &self,
        user: usize,
        conversation: Conversation,
        participation: &Participation,
    ) -> Result<(), String> {
        let newest = self.newest(conversation);
        if !self.may_join(user, conversation)
            || participation.after < newest
            || participation.read < participation.after
        {
            return fail("a member without a request, or with messages from before");
        }
        let key = (user, conversation);
        let by_itself =
            self.has_request(user, |planned| matches!(planned, PlannedRequest::Join(_)));
        let lifted = self.requests.iter().any(
            |request| matches!(request.planned, PlannedRequest::Room(RoomRequest::Unban(_, of)) if of == user),
        );
        let ban = self.before.bans.get(&key);
        if ban.is_some_and(|ban| ban.holds(self.now.unix)) && !lifted {
            return fail("a banned user joins");
        }
        let is_public = [self.before, self.after].into_iter().any(|committed| {
            let room = committed.room_of(conversation);
            room.is_some_and(|(_, room)| !room.private)
        });
        let invited = self.before.invitations.contains_key(&key)
            || self.requests.iter().any(|request| {
                matches!(request.planned, PlannedRequest::Room(RoomRequest::Invite(_, of)) if of == user)
            });
        let opened = self
            .requests
            .iter()
            .any(|request| matches!(request.planned, PlannedRequest::Room(RoomRequest::Set(..))));
        if by_itself && !self.may_be_added(user, conversation) && !is_public && !invited && !opened
        {
            return fail("a user joins a private room without an invitation");
        }
        Ok(())
    }

    /// A note that a user left a room is written by leaving and removed by joining. No member has one, and an owner
    /// never adds a user with such a note.
    fn check_left_note(&self, user: usize, conversation: Conversation) -> Result<(), String> {
        let note = (user, conversation);
        let (before, after) = (
            self.before.left.contains(&note),
            self.after.left.contains(&note),
        );
        if after && self.after.participations.contains_key(&note) {
            return fail("a member has a note of having left");
        }
        if after && !before && !self.may_leave(user, conversation) {
            return fail("a note of leaving of a user who did not leave");
        }
        let joins = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Join(room) if self.may_be_named(*room, conversation));
        if before && !after && !self.has_request(user, joins) && !self.was_deleted(user) {
            return fail("a note of leaving is gone, and its user did not join");
        }
        Ok(())
    }

    /// Whether a user may have joined a room in this tick.
    pub(super) fn may_join(&self, user: usize, conversation: Conversation) -> bool {
        let joins = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Join(room) if self.may_be_named(*room, conversation));
        let is_new = !self.before.accounts.contains_key(&user) && !self.after.is_bot(user);
        let room = self.after.room_of(conversation);
        let is_lobby = room.is_some_and(|(_, room)| room.owner.is_none());
        (is_new && is_lobby)
            || self.has_request(user, joins)
            || self.may_be_added(user, conversation)
    }

    /// Whether another user, or the creator of the room, may have added a user in this tick.
    fn may_be_added(&self, user: usize, conversation: Conversation) -> bool {
        self.requests.iter().any(|request| match &request.planned {
            PlannedRequest::Create(of, members, _) | PlannedRequest::Add(of, members) => {
                let made = matches!(request.planned, PlannedRequest::Create(..));
                let is_new = self.before.room_of(conversation).is_none();
                let right =
                    made && is_new || self.may_have_role(request.user, conversation, Role::Owner);
                let named = members.contains(&user) && self.may_be_friends(request.user, user);
                self.may_be_named(*of, conversation) && right && (request.user == user || named)
            }
            PlannedRequest::Bot(BotRequest::Create(bot, rooms, _)) => {
                *bot == user
                    && rooms
                        .iter()
                        .any(|room| self.may_be_named(*room, conversation))
                    && self.may_have_role(request.user, conversation, Role::Operator)
            }
            _ => false,
        })
    }

    fn may_be_friends(&self, a: usize, b: usize) -> bool {
        self.before.are_friends(a, b) || self.after.are_friends(a, b)
    }

    /// Whether a user may have left the room, or was removed by a user with the right to do so.
    pub(super) fn may_leave_rightfully(&self, user: usize, conversation: Conversation) -> bool {
        if self.may_leave_unremoved(user, conversation) {
            return true;
        }
        let removed = self.requests.iter().any(|request| match request.planned {
            PlannedRequest::Room(RoomRequest::Kick(room, of) | RoomRequest::Ban(room, of, _)) => {
                of == user
                    && self.may_be_named(room, conversation)
                    && self.may_remove(request.user, user, conversation)
            }
            _ => false,
        });
        removed || self.may_leave_with_owner(user, conversation)
    }

    /// Whether a user may have left a room without being removed by another user.
    pub(super) fn may_leave_unremoved(&self, user: usize, conversation: Conversation) -> bool {
        self.has_request(user, |planned| match planned {
            PlannedRequest::Part(room) => self.may_be_named(*room, conversation),
            PlannedRequest::Account(AccountRequest::Delete { .. }) => true,
            _ => false,
        })
    }

    /// Whether a bot may have left a room because its owner no longer operates the room.
    fn may_leave_with_owner(&self, user: usize, conversation: Conversation) -> bool {
        let bots = [self.before, self.after].map(|committed| committed.bot(user));
        let Some(bot) = bots.into_iter().flatten().next() else {
            return false;
        };
        let removed = self.has_request(
            bot.owner,
            |planned| matches!(planned, PlannedRequest::Bot(BotRequest::Remove(of)) if *of == user),
        );
        let role = |committed: &crate::committed::CommittedState| {
            committed.role_in(bot.owner, conversation)
        };
        let lost =
            role(self.after) < Some(Role::Operator) || self.may_leave(bot.owner, conversation);
        let demoted = self.requests.iter().any(|request| {
            matches!(request.planned, PlannedRequest::Room(RoomRequest::SetRole(_, of, Role::Member)) if of == bot.owner)
        });
        removed || lost || demoted || self.was_deleted(bot.owner) || self.was_deleted(user)
    }

    /// Whether a user may have left a room in this tick, whether or not the request was permitted.
    pub(super) fn may_leave(&self, user: usize, conversation: Conversation) -> bool {
        let named = self.requests.iter().any(|request| match request.planned {
            PlannedRequest::Room(RoomRequest::Kick(room, of) | RoomRequest::Ban(room, of, _)) => {
                of == user && self.may_be_named(room, conversation)
            }
            PlannedRequest::Room(RoomRequest::Close(room)) => self.may_be_named(room, conversation),
            _ => false,
        });
        let is_bot = self.before.is_bot(user) || self.after.is_bot(user);
        named
            || self.may_leave_unremoved(user, conversation)
            || is_bot && self.may_leave_with_owner(user, conversation)
    }

    /// Whether a user may have joined or left a room in this tick.
    pub(super) fn membership_may_change(&self, user: usize, conversation: Conversation) -> bool {
        self.may_join(user, conversation) || self.may_leave(user, conversation)
    }

    fn may_leave_and_join(&self, user: usize, conversation: Conversation) -> bool {
        self.may_leave(user, conversation)
    }

    /// A removed member and the other members are told of the removal.
    fn expect_removals(&self, conversation: Conversation, events: &mut ExpectedEvents) {
        for request in self.requests {
            let PlannedRequest::Room(
                RoomRequest::Kick(room, user) | RoomRequest::Ban(room, user, _),
            ) = request.planned
            else {
                continue;
            };
            if !self.may_be_named(room, conversation) {
                continue;
            }
            let key = (user, conversation);
            let was_there = self.before.participations.contains_key(&key);
            let is_there = self.after.participations.contains_key(&key);
            let removed = was_there
                && !is_there
                && self.after.room_of(conversation).is_some()
                && !self.may_leave_unremoved(user, conversation)
                && self.may_remove(request.user, user, conversation);
            for told in 0..USERS.len() {
                let key = (told, conversation);
                let stays = self.before.participations.contains_key(&key)
                    && self.after.participations.contains_key(&key)
                    && !self.membership_may_change(told, conversation);
                let certain = removed && (told == user || stays);
                let number = self
                    .before
                    .room_of(conversation)
                    .map_or(room, |(name, _)| name);
                events.push((told, ExpectedEvent::MemberRemoved(number, user), certain));
                events.push((told, ExpectedEvent::MemberRemoved(room, user), false));
            }
        }
    }

    /// The newest message of a conversation before this tick.
    pub(super) fn newest(&self, conversation: Conversation) -> u64 {
        let messages = self.before.messages.iter().rev();
        let mut there = messages.filter(|(_, message)| message.conversation == conversation);
        there.next().map_or(0, |(id, _)| *id)
    }
}
