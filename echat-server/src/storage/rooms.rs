//! Rooms and their members.

use echat_proto::names::RoomName;
use rusqlite::params;

use super::accounts::user;
use super::{Batch, ConversationId, Kind, StoreError, User, UserId};

/// A room, looked up by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// The owner; `None` for the lobby, whose owners are the administrators.
    pub owner: Option<UserId>,
    /// The owner's name; empty if there is none.
    pub owner_name: String,
    /// What the members are told that it is about; up to 300 bytes, and empty if they were told nothing.
    pub topic: String,
    /// Whether only its members and invited users may know of it.
    pub private: bool,
    /// Whether only its operators and its owner may write to it.
    pub read_only: bool,
    /// Seconds that a member waits between two messages; 0 for none.
    pub slow_seconds: u32,
    /// Days that its messages are kept; 0 keeps none, `None` keeps them as the server does.
    pub keep_days: Option<u32>,
    /// When it was created, in unix seconds.
    pub created_at: i64,
}

/// What a member may do in a room. A role may do all that a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also invites, sends away, bans, and changes how the room works.
    Operator,
    /// Also changes its name, its privacy and the roles of others, and closes it. A room has one owner.
    Owner,
}

/// One of a user's rooms, with its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// The number of its members.
    pub members: u64,
    /// The owner's name; empty if there is none.
    pub owner_name: String,
    /// Messages of other users after the user's read marker, at most
    /// [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u64,
}

/// A member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// Whether the user owns the room.
    pub owner: bool,
    /// Whether the user is a bot.
    pub bot: bool,
}

/// A room of a user, for presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSize {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// The number of its members.
    pub members: u64,
}

/// A room by name, and whether a user is a member. There is none for a user who may not know of it.
pub(super) const OWN_ROOM: &str = "SELECT r.id, r.name, p.user IS NOT NULL FROM rooms AS r
     LEFT JOIN participants AS p ON p.user = ?1 AND p.conversation = r.id
     WHERE r.name = ?2 AND (r.private = 0 OR p.user IS NOT NULL OR EXISTS
         (SELECT 1 FROM room_invitations AS i WHERE i.user = ?1 AND i.room = r.id AND NOT EXISTS
              (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)))";

