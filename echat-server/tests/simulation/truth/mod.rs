//! What is committed, read between ticks from the database itself, and which users it concerns.
//! Users and rooms are numbers into [`crate::plan`]'s names. A user keeps the number when the account is deleted; a
//! room that is renamed has another one, and the same conversation.

pub(crate) mod people;
pub(crate) mod rooms;

use crate::plan::{Role, Target, USERS};
pub(crate) use people::Code;
pub(crate) use people::pair;
use people::{Account, Declined};
use rooms::{Ban, Room, Seat};
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
    /// All accounts ever, and those that are not deleted.
    pub(crate) accounts: BTreeMap<usize, Account>,
    pub(crate) users: BTreeSet<usize>,
    /// The lesser number first.
    pub(crate) friends: BTreeMap<(usize, usize), Conversation>,
    /// Friendships that ended.
    pub(crate) parted: BTreeMap<(usize, usize), Conversation>,
    /// Codes to register with.
    pub(crate) codes: BTreeMap<String, Code>,
    /// Friend requests without an answer, oldest first.
    pub(crate) asked: Vec<(usize, usize)>,
    /// When each of them asked.
    pub(crate) asked_at: BTreeMap<(usize, usize), i64>,
    /// Friend requests that were declined.
    pub(crate) declined: BTreeMap<(usize, usize), Declined>,
    /// Users, and those whom they blocked.
    pub(crate) blocked: BTreeSet<(usize, usize)>,
    pub(crate) rooms: BTreeMap<usize, Room>,
    /// Rooms, and the names that they had before.
    pub(crate) former_names: BTreeSet<(Conversation, usize)>,
    pub(crate) seats: BTreeMap<(usize, Conversation), Seat>,
    /// Users who are invited to rooms, and their inviters.
    pub(crate) invitations: BTreeMap<(usize, Conversation), Option<usize>>,
    pub(crate) bans: BTreeMap<(usize, Conversation), Ban>,
    /// When members last wrote to rooms with slow mode.
    pub(crate) slow: BTreeMap<(usize, Conversation), i64>,
    /// Users and the rooms that they left.
    pub(crate) left: BTreeSet<(usize, Conversation)>,
    pub(crate) messages: BTreeMap<u64, Stored>,
    /// Messages that were changed, hidden or gone since, as they were: what was told of them may still be on its way.
    former: BTreeMap<u64, Vec<Stored>>,
    /// What messages said first.
    first: BTreeMap<u64, Rc<str>>,
    /// What messages may have said for a moment, within a tick.
    said: BTreeMap<u64, BTreeSet<String>>,
    reader: Reader,
    /// How many rows of messages there are.
    counted: i64,
    data_version: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) conversation: Conversation,
    pub(crate) sender: usize,
    pub(crate) time: i64,
    pub(crate) content: Rc<str>,
    pub(crate) txn: Option<String>,
    /// Whether it is a tombstone.
    pub(crate) deleted: bool,
    pub(crate) reply: Option<u64>,
    pub(crate) edited: Option<i64>,
    pub(crate) mentions: Vec<Named>,
    /// Emoji in the order in which they came, their users, and how many are counted.
    pub(crate) reactions: Vec<(String, BTreeSet<usize>, u64)>,
}

/// What a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    User(usize),
    All,
}

impl Stored {
    /// Whether it is between two friends.
    pub(crate) fn is_private(&self, truth: &Truth) -> bool {
        let friends = truth.friends.values();
        let mut all = friends.chain(truth.parted.values());
        all.any(|conversation| *conversation == self.conversation)
    }
}

/// Which rows are whose, also after their names are gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reader {
    users: BTreeMap<i64, usize>,
}

impl Reader {
    /// Notes the row of a user: a new one has one of the names.
    fn note(&mut self, row: i64, name: &str) -> usize {
        let known = || USERS.iter().position(|user| *user == name);
        let user = self.users.entry(row);
        *user.or_insert_with(|| known().expect("only these names are registered"))
    }

