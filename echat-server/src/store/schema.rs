//! Opening a database: what is checked before it is used, and the settings of its connection.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::batch::Batch;
use super::expected;
use super::failure::{Damage, Met, is_damage};
use super::high_water::{self, HighWater};
use super::log::{self, Fold, Folded, Log};
use super::migrate::{APPLICATION_ID, MIGRATIONS, migrate, pragma, refuse_newer};
use super::open_error::OpenError;

/// `SQLite` 3.51.3: before it, a reset of the write-ahead log could corrupt the database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Prepared statements kept; there are about half as many queries.
const STATEMENTS: usize = 128;

/// Bytes of a row or a text at most: a damaged row that claims more is not read into an answer that would
/// not fit into a frame. The longest content takes half of it, and so do the migrations.
const ROW_BYTES: i32 = 128 * 1024;

/// Settings of the connection, which the file does not keep. `FULL` syncs the log at every
/// commit; an acknowledged message has to survive a power cut. The cache is 16 MiB. How far the log is cut
/// back after a peak is set by [`Log`].
pub(super) const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
";

/// An open database, with its one connection.
#[derive(Debug)]
pub struct Store {
    pub(super) db: Connection,
    pub(super) log: Log,
    pub(super) met: Met,
    /// `None` for a database that is no data folder's.
    pub(super) high_water: Option<HighWater>,
}

