//! Rooms, roles, invitations and bans.

use super::{Spec, Verdict, refuse, room_names, user_names};
use crate::plan::{OfRoom, ROOMS, Role, Setting};
use crate::replies::Asked;
use crate::value::{dict, list, text, time};
use echat_proto::Value;
use std::collections::BTreeSet;

impl Spec<'_> {
    /// Whether a room answers to a user.
    pub(super) fn exists(&self, me: usize, room: usize) -> Verdict {
        refuse(!self.truth.answers(me, room), "unknown_room")
    }

    /// The role of a user who must be a member.
    pub(super) fn member(&self, me: usize, room: usize) -> Result<Role, &'static str> {
        self.exists(me, room)?;
        self.truth.role(me, room).ok_or("not_a_member")
    }

    fn operator(&self, me: usize, room: usize) -> Result<Role, &'static str> {
        let role = self.member(me, room)?;
        refuse(role < Role::Operator, "not_operator")?;
        Ok(role)
    }

    fn owner(&self, me: usize, room: usize) -> Verdict {
        let role = self.member(me, room)?;
        refuse(role != Role::Owner, "not_owner")
    }

    pub(super) fn create(&self, me: usize, room: usize, members: &[usize]) -> Verdict {
        let truth = self.truth;
        self.are_friends(me, members)?;
        refuse(truth.rooms.contains_key(&room), "room_exists")?;
        let all: BTreeSet<usize> = members.iter().copied().chain([me]).collect();
        refuse(all.len() > self.limits.room_members, "too_many")?;
        self.have_place(all)?;
        let rooms = truth.rooms.values();
        let owned = rooms.filter(|room| room.owner == Some(me)).count();
        refuse(owned >= self.limits.rooms, "too_many")
    }

    pub(super) fn join(&self, me: usize, room: usize) -> Verdict {
        let truth = self.truth;
        self.exists(me, room)?;
        refuse(truth.is_member(me, room), "already_member")?;
        refuse(truth.ban(me, room, self.now).is_some(), "banned")?;
        let full = truth.members(room).len() >= self.limits.room_members;
        refuse(full, "too_many")?;
        self.have_place(BTreeSet::from([me]))
    }

    pub(super) fn add(&self, me: usize, room: usize, members: &[usize]) -> Verdict {
        let truth = self.truth;
        self.owner(me, room)?;
        self.are_friends(me, members)?;
        let there = truth.members(room);
        let new = members.iter().copied();
        let new: BTreeSet<usize> = new.filter(|member| !there.contains(member)).collect();
        refuse(new.is_empty() && !members.is_empty(), "already_member")?;
        let conversation = truth.rooms[&room].conversation;
        let left = |member: &usize| truth.left.contains(&(*member, conversation));
        refuse(new.iter().any(left), "not_allowed")?;
        let banned = |member: &usize| truth.ban(*member, room, self.now).is_some();
        refuse(new.iter().any(banned), "banned")?;
        let full = there.len() + new.len() > self.limits.room_members;
        refuse(full, "too_many")?;
        self.have_place(new)
    }

    /// The caller among them is dropped.
    fn are_friends(&self, me: usize, members: &[usize]) -> Verdict {
        let stranger = |other: &usize| *other != me && !self.truth.are_friends(me, *other);
        refuse(members.iter().any(stranger), "not_friends")
    }

    fn have_place(&self, users: BTreeSet<usize>) -> Verdict {
        let full = |user: usize| self.truth.rooms_of(user).len() >= self.limits.rooms;
        refuse(users.into_iter().any(full), "too_many")
    }

    pub(super) fn of_room(&self, asked: &Asked, of: &OfRoom, me: usize) -> Verdict {
        let truth = self.truth;
        match of {
            OfRoom::Info(room) => self.exists(me, *room),
            OfRoom::Set(room, setting) => self.set(me, *room, *setting),
            OfRoom::Close(room) => self.owner(me, *room),
            OfRoom::Invite(room, user) => self.invite(me, *room, *user),
            OfRoom::Decline(room) => {
                self.exists(me, *room)?;
                refuse(!truth.is_invited(me, *room), "no_request")
            }
            OfRoom::Kick(room, user) => self.remove(me, *room, *user, true),
            OfRoom::Ban(room, user, seconds) => {
                self.lies_ahead(asked, *seconds)?;
                self.remove(me, *room, *user, false)
            }
            OfRoom::Unban(room, user) => {
                self.exists(me, *room)?;
                self.moderates(me, *room, *user)?;
                self.operator(me, *room).map(drop)
            }
            OfRoom::Bans(room) => self.operator(me, *room).map(drop),
            OfRoom::SetRole(room, user, role) => {
                self.owner(me, *room)?;
                refuse(!truth.is_member(*user, *room), "not_a_member")?;
                // An owner names another, and a bot has no role of its own.
                let stays = *user == me && *role != Role::Owner;
                let is_bot = truth.is_bot(*user) && *role != Role::Member;
                refuse(stays || is_bot, "not_allowed")
            }
            OfRoom::Public => Ok(()),
        }
    }

    fn set(&self, me: usize, room: usize, setting: Setting) -> Verdict {
        match setting {
            Setting::Topic(_) | Setting::ReadOnly(_) | Setting::Slow(_) => {
                self.operator(me, room).map(drop)
            }
            Setting::Private(_) | Setting::Keep(_) => self.owner(me, room),
            Setting::Name(new) => {
                self.owner(me, room)?;
                let taken = new != room && self.truth.rooms.contains_key(&new);
                refuse(taken, "room_exists")
            }
        }
    }

    fn invite(&self, me: usize, room: usize, user: usize) -> Verdict {
        let truth = self.truth;
        self.exists(me, room)?;
        self.askable(user)?;
        let role = self.member(me, room)?;
        let private = truth.rooms[&room].private;
        refuse(private && role < Role::Operator, "not_operator")?;
        refuse(truth.is_member(user, room), "already_member")?;
        refuse(truth.ban(user, room, self.now).is_some(), "banned")
    }

    /// Judges a KICK, of a member, or a BAN, of anyone.
    /// Whether a user is there for one who moderates a room: a bot also while it is banned.
    fn moderates(&self, me: usize, room: usize, user: usize) -> Verdict {
        match self.truth.ban(user, room, self.now) {
            Some(_) => self.there(user),
            None => self.known(me, user),
        }
    }

    fn remove(&self, me: usize, room: usize, user: usize, kick: bool) -> Verdict {
        let truth = self.truth;
        self.exists(me, room)?;
        self.moderates(me, room, user)?;
        let mine = self.operator(me, room)?;
        let theirs = truth.role(user, room);
        refuse(kick && theirs.is_none(), "not_a_member")?;
        let obeys = theirs < Some(Role::Operator) || mine == Role::Owner;
        refuse(user == me || !obeys, "not_operator")
    }

    /// What a room is, for a user.
    pub(crate) fn room(&self, room: usize, me: Option<usize>) -> Value {
        let truth = self.truth;
        let found = &truth.rooms[&room];
        let operators = truth.members(room).into_iter();
        let operators = operators.filter(|user| truth.role(*user, room) == Some(Role::Operator));
        let operators = user_names(operators, truth).into_iter().map(text);
        let owner = found.owner.map_or("", |owner| truth.name(owner));
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
        let role = me.and_then(|me| truth.role(me, room));
        entries.extend(role.map(|role| ("role", text(role.name()))));
        dict(entries)
    }

    pub(super) fn room_answer(&self, of: &OfRoom, me: usize) -> Option<Value> {
        match of {
            OfRoom::Info(room) => Some(self.room(*room, Some(me))),
            OfRoom::Bans(room) => Some(self.bans(*room)),
            OfRoom::Public => Some(self.public_rooms()),
            _ => None,
        }
    }

    fn public_rooms(&self) -> Value {
        let truth = self.truth;
        let public = truth.rooms.iter().filter(|(_, room)| !room.private);
        let names = room_names(public.map(|(number, _)| *number));
        let lines = names.into_iter().map(|name| {
            let rooms = ROOMS.iter().position(|room| *room == name);
            let room = &truth.rooms[&rooms.expect("a name of a room")];
            dict([
                ("roomname", text(name)),
                ("topic", text(&room.topic)),
                ("members", Value::Int(room.members)),
            ])
        });
        dict([("rooms", list(lines)), ("more", Value::Bool(false))])
    }

    /// The bans that hold, by name.
    fn bans(&self, room: usize) -> Value {
        let truth = self.truth;
        let users = truth.accounts.keys().copied();
        let banned = users.filter(|user| truth.ban(*user, room, self.now).is_some());
        let names = user_names(banned, truth);
        list(names.into_iter().map(|name| {
            let found = truth.ban(truth.named(name), room, self.now);
            let ban = found.expect("a ban that holds");
            let by = ban.by.map_or("", |by| truth.name(by));
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
        let truth = self.truth;
        let names = room_names(truth.rooms_of(me));
        list(names.into_iter().map(|name| {
            let number = ROOMS.iter().position(|room| *room == name);
            let number = number.expect("a name of a room");
            let room = &truth.rooms[&number];
            let owner = room.owner.map_or("", |owner| truth.name(owner));
            let role = truth.role(me, number).expect("a member").name();
            let (unread, mentions) = truth.unread(me, room.conversation, self.now);
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
