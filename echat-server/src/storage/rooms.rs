//! Rooms and their members.

use echat_proto::names::{RoomName, looks};
use rusqlite::{Row, params};

use super::accounts::user;
use super::page::{RowPage, sql_limit, sql_limit_of_page};
use super::{Batch, ConversationId, Kind, MessageId, StoreError, User, UserId};

/// Former names of a room that are remembered, the newest ones: more than an owner gives a room by hand in 30 days, for
/// which a message that is sent again is known.
const FORMER_NAMES: i64 = 100;

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
    /// The number of its members when it was looked up.
    pub members: u64,
    /// When it was created, in unix seconds.
    pub created_at: i64,
}

/// A room, looked up by name for one of its members who writes to it or reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRoom {
    /// The conversation of its members.
    pub id: ConversationId,
    /// The name in its stored form.
    pub name: String,
    /// Whether the user is a member.
    pub is_member: bool,
    /// What the user's messages to the room are held to; `None` if nothing is.
    pub restriction: Option<Restriction>,
    /// Days that its messages are kept; 0 keeps none, `None` keeps them as the server does.
    pub keep_days: Option<u32>,
}

/// What the messages of a member without a role are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// Whether the member may not write at all.
    pub read_only: bool,
    /// Seconds between two messages; 0 for no slow mode.
    pub slow_seconds: u32,
}

impl Room {
    /// What the messages of a user with this role are held to; `None` if nothing is. `OWN_ROOM` says the same.
    pub fn restriction_of(&self, role: Option<Role>) -> Option<Restriction> {
        let restriction = Restriction {
            read_only: self.read_only,
            slow_seconds: self.slow_seconds,
        };
        let is_free = role >= Some(Role::Operator) || !self.read_only && self.slow_seconds == 0;
        (!is_free).then_some(restriction)
    }
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
    /// Messages of other users after the user's read marker that were not deleted, at most
    /// [`UNREAD_MAX`](super::UNREAD_MAX).
    pub unread: u64,
    /// How many of them name the user, as far as they are counted.
    pub mentions: u64,
    /// The topic.
    pub topic: String,
    /// Whether only its members and invited users may know of it.
    pub private: bool,
    /// The user's role.
    pub role: Role,
}

/// A room that every user may join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRoom {
    /// The name in its stored form.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// The number of its members.
    pub members: u64,
}

/// A member of a room, as pages list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// The user.
    pub user: User,
    /// The role. In the lobby, administrators are not shown as owners.
    pub role: Role,
    /// What the user says of being away; `None` also for a reader whom the user blocks.
    pub away: Option<String>,
    /// Whether the user is a bot.
    pub is_bot: bool,
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

/// A room by name, whether a user is a member, and what the user's messages are held to. There is none for a user who
/// may not know of it. The last column but one is 1 if nothing restricts the user; roles are looked up only if
/// something could.
pub(super) const OWN_ROOM: &str =
    "SELECT r.id, r.name, p.user IS NOT NULL, r.read_only, r.slow_seconds,
         CASE WHEN r.read_only = 0 AND r.slow_seconds = 0 THEN 1
              ELSE r.owner IS ?1 OR coalesce(p.operator, 0) OR (r.owner IS NULL AND EXISTS
                   (SELECT 1 FROM users AS u WHERE u.id = ?1 AND u.administrator = 1)) END,
         r.keep_days
     FROM rooms AS r
     LEFT JOIN participants AS p ON p.user = ?1 AND p.conversation = r.id
     WHERE r.name = ?2 AND (r.private = 0 OR p.user IS NOT NULL OR EXISTS
         (SELECT 1 FROM room_invitations AS i WHERE i.user = ?1 AND i.room = r.id AND NOT EXISTS
              (SELECT 1 FROM blocks AS b WHERE b.user = i.user AND b.blocked = i.inviter)))";

/// The member that owns a room after its owner left: the operator, else the member, that has been in it longest. Bots
/// own no rooms.
pub(super) const SUCCESSOR: &str = "SELECT u.id, u.name FROM participants AS p
     CROSS JOIN users AS u ON u.id = p.user
     WHERE p.conversation = ?1 AND p.user NOT IN (SELECT user FROM bots)
     ORDER BY p.operator DESC, p.joined_at, p.join_order, p.user LIMIT 1";