    fn of(&self, row: i64) -> usize {
        self.users[&row]
    }

    fn user(&self, row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
        Ok(self.of(row.get(column)?))
    }
}

impl Truth {
    /// Reads anew what another connection has changed since, of messages the new ones unless others are gone. What was
    /// before, if anything was committed.
    pub(crate) fn read(&mut self, db: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut pragma = db.prepare_cached("PRAGMA data_version")?;
        let version = pragma.query_row([], |row| row.get(0))?;
        if version == self.data_version {
            return Ok(None);
        }
        self.data_version = version;
        let messages = std::mem::take(&mut self.messages);
        let mut now = tables(db, self.reader.clone())?;
        (now.version, now.data_version) = (self.version, version);
        let newest = messages.keys().next_back().copied().unwrap_or(0);
        let changed = rows(db, CHANGED, [newest.cast_signed()], |row| {
            stored(row, &now.reader)
        })?;
        let new = changed.iter().filter(|(id, _)| *id > newest).count();
        now.counted = counted(db)?;
        let all = if now.counted == self.counted + i64::try_from(new).expect("few") {
            let mut all = messages.clone();
            all.extend(changed);
            annotate(db, &mut all, &now.reader)?;
            all
        } else {
            all_messages(db, &now.reader)?
        };
        // Rows of a closed room are hidden at once.
        let is_open = now.open();
        let (open, closed): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(_, message)| is_open.contains(&message.conversation));
        now.messages = open;
        now.first = std::mem::take(&mut self.first);
        now.said = std::mem::take(&mut self.said);
        for (id, message) in now.messages.iter().chain(&closed) {
            let first = now.first.entry(*id);
            first.or_insert_with(|| message.content.clone());
        }
        let mut former = std::mem::take(&mut self.former);
        let changed = messages
            .iter()
            .filter(|(id, message)| now.messages.get(id) != Some(message));
        let changed = changed.map(|(id, message)| (*id, message.clone()));
        for (id, message) in changed
            .chain(closed)
            .filter(|(_, message)| !message.deleted)
        {
            let known = former.entry(id).or_default();
            if !known.contains(&message) {
                known.push(message);
            }
        }
        let mut before = std::mem::replace(self, now);
        before.messages = messages;
        before.first.clone_from(&self.first);
        before.said.clone_from(&self.said);
        (before.counted, before.data_version) = (self.counted, self.data_version);
        // A note of the address of a login changes nothing here.
        self.version += u64::from(before != *self);
        self.former = former;
        Ok(Some(before))
    }

    /// Whether the same is committed, when all of it is read again.
    pub(crate) fn stands(&self, db: &Connection) -> rusqlite::Result<bool> {
        let mut again = tables(db, self.reader.clone())?;
        let all = all_messages(db, &again.reader)?.into_iter();
        let is_open = again.open();
        again.messages = all
            .filter(|(_, message)| is_open.contains(&message.conversation))
            .collect();
        (again.version, again.counted, again.data_version) =
            (self.version, self.counted, self.data_version);
        again.former.clone_from(&self.former);
        again.first.clone_from(&self.first);
        again.said.clone_from(&self.said);
        Ok(again == *self)
    }

    /// The devices of users, and what is stored of their secrets. No answer but that to a login depends on them, so they are
    /// no part of what is compared.
    pub(crate) fn devices(&self, db: &Connection) -> rusqlite::Result<Vec<(usize, Vec<u8>)>> {
        rows(db, "SELECT user, secret FROM devices", [], |row| {
            Ok((self.reader.user(row, 0)?, row.get(1)?))
        })
    }

    /// The conversations of friends, of former friends, and the rooms that are not closed.
    fn open(&self) -> BTreeSet<Conversation> {
        let rooms = self.rooms.values().map(|room| room.conversation);
        let private = self.friends.values().chain(self.parted.values()).copied();
        rooms.chain(private).collect()
    }

    /// The row of a user.
    fn row(&self, user: usize) -> i64 {
        let mut rows = self.reader.users.iter();
        let found = rows.find(|(_, known)| **known == user);
        found.map_or(0, |(row, _)| *row)
    }

    /// The conversation that a user means and may read.
    pub(crate) fn conversation(&self, user: usize, target: Target) -> Option<Conversation> {
        match target {
            Target::User(other) => {
                let both = pair(user, other);
                let found = self.friends.get(&both).or(self.parted.get(&both));
                found.copied()
            }
            Target::Room(room) => {
                let conversation = self.rooms.get(&room)?.conversation;
                let seat = self.seats.get(&(user, conversation));
                seat.map(|_| conversation)
            }
        }
    }

    /// What a user calls a conversation.
    pub(crate) fn target(&self, user: usize, conversation: Conversation) -> Option<Target> {
        if let Some((room, _)) = self.room_of(conversation) {
            return Some(Target::Room(room));
        }
        let mut all = self.friends.iter().chain(&self.parted);
        let (pair, _) = all.find(|(_, private)| **private == conversation)?;
        match *pair {
            (a, b) if a == user => Some(Target::User(b)),
            (a, b) if b == user => Some(Target::User(a)),
            _ => None,
        }
    }

    /// Whether a user calls a conversation so, or called it so before the room had another name.
    pub(crate) fn was_target(&self, user: usize, conversation: Conversation, of: Target) -> bool {
        let had = |room| self.former_names.contains(&(conversation, room));
        self.target(user, conversation) == Some(of) || matches!(of, Target::Room(room) if had(room))
    }

    /// What a message says, and what it said before it was hidden or gone.
    pub(crate) fn told(&self, id: u64) -> impl Iterator<Item = &Stored> {
        let now = self.messages.get(&id);
        now.into_iter()
            .chain(self.former.get(&id).into_iter().flatten())
    }

    /// The message that a user sent with a transaction id: one that is there, or one that is gone, for 30 days.
    pub(crate) fn sent_with(&self, user: usize, txn: &str, now: i64) -> Option<(u64, &Stored)> {
        let is_it =
            |message: &Stored| message.sender == user && message.txn.as_deref() == Some(txn);
        let mut there = self.messages.iter();
        let there = there.find(|(_, message)| is_it(message));
        let is_known = |message: &&Stored| is_it(message) && message.time >= now - TXN_KNOWN;
        let gone = || {
            let mut gone = self.former.iter();
            gone.find_map(|(id, all)| Some((id, all.iter().find(is_known)?)))
        };
        there.or_else(gone).map(|(id, message)| (*id, message))
    }

    /// What a message said first.
    pub(crate) fn first(&self, id: u64) -> &str {
        self.first.get(&id).map_or("", |first| first)
    }

    /// Notes what a message may say for a moment.
    pub(crate) fn say(&mut self, id: u64, content: String) {
        self.said.entry(id).or_default().insert(content);
    }

    /// Whether a message may have said this for a moment.
    pub(crate) fn may_have_said(&self, id: u64, content: &str) -> bool {
        let said = self.said.get(&id);
        said.is_some_and(|said| said.contains(content))
    }

    /// A message that a user sees, now.
    pub(crate) fn seen(&self, user: usize, id: u64, now: i64) -> Option<&Stored> {
        let message = self.messages.get(&id)?;
        let seat = self.seats.get(&(user, message.conversation))?;
        (id > seat.after && !self.is_too_old(message, now)).then_some(message)
    }

    /// What a text names, of a sender in a conversation: it begins with the name if it has one.
    pub(crate) fn names(
        &self,
        sender: usize,
        conversation: Conversation,
        text: &str,
    ) -> Vec<Named> {
        let name = text
            .strip_prefix('@')
            .and_then(|rest| rest.split(' ').next());
        let Some(name) = name else {
            return Vec::new();
        };
        let is_room = self.room_of(conversation).is_some();
        if name == "all" {
            let is_operator = self.role_in(sender, conversation) >= Some(Role::Operator);
            return if is_room && is_operator {
                vec![Named::All]
            } else {
                Vec::new()
            };
        }
        let user = self.users.iter().find(|user| self.name(**user) == name);
        let named = user.filter(|user| {
            let takes_part = self.seats.contains_key(&(**user, conversation));
            takes_part && (is_room || **user != sender)
        });
        named.map(|user| Named::User(*user)).into_iter().collect()
    }

    /// Whether a message is one of the mentions of a user.
    pub(crate) fn is_mention(&self, user: usize, message: &Stored) -> bool {
        let mut named = message.mentions.iter();
        named.any(|named| *named == Named::All || *named == Named::User(user))
            && !self.is_hidden(message)
            && (self.room_of(message.conversation).is_none() || !self.blocks(user, message.sender))
    }

    /// Messages after this one that are hidden or gone.
    pub(crate) fn former_after(&self, id: u64) -> impl Iterator<Item = u64> {
        self.former.range(id + 1..).map(|(id, _)| *id)
    }

    /// Whether new messages of a conversation reach a user.
    pub(crate) fn takes_part(&self, user: usize, conversation: Conversation) -> bool {
        let has_seat = self.seats.contains_key(&(user, conversation));
        let ended = self.parted.values().any(|parted| *parted == conversation);
        has_seat && !ended
    }

    /// Whether nothing of a message is shown: its sender erased everything.
    pub(crate) fn is_hidden(&self, message: &Stored) -> bool {
        let sender = self.accounts.get(&message.sender);
        message.deleted || sender.is_some_and(|sender| sender.erased)
    }

    /// Whether a message is too old to be seen. A day has 86,400 seconds.
    pub(crate) fn is_too_old(&self, message: &Stored, now: i64) -> bool {
        let room = self.room_of(message.conversation);
        let days = room.and_then(|(_, room)| room.keep_days);
        days.is_some_and(|days| message.time < now - days.cast_signed() * 86_400)
    }

    /// Whether no message becomes too old between two times.
    pub(crate) fn ages_alike(&self, one: i64, other: i64) -> bool {
        let mut messages = self.messages.values();
        messages.all(|message| self.is_too_old(message, one) == self.is_too_old(message, other))
    }

    /// The messages that a user may see, oldest first.
    pub(crate) fn visible(
        &self,
        user: usize,
        now: i64,
    ) -> impl DoubleEndedIterator<Item = (u64, &Stored)> {
        self.messages
            .iter()
            .map(|(id, message)| (*id, message))
            .filter(move |(id, message)| {
                let seat = self.seats.get(&(user, message.conversation));
                seat.is_some_and(|seat| *id > seat.after) && !self.is_too_old(message, now)
            })
    }

    /// Messages of others after a user's read marker that are not hidden, and how many of them are mentions. Both stop at
    /// [`UNREAD_MOST`], whatever else came after them.
    pub(crate) fn unread(&self, user: usize, conversation: Conversation, now: i64) -> (u64, u64) {
        let read = self
            .seats
            .get(&(user, conversation))
            .map_or(u64::MAX, |seat| seat.read);
        let unread = self
            .messages
            .range(read.saturating_add(1)..)
            .filter(|(_, message)| message.conversation == conversation && message.sender != user)
            .filter(|(_, message)| !self.is_hidden(message) && !self.is_too_old(message, now));
        let mentions = unread
            .clone()
            .filter(|(_, message)| self.is_mention(user, message));
        let bounded = |count: usize| UNREAD_MOST.min(count as u64);
        (bounded(unread.count()), bounded(mentions.count()))
    }
}

