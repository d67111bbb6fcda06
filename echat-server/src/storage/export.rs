//! Writes accounts, friendships, rooms and messages as lines of JSON, and reads them into a new database.
//!
//! docs/export.md specifies the lines. They name users and rooms by their names and contain nothing of how the database
//! stores them, so that they outlive its schema. Secrets are left out, except password hashes if they are asked for.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use echat_proto::emoji::is_emoji;
use echat_proto::limits::{KEEP_DAYS_MAX, SLOW_SECONDS_MAX};
use echat_proto::names::{Content, RoomName, Topic, TxnId, Username};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use serde_json::{Value, json};
use thiserror::Error;

use crate::clock::LAST_TIME;
use crate::secrets::PasswordHash;

use super::MessageId;
use super::annotations::{ALL, MENTIONS_OF};
use super::backup::{begin_reading, open_beside};
use super::check::{derive, findings};
use super::high_water::newest_id;
use super::migrate::{MIGRATIONS, refuse_older};
use super::open_error::OpenError;
use super::schema::create_template;
use super::skeletons;

/// The version of the format.
pub const EXPORT_FORMAT: u64 = 1;

/// Bytes of a line at most: a message may have the reactions of 10,000 users with 20 emoji.
const LINE: u64 = 16 * 1024 * 1024;

/// Message ids that are imported. 0 is before every message.
const IDS: RangeInclusive<i64> = 0..=MessageId::LAST_IMPORTED.0.cast_signed();

/// Times that are imported, in unix seconds.
const TIMES: RangeInclusive<i64> = 0..=LAST_TIME;

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All {
        /// Whether the hashes of passwords are exported too.
        passwords: bool,
    },
    /// What this user stored, and can see.
    User(String),
    /// A room with its members and messages.
    Room(String),
}

/// Why nothing is exported or imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such user or room.
    #[error("there is no {kind} {name:?}")]
    Unknown {
        /// `user` or `room`.
        kind: &'static str,
        /// The name in its stored form.
        name: String,
    },
    /// A line cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is not as docs/export.md says.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The file is a database, but not one of the original E-Chat.
    #[error("this is no database of the original E-Chat: {0}")]
    NotOriginal(String),
    /// Pages of a database of the original E-Chat cannot be read.
    #[error(
        "the database of the original E-Chat is damaged ({0}); import a copy of it that is not"
    )]
    DamagedOriginal(#[source] rusqlite::Error),
    /// The folder has used too many message ids.
    #[error("the newest message id of the data folder is {0}, above which nothing is imported")]
    NoIds(i64),
    /// The imported database contradicts itself.
    #[error("the imported data contradicts itself: {0}")]
    Contradiction(String),
}

impl From<rusqlite::Error> for TransferError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Open(error.into())
    }
}

/// Exports from the database at `database`, which a server may be using, as of one moment. `now` is the time in unix
/// seconds. Returns the number of messages.
///
/// # Errors
/// See [`TransferError`]. What was written then has no last line.
pub fn export(
    database: &Path,
    scope: &Scope,
    now: i64,
    out: &mut impl Write,
) -> Result<u64, TransferError> {
    let db = open_beside(database)?;
    let _pinned = begin_reading(&db)?;
    refuse_older(&db, MIGRATIONS)?;
    let id = match scope {
        Scope::All { .. } => 0,
        Scope::User(name) => id_of(&db, "user", "SELECT id FROM users WHERE name = ?1", name)?,
        Scope::Room(name) => id_of(&db, "room", "SELECT id FROM rooms WHERE name = ?1", name)?,
    };
    let mut export = Export {
        db: &db,
        scope,
        id,
        out,
        lines: 0,
    };
    export.head(now)?;
    export.users()?;
    export.friends()?;
    export.rooms()?;
    export.members()?;
    let before = export.lines;
    export.messages()?;
    let messages = export.lines - before;
    let lines = export.lines;
    export.line(&json!({"type": "end", "lines": lines}))?;
    Ok(messages)
}

fn id_of(db: &Connection, kind: &'static str, sql: &str, name: &str) -> Result<i64, TransferError> {
    let id = db.query_row(sql, [name], |row| row.get(0)).optional()?;
    id.ok_or_else(|| TransferError::Unknown {
        kind,
        name: name.to_owned(),
    })
}

