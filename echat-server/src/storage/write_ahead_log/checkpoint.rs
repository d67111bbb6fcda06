//! The checkpoint of a long log on a connection of its own, without any state of the loop.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::super::failure;
use super::super::settings::SETTINGS;
use super::purge::empty;
use super::{Progress, checkpoint, log_of, progress, write_back};

/// A checkpoint of the log, to be run by a thread that may wait for the disk. Other connections can read
/// and write at the same time.
#[derive(Debug)]
pub struct Checkpoint {
    database: PathBuf,
    /// The file of the database, if it may be synced outside `SQLite`.
    file: Option<Arc<File>>,
    /// The ranges of the database whose pages are in the log, if they are known.
    logged: Option<Vec<Range<u64>>>,
    /// Whether the file of the log is cut to nothing afterwards.
    empties: bool,
}

/// The outcome of a [`Checkpoint`].
#[derive(Debug)]
#[must_use = "a failed checkpoint ends the server"]
pub struct CheckpointOutcome {
    /// How it ended, or why a write or a sync failed.
    pub(super) end: rusqlite::Result<CheckpointEnd>,
    /// Why the file of the log was not cut to nothing, where that was to be done.
    pub(super) not_cut: Option<rusqlite::Error>,
}

/// How a checkpoint ended.
#[derive(Debug)]
pub(super) enum CheckpointEnd {
    /// Everything that was in the log at its beginning is in the database.
    Complete,
    /// A reader holds the rest.
    Partial,
    /// Nothing was done, for lack of a thread or a file descriptor for example. It is retried.
    NotBegun(rusqlite::Error),
}

impl CheckpointOutcome {
    /// The outcome of a checkpoint for which there is no thread. It is retried.
    pub fn not_begun(error: &io::Error) -> Self {
        Self::of(Ok(CheckpointEnd::NotBegun(failure::no_thread(error))))
    }

    /// The outcome of a checkpoint that ended before its result, by a panic: what is on the disk is unknown.
    pub fn broken_off() -> Self {
        let error = io::Error::other("the thread of the checkpoint panicked");
        Self::of(Err(failure::sync(&error)))
    }

    fn of(end: rusqlite::Result<CheckpointEnd>) -> Self {
        let not_cut = None;
        Self { end, not_cut }
    }
}

impl Checkpoint {
    /// A checkpoint of the database at this path, which contains no symbolic link.
    pub(super) fn of(
        database: PathBuf,
        file: Option<Arc<File>>,
        logged: Option<Vec<Range<u64>>>,
        empties: bool,
    ) -> Self {
        Self {
            database,
            file,
            logged,
            empties,
        }
    }

    /// Runs the checkpoint. It may be killed at any moment: the pages are written again from the log.
    pub fn run(mut self) -> CheckpointOutcome {
        match self.connect() {
            Ok(db) => {
                let end = self.copy(&db);
                let is_cut = self.empties && end.is_ok();
                CheckpointOutcome {
                    end,
                    not_cut: is_cut.then(|| empty(&db).err()).flatten(),
                }
            }
            // Nothing was written.
            Err(error) if !failure::is_damage(&error) => {
                CheckpointOutcome::of(Ok(CheckpointEnd::NotBegun(error)))
            }
            Err(error) => CheckpointOutcome::of(Err(error)),
        }
    }

    fn copy(&mut self, db: &Connection) -> rusqlite::Result<CheckpointEnd> {
        let before = progress(db)?.copied;
        let Progress { pages, copied } = checkpoint(db)?;
        // The log may have restarted in between.
        let is_complete = pages >= 0 && pages == copied;
        if copied > before {
            // Pages that were committed since are few: the sync alone writes them.
            let logged = self.logged.take().filter(|_| is_complete && before == 0);
            let written = logged.map_or_else(
                || write_back::ranges(&log_of(&self.database), before..copied),
                Ok,
            );
            self.sync(written).map_err(|error| failure::sync(&error))?;
        }
        Ok(if is_complete {
            CheckpointEnd::Complete
        } else {
            CheckpointEnd::Partial
        })
    }

    /// Syncs the database after pages of the log were copied: first the ranges that were written, in small portions.
    /// `SQLite` does not sync it if a commit occurred while it copied; the next checkpoint would then sync everything
    /// in the loop.
    fn sync(&self, written: io::Result<Vec<Range<u64>>>) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if let Err(error) = written.and_then(|ranges| write_back::write_back(file, &ranges)) {
            // The sync then writes everything at once, or reports the failure.
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
        // A checkpoint at close would hide its failures.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // The first read opens the log.
        db.pragma_query_value(None, "schema_version", |_| Ok(()))?;
        Ok(db)
    }
}
