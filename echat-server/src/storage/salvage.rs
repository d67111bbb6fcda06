//! Copies what can be read of a damaged database into a new one, and lists what is lost.
//!
//! A table is read in the order of its key from both ends until a page cannot be read. The range between is divided, so
//! that what lies between damaged pages is read too. Then the rows of one table replace what another lost: the index of
//! names still has the name of an account whose row is gone, and the index of members the members. What cannot be read
//! and is referred to becomes a row that refers to nothing: an account becomes a deleted one, a room gets a new name.
//!
//! Nothing that was hidden is shown again by a repair: indexes know which rooms are public, which have no owner, which
//! accounts are being erased and which friendships ended. What no index can tell counts as private, or as ended.
//!
//! `SQLite` has an extension for this, `sqlite3_recover`. The bundled library does not contain it, and it knows nothing
//! of what the tables mean.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use echat_proto::names::Username;
use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params_from_iter};

use crate::secrets::PasswordHash;

use super::backup::open_beside;
use super::check::{DERIVED, Findings, count, derive, findings, tables};
use super::failure::is_damage;
use super::migrate::{MIGRATIONS, refuse_older};
use super::open_error::OpenError;
use super::rooms::SUCCESSOR;
use super::schema::{ROW_BYTES, create_template};
use super::skeletons;

/// The most times that ranges of one table are divided: a second. What is not divided then is lost as a whole. A
/// damaged leaf takes as many as it has rows, some dozens; a damaged page above the leaves some thousands.
const DIVISIONS: u32 = 20_000;

/// A wider range is divided near its beginning, since ids are dense there.
const WIDE: u64 = 1 << 10;

/// The table of messages.
const MESSAGES: &str = "messages";

/// The most lines about what is lost, for each table.
const LINES: usize = 100;

/// What came of a salvage.
#[derive(Debug)]
pub struct Salvaged {
    /// Rows that were copied.
    pub rows: u64,
    /// What is lost, a line each.
    pub lost: Vec<String>,
    /// The highest message id that was met anywhere.
    pub newest_id: u64,
    /// The faults of the new database; none if it can be used.
    pub findings: Findings,
}

/// Copies what can be read of the database at `damaged`, which is of the newest version, to a new one at `fresh`.
/// `given` is the highest message id that is known to have been given out, 0 if none is; `now` is the time in unix
/// seconds. If the first page is damaged, a copy of the database beside `fresh` is read.
///
/// # Errors
/// The damaged database cannot be opened at all, is of an older version, or a file cannot be written.
pub fn salvage(damaged: &Path, fresh: &Path, given: u64, now: i64) -> Result<Salvaged, OpenError> {
    create_template(fresh)?;
    let patched = fresh.with_extension("patched");
    let from = match open_beside(damaged) {
        Err(OpenError::Damaged(_) | OpenError::Foreign) => {
            open_patched(damaged, &patched, fresh).map(|db| (db, true))
        }
        opened => opened.map(|db| (db, false)),
    };
    let (from, is_patched) = from?;
    let salvaged = salvage_from(&from, fresh, given, now);
    from.close().map_err(|(_, error)| error)?;
    if is_patched {
        remove_with_log(&patched)?;
    }
    salvaged
}

fn salvage_from(
    from: &Connection,
    fresh: &Path,
    given: u64,
    now: i64,
) -> Result<Salvaged, OpenError> {
    from.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES)?;
    refuse_older(from, MIGRATIONS)?;
    let mut to = Connection::open(fresh)?;
    skeletons::add_function(&to)?;
    to.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = FULL")?;
    let step = to.transaction()?;
    let mut salvage = Salvage {
        from,
        to: &step,
        now,
        rows: 0,
        lost: Vec::new(),
        newest_id: i64::try_from(given).unwrap_or(0),
        without_owner: Vec::new(),
        lost_messages: Vec::new(),
    };
    salvage.copy()?;
    salvage.mend()?;
    let Salvage {
        rows,
        lost,
        newest_id,
        ..
    } = salvage;
    derive(&step)?;
    step.commit()?;
    let findings = findings(&to)?;
    to.close().map_err(|(_, error)| error)?;
    Ok(Salvaged {
        rows,
        lost,
        newest_id: newest_id.unsigned_abs(),
        findings,
    })
}

/// Bytes of the header, which is the beginning of the first page (<https://sqlite.org/fileformat2.html>, section 1.3).
const HEADER: usize = 100;

/// Bytes of a page of echat's databases.
const PAGE: usize = 4096;

