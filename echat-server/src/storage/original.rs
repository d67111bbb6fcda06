//! Reads a database of the original E-Chat, the program in Python of 2017, and adds what it has to a database.
//!
//! * The original has a row for each recipient of a message. Rows of one time, sender, target and text are one message,
//!   until a recipient comes again.
//! * A message is imported if a present member of its room received it. A member sees a room from the first message on
//!   that it received.
//! * What was imported is found again by its name (`imported_names`) and, for messages, by a txn_id of its own, so that
//!   the same database, or a later state of it, can be imported again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::path::Path;

use echat_proto::limits::{NAME_BYTES, NAME_CHARS};
use echat_proto::names::{Content, Password, RoomName, Username, looks};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::LAST_TIME;
use crate::secrets::PasswordHash;

use super::MessageId;
use super::check::{derive, findings};
use super::export::TransferError;
use super::high_water::newest_id;
use super::migrate::{MIGRATIONS, migrate};
use super::open_error::OpenError;
use super::settings::SETTINGS;
use super::skeletons;

/// Rows that are named for each reason why they are left out.
const ROWS: usize = 20;

// What is read of the tables of the original. One has this spelling.
const USERS: &str =
    "SELECT created_at, username, password FROM users ORDER BY created_at, username";
const FRIENDS: &str = "SELECT from_user, to_user, created_at, accepted FROM freinds ORDER BY rowid";
const ROOMS: &str = "SELECT created_at, room_name FROM chat_rooms ORDER BY created_at, room_name";
const MEMBERS: &str = "SELECT room, user FROM room_users ORDER BY rowid";
const MESSAGES: &str = "SELECT id, send_time, username, sender, target_type, target, content, sent
     FROM messages ORDER BY id";

/// What was imported of an original database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedOriginal {
    /// New accounts.
    pub users: u64,
    /// New friendships.
    pub friends: u64,
    /// New requests for friendship.
    pub requests: u64,
    /// New rooms.
    pub rooms: u64,
    /// New memberships of rooms.
    pub members: u64,
    /// New messages.
    pub messages: u64,
    /// Rows of messages that were read.
    pub rows: u64,
    /// Messages that an earlier import brought.
    pub known: u64,
    /// Names that were changed, a line each.
    pub renamed: Vec<String>,
    /// Accounts whose password is shorter than one of today, by their new names. It still opens them.
    pub weak: Vec<String>,
    /// Accounts without a password that echat can take over, by their new names.
    pub without_password: Vec<String>,
    /// What was left out and why, a line each.
    pub left_out: Vec<String>,
}

impl ImportedOriginal {
    /// Whether the database has changed.
    pub fn is_new(&self) -> bool {
        let new = [
            self.users,
            self.friends,
            self.requests,
            self.rooms,
            self.members,
            self.messages,
        ];
        new.iter().any(|count| *count > 0)
    }
}

/// Adds what the database `original` has to the one at `database`, in one transaction. `given` are an id that new
/// message ids are above, and the time in unix seconds. `hash` makes the PHC string of a password.
///
/// # Errors
/// `original` is not a database of the original, or a file cannot be read or written. Nothing is added then.
pub fn import_original(
    original: &Path,
    database: &Path,
    given: (u64, i64),
    hash: &mut dyn FnMut(&Password) -> PasswordHash,
) -> Result<ImportedOriginal, TransferError> {
    add(original, database, given, hash).map_err(|error| match error {
        // The other database was copied page by page, or made, a moment ago.
        TransferError::Open(OpenError::Damaged(source)) => TransferError::DamagedOriginal(source),
        other => other,
    })
}

fn add(
    original: &Path,
    database: &Path,
    (above, now): (u64, i64),
    hash: &mut dyn FnMut(&Password) -> PasswordHash,
) -> Result<ImportedOriginal, TransferError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(original, flags)?;
    for sql in [USERS, FRIENDS, ROOMS, MEMBERS, MESSAGES] {
        if let Err(error) = from.prepare(sql) {
            return Err(TransferError::NotOriginal(error.to_string()));
        }
    }
    // All of one moment, also while the original runs.
    from.execute_batch("BEGIN")?;
    let mut to = Connection::open(database)?;
    to.execute_batch(SETTINGS)?;
    skeletons::add_function(&to)?;
    migrate(&mut to, MIGRATIONS)?;
    let step = to.transaction()?;
    let newest = newest_id(&step)?.max(i64::try_from(above).unwrap_or(i64::MAX));
    if newest > MessageId::LAST_IMPORTED.row() {
        return Err(TransferError::NoIds(newest));
    }
    let next_id = newest + 1;
    let mut import = Import {
        from: &from,
        db: &step,
        now,
        next_id,
        users: HashMap::new(),
        rooms: HashMap::new(),
        pairs: HashMap::new(),
        members: HashMap::new(),
        seen: BTreeMap::new(),
        left_out: BTreeMap::new(),
        done: ImportedOriginal::default(),
    };
    import.add_users(hash)?;
    import.add_friends()?;
    import.add_rooms()?;
    import.add_members()?;
    import.add_messages()?;
    import.add_participants()?;
    let done = import.report();
    derive(&step)?;
    step.commit()?;
    if let Some(fault) = findings(&to)?.faults.first() {
        return Err(TransferError::Contradiction(fault.to_string()));
    }
    to.close().map_err(|(_, error)| error)?;
    Ok(done)
}

