//! Folding a long log on a connection of its own, which needs no state of the loop's.

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::failure;
use super::super::schema::SETTINGS;
use super::{Progress, checkpoint, log_of, progress, write_back};

/// A log to be folded into its database, by a thread that may wait for the disk. Others read and write
/// the database in that time.
#[derive(Debug)]
pub struct Fold {
    database: PathBuf,
    /// The file of the database, if it may be synced apart from `SQLite`.
    file: Option<Arc<File>>,
}

/// What became of a [`Fold`]: whether all that was in the log when it began is in the database, or
/// why a write or a sync of it failed.
#[derive(Debug)]
#[must_use = "a failed fold ends the server"]
pub struct Folded(pub(super) rusqlite::Result<bool>);

impl Folded {
    /// What could not be begun, because the system gives no thread for instance. It is tried again.
    pub fn not_begun() -> Self {
        Self(Ok(false))
    }
}

impl Fold {
    /// A fold of the database that a connection calls by this name: the file itself, not a link to it.
    pub(super) fn of(database: PathBuf, file: Option<Arc<File>>) -> Self {
        Self { database, file }
    }

    /// Folds. It may be killed at any moment: what it wrote is written again from the log.
    pub fn run(self) -> Folded {
        match self.connect() {
            Ok(db) => Folded(self.fold(&db)),
            // Nothing was written: out of files for instance. It is tried again.
            Err(error) if !failure::is_damage(&error) => {
                tracing::warn!(%error, "the log cannot be folded now");
                Folded(Ok(false))
            }
            Err(error) => Folded(Err(error)),
        }
    }

    fn fold(&self, db: &Connection) -> rusqlite::Result<bool> {
        let before = progress(db)?.folded;
        let Progress { pages, folded } = checkpoint(db)?;
        // The log may have begun anew in between.
        if folded > before {
            self.sync(before..folded)
                .map_err(|error| failure::sync(&error))?;
        }
        Ok(pages >= 0 && pages == folded)
    }

    /// Syncs the database in small portions, after these pages of the log were copied to it. `SQLite` has not
    /// synced it if a commit came while it was copying: the next checkpoint does, which is a commit's.
    fn sync(&self, copied: Range<c_int>) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let written = write_back::ranges(&log_of(&self.database), copied)
            .and_then(|ranges| write_back::write_back(file, &ranges));
        if let Err(error) = written {
            // The sync writes all of it at once, or tells what failed.
            tracing::debug!(%error, "the database is not written in portions");
        }
        file.sync_all()
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let db = Connection::open_with_flags(&self.database, flags)?;
        db.busy_timeout(Duration::ZERO)?;
        db.execute_batch(SETTINGS)?;
        // Folding once more when it is closed would be without a report.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // The log is opened by the first read.
        db.pragma_query_value(None, "schema_version", |_| Ok(()))?;
        Ok(db)
    }
}