/// Where the header has the number of pages, and the first page and the number of unused ones.
const PAGES_AT: usize = 28;
const UNUSED_AT: Range<usize> = 32..40;

/// Opens a copy of a database whose first page is damaged, with that of `fresh`, a new database, in its place: first
/// with its header only, then with all of it, which has the beginning of the schema. The second fits a database that
/// was created by this version; the schema is compared.
fn open_patched(damaged: &Path, copy: &Path, fresh: &Path) -> Result<Connection, OpenError> {
    let mut last = OpenError::Foreign;
    for length in [HEADER, PAGE] {
        remove_with_log(copy)?;
        patch(damaged, copy, fresh, length).map_err(OpenError::Log)?;
        match open_beside(copy) {
            Ok(db) => return Ok(db),
            Err(error) => last = error,
        }
    }
    remove_with_log(copy)?;
    Err(last)
}

/// Copies a database with its log, and replaces its first bytes.
fn patch(damaged: &Path, copy: &Path, fresh: &Path, length: usize) -> io::Result<()> {
    fs::copy(damaged, copy)?;
    match fs::copy(beside(damaged, LOG), beside(copy, LOG)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut page = [0; PAGE];
    File::open(fresh)?.read_exact_at(&mut page, 0)?;
    let file = OpenOptions::new().write(true).open(copy)?;
    let pages = file.metadata()?.len() / PAGE as u64;
    let pages = u32::try_from(pages).unwrap_or(u32::MAX);
    page[PAGES_AT..PAGES_AT + 4].copy_from_slice(&pages.to_be_bytes());
    // Which pages are unused is not known; no row is read from them.
    page[UNUSED_AT].fill(0);
    file.write_all_at(&page[..length], 0)
}

/// Suffixes of the files beside a database.
const LOG: &str = "-wal";
const COMPANIONS: [&str; 3] = ["", LOG, "-shm"];

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}

fn remove_with_log(database: &Path) -> Result<(), OpenError> {
    for suffix in COMPANIONS {
        match fs::remove_file(beside(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::Log(error));
            }
            _ => {}
        }
    }
    Ok(())
}

struct Salvage<'a> {
    from: &'a Connection,
    to: &'a Transaction<'a>,
    now: i64,
    rows: u64,
    lost: Vec<String>,
    /// The highest message id that is known to have been given out.
    newest_id: i64,
    /// Rooms whose row was lost.
    without_owner: Vec<i64>,
    /// Ranges of ids of messages that cannot be read.
    lost_messages: Vec<(i64, i64)>,
}

/// The order in which a table is read.
#[derive(Clone, Debug)]
enum ReadOrder {
    /// By a whole number, of which there is one for each row.
    Unique(String),
    /// By a whole number, of which there may be several rows.
    First(String),
    /// By other columns.
    Other(String),
}

impl ReadOrder {
    fn columns(&self) -> &str {
        match self {
            Self::Unique(column) | Self::First(column) | Self::Other(column) => column,
        }
    }
}

/// How far a range was read.
enum Swept {
    /// To its end.
    Whole,
    /// To this key, beyond which nothing can be read; `None`: not even the first row.
    Until(Option<i64>),
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

impl Salvage<'_> {
    fn copy(&mut self) -> Result<(), OpenError> {
        for table in tables(self.to)? {
            if !DERIVED.contains(&table.as_str()) {
                self.copy_table(&table)?;
            }
        }
        Ok(())
    }

    fn copy_table(&mut self, table: &str) -> Result<(), OpenError> {
        let (columns, key) = self.shape(table)?;
        let mut copier = Copier {
            from: self.from,
            to: self.to,
            up: select(table, &columns, &key, "ASC"),
            down: select(table, &columns, &key, "DESC"),
            insert: format!(
                "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
                columns.join(", "),
                vec!["?"; columns.len()].join(", ")
            ),
            key: key.clone(),
            rows: 0,
            refused: Vec::new(),
        };
        let lost = copier.copy()?;
        self.rows += copier.rows;
        let refused = copier.refused.iter().map(|key| (*key, *key));
        let mut ranges: Vec<(i64, i64)> = lost.into_iter().chain(refused).collect();
        ranges.sort_unstable();
        // Those of messages and accounts are named below, as far as indexes know them.
        let ranges = merged(&ranges);
        if table == MESSAGES {
            self.lost_messages.clone_from(&ranges);
        }
        let more = ranges.len().saturating_sub(LINES);
        let highest = self.last_number(table)?;
        for (low, high) in ranges.into_iter().take(LINES) {
            self.lost.push(match (&key, low, high) {
                (ReadOrder::Other(_), ..) => format!("{table}: some rows cannot be read"),
                (_, low, i64::MAX) if highest >= low => format!(
                    "{table}: rows from number {low} on cannot be read: {} numbers up to {highest}, the last one that is known",
                    highest - low + 1
                ),
                (_, low, i64::MAX) => format!("{table}: rows from number {low} on cannot be read"),
                (_, low, high) if low == high => format!("{table}: row {low} cannot be read"),
                (_, low, high) => format!("{table}: rows {low} to {high} cannot be read"),
            });
        }
        if more > 0 {
            self.lost.push(format!(
                "{table}: rows of {more} more ranges cannot be read"
            ));
        }
        Ok(())
    }