struct Export<'a, W> {
    db: &'a Connection,
    scope: &'a Scope,
    /// The id of the user or room; 0 for everything.
    id: i64,
    out: &'a mut W,
    lines: u64,
}

impl<W: Write> Export<'_, W> {
    fn line(&mut self, value: &Value) -> Result<(), TransferError> {
        writeln!(self.out, "{value}")?;
        self.lines += 1;
        Ok(())
    }

    /// Writes a line for each row of a query. Its one parameter, if it has one, is the id of the scope.
    fn each(
        &mut self,
        sql: &str,
        line: impl Fn(&Row<'_>) -> rusqlite::Result<Value>,
    ) -> Result<(), TransferError> {
        let mut statement = self.db.prepare(sql)?;
        let id = Some(self.id).filter(|_| statement.parameter_count() > 0);
        let mut rows = statement.query(params_from_iter(id))?;
        while let Some(row) = rows.next()? {
            self.line(&line(row)?)?;
        }
        Ok(())
    }

    /// The condition that fits the scope.
    fn condition(&self, user: &'static str, room: &'static str) -> &'static str {
        match self.scope {
            Scope::All { .. } => "TRUE",
            Scope::User(_) => user,
            Scope::Room(_) => room,
        }
    }

    fn head(&mut self, now: i64) -> Result<(), TransferError> {
        let (scope, name) = match self.scope {
            Scope::All { .. } => ("all", None),
            Scope::User(name) => ("user", Some(name)),
            Scope::Room(name) => ("room", Some(name)),
        };
        let newest = newest_id(self.db)?;
        self.line(&json!({
            "type": "export", "format": EXPORT_FORMAT, "echat": env!("CARGO_PKG_VERSION"), "scope": scope,
            "name": name, "created_at": now, "newest_id": newest,
        }))
    }

    fn users(&mut self) -> Result<(), TransferError> {
        let condition = self.condition(
            "u.id = ?1",
            "u.id IN (SELECT user FROM participants WHERE conversation = ?1
                 UNION SELECT sender FROM messages WHERE conversation = ?1)",
        );
        let passwords = matches!(self.scope, Scope::All { passwords: true });
        let is_room = matches!(self.scope, Scope::Room(_));
        let sql = format!(
            "SELECT u.name, u.created_at, u.administrator, u.deleted_at, u.password FROM users AS u
             WHERE {condition} ORDER BY u.id"
        );
        self.each(&sql, |row| {
            let name: String = row.get(0)?;
            let deleted_at: Option<i64> = row.get(3)?;
            let mut line = json!({"type": "user", "name": name});
            if deleted_at.is_some() {
                line["deleted_at"] = deleted_at.into();
            }
            if !is_room {
                line["created_at"] = row.get::<_, i64>(1)?.into();
                line["administrator"] = row.get::<_, bool>(2)?.into();
            }
            // A bot has none.
            let password = row.get::<_, String>(4)?;
            if passwords && deleted_at.is_none() && !password.is_empty() {
                line["password"] = password.into();
            }
            Ok(line)
        })
    }

    fn friends(&mut self) -> Result<(), TransferError> {
        let condition = self.condition("?1 IN (f.low_user, f.high_user)", "FALSE");
        let sql = format!(
            "SELECT l.name, h.name, f.created_at, f.ended_at FROM friendships AS f
             CROSS JOIN users AS l ON l.id = f.low_user CROSS JOIN users AS h ON h.id = f.high_user
             WHERE {condition} ORDER BY f.conversation"
        );
        self.each(&sql, |row| {
            let (low, high): (String, String) = (row.get(0)?, row.get(1)?);
            let (created_at, ended_at): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
            Ok(json!({
                "type": "friends", "users": [low, high], "created_at": created_at, "ended_at": ended_at,
            }))
        })
    }

    fn rooms(&mut self) -> Result<(), TransferError> {
        let condition = self.condition(
            "(r.id IN (SELECT conversation FROM participants WHERE user = ?1)
                 OR r.id IN (SELECT conversation FROM messages WHERE sender = ?1))",
            "r.id = ?1",
        );
        // Of rooms that a user has left, the messages that the user sent need the name alone.
        let shown = self.condition(
            "r.id IN (SELECT conversation FROM participants WHERE user = ?1)",
            "TRUE",
        );
        let sql = format!(
            "SELECT r.name, CASE WHEN {shown} THEN o.name END,
                    CASE WHEN {shown} THEN r.topic ELSE '' END, r.private, r.read_only, r.slow_seconds, r.keep_days, r.created_at
             FROM rooms AS r LEFT JOIN users AS o ON o.id = r.owner WHERE {condition} ORDER BY r.id"
        );
        self.each(&sql, |row| {
            Ok(json!({
                "type": "room",
                "name": row.get::<_, String>(0)?,
                "owner": row.get::<_, Option<String>>(1)?,
                "topic": row.get::<_, String>(2)?,
                "private": row.get::<_, bool>(3)?,
                "read_only": row.get::<_, bool>(4)?,
                "slow_seconds": row.get::<_, i64>(5)?,
                "keep_days": row.get::<_, Option<i64>>(6)?,
                "created_at": row.get::<_, i64>(7)?,
            }))
        })
    }

    fn members(&mut self) -> Result<(), TransferError> {
        let condition = self.condition("p.user = ?1", "p.conversation = ?1");
        let sql = format!(
            "SELECT r.name, l.name, h.name, u.name, p.operator, p.joined_at, p.after_id, p.read_id
             FROM participants AS p CROSS JOIN users AS u ON u.id = p.user
             LEFT JOIN rooms AS r ON r.id = p.conversation
             LEFT JOIN friendships AS f ON f.conversation = p.conversation
             LEFT JOIN users AS l ON l.id = f.low_user LEFT JOIN users AS h ON h.id = f.high_user
             WHERE (r.id IS NOT NULL OR f.conversation IS NOT NULL) AND {condition}
             ORDER BY r.id IS NOT NULL, p.conversation, p.joined_at, p.join_order, p.user"
        );
        self.each(&sql, |row| {
            let mut line = json!({
                "type": "member",
                "user": row.get::<_, String>(3)?,
                "operator": row.get::<_, bool>(4)?,
                "joined_at": row.get::<_, i64>(5)?,
                "after_id": row.get::<_, i64>(6)?,
                "read_id": row.get::<_, i64>(7)?,
            });
            place(row, &mut line)?;
            Ok(line)
        })
    }

    fn messages(&mut self) -> Result<(), TransferError> {
        let condition = self.condition(
            "(m.sender = ?1 OR EXISTS (SELECT 1 FROM participants AS p WHERE p.user = ?1
                 AND p.conversation = m.conversation AND m.id > p.after_id))",
            "m.conversation = ?1",
        );
        // The messages of an account that was erased are hidden before they are removed.
        let sql = format!(
            "SELECT r.name, l.name, h.name, m.id, s.name, m.send_time,
                    CASE WHEN s.erased THEN '' ELSE m.content END, m.txn_id,
                    CASE WHEN s.erased THEN coalesce(m.deleted_at, s.deleted_at, 0) ELSE m.deleted_at END,
                    m.reply_to, m.edited_at, m.annotated
             FROM messages AS m CROSS JOIN users AS s ON s.id = m.sender
             LEFT JOIN rooms AS r ON r.id = m.conversation
             LEFT JOIN friendships AS f ON f.conversation = m.conversation
             LEFT JOIN users AS l ON l.id = f.low_user LEFT JOIN users AS h ON h.id = f.high_user
             WHERE (r.id IS NOT NULL OR f.conversation IS NOT NULL) AND {condition} ORDER BY m.id"
        );
        let is_all = matches!(self.scope, Scope::All { .. });
        let db = self.db;
        self.each(&sql, |row| {
            let deleted_at: Option<i64> = row.get(8)?;
            let mut line = json!({
                "type": "message",
                "id": row.get::<_, i64>(3)?,
                "from": row.get::<_, String>(4)?,
                "time": row.get::<_, i64>(5)?,
            });
            if let Some(time) = deleted_at {
                line["deleted_at"] = time.into();
            } else {
                line["text"] = row.get::<_, String>(6)?.into();
                attached(db, row, &mut line)?;
            }
            // It identifies a message to its sender only.
            if let Some(txn_id) = row.get::<_, Option<String>>(7)?.filter(|_| is_all) {
                line["txn_id"] = txn_id.into();
            }
            place(row, &mut line)?;
            Ok(line)
        })
    }
}

