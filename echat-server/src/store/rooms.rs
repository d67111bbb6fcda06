//! Rooms, and who is in a conversation.

use echat_proto::names::RoomName;
use rusqlite::params;

use super::accounts::user;
use super::{Batch, ConversationId, Kind, StoreError, User, UserId};

/// A room as those see it who ask for it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// Who made it; stays the owner after leaving it.
    pub owner: UserId,
    /// The owner's name.
    pub owner_name: String,
}

/// One of a user's own rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// How many members it has.
    pub members: u64,
    /// The owner's name.
    pub owner_name: String,
    /// Messages of others after the user's read marker, at most
    /// [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u64,
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub user: User,
    /// Whether the room is theirs.
    pub owner: bool,
}

/// A room that a user is in, as far as presence needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// How many members it has.
    pub members: u64,
}

impl Batch<'_> {
    /// The room of this name in its stored form.
    pub fn find_room(&self, key: &str) -> Result<Option<Room>, StoreError> {
        self.first(
            "SELECT r.id, r.name, r.owner, u.name FROM rooms AS r
             CROSS JOIN users AS u ON u.id = r.owner WHERE r.name = ?1",
            [key],
            |row| {
                let (id, name) = (row.get(0)?, row.get(1)?);
                Ok(Room {
                    id,
                    name,
                    owner: row.get(2)?,
                    owner_name: row.get(3)?,
                })
            },
        )
    }

    /// The first `limit` rooms by name: name, owner, members.
    pub fn rooms(&self, limit: u32) -> Result<Vec<(String, String, u64)>, StoreError> {
        self.all(
            "SELECT r.name, u.name, r.members FROM rooms AS r
             CROSS JOIN users AS u ON u.id = r.owner ORDER BY r.name LIMIT ?1",
            [limit],
            |row| {
                let members: i64 = row.get(2)?;
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    u64::try_from(members).unwrap_or(0),
                ))
            },
        )
    }

    /// Goes through the newest rooms, at most so many, until `each` says false of an owner and the time at
    /// which the room was made.
    pub fn newest_rooms(
        &self,
        most: u32,
        mut each: impl FnMut(UserId, i64) -> bool,
    ) -> Result<(), StoreError> {
        let sql = "SELECT owner, created_at FROM rooms ORDER BY id DESC LIMIT ?1";
        self.walk(sql, [most], |row| Ok(each(row.get(0)?, row.get(1)?)))
    }

    /// Makes a room, still without members: the owner is added like everybody else. `None` when
    /// the name is taken, or one that looks like it.
    pub fn create_room(
        &mut self,
        name: &RoomName,
        owner: UserId,
        now: i64,
    ) -> Result<Option<ConversationId>, StoreError> {
        if self.room_name_taken(name)? {
            return Ok(None);
        }
        let id = self.create_conversation(Kind::Room)?;
        self.write(
            "INSERT INTO rooms (id, name, owner, created_at) VALUES (?1, ?2, ?3, ?4)",
            params![id, name.as_str(), owner, now],
        )?;
        self.add_looks(Kind::Room, id.0, &name.looks())?;
        self.index_name(Kind::Room, id.0, name.as_str())?;
        Ok(Some(id))
    }

    /// Whether a room has this name, or one that looks like it.
    pub fn room_name_taken(&self, name: &RoomName) -> Result<bool, StoreError> {
        Ok(self.find_room(name.as_str())?.is_some()
            || self.looks_taken(Kind::Room, &name.looks())?)
    }

    /// Lets a user into a room, who sees of it what is said from now on; false when already in.
    pub fn add_member(
        &mut self,
        room: ConversationId,
        user: UserId,
        now: i64,
    ) -> Result<bool, StoreError> {
        if self.is_member(room, user)? {
            return Ok(false);
        }
        self.add_participant(room, user, now)?;
        self.write(
            "UPDATE rooms SET members = members + 1 WHERE id = ?1",
            [room],
        )?;
        Ok(true)
    }

    /// Takes a user out of a room, who sees none of it any more; false when not in it.
    pub fn remove_member(
        &mut self,
        room: ConversationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        if !self.is_member(room, user)? {
            return Ok(false);
        }
        let sql = "DELETE FROM participants WHERE user = ?1 AND conversation = ?2";
        self.write(sql, params![user, room])?;
        self.write(
            "UPDATE rooms SET members = members - 1 WHERE id = ?1",
            [room],
        )?;
        Ok(true)
    }

    /// Whether a user is in a room.
    pub fn is_member(&self, room: ConversationId, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM participants WHERE user = ?1 AND conversation = ?2";
        self.exists(sql, params![user, room])
    }

    /// How many members a room has.
    pub fn member_count(&self, room: ConversationId) -> Result<u64, StoreError> {
        self.count("SELECT members FROM rooms WHERE id = ?1", [room])
    }

    /// A room's members by name, at most `limit`.
    pub fn members(&self, room: ConversationId, limit: usize) -> Result<Vec<Member>, StoreError> {
        self.all(
            "SELECT u.id, u.name, u.id = r.owner FROM rooms AS r
             CROSS JOIN participants AS p ON p.conversation = r.id
             CROSS JOIN users AS u ON u.id = p.user WHERE r.id = ?1
             ORDER BY u.name LIMIT ?2",
            params![room, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| {
                Ok(Member {
                    user: user(row)?,
                    owner: row.get(2)?,
                })
            },
        )
    }

    /// A user's rooms by name, each with how many members it has.
    pub fn places_of(&self, member: UserId) -> Result<Vec<Place>, StoreError> {
        self.all(
            "SELECT r.id, r.name, r.members FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation WHERE p.user = ?1 ORDER BY r.name",
            [member],
            |row| {
                let members: i64 = row.get(2)?;
                Ok(Place {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    members: u64::try_from(members).unwrap_or(0),
                })
            },
        )
    }

    /// A user's rooms by name, with all that is told of them; counting what is unread costs.
    pub fn rooms_of(&self, member: UserId) -> Result<Vec<RoomSummary>, StoreError> {
        let rooms = self.all(
            "SELECT r.id, r.name, r.members, u.name, p.read_id FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             CROSS JOIN users AS u ON u.id = r.owner WHERE p.user = ?1 ORDER BY r.name",
            [member],
            |row| {
                let members: i64 = row.get(2)?;
                let summary = RoomSummary {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    members: u64::try_from(members).unwrap_or(0),
                    owner_name: row.get(3)?,
                    unread: 0,
                };
                Ok((summary, row.get(4)?))
            },
        )?;
        let mut counting = self.counting(member);
        let count = |(room, read_id): (RoomSummary, _)| {
            let unread = counting.unread(room.id, read_id)?;
            Ok(RoomSummary { unread, ..room })
        };
        rooms.into_iter().map(count).collect()
    }

    /// How many rooms a user is in.
    pub fn room_count(&self, member: UserId) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM participants AS p CROSS JOIN rooms AS r
             ON r.id = p.conversation WHERE p.user = ?1",
            [member],
        )
    }

    /// How many rooms a user owns. Who has left a room owns it still.
    pub fn owned_count(&self, owner: UserId) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM rooms WHERE owner = ?1", [owner])
    }

    pub(super) fn create_conversation(&mut self, kind: Kind) -> Result<ConversationId, StoreError> {
        self.insert("INSERT INTO conversations (kind) VALUES (?1)", [kind])
            .map(ConversationId)
    }

    /// Whoever joins sees and has read nothing of what was said before.
    pub(super) fn add_participant(
        &mut self,
        conversation: ConversationId,
        user: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO participants (user, conversation, after_id, read_id, joined_at)
             SELECT ?1, ?2, newest, newest, ?3 FROM
                 (SELECT coalesce(max(id), 0) AS newest FROM messages WHERE conversation = ?2)",
            params![user, conversation, now],
        )
        .map(drop)
    }
}