    /// The last number of a row that a table is known to have had; 0 if that is not known.
    fn last_number(&mut self, table: &str) -> Result<i64, OpenError> {
        let read = if table == MESSAGES {
            let sql = "SELECT max(assigned) FROM message_ids";
            self.from.query_row(sql, [], |row| row.get(0))
        } else {
            let sql = "SELECT max(seq) FROM sqlite_sequence WHERE name = ?1";
            self.from.query_row(sql, [table], |row| row.get(0))
        };
        let last: Option<i64> = match read {
            Err(error) if is_damage(&error) => None,
            read => read?,
        };
        if table == MESSAGES {
            self.newest_id = self.newest_id.max(last.unwrap_or(0));
            return Ok(self.newest_id);
        }
        Ok(last.unwrap_or(0))
    }

    /// The columns of a table, and the order in which it is read.
    fn shape(&self, table: &str) -> rusqlite::Result<(Vec<String>, ReadOrder)> {
        let sql = "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid";
        let mut statement = self.to.prepare(sql)?;
        let rows =
            statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows: Vec<(String, String, i64)> = rows.collect::<rusqlite::Result<_>>()?;
        let without_rowid: bool = self.to.query_row(
            "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
            [table],
            |row| row.get(0),
        )?;
        let mut keys: Vec<_> = rows.iter().filter(|(_, _, pk)| *pk > 0).collect();
        keys.sort_by_key(|(_, _, pk)| *pk);
        let key = match keys.first() {
            _ if !without_rowid => ReadOrder::Unique("rowid".to_owned()),
            Some((name, kind, _)) if kind == "INTEGER" => ReadOrder::First(name.clone()),
            _ => {
                let names: Vec<&str> = keys.iter().map(|(name, ..)| name.as_str()).collect();
                ReadOrder::Other(names.join(", "))
            }
        };
        Ok((rows.into_iter().map(|(name, ..)| name).collect(), key))
    }
}

/// A query for the rows of a range in this direction.
fn select(table: &str, columns: &[String], key: &ReadOrder, direction: &str) -> String {
    let keys = key.columns();
    let by: Vec<String> = keys
        .split(", ")
        .map(|column| format!("{column} {direction}"))
        .collect();
    let range = match key {
        ReadOrder::Other(_) => String::new(),
        _ => format!("WHERE {keys} BETWEEN ?1 AND ?2"),
    };
    let (columns, by) = (columns.join(", "), by.join(", "));
    format!("SELECT {keys}, {columns} FROM {table} NOT INDEXED {range} ORDER BY {by}")
}

/// Copies one table.
struct Copier<'a> {
    from: &'a Connection,
    to: &'a Transaction<'a>,
    /// Reads a range in the order of the key, and in the opposite one. The first column is the key.
    up: String,
    down: String,
    insert: String,
    key: ReadOrder,
    rows: u64,
    /// Keys of rows that contradict others, or the schema.
    refused: Vec<i64>,
}