/// Adds what a message has besides its text: columns 9 to 11 of a row, whose column 3 is the id.
fn attached(db: &Connection, row: &Row<'_>, line: &mut Value) -> rusqlite::Result<()> {
    for (key, column) in [("reply_to", 9), ("edited_at", 10)] {
        if let Some(number) = row.get::<_, Option<i64>>(column)? {
            line[key] = number.into();
        }
    }
    if !row.get::<_, bool>(11)? {
        return Ok(());
    }
    let id: i64 = row.get(3)?;
    let mut mentions = db.prepare_cached(MENTIONS_OF)?;
    let mentions = mentions.query_map(params![id, ALL], |row| row.get::<_, String>(0))?;
    let mentions = mentions.collect::<rusqlite::Result<Vec<_>>>()?;
    if !mentions.is_empty() {
        line["mentions"] = mentions.into();
    }
    let mut reactions = db.prepare_cached(
        "SELECT r.emoji, u.name FROM reactions AS r
         CROSS JOIN reactors AS b ON b.message = r.message AND b.emoji = r.emoji
         CROSS JOIN users AS u ON u.id = b.user WHERE r.message = ?1 ORDER BY r.place, u.id",
    )?;
    let mut rows = reactions.query([id])?;
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (emoji, user): (String, String) = (row.get(0)?, row.get(1)?);
        match found.last_mut() {
            Some((last, users)) if *last == emoji => users.push(user),
            _ => found.push((emoji, vec![user])),
        }
    }
    if !found.is_empty() {
        let found = found.into_iter();
        line["reactions"] = found
            .map(|(emoji, users)| json!({"emoji": emoji, "users": users}))
            .collect();
    }
    Ok(())
}

