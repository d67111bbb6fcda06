//! Opens a database: the checks before its use, and the settings of its connection.

use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::batch::Batch;
use super::expected;
use super::failure::{Damage, DamageLog, is_damage};
use super::high_water::{self, HighWater};
use super::history::UnreadBounds;
use super::migrate::{APPLICATION_ID, MIGRATIONS, migrate, pragma, refuse_newer};
use super::open_error::OpenError;
use super::settings::SETTINGS;
use super::template::open_template;
use super::upgrade_copy::copy_before_upgrade;
use super::write_ahead_log::{self, Checkpoint, CheckpointOutcome, Purged, WriteAheadLog};

/// `SQLite` 3.51.3. In earlier versions, a reset of the write-ahead log could corrupt the database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Prepared statements kept, about twice the number of queries.
const STATEMENTS: usize = 128;

/// Bytes of a row or a text at most: a damaged row that claims more is not read into an answer that would
/// not fit into a frame. The longest content takes half of it, and so do the migrations.
pub(super) const ROW_BYTES: i32 = 128 * 1024;

/// An open database with its connection.
#[derive(Debug)]
pub struct Store {
    pub(super) db: Connection,
    pub(super) log: WriteAheadLog,
    pub(super) damage: DamageLog,
    /// `None` for a database outside a data folder.
    pub(super) high_water: Option<HighWater>,
    /// Days that messages are kept; `None` for ever.
    pub(super) keep_days: Option<u32>,
    /// Days that entries of the audit are kept: for ever until [`Store::keep_audit`] says.
    pub(super) audit_days: u64,
    pub(super) unread_bounds: UnreadBounds,
    /// Whether the database may have notes of messages that were removed or not kept. If not, they are not looked up.
    pub(super) has_unkept: Cell<bool>,
    /// Whether the search index may lack something.
    pub(super) is_unindexed: Cell<bool>,
}

