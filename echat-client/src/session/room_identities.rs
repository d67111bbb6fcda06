//! Which room a name stands for. A room can get another name, and another room can take the old one; the time at which
//! a room was created stays, and ROOM tells it.
//!
//! An unsent line keeps that time, in the file too. After a login `App::check_rooms` asks one room at a time, only for
//! rooms with unsent lines and for the open chat, and in search of a missing room only for rooms that are new. Chat and
//! lines follow a room with the same time; other lines are held. What was missed is asked for after that, so it arrives
//! under the present names.

use std::collections::{BTreeMap, BTreeSet};

use super::{NAMED, RequestContext, RoomUpdate, Session, Update};
use crate::target::Target;

/// Rooms whose identity is asked for after one login, at most, in search of one that has another name.
const SEARCHED: usize = 100;

/// What the server said of a room in this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomIdentity {
    /// It was not asked.
    Unasked,
    /// It does not say.
    Untold,
    /// The room was created at this unix second.
    Created(u64),
}

/// A room as something that was typed names it. The name may stand for another room when that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRoom {
    /// The name.
    pub name: String,
    /// When the room was created, if that is known.
    pub created: Option<u64>,
    /// When it was named, in unix seconds.
    pub named_at: u64,
}

impl NamedRoom {
    /// The room as a target.
    pub fn target(&self) -> Target {
        Target::Room(self.name.clone())
    }
}

/// Whether something that names a room may be sent in this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendDecision {
    /// It may be sent.
    Send,
    /// The server is asked first which room has the name.
    IdentifyRoom,
    /// It is not sent: the user is no member of the room, or another room has the name.
    Hold,
}

/// Which room each name stands for, and the rooms that the newest login has under no known name.
#[derive(Debug, Default)]
pub(super) struct RoomIdentities {
    /// When the reader's room of a name was created, as this connection told.
    known: BTreeMap<String, u64>,
    /// The same as the connection before told, until the rooms are checked.
    before: BTreeMap<String, u64>,
    /// What this connection told; `None`: the server does not say.
    told: BTreeMap<String, Option<u64>>,
    /// Rooms of the newest login that the one before did not have.
    new: BTreeSet<String>,
    /// Rooms that the newest login has not, or not under this name, and when they were created.
    missing: BTreeMap<String, u64>,
    /// How many rooms the search may still ask for.
    searches: usize,
}

impl RoomIdentities {
    /// A login: names may stand for other rooms. These rooms are `new`, and these are `gone` whose identity is known.
    fn at_login(&mut self, new: BTreeSet<String>, gone: impl Iterator<Item = String>) {
        self.told.clear();
        self.new = new;
        self.searches = SEARCHED;
        // The connection may have been lost again before the rooms were checked.
        self.before.append(&mut self.known);
        self.before.append(&mut self.missing);
        for room in gone {
            if let Some(created) = self.before.remove(&room) {
                self.missing.insert(room, created);
            }
        }
    }

    /// ROOM told when a room was created. Another room than before under a name that the reader knows is missed.
    pub(super) fn tell(&mut self, room: &str, created: u64, is_own: bool) {
        if is_own || self.told.len() < NAMED {
            self.told.insert(room.to_owned(), Some(created));
        }
        if !is_own {
            return;
        }
        self.known.insert(room.to_owned(), created);
        let before = self.before.remove(room);
        if let Some(before) = before.filter(|before| *before != created) {
            self.missing.insert(room.to_owned(), before);
        }
    }

    /// The server does not say when this room was created.
    pub(super) fn not_told(&mut self, room: &str) {
        self.told.insert(room.to_owned(), None);
    }

    /// The reader is a new member of a room, or no member any more: what is known of the name is void.
    pub(super) fn forget(&mut self, room: &str) {
        self.known.remove(room);
        self.before.remove(room);
        self.told.remove(room);
    }

    pub(super) fn rename(&mut self, was: &str, name: &str) {
        for map in [&mut self.known, &mut self.before] {
            if let Some(created) = map.remove(was) {
                map.insert(name.to_owned(), created);
            }
        }
        if let Some(told) = self.told.remove(was) {
            self.told.insert(name.to_owned(), told);
        }
    }
}

impl Session {
    /// When a room of the reader's was created, as it was last told.
    pub fn created(&self, target: &Target) -> Option<u64> {
        let room = Some(target.name()).filter(|_| target.is_room())?;
        let RoomIdentities {
            known,
            missing,
            before,
            ..
        } = &self.identities;
        let mut maps = [known, missing, before].into_iter();
        maps.find_map(|map| map.get(room)).copied()
    }

    /// The room of the reader's that a name stands for; `None` if the reader has none of that name.
    pub fn named_room(&self, name: &str, now: u64) -> Option<NamedRoom> {
        let target = Target::Room(name.to_owned());
        let is_own = self.has(&target) || self.is_unsettled(&target);
        is_own.then(|| NamedRoom {
            name: name.to_owned(),
            created: self.created(&target),
            named_at: now,
        })
    }