/// Adds the conversation of a row, whose first columns are the names of the room and of the friends.
fn place(row: &Row<'_>, line: &mut Value) -> rusqlite::Result<()> {
    match row.get::<_, Option<String>>(0)? {
        Some(room) => line["room"] = room.into(),
        None => line["friends"] = json!([row.get::<_, String>(1)?, row.get::<_, String>(2)?]),
    }
    Ok(())
}

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Accounts, also those that messages only name.
    pub users: u64,
    /// Rooms.
    pub rooms: u64,
    /// Messages.
    pub messages: u64,
    /// The newest message id of the database that was exported.
    pub newest_id: u64,
}

/// Reads an export into a new database at `fresh`. `now` is the time in unix seconds.
///
/// # Errors
/// See [`TransferError`]. The file at `fresh` is then not to be used.
pub fn import(lines: impl BufRead, fresh: &Path, now: i64) -> Result<Imported, TransferError> {
    create_template(fresh)?;
    let mut db = Connection::open(fresh)?;
    skeletons::add_function(&db)?;
    db.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")?;
    let step = db.transaction()?;
    let mut import = Import {
        db: &step,
        now,
        users: HashMap::new(),
        rooms: HashMap::new(),
        friends: HashMap::new(),
        messages: 0,
        members: 0,
        newest_id: 0,
    };
    import.read(lines)?;
    let imported = import.done()?;
    derive(&step)?;
    step.commit()?;
    if let Some(fault) = findings(&db)?.faults.first() {
        return Err(TransferError::Contradiction(fault.to_string()));
    }
    db.close().map_err(|(_, error)| error)?;
    Ok(imported)
}

struct Import<'a> {
    db: &'a Transaction<'a>,
    now: i64,
    /// Ids by name, also of users whom the export only names.
    users: HashMap<String, i64>,
    rooms: HashMap<String, i64>,
    /// Conversations by the two names.
    friends: HashMap<(String, String), i64>,
    messages: u64,
    members: i64,
    newest_id: i64,
}

