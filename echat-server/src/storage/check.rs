//! Checks a database: its pages, its references, and what is derived from its rows; and makes the derived parts anew.
//!
//! The server checks each of its backups, so a check needs no memory that grows with the number of messages: no
//! statement of it sorts or joins rows in memory.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::backup::{begin_reading, open_beside, open_copy};
use super::failure::is_damage;
use super::high_water::newest_id;
use super::migrate::{MIGRATIONS, pragma, refuse_older};
use super::open_error::OpenError;
use super::{message_runs, search_index, skeletons};

/// The most faults that are listed.
const FAULTS: usize = 100;

/// Reactions of users that are counted at a time, at least.
const REACTORS: i64 = 4_096;

/// Tables that are derived from others: compared here, made anew by [`derive`], and not copied by a repair.
pub(super) const DERIVED: [&str; 4] = [
    "name_endings",
    "search_blocks",
    "search_progress",
    "search_stale",
];

/// A fault of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// What is wrong, in one line.
    pub what: String,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A page, a row or an index.
    Integrity,
    /// A row that refers to a missing one.
    ForeignKey,
    /// A stored count differs from the rows.
    Counter,
    /// The index of names by their endings differs from the names.
    NameEndings,
    /// A name lacks a skeleton.
    NameLooks,
    /// The index of words differs from the messages.
    SearchIndex,
}

impl FaultKind {
    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::ForeignKey => "foreign_key",
            Self::Counter => "counter",
            Self::NameEndings => "name_endings",
            Self::NameLooks => "name_looks",
            Self::SearchIndex => "search_index",
        }
    }
}

impl Fault {
    /// The fault of a database that cannot be opened, without the advice that the error gives where nothing is
    /// repaired.
    pub fn of_first_page(error: &OpenError) -> Self {
        let what = match error {
            OpenError::Foreign => "it is not that of a database of echat".to_owned(),
            OpenError::Damaged(error) => error.to_string(),
            error => error.to_string(),
        };
        Self::new(FaultKind::Integrity, format!("page 1: {what}"))
    }

    fn new(kind: FaultKind, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { kind, what }
    }

    /// Whether it is about what can be made anew from the rows.
    pub fn is_derived(&self) -> bool {
        !matches!(self.kind, FaultKind::Integrity | FaultKind::ForeignKey)
    }
}

impl Display for Fault {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind.word(), self.what)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// At most 100 faults; none if the database is sound.
    pub faults: Vec<Fault>,
}

impl Findings {
    fn add(&mut self, kind: FaultKind, what: impl Into<String>) {
        if self.faults.len() < FAULTS {
            self.faults.push(Fault::new(kind, what));
        }
    }
}

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The version of its schema.
    pub schema: usize,
    /// The highest message id that it has assigned.
    pub newest_id: u64,
    /// The name of its history; empty if it has none.
    pub history: String,
    /// The number of rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// How many rows of `users` are of deleted accounts; `None` if it was not counted.
    pub deleted_users: Option<u64>,
}

/// The faults and the contents of the database at `path`, which a server may be using. All of it is of one moment.
///
/// # Errors
/// The file cannot be opened, or its schema is not echat's.
pub fn check_database(path: &Path) -> Result<(Findings, Option<Summary>), OpenError> {
    let db = open_beside(path)?;
    let _pinned = begin_reading(&db)?;
    refuse_older(&db, MIGRATIONS)?;
    examined(&db)
}

/// The same of a copy without a log. Nothing is created beside it.
///
/// # Errors
/// The file cannot be opened, or its schema is not echat's.
pub fn check_copy(path: &Path) -> Result<(Findings, Option<Summary>), OpenError> {
    examined(&open_copy(path)?)
}

/// When the newest message of a copy without a log was sent, in unix seconds; 0 if there is none.
///
/// # Errors
/// The file cannot be opened or read, or its schema is not echat's.
pub fn newest_time(path: &Path) -> Result<i64, OpenError> {
    let sql = "SELECT coalesce(max(send_time), 0) FROM messages";
    Ok(open_copy(path)?.query_row(sql, [], |row| row.get(0))?)
}

fn examined(db: &Connection) -> Result<(Findings, Option<Summary>), OpenError> {
    let findings = findings(db)?;
    let summary = match summary(db) {
        Err(error) if is_damage(&error) => None,
        summary => Some(summary?),
    };
    Ok((findings, summary))
}