/// Adds a user to a conversation, behind those who came in the same second.
pub(super) const ADD_PARTICIPANT: &str =
    "INSERT INTO participants (user, conversation, after_id, read_id, joined_at, join_order)
     SELECT ?1, ?2, newest, newest, ?3, 1 + max(
         coalesce((SELECT join_order FROM participants WHERE conversation = ?2 AND operator = 0
             AND joined_at = ?3 ORDER BY join_order DESC LIMIT 1), 0),
         coalesce((SELECT join_order FROM participants WHERE conversation = ?2 AND operator = 1
             AND joined_at = ?3 ORDER BY join_order DESC LIMIT 1), 0))
     FROM (SELECT coalesce(max(id), 0) AS newest FROM messages WHERE conversation = ?2)";

/// Public rooms by name.
pub(super) const PUBLIC_ROOMS: &str = "SELECT name, topic, members FROM rooms
     WHERE private = 0 AND name > ?1 ORDER BY name LIMIT ?2";

impl Batch<'_> {
    /// The room of this name in its stored form.
    pub fn find_room(&self, key: &str) -> Result<Option<Room>, StoreError> {
        self.first(
            "SELECT r.id, r.name, r.owner, coalesce(u.name, ''), r.topic, r.private, r.read_only,
                    r.slow_seconds, r.keep_days, r.created_at, r.members FROM rooms AS r
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
                    members: count(row, 10)?,
                })
            },
        )
    }

    /// What a user may do in a room; `None` if the user is not a member. Administrators own the lobby.
    pub fn role(&self, room: &Room, user: UserId) -> Result<Option<Role>, StoreError> {
        let sql = "SELECT operator FROM participants WHERE user = ?1 AND conversation = ?2";
        let operator: Option<bool> = self.first(sql, params![user, room.id], |row| row.get(0))?;
        let Some(operator) = operator else {
            return Ok(None);
        };
        Ok(Some(role(self.acts_as_owner(room, user)?, operator)))
    }

    /// Whether a user owns a room, or is an administrator and the room is the lobby.
    pub fn acts_as_owner(&self, room: &Room, user: UserId) -> Result<bool, StoreError> {
        match room.owner {
            Some(owner) => Ok(owner == user),
            None => self.exists(
                "SELECT 1 FROM users WHERE id = ?1 AND administrator = 1",
                [user],
            ),
        }
    }

    /// The room of this name, as `me` may write to it. `None` also for a private room that `me` is neither in nor
    /// invited to.
    pub fn find_own_room(&self, me: UserId, key: &str) -> Result<Option<OwnRoom>, StoreError> {
        self.first(OWN_ROOM, params![me, key], |row| {
            let restriction = Restriction {
                read_only: row.get(3)?,
                slow_seconds: row.get(4)?,
            };
            let is_free: bool = row.get(5)?;
            Ok(OwnRoom {
                id: row.get(0)?,
                name: row.get(1)?,
                is_member: row.get(2)?,
                restriction: (!is_free).then_some(restriction),
                keep_days: row.get(6)?,
            })
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

    /// Creates a room without members; the owner is added like any member. A room without an owner is the lobby. `None`
    /// if the name, or a confusable one, is taken.
    pub fn create_room(
        &mut self,
        name: &RoomName,
        owner: impl Into<Option<UserId>>,
        now: i64,
    ) -> Result<Option<ConversationId>, StoreError> {
        if self.room_name_taken(name)? {
            return Ok(None);
        }
        let id = self.create_conversation(Kind::Room)?;
        self.write(
            "INSERT INTO rooms (id, name, owner, created_at) VALUES (?1, ?2, ?3, ?4)",
            params![id, name.as_str(), owner.into(), now],
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

    /// Whether a room has this name or a confusable one.
    pub fn room_name_taken(&self, name: &RoomName) -> Result<bool, StoreError> {
        Ok(self.find_room(name.as_str())?.is_some()
            || self.looks_taken(Kind::Room, &name.looks())?)
    }

    /// Whether a room other than this one has this name or a confusable one.
    pub fn room_name_taken_by_another(
        &self,
        room: ConversationId,
        name: &RoomName,
    ) -> Result<bool, StoreError> {
        let named = self.find_room(name.as_str())?;
        Ok(named.is_some_and(|other| other.id != room)
            || self.looks_taken_by_another(Kind::Room, &name.looks(), room.0)?)
    }

    /// Stores the name and the properties of a room in place of those that it has in `was`. Its owner and its members
    /// stay. Skeletons and the index of names follow: [`find`](Batch::find) shows public rooms by the index.
    pub fn change_room(&mut self, was: &Room, room: &Room) -> Result<(), StoreError> {
        let is_renamed = was.name != room.name;
        if is_renamed {
            self.remove_looks(Kind::Room, was.id.0, &looks(&was.name))?;
            self.add_looks(Kind::Room, was.id.0, &looks(&room.name))?;
            self.note_former_name(was.id, &was.name)?;
        }
        if is_renamed || was.private != room.private {
            if !was.private {
                self.unindex_name(Kind::Room, was.id.0, &was.name)?;
            }
            if !room.private {
                self.index_name(Kind::Room, was.id.0, &room.name)?;
            }
        }
        self.write(
            "UPDATE rooms SET name = ?2, topic = ?3, private = ?4, read_only = ?5, slow_seconds = ?6,
                    keep_days = ?7 WHERE id = ?1",
            params![
                was.id,
                room.name,
                room.topic,
                room.private,
                room.read_only,
                room.slow_seconds,
                room.keep_days
            ],
        )
        .map(drop)
    }

    /// Notes a name that a room will have no more, since a message sent again may use it, and forgets the oldest of
    /// these names beyond the limit.
    fn note_former_name(&mut self, room: ConversationId, name: &str) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO former_room_names (room, name, number) VALUES (?1, ?2,
                 (SELECT coalesce(max(number), 0) + 1 FROM former_room_names WHERE room = ?1))
             ON CONFLICT (room, name) DO UPDATE SET number = excluded.number",
            params![room, name],
        )?;
        self.write(
            "DELETE FROM former_room_names WHERE room = ?1 AND name IN
                 (SELECT name FROM former_room_names WHERE room = ?1
                  ORDER BY number DESC, name LIMIT -1 OFFSET ?2)",
            params![room, FORMER_NAMES],
        )
        .map(drop)
    }

    /// Makes a user, who is a member, the owner of a room. The operators of a room do not include its owner.
    pub fn set_owner(&mut self, room: ConversationId, owner: UserId) -> Result<(), StoreError> {
        self.set_operator(room, owner, false)?;
        self.write(
            "UPDATE rooms SET owner = ?2 WHERE id = ?1",
            params![room, owner],
        )
        .map(drop)
    }

    /// The names of the operators of a room, sorted.
    pub fn operators(&self, room: ConversationId) -> Result<Vec<String>, StoreError> {
        self.all(
            "SELECT u.name FROM participants AS p CROSS JOIN users AS u ON u.id = p.user
             WHERE p.conversation = ?1 AND p.operator = 1 ORDER BY u.name",
            [room],
            |row| row.get(0),
        )
    }

    /// The member that owns a room after its owner left; `None` if only bots are left.
    pub fn successor(&self, room: ConversationId) -> Result<Option<User>, StoreError> {
        self.first(SUCCESSOR, [room], user)
    }

    /// A page of the public rooms by name, from the first behind `after`.
    pub fn public_rooms(&self, after: &str, limit: usize) -> Result<RowPage<OpenRoom>, StoreError> {
        let params = params![after, sql_limit_of_page(limit)];
        let rooms = self.all(PUBLIC_ROOMS, params, |row| {
            Ok(OpenRoom {
                name: row.get(0)?,
                topic: row.get(1)?,
                members: count(row, 2)?,
            })
        })?;
        Ok(RowPage::of(rooms, limit))
    }

    /// When a member last wrote to a room with slow mode, in unix seconds.
    pub fn last_sent(&self, room: ConversationId, user: UserId) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT sent_at FROM slow_mode WHERE room = ?1 AND user = ?2";
        self.first(sql, params![room, user], |row| row.get(0))
    }

    /// Notes that a member wrote to a room with slow mode.
    pub fn note_sent(
        &mut self,
        room: ConversationId,
        user: UserId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO slow_mode (room, user, sent_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (room, user) DO UPDATE SET sent_at = excluded.sent_at",
            params![room, user, now],
        )
        .map(drop)
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
            params![room, sql_limit(limit)],
            |row| {
                Ok(Member {
                    user: user(row)?,
                    owner: row.get(2)?,
                    bot: row.get(3)?,
                })
            },
        )
    }

    /// The names of the first `limit` members of a room behind a name, by name.
    pub(crate) fn member_names(
        &self,
        room: ConversationId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.all(
            "SELECT u.name FROM participants AS p CROSS JOIN users AS u ON u.id = p.user
             WHERE p.conversation = ?1 AND u.name > ?2 ORDER BY u.name LIMIT ?3",
            params![room, after, sql_limit(limit)],
            |row| row.get(0),
        )
    }

    /// A page of the members of a room by name, from the first behind `after`, as `reader` may see them.
    pub fn member_page(
        &self,
        room: &Room,
        reader: UserId,
        after: &str,
        limit: usize,
    ) -> Result<RowPage<ListedMember>, StoreError> {
        let members = self.all(
            "SELECT u.id, u.name, p.operator,
                    CASE WHEN u.away IS NULL OR EXISTS
                        (SELECT 1 FROM blocks AS k WHERE k.user = u.id AND k.blocked = ?4)
                    THEN NULL ELSE u.away END,
                    b.user IS NOT NULL FROM participants AS p
             CROSS JOIN users AS u ON u.id = p.user
             LEFT JOIN bots AS b ON b.user = p.user
             WHERE p.conversation = ?1 AND u.name > ?2 ORDER BY u.name LIMIT ?3",
            params![room.id, after, sql_limit_of_page(limit), reader],
            |row| {
                let user = user(row)?;
                let role = role(room.owner == Some(user.id), row.get(2)?);
                Ok(ListedMember {
                    user,
                    role,
                    away: row.get(3)?,
                    is_bot: row.get(4)?,
                })
            },
        )?;
        Ok(RowPage::of(members, limit))
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
        let retention = self.retention();
        let rooms = self.all(
            "SELECT r.id, r.name, r.members, coalesce(u.name, ''), p.read_id, r.topic, r.private,
                    CASE WHEN r.owner IS NULL
                         THEN (SELECT administrator FROM users WHERE id = ?1)
                         ELSE r.owner = ?1 END, p.operator, r.keep_days
             FROM participants AS p
             CROSS JOIN rooms AS r ON r.id = p.conversation
             LEFT JOIN users AS u ON u.id = r.owner WHERE p.user = ?1 ORDER BY r.name",
            [member],
            |row| {
                let summary = RoomSummary {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    members: count(row, 2)?,
                    owner_name: row.get(3)?,
                    unread: 0,
                    mentions: 0,
                    topic: row.get(5)?,
                    private: row.get(6)?,
                    role: role(row.get(7)?, row.get(8)?),
                };
                let read_id: MessageId = row.get(4)?;
                let kept_since = retention.kept_since(row.get(9)?);
                Ok((summary, read_id.row(), kept_since))
            },
        )?;
        let mut counting = self.counting(member);
        let count = |(room, above, kept_since): (RoomSummary, _, _)| {
            let (unread, mentions) = counting.unread(room.id, above, kept_since)?;
            Ok(RoomSummary {
                unread,
                mentions,
                ..room
            })
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
        self.write(ADD_PARTICIPANT, params![user, conversation, now])
            .map(drop)
    }
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let count: i64 = row.get(column)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn role(is_owner: bool, is_operator: bool) -> Role {
    match (is_owner, is_operator) {
        (true, _) => Role::Owner,
        (false, true) => Role::Operator,
        (false, false) => Role::Member,
    }
}
