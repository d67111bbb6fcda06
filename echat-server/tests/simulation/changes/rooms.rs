//! Rooms, roles, invitations and bans.

use super::{Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{OfPeople, OfRoom, PlannedRequest, ROOMS, Role, Setting, USERS};
use crate::request::later;
use crate::truth::Conversation;
use crate::truth::rooms::{Ban, Room};

impl Changes<'_> {
    pub(super) fn rooms(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        for (number, before) in &self.before.rooms {
            match self.after.room_of(before.conversation) {
                Some((name, after)) => {
                    self.changed(*number, before, name, after, dues)?;
                    self.owner(before, after, facts)?;
                    self.roles(*number, before.conversation, dues)?;
                }
                None => self.closed(*number, before, dues)?,
            }
        }
        for (number, room) in &self.after.rooms {
            if self.before.room_of(room.conversation).is_none() {
                self.opened(*number, room)?;
                self.told_at_once(room, dues);
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
                return fail("an owner who is no member");
            }
        }
        Ok(())
    }

    fn opened(&self, number: usize, room: &Room) -> Result<(), String> {
        let made = self.asked.iter().any(|ask| match &ask.planned {
            PlannedRequest::Create(of, _, private) => {
                self.means(*of, room.conversation)
                    && (*private == room.private || self.sets(room.conversation))
                    && (room.owner == Some(ask.user) || self.may_leave(ask.user, room.conversation))
            }
            _ => false,
        });
        if made {
            Ok(())
        } else {
            fail(&format!("room {number} without a request"))
        }
    }

    /// What may have been told of a room that is new, and changed at once.
    fn told_at_once(&self, room: &Room, dues: &mut Dues) {
        if !self.sets(room.conversation) {
            return;
        }
        for user in 0..USERS.len() {
            for name in 0..ROOMS.len() {
                dues.push((user, Due::Changed(name), false));
                dues.push((user, Due::Room(name), false));
            }
        }
    }

    /// Whether a field of a room may have been set in this tick.
    fn sets(&self, conversation: Conversation) -> bool {
        self.settings(conversation) > 0
    }

    /// How many fields of a room may have been set in this tick, each with an event of its own.
    fn settings(&self, conversation: Conversation) -> usize {
        let set = self.asked.iter().filter(|ask| {
            matches!(&ask.planned, PlannedRequest::Room(OfRoom::Set(room, _)) if self.means(*room, conversation))
        });
        set.count()
    }

    /// A room closes by its owner's will, or with its last member.
    fn closed(&self, number: usize, room: &Room, dues: &mut Dues) -> Result<(), String> {
        let conversation = room.conversation;
        let by_owner = self.by_right(conversation, Role::Owner, |of| match of {
            OfRoom::Close(room) => Some(*room),
            _ => None,
        });
        let members = self.before.members(number);
        let mut stayed = members
            .iter()
            .filter(|member| !self.leaves(**member, conversation));
        if !by_owner && stayed.next().is_some() {
            return fail("a room is closed without its owner's will");
        }
        for member in members.iter().copied() {
            // What was changed before it was closed was told, too.
            dues.push((member, Due::Changed(number), false));
            let others = members.iter();
            dues.extend(others.map(|other| (member, Due::Role(number, *other), false)));
            let alone = !self.may_leave_alone(member, conversation);
            dues.push((member, Due::Closed(number), by_owner && alone));
        }
        Ok(())
    }

    fn changed(
        &self,
        number: usize,
        before: &Room,
        name: usize,
        after: &Room,
        dues: &mut Dues,
    ) -> Result<(), String> {
        let conversation = before.conversation;
        let asked = |role: Role, fits: &dyn Fn(&Setting) -> bool| {
            self.by_right(conversation, role, |of| match of {
                OfRoom::Set(room, setting) if fits(setting) => Some(*room),
                _ => None,
            })
        };
        let mut changed = false;
        let mut judge = |differs: bool, role: Role, fits: &dyn Fn(&Setting) -> bool| {
            changed |= differs;
            if differs && !asked(role, fits) {
                return fail("a room is changed by a user who may not, or by none");
            }
            Ok(())
        };
        judge(number != name, Role::Owner, &|set| {
            *set == Setting::Name(name)
        })?;
        judge(before.topic != after.topic, Role::Operator, &|set| {
            matches!(set, Setting::Topic(_))
        })?;
        judge(before.private != after.private, Role::Owner, &|set| {
            *set == Setting::Private(after.private)
        })?;
        judge(
            before.read_only != after.read_only,
            Role::Operator,
            &|set| *set == Setting::ReadOnly(after.read_only),
        )?;
        judge(
            before.slow_seconds != after.slow_seconds,
            Role::Operator,
            &|set| matches!(set, Setting::Slow(_)),
        )?;
        judge(before.keep_days != after.keep_days, Role::Owner, &|set| {
            matches!(set, Setting::Keep(_))
        })?;
        for user in 0..USERS.len() {
            let place = (user, conversation);
            let stays = self.before.seats.contains_key(&place)
                && self.after.seats.contains_key(&place)
                && !self.moves(user, conversation);
            if changed || self.sets(conversation) {
                dues.push((user, Due::Changed(number), changed && stays));
                dues.push((user, Due::Changed(name), false));
                // Others were set before the one that is told for sure.
                let more = self.settings(conversation).saturating_sub(1);
                dues.extend((0..more).map(|_| (user, Due::Changed(number), false)));
            }
            // Clients that know no other names are told to leave one room and that they are in another.
            if number != name {
                dues.push((user, Due::Room(name), false));
            }
        }
        Ok(())
    }

    /// The owner hands the room over, or goes: then the operator, else the member, that came first has it.
    fn owner(&self, before: &Room, after: &Room, facts: &mut Facts) -> Result<(), String> {
        if before.owner == after.owner {
            return Ok(());
        }
        let conversation = before.conversation;
        let handed = self.by_right(conversation, Role::Owner, |of| match of {
            OfRoom::SetRole(room, to, Role::Owner) if Some(*to) == after.owner => Some(*room),
            _ => None,
        });
        let gone = before
            .owner
            .is_some_and(|owner| self.may_leave(owner, conversation));
        if handed {
            return Ok(());
        }
        if !gone {
            return fail("a room has another owner, whom no owner named");
        }
        facts.meet("a room that passed on".to_owned());
        let still = !self.asked.iter().any(|ask| {
            let about = matches!(ask.planned, PlannedRequest::Room(_));
            about || Some(ask.user) != before.owner && self.may_leave(ask.user, conversation)
        });
        let (number, _) = self.before.room_of(conversation).expect("it was there");
        let goes = |user: usize| {
            let stays = self.after.seats.contains_key(&(user, conversation));
            !stays || before.owner == Some(user) || self.after.is_bot(user)
        };
        if still && self.before.successor(number, goes) != after.owner {
            return fail("a room passes to another than the one who was there longest");
        }
        Ok(())
    }

    /// Roles of members who stay change by the owner's will, and with the owner.
    fn roles(
        &self,
        number: usize,
        conversation: Conversation,
        dues: &mut Dues,
    ) -> Result<(), String> {
        for user in 0..USERS.len() {
            let before = self.before.role_in(user, conversation);
            let after = self.after.role_in(user, conversation);
            // A user who has just come may have the room already. One who has just left may have had it in between, also one
            // who left and came back.
            let may_have_had_it = before.is_some() && self.may_leave(user, conversation);
            if may_have_had_it || before.is_none() && after == Some(Role::Owner) {
                let all = 0..USERS.len();
                dues.extend(all.map(|told| (told, Due::Role(number, user), false)));
            }
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            let set = self.by_right(conversation, Role::Owner, |of| match of {
                OfRoom::SetRole(room, to, role) if *to == user || *role == Role::Owner => {
                    Some(*room)
                }
                _ => None,
            });
            let came_anew = self.moves(user, conversation);
            if before != after && after < Role::Owner && !set && !came_anew {
                return fail("a member has another role, which no owner gave");
            }
            if before == after && !set {
                continue;
            }
            for told in 0..USERS.len() {
                let place = (told, conversation);
                let stays = self.before.seats.contains_key(&place)
                    && self.after.seats.contains_key(&place)
                    && !self.moves(told, conversation);
                let surely = before != after && stays && !came_anew;
                dues.push((told, Due::Role(number, user), surely));
                dues.push((told, Due::Role(number, user), false));
            }
        }
        Ok(())
    }

    pub(super) fn invitations(&self, dues: &mut Dues) -> Result<(), String> {
        for ((user, conversation), by) in &self.after.invitations {
            let Some((number, _)) = self.after.room_of(*conversation) else {
                return fail("an invitation to a room that is closed");
            };
            let before = self.before.invitations.get(&(*user, *conversation));
            if before == Some(by) {
                continue;
            }
            let asked = self.asked.iter().any(|ask| match ask.planned {
                PlannedRequest::Room(OfRoom::Invite(room, invited)) => {
                    let right = if self.is_public(*conversation) {
                        Role::Member
                    } else {
                        Role::Operator
                    };
                    invited == *user
                        && *by == Some(ask.user)
                        && self.means(room, *conversation)
                        && self.had(ask.user, *conversation, right)
                }
                _ => false,
            });
            if !asked {
                return fail("an invitation by a user who may not invite, or by none");
            }
            if self.after.seats.contains_key(&(*user, *conversation)) {
                return fail("a member is invited");
            }
            if let Some(by) = by {
                self.invited(*user, *by, number, dues);
            }
        }
        self.uninvited(dues)
    }

    /// Notes that an invitation is due, unless a block hides it.
    fn invited(&self, user: usize, by: usize, room: usize, dues: &mut Dues) {
        let blocks = (self.before.blocks(user, by), self.after.blocks(user, by));
        match blocks {
            (true, true) => {}
            (false, false) => dues.push((user, Due::Invited(room), true)),
            _ => dues.push((user, Due::Invited(room), false)),
        }
    }

    fn is_public(&self, conversation: Conversation) -> bool {
        let mut rooms = [self.before, self.after].into_iter();
        rooms.any(|truth| {
            let found = truth.room_of(conversation);
            found.is_some_and(|(_, room)| !room.private)
        })
    }

    /// Invitations end when they are used, declined or withdrawn; those that came and went are told, perhaps.
    fn uninvited(&self, dues: &mut Dues) -> Result<(), String> {
        for (user, conversation) in self.before.invitations.keys() {
            let place = (*user, *conversation);
            let is_there = self.after.invitations.contains_key(&place);
            if is_there || self.after.room_of(*conversation).is_none() {
                continue;
            }
            let own = self.was_asked(*user, |planned| match planned {
                PlannedRequest::Room(OfRoom::Decline(room)) | PlannedRequest::Join(room) => {
                    self.means(*room, *conversation)
                }
                PlannedRequest::People(OfPeople::Unblock(_)) => true,
                _ => false,
            });
            let banned = self.asked.iter().any(|ask| {
                matches!(ask.planned, PlannedRequest::Room(OfRoom::Ban(room, of, _))
                    if of == *user && self.means(room, *conversation))
            });
            let came = self.may_come(*user, *conversation);
            let inviter = self.before.invitations[&place];
            let gone = self.is_gone(*user) || inviter.is_some_and(|by| self.is_gone(by));
            if !(own || banned || came || gone) {
                return fail("an invitation is gone");
            }
        }
        for ask in self.asked {
            if let PlannedRequest::Room(OfRoom::Invite(room, user)) = ask.planned
                && !(self.before.blocks(user, ask.user) && self.after.blocks(user, ask.user))
            {
                dues.push((user, Due::Invited(room), false));
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
                return fail("a ban by a user who may not ban, or by none, or until another time");
            }
            let place = (*user, *conversation);
            let stays =
                self.after.seats.contains_key(&place) && !self.may_come(*user, *conversation);
            if stays && ban.holds(self.now.unix) {
                return fail("a member is banned, and stays");
            }
            if self.after.invitations.contains_key(&place) {
                return fail("a banned user is invited");
            }
        }
        for ((user, conversation), ban) in &self.before.bans {
            let is_there = self.after.bans.contains_key(&(*user, *conversation));
            let over = !ban.holds(self.now.unix)
                || self.after.room_of(*conversation).is_none()
                || self.is_gone(*user);
            let lifted = self.by_right(*conversation, Role::Operator, |of| match of {
                OfRoom::Unban(room, banned) if banned == user => Some(*room),
                _ => None,
            });
            if !is_there && !over && !lifted {
                return fail("a ban is gone before its time");
            }
        }
        Ok(())
    }

    fn is_asked_for(&self, user: usize, conversation: Conversation, ban: &Ban) -> bool {
        self.asked.iter().any(|ask| match ask.planned {
            PlannedRequest::Room(OfRoom::Ban(room, banned, seconds)) => {
                let until = later(ask.unix, seconds).map(u64::cast_signed);
                banned == user
                    && self.means(room, conversation)
                    && self.removes(ask.user, user, conversation)
                    && ban.by.is_none_or(|by| by == ask.user)
                    && until == ban.until
            }
            _ => false,
        })
    }

    /// Whether a user may have had the right to remove another.
    pub(super) fn removes(&self, by: usize, user: usize, conversation: Conversation) -> bool {
        let roles = [self.before, self.after].map(|truth| truth.role_in(user, conversation));
        let least = roles.into_iter().min().flatten();
        let needed = if least >= Some(Role::Operator) {
            Role::Owner
        } else {
            Role::Operator
        };
        self.had(by, conversation, needed)
    }
}