/// What an original name has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownName {
    /// This user or room.
    Id(i64),
    /// The account was deleted, or the room closed, after an earlier import.
    Gone,
}

/// What a user has seen of a conversation.
#[derive(Clone, Copy, Debug)]
struct SeenRange {
    /// The first message that it received.
    first: i64,
    /// The first one that it received and that was not sent to it.
    unread: Option<i64>,
    last: i64,
}

/// Why a row of a message is not read.
enum RowError {
    /// It is left out, for this reason.
    LeftOut(&'static str),
    /// One of the databases failed.
    Sqlite(rusqlite::Error),
}

impl From<&'static str> for RowError {
    fn from(why: &'static str) -> Self {
        Self::LeftOut(why)
    }
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Whether rows are about one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct MessageContents {
    sender: i64,
    conversation: i64,
    content: String,
}

/// A message, and its rows so far.
#[derive(Debug)]
struct Folded {
    same: MessageContents,
    time: i64,
    /// The first row.
    row: i64,
    /// Recipients, and whether it was sent to them.
    recipients: BTreeMap<i64, bool>,
    rows: Vec<i64>,
}

struct Import<'a> {
    from: &'a Connection,
    db: &'a Transaction<'a>,
    now: i64,
    next_id: i64,
    /// By original name.
    users: HashMap<String, KnownName>,
    rooms: HashMap<String, KnownName>,
    /// Private conversations by their two users.
    pairs: HashMap<(i64, i64), i64>,
    /// Members of rooms, and both friends.
    members: HashMap<i64, HashSet<i64>>,
    /// By conversation and user.
    seen: BTreeMap<(i64, i64), SeenRange>,
    /// How many of what are left out, and the first of them, by kind and reason.
    left_out: BTreeMap<(&'static str, &'static str), (u64, Vec<String>)>,
    done: ImportedOriginal,
}

