//! Errors of opening a database.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use echat_system::{locked_file, regular_file};
use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

use super::backup::CopyError;
use super::failure::{has_no_room, is_damage, is_failed_write};
use super::high_water::HighWaterError;
use super::migrate::{APPLICATION_ID, APPLICATION_ID_AT};

/// Why a database cannot be opened. The file is unchanged, or at the newest version that a migration reached.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The linked `SQLite` has a known fault in its write-ahead log.
    #[error("SQLite {0} is too old, 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// `SQLite` was compiled without its table of pages.
    #[error(
        "SQLite was built without SQLITE_ENABLE_DBPAGE_VTAB, so removed text could not leave the database; build echat in \
         its own folder, where .cargo/config.toml sets it"
    )]
    NoPages,
    /// The file is not a database of echat.
    #[error(
        "this file is not an echat database, or its first page is damaged; if it is one, run \
         `echat-server check --repair`"
    )]
    Foreign,
    /// A database of echat whose first pages cannot be read.
    #[error(
        "the database is damaged ({0}); run `echat-server check --repair`, or put a backup in its place"
    )]
    Damaged(#[source] rusqlite::Error),
    /// A database without tables in a data folder that was used before.
    #[error(
        "the database holds nothing at all; put a copy of the right one back, or run \
         `echat-server --init` to begin with an empty one"
    )]
    Blank,
    /// A schema object (kind and name) that echat did not create.
    #[error(
        "this database has the {0} {1:?}, which is not echat's; drop it, or put another copy back"
    )]
    Stranger(String, String),
    /// A schema object that differs from echat's.
    #[error("the {0} {1:?} of this database is not as echat made it; put another copy back")]
    Altered(String, String),
    /// A missing schema object.
    #[error("this database lacks the {0} {1:?}; put another copy back")]
    Lacks(String, String),
    /// The file `high_water`.
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
    /// The database was written by a newer version of echat.
    #[error(
        "the database has version {found} of the tables, this echat knows versions up to {known}; start an echat that \
         knows version {found}, or put a copy from before its upgrade (database.db.before-{known}) in its place"
    )]
    Newer {
        /// The file's schema version.
        found: usize,
        /// The newest schema version of this program.
        known: usize,
    },
    /// The database was written by an older version of echat, and only a start of the server upgrades it.
    #[error(
        "the database has version {found} of the tables, and this works on version {known}; start the server once, which \
         upgrades it, or put a backup in its place"
    )]
    Older {
        /// The file's schema version.
        found: usize,
        /// The newest schema version of this program.
        known: usize,
    },
    /// The file system does not support a write-ahead log, as a network share.
    #[error("the database cannot use a write-ahead log here, only {0:?}")]
    NoWal(String),
    /// The write-ahead log that was left behind cannot be made durable.
    #[error("the write-ahead log cannot be written: {0}")]
    Log(#[source] std::io::Error),
    /// There is no room for an upgrade, and the copy that is made before it.
    #[error(
        "this echat upgrades the database, and first copies it to {}; that takes up to {needed} bytes, and {free} \
         are free; make room and start again, nothing was changed", path.display()
    )]
    NoRoom {
        /// The copy.
        path: PathBuf,
        /// Bytes of the upgrade, and of the copy unless it is made.
        needed: u64,
        /// Bytes that were free.
        free: u64,
    },
    /// The copy that is made before an upgrade cannot be made.
    #[error(
        "this echat upgrades the database, and first copies it to {}; that failed: {source}; nothing was \
         changed", path.display()
    )]
    Copy {
        /// The copy.
        path: PathBuf,
        /// The cause.
        source: Box<CopyError>,
    },
    /// The disk is full. An upgrade that had begun is at a complete version of the tables.
    #[error("the disk is full; make room and start again, an upgrade goes on then")]
    Full,
    /// There are too many copies from before earlier upgrades.
    #[error("{0} copies of the database from before upgrades lie beside it; move them away")]
    Copies(u32),
    /// Rows refer to missing rows, so the migration is refused.
    #[error("the database is damaged: rows of {0:?} refer to others that are missing")]
    Dangling(String),
    /// Another process is changing the database.
    #[error("the database is busy")]
    Busy,
    /// Any other error.
    #[error("the database cannot be opened: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ if is_damage(&error) => Self::Damaged(error),
            _ => Self::Sqlite(error),
        }
    }
}

impl OpenError {
    /// The error of the database at `path`. A file that is not a database may be one of echat's with a damaged header;
    /// the rest of the header shows it. A write that fails may do so because there is no room.
    pub(super) fn of(self, path: &Path) -> Self {
        match self {
            Self::Foreign if is_ours(path) => Self::Damaged(not_a_database()),
            Self::Sqlite(error) if is_failed_write(&error) && has_no_room(path) => Self::Full,
            error => error,
        }
    }
}

/// Whether the header of a file has echat's application id, or this process uses it as its database.
fn is_ours(path: &Path) -> bool {
    let mut id = [0; 4];
    let file = match regular_file::read(path) {
        Err(error) => return locked_file::is_refusal(&error),
        Ok(file) => file,
    };
    let read = file.read_exact_at(&mut id, APPLICATION_ID_AT);
    read.is_ok() && id == APPLICATION_ID.to_be_bytes()
}

fn not_a_database() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOTADB), None)
}