/// Why a line is not imported.
#[derive(Debug)]
enum BadLine {
    What(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for BadLine {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn bad(what: impl Into<String>) -> BadLine {
    BadLine::What(what.into())
}

impl Import<'_> {
    fn read(&mut self, mut lines: impl BufRead) -> Result<(), TransferError> {
        let mut number = 0_u64;
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = lines.by_ref().take(LINE).read_until(b'\n', &mut text)?;
            number += 1;
            let wrong = |what: &str| TransferError::Line {
                line: number,
                what: shortened(what),
            };
            if read == 0 {
                return Err(wrong("the last line is missing: the export is cut off"));
            }
            if text.last() != Some(&b'\n') {
                return Err(wrong("the line is too long, or cut off"));
            }
            let value: Value = match serde_json::from_slice(&text) {
                Ok(value) => value,
                Err(error) => return Err(wrong(&error.to_string())),
            };
            if value["type"] == "end" {
                return match value["lines"].as_u64() {
                    Some(lines) if lines == number - 1 => Ok(()),
                    _ => Err(wrong("the export has another number of lines")),
                };
            }
            match self.line(&value, number) {
                Ok(()) => {}
                Err(BadLine::What(what)) => return Err(wrong(&what)),
                Err(BadLine::Sqlite(error)) => {
                    return Err(match error.sqlite_error_code() {
                        Some(rusqlite::ErrorCode::ConstraintViolation) => {
                            wrong(&format!("it contradicts an earlier line: {error}"))
                        }
                        _ => error.into(),
                    });
                }
            }
        }
    }

    fn line(&mut self, value: &Value, number: u64) -> Result<(), BadLine> {
        match (text(value, "type")?, number) {
            ("export", 1) => self.head(value),
            (_, 1) => Err(bad("this is no export of echat")),
            ("user", _) => self.user(value),
            ("friends", _) => self.befriend(value),
            ("room", _) => self.room(value),
            ("member", _) => self.member(value),
            ("message", _) => self.message(value),
            (other, _) => Err(bad(format!("no line has the type {other:?}"))),
        }
    }

    fn head(&mut self, value: &Value) -> Result<(), BadLine> {
        let format = value["format"].as_u64();
        if format != Some(EXPORT_FORMAT) {
            return Err(bad(format!(
                "the export has format {}, this echat knows {EXPORT_FORMAT}",
                value["format"]
            )));
        }
        self.newest_id = whole(value, "newest_id", IDS)?;
        Ok(())
    }

    fn user(&mut self, value: &Value) -> Result<(), BadLine> {
        let name = text(value, "name")?;
        let deleted_at = optional(value, "deleted_at", TIMES)?;
        if self.users.contains_key(name) {
            return Err(bad("the same user twice"));
        }
        let password = value["password"]
            .as_str()
            .filter(|hash| !hash.is_empty())
            .unwrap_or(PasswordHash::NO_PASSWORD);
        let created_at = optional(value, "created_at", TIMES)?.unwrap_or(self.now);
        let administrator = value["administrator"].as_bool().unwrap_or(false);
        self.add_user(name, deleted_at, (password, created_at, administrator))?;
        Ok(())
    }

    fn add_user(
        &mut self,
        name: &str,
        deleted_at: Option<i64>,
        (password, created_at, administrator): (&str, i64, bool),
    ) -> Result<i64, BadLine> {
        // A deleted account has a name that no user can choose.
        let is_valid = Username::new(name).is_ok_and(|valid| valid.as_str() == name);
        if !is_valid && deleted_at.is_none() {
            return Err(bad(format!("{name:?} is not the name of a user")));
        }
        self.db.execute(
            "INSERT INTO users (name, password, created_at, administrator, deleted_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![name, password, created_at, administrator, deleted_at],
        )?;
        let id = self.db.last_insert_rowid();
        self.users.insert(name.to_owned(), id);
        Ok(id)
    }

    /// The id of a user. One that the export only names becomes an account without a password.
    fn user_id(&mut self, name: &str) -> Result<i64, BadLine> {
        if let Some(id) = self.users.get(name) {
            return Ok(*id);
        }
        let is_valid = Username::new(name).is_ok_and(|valid| valid.as_str() == name);
        let deleted_at = (!is_valid).then_some(self.now);
        self.add_user(
            name,
            deleted_at,
            (PasswordHash::NO_PASSWORD, self.now, false),
        )
    }

    fn new_conversation(&self, kind: i64) -> Result<i64, BadLine> {
        let sql = "INSERT INTO conversations (kind) VALUES (?1)";
        self.db.execute(sql, [kind])?;
        Ok(self.db.last_insert_rowid())
    }

    fn befriend(&mut self, value: &Value) -> Result<(), BadLine> {
        let (one, other) = pair(&value["users"])?;
        let (a, b) = (self.user_id(one)?, self.user_id(other)?);
        let conversation = self.new_conversation(0)?;
        self.db.execute(
            "INSERT INTO friendships (low_user, high_user, conversation, created_at, ended_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                a.min(b),
                a.max(b),
                conversation,
                whole(value, "created_at", TIMES)?,
                optional(value, "ended_at", TIMES)?
            ],
        )?;
        let names = (one.to_owned(), other.to_owned());
        self.friends.insert(names, conversation);
        Ok(())
    }

