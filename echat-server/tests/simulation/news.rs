//! What a client believes of the events about people and rooms.

use crate::client::{Client, Due};
use crate::fail;
use crate::plan::{OfPeople, OfRoom, PlannedRequest};
use crate::value::Params;
use std::collections::BTreeMap;

impl Client {
    /// Takes an event about people, rooms or messages, with a number from 140 on.
    pub(crate) fn news(&mut self, command: u32, params: Params<'_>) -> Result<(), String> {
        match command {
            140 => Ok(()),
            141 => self.is_away(params),
            142 => self.parted(params.truth.named(params.text()?)),
            143 => self.room_changed(params),
            144 => {
                let room = params.room("roomname")?;
                self.owed(Due::Closed(room))?;
                self.goes(room);
                self.told_rooms.remove(&room);
                Ok(())
            }
            145 => {
                let room = params.room("roomname")?;
                let by = params.has("by").then(|| params.user("by")).transpose()?;
                self.invitations.insert(room, by);
                self.owed(Due::Invited(room))
            }
            146 => self.removed(params),
            147 => {
                let (room, member) = (params.room("roomname")?, params.user("membername")?);
                self.owed(Due::Role(room, member))
            }
            149 => self.owed(Due::Read(params.target()?)),
            150 => self.request_changed(params),
            152 => self.self_changed(params),
            _ => fail("this is no event"),
        }
    }

    fn is_away(&mut self, params: Params<'_>) -> Result<(), String> {
        let user = params.user("username")?;
        if self.friends.contains(&user) {
            match params.at("text")?.text() {
                Ok(text) => self.away.insert(user, text.to_owned()),
                Err(_) => self.away.remove(&user),
            };
            return Ok(());
        }
        // A member of a room that both are in, or were when it was told.
        if self.rooms.is_empty() {
            return fail("told of the absence of a stranger");
        }
        Ok(())
    }

    fn parted(&mut self, friend: usize) -> Result<(), String> {
        self.owed(Due::Parted(friend))?;
        self.online.remove(&friend);
        self.away.remove(&friend);
        if self.friends.remove(&friend) {
            Ok(())
        } else {
            fail("a friend is gone who was none")
        }
    }

    fn room_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        let was = params.room("was")?;
        let told = params.at("room")?;
        let now = told.room("roomname")?;
        self.owed(Due::Changed(was))?;
        if !self.rooms.contains_key(&was) && !self.rooms.contains_key(&now) {
            return fail("told of a room that one is not in");
        }
        self.renamed(was, now);
        self.told_rooms.insert(now, told.all.clone());
        if told.has("role") {
            return fail("members are told a role of nobody");
        }
        Ok(())
    }

    /// A room has another name.
    fn renamed(&mut self, was: usize, now: usize) {
        if was == now {
            return;
        }
        if let Some(members) = self.rooms.remove(&was) {
            self.rooms.insert(now, members);
            self.removed_from.insert(was);
            self.renamed_to.insert(now);
        }
        if let Some(listed) = self.listed.remove(&was) {
            self.listed.insert(now, listed);
        }
        self.told_rooms.remove(&was);
    }

    fn removed(&mut self, params: Params<'_>) -> Result<(), String> {
        let (room, member) = (params.room("roomname")?, params.user("membername")?);
        self.owed(Due::Removed(room, member))?;
        if self.user == Some(member) {
            self.goes(room);
            return Ok(());
        }
        if self.rooms.contains_key(&room) {
            Ok(())
        } else {
            fail("told of a removal from a room that one is not in")
        }
    }

    /// One is no member any more; ON_MEMBER_OFFLINE says so too.
    fn goes(&mut self, room: usize) {
        if self.rooms.remove(&room).is_some() {
            self.removed_from.insert(room);
        }
    }

    fn request_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        let user = params.user("username")?;
        match params.at("state")?.text()? {
            "sent" => Ok(()),
            "accepted" | "declined" => {
                self.pending.remove(&user);
                Ok(())
            }
            other => fail(&format!("a request cannot be {other}")),
        }
    }

    fn self_changed(&mut self, params: Params<'_>) -> Result<(), String> {
        if params.has("blocked") {
            self.blocked = params.users("blocked")?;
            let blocked = &self.blocked;
            self.pending.retain(|sender| !blocked.contains(sender));
        }
        if params.has("invitations") {
            self.invitations = invitations(params.at("invitations")?)?;
        }
        Ok(())
    }

    /// What a request of this client's own brought about, as its reply says.
    pub(crate) fn did(&mut self, planned: &PlannedRequest) {
        match planned {
            PlannedRequest::Resolve(user, _) => {
                self.pending.remove(user);
            }
            PlannedRequest::People(OfPeople::Block(user)) => {
                self.blocked.insert(*user);
                self.pending.remove(user);
                self.invitations.retain(|_, by| *by != Some(*user));
            }
            PlannedRequest::People(OfPeople::Unblock(user)) => {
                self.blocked.remove(user);
            }
            PlannedRequest::Room(OfRoom::Decline(room)) => {
                self.invitations.remove(room);
            }
            PlannedRequest::Room(OfRoom::Close(room)) => {
                self.rooms.remove(room);
            }
            _ => {}
        }
    }
}

/// Rooms that one is invited to, and the inviters.
pub(crate) fn invitations(told: Params<'_>) -> Result<BTreeMap<usize, Option<usize>>, String> {
    let line = |line: Params<'_>| {
        let by = line.has("by").then(|| line.user("by")).transpose()?;
        Ok((line.room("roomname")?, by))
    };
    told.items()?.map(line).collect()
}