impl Store {
    /// Opens the database at `path`, creates it if there is none, and migrates an older one. The caller sets the mode
    /// of the file, and locks out a second server. Symbolic links are not followed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::open_with_history(path, true)?.0)
    }

    /// Opens the database of a data folder, migrates an older one, and ensures by the file `high_water` that message
    /// ids do not go back. Without `begin`, the database must have tables. No part of `path` may be a symbolic link.
    pub fn open_in_folder(path: &Path, high_water: &Path, begin: bool) -> Result<Self, OpenError> {
        let (mut store, named) = Self::open_with_history(path, begin)?;
        let settled = high_water::settle(&mut store.db, path, high_water, named)?;
        if settled.was_scrubbed() && !store.has_leftovers() {
            store.log.trust_pages();
        } else {
            store.log.note_removed();
        }
        store.high_water = Some(settled);
        Ok(store)
    }

    /// Also returns whether the history had a name before.
    fn open_with_history(path: &Path, begin: bool) -> Result<(Self, bool), OpenError> {
        let store = Self::open_without_history(path, begin).map_err(|error| error.of(path))?;
        let named = match name_history(&store.db) {
            // A damaged page does not prevent the start; requests that need it are refused.
            Err(error) if is_damage(&error) => {
                store.damage.record(&error);
                true
            }
            named => named?,
        };
        let unkept = "SELECT EXISTS (SELECT 1 FROM unkept_messages)";
        let has_unkept = store.db.query_row(unkept, [], |row| row.get(0));
        store.has_unkept.set(has_unkept.unwrap_or(true));
        Ok((store, named))
    }

    fn open_without_history(path: &Path, begin: bool) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // An orderly end leaves no log. Another one may have left removed text in it.
        let is_left = write_ahead_log::length_of_log(path) > 0;
        let mut db = Connection::open_with_flags(path, flags)?;
        let log = set_up(&mut db, "wal", begin)?;
        if is_left {
            log.note_removed();
        }
        write_ahead_log::renew(&mut db, path)?;
        log.cut_in_steps(&db)?;
        copy_before_upgrade(&db, path)?;
        Self::migrated(db, log)
    }

    /// A database in memory, for tests.
    pub fn in_memory() -> Result<Self, OpenError> {
        let mut db = Connection::open_in_memory()?;
        let log = set_up(&mut db, "memory", true)?;
        copy_template(&mut db)?;
        let store = Self::migrated(db, log)?;
        store
            .db
            .execute("INSERT INTO history (id, name) VALUES (1, 'in-memory')", [])?;
        let sql = "INSERT INTO digest_key (id, key) VALUES (1, zeroblob(32))";
        store.db.execute(sql, [])?;
        Ok(store)
    }

    /// Begins a unit of work, whose writes are kept entirely or not at all. It is of no time: no message is too old for
    /// it.
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(self, i64::MIN)
    }

    /// Begins a unit of work at a time in unix seconds. Messages that are too old then are not read.
    pub fn batch_at(&mut self, now: i64) -> Batch<'_> {
        Batch::new(self, now)
    }

    /// Sets for how many days messages are kept, from the next batch on; `None` for ever. A room may keep them for a
    /// shorter time.
    pub fn keep(&mut self, days: Option<u32>) {
        self.keep_days = days;
    }

    /// Sets for how many days entries of the audit are kept, from the next batch on.
    pub fn keep_audit(&mut self, days: u64) {
        self.audit_days = days;
    }

    /// Sets the bounds of unread counts, from the next batch on.
    pub fn bound_unread(&mut self, bounds: UnreadBounds) {
        self.unread_bounds = bounds;
    }

    /// Bytes of the search index.
    pub fn search_index_bytes(&self) -> Result<u64, OpenError> {
        let sql = "SELECT coalesce(sum(length(id) + length(block)), 0) FROM search_data";
        Ok(super::check::count(&self.db, sql)?)
    }

    /// Whether [`Batch::index_messages`] may find something to do: messages were stored or changed since it last did
    /// not.
    pub fn is_unindexed(&self) -> bool {
        self.is_unindexed.get()
    }

    /// Scrubs the pages of removed text, and records an orderly end in the file `high_water`, after the last batch.
    ///
    /// # Errors
    /// `Fatal`: the next start then leaves a gap in the message ids.
    pub fn close(&mut self) -> Result<(), StoreError> {
        let is_scrubbed = self.log.scrub_at_end(&self.db);
        self.high_water
            .as_ref()
            .map_or(Ok(()), |high_water| high_water.close(is_scrubbed))
    }

    /// The database's file, without links in its path; `None` if it is in memory.
    pub fn path(&self) -> Option<&str> {
        self.db.path().filter(|path| !path.is_empty())
    }

    /// The damage met since the last call.
    pub fn take_damage(&mut self) -> Option<Damage> {
        self.damage.take()
    }

    /// A checkpoint of a long write-ahead log, to be run by another thread. The caller passes its outcome to
    /// [`Store::checkpoint_done`]; until then no other checkpoint begins.
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.log.take_checkpoint(&self.db)
    }

    /// Takes the outcome of a checkpoint.
    ///
    /// # Errors
    /// `Fatal`: a write or a sync failed.
    pub fn checkpoint_done(&mut self, outcome: CheckpointOutcome) -> Result<(), StoreError> {
        self.log.checkpoint_done(outcome, &self.damage)
    }

    /// Whether the files of the database may still contain text that was removed from it.
    pub fn has_leftovers(&self) -> bool {
        self.log.has_leftovers()
    }

    /// One step towards files that contain nothing of removed text.
    ///
    /// # Errors
    /// `Fatal`: a write or a sync failed.
    pub fn purge(&mut self) -> Result<Purged, StoreError> {
        self.log.purge(&self.db, &self.damage)
    }

    /// Sets the number of pages from which the log is checkpointed, and how many of them a commit copies at most: of a
    /// log of up to four times as many pages, and of a longer one. The defaults are for longer logs than those of
    /// tests.
    pub fn set_checkpoint_limits(&mut self, pages: i32, few: i32, inline: i32) {
        self.log.bound(pages, few, inline);
    }

    /// Sets how many bytes the log's file keeps after a peak, and how many bytes a commit cuts off at a time.
    pub fn set_truncation(&mut self, kept: u64, step: u64) {
        self.log.bound_cuts(kept, step);
    }

    /// Lets checkpoints write and sync the database in small portions through `file`, an open descriptor of the
    /// database. It must stay open until the last connection of this process is closed: closing it would release
    /// `SQLite`'s locks (`fcntl(2)`, record locks). Its reads may become direct ones (`O_DIRECT`).
    pub fn sync_checkpoints_by(&mut self, file: Arc<File>) {
        self.log.sync_checkpoints_by(file);
    }

    /// Limits the database to this many pages (usually of 4,096 bytes). Beyond it, writes fail with
    /// [`Full`](super::StoreError::Full) as on a full disk. The limit belongs to the connection, not the file, and is
    /// never below the present size.
    pub fn limit_pages(&mut self, pages: u32) -> Result<(), OpenError> {
        Ok(self
            .db
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
    }

    fn migrated(mut db: Connection, log: WriteAheadLog) -> Result<Self, OpenError> {
        migrate(&mut db, MIGRATIONS)?;
        let damage = DamageLog::of(db.path());
        Ok(Self {
            db,
            log,
            damage,
            high_water: None,
            keep_days: None,
            audit_days: u64::MAX,
            unread_bounds: UnreadBounds::default(),
            has_unkept: Cell::new(true),
            // A process that ended may have left something.
            is_unindexed: Cell::new(true),
        })
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.log.close(&self.db);
    }
}

