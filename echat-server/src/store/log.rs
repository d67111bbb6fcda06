//! The write-ahead log as a file: when it is folded into the database, and what is done to one that
//! a process left behind.
//!
//! A short log is folded after the commit that made it long. A log that grew while another program kept a
//! read open is folded by a [`Fold`] on a connection of its own, so that the loop goes on; what is
//! committed in that time is little again, and the log begins anew when that is folded too.
//!
//! A sync that fails is not made good by a later one that succeeds: the system takes the pages that
//! it could not write for clean, and shows them to whoever reads, until the power is cut. So a
//! failure is never passed over, and a log that was left behind is written anew before anything
//! rests on it. Not even a full disk is passed over then (writing in place may need space where files
//! are copied on write): what the log shows and the disk may not have would be acknowledged to
//! whoever sends it again with its txn_id.

mod cut;
mod fold;
mod write_back;

use std::cell::Cell;
use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB, TransactionBehavior};

use super::StoreError;
use super::failure::{self, Met};
use super::open_error::OpenError;
use crate::private_file;

use cut::Cut;
pub use fold::{Fold, Folded};

/// Pages in the log from which on it is folded: 4 MiB.
const PAGES: c_int = 1000;

/// Pages that a commit folds at most: 8 MiB. More is left to a [`Fold`].
const INLINE: c_int = 2000;

/// Bytes that are written anew at a time.
const CHUNK: usize = 64 * 1024;

/// When the log of a connection is folded, and by which thread.
#[derive(Debug)]
pub(super) struct Log {
    /// Pages in the log after the last commit, as `SQLite` said.
    pages: Arc<AtomicI32>,
    bounds: Cell<Bounds>,
    /// Pages in the log when it was last looked at: fewer now, and it has begun anew.
    seen: Cell<c_int>,
    /// A fold is not tried again before the log has so many pages.
    again_at: Cell<c_int>,
    apart: Cell<Apart>,
    cut: Cut,
    /// The limit of the file is looked at when the log has so many pages.
    cut_at: Cell<c_int>,
    /// The file of the database, for folds.
    file: Option<Arc<File>>,
}

/// Pages of the log.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// From so many on it is folded.
    least: c_int,
    /// A commit folds no more than so many.
    inline: c_int,
}

/// A fold on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    None,
    Wanted,
    Running,
}

