//! The expected replies about rooms, roles, invitations and bans.

use super::{Expectation, Model, refuse, room_names, user_names};
use crate::plan::{ROOMS, Role, RoomRequest, Setting};
use crate::replies::PendingRequest;
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use std::collections::BTreeSet;

impl Model<'_> {
    /// Whether a room exists for a user.
    pub(super) fn room_exists(&self, me: usize, room: usize) -> Expectation {
        refuse(!self.committed.can_see_room(me, room), "unknown_room")
    }

    /// The role of a user who must be a member.
    pub(super) fn member(&self, me: usize, room: usize) -> Result<Role, &'static str> {
        self.room_exists(me, room)?;
        self.committed.role(me, room).ok_or("not_a_member")
    }

    fn operator(&self, me: usize, room: usize) -> Result<Role, &'static str> {
        let role = self.member(me, room)?;
        refuse(role < Role::Operator, "not_operator")?;
        Ok(role)
    }

    fn owner(&self, me: usize, room: usize) -> Expectation {
        let role = self.member(me, room)?;
        refuse(role != Role::Owner, "not_owner")
    }

    pub(super) fn create(&self, me: usize, room: usize, members: &[usize]) -> Expectation {
        let committed = self.committed;
        self.are_friends(me, members)?;
        refuse(committed.rooms.contains_key(&room), "room_exists")?;
        let all: BTreeSet<usize> = members.iter().copied().chain([me]).collect();
        refuse(all.len() > self.limits.room_members, "too_many")?;
        self.have_room_left(all)?;
        let rooms = committed.rooms.values();
        let owned = rooms.filter(|room| room.owner == Some(me)).count();
        refuse(owned >= self.limits.rooms, "too_many")
    }

    pub(super) fn join(&self, me: usize, room: usize) -> Expectation {
        let committed = self.committed;
        self.room_exists(me, room)?;
        refuse(committed.is_member(me, room), "already_member")?;
        refuse(committed.ban(me, room, self.now).is_some(), "banned")?;
        let full = committed.members(room).len() >= self.limits.room_members;
        refuse(full, "too_many")?;
        self.have_room_left(BTreeSet::from([me]))
    }

    pub(super) fn add(&self, me: usize, room: usize, members: &[usize]) -> Expectation {
        let committed = self.committed;
        self.owner(me, room)?;
        self.are_friends(me, members)?;
        let there = committed.members(room);
        let new = members.iter().copied();
        let new: BTreeSet<usize> = new.filter(|member| !there.contains(member)).collect();
        refuse(new.is_empty() && !members.is_empty(), "already_member")?;
        let conversation = committed.rooms[&room].conversation;
        let left = |member: &usize| committed.left.contains(&(*member, conversation));
        refuse(new.iter().any(left), "not_allowed")?;
        let banned = |member: &usize| committed.ban(*member, room, self.now).is_some();
        refuse(new.iter().any(banned), "banned")?;
        let full = there.len() + new.len() > self.limits.room_members;
        refuse(full, "too_many")?;
        self.have_room_left(new)
    }

    /// The caller is ignored in the list.
    fn are_friends(&self, me: usize, members: &[usize]) -> Expectation {
        let stranger = |other: &usize| *other != me && !self.committed.are_friends(me, *other);
        refuse(members.iter().any(stranger), "not_friends")
    }

    fn have_room_left(&self, users: BTreeSet<usize>) -> Expectation {
        let full = |user: usize| self.committed.rooms_of(user).len() >= self.limits.rooms;
        refuse(users.into_iter().any(full), "too_many")
    }

    pub(super) fn room_request(
        &self,
        pending: &PendingRequest,
        of: &RoomRequest,
        me: usize,
    ) -> Expectation {
        let committed = self.committed;
        match of {
            RoomRequest::Info(room) => self.room_exists(me, *room),
            RoomRequest::Set(room, setting) => self.set(me, *room, *setting),
            RoomRequest::Close(room) => self.owner(me, *room),
            RoomRequest::Invite(room, user) => self.invite(me, *room, *user),
            RoomRequest::Decline(room) => {
                self.room_exists(me, *room)?;
                refuse(!committed.is_invited(me, *room), "no_request")
            }
            RoomRequest::Kick(room, user) => self.remove(me, *room, *user, true),
            RoomRequest::Ban(room, user, seconds) => {
                self.must_be_future(pending, *seconds)?;
                self.remove(me, *room, *user, false)
            }
            RoomRequest::Unban(room, user) => {
                self.room_exists(me, *room)?;
                self.moderates(me, *room, *user)?;
                self.operator(me, *room).map(drop)
            }
            RoomRequest::Bans(room) => self.operator(me, *room).map(drop),
            RoomRequest::SetRole(room, user, role) => {
                self.owner(me, *room)?;
                refuse(!committed.is_member(*user, *room), "not_a_member")?;
                // An owner has to name another owner first. A bot cannot have a role.
                let stays = *user == me && *role != Role::Owner;
                let is_bot = committed.is_bot(*user) && *role != Role::Member;
                refuse(stays || is_bot, "not_allowed")
            }
            RoomRequest::Public => Ok(()),
        }
    }

    fn set(&self, me: usize, room: usize, setting: Setting) -> Expectation {
        match setting {
            Setting::Topic(_) | Setting::ReadOnly(_) | Setting::Slow(_) => {
                self.operator(me, room).map(drop)
            }
            Setting::Private(_) | Setting::Keep(_) => self.owner(me, room),
            Setting::Name(new) => {
                self.owner(me, room)?;
                let taken = new != room && self.committed.rooms.contains_key(&new);
                refuse(taken, "room_exists")
            }
        }
    }

    fn invite(&self, me: usize, room: usize, user: usize) -> Expectation {
        let committed = self.committed;
        self.room_exists(me, room)?;
        self.can_be_invited(user)?;
        let role = self.member(me, room)?;
        let private = committed.rooms[&room].private;
        refuse(private && role < Role::Operator, "not_operator")?;
        refuse(committed.is_member(user, room), "already_member")?;
        refuse(committed.ban(user, room, self.now).is_some(), "banned")
    }

    /// Whether a user exists for a member who moderates the room. A banned bot does.
    fn moderates(&self, me: usize, room: usize, user: usize) -> Expectation {
        match self.committed.ban(user, room, self.now) {
            Some(_) => self.user_exists(user),
            None => self.user_visible(me, user),
        }
    }

    /// Whether a KICK of a member, or a BAN of any user, is refused.
    fn remove(&self, me: usize, room: usize, user: usize, kick: bool) -> Expectation {
        let committed = self.committed;
        self.room_exists(me, room)?;
        self.moderates(me, room, user)?;
        let mine = self.operator(me, room)?;
        let theirs = committed.role(user, room);
        refuse(kick && theirs.is_none(), "not_a_member")?;
        let obeys = theirs < Some(Role::Operator) || mine == Role::Owner;
        refuse(user == me || !obeys, "not_operator")
    }

    /// The properties of a room, as a user receives them.
    pub(crate) fn room(&self, room: usize, me: Option<usize>) -> Value {
        let committed = self.committed;
        let found = &committed.rooms[&room];
        let operators = committed.members(room).into_iter();
        let operators =
            operators.filter(|user| committed.role(*user, room) == Some(Role::Operator));
        let operators = user_names(operators, committed).into_iter().map(text);
        let owner = found.owner.map_or("", |owner| committed.name(owner));
        let mut entries = vec![
            ("roomname", text(ROOMS[room])),
            ("topic", text(&found.topic)),
            ("owner", text(owner)),
            ("operators", list(operators)),
            ("private", Value::Bool(found.private)),
            ("read_only", Value::Bool(found.read_only)),
            ("slow_seconds", Value::Int(found.slow_seconds)),
            ("members", Value::Int(found.members)),
            ("created", time(found.created)),
        ];
        entries.extend(found.keep_days.map(|days| ("keep_days", Value::Int(days))));
        let role = me.and_then(|me| committed.role(me, room));
        entries.extend(role.map(|role| ("role", text(role.name()))));
        dict(entries)
    }

    pub(super) fn room_answer(&self, of: &RoomRequest, me: usize) -> Option<Value> {
        match of {
            RoomRequest::Info(room) => Some(self.room(*room, Some(me))),
            RoomRequest::Bans(room) => Some(self.bans(*room)),
            RoomRequest::Public => Some(self.public_rooms()),
            _ => None,
        }
    }

    fn public_rooms(&self) -> Value {
        let committed = self.committed;
        let public = committed.rooms.iter().filter(|(_, room)| !room.private);
        let names = room_names(public.map(|(number, _)| *number));
        let lines = names.into_iter().map(|name| {
            let rooms = ROOMS.iter().position(|room| *room == name);
            let room = &committed.rooms[&rooms.expect("a name of a room")];
            dict([
                ("roomname", text(name)),
                ("topic", text(&room.topic)),
                ("members", Value::Int(room.members)),
            ])
        });
        dict([("rooms", list(lines)), ("more", Value::Bool(false))])
    }

    /// The active bans, by name.
    fn bans(&self, room: usize) -> Value {
        let committed = self.committed;
        let users = committed.accounts.keys().copied();
        let banned = users.filter(|user| committed.ban(*user, room, self.now).is_some());
        let names = user_names(banned, committed);
        list(names.into_iter().map(|name| {
            let found = committed.ban(committed.user_named(name), room, self.now);
            let ban = found.expect("a ban that holds");
            let by = ban.by.map_or("", |by| committed.name(by));
            let mut entries = vec![
                ("username", text(name)),
                ("by", text(by)),
                ("at", time(ban.at)),
            ];
            entries.extend(ban.until.map(|until| ("until", time(until))));
            entries.extend(ban.reason.as_ref().map(|reason| ("reason", text(reason))));
            dict(entries)
        }))
    }

    /// The rooms of a user, by name.
    pub(super) fn own_rooms(&self, me: usize) -> Value {
        let committed = self.committed;
        let names = room_names(committed.rooms_of(me));
        list(names.into_iter().map(|name| {
            let number = ROOMS.iter().position(|room| *room == name);
            let number = number.expect("a name of a room");
            let room = &committed.rooms[&number];
            let owner = room.owner.map_or("", |owner| committed.name(owner));
            let role = committed.role(me, number).expect("a member").name();
            let (unread, mentions) = committed.unread(me, room.conversation, self.now);
            dict([
                ("roomname", text(name)),
                ("members", Value::Int(room.members)),
                ("owner", text(owner)),
                ("unread", Value::Int(unread)),
                ("mentions", Value::Int(mentions)),
                ("topic", text(&room.topic)),
                ("private", Value::Bool(room.private)),
                ("role", text(role)),
            ])
        }))
    }
}
