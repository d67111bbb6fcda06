//! Copies a database as of one moment.
//!
//! A read transaction pins one snapshot until the last page is copied, so that commits during it neither change the copy
//! nor begin it anew. `VACUUM INTO` would decode every row and build every index anew, which takes several times the
//! processor time.

use std::ffi::c_int;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use super::expected;
use super::migrate::{MIGRATIONS, refuse_newer};
use super::open_error::OpenError;
use super::schema::refuse_foreign;
use super::settings::SETTINGS;

/// Pages that are copied between two syncs of the copy, 1 MiB of the usual pages: a longer sync would keep the disk from
/// syncing the log of a server.
const PORTION: c_int = 256;

/// How long an attempt waits for a lock. Readers wait only while the log is recovered or deleted.
const PATIENCE: Duration = Duration::from_secs(10);

/// Settings of the copy. It needs no journal, since an incomplete one is not kept, and the caller syncs it.
const COPY_SETTINGS: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -1024;
";

/// Why a database cannot be copied.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] Box<OpenError>),
    /// A page cannot be read or written.
    #[error("a page cannot be copied: {0}")]
    Page(#[source] rusqlite::Error),
    /// The copy cannot be synced.
    #[error("{0}")]
    Sync(#[source] io::Error),
}

/// Copies the database at `database` to the empty file at `copy`. `sync` makes durable what was written so far; it is
/// called after each portion. The copy has no write-ahead log and needs none.
///
/// # Errors
/// The file is not an echat database of a known version, or a page cannot be read or written. `copy` is then incomplete.
pub(super) fn copy_database(
    database: &Path,
    copy: &Path,
    mut sync: impl FnMut() -> io::Result<()>,
) -> Result<(), CopyError> {
    let from = open_beside(database).map_err(Box::new)?;
    let pinned = begin_reading(&from).map_err(Box::new)?;
    let mut to = Connection::open_with_flags(copy, own_file()).map_err(CopyError::Page)?;
    to.execute_batch(COPY_SETTINGS).map_err(CopyError::Page)?;
    let backup = Backup::new(&from, &mut to).map_err(CopyError::Page)?;
    loop {
        let step = backup.step(PORTION).map_err(CopyError::Page)?;
        sync().map_err(CopyError::Sync)?;
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // Both files are this function's own, and the snapshot is pinned.
            _ => return Err(Box::new(OpenError::Busy).into()),
        }
    }
    drop(backup);
    drop(pinned);
    to.close().map_err(|(_, error)| CopyError::Page(error))
}

/// Opens a database that a server may be using. Closing the connection never checkpoints: only the server may, which
/// knows what is on the disk.
fn open_beside(database: &Path) -> Result<Connection, OpenError> {
    let open = || -> Result<Connection, OpenError> {
        let db = Connection::open_with_flags(database, own_file())?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.busy_timeout(PATIENCE)?;
        db.execute_batch(SETTINGS)?;
        refuse_foreign(&db, false)?;
        let version = refuse_newer(&db, MIGRATIONS)?;
        expected::refuse_altered(&db, version)?;
        Ok(db)
    };
    open().map_err(|error| error.of(database))
}

/// Begins a transaction and pins its snapshot with a first read.
fn begin_reading(db: &Connection) -> Result<rusqlite::Transaction<'_>, OpenError> {
    let reading = db.unchecked_transaction()?;
    reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(reading)
}

/// How an existing file is opened.
fn own_file() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
}

/// Opens a complete copy, which has no log, for reading. Nothing is created beside it.
///
/// # Errors
/// The file is not an echat database of a known version.
pub(super) fn open_copy(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let open = || -> Result<Connection, OpenError> {
        let db = Connection::open_with_flags(path, flags)?;
        db.execute_batch(SETTINGS)?;
        refuse_foreign(&db, false)?;
        let version = refuse_newer(&db, MIGRATIONS)?;
        expected::refuse_altered(&db, version)?;
        Ok(db)
    };
    open().map_err(|error| error.of(path))
}