fn summary(db: &Connection) -> rusqlite::Result<Summary> {
    let schema = usize::try_from(pragma(db, "user_version")?).unwrap_or_default();
    let mut rows = BTreeMap::new();
    for table in tables(db)? {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        rows.insert(table, count(db, &sql)?);
    }
    let has = |table: &str| rows.contains_key(table);
    let history = has("history").then(|| {
        let name = db.query_row("SELECT name FROM history", [], |row| row.get(0));
        name.optional()
    });
    let newest = if has("message_ids") {
        newest_id(db)?
    } else {
        let sql = "SELECT coalesce(max(id), 0) FROM messages";
        db.query_row(sql, [], |row| row.get(0))?
    };
    Ok(Summary {
        schema,
        newest_id: newest.unsigned_abs(),
        history: history.transpose()?.flatten().unwrap_or_default(),
        rows,
        deleted_users: deleted_users(db)?,
    })
}

/// How many accounts are deleted; `None` in a database of a version without deletion.
fn deleted_users(db: &Connection) -> rusqlite::Result<Option<u64>> {
    let column = "SELECT count(*) FROM pragma_table_info('users') WHERE name = 'deleted_at'";
    if count(db, column)? == 0 {
        return Ok(None);
    }
    count(
        db,
        "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL",
    )
    .map(Some)
}

/// The number that a `SELECT count(*)` returns.
pub(super) fn count(db: &Connection, sql: &str) -> rusqlite::Result<u64> {
    let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The tables of echat, without those of `SQLite` itself and those of its index of words.
pub(super) fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut statement = db.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

/// The faults of a database. Damage that ends a part of the check is a fault, not an error.
pub(super) fn findings(db: &Connection) -> Result<Findings, OpenError> {
    skeletons::add_function(db)?;
    let mut found = Findings::default();
    let parts: [fn(&Connection, &mut Findings) -> rusqlite::Result<()>; 6] = [
        integrity,
        foreign_keys,
        counters,
        name_endings,
        name_looks,
        search_index,
    ];
    // What is derived is checked in the newest version only: a start brings an older one there first.
    let is_newest = usize::try_from(pragma(db, "user_version")?) == Ok(MIGRATIONS.len());
    let count = if is_newest { parts.len() } else { 2 };
    for part in &parts[..count] {
        match part(db, &mut found) {
            // The page that it needs is among the faults of the first part, unless that could not list it.
            Err(error) if is_damage(&error) => {
                if !found.faults.iter().any(|fault| !fault.is_derived()) {
                    found.add(FaultKind::Integrity, error.to_string());
                }
            }
            done => done?,
        }
    }
    Ok(found)
}

fn integrity(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = db.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        for line in text.lines().filter(|line| *line != "ok") {
            found.add(FaultKind::Integrity, line);
        }
    }
    Ok(())
}

fn foreign_keys(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut dangling: BTreeMap<(String, String), u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *dangling.entry((row.get(0)?, row.get(2)?)).or_default() += 1;
    }
    for ((table, parent), count) in dangling {
        let what = format!("{count} rows of {table} refer to missing rows of {parent}");
        found.add(FaultKind::ForeignKey, what);
    }
    Ok(())
}

fn counters(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let sql = "SELECT id, members, counted FROM (SELECT r.id, r.members,
                   (SELECT count(*) FROM participants AS p WHERE p.conversation = r.id) AS counted
                   FROM rooms AS r) WHERE members <> counted";
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, members, counted): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let what = format!("room {id} has {counted} members, and {members} are stored");
        found.add(FaultKind::Counter, what);
    }
    let wrong = count(db, WRONG_REACTIONS)?;
    if wrong > 0 {
        let what = format!("{wrong} counts of reactions are not those of the users");
        found.add(FaultKind::Counter, what);
    }
    let wrong = message_runs::count_wrong(db)?;
    if wrong > 0 {
        let what = format!("{wrong} runs of messages of one sender hold messages of others");
        found.add(FaultKind::Counter, what);
    }
    Ok(())
}

/// Reactions to a message with one emoji, as counted and as stored, of which one differs or is missing. A join of both
/// would keep each that it matched in memory.
pub(super) const WRONG_REACTIONS: &str = "SELECT
     (SELECT count(*) FROM reactions AS r WHERE r.users IS NOT
         (SELECT count(*) FROM reactors AS b WHERE b.message = r.message AND b.emoji = r.emoji
              AND b.message NOT IN (SELECT message FROM removed_reactions)))
     + (SELECT count(*) FROM (SELECT DISTINCT message, emoji FROM reactors
              WHERE message NOT IN (SELECT message FROM removed_reactions)) AS b
         WHERE NOT EXISTS
             (SELECT 1 FROM reactions AS r WHERE r.message = b.message AND r.emoji = b.emoji))";