impl Store {
    /// Opens the database at `path`, makes it if there is none, migrates it if it is older.
    /// Modes of the file are its caller's to set, and so is a lock against a second server.
    /// Links are not followed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::open_with_history(path, true)?.0)
    }

    /// Opens the database of a data folder, migrates it if it is older, and sees to it that message
    /// ids do not go back, by the file `high_water`. Unless a folder is begun, the database must hold
    /// something. No part of `path` may be a link.
    pub fn open_in_folder(path: &Path, high_water: &Path, begin: bool) -> Result<Self, OpenError> {
        let (mut store, named) = Self::open_with_history(path, begin)?;
        let settled = high_water::settle(&mut store.db, path, high_water, named);
        store.high_water = Some(settled?);
        Ok(store)
    }

    /// Also says whether the history had a name before.
    fn open_with_history(path: &Path, begin: bool) -> Result<(Self, bool), OpenError> {
        let store = Self::open_without_history(path, begin).map_err(|error| error.of(path))?;
        let named = match name_history(&store.db) {
            // A damaged page does not stop the start: what rests on it is refused.
            Err(error) if is_damage(&error) => {
                store.met.note(&error);
                true
            }
            named => named?,
        };
        Ok((store, named))
    }

    fn open_without_history(path: &Path, begin: bool) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags)?;
        let log = set_up(&mut db, "wal", begin)?;
        log::renew(&mut db, path)?;
        log.cut_in_steps(&db)?;
        Self::migrated(db, log)
    }

    /// A database that lives and dies with the value, for tests.
    pub fn in_memory() -> Result<Self, OpenError> {
        let mut db = Connection::open_in_memory()?;
        let log = set_up(&mut db, "memory", true)?;
        let store = Self::migrated(db, log)?;
        store
            .db
            .execute("INSERT INTO history (id, name) VALUES (1, 'in-memory')", [])?;
        Ok(store)
    }

    /// A unit of work: what is read and written through it is kept whole or not at all.
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Notes beside the database that the server ends in peace, after the last batch.
    ///
    /// # Errors
    /// `Fatal`: the next start then leaves a gap in the message ids.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.high_water.as_ref().map_or(Ok(()), HighWater::close)
    }

    /// The database's file, without links in its path; `None` if it is in memory.
    pub fn path(&self) -> Option<&str> {
        self.db.path().filter(|path| !path.is_empty())
    }

    /// The damage that was met since this was asked last.
    pub fn take_damage(&mut self) -> Option<Damage> {
        self.met.take()
    }

    /// A long log that is to be folded by another thread. What becomes of it is to be told to
    /// [`Store::folded`]; until then no other fold begins.
    pub fn take_fold(&mut self) -> Option<Fold> {
        self.log.take_fold(&self.db)
    }

    /// Takes note of what became of a fold.
    ///
    /// # Errors
    /// `Fatal`: a write or a sync failed.
    pub fn folded(&mut self, folded: Folded) -> Result<(), StoreError> {
        self.log.folded(folded, &self.met)
    }

    /// Changes from how many pages on the log is folded, and how many of them a commit folds at most.
    /// What is set from the beginning is for logs longer than a test's.
    pub fn fold_at(&mut self, pages: i32, inline: i32) {
        self.log.bound(pages, inline);
    }

    /// Changes how many bytes the file of the log keeps after a peak, and how many of them a commit cuts off.
    pub fn cut_at(&mut self, kept: u64, step: u64) {
        self.log.bound_cuts(kept, step);
    }

    /// Lets folds write and sync the database in small portions through `file`, which is the file of the
    /// database, opened for reading at least. It must not be closed before the last connection of this
    /// process is: `SQLite`'s locks would be gone (`fcntl(2)`, record locks). Reads through it may become
    /// direct ones (`O_DIRECT`).
    pub fn sync_folds_by(&mut self, file: Arc<File>) {
        self.log.sync_folds_by(file);
    }

    /// Bounds the database to this many pages (of 4,096 bytes, unless the file says otherwise):
    /// beyond it, writes are [`Full`](super::StoreError::Full) as on a full disk. The bound is
    /// the connection's, not the file's, and never less than what the file has already.
    pub fn limit_pages(&mut self, pages: u32) -> Result<(), OpenError> {
        Ok(self
            .db
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
    }

    fn migrated(mut db: Connection, log: Log) -> Result<Self, OpenError> {
        migrate(&mut db, MIGRATIONS)?;
        Ok(Self {
            db,
            log,
            met: Met::default(),
            high_water: None,
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

/// Makes a connection ready, unless the file is not for us. Nothing of ours is written yet.
fn set_up(db: &mut Connection, journal: &str, begin: bool) -> Result<Log, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    db.busy_timeout(std::time::Duration::ZERO)?;
    // Looked at before anything is changed: somebody else's file stays as it is.
    refuse_foreign(db, begin)?;
    let found = refuse_newer(db, MIGRATIONS)?;
    expected::refuse_altered(db, found)?;
    let mode = journal_mode(db, "WAL")?;
    if mode != journal {
        return Err(OpenError::NoWal(mode));
    }
    db.execute_batch(SETTINGS)?;
    // Otherwise a query with a parameter in LIMIT is planned anew whenever it is asked.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES)?;
    Ok(Log::of(db)?)
}

/// Writes the migrated, empty database as a single file without a log beside it. A database that
/// is there already is only migrated and compacted.
pub fn create_template(path: &Path) -> Result<(), OpenError> {
    let store = Store::open_without_history(path, true)?;
    journal_mode(&store.db, "DELETE")?;
    store.db.execute_batch("VACUUM")?;
    Ok(())
}

/// The schema of the database at `path` as text, for comparing: its versions and every statement,
/// sorted. The file is neither migrated nor changed.
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

/// A file is echat's if it says so, or if it holds nothing at all yet, where that may be.
fn refuse_foreign(db: &Connection, begin: bool) -> Result<(), OpenError> {
    let id = pragma(db, "application_id")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let blank = id == 0 && tables == 0 && pragma(db, "user_version")? == 0;
    match () {
        () if blank && !begin => Err(OpenError::Blank),
        () if blank || id == APPLICATION_ID => Ok(()),
        () => Err(OpenError::Foreign),
    }
}

/// Gives a history that has no name yet a random one; whether it had one before.
fn name_history(db: &Connection) -> rusqlite::Result<bool> {
    let named: bool = db.query_row("SELECT count(*) FROM history", [], |row| row.get(0))?;
    if !named {
        let sql = "INSERT INTO history (id, name) VALUES (1, lower(hex(randomblob(8))))";
        db.execute(sql, [])?;
    }
    Ok(named)
}

/// Asks for a kind of journal; gives the kind that it is. The answer comes before the change is
/// committed, so the statement is run to its end: an error is told there.
fn journal_mode(db: &Connection, wanted: &str) -> rusqlite::Result<String> {
    let mut statement = db.prepare(&format!("PRAGMA journal_mode = {wanted}"))?;
    let modes = statement.query_map([], |row| row.get(0))?;
    let modes: Vec<String> = modes.collect::<rusqlite::Result<_>>()?;
    Ok(modes.concat())
}