impl Import<'_> {
    fn leave_out(&mut self, what: &'static str, why: &'static str, which: String) {
        let (count, named) = self.left_out.entry((what, why)).or_default();
        *count += 1;
        if named.len() < ROWS {
            named.push(which);
        }
    }

    fn report(mut self) -> ImportedOriginal {
        for ((what, why), (count, named)) in self.left_out {
            let more = if count > named.len() as u64 {
                ", …"
            } else {
                ""
            };
            let line = format!("{what} {}{more} ({count}): {why}", named.join(", "));
            self.done.left_out.push(line);
        }
        self.done
    }

    /// What an earlier import made of a name.
    fn imported(&self, kind: i64, name: &str) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT id FROM imported_names WHERE kind = ?1 AND name = ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        statement
            .query_row(params![kind, name], |row| row.get(0))
            .optional()
    }

    fn note_imported(&self, kind: i64, name: &str, id: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO imported_names (kind, name, id) VALUES (?1, ?2, ?3)";
        self.db.execute(sql, params![kind, name, id]).map(drop)
    }

    fn exists(&self, sql: &str, id: i64) -> rusqlite::Result<bool> {
        self.db.prepare_cached(sql)?.exists([id])
    }

    /// Whether a name in its stored form can be given: no other has it, or looks like it.
    fn is_free(&self, kind: i64, name: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM name_looks WHERE kind = ?1 AND look = ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        for look in looks(name) {
            if statement.exists(params![kind, look])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The name that an original one becomes: the first that is free of
    /// 1. the name itself;
    /// 2. the name as [`plain`] makes it, or `user` or `room` if that leaves nothing;
    /// 3. the same with `-2`, `-3` and so on behind it, as long as that is a name;
    /// 4. `user` or `room` with these numbers.
    fn free_name(&self, kind: i64, name: &str) -> rusqlite::Result<String> {
        let stored = |name: String| match kind {
            0 => Username::new(&name).ok().map(|name| name.to_string()),
            _ => RoomName::new(&name).ok().map(|name| name.to_string()),
        };
        let noun = if kind == 0 { "user" } else { "room" };
        let plain = match plain(name) {
            plain if plain.is_empty() => noun.to_owned(),
            plain => plain,
        };
        let whole = [name.to_owned(), plain.clone()].into_iter();
        let candidates = whole
            .filter_map(stored)
            .chain(numbered(&plain).map_while(stored))
            .chain(numbered(noun).filter_map(stored));
        for candidate in candidates {
            if self.is_free(kind, &candidate)? {
                return Ok(candidate);
            }
        }
        unreachable!("numbers do not end")
    }

    /// Takes a name.
    fn take_name(&mut self, kind: i64, name: &str, stored: &str, id: i64) -> rusqlite::Result<()> {
        for look in looks(stored) {
            let sql = "INSERT INTO name_looks (kind, look, id) VALUES (?1, ?2, ?3)";
            self.db.execute(sql, params![kind, look, id])?;
        }
        self.note_imported(kind, name, id)?;
        if name != stored {
            let noun = if kind == 0 { "user" } else { "room" };
            self.done
                .renamed
                .push(format!("{noun} {name:?} is now {stored}"));
        }
        Ok(())
    }

    fn add_users(
        &mut self,
        hash: &mut dyn FnMut(&Password) -> PasswordHash,
    ) -> rusqlite::Result<()> {
        let mut found = Vec::new();
        let mut statement = self.from.prepare(USERS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(name) = text(row, 1)? else {
                self.leave_out("user", "the name is no text", "?".to_owned());
                continue;
            };
            let password = text(row, 2)?.map(Zeroizing::new);
            found.push((name, time(row, 0)?.unwrap_or(self.now), password));
        }
        // Names that stay as they are go first, so that no changed one takes them.
        found
            .sort_by_key(|(name, ..)| !is_stored(name, Username::new(name).map(|n| n.to_string())));
        for (name, created_at, password) in found {
            if let Some(id) = self.imported(0, &name)? {
                let is_there = "SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NULL";
                let known = if self.exists(is_there, id)? {
                    KnownName::Id(id)
                } else {
                    self.leave_out("user", "the account was deleted", format!("{name:?}"));
                    KnownName::Gone
                };
                self.users.insert(name, known);
                continue;
            }
            let stored = self.free_name(0, &name)?;
            let password = password.and_then(|password| Password::presented(&password).ok());
            let hash = password.as_ref().map(&mut *hash);
            let phc = hash
                .as_ref()
                .map_or(PasswordHash::NO_PASSWORD, PasswordHash::as_str);
            self.db.execute(
                "INSERT INTO users (name, password, created_at) VALUES (?1, ?2, ?3)",
                params![stored, phc, created_at],
            )?;
            let id = self.db.last_insert_rowid();
            self.take_name(0, &name, &stored, id)?;
            match &password {
                None => self.done.without_password.push(stored.clone()),
                Some(password) if !password.is_allowed() => self.done.weak.push(stored.clone()),
                Some(_) => {}
            }
            self.users.insert(name, KnownName::Id(id));
            self.done.users += 1;
        }
        Ok(())
    }

    /// The user of a name.
    fn user(&self, name: Option<String>) -> Result<i64, &'static str> {
        match name.and_then(|name| self.users.get(&name)) {
            Some(KnownName::Id(id)) => Ok(*id),
            Some(KnownName::Gone) => Err("an account was deleted"),
            None => Err("a user does not exist"),
        }
    }

    /// The private conversation of two users, which is made unless there is one.
    fn pair(
        &mut self,
        (a, b): (i64, i64),
        created_at: i64,
        ended_at: Option<i64>,
    ) -> rusqlite::Result<i64> {
        let pair = (a.min(b), a.max(b));
        if let Some(conversation) = self.pairs.get(&pair) {
            return Ok(*conversation);
        }
        let sql = "SELECT conversation FROM friendships WHERE low_user = ?1 AND high_user = ?2";
        let known = self.db.query_row(sql, pair, |row| row.get(0)).optional()?;
        let conversation = if let Some(conversation) = known {
            conversation
        } else {
            let id = self.new_conversation(0)?;
            let sql =
                "INSERT INTO friendships (low_user, high_user, conversation, created_at, ended_at)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![pair.0, pair.1, id, created_at, ended_at];
            self.db.execute(sql, row)?;
            self.done.friends += 1;
            id
        };
        self.pairs.insert(pair, conversation);
        self.members
            .insert(conversation, HashSet::from([pair.0, pair.1]));
        Ok(conversation)
    }

    fn new_conversation(&self, kind: i64) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO conversations (kind) VALUES (?1)";
        self.db.execute(sql, [kind])?;
        Ok(self.db.last_insert_rowid())
    }

    fn add_friends(&mut self) -> rusqlite::Result<()> {
        let mut requests = Vec::new();
        let mut statement = self.from.prepare(FRIENDS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (from, to) = (text(row, 0)?, text(row, 1)?);
            let which = format!(
                "{:?} and {:?}",
                or_none(from.as_deref()),
                or_none(to.as_deref())
            );
            let created_at = time(row, 2)?.unwrap_or(self.now);
            let pair = match (self.user(from), self.user(to)) {
                (Err(why), _) | (_, Err(why)) => Err(why),
                (Ok(from), Ok(to)) if from == to => Err("both are the same user"),
                (Ok(from), Ok(to)) => Ok((from, to)),
            };
            match pair {
                Err(why) => self.leave_out("friendship of", why, which),
                Ok(pair) if flag(row, 3)? => {
                    self.pair(pair, created_at, None)?;
                }
                Ok(pair) => requests.push((pair, created_at)),
            }
        }
        for ((from, to), created_at) in requests {
            // Friends, or a request the other way round: there is nothing left to ask.
            let sql = "SELECT 1 FROM friendships WHERE low_user = ?1 AND high_user = ?2
                       UNION ALL SELECT 1 FROM friend_requests
                           WHERE (sender = ?1 AND receiver = ?2) OR (sender = ?2 AND receiver = ?1)";
            let pair = (from.min(to), from.max(to));
            if self.db.prepare_cached(sql)?.exists(pair)? {
                continue;
            }
            let sql =
                "INSERT INTO friend_requests (sender, receiver, created_at) VALUES (?1, ?2, ?3)";
            self.db.execute(sql, (from, to, created_at))?;
            self.done.requests += 1;
        }
        Ok(())
    }

    fn add_rooms(&mut self) -> rusqlite::Result<()> {
        let mut found = Vec::new();
        let mut statement = self.from.prepare(ROOMS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match text(row, 1)? {
                Some(name) => found.push((name, time(row, 0)?.unwrap_or(self.now))),
                None => self.leave_out("room", "the name is no text", "?".to_owned()),
            }
        }
        found.sort_by_key(|(name, _)| !is_stored(name, RoomName::new(name).map(|n| n.to_string())));
        for (name, created_at) in found {
            if let Some(id) = self.imported(1, &name)? {
                let known = if self.exists("SELECT 1 FROM rooms WHERE id = ?1", id)? {
                    KnownName::Id(id)
                } else {
                    self.leave_out("room", "it was closed", format!("{name:?}"));
                    KnownName::Gone
                };
                self.rooms.insert(name, known);
                continue;
            }
            let Some(owner) = self.first_member(&name)? else {
                self.leave_out("room", "it has no members", format!("{name:?}"));
                continue;
            };
            let stored = self.free_name(1, &name)?;
            let id = self.new_conversation(1)?;
            self.db.execute(
                "INSERT INTO rooms (id, name, owner, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![id, stored, owner, created_at],
            )?;
            self.take_name(1, &name, &stored, id)?;
            self.rooms.insert(name, KnownName::Id(id));
            self.done.rooms += 1;
        }
        Ok(())
    }

    /// The member with the oldest account.
    fn first_member(&self, room: &str) -> rusqlite::Result<Option<i64>> {
        let sql = "SELECT m.user FROM room_users AS m JOIN users AS u ON u.username = m.user
                   WHERE m.room = ?1 ORDER BY u.created_at, u.username";
        let mut statement = self.from.prepare_cached(sql)?;
        let mut rows = statement.query([room])?;
        while let Some(row) = rows.next()? {
            if let Ok(user) = self.user(text(row, 0)?) {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    fn room(&self, name: Option<String>) -> Result<i64, &'static str> {
        match name.and_then(|name| self.rooms.get(&name)) {
            Some(KnownName::Id(id)) => Ok(*id),
            Some(KnownName::Gone) => Err("the room was closed"),
            None => Err("the room does not exist, or has no members"),
        }
    }

    fn add_members(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.from.prepare(MEMBERS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (room, user) = (text(row, 0)?, text(row, 1)?);
            let which = format!(
                "{:?} of {:?}",
                or_none(user.as_deref()),
                or_none(room.as_deref())
            );
            match (self.room(room), self.user(user)) {
                (Ok(room), Ok(user)) => {
                    let sql = "SELECT 1 FROM left_rooms WHERE conversation = ?1 AND user = ?2
                               UNION ALL SELECT 1 FROM bans WHERE room = ?1 AND user = ?2";
                    if self.db.prepare_cached(sql)?.exists((room, user))? {
                        self.leave_out("member", "the user left the room", which);
                    } else {
                        self.members.entry(room).or_default().insert(user);
                    }
                }
                (Err(why), _) | (_, Err(why)) => self.leave_out("member", why, which),
            }
        }
        Ok(())
    }

    fn add_messages(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.from.prepare(MESSAGES)?;
        let mut rows = statement.query([])?;
        // Those of one second: rows of one message have one time.
        let mut folded: Vec<Folded> = Vec::new();
        let mut second = None;
        while let Some(row) = rows.next()? {
            self.done.rows += 1;
            // A table without its key may have anything there.
            let ValueRef::Integer(id) = row.get_ref(0)? else {
                self.leave_out("message row", "the id is no number", "?".to_owned());
                continue;
            };
            let (time, same, recipient) = match self.message(row) {
                Ok(message) => message,
                Err(RowError::LeftOut(why)) => {
                    self.leave_out("message row", why, id.to_string());
                    continue;
                }
                Err(RowError::Sqlite(error)) => return Err(error),
            };
            if second.replace(time) != Some(time) {
                self.store(&mut folded)?;
            }
            let sent = flag(row, 7)?;
            let goes_on = folded
                .iter_mut()
                .find(|other| other.same == same && !other.recipients.contains_key(&recipient));
            match goes_on {
                Some(other) => {
                    other.recipients.insert(recipient, sent);
                    other.rows.push(id);
                }
                None => folded.push(Folded {
                    same,
                    time,
                    row: id,
                    recipients: BTreeMap::from([(recipient, sent)]),
                    rows: vec![id],
                }),
            }
        }
        self.store(&mut folded)
    }

    /// Time, content and recipient of a row.
    fn message(&mut self, row: &Row<'_>) -> Result<(i64, MessageContents, i64), RowError> {
        let ValueRef::Integer(time) = row.get_ref(1)? else {
            return Err(RowError::LeftOut("the time is no number"));
        };
        let content = text(row, 6)?.ok_or("the text is no text")?;
        if content.is_empty() {
            return Err(RowError::LeftOut("the text is empty"));
        }
        let content = Content::new(content)
            .map_err(|_| "the text has characters that echat does not allow, or is too long")?;
        let recipient = text(row, 2)?;
        let sender = text(row, 3)?;
        let (recipient, sender) = (self.user(recipient)?, self.user(sender)?);
        let target = text(row, 5)?;
        let conversation = match row.get_ref(4)? {
            ValueRef::Integer(1) => self.room(target)?,
            ValueRef::Integer(0) => {
                let target = self.user(target)?;
                // The row of the sender names the recipient, and that of the recipient the sender.
                if recipient != sender && target != sender {
                    return Err(RowError::LeftOut("sender and target do not fit"));
                }
                let other = if recipient == sender {
                    target
                } else {
                    recipient
                };
                if other == sender {
                    return Err(RowError::LeftOut("it is from a user to the same user"));
                }
                // Friendships did not end: this one is missing for another reason, and the history stays.
                self.pair((sender, other), time, Some(self.now))?
            }
            _ => return Err(RowError::LeftOut("the kind of its target is unknown")),
        };
        let same = MessageContents {
            sender,
            conversation,
            content: content.into_text(),
        };
        Ok((time.clamp(0, LAST_TIME), same, recipient))
    }

    /// Stores messages, except those that are there already and those that no present member received.
    fn store(&mut self, folded: &mut Vec<Folded>) -> rusqlite::Result<()> {
        for message in folded.drain(..) {
            let MessageContents {
                sender,
                conversation,
                content,
            } = &message.same;
            let members = self.members.get(conversation);
            let is_seen = |user: &i64| members.is_some_and(|members| members.contains(user));
            if !message.recipients.keys().any(is_seen) {
                for row in message.rows {
                    let why = "no member of the room received it";
                    self.leave_out("message row", why, row.to_string());
                }
                continue;
            }
            let txn_id = txn_id(&message);
            let sql = "SELECT id FROM messages WHERE sender = ?1 AND txn_id = ?2";
            let mut find = self.db.prepare_cached(sql)?;
            let known: Option<i64> = find
                .query_row(params![sender, txn_id], |row| row.get(0))
                .optional()?;
            drop(find);
            let id = if let Some(id) = known {
                self.done.known += 1;
                id
            } else {
                let sql =
                    "INSERT INTO messages (id, conversation, sender, send_time, content, txn_id)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let (id, time) = (self.next_id, message.time);
                let row = params![id, conversation, sender, time, content, txn_id];
                self.db.prepare_cached(sql)?.execute(row)?;
                self.next_id += 1;
                self.done.messages += 1;
                id
            };
            for (user, sent) in message.recipients {
                let seen = self.seen.entry((*conversation, user)).or_insert(SeenRange {
                    first: id,
                    unread: None,
                    last: id,
                });
                seen.last = id;
                if !sent {
                    seen.unread.get_or_insert(id);
                }
            }
        }
        Ok(())
    }

    /// Adds members. One that is there already keeps its markers.
    fn add_participants(&mut self) -> rusqlite::Result<()> {
        let newest = self.next_id - 1;
        let of_friends: HashSet<i64> = self.pairs.values().copied().collect();
        for (conversation, users) in &self.members {
            for user in users {
                // Without a message, a member sees what comes.
                let seen = self.seen.get(&(*conversation, *user));
                let after = seen.map_or(newest, |seen| seen.first - 1);
                let read = seen.map_or(newest, |seen| seen.unread.map_or(seen.last, |id| id - 1));
                let sql = "INSERT OR IGNORE INTO participants (user, conversation, after_id, read_id, joined_at)
                           SELECT ?1, ?2, ?3, ?4, max(
                               coalesce((SELECT created_at FROM rooms WHERE id = ?2), 0),
                               (SELECT created_at FROM users WHERE id = ?1))";
                let row = params![user, conversation, after, read.max(after)];
                let added = self.db.prepare_cached(sql)?.execute(row)?;
                if !of_friends.contains(conversation) {
                    self.done.members += added as u64;
                }
            }
        }
        Ok(())
    }
}

/// The txn_id under which a message is found again: of its first row, and of what it says.
fn txn_id(message: &Folded) -> String {
    let mut digest = Sha256::new();
    digest.update(message.time.to_be_bytes());
    digest.update(message.same.content.as_bytes());
    let mut txn_id = format!("original-{}-", message.row);
    for byte in &digest.finalize()[..8] {
        // A string takes all text.
        let _ = write!(txn_id, "{byte:02x}");
    }
    txn_id
}

/// A name with `_` in the place of each character that no name may have, without separators before the first letter or
/// digit, cut to the limits of a name.
fn plain(name: &str) -> String {
    let is_good = |c: char| c.is_alphanumeric() || "_.-".contains(c);
    let replaced = name.chars().map(|c| if is_good(c) { c } else { '_' });
    cut(replaced.skip_while(|c| !c.is_alphanumeric()), 0)
}

/// A name with `-2`, `-3` and so on behind it, cut to the limits of a name.
fn numbered(name: &str) -> impl Iterator<Item = String> {
    (2_u64..).map(move |number| {
        let end = format!("-{number}");
        cut(name.chars(), end.len()) + &end
    })
}

/// The beginning of a name that leaves `room` bytes of ASCII free within the limits of a name.
fn cut(name: impl Iterator<Item = char>, room: usize) -> String {
    let mut bytes = room;
    let fits = |c: &char| {
        bytes += c.len_utf8();
        bytes <= NAME_BYTES
    };
    name.take(NAME_CHARS - room).take_while(fits).collect()
}

/// Whether a name is in its stored form already.
fn is_stored<E>(name: &str, stored: Result<String, E>) -> bool {
    stored.is_ok_and(|stored| stored == name)
}

fn or_none(name: Option<&str>) -> &str {
    name.unwrap_or("?")
}

/// A text, or none if the column has something else.
fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    })
}

fn flag(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(matches!(row.get_ref(column)?, ValueRef::Integer(value) if value != 0))
}

/// A time as the original writes it, in UTC: `2026-11-22 07:22:50`. In unix seconds.
fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<i64>> {
    let parsed = text(row, column)?.and_then(|text| text.parse::<DateTime>().ok());
    let zoned = parsed.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    Ok(zoned.map(|time| time.timestamp().as_second().max(0)))
}