/// The largest unread count in a case.
pub(crate) const UNREAD_MOST: u64 = 3;

/// Seconds that a transaction id is known at least.
const TXN_KNOWN: i64 = 30 * 86_400;

const MESSAGES: &str =
    "SELECT id, conversation, sender, send_time, content, txn_id, deleted_at IS NOT NULL, reply_to, edited_at
     FROM messages WHERE id > ?1";

/// New messages, and those that were ever changed.
const CHANGED: &str =
    "SELECT id, conversation, sender, send_time, content, txn_id, deleted_at IS NOT NULL, reply_to, edited_at
     FROM messages WHERE id > ?1 OR edited_at IS NOT NULL OR deleted_at IS NOT NULL OR annotated";

fn stored(row: &Row<'_>, reader: &Reader) -> rusqlite::Result<(u64, Stored)> {
    let message = Stored {
        conversation: row.get(1)?,
        sender: reader.user(row, 2)?,
        time: row.get(3)?,
        content: row.get(4)?,
        txn: row.get(5)?,
        deleted: row.get(6)?,
        reply: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
        edited: row.get(8)?,
        mentions: Vec::new(),
        reactions: Vec::new(),
    };
    Ok((id(row, 0)?, message))
}

fn all_messages(db: &Connection, reader: &Reader) -> rusqlite::Result<BTreeMap<u64, Stored>> {
    let all = rows(db, MESSAGES, [0], |row| stored(row, reader))?;
    let mut all = all.into_iter().collect();
    annotate(db, &mut all, reader)?;
    Ok(all)
}

