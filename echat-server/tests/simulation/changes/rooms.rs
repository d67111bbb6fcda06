//! Checks rooms, roles, invitations and bans.

use super::{Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::Conversation;
use crate::committed::rooms::{Ban, Room};
use crate::fail;
use crate::observations::Observations;
use crate::plan::{PeopleRequest, PlannedRequest, ROOMS, Role, RoomRequest, Setting, USERS};
use crate::request::later;

impl Changes<'_> {
    pub(super) fn rooms(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        for (number, before) in &self.before.rooms {
            match self.after.room_of(before.conversation) {
                Some((name, after)) => {
                    self.check_settings(*number, before, name, after, events)?;
                    self.check_owner(before, after, observed)?;
                    self.check_roles(*number, before.conversation, events)?;
                }
                None => self.check_closed_room(*number, before, events)?,
            }
        }
        for (number, room) in &self.after.rooms {
            if self.before.room_of(room.conversation).is_none() {
                self.check_new_room(*number, room)?;
                self.expect_transient_changes(room, events);
            }
            if room.members != self.after.members(*number).len() as u64 {
                return fail("a room counts other members than it has");
            }
            if room.members == 0 && room.owner.is_some() {
                return fail("a room without members is open");
            }
            let owner = room
                .owner
                .filter(|owner| !self.after.is_member(*owner, *number));
            if owner.is_some() {
                return fail("an owner is not a member");
            }
        }
        Ok(())
    }

    fn check_new_room(&self, number: usize, room: &Room) -> Result<(), String> {
        let made = self.requests.iter().any(|request| match &request.planned {
            PlannedRequest::Create(of, _, private) => {
                self.may_be_named(*of, room.conversation)
                    && (*private == room.private || self.sets(room.conversation))
                    && (room.owner == Some(request.user)
                        || self.may_leave(request.user, room.conversation))
            }
            _ => false,
        });
        if made {
            Ok(())
        } else {
            fail(&format!("room {number} without a request"))
        }
    }

    /// Events of a room that was created and changed within one tick.
    fn expect_transient_changes(&self, room: &Room, events: &mut ExpectedEvents) {
        if !self.sets(room.conversation) {
            return;
        }
        for user in 0..USERS.len() {
            for name in 0..ROOMS.len() {
                events.push((user, ExpectedEvent::RoomChanged(name), false));
                events.push((user, ExpectedEvent::RoomJoined(name), false));
            }
        }
    }

    /// Whether a setting of a room may have changed in this tick.
    fn sets(&self, conversation: Conversation) -> bool {
        self.settings(conversation) > 0
    }

    /// How many settings of a room may have changed in this tick. Each has its own event.
    fn settings(&self, conversation: Conversation) -> usize {
        let set = self.requests.iter().filter(|request| {
            matches!(&request.planned, PlannedRequest::Room(RoomRequest::Set(room, _)) if self.may_be_named(*room, conversation))
        });
        set.count()
    }

    /// A room is closed by its owner, or with its last member.
    fn check_closed_room(
        &self,
        number: usize,
        room: &Room,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let conversation = room.conversation;
        let by_owner = self.may_be_allowed(conversation, Role::Owner, |of| match of {
            RoomRequest::Close(room) => Some(*room),
            _ => None,
        });
        let members = self.before.members(number);
        let mut stayed = members
            .iter()
            .filter(|member| !self.may_leave_rightfully(**member, conversation));
        if !by_owner && stayed.next().is_some() {
            return fail("a room is closed without its owner's request");
        }
        for member in members.iter().copied() {
            // Changes before the room was closed were delivered, too.
            events.push((member, ExpectedEvent::RoomChanged(number), false));
            let others = members.iter();
            events.extend(
                others.map(|other| (member, ExpectedEvent::RoleChanged(number, *other), false)),
            );
            // A member who left or was removed before is told of that.
            let stayed = !self.may_leave_rightfully(member, conversation);
            events.push((
                member,
                ExpectedEvent::RoomClosed(number),
                by_owner && stayed,
            ));
        }
        // Users who joined in the tick that closed the room were members in between.
        for user in (0..USERS.len()).filter(|user| self.may_join(*user, conversation)) {
            events.push((user, ExpectedEvent::RoomJoined(number), false));
            events.push((user, ExpectedEvent::RoomClosed(number), false));
        }
        Ok(())
    }

    fn check_settings(
        &self,
        number: usize,
        before: &Room,
        name: usize,
        after: &Room,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let conversation = before.conversation;
        let requested = |role: Role, fits: &dyn Fn(&Setting) -> bool| {
            self.may_be_allowed(conversation, role, |of| match of {
                RoomRequest::Set(room, setting) if fits(setting) => Some(*room),
                _ => None,
            })
        };
        let mut changed = false;
        let mut check_field = |differs: bool, role: Role, fits: &dyn Fn(&Setting) -> bool| {
            changed |= differs;
            if differs && !requested(role, fits) {
                return fail("a room is changed without a permitted request");
            }
            Ok(())
        };
        check_field(number != name, Role::Owner, &|set| {
            *set == Setting::Name(name)
        })?;
        check_field(before.topic != after.topic, Role::Operator, &|set| {
            matches!(set, Setting::Topic(_))
        })?;
        check_field(before.private != after.private, Role::Owner, &|set| {
            *set == Setting::Private(after.private)
        })?;
        check_field(
            before.read_only != after.read_only,
            Role::Operator,
            &|set| *set == Setting::ReadOnly(after.read_only),
        )?;
        check_field(
            before.slow_seconds != after.slow_seconds,
            Role::Operator,
            &|set| matches!(set, Setting::Slow(_)),
        )?;
        check_field(before.keep_days != after.keep_days, Role::Owner, &|set| {
            matches!(set, Setting::Keep(_))
        })?;
        for user in 0..USERS.len() {
            let key = (user, conversation);
            let stays = self.before.participations.contains_key(&key)
                && self.after.participations.contains_key(&key)
                && !self.membership_may_change(user, conversation);
            if changed || self.sets(conversation) {
                events.push((user, ExpectedEvent::RoomChanged(number), changed && stays));
                events.push((user, ExpectedEvent::RoomChanged(name), false));
                // Other settings may have been set before the one whose event is certain.
                let more = self.settings(conversation).saturating_sub(1);
                events.extend((0..more).map(|_| (user, ExpectedEvent::RoomChanged(number), false)));
            }
            // Clients that do not know the room's other names are told that they left one room and joined another.
            if number != name {
                events.push((user, ExpectedEvent::RoomJoined(name), false));
            }
        }
        Ok(())
    }

    /// The owner hands the room over or leaves. When the owner leaves, the longest-standing operator, else member,
    /// becomes the owner.
    fn check_owner(
        &self,
        before: &Room,
        after: &Room,
        observed: &mut Observations,
    ) -> Result<(), String> {
        if before.owner == after.owner {
            return Ok(());
        }
        let conversation = before.conversation;
        let handed = self.may_be_allowed(conversation, Role::Owner, |of| match of {
            RoomRequest::SetRole(room, to, Role::Owner) if Some(*to) == after.owner => Some(*room),
            _ => None,
        });
        let gone = before
            .owner
            .is_some_and(|owner| self.may_leave(owner, conversation));
        if handed {
            return Ok(());
        }
        if !gone {
            return fail("a room has another owner without a request");
        }
        observed.cover("a room that passed to another owner".to_owned());
        let still = !self.requests.iter().any(|request| {
            let about = matches!(request.planned, PlannedRequest::Room(_));
            about
                || Some(request.user) != before.owner && self.may_leave(request.user, conversation)
        });
        let (number, _) = self.before.room_of(conversation).expect("it was there");
        let goes = |user: usize| {
            let stays = self
                .after
                .participations
                .contains_key(&(user, conversation));
            !stays || before.owner == Some(user) || self.after.is_bot(user)
        };
        if still && self.before.successor(number, goes) != after.owner {
            return fail("a room passes to the wrong member");
        }
        Ok(())
    }

    /// The role of a member who stays is changed by the owner, or with the owner.
    fn check_roles(
        &self,
        number: usize,
        conversation: Conversation,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        for user in 0..USERS.len() {
            let before = self.before.role_in(user, conversation);
            let after = self.after.role_in(user, conversation);
            let set = self.may_be_allowed(conversation, Role::Owner, |of| match of {
                RoomRequest::SetRole(room, to, role) if *to == user || *role == Role::Owner => {
                    Some(*room)
                }
                _ => None,
            });
            // A user who has just joined may have another role already. A user who left may have owned the room in
            // between, even if the user joined again.
            let may_have_had_it = before.is_some() && self.may_leave(user, conversation);
            if may_have_had_it || before.is_none() && (set || after == Some(Role::Owner)) {
                let all = 0..USERS.len();
                events.extend(
                    all.map(|told| (told, ExpectedEvent::RoleChanged(number, user), false)),
                );
            }
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            let came_anew = self.membership_may_change(user, conversation);
            if before != after && after < Role::Owner && !set && !came_anew {
                return fail("a role changes without a request");
            }
            if before == after && !set {
                continue;
            }
            for told in 0..USERS.len() {
                let key = (told, conversation);
                let stays = self.before.participations.contains_key(&key)
                    && self.after.participations.contains_key(&key)
                    && !self.membership_may_change(told, conversation);
                let certain = before != after && stays && !came_anew;
                events.push((told, ExpectedEvent::RoleChanged(number, user), certain));
                events.push((told, ExpectedEvent::RoleChanged(number, user), false));
            }
        }
        Ok(())
    }

    pub(super) fn invitations(&self, events: &mut ExpectedEvents) -> Result<(), String> {
        for ((user, conversation), by) in &self.after.invitations {
            let Some((number, _)) = self.after.room_of(*conversation) else {
                return fail("an invitation to a room that is closed");
            };
            let before = self.before.invitations.get(&(*user, *conversation));
            if before == Some(by) {
                continue;
            }
            let requested = self.requests.iter().any(|request| match request.planned {
                PlannedRequest::Room(RoomRequest::Invite(room, invited)) => {
                    let right = if self.is_public(*conversation) {
                        Role::Member
                    } else {
                        Role::Operator
                    };
                    invited == *user
                        && *by == Some(request.user)
                        && self.may_be_named(room, *conversation)
                        && self.may_have_role(request.user, *conversation, right)
                }
                _ => false,
            });
            if !requested {
                return fail("an invitation without a permitted request");
            }
            if self
                .after
                .participations
                .contains_key(&(*user, *conversation))
            {
                return fail("a member is invited");
            }
            if let Some(by) = by {
                self.expect_invitation(*user, *by, number, events);
            }
        }
        self.check_ended_invitations(events)
    }

    /// Expects the event of an invitation, unless a block hides it.
    fn expect_invitation(&self, user: usize, by: usize, room: usize, events: &mut ExpectedEvents) {
        let blocks = (self.before.blocks(user, by), self.after.blocks(user, by));
        match blocks {
            (true, true) => {}
            (false, false) => events.push((user, ExpectedEvent::Invitation(room), true)),
            _ => events.push((user, ExpectedEvent::Invitation(room), false)),
        }
    }

    fn is_public(&self, conversation: Conversation) -> bool {
        let mut rooms = [self.before, self.after].into_iter();
        rooms.any(|committed| {
            let found = committed.room_of(conversation);
            found.is_some_and(|(_, room)| !room.private)
        })
    }

    /// An invitation ends when it is used, declined or withdrawn. One that came and went within the tick may have an
    /// event.
    fn check_ended_invitations(&self, events: &mut ExpectedEvents) -> Result<(), String> {
        for (user, conversation) in self.before.invitations.keys() {
            let key = (*user, *conversation);
            let is_there = self.after.invitations.contains_key(&key);
            if is_there || self.after.room_of(*conversation).is_none() {
                continue;
            }
            let own = self.has_request(*user, |planned| match planned {
                PlannedRequest::Room(RoomRequest::Decline(room)) | PlannedRequest::Join(room) => {
                    self.may_be_named(*room, *conversation)
                }
                PlannedRequest::People(PeopleRequest::Unblock(_)) => true,
                _ => false,
            });
            let banned = self.requests.iter().any(|request| {
                matches!(request.planned, PlannedRequest::Room(RoomRequest::Ban(room, of, _))
                    if of == *user && self.may_be_named(room, *conversation))
            });
            let came = self.may_join(*user, *conversation);
            let inviter = self.before.invitations[&key];
            let gone = self.was_deleted(*user) || inviter.is_some_and(|by| self.was_deleted(by));
            if !(own || banned || came || gone) {
                return fail("an invitation is gone");
            }
        }
        for request in self.requests {
            if let PlannedRequest::Room(RoomRequest::Invite(room, user)) = request.planned
                && !(self.before.blocks(user, request.user)
                    && self.after.blocks(user, request.user))
            {
                events.push((user, ExpectedEvent::Invitation(room), false));
            }
        }
        Ok(())
    }

    pub(super) fn bans(&self) -> Result<(), String> {
        for ((user, conversation), ban) in &self.after.bans {
            let before = self.before.bans.get(&(*user, *conversation));
            if before == Some(ban) {
                continue;
            }
            if !self.is_asked_for(*user, *conversation, ban) {
                return fail("a ban without a permitted request, or with another end");
            }
            let key = (*user, *conversation);
            let stays = self.after.participations.contains_key(&key)
                && !self.may_join(*user, *conversation);
            if stays && ban.holds(self.now.unix) {
                return fail("a member is banned, and stays");
            }
            if self.after.invitations.contains_key(&key) {
                return fail("a banned user is invited");
            }
        }
        for ((user, conversation), ban) in &self.before.bans {
            let is_there = self.after.bans.contains_key(&(*user, *conversation));
            let over = !ban.holds(self.now.unix)
                || self.after.room_of(*conversation).is_none()
                || self.was_deleted(*user);
            let lifted = self.may_be_allowed(*conversation, Role::Operator, |of| match of {
                RoomRequest::Unban(room, banned) if banned == user => Some(*room),
                _ => None,
            });
            if !is_there && !over && !lifted {
                return fail("a ban is gone before its time");
            }
        }
        Ok(())
    }

    fn is_asked_for(&self, user: usize, conversation: Conversation, ban: &Ban) -> bool {
        self.requests.iter().any(|request| match request.planned {
            PlannedRequest::Room(RoomRequest::Ban(room, banned, seconds)) => {
                let until = later(request.unix, seconds).map(u64::cast_signed);
                banned == user
                    && self.may_be_named(room, conversation)
                    && self.may_remove(request.user, user, conversation)
                    && ban.by.is_none_or(|by| by == request.user)
                    && until == ban.until
            }
            _ => false,
        })
    }

    /// Whether `by` may have had the right to remove `user`.
    pub(super) fn may_remove(&self, by: usize, user: usize, conversation: Conversation) -> bool {
        let roles =
            [self.before, self.after].map(|committed| committed.role_in(user, conversation));
        let least = roles.into_iter().min().flatten();
        let needed = if least >= Some(Role::Operator) {
            Role::Owner
        } else {
            Role::Operator
        };
        self.may_have_role(by, conversation, needed)
    }
}
