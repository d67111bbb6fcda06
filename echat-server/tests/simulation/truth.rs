//! What is committed, read between ticks from the database itself, and which users it concerns.
//! Users and rooms are numbers into [`crate::plan`]'s names.

use crate::plan::{ROOMS, Target, USERS};
use rusqlite::{Connection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A row of the table of conversations.
pub(crate) type Conversation = i64;

/// Everything that is committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Truth {
    /// Grows with every change.
    pub(crate) version: u64,
    pub(crate) users: BTreeSet<usize>,
    /// The lesser number first.
    pub(crate) friends: BTreeMap<(usize, usize), Conversation>,
    /// Friend requests without an answer, oldest first.
    pub(crate) asked: Vec<(usize, usize)>,
    /// When each of them asked.
    pub(crate) asked_at: BTreeMap<(usize, usize), i64>,
    /// Friend requests that were declined.
    pub(crate) declined: BTreeMap<(usize, usize), Declined>,
    pub(crate) rooms: BTreeMap<usize, Room>,
    pub(crate) seats: BTreeMap<(usize, Conversation), Seat>,
    pub(crate) messages: BTreeMap<u64, Stored>,
    /// Messages to rooms that were closed since, as they were; they are removed from the database.
    pub(crate) closed: BTreeMap<u64, Stored>,
    /// Users and the rooms that they left.
    pub(crate) left: BTreeSet<(usize, usize)>,
    data_version: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Room {
    pub(crate) conversation: Conversation,
    pub(crate) owner: usize,
    /// As the room's own row counts them.
    pub(crate) members: u64,
}

/// A declined request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Declined {
    pub(crate) at: i64,
    /// Whether it was made again since.
    pub(crate) again: bool,
}

/// How long a declined request is made again in silence, and how long one that waits gives way to none, in
/// seconds.
const SILENCE: i64 = 7 * 86_400;
const DAY: i64 = 86_400;

impl Declined {
    /// Whether asking again tells the receiver nothing.
    pub(crate) fn is_silent(self, now: i64) -> bool {
        now < self.at.saturating_add(SILENCE)
    }
}

/// A user's place in a conversation: sees what is after, has read up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seat {
    pub(crate) after: u64,
    pub(crate) read: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) conversation: Conversation,
    pub(crate) sender: usize,
    pub(crate) time: i64,
    pub(crate) content: Rc<str>,
    pub(crate) txn: Option<String>,
}

impl Stored {
    /// Whether it is between two friends.
    pub(crate) fn is_private(&self, truth: &Truth) -> bool {
        let mut private = truth.friends.values();
        private.any(|conversation| *conversation == self.conversation)
    }
}

impl Truth {
    /// Reads anew what another connection has changed since, of messages the new ones. What was
    /// before, if anything was committed.
    pub(crate) fn read(&mut self, db: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut pragma = db.prepare_cached("PRAGMA data_version")?;
        let version = pragma.query_row([], |row| row.get(0))?;
        if version == self.data_version {
            return Ok(None);
        }
        self.data_version = version;
        let newest = self.messages.keys().next_back().copied().unwrap_or(0);
        let new = rows(db, MESSAGES, [newest.cast_signed()], stored)?;
        let messages = std::mem::take(&mut self.messages);
        let mut now = Self {
            version: self.version,
            data_version: version,
            closed: std::mem::take(&mut self.closed),
            ..tables(db)?
        };
        now.forget_closed();
        self.closed.clone_from(&now.closed);
        // A note of the address of a login changes nothing here.
        now.version += u64::from(!new.is_empty() || now != *self);
        now.messages.clone_from(&messages);
        now.messages.extend(new);
        now.forget_closed();
        let mut before = std::mem::replace(self, now);
        before.messages = messages;
        Ok(Some(before))
    }

    /// Whether the same is committed, when all of it is read again.
    pub(crate) fn stands(&self, db: &Connection) -> rusqlite::Result<bool> {
        let messages = rows(db, MESSAGES, [0], stored)?.into_iter().collect();
        let (version, data_version) = (self.version, self.data_version);
        let mut again = Self {
            version,
            messages,
            data_version,
            ..tables(db)?
        };
        again.forget_closed();
        again.closed.clone_from(&self.closed);
        Ok(again == *self)
    }