/// Fills an empty database in memory with the tables of today.
fn copy_template(db: &mut Connection) -> Result<(), OpenError> {
    const ALL_PAGES: i32 = -1;
    Backup::new(&open_template()?, db)?.step(ALL_PAGES)?;
    Ok(())
}

/// Checks a database and sets up its connection. Writes nothing of echat's yet.
fn set_up(db: &mut Connection, journal: &str, begin: bool) -> Result<WriteAheadLog, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    let has_pages = "SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')";
    if !db.query_row(has_pages, [], |row| row.get(0))? {
        return Err(OpenError::NoPages);
    }
    db.busy_timeout(std::time::Duration::ZERO)?;
    // Checked before anything is changed, so that a foreign file stays as it is.
    refuse_foreign(db, begin)?;
    let found = refuse_newer(db, MIGRATIONS)?;
    expected::refuse_altered(db, found)?;
    let mode = journal_mode(db, "WAL")?;
    if mode != journal {
        return Err(OpenError::NoWal(mode));
    }
    db.execute_batch(SETTINGS)?;
    // Without this, a query with a parameter in LIMIT is planned again for each execution.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES)?;
    Ok(WriteAheadLog::of(db)?)
}

/// Writes the migrated, empty database as a single file without a log. An existing database is migrated and compacted.
pub fn create_template(path: &Path) -> Result<(), OpenError> {
    let store = Store::open_without_history(path, true)?;
    journal_mode(&store.db, "DELETE")?;
    store.db.execute_batch("VACUUM")?;
    Ok(())
}

/// The schema of the database at `path` as text, for comparison: its versions and all statements, sorted. Does not
/// change the file.
pub fn schema_dump(path: &Path) -> Result<String, OpenError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    dump(&db)
}

fn dump(db: &Connection) -> Result<String, OpenError> {
    let mut lines = vec![format!(
        "application_id {:#x}, user_version {}",
        pragma(db, "application_id")?,
        pragma(db, "user_version")?
    )];
    let mut statement =
        db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql")?;
    let statements = statement.query_map([], |row| row.get(0))?;
    for sql in statements {
        lines.push(sql?);
    }
    Ok(lines.join("\n"))
}

/// Refuses a file without echat's application id, except an empty one where `begin` allows it.
pub(super) fn refuse_foreign(db: &Connection, begin: bool) -> Result<(), OpenError> {
    let id = pragma(db, "application_id")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let blank = id == 0 && tables == 0 && pragma(db, "user_version")? == 0;
    match () {
        () if blank && !begin => Err(OpenError::Blank),
        () if blank || id == APPLICATION_ID => Ok(()),
        () => Err(OpenError::Foreign),
    }
}

/// Gives the history a random name, and the digests of contents a random key, unless there are some; returns whether
/// the history had a name.
pub(super) fn name_history(db: &Connection) -> rusqlite::Result<bool> {
    let has_key: bool = db.query_row("SELECT count(*) FROM digest_key", [], |row| row.get(0))?;
    if !has_key {
        let sql = "INSERT INTO digest_key (id, key) VALUES (1, randomblob(32))";
        db.execute(sql, [])?;
    }
    let named: bool = db.query_row("SELECT count(*) FROM history", [], |row| row.get(0))?;
    if !named {
        let sql = "INSERT INTO history (id, name) VALUES (1, lower(hex(randomblob(8))))";
        db.execute(sql, [])?;
    }
    Ok(named)
}

/// Requests a journal mode; returns the resulting one. `SQLite` returns the row before it commits the change, so the
/// statement is run to its end, where an error appears.
fn journal_mode(db: &Connection, wanted: &str) -> rusqlite::Result<String> {
    let mut statement = db.prepare(&format!("PRAGMA journal_mode = {wanted}"))?;
    let modes = statement.query_map([], |row| row.get(0))?;
    let modes: Vec<String> = modes.collect::<rusqlite::Result<_>>()?;
    Ok(modes.concat())
}