impl Log {
    /// The log of this connection, which tells how long it is from now on. `SQLite` would fold it by
    /// itself, and keep a failure to itself.
    pub(super) fn of(db: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let told = Arc::clone(&pages);
        db.wal_hook(Some(move |_: &mut Wal, pages: c_int| {
            told.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            pages,
            bounds: Cell::new(Bounds {
                least: PAGES,
                inline: INLINE,
            }),
            seen: Cell::new(0),
            again_at: Cell::new(0),
            apart: Cell::new(Apart::None),
            cut: Cut::new(),
            cut_at: Cell::new(0),
            file: None,
        })
    }

    /// Lets folds sync the database through `file`. See [`super::Store::sync_folds_by`].
    pub(super) fn sync_folds_by(&mut self, file: Arc<File>) {
        self.file = Some(file);
    }

    /// Changes the bounds.
    pub(super) fn bound(&self, least: c_int, inline: c_int) {
        self.bounds.set(Bounds { least, inline });
    }

    /// Changes how many bytes the file keeps after a peak, and how many are cut off at a time.
    pub(super) fn bound_cuts(&self, kept: u64, step: u64) {
        self.cut.bound(kept, step);
    }

    /// Sees to it that a long file, as a process may have left it, is cut back in steps.
    pub(super) fn cut_in_steps(&self, db: &Connection) -> rusqlite::Result<()> {
        self.cut.follow(db)
    }

    /// Folds the log after a commit, or wants it folded apart, if it is long. The commit stands
    /// whatever this says.
    ///
    /// # Errors
    /// `Fatal`: a write or a sync failed. Damage, a full disk and other programs are no error: all is in
    /// the log still.
    pub(super) fn committed(&self, db: &Connection, met: &Met) -> Result<(), StoreError> {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.seen.replace(pages) {
            self.again_at.set(0);
            self.cut_at.set(0);
        }
        let Bounds { least, inline } = self.bounds.get();
        if pages >= self.cut_at.get() {
            self.cut_at.set(pages.saturating_add(least / 4));
            let followed = self.cut.follow(db);
            followed.or_else(|error| judged(error, met))?;
        }
        if pages < least || pages < self.again_at.get() || self.apart.get() != Apart::None {
            return Ok(());
        }
        // Another program may keep a read open for hours.
        self.again_at.set(pages.saturating_add(least / 4));
        let folded = left(db).and_then(|left| {
            if left > inline {
                self.apart.set(Apart::Wanted);
                return Ok(());
            }
            checkpoint(db).map(drop)
        });
        folded.or_else(|error| judged(error, met))
    }

    /// The fold that is wanted, to be run by another thread.
    pub(super) fn take_fold(&self, db: &Connection) -> Option<Fold> {
        if self.apart.get() != Apart::Wanted {
            return None;
        }
        self.apart.set(Apart::Running);
        Some(Fold::of(db.path()?.into(), self.file.clone()))
    }

    /// Takes note of what became of a fold that was taken.
    ///
    /// # Errors
    /// As [`Log::committed`].
    pub(super) fn folded(&self, folded: Folded, met: &Met) -> Result<(), StoreError> {
        self.apart.set(Apart::None);
        match folded.0 {
            // The next commit folds what was committed since.
            Ok(true) => self.again_at.set(0),
            Ok(false) => {}
            Err(error) => return judged(error, met),
        }
        Ok(())
    }

    /// Lets the connection be closed in a bounded time: `SQLite` folds the log when the last one is.
    pub(super) fn close(&self, db: &Connection) {
        let much = left(db).is_ok_and(|left| left > self.bounds.get().inline);
        if much {
            // If this fails, the connection takes longer to close.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

/// How much of the log is in the database.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Pages in the log.
    pages: c_int,
    /// How many of them are in the database, from the first one on.
    folded: c_int,
}

fn progress(db: &Connection) -> rusqlite::Result<Progress> {
    db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| {
            Ok(Progress {
                pages: row.get(1)?,
                folded: row.get(2)?,
            })
        })
}

/// Pages of the log that are not in the database yet.
fn left(db: &Connection) -> rusqlite::Result<c_int> {
    progress(db).map(|Progress { pages, folded }| pages - folded)
}

/// Folds what can be folded.
fn checkpoint(db: &Connection) -> rusqlite::Result<Progress> {
    let (pages, folded) = db.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
    Ok(Progress { pages, folded })
}

/// What a fold that failed means: only a failed write or sync leaves something open.
fn judged(error: rusqlite::Error, met: &Met) -> Result<(), StoreError> {
    if failure::can_wait(&error) {
        return Ok(());
    }
    match met.judge(error) {
        StoreError::Damaged(_) => Ok(()),
        error => Err(error),
    }
}

/// Writes the log of the database at `path` anew, and syncs it and its name. Nobody appends to it
/// meanwhile.
pub(super) fn renew(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let held = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let renewed = write_again(&log_of(path));
    held.rollback()?;
    renewed.map_err(OpenError::Log)
}

/// Where `SQLite` keeps the log.
fn log_of(database: &Path) -> PathBuf {
    let mut log = database.to_owned().into_os_string();
    log.push("-wal");
    log.into()
}

fn write_again(path: &Path) -> io::Result<()> {
    let log = OpenOptions::new().read(true).write(true).open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let length = match log.read_at(&mut chunk, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 {
            break;
        }
        log.write_all_at(&chunk[..length], at)?;
        at += length as u64;
    }
    log.sync_all()?;
    // `SQLite` does that too, but goes on if it fails.
    private_file::sync_folder_of(path)
}