    /// Decides whether something that names a room may be sent. It is for the room that the name stood for: rooms are
    /// renamed and closed, and others take their names. If it is not known when that room was created, it is the room
    /// of that name, unless that was created later than the room was named.
    pub fn send_decision(&self, room: &NamedRoom) -> SendDecision {
        if !self.rooms.contains(&room.name) {
            return SendDecision::Hold;
        }
        let is_it = match (self.identity(&room.name), room.created) {
            (RoomIdentity::Unasked, _) => return SendDecision::IdentifyRoom,
            (RoomIdentity::Untold, created) => created.is_none(),
            (RoomIdentity::Created(told), Some(created)) => told == created,
            (RoomIdentity::Created(told), None) => told <= room.named_at,
        };
        if is_it {
            SendDecision::Send
        } else {
            SendDecision::Hold
        }
    }

    /// What the server said of a room in this connection.
    pub fn identity(&self, room: &str) -> RoomIdentity {
        match self.identities.told.get(room) {
            None => RoomIdentity::Unasked,
            Some(None) => RoomIdentity::Untold,
            Some(Some(created)) => RoomIdentity::Created(*created),
        }
    }

    /// Whether the server has another room, or none that it tells of, under this name.
    pub fn is_elsewhere(&self, room: &str, created: u64) -> bool {
        self.identity(room) != RoomIdentity::Created(created)
    }

    /// The new room that was created then, if it is the only one: rooms can be created in the same second.
    pub fn new_room_of(&self, created: u64) -> Option<&str> {
        let identities = &self.identities;
        let mut rooms = identities.new.intersection(&self.rooms).filter(|room| {
            let told = identities.told.get(*room);
            told == Some(&Some(created))
        });
        let room = rooms.next()?;
        rooms.next().is_none().then_some(room.as_str())
    }

    /// A new room of the reader's that was not asked for: it may be one that had another name.
    pub fn next_to_search(&mut self) -> Option<String> {
        let identities = &self.identities;
        let is_unasked = |room: &&String| !identities.told.contains_key(*room);
        let mut new = identities.new.intersection(&self.rooms);
        let room = new.find(is_unasked)?.clone();
        self.identities.searches = self.identities.searches.checked_sub(1)?;
        Some(room)
    }

    /// Whether it is not known yet, after the newest login, which room this name stands for.
    pub fn is_unsettled(&self, target: &Target) -> bool {
        self.is_missing(target)
            || (target.is_room() && self.identities.before.contains_key(target.name()))
    }

    /// Whether the newest login has not this room, and it is not known yet what became of it.
    pub fn is_missing(&self, target: &Target) -> bool {
        target.is_room() && self.identities.missing.contains_key(target.name())
    }

    /// The rooms that the newest login does not have under the name known before, and when they were created.
    pub fn missing_rooms(&self) -> impl Iterator<Item = (&str, u64)> {
        let missing = self.identities.missing.iter();
        missing.map(|(room, created)| (room.as_str(), *created))
    }

    /// A missing room has this name now. Its chat stays.
    pub fn found_room(&mut self, was: &str, name: &str) -> Update {
        self.identities.missing.remove(was);
        if !self.rooms.contains(was) {
            self.identities.told.remove(was);
            self.move_conversation(was, name);
        }
        Update::Room(RoomUpdate::Renamed {
            was: was.to_owned(),
            room: name.to_owned(),
        })
    }

    /// The missing rooms are not found: the reader is no member any more, or cannot know it.
    pub fn lose_missing_rooms(&mut self) -> Vec<Update> {
        let missing = std::mem::take(&mut self.identities.missing);
        self.identities.before.clear();
        let lost = missing.into_iter().map(|(room, created)| {
            let update = if self.rooms.contains(&room) {
                RoomUpdate::Replaced { room }
            } else {
                let still_there = match self.identity(&room) {
                    RoomIdentity::Created(told) => Some(told == created),
                    RoomIdentity::Untold => Some(false),
                    RoomIdentity::Unasked => None,
                };
                self.leave(&room);
                RoomUpdate::Lost { room, still_there }
            };
            Update::Room(update)
        });
        lost.collect()
    }

    /// Takes over the rooms of a login.
    pub(super) fn replace_rooms(&mut self, rooms: BTreeSet<String>, updates: &mut Vec<Update>) {
        let gone: Vec<String> = self.rooms.difference(&rooms).cloned().collect();
        let new = rooms.difference(&self.rooms).cloned().collect();
        self.rooms = rooms;
        let identities = &self.identities;
        let is_known = |room: &&String| {
            identities.known.contains_key(*room) || identities.before.contains_key(*room)
        };
        let (missing, lost): (Vec<_>, Vec<_>) = gone.iter().partition(is_known);
        let (missing, lost): (Vec<String>, Vec<String>) = (
            missing.into_iter().cloned().collect(),
            lost.into_iter().cloned().collect(),
        );
        self.identities.at_login(new, missing.into_iter());
        for room in lost {
            self.leave(&room);
            let still_there = None;
            updates.push(Update::Room(RoomUpdate::Lost { room, still_there }));
        }
    }

    /// What was asked for of a room.
    pub(super) fn learn_identity(&mut self, asked: &RequestContext) {
        if let RequestContext::Identify { room } = asked
            && self.identity(room) == RoomIdentity::Unasked
        {
            self.identities.not_told(room);
        }
    }
}