/// Names of accounts and rooms that exist, with their kinds.
const NAMES: &str =
    "names (kind, id, name) AS (SELECT 0, id, name FROM users WHERE deleted_at IS NULL
     UNION ALL SELECT 1, id, name FROM rooms)";

/// Names that the index of names has. It has no bots and no private rooms: FIND adds the private rooms of its user.
const INDEXED: &str =
    "indexed (kind, id, name) AS (SELECT 0, id, name FROM users WHERE deleted_at IS NULL
         AND id NOT IN (SELECT user FROM bots)
     UNION ALL SELECT 1, id, name FROM rooms WHERE private = 0)";

fn name_endings(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let foreign = "SELECT count(*) FROM name_endings AS e
         LEFT JOIN users AS u ON e.kind = 0 AND u.id = e.id AND u.deleted_at IS NULL
             AND u.id NOT IN (SELECT user FROM bots)
         LEFT JOIN rooms AS r ON e.kind = 1 AND r.id = e.id AND r.private = 0
         WHERE e.ending = '' OR coalesce(u.name, r.name) IS NULL
             OR substr(coalesce(u.name, r.name), -length(e.ending)) <> e.ending";
    let foreign = count(db, foreign)?;
    if foreign > 0 {
        let what = format!("{foreign} endings are of no name that FIND may show");
        found.add(FaultKind::NameEndings, what);
    }
    let lacking = format!(
        "WITH {INDEXED} SELECT count(*) FROM indexed AS n WHERE EXISTS (
             WITH RECURSIVE endings (ending) AS (SELECT n.name
                 UNION ALL SELECT substr(ending, 2) FROM endings WHERE length(ending) > 1)
             SELECT 1 FROM endings AS e WHERE NOT EXISTS (SELECT 1 FROM name_endings AS f
                 WHERE f.kind = n.kind AND f.ending = e.ending AND f.id = n.id))"
    );
    let lacking = count(db, &lacking)?;
    if lacking > 0 {
        let what = format!("{lacking} names are not found by all of their parts");
        found.add(FaultKind::NameEndings, what);
    }
    Ok(())
}

/// Skeletons of names that exist. Others stay: the names of deleted accounts and former names are not given out again.
const LOOKS: &str =
    "SELECT n.kind, l.value, n.id FROM names AS n CROSS JOIN json_each(looks(n.name)) AS l";

fn name_looks(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    let sql = format!(
        "WITH {NAMES}, looks (kind, look, id) AS ({LOOKS})
         SELECT count(*) FROM looks AS l WHERE NOT EXISTS (SELECT 1 FROM name_looks AS n
             WHERE n.kind = l.kind AND n.look = l.look AND n.id = l.id)"
    );
    let lacking = count(db, &sql)?;
    if lacking > 0 {
        let what = format!("{lacking} skeletons of names are missing");
        found.add(FaultKind::NameLooks, what);
    }
    Ok(())
}

fn search_index(db: &Connection, found: &mut Findings) -> rusqlite::Result<()> {
    for what in search_index::faults(db)? {
        found.add(FaultKind::SearchIndex, what);
    }
    Ok(())
}

/// Makes anew what is derived from the rows: all indexes, the counts of members and of reactions, and the indexes of
/// names and words. Nothing is changed unless the database is sound afterwards; `false` if it would not be.
///
/// # Errors
/// The database cannot be opened.
pub fn rebuild(path: &Path) -> Result<bool, OpenError> {
    let mut db = open_beside(path)?;
    let rebuilt = rebuilt(&mut db);
    match rebuilt {
        // A row cannot be read, or an index cannot be made of the rows.
        Err(OpenError::Damaged(_)) => Ok(false),
        rebuilt => rebuilt,
    }
}

fn rebuilt(db: &mut Connection) -> Result<bool, OpenError> {
    skeletons::add_function(db)?;
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    step.execute_batch("REINDEX")?;
    derive(&step)?;
    let is_sound = findings(&step)?.faults.is_empty();
    if is_sound {
        step.commit()?;
    }
    Ok(is_sound)
}