    fn room(&mut self, value: &Value) -> Result<(), BadLine> {
        let name = text(value, "name")?;
        if !RoomName::new(name).is_ok_and(|valid| valid.as_str() == name) {
            return Err(bad(format!("{name:?} is not the name of a room")));
        }
        let owner = match value["owner"].as_str() {
            Some(owner) => Some(self.user_id(owner)?),
            None => None,
        };
        let topic = Topic::new(text(value, "topic")?).map_err(|error| bad(error.to_string()))?;
        let flag = |key: &str| value[key].as_bool().unwrap_or(false);
        let conversation = self.new_conversation(1)?;
        self.db.execute(
            "INSERT INTO rooms (id, name, owner, topic, private, read_only, slow_seconds, keep_days, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                conversation,
                name,
                owner,
                topic.as_str(),
                flag("private"),
                flag("read_only"),
                whole(value, "slow_seconds", 0..=SLOW_SECONDS_MAX.cast_signed())?,
                optional(value, "keep_days", 0..=KEEP_DAYS_MAX.cast_signed())?,
                whole(value, "created_at", TIMES)?,
            ],
        )?;
        self.rooms.insert(name.to_owned(), conversation);
        Ok(())
    }

    /// The conversation of a line.
    fn conversation(&mut self, value: &Value) -> Result<i64, BadLine> {
        if let Some(room) = value["room"].as_str() {
            let known = self.rooms.get(room).copied();
            return known.ok_or_else(|| bad(format!("no earlier line has the room {room:?}")));
        }
        let (one, other) = pair(&value["friends"])?;
        let names = (one.to_owned(), other.to_owned());
        let known = self.friends.get(&names).copied();
        known.ok_or_else(|| bad(format!("no earlier line has the friends {names:?}")))
    }

    fn member(&mut self, value: &Value) -> Result<(), BadLine> {
        let conversation = self.conversation(value)?;
        let user = self.user_id(text(value, "user")?)?;
        self.db.execute(
            "INSERT INTO participants
                 (user, conversation, after_id, read_id, joined_at, operator, join_order)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                user,
                conversation,
                whole(value, "after_id", IDS)?,
                whole(value, "read_id", IDS)?,
                whole(value, "joined_at", TIMES)?,
                value["operator"].as_bool().unwrap_or(false),
                self.members,
            ],
        )?;
        // Lines come in the order in which the members came.
        self.members += 1;
        Ok(())
    }

    fn message(&mut self, value: &Value) -> Result<(), BadLine> {
        let conversation = self.conversation(value)?;
        let sender = self.user_id(text(value, "from")?)?;
        let id = whole(value, "id", 1..=*IDS.end())?;
        let deleted_at = optional(value, "deleted_at", TIMES)?;
        let content = match deleted_at {
            Some(_) => "",
            None => text(value, "text")?,
        };
        if deleted_at.is_none() {
            Content::new(content).map_err(|error| bad(error.to_string()))?;
        }
        let txn_id = value["txn_id"].as_str();
        if let Some(txn_id) = txn_id {
            TxnId::new(txn_id).map_err(|error| bad(error.to_string()))?;
        }
        self.db
            .prepare_cached(
                "INSERT INTO messages
                     (id, conversation, sender, send_time, content, txn_id, deleted_at, reply_to, edited_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                conversation,
                sender,
                whole(value, "time", TIMES)?,
                content,
                txn_id,
                deleted_at,
                optional(value, "reply_to", IDS)?,
                optional(value, "edited_at", TIMES)?,
            ])?;
        if deleted_at.is_none() {
            self.attach(value, (id, conversation, sender))?;
        }
        self.messages += 1;
        self.newest_id = self.newest_id.max(id);
        Ok(())
    }

    /// Adds mentions and reactions to a message.
    fn attach(
        &mut self,
        value: &Value,
        (id, conversation, sender): (i64, i64, i64),
    ) -> Result<(), BadLine> {
        let empty = Vec::new();
        let list = |value: &'_ Value| value.as_array().unwrap_or(&empty).clone();
        let (mentions, reactions) = (list(&value["mentions"]), list(&value["reactions"]));
        let text_of = |value: &Value| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| bad("a name is expected"))
        };
        if mentions.is_empty() && reactions.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE messages SET annotated = 1 WHERE id = ?1";
        self.db.execute(sql, [id])?;
        for (place, name) in (0_i64..).zip(&mentions) {
            let user = match text_of(name)? {
                name if name == ALL => 0,
                name => self.user_id(&name)?,
            };
            self.db.execute(
                "INSERT INTO mentions (message, place, user, conversation, sender)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id, place, user, conversation, sender],
            )?;
        }
        for (place, reaction) in (0_i64..).zip(&reactions) {
            let emoji = text(reaction, "emoji")?;
            let users = list(&reaction["users"]);
            if !is_emoji(emoji) || users.is_empty() {
                return Err(bad("a reaction is an emoji and the users that gave it"));
            }
            for user in &users {
                let user = self.user_id(&text_of(user)?)?;
                let sql = "INSERT INTO reactors (message, emoji, user) VALUES (?1, ?2, ?3)";
                self.db.execute(sql, params![id, emoji, user])?;
            }
            self.db.execute(
                "INSERT INTO reactions (message, place, emoji, users) VALUES (?1, ?2, ?3, ?4)",
                params![
                    id,
                    place,
                    emoji,
                    i64::try_from(users.len()).unwrap_or(i64::MAX)
                ],
            )?;
        }
        Ok(())
    }

    /// The counts. Friends without a line as a member see their conversation from its beginning, and so do owners a
    /// room.
    fn done(&self) -> Result<Imported, TransferError> {
        self.db.execute_batch(
            "INSERT OR IGNORE INTO participants (user, conversation, after_id, read_id, joined_at)
                 SELECT low_user, conversation, 0, 0, created_at FROM friendships
                 UNION ALL SELECT high_user, conversation, 0, 0, created_at FROM friendships;
             INSERT OR IGNORE INTO participants (user, conversation, after_id, read_id, joined_at)
                 SELECT owner, id, 0, 0, created_at FROM rooms WHERE owner IS NOT NULL;",
        )?;
        let count = |map: &HashMap<String, i64>| map.len() as u64;
        Ok(Imported {
            users: count(&self.users),
            rooms: count(&self.rooms),
            messages: self.messages,
            newest_id: self.newest_id.unsigned_abs(),
        })
    }
}