impl Batch<'_> {
    /// The room of this name in its stored form.
    pub fn find_room(&self, key: &str) -> Result<Option<Room>, StoreError> {
        self.first(
            "SELECT r.id, r.name, r.owner, coalesce(u.name, ''), r.topic, r.private, r.read_only,
                    r.slow_seconds, r.keep_days, r.created_at FROM rooms AS r
             LEFT JOIN users AS u ON u.id = r.owner WHERE r.name = ?1",
            [key],
            |row| {
                let (id, name) = (row.get(0)?, row.get(1)?);
                Ok(Room {
                    id,
                    name,
                    owner: row.get(2)?,
                    owner_name: row.get(3)?,
                    topic: row.get(4)?,
                    private: row.get(5)?,
                    read_only: row.get(6)?,
                    slow_seconds: row.get(7)?,
                    keep_days: row.get(8)?,
                    created_at: row.get(9)?,
                })
            },
        )
    }

    /// What a user may do in a room; `None` if the user is not a member.
    pub fn role(&self, room: &Room, user: UserId) -> Result<Option<Role>, StoreError> {
        let sql = "SELECT operator FROM participants WHERE user = ?1 AND conversation = ?2";
        let operator: Option<bool> = self.first(sql, params![user, room.id], |row| row.get(0))?;
        Ok(
            operator.map(|operator| match (room.owner == Some(user), operator) {
                (true, _) => Role::Owner,
                (false, true) => Role::Operator,
                (false, false) => Role::Member,
            }),
        )
    }

    /// The conversation and the stored name of the room of this name, and whether `me` is a member. `None` also for a
    /// private room that `me` is neither in nor invited to.
    pub fn find_own_room(
        &self,
        me: UserId,
        key: &str,
    ) -> Result<Option<(ConversationId, String, bool)>, StoreError> {
        self.first(OWN_ROOM, params![me, key], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }

    /// The first `limit` rooms by name: name, owner, members.
    pub fn rooms(&self, limit: u32) -> Result<Vec<(String, String, u64)>, StoreError> {
        self.all(
            "SELECT r.name, coalesce(u.name, ''), r.members FROM rooms AS r
             LEFT JOIN users AS u ON u.id = r.owner ORDER BY r.name LIMIT ?1",
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

    /// Calls `each` with owner and time of creation of the newest rooms, up to a limit, until it returns false.
    pub fn newest_rooms(
        &self,
        most: u32,
        mut each: impl FnMut(UserId, i64) -> bool,
    ) -> Result<(), StoreError> {
        let sql =
            "SELECT owner, created_at FROM rooms WHERE owner IS NOT NULL ORDER BY id DESC LIMIT ?1";
        self.walk(sql, [most], |row| Ok(each(row.get(0)?, row.get(1)?)))
    }

    /// Creates a room without members; the owner is added like any member. `None` if the name, or a confusable one, is
    /// taken.
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

    /// Makes a member an operator of a room, or an operator a member.
    pub fn set_operator(
        &mut self,
        room: ConversationId,
        user: UserId,
        is_operator: bool,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE participants SET operator = ?3 WHERE user = ?1 AND conversation = ?2",
            params![user, room, is_operator],
        )
        .map(drop)
    }

    /// Makes a room private or public.
    pub fn set_private(
        &mut self,
        room: ConversationId,
        is_private: bool,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE rooms SET private = ?2 WHERE id = ?1";
        self.write(sql, params![room, is_private]).map(drop)
    }

    /// Whether a room has this name or a confusable one.
    pub fn room_name_taken(&self, name: &RoomName) -> Result<bool, StoreError> {
        Ok(self.find_room(name.as_str())?.is_some()
            || self.looks_taken(Kind::Room, &name.looks())?)
    }

    /// Adds a member, who sees messages from now on; false if the user is a member already.
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

    /// Removes a member, who sees none of the room's messages any more; false if the user is not a member.
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

    /// The owner of a room.
    pub(crate) fn owner_of(&self, room: ConversationId) -> Result<Option<UserId>, StoreError> {
        let sql = "SELECT owner FROM rooms WHERE id = ?1";
        Ok(self.first(sql, [room], |row| row.get(0))?.flatten())
    }

    /// Hands a room without its owner to the operator, else the member, that has been in it longest, and returns that
    /// user. A room without members is closed: its name is free, and what is left of it is removed in portions.
    pub(crate) fn succeed_owner(
        &mut self,
        room: ConversationId,
    ) -> Result<Option<UserId>, StoreError> {
        let heir: Option<UserId> = self.first(
            "SELECT user FROM participants WHERE conversation = ?1
             ORDER BY operator DESC, joined_at, user LIMIT 1",
            [room],
            |row| row.get(0),
        )?;
        let Some(heir) = heir else {
            self.close_empty(room)?;
            return Ok(None);
        };
        let sql = "UPDATE rooms SET owner = ?2 WHERE id = ?1";
        self.write(sql, params![room, heir])?;
        Ok(Some(heir))
    }

    fn close_empty(&mut self, room: ConversationId) -> Result<(), StoreError> {
        for sql in [
            "INSERT INTO closed_rooms (id) VALUES (?1)",
            "DELETE FROM name_endings WHERE kind = 1 AND id = ?1",
            "DELETE FROM name_looks WHERE kind = 1 AND id = ?1",
            "DELETE FROM left_rooms WHERE conversation = ?1",
            "DELETE FROM room_invitations WHERE room = ?1",
            "DELETE FROM bans WHERE room = ?1",
            "DELETE FROM slow_mode WHERE room = ?1",
            "DELETE FROM rooms WHERE id = ?1",
        ] {
            self.write(sql, [room])?;
        }
        Ok(())
    }

    /// Whether a user is a member of a room.
    pub fn is_member(&self, room: ConversationId, user: UserId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM participants WHERE user = ?1 AND conversation = ?2";
        self.exists(sql, params![user, room])
    }

    /// The number of members of a room.
    pub fn member_count(&self, room: ConversationId) -> Result<u64, StoreError> {
        self.count("SELECT members FROM rooms WHERE id = ?1", [room])
    }

    /// The members of a room by name, at most `limit`.
    pub fn members(&self, room: ConversationId, limit: usize) -> Result<Vec<Member>, StoreError> {
        self.all(
            "SELECT u.id, u.name, u.id IS r.owner,
                    EXISTS (SELECT 1 FROM bots AS b WHERE b.user = u.id) FROM rooms AS r
             CROSS JOIN participants AS p ON p.conversation = r.id
             CROSS JOIN users AS u ON u.id = p.user WHERE r.id = ?1
             ORDER BY u.name LIMIT ?2",
            params![room, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| {
                Ok(Member {
                    user: user(row)?,
                    owner: row.get(2)?,
                    bot: row.get(3)?,
                })
            },
        )
    }

    /// A user's rooms by name, with their numbers of members.
    pub fn room_sizes_of(&self, member: UserId) -> Result<Vec<RoomSize>, StoreError> {
        self.all(
            "SELECT r.id, r.name, r.members FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation WHERE p.user = ?1 ORDER BY r.name",
            [member],
            |row| {
                let members: i64 = row.get(2)?;
                Ok(RoomSize {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    members: u64::try_from(members).unwrap_or(0),
                })
            },
        )
    }

    /// The rooms that two users are both in, with their numbers of members.
    pub fn shared_rooms(&self, a: UserId, b: UserId) -> Result<Vec<RoomSize>, StoreError> {
        self.all(
            "SELECT r.id, r.name, r.members FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             CROSS JOIN participants AS q ON q.user = ?2 AND q.conversation = r.id
             WHERE p.user = ?1 ORDER BY r.name",
            [a, b],
            |row| {
                let members: i64 = row.get(2)?;
                Ok(RoomSize {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    members: u64::try_from(members).unwrap_or(0),
                })
            },
        )
    }

    /// A user's rooms by name, with all their counts. Counting unread messages is the expensive part.
    pub fn rooms_of(&self, member: UserId) -> Result<Vec<RoomSummary>, StoreError> {
        let rooms = self.all(
            "SELECT r.id, r.name, r.members, coalesce(u.name, ''), p.read_id FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             LEFT JOIN users AS u ON u.id = r.owner WHERE p.user = ?1 ORDER BY r.name",
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

    /// The number of rooms of which a user is a member.
    pub fn room_count(&self, member: UserId) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM participants AS p CROSS JOIN rooms AS r
             ON r.id = p.conversation WHERE p.user = ?1",
            [member],
        )
    }

    /// The number of rooms that a user owns, including rooms that the user has left.
    pub fn owned_count(&self, owner: UserId) -> Result<u64, StoreError> {
        self.count("SELECT count(*) FROM rooms WHERE owner = ?1", [owner])
    }

    pub(super) fn create_conversation(&mut self, kind: Kind) -> Result<ConversationId, StoreError> {
        self.insert("INSERT INTO conversations (kind) VALUES (?1)", [kind])
            .map(ConversationId)
    }

    /// A new member sees, and has read, nothing from before.
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