/// Writes the counts of members and of reactions, the runs of messages, and the indexes of names and words anew. The
/// function `looks` is registered.
pub(super) fn derive(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "UPDATE rooms SET members = (SELECT count(*) FROM participants AS p WHERE p.conversation = rooms.id);
         DELETE FROM name_endings;
         WITH RECURSIVE {INDEXED}, endings (kind, id, ending) AS (SELECT kind, id, name FROM indexed
             UNION ALL SELECT kind, id, substr(ending, 2) FROM endings WHERE length(ending) > 1)
         INSERT OR IGNORE INTO name_endings (kind, ending, id) SELECT kind, ending, id FROM endings;
         WITH {NAMES} INSERT OR IGNORE INTO name_looks (kind, look, id) {LOOKS};
         DELETE FROM reactors WHERE message IN (SELECT message FROM removed_reactions);
         DELETE FROM removed_reactions;
         DELETE FROM reactions WHERE NOT EXISTS
             (SELECT 1 FROM reactors AS b WHERE b.message = reactions.message AND b.emoji = reactions.emoji);"
    ))?;
    count_reactions(db)?;
    let sql = "UPDATE messages SET annotated = 1 WHERE annotated = 0
         AND (EXISTS (SELECT 1 FROM reactors AS b WHERE b.message = messages.id)
             OR EXISTS (SELECT 1 FROM mentions AS m WHERE m.message = messages.id))";
    db.execute(sql, [])?;
    message_runs::rebuild(db)?;
    search_index::rebuild(db)
}

