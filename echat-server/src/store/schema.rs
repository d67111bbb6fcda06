//! Opening a database, and bringing an older one up to date.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, ffi};
use thiserror::Error;

use super::StoreError;
use super::batch::Batch;
use super::expected;
use super::failure::{Damage, Met, is_damage};
use super::high_water::{self, HighWater, HighWaterError};
use super::log::{self, Fold, Folded, Log};
use super::looks;

/// The schema's history: entry n leads from version n to n + 1. Only ever appended to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_rooms_by_owner.sql"),
    include_str!("migrations/0003_history_names_requests.sql"),
];

/// "ECH2": how a database says that it is echat's.
const APPLICATION_ID: i32 = 0x4543_4832;
/// Where the file has it (https://sqlite.org/fileformat2.html, 1.3).
const APPLICATION_ID_AT: u64 = 68;

/// `SQLite` 3.51.3: before it, a reset of the write-ahead log could corrupt the database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Prepared statements kept; there are about half as many queries.
const STATEMENTS: usize = 128;

/// Bytes of a row or a text at most: a damaged row that claims more is not read into an answer that would
/// not fit into a frame. The longest content takes half of it, and so do the migrations.
const ROW_BYTES: i32 = 128 * 1024;

/// Settings of the connection, which the file does not keep. `FULL` syncs the log at every
/// commit; an acknowledged message has to survive a power cut. The cache is 16 MiB, the log is cut
/// back to 16 MiB after a peak.
pub(super) const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
    PRAGMA journal_size_limit = 16777216;
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

/// Why a database is not opened. The file is left as it was, or at the newest version that a
/// migration reached.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The linked `SQLite` is too old to be trusted with a write-ahead log.
    #[error("SQLite {0} is too old, 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// A database, or another file, that is not echat's.
    #[error("this file is not an echat database, or its first page is damaged")]
    Foreign,
    /// A database of ours whose first pages cannot be read.
    #[error(
        "the database is damaged ({0}); check it with sqlite3 and PRAGMA integrity_check, \
         and put a backup in its place"
    )]
    Damaged(#[source] rusqlite::Error),
    /// A database without any table, in a data folder that is no first start's.
    #[error(
        "the database holds nothing at all; put a copy of the right one back, or run \
         `echat-server --init` to begin with an empty one"
    )]
    Blank,
    /// A part of the schema, its kind and its name, that no echat made.
    #[error(
        "this database has the {0} {1:?}, which is not echat's; drop it, or put another copy back"
    )]
    Stranger(String, String),
    /// A part of the schema that is not as echat made it.
    #[error("the {0} {1:?} of this database is not as echat made it; put another copy back")]
    Altered(String, String),
    /// A part of the schema that is not there.
    #[error("this database lacks the {0} {1:?}; put another copy back")]
    Lacks(String, String),
    /// The file that says which message ids were given out.
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
    /// Written by a newer echat.
    #[error("the database has version {found}, this echat knows versions up to {known}")]
    Newer {
        /// The file's schema version.
        found: usize,
        /// The newest schema version of this program.
        known: usize,
    },
    /// The file system cannot keep a write-ahead log, a network share for instance.
    #[error("the database cannot use a write-ahead log here, only {0:?}")]
    NoWal(String),
    /// The write-ahead log that was left behind cannot be made durable.
    #[error("the write-ahead log cannot be written: {0}")]
    Log(#[source] std::io::Error),
    /// Rows refer to rows that are not there, so that the database is not brought up to date.
    #[error("the database is damaged: rows of {0:?} refer to others that are missing")]
    Dangling(String),
    /// Another process is changing the database.
    #[error("the database is busy")]
    Busy,
    /// Anything else.
    #[error("the database cannot be opened: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ if is_damage(&error) => Self::Damaged(error),
            _ => Self::Sqlite(error),
        }
    }
}