impl Copier<'_> {
    /// Copies what can be read; the ranges of keys that cannot.
    fn copy(&mut self) -> Result<Vec<(i64, i64)>, OpenError> {
        if let ReadOrder::Other(_) = self.key {
            return self.copy_from_both_ends();
        }
        let mut lost = Vec::new();
        // Rows are numbered from one. Narrow ranges first, so that wide gaps do not use up the divisions.
        let mut ranges = BinaryHeap::from([Reverse((u64::MAX, 0, i64::MAX))]);
        let mut divisions = 0;
        while let Some(Reverse((_, low, high))) = ranges.pop() {
            let Swept::Until(up) = self.sweep(low, high, Direction::Up)? else {
                continue;
            };
            // The last key may have more rows.
            let again = up.unwrap_or(low);
            let Swept::Until(down) = self.sweep(again, high, Direction::Down)? else {
                continue;
            };
            let low = up.map_or(low, |key| key.saturating_add(1));
            let high = down.map_or(high, |key| key.saturating_sub(1));
            if low > high {
                continue;
            }
            if low == high || divisions == DIVISIONS {
                lost.push((low, high));
                continue;
            }
            divisions += 1;
            let width = high.abs_diff(low);
            let half = (width / 2).min(WIDE);
            let middle = low.saturating_add_unsigned(half);
            for (low, high) in [(low, middle), (middle + 1, high)] {
                ranges.push(Reverse((high.abs_diff(low), low, high)));
            }
        }
        Ok(lost)
    }

    fn copy_from_both_ends(&mut self) -> Result<Vec<(i64, i64)>, OpenError> {
        for order in [Direction::Up, Direction::Down] {
            if let Swept::Whole = self.sweep(i64::MIN, i64::MAX, order)? {
                return Ok(Vec::new());
            }
        }
        Ok(vec![(0, 0)])
    }

    /// Copies rows of a range in one order until one cannot be read.
    fn sweep(&mut self, low: i64, high: i64, order: Direction) -> Result<Swept, OpenError> {
        let sql = match order {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        };
        let mut last = None;
        let mut statement = match self.from.prepare_cached(sql) {
            Err(error) if is_damage(&error) => return Ok(Swept::Until(None)),
            prepared => prepared?,
        };
        let bounds: &[i64] = match self.key {
            ReadOrder::Other(_) => &[],
            _ => &[low, high],
        };
        let mut rows = statement.query(params_from_iter(bounds))?;
        loop {
            let values = rows.next().and_then(|row| row.map(values).transpose());
            match values {
                Ok(None) => return Ok(Swept::Whole),
                Ok(Some((key, values))) => {
                    last = key.or(last);
                    self.insert(key, values)?;
                }
                Err(error) if is_damage(&error) => return Ok(Swept::Until(last)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn insert(&mut self, key: Option<i64>, values: Vec<Value>) -> Result<(), OpenError> {
        let mut statement = self.to.prepare_cached(&self.insert)?;
        match statement.execute(params_from_iter(values)) {
            Ok(0) => {
                // Only of a unique key is it known that the row was not copied before.
                if let ReadOrder::Unique(_) = self.key {
                    self.refused.extend(key);
                }
            }
            Ok(_) => self.rows += 1,
            Err(error) if is_damage(&error) => self.refused.extend(key),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// The key of a row, if it is a whole number, and its other columns.
fn values(row: &Row<'_>) -> rusqlite::Result<(Option<i64>, Vec<Value>)> {
    let columns = row.as_ref().column_count();
    let key = match row.get(0)? {
        Value::Integer(key) => Some(key),
        _ => None,
    };
    let values = (1..columns).map(|column| row.get(column));
    Ok((key, values.collect::<rusqlite::Result<_>>()?))
}

/// Joins ranges that touch.
fn merged(ranges: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if *low <= last.1.saturating_add(1) => last.1 = last.1.max(*high),
            _ => merged.push((*low, *high)),
        }
    }
    merged
}

/// What the index of messages knows of those that are lost.
#[derive(Default)]
struct LostMessages {
    /// Their ids, by conversation.
    ids: BTreeMap<i64, BTreeSet<i64>>,
    /// The highest id of any message, 0 if there is none.
    highest: i64,
    /// Conversations whose part of the index cannot be read as a whole.
    incomplete: Vec<i64>,
}

/// Lost messages of a conversation, of which there is at least one.
fn counted(ids: &BTreeSet<i64>, name: &str) -> String {
    let noun = if ids.len() == 1 {
        "message"
    } else {
        "messages"
    };
    let count = ids.len();
    let first = ids.first().copied().unwrap_or(0);
    let last = ids.last().copied().unwrap_or(0);
    format!("{count} {noun} of {name}, ids {first} to {last}")
}

/// What indexes still know of lost rows, and rows for what others refer to.
impl Salvage<'_> {
    fn mend(&mut self) -> Result<(), OpenError> {
        self.mend_accounts()?;
        self.mend_conversations()?;
        self.mend_members()?;
        self.name_lost_messages()?;
        self.remove_dangling()
    }

    /// Calls `each` for the rows of a query on the damaged database, as far as they can be read from either end.
    /// Returns whether all could be read.
    fn each_readable<const N: usize>(
        &self,
        sql: &str,
        order: [&str; N],
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<bool, OpenError> {
        for direction in ["ASC", "DESC"] {
            let by = order.map(|column| format!("{column} {direction}"));
            let sql = format!("{sql} ORDER BY {}", by.join(", "));
            let mut read = || -> rusqlite::Result<()> {
                let mut statement = self.from.prepare(&sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    each(row)?;
                }
                Ok(())
            };
            match read() {
                Ok(()) => return Ok(true),
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// The numbers of an index of one column, as far as they can be read, and whether all could be.
    fn indexed(&self, sql: &str, column: &str) -> Result<(BTreeSet<i64>, bool), OpenError> {
        let mut found = BTreeSet::new();
        let is_whole = self.each_readable(sql, [column], |row| {
            found.insert(row.get(0)?);
            Ok(())
        })?;
        Ok((found, is_whole))
    }

    /// Ids and names as the index of names has them.
    fn names(&self, table: &str) -> Result<BTreeMap<i64, String>, OpenError> {
        let mut names = BTreeMap::new();
        let sql = format!("SELECT id, name FROM {table} INDEXED BY sqlite_autoindex_{table}_1");
        self.each_readable(&sql, ["name"], |row| {
            names.insert(row.get(0)?, row.get(1)?);
            Ok(())
        })?;
        Ok(names)
    }

    /// The ids of `parent` that rows refer to and that are missing.
    fn missing(&self, parent: &str) -> rusqlite::Result<BTreeSet<i64>> {
        let mut missing = BTreeSet::new();
        for (table, column, key) in self.references(parent)? {
            let sql = format!(
                "SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL
                     AND {column} NOT IN (SELECT {key} FROM {parent})"
            );
            let mut statement = self.to.prepare(&sql)?;
            for id in statement.query_map([], |row| row.get(0))? {
                missing.insert(id?);
            }
        }
        Ok(missing)
    }

    /// Tables and columns that refer to a table, and the column that they refer to.
    fn references(&self, parent: &str) -> rusqlite::Result<Vec<(String, String, String)>> {
        let mut found = Vec::new();
        for table in tables(self.to)? {
            let sql = "SELECT \"from\", coalesce(\"to\", 'id') FROM pragma_foreign_key_list(?1) WHERE \"table\" = ?2";
            let mut statement = self.to.prepare(sql)?;
            let rows = statement.query_map([table.as_str(), parent], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            for row in rows {
                let (column, key) = row?;
                found.push((table.clone(), column, key));
            }
        }
        Ok(found)
    }

    fn has(&self, table: &str, id: i64) -> rusqlite::Result<bool> {
        self.to
            .prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?1"))?
            .exists([id])
    }

    fn mend_accounts(&mut self) -> Result<(), OpenError> {
        for (id, name) in self.names("users")? {
            if self.has("users", id)? {
                continue;
            }
            // No user can have the name of a deleted account.
            let is_deleted = !Username::new(&name).is_ok_and(|valid| valid.as_str() == name);
            let sql = "INSERT OR IGNORE INTO users (id, name, password, created_at, deleted_at)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let deleted_at = is_deleted.then_some(self.now);
            let account = (id, &name, PasswordHash::NO_PASSWORD, self.now, deleted_at);
            if self.to.execute(sql, account)? > 0 {
                self.lost.push(if is_deleted {
                    format!("account {name:?}: when it was deleted")
                } else {
                    format!("account {name:?}: its password and settings; it needs a new password")
                });
            }
        }
        self.mend_bots()?;
        self.lose_unnamed_accounts()?;
        self.hide_erased()
    }

    /// Accounts of which only the number is known.
    fn lose_unnamed_accounts(&mut self) -> Result<(), OpenError> {
        for id in self.missing("users")? {
            let name = format!("deleted account {id}");
            let sql = "INSERT OR IGNORE INTO users (id, name, password, created_at, deleted_at)
                       VALUES (?1, ?2, ?3, ?4, ?4)";
            self.to
                .execute(sql, (id, &name, PasswordHash::NO_PASSWORD, self.now))?;
            self.lost.push(format!(
                "account {id}: all but its number; its messages stay, of {name:?}"
            ));
        }
        Ok(())
    }

    /// The messages of an account that is being erased stay hidden. The next start goes on with it.
    fn hide_erased(&mut self) -> Result<(), OpenError> {
        let sql = "SELECT id FROM users INDEXED BY users_erased WHERE erased = 1";
        let (erased, _) = self.indexed(sql, "id")?;
        for id in erased {
            let sql = "UPDATE users SET erased = 1 WHERE id = ?1 AND deleted_at IS NOT NULL";
            self.to.execute(sql, [id])?;
        }
        Ok(())
    }

    /// A bot has no password, and an account without a password is a bot. One whose row of a bot was lost becomes an
    /// account that nothing opens.
    fn mend_bots(&mut self) -> Result<(), OpenError> {
        let is_bot = "id IN (SELECT user FROM bots)";
        let sql = format!("UPDATE users SET password = '' WHERE password = ?1 AND {is_bot}");
        self.to.execute(&sql, [PasswordHash::NO_PASSWORD])?;
        let sql = format!(
            "UPDATE users SET password = ?1 WHERE password = '' AND deleted_at IS NULL AND NOT {is_bot}
             RETURNING name"
        );
        let mut statement = self.to.prepare(&sql)?;
        for name in
            statement.query_map([PasswordHash::NO_PASSWORD], |row| row.get::<_, String>(0))?
        {
            let line = format!("bot {:?}: its owner and its token", name?);
            self.lost.push(line);
        }
        Ok(())
    }

    fn mend_conversations(&mut self) -> Result<(), OpenError> {
        let names = self.names("rooms")?;
        for id in self.missing("conversations")? {
            let is_room = names.contains_key(&id) || self.has("rooms", id)? || {
                let sql = format!("SELECT count(*) FROM participants WHERE conversation = {id}");
                let friends = format!("SELECT count(*) FROM friendships WHERE conversation = {id}");
                count(self.to, &friends)? == 0 && count(self.to, &sql)? != 2
            };
            let sql = "INSERT INTO conversations (id, kind) VALUES (?1, ?2)";
            self.to.execute(sql, (id, i64::from(is_room)))?;
        }
        let unnamed = "SELECT c.id FROM conversations AS c WHERE c.kind = 1
             AND NOT EXISTS (SELECT 1 FROM rooms AS r WHERE r.id = c.id)
             AND NOT EXISTS (SELECT 1 FROM closed_rooms AS o WHERE o.id = c.id)
             AND EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation = c.id)";
        let mut statement = self.to.prepare(unnamed)?;
        let ids: Vec<i64> = statement
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let owners = self.known_owners()?;
        let sql = "SELECT id FROM rooms INDEXED BY rooms_public WHERE private = 0";
        let (public, _) = self.indexed(sql, "name")?;
        for id in ids.into_iter().chain(names.keys().copied()) {
            if self.has("rooms", id)? || !self.has("conversations", id)? {
                continue;
            }
            let known = names.get(&id);
            let name = known.cloned().unwrap_or_else(|| format!("recovered-{id}"));
            // If that is not known, it may have been private, and its members can open it again.
            let private = !public.contains(&id);
            let owner = owners.get(&id).copied();
            let sql = "INSERT OR IGNORE INTO rooms (id, name, created_at, private, owner)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            if self
                .to
                .execute(sql, (id, &name, self.now, private, owner.flatten()))?
                > 0
            {
                if owner.is_none() {
                    self.without_owner.push(id);
                }
                let owner = if owner.is_none() { "owner, " } else { "" };
                let now = if private {
                    "private now"
                } else {
                    "still public"
                };
                self.lost.push(match known {
                    Some(_) => format!("room {name:?}: its {owner}topic and settings; it is {now}"),
                    None => format!("room {id}: its name; it is {name:?} and {now}"),
                });
            }
        }
        Ok(())
    }

    /// The owners of rooms, as far as an index knows them. The lobby has no owner.
    fn known_owners(&self) -> Result<BTreeMap<i64, Option<i64>>, OpenError> {
        let mut owners = BTreeMap::new();
        let sql = "SELECT owner, id FROM rooms INDEXED BY rooms_by_owner";
        self.each_readable(sql, ["owner", "id"], |row| {
            owners.insert(row.get(1)?, row.get(0)?);
            Ok(())
        })?;
        Ok(owners)
    }

    /// Members that only the index of members knows. What was said in a room before is hidden from them, because it is
    /// not known since when they see it.
    fn mend_members(&mut self) -> Result<(), OpenError> {
        let sql = "SELECT conversation, operator, joined_at, join_order, user FROM participants
                   INDEXED BY participants_by_conversation";
        let order = [
            "conversation",
            "operator",
            "joined_at",
            "join_order",
            "user",
        ];
        let mut add = self.to.prepare(
            "INSERT OR IGNORE INTO participants
                 (conversation, operator, joined_at, join_order, user, after_id, read_id)
             SELECT ?1, ?2, ?3, ?4, ?5, after, after FROM (SELECT CASE kind WHEN 0 THEN 0
                 ELSE (SELECT coalesce(max(id), 0) FROM messages) END AS after
                 FROM conversations WHERE id = ?1)
             WHERE EXISTS (SELECT 1 FROM users WHERE id = ?5)",
        )?;
        let mut lost = 0;
        let is_whole = self.each_readable(sql, order, |row| {
            let member: (i64, i64, i64, i64, i64) = row.try_into()?;
            lost += add.execute(member)?;
            Ok(())
        })?;
        if lost > 0 {
            let at_least = if is_whole { "" } else { "at least " };
            self.lost.push(format!(
                "{at_least}{lost} memberships: what was read, and since when; those of rooms begin anew"
            ));
        }
        self.mend_friendships()?;
        // The lobby has no owner, and needs none.
        let sql = "SELECT r.id FROM rooms AS r WHERE r.owner NOT IN
                       (SELECT p.user FROM participants AS p WHERE p.conversation = r.id)";
        let mut statement = self.to.prepare(sql)?;
        let left = statement.query_map([], |row| row.get(0))?;
        let left: Vec<i64> = left.collect::<rusqlite::Result<_>>()?;
        for id in left.iter().chain(&self.without_owner) {
            let successor = self.to.query_row(SUCCESSOR, [id], |row| row.get(0));
            let owner: Option<i64> = successor.optional()?;
            self.to
                .execute("UPDATE rooms SET owner = ?2 WHERE id = ?1", (id, owner))?;
            let sql = "UPDATE participants SET operator = 0 WHERE user = ?2 AND conversation = ?1";
            self.to.execute(sql, (id, owner))?;
        }
        Ok(())
    }

    /// Friendships that only their conversations still tell of. One that may have ended counts as ended: friends can
    /// begin it again.
    fn mend_friendships(&mut self) -> Result<(), OpenError> {
        let sql = "SELECT conversation FROM friendships INDEXED BY friendships_ended
                   WHERE ended_at IS NOT NULL";
        let (ended, is_whole) = self.indexed(sql, "conversation")?;
        let mut added = self.to.prepare(
            "INSERT OR IGNORE INTO friendships (low_user, high_user, conversation, created_at)
                 SELECT min(p.user), max(p.user), p.conversation, min(p.joined_at)
                 FROM participants AS p CROSS JOIN conversations AS c ON c.id = p.conversation
                 WHERE c.kind = 0 AND NOT EXISTS
                     (SELECT 1 FROM friendships AS f WHERE f.conversation = p.conversation)
                 GROUP BY p.conversation HAVING count(*) = 2
             RETURNING conversation",
        )?;
        let conversations = added.query_map([], |row| row.get(0))?;
        let conversations: Vec<i64> = conversations.collect::<rusqlite::Result<_>>()?;
        for id in &conversations {
            if !is_whole || ended.contains(id) {
                let sql = "UPDATE friendships SET ended_at = ?2 WHERE conversation = ?1";
                self.to.execute(sql, (id, self.now))?;
            }
        }
        if !conversations.is_empty() && !is_whole {
            let line = format!(
                "{} friendships: whether they ended; they count as ended, and their users can begin them again",
                conversations.len()
            );
            self.lost.push(line);
        }
        Ok(())
    }

    /// The messages of the index that are lost, as far as it can be read: as a whole, and else for each conversation by
    /// itself, since damage in one part of the index does not hide the others.
    fn lost_of_index(&self) -> Result<LostMessages, OpenError> {
        let mut lost = LostMessages::default();
        let index =
            "SELECT conversation, id, sender FROM messages INDEXED BY messages_by_conversation";
        let order = ["conversation", "id"];
        let LostMessages {
            ids,
            highest,
            incomplete,
        } = &mut lost;
        let mut note = |row: &Row<'_>| {
            let (conversation, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            *highest = id.max(*highest);
            // An index of a large database does not fit into memory.
            if !self.has(MESSAGES, id)? {
                ids.entry(conversation).or_default().insert(id);
            }
            Ok(())
        };
        if self.each_readable(index, order, &mut note)? {
            return Ok(lost);
        }
        // Rooms first: there are few of them.
        let sql = "SELECT id FROM conversations ORDER BY kind DESC, id";
        let mut statement = self.to.prepare(sql)?;
        let conversations = statement.query_map([], |row| row.get(0))?;
        for id in conversations.collect::<rusqlite::Result<Vec<i64>>>()? {
            let sql = format!("{index} WHERE conversation = {id}");
            if !self.each_readable(&sql, order, &mut note)? {
                incomplete.push(id);
            }
        }
        Ok(lost)
    }

    /// The highest message ids that were read by members of conversations.
    fn read_marks(&self) -> rusqlite::Result<BTreeMap<i64, i64>> {
        let sql = "SELECT conversation, max(read_id) FROM participants GROUP BY conversation";
        let mut statement = self.to.prepare(sql)?;
        let marks = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        marks.collect()
    }

    /// Says of which conversations messages were lost, as far as that is still known.
    fn name_lost_messages(&mut self) -> Result<(), OpenError> {
        let lost = self.lost_of_index()?;
        let newest = "SELECT coalesce(max(id), 0) FROM messages";
        let newest: i64 = self.to.query_row(newest, [], |row| row.get(0))?;
        self.newest_id = self.newest_id.max(newest).max(lost.highest);
        let complete: Vec<i64> = lost
            .ids
            .keys()
            .copied()
            .filter(|id| !lost.incomplete.contains(id))
            .collect();
        let incomplete = if self.lost_messages.is_empty() {
            &[]
        } else {
            &lost.incomplete[..]
        };
        let marks = self.read_marks()?;
        let all: Vec<i64> = complete.iter().chain(incomplete).copied().collect();
        let none = BTreeSet::new();
        for id in all.iter().take(LINES) {
            let ids = lost.ids.get(id).unwrap_or(&none);
            let name = self.conversation_name(*id)?;
            let line = if complete.contains(id) {
                counted(ids, &name)
            } else {
                self.at_least(ids, &name, marks.get(id).copied())
            };
            self.lost.push(line);
        }
        let more = all.len().saturating_sub(LINES);
        if more > 0 {
            let line = format!("messages of {more} more conversations");
            self.lost.push(line);
        }
        Ok(())
    }

    /// What is known of the lost messages of a conversation that the index does not have as a whole: the ids that it
    /// has, the highest that a member has read, and the ids that cannot be read.
    fn at_least(&self, ids: &BTreeSet<i64>, name: &str, read: Option<i64>) -> String {
        let mut ranges = self.lost_messages.iter();
        let read = read.filter(|id| ranges.any(|(low, high)| (low..=high).contains(&id)));
        let known = match read {
            None if ids.is_empty() => format!("messages of {name}"),
            Some(read) if ids.is_empty() => {
                format!("messages of {name} up to id {read} at least")
            }
            Some(read) if !ids.contains(&read) => {
                format!("at least {}, and id {read}", counted(ids, name))
            }
            _ => format!("at least {}", counted(ids, name)),
        };
        let low = self.lost_messages.first().map_or(0, |(low, _)| *low);
        let high = self.lost_messages.last().map_or(0, |(_, high)| *high);
        let among = match high {
            i64::MAX if self.newest_id < low => format!("from {low} on"),
            i64::MAX => format!("{low} to {}, the last one that is known", self.newest_id),
            high => format!("{low} to {high}"),
        };
        format!("{known}: how many is not known, among the ids {among}")
    }

    /// How a conversation is named to people.
    fn conversation_name(&self, id: i64) -> rusqlite::Result<String> {
        let sql = "SELECT r.name, l.name, h.name FROM (SELECT ?1 AS id) AS c
                   LEFT JOIN rooms AS r ON r.id = c.id LEFT JOIN friendships AS f ON f.conversation = c.id
                   LEFT JOIN users AS l ON l.id = f.low_user LEFT JOIN users AS h ON h.id = f.high_user";
        let mut statement = self.to.prepare_cached(sql)?;
        statement.query_row([id], |row| {
            let name = |column| row.get::<_, Option<String>>(column);
            Ok(match (name(0)?, name(1)?, name(2)?) {
                (Some(room), ..) => format!("room {room:?}"),
                (_, Some(one), Some(other)) => format!("friends {one:?} and {other:?}"),
                _ => format!("conversation {id}"),
            })
        })
    }

    /// Removes rows that still refer to missing ones, until there are none.
    fn remove_dangling(&mut self) -> Result<(), OpenError> {
        let parents = tables(self.to)?;
        let mut removed: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let mut any = false;
            for parent in &parents {
                for (table, column, key) in self.references(parent)? {
                    let sql = format!(
                        "DELETE FROM {table} WHERE {column} IS NOT NULL
                             AND {column} NOT IN (SELECT {key} FROM {parent})"
                    );
                    let rows = self.to.execute(&sql, [])?;
                    any |= rows > 0;
                    if rows > 0 {
                        *removed.entry(table).or_default() += rows;
                    }
                }
            }
            if !any {
                break;
            }
        }
        for (table, rows) in removed {
            self.lost
                .push(format!("{table}: {rows} rows, which referred to lost ones"));
        }
        Ok(())
    }
}