/// Counts the reactions again, a portion at a time: `SQLite` keeps what a statement is to write of a table that it also
/// reads in memory.
fn count_reactions(db: &Connection) -> rusqlite::Result<()> {
    let mut end = db.prepare(
        "SELECT message FROM reactors WHERE message > ?1 ORDER BY message LIMIT 1 OFFSET ?2",
    )?;
    let mut count = db.prepare(
        "INSERT INTO reactions (message, place, emoji, users)
             SELECT message, coalesce((SELECT max(place) FROM reactions AS r WHERE r.message = b.message), -1)
                     + row_number() OVER (PARTITION BY message ORDER BY emoji), emoji, count(*)
             FROM reactors AS b WHERE message > ?1 AND message <= ?2
             GROUP BY message, emoji ORDER BY message, emoji
             ON CONFLICT (message, emoji) DO UPDATE SET users = excluded.users",
    )?;
    let mut above = i64::MIN;
    while above < i64::MAX {
        let upto = end.query_row([above, REACTORS], |row| row.get(0));
        let upto = upto.optional()?.unwrap_or(i64::MAX);
        count.execute([above, upto])?;
        above = upto;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use echat_proto::names::{RoomName, Username};

    use super::super::Store;
    use super::*;

    /// Three users in a room.
    fn database() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.db");
        let mut store = Store::open(&path).unwrap();
        let mut batch = store.batch();
        let users: Vec<_> = ["ann", "bob", "小明"]
            .into_iter()
            .map(|name| {
                let name = Username::new(name).unwrap();
                batch.create_user(&name, "phc", 1).unwrap().unwrap()
            })
            .collect();
        let room = RoomName::new("tea").unwrap();
        let room = batch.create_room(&room, users[0], 1).unwrap().unwrap();
        for user in users {
            batch.add_member(room, user, 1).unwrap();
        }
        let _ = batch.commit().unwrap();
        (folder, path)
    }

    #[test]
    fn each_derived_part_is_found_and_made_anew() {
        use FaultKind::{Counter, ForeignKey, NameEndings, NameLooks, SearchIndex};
        for (change, kind, mended) in [
            ("UPDATE rooms SET members = 9", Counter, true),
            (
                "DELETE FROM name_endings WHERE ending = 'nn'",
                NameEndings,
                true,
            ),
            (
                "INSERT INTO name_endings VALUES (0, 'x', 1)",
                NameEndings,
                true,
            ),
            (
                "INSERT INTO name_endings VALUES (1, 'a', 99)",
                NameEndings,
                true,
            ),
            ("UPDATE rooms SET private = 1", NameEndings, true),
            (
                "INSERT INTO bots (user, owner, token, created_at) VALUES (3, 1, zeroblob(32), 1)",
                NameEndings,
                true,
            ),
            (
                "UPDATE users SET name = 'deleted account 3', deleted_at = 2 WHERE id = 3",
                NameEndings,
                true,
            ),
            (
                "DELETE FROM name_looks WHERE kind = 0 AND id = 3",
                NameLooks,
                true,
            ),
            (
                "INSERT INTO search_progress (id, above, upto) VALUES (1, 0, 1);
                 INSERT INTO messages (conversation, sender, send_time, content)
                     VALUES (1, 1, 1, 'not indexed')",
                SearchIndex,
                true,
            ),
            (
                "INSERT INTO search (rowid, words) VALUES (7, '000001x')",
                SearchIndex,
                true,
            ),
            (
                "PRAGMA foreign_keys = OFF; UPDATE rooms SET owner = 77, members = 9",
                ForeignKey,
                false,
            ),
        ] {
            is_found(change, kind, mended);
        }
    }

    #[test]
    fn a_run_of_messages_that_holds_one_of_another_sender_is_found_and_made_anew() {
        let change = "INSERT INTO search_progress (id, above, upto) VALUES (1, 0, 0);
             INSERT INTO messages (conversation, sender, send_time, content, run_above)
                 VALUES (1, 1, 1, 'a', NULL), (1, 2, 1, 'b', NULL), (1, 1, 1, 'c', 0)";
        is_found(change, FaultKind::Counter, true);
    }

    /// Changes a sound database, and looks for the one fault that this makes.
    fn is_found(change: &str, kind: FaultKind, mended: bool) {
        let (_folder, path) = database();
        let (before, summary) = check_database(&path).unwrap();
        assert_eq!(before.faults, [], "a sound one");
        assert_eq!(summary.unwrap().rows["participants"], 3);
        Connection::open(&path)
            .unwrap()
            .execute_batch(change)
            .unwrap();
        let found = check_database(&path).unwrap().0.faults;
        assert_eq!(found.len() == 1, mended, "{change}: {found:?}");
        assert_eq!(found[0].kind, kind, "{change}");
        assert_eq!(rebuild(&path).unwrap(), mended, "{change}");
        let left = check_database(&path).unwrap().0.faults;
        let expected = if mended { Vec::new() } else { found };
        assert_eq!(left, expected, "{change}: all or nothing");
    }

    /// A bot, a private room, the lobby, a deleted account and a closed room are no faults, and a rebuild leaves them
    /// as they are.
    #[test]
    fn what_find_does_not_show_is_sound() {
        let (_folder, path) = database();
        let mut store = Store::open(&path).unwrap();
        let mut batch = store.batch();
        let ann = batch.find_user("ann").unwrap().unwrap().id;
        let bot = Username::new("helper").unwrap();
        batch.create_bot(&bot, ann, &[7; 32], (1, None)).unwrap();
        let lobby = RoomName::new("lobby").unwrap();
        batch.create_room(&lobby, None, 1).unwrap().unwrap();
        for name in ["den", "attic"] {
            let name = RoomName::new(name).unwrap();
            let room = batch.create_room(&name, ann, 1).unwrap().unwrap();
            batch.add_member(room, ann, 1).unwrap();
        }
        let was = batch.find_room("den").unwrap().unwrap();
        let mut room = was.clone();
        room.private = true;
        batch.change_room(&was, &room).unwrap();
        let attic = batch.find_room("attic").unwrap().unwrap();
        batch.close_room(&attic).unwrap();
        let _ = batch.commit().unwrap();
        drop(store);
        for _ in 0..2 {
            assert_eq!(check_database(&path).unwrap().0.faults, []);
            assert!(rebuild(&path).unwrap());
        }
    }

    #[test]
    fn an_index_that_lacks_a_row_is_found_and_made_anew() {
        let (_folder, path) = database();
        let db = Connection::open(&path).unwrap();
        // The index loses its entries, and the table does not know.
        db.execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE INDEX rooms_by_owner ON rooms (owner) WHERE owner > 9'
                 WHERE name = 'rooms_by_owner';
             PRAGMA writable_schema = RESET;
             REINDEX rooms_by_owner;
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = 'CREATE INDEX rooms_by_owner ON rooms (owner)'
                 WHERE name = 'rooms_by_owner';
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
        drop(db);
        let found = check_database(&path).unwrap().0.faults;
        assert_eq!(found[0].kind, FaultKind::Integrity, "{found:?}");
        assert!(found[0].what.contains("rooms_by_owner"), "{found:?}");
        assert!(rebuild(&path).unwrap());
        assert_eq!(check_database(&path).unwrap().0.faults, []);
    }
}