/// Bytes of a sentence that quotes a file at most.
const QUOTING: usize = 240;

/// A sentence that may quote a long line of a file, without its end.
pub fn shortened(sentence: &str) -> String {
    if sentence.len() <= QUOTING {
        return sentence.to_owned();
    }
    format!("{}...", &sentence[..sentence.floor_char_boundary(QUOTING)])
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, BadLine> {
    let found = value[key].as_str();
    found.ok_or_else(|| bad(format!("{key} must be a text")))
}

/// A whole number of a range.
fn whole(value: &Value, key: &str, range: RangeInclusive<i64>) -> Result<i64, BadLine> {
    let found = value[key].as_i64().filter(|number| range.contains(number));
    found.ok_or_else(|| {
        let (least, most) = range.into_inner();
        bad(format!(
            "{key} must be a whole number from {least} to {most}"
        ))
    })
}

/// A whole number of a range; `None` if the key is missing or null.
fn optional(value: &Value, key: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, BadLine> {
    match value[key] {
        Value::Null => Ok(None),
        _ => whole(value, key, range).map(Some),
    }
}

fn pair(value: &Value) -> Result<(&str, &str), BadLine> {
    let names = value.as_array().map(Vec::as_slice);
    match names {
        Some([Value::String(one), Value::String(other)]) => Ok((one, other)),
        _ => Err(bad("two names are expected")),
    }
}
