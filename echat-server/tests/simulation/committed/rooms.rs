//! Rooms, members, invitations and bans in the database.

use super::{CommittedState, Conversation, UserRows, id, rows};
use crate::plan::{ROOMS, Role, USERS};
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Room {
    pub(crate) conversation: Conversation,
    /// The lobby has none.
    pub(crate) owner: Option<usize>,
    /// The count in the room's row.
    pub(crate) members: u64,
    pub(crate) created: i64,
    pub(crate) topic: String,
    pub(crate) private: bool,
    pub(crate) read_only: bool,
    pub(crate) slow_seconds: u64,
    pub(crate) keep_days: Option<u64>,
}

/// A user's participation in a conversation: messages after `after` are visible, those up to `read` are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Participation {
    pub(crate) after: u64,
    pub(crate) read: u64,
    pub(crate) joined: i64,
    /// The order of members who joined in the same second.
    pub(crate) order: i64,
    pub(crate) operator: bool,
}

/// A ban of a user from a room.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ban {
    pub(crate) by: Option<usize>,
    pub(crate) at: i64,
    pub(crate) until: Option<i64>,
    pub(crate) reason: Option<String>,
}

impl Ban {
    pub(crate) fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl CommittedState {
    /// The index and the row of a room.
    pub(crate) fn room_of(&self, conversation: Conversation) -> Option<(usize, &Room)> {
        let mut rooms = self.rooms.iter();
        let found = rooms.find(|(_, room)| room.conversation == conversation);
        found.map(|(number, room)| (*number, room))
    }

    pub(crate) fn participation(&self, user: usize, room: usize) -> Option<&Participation> {
        let room = self.rooms.get(&room)?;
        self.participations.get(&(user, room.conversation))
    }

    pub(crate) fn is_member(&self, user: usize, room: usize) -> bool {
        self.participation(user, room).is_some()
    }

    /// A member's role.
    pub(crate) fn role(&self, user: usize, room: usize) -> Option<Role> {
        self.role_in(user, self.rooms.get(&room)?.conversation)
    }

    /// The same by conversation, which a new name does not change.
    pub(crate) fn role_in(&self, user: usize, conversation: Conversation) -> Option<Role> {
        let (_, room) = self.room_of(conversation)?;
        let participation = self.participations.get(&(user, conversation))?;
        Some(match room.owner {
            Some(owner) if owner == user => Role::Owner,
            _ if participation.operator => Role::Operator,
            _ => Role::Member,
        })
    }

    pub(crate) fn operates(&self, user: usize, room: usize) -> bool {
        self.role(user, room) >= Some(Role::Operator)
    }

    /// Whether a user can see a room. A private room is visible to members and to users with a visible invitation.
    pub(crate) fn can_see_room(&self, user: usize, room: usize) -> bool {
        let found = self.rooms.get(&room);
        let lets_in = || self.is_member(user, room) || self.is_invited(user, room);
        found.is_some_and(|found| !found.private || lets_in())
    }

    pub(crate) fn rooms_of(&self, user: usize) -> BTreeSet<usize> {
        let rooms = self.rooms.keys().copied();
        rooms.filter(|room| self.is_member(user, *room)).collect()
    }

    pub(crate) fn members(&self, room: usize) -> BTreeSet<usize> {
        let users = 0..USERS.len();
        users.filter(|user| self.is_member(*user, room)).collect()
    }

    /// The next owner when the owner leaves: the longest-standing operator, else member.
    pub(crate) fn successor(&self, room: usize, but: impl Fn(usize) -> bool) -> Option<usize> {
        let members = self.members(room).into_iter();
        let left = members.filter(|member| !but(*member));
        left.min_by_key(|member| {
            let participation = self.participation(*member, room).expect("a member");
            (
                !participation.operator,
                participation.joined,
                participation.order,
                self.row(*member),
            )
        })
    }

    /// Whether a user sees an invitation to a room. Those of blocked users are hidden.
    pub(crate) fn is_invited(&self, user: usize, room: usize) -> bool {
        let Some(room) = self.rooms.get(&room) else {
            return false;
        };
        let found = self.invitations.get(&(user, room.conversation));
        found.is_some_and(|by| !by.is_some_and(|by| self.blocks(user, by)))
    }

    /// The rooms with visible invitations of a user, with the inviters.
    pub(crate) fn invited_to(&self, user: usize) -> Vec<(usize, Option<usize>)> {
        let rooms = self.rooms.iter();
        let shown = rooms.filter(|(number, _)| self.is_invited(user, **number));
        shown
            .map(|(number, room)| (*number, self.invitations[&(user, room.conversation)]))
            .collect()
    }

    /// The ban of a user from a room, if it is active.
    pub(crate) fn ban(&self, user: usize, room: usize, now: i64) -> Option<&Ban> {
        let room = self.rooms.get(&room)?;
        let found = self.bans.get(&(user, room.conversation));
        found.filter(|ban| ban.holds(now))
    }
}

pub(super) fn read(
    db: &Connection,
    committed: &mut CommittedState,
    user_rows: &UserRows,
) -> rusqlite::Result<()> {
    let rooms = rows(
        db,
        "SELECT name, id, owner, members, created_at, topic, private, read_only, slow_seconds, keep_days
         FROM rooms",
        [],
        |row| room(row, user_rows),
    )?;
    committed.rooms = rooms.into_iter().collect();
    let participations = rows(db, PARTICIPATIONS, [], |row| {
        let participation = Participation {
            after: id(row, 2)?,
            read: id(row, 3)?,
            joined: row.get(4)?,
            operator: row.get(5)?,
            order: row.get(6)?,
        };
        Ok(((user_rows.user(row, 0)?, row.get(1)?), participation))
    })?;
    committed.participations = participations.into_iter().collect();
    let left = rows(
        db,
        "SELECT user, conversation FROM left_rooms
         WHERE conversation NOT IN (SELECT id FROM closed_rooms)",
        [],
        |row| Ok((user_rows.user(row, 0)?, row.get(1)?)),
    )?;
    committed.left = left.into_iter().collect();
    let invitations = rows(db, INVITATIONS, [], |row| {
        let by = row.get::<_, Option<i64>>(2)?.map(|by| user_rows.of(by));
        Ok(((user_rows.user(row, 0)?, row.get(1)?), by))
    })?;
    committed.invitations = invitations.into_iter().collect();
    let bans = rows(
        db,
        "SELECT user, room, operator, created_at, until, reason FROM bans
         WHERE room NOT IN (SELECT id FROM closed_rooms)",
        [],
        |row| {
            let ban = Ban {
                by: row.get::<_, Option<i64>>(2)?.map(|by| user_rows.of(by)),
                at: row.get(3)?,
                until: row.get(4)?,
                reason: row.get(5)?,
            };
            Ok(((user_rows.user(row, 0)?, row.get(1)?), ban))
        },
    )?;
    committed.bans = bans.into_iter().collect();
    let former = rows(db, FORMER_NAMES, [], |row| {
        let name: String = row.get(1)?;
        let known = ROOMS.iter().position(|room| *room == name);
        Ok((row.get(0)?, known.expect("only these names are given")))
    })?;
    committed.former_names = former.into_iter().collect();
    let slow = rows(db, "SELECT user, room, sent_at FROM slow_mode", [], |row| {
        Ok(((user_rows.user(row, 0)?, row.get(1)?), row.get(2)?))
    })?;
    committed.slow = slow.into_iter().collect();
    Ok(())
}

const PARTICIPATIONS: &str =
    "SELECT user, conversation, after_id, read_id, joined_at, operator, join_order FROM participants
     WHERE conversation NOT IN (SELECT id FROM closed_rooms)";
const FORMER_NAMES: &str = "SELECT room, name FROM former_room_names";
/// What is left of closed rooms is hidden at once, and removed later.
const INVITATIONS: &str = "SELECT user, room, inviter FROM room_invitations
     WHERE room NOT IN (SELECT id FROM closed_rooms)";

fn room(row: &Row<'_>, user_rows: &UserRows) -> rusqlite::Result<(usize, Room)> {
    let name: String = row.get(0)?;
    let known = ROOMS.iter().position(|room| *room == name);
    let room = Room {
        conversation: row.get(1)?,
        owner: row
            .get::<_, Option<i64>>(2)?
            .map(|owner| user_rows.of(owner)),
        members: id(row, 3)?,
        created: row.get(4)?,
        topic: row.get(5)?,
        private: row.get(6)?,
        read_only: row.get(7)?,
        slow_seconds: id(row, 8)?,
        keep_days: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
    };
    Ok((known.expect("only these names are made rooms of"), room))
}