impl Store {
    /// Opens the database at `path`, makes it if there is none, migrates it if it is older.
    /// Modes of the file are its caller's to set, and so is a lock against a second server.
    /// Links are not followed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with_history(path, true)
    }

    /// Opens the database of a data folder, migrates it if it is older, and sees to it that message
    /// ids do not go back, by the file `high_water`. Unless a folder is begun, the database must hold
    /// something. No part of `path` may be a link.
    pub fn open_in_folder(path: &Path, high_water: &Path, begin: bool) -> Result<Self, OpenError> {
        let mut store = Self::open_with_history(path, begin)?;
        store.high_water = Some(high_water::settle(&mut store.db, path, high_water)?);
        Ok(store)
    }

    fn open_with_history(path: &Path, begin: bool) -> Result<Self, OpenError> {
        let store = Self::open_without_history(path, begin).map_err(|error| error.of(path))?;
        match name_history(&store.db) {
            // A damaged page does not stop the start: what rests on it is refused.
            Err(error) if is_damage(&error) => store.met.note(&error),
            named => named?,
        }
        Ok(store)
    }

    fn open_without_history(path: &Path, begin: bool) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags)?;
        let log = set_up(&mut db, "wal", begin)?;
        log::renew(&mut db, path)?;
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

impl OpenError {
    /// A file that is no database may be one of ours whose header is damaged: the rest of the header tells.
    fn of(self, path: &Path) -> Self {
        match self {
            Self::Foreign if is_ours(path) => Self::Damaged(not_a_database()),
            error => error,
        }
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

/// Whether a file's header has our application id, wherever else it is damaged.
fn is_ours(path: &Path) -> bool {
    let mut id = [0; 4];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut id, APPLICATION_ID_AT));
    read.is_ok() && id == APPLICATION_ID.to_be_bytes()
}

fn not_a_database() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOTADB), None)
}

/// A file of a newer version may mean anything. Gives the file's version.
fn refuse_newer(db: &Connection, migrations: &[&str]) -> Result<usize, OpenError> {
    let found = usize::try_from(pragma(db, "user_version")?).unwrap_or(usize::MAX);
    if found > migrations.len() {
        return Err(OpenError::Newer {
            found,
            known: migrations.len(),
        });
    }
    Ok(found)
}

/// Applies what is missing, each step in a transaction of its own together with its number: a
/// process killed in the middle leaves a whole version behind. Foreign keys are off during the steps, so that
/// a step can make a table anew, and are checked before each step is committed.
pub(super) fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    looks::add_function(db)?;
    // Within a transaction this would have no effect.
    db.pragma_update(None, "foreign_keys", false)?;
    while migrate_once(db, migrations)? {}
    Ok(db.pragma_update(None, "foreign_keys", true)?)
}

/// Applies the next step; false if there is none.
fn migrate_once(db: &mut Connection, migrations: &[&str]) -> Result<bool, OpenError> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = refuse_newer(&step, migrations)?;
    let Some(sql) = migrations.get(found) else {
        return Ok(false);
    };
    step.execute_batch(sql)?;
    let broken = step.query_row("PRAGMA foreign_key_check", [], |row| row.get(0));
    if let Some(table) = broken.optional()? {
        return Err(OpenError::Dangling(table));
    }
    step.pragma_update(None, "application_id", APPLICATION_ID)?;
    step.pragma_update(
        None,
        "user_version",
        i64::try_from(found + 1).unwrap_or(i64::MAX),
    )?;
    step.commit()?;
    Ok(true)
}

/// Gives a history that has no name yet a random one.
fn name_history(db: &Connection) -> rusqlite::Result<()> {
    let named = db.query_row("SELECT count(*) FROM history", [], |row| row.get(0));
    if named? {
        return Ok(());
    }
    let sql = "INSERT INTO history (id, name) VALUES (1, lower(hex(randomblob(8))))";
    db.execute(sql, []).map(drop)
}

/// Asks for a kind of journal; gives the kind that it is. The answer comes before the change is
/// committed, so the statement is run to its end: an error is told there.
fn journal_mode(db: &Connection, wanted: &str) -> rusqlite::Result<String> {
    let mut statement = db.prepare(&format!("PRAGMA journal_mode = {wanted}"))?;
    let modes = statement.query_map([], |row| row.get(0))?;
    let modes: Vec<String> = modes.collect::<rusqlite::Result<_>>()?;
    Ok(modes.concat())
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i32> {
    db.pragma_query_value(None, name, |row| row.get(0))
}