    /// A message, whether its room is open or closed.
    pub(crate) fn message(&self, id: u64) -> Option<&Stored> {
        self.messages.get(&id).or_else(|| self.closed.get(&id))
    }

    /// Sets aside what is stored of closed rooms until it is removed.
    fn forget_closed(&mut self) {
        let rooms = self.rooms.values().map(|room| room.conversation);
        let open: BTreeSet<Conversation> = rooms.chain(self.friends.values().copied()).collect();
        let is_closed = |_: &u64, message: &mut Stored| !open.contains(&message.conversation);
        let closed = self.messages.extract_if(.., is_closed);
        self.closed.extend(closed);
        self.seats
            .retain(|(_, conversation), _| open.contains(conversation));
    }

    pub(crate) fn are_friends(&self, a: usize, b: usize) -> bool {
        self.friends.contains_key(&(a.min(b), a.max(b)))
    }

    /// Whether asking back makes two friends.
    pub(crate) fn counts_as_asked(&self, sender: usize, receiver: usize) -> bool {
        let pair = (sender, receiver);
        self.asked.contains(&pair) || self.declined.get(&pair).is_some_and(|found| found.again)
    }

    /// A declined request that is made again in silence.
    pub(crate) fn silenced(&self, sender: usize, receiver: usize, now: i64) -> Option<Declined> {
        let found = self.declined.get(&(sender, receiver)).copied();
        found.filter(|found| found.is_silent(now))
    }

    /// Whether a request that waits would give way to a new one.
    pub(crate) fn is_old(&self, pair: (usize, usize), now: i64) -> bool {
        self.asked_at
            .get(&pair)
            .is_some_and(|at| *at < now.saturating_sub(DAY))
    }

    pub(crate) fn friends_of(&self, user: usize) -> BTreeSet<usize> {
        let friend = |(a, b): &(usize, usize)| match user {
            _ if *a == user => Some(*b),
            _ if *b == user => Some(*a),
            _ => None,
        };
        self.friends.keys().filter_map(friend).collect()
    }

    pub(crate) fn is_member(&self, user: usize, room: usize) -> bool {
        let room = self.rooms.get(&room);
        room.is_some_and(|room| self.seats.contains_key(&(user, room.conversation)))
    }

    pub(crate) fn rooms_of(&self, user: usize) -> BTreeSet<usize> {
        let rooms = self.rooms.keys().copied();
        rooms.filter(|room| self.is_member(user, *room)).collect()
    }

    pub(crate) fn members(&self, room: usize) -> BTreeSet<usize> {
        (0..USERS.len())
            .filter(|user| self.is_member(*user, room))
            .collect()
    }

    /// The conversation that a user means, who takes part in it.
    pub(crate) fn conversation(&self, user: usize, target: Target) -> Option<Conversation> {
        match target {
            Target::User(other) => self
                .friends
                .get(&(user.min(other), user.max(other)))
                .copied(),
            Target::Room(room) => {
                let conversation = self.rooms.get(&room)?.conversation;
                self.seats
                    .contains_key(&(user, conversation))
                    .then_some(conversation)
            }
        }
    }

    /// What a user calls a conversation.
    pub(crate) fn target(&self, user: usize, conversation: Conversation) -> Option<Target> {
        let room = self
            .rooms
            .iter()
            .find(|(_, room)| room.conversation == conversation);
        if let Some((room, _)) = room {
            return Some(Target::Room(*room));
        }
        let (pair, _) = self
            .friends
            .iter()
            .find(|(_, private)| **private == conversation)?;
        match *pair {
            (a, b) if a == user => Some(Target::User(b)),
            (a, b) if b == user => Some(Target::User(a)),
            _ => None,
        }
    }

    /// The messages that a user may see, oldest first.
    pub(crate) fn visible(&self, user: usize) -> impl DoubleEndedIterator<Item = (u64, &Stored)> {
        self.messages
            .iter()
            .map(|(id, message)| (*id, message))
            .filter(move |(id, message)| {
                let seat = self.seats.get(&(user, message.conversation));
                seat.is_some_and(|seat| *id > seat.after)
            })
    }

    /// Messages of others after a user's read marker.
    pub(crate) fn unread(&self, user: usize, conversation: Conversation) -> u64 {
        let read = self
            .seats
            .get(&(user, conversation))
            .map_or(u64::MAX, |seat| seat.read);
        let unread = self
            .messages
            .range(read.saturating_add(1)..)
            .filter(|(_, message)| message.conversation == conversation && message.sender != user);
        unread.count() as u64
    }
}