/// Reads all mentions and reactions.
fn annotate(
    db: &Connection,
    all: &mut BTreeMap<u64, Stored>,
    reader: &Reader,
) -> rusqlite::Result<()> {
    for message in all.values_mut() {
        (message.mentions, message.reactions) = (Vec::new(), Vec::new());
    }
    let sql = "SELECT message, user FROM mentions ORDER BY message, place";
    let mentions = rows(db, sql, [], |row| Ok((id(row, 0)?, row.get(1)?)))?;
    for (id, user) in mentions {
        let named = if user == 0 {
            Named::All
        } else {
            Named::User(reader.of(user))
        };
        if let Some(message) = all.get_mut(&id) {
            message.mentions.push(named);
        }
    }
    let sql = "SELECT message, emoji, users FROM reactions ORDER BY message, place";
    let reactions = rows(db, sql, [], |row| {
        Ok((id(row, 0)?, row.get(1)?, id(row, 2)?))
    })?;
    for (id, emoji, users) in reactions {
        if let Some(message) = all.get_mut(&id) {
            message.reactions.push((emoji, BTreeSet::new(), users));
        }
    }
    // A deleted message loses its reactions at once, and those who reacted in portions.
    let sql = "SELECT message, emoji, user FROM reactors JOIN reactions USING (message, emoji)";
    let reactors = rows(db, sql, [], |row| {
        Ok((id(row, 0)?, row.get::<_, String>(1)?, reader.user(row, 2)?))
    })?;
    for (id, emoji, user) in reactors {
        let Some(message) = all.get_mut(&id) else {
            continue;
        };
        let mut reactions = message.reactions.iter_mut();
        match reactions.find(|(of, ..)| *of == emoji) {
            Some((_, users, _)) => drop(users.insert(user)),
            None => message.reactions.push((emoji, [user].into(), 0)),
        }
    }
    Ok(())
}

fn counted(db: &Connection) -> rusqlite::Result<i64> {
    let mut count = db.prepare_cached("SELECT count(*) FROM messages")?;
    count.query_row([], |row| row.get(0))
}

/// All but the messages.
fn tables(db: &Connection, mut reader: Reader) -> rusqlite::Result<Truth> {
    let mut truth = Truth::default();
    people::read(db, &mut truth, &mut reader)?;
    rooms::read(db, &mut truth, &reader)?;
    truth.reader = reader;
    Ok(truth)
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