const MESSAGES: &str = "SELECT m.id, m.conversation, u.name, m.send_time, m.content, m.txn_id
     FROM messages AS m CROSS JOIN users AS u ON u.id = m.sender WHERE m.id > ?1";

fn stored(row: &Row<'_>) -> rusqlite::Result<(u64, Stored)> {
    let message = Stored {
        conversation: row.get(1)?,
        sender: user(row, 2)?,
        time: row.get(3)?,
        content: row.get(4)?,
        txn: row.get(5)?,
    };
    Ok((id(row, 0)?, message))
}

/// All but the messages.
fn tables(db: &Connection) -> rusqlite::Result<Truth> {
    let users = rows(db, "SELECT name FROM users", [], |row| user(row, 0))?;
    let friends = rows(
        db,
        "SELECT a.name, b.name, f.conversation FROM friendships AS f
         CROSS JOIN users AS a ON a.id = f.low_user CROSS JOIN users AS b ON b.id = f.high_user",
        [],
        |row| {
            let (a, b) = (user(row, 0)?, user(row, 1)?);
            Ok(((a.min(b), a.max(b)), row.get(2)?))
        },
    )?;
    let rooms = rows(
        db,
        "SELECT r.name, r.id, u.name, r.members FROM rooms AS r
         CROSS JOIN users AS u ON u.id = r.owner",
        [],
        |row| {
            let (conversation, owner, members) = (row.get(1)?, user(row, 2)?, id(row, 3)?);
            Ok((
                room(&row.get::<_, String>(0)?),
                Room {
                    conversation,
                    owner,
                    members,
                },
            ))
        },
    )?;
    let seats = rows(
        db,
        "SELECT u.name, p.conversation, p.after_id, p.read_id FROM participants AS p
         CROSS JOIN users AS u ON u.id = p.user",
        [],
        |row| {
            let seat = Seat {
                after: id(row, 2)?,
                read: id(row, 3)?,
            };
            Ok(((user(row, 0)?, row.get(1)?), seat))
        },
    )?;
    let left = rows(
        db,
        "SELECT u.name, r.name FROM left_rooms AS l
         CROSS JOIN users AS u ON u.id = l.user CROSS JOIN rooms AS r ON r.id = l.conversation",
        [],
        |row| Ok((user(row, 0)?, room(&row.get::<_, String>(1)?))),
    )?;
    Ok(Truth {
        left: left.into_iter().collect(),
        users: users.into_iter().collect(),
        friends: friends.into_iter().collect(),
        rooms: rooms.into_iter().collect(),
        seats: seats.into_iter().collect(),
        ..requests(db)?
    })
}

/// The requests for friendship, and nothing else.
fn requests(db: &Connection) -> rusqlite::Result<Truth> {
    let requests = rows(
        db,
        "SELECT s.name, r.name, q.created_at, q.declined_at, q.asked_again FROM friend_requests AS q
         CROSS JOIN users AS s ON s.id = q.sender
         CROSS JOIN users AS r ON r.id = q.receiver ORDER BY q.id",
        [],
        |row| {
            let declined: Option<i64> = row.get(3)?;
            let again = row.get(4)?;
            Ok((
                (user(row, 0)?, user(row, 1)?),
                row.get(2)?,
                declined.map(|at| Declined { at, again }),
            ))
        },
    )?;
    let pending = requests
        .iter()
        .filter(|(_, _, declined)| declined.is_none());
    let asked_at: BTreeMap<_, i64> = pending.clone().map(|(pair, at, _)| (*pair, *at)).collect();
    let asked = pending.map(|(pair, _, _)| *pair).collect();
    let declined = requests
        .iter()
        .filter_map(|(pair, _, declined)| Some((*pair, (*declined)?)))
        .collect();
    Ok(Truth {
        asked,
        asked_at,
        declined,
        ..Truth::default()
    })
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    from: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, from)?.collect()
}

/// A number that is never negative.
fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

fn user(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    let name: String = row.get(column)?;
    let known = USERS.iter().position(|user| *user == name);
    Ok(known.expect("only these names are registered"))
}

fn room(name: &str) -> usize {
    let known = ROOMS.iter().position(|room| *room == name);
    known.expect("only these names are made rooms of")
}
