//! The write-ahead log as a file: when it is checkpointed, and how a log of an earlier process is recovered.
//!
//! A log that reached 4 MiB is checkpointed by a [`Checkpoint`] on a connection of its own, on another thread, so that
//! no reply waits for copying and syncing the database. Commits during that time add a few pages. The next commit
//! copies them itself, if they are few, and the log restarts. Under a load that adds many pages during each checkpoint,
//! the log grows to 16 MiB; from there on a commit copies up to 8 MiB. A log that is longer, because another program
//! kept a read open, is left to the thread again. While a read is open, the checkpoint is tried again after every 250
//! further pages.
//!
//! After text was removed, what is left of it in pages is zeroed ([`scrub`]), the whole log is copied, and its file is
//! cut to nothing ([`purge`]).
//!
//! A failed sync is not repaired by a later successful one: the kernel marks the unwritten pages clean and shows them
//! to readers until the power is cut. So a failure is never ignored, and a log of an earlier process is rewritten
//! before anything relies on it. Even a full disk is an error then (on copy-on-write file systems, writing in place can
//! need space): otherwise the server would acknowledge, to a client that sends a message again with its txn_id, a
//! message that is in the log but perhaps not on the disk.

mod checkpoint;
mod purge;
mod scrub;
mod truncation;
pub(super) mod write_back;

use std::cell::Cell;
use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use echat_system::private_file;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB, TransactionBehavior};

use super::StoreError;
use super::failure::{self, DamageLog};
use super::open_error::OpenError;

use checkpoint::CheckpointEnd;
pub use checkpoint::{Checkpoint, CheckpointOutcome};
use purge::Leftovers;
pub use purge::Purged;
pub use purge::length_of_log;
use scrub::Scrub;
use truncation::Truncation;

/// Pages in the log from which it is checkpointed: 4 MiB.
const PAGES: c_int = 1000;

/// Pages that a commit copies while the log is shorter than [`CROWDED`] times its limit: 256 KiB, within a millisecond.
const FEW: c_int = 64;

/// Pages that a commit copies at most: 8 MiB. More are left to a [`Checkpoint`].
const INLINE: c_int = 2000;

/// From so many times the limit on, checkpoints beside the loop have not kept up with the commits, and commits copy
/// more.
const CROWDED: c_int = 4;

/// Bytes that are rewritten at a time.
const CHUNK: usize = 64 * 1024;

/// Decides when the log of a connection is checkpointed, and by which thread.
#[derive(Debug)]
pub(super) struct WriteAheadLog {
    reported: Arc<ReportedLog>,
    bounds: Cell<Bounds>,
    /// Pages in the log at the last check. If there are fewer now, the log has restarted.
    seen: Cell<c_int>,
    /// The number of pages at which the next checkpoint is attempted.
    again_at: Cell<c_int>,
    background: Cell<Background>,
    /// Whether the last checkpoint on another thread could not begin. Then commits copy what they may of a long log.
    alone: Cell<bool>,
    /// Whether a write or a sync failed. Then pages that count as copied may be missing from the disk.
    failed: Cell<bool>,
    /// What is left of removed text in the log and in the database below it.
    leftovers: Leftovers,
    scrub: Scrub,
    cut: Truncation,
    /// The number of pages at which the limit of the file is checked next.
    cut_at: Cell<c_int>,
    /// The file of the database, for checkpoints on another thread.
    file: Option<Arc<File>>,
}

/// What `SQLite` reports of the log after each commit that wrote a page.
#[derive(Debug, Default)]
struct ReportedLog {
    /// Pages in the log.
    pages: AtomicI32,
    /// Whether this was reported since the last [`take_commit`](Self::take_commit).
    is_new: AtomicBool,
}

impl ReportedLog {
    fn report(&self, pages: c_int) {
        self.pages.store(pages, Ordering::Relaxed);
        self.is_new.store(true, Ordering::Relaxed);
    }

    /// Pages in the log after the last commit.
    fn pages(&self) -> c_int {
        self.pages.load(Ordering::Relaxed)
    }

    /// The same, if there was a commit since the last call.
    fn take_commit(&self) -> Option<c_int> {
        self.is_new
            .swap(false, Ordering::Relaxed)
            .then(|| self.pages())
    }
}

/// Limits in pages of the log.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The length from which the log is checkpointed.
    least: c_int,
    /// The most that a commit copies of a log of moderate length.
    few: c_int,
    /// The most that a commit copies.
    inline: c_int,
}

impl Bounds {
    /// The most that a commit copies of a log of so many pages.
    fn inline(self, pages: c_int) -> c_int {
        if pages < self.least.saturating_mul(CROWDED) {
            self.few
        } else {
            self.inline
        }
    }
}

/// The state of a checkpoint on another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Background {
    None,
    Wanted,
    Running,
}

impl WriteAheadLog {
    /// Takes over the log of this connection. `SQLite` itself would checkpoint it too, but would hide failures.
    pub(super) fn of(db: &mut Connection) -> rusqlite::Result<Self> {
        let reported = Arc::new(ReportedLog::default());
        let told = Arc::clone(&reported);
        db.wal_hook(Some(move |_: &mut Wal, pages: c_int| {
            told.report(pages);
            Ok(())
        }))?;
        Ok(Self {
            reported,
            bounds: Cell::new(Bounds {
                least: PAGES,
                few: FEW,
                inline: INLINE,
            }),
            seen: Cell::new(0),
            again_at: Cell::new(0),
            background: Cell::new(Background::None),
            alone: Cell::new(false),
            failed: Cell::new(false),
            leftovers: Leftovers::default(),
            scrub: Scrub::new(),
            cut: Truncation::new(),
            cut_at: Cell::new(0),
            file: None,
        })
    }

    /// Lets checkpoints sync the database through `file`. See [`super::Store::sync_checkpoints_by`].
    pub(super) fn sync_checkpoints_by(&mut self, file: Arc<File>) {
        self.file = Some(file);
    }

    /// Sets the limits.
    pub(super) fn bound(&self, least: c_int, few: c_int, inline: c_int) {
        self.bounds.set(Bounds { least, few, inline });
    }

    /// Sets how many bytes the file keeps after a peak, and how many are cut off at a time.
    pub(super) fn bound_cuts(&self, kept: u64, step: u64) {
        self.cut.bound(kept, step);
    }

    /// Lets a long file of an earlier process be truncated in steps.
    pub(super) fn cut_in_steps(&self, db: &Connection) -> rusqlite::Result<()> {
        self.cut.follow(db)
    }

    /// Requests a checkpoint on another thread after a commit if the log is long, or copies the rest if it is short.
    /// The commit is valid whatever the result.
    ///
    /// # Errors
    /// `Fatal`: a write or a sync failed. Damage, a full disk and locks of other programs are no error: everything is
    /// still in the log.
    pub(super) fn committed(&self, db: &Connection, damage: &DamageLog) -> Result<(), StoreError> {
        if let Some(pages) = self.reported.take_commit() {
            self.scrub.commit(db, pages);
        }
        let pages = self.reported.pages();
        if pages < self.seen.replace(pages) {
            self.again_at.set(0);
            self.cut_at.set(0);
        }
        let bounds = self.bounds.get();
        let least = bounds.least;
        if pages >= self.cut_at.get() {
            self.cut_at.set(pages.saturating_add(least / 4));
            let followed = self.cut.follow(db);
            followed.or_else(|error| self.judged(error, damage))?;
        }
        if pages < least || pages < self.again_at.get() || self.background.get() != Background::None
        {
            return Ok(());
        }
        // Another program can keep a read open for hours.
        self.again_at.set(pages.saturating_add(least / 4));
        let checkpointed = left(db).and_then(|left| {
            let most = if self.alone.get() {
                bounds.inline
            } else {
                bounds.inline(pages)
            };
            if left > most {
                self.background.set(Background::Wanted);
                return Ok(());
            }
            self.scrub.before_checkpoint(db);
            checkpoint(db).map(drop)
        });
        checkpointed.or_else(|error| self.judged(error, damage))
    }

    /// The requested checkpoint, to be run by another thread.
    pub(super) fn take_checkpoint(&self, db: &Connection) -> Option<Checkpoint> {
        if self.background.get() != Background::Wanted {
            return None;
        }
        let database = db.path()?.into();
        self.scrub.before_checkpoint(db);
        self.background.set(Background::Running);
        let logged = self.scrub.logged();
        let empties = self.leftovers.is_long();
        Some(Checkpoint::of(database, self.file.clone(), logged, empties))
    }

    /// Takes the outcome of a checkpoint.
    ///
    /// # Errors
    /// As [`WriteAheadLog::committed`].
    pub(super) fn checkpoint_done(
        &self,
        outcome: CheckpointOutcome,
        damage: &DamageLog,
    ) -> Result<(), StoreError> {
        self.background.set(Background::None);
        self.leftovers.copied();
        let CheckpointOutcome { end, not_cut } = outcome;
        let end = match end {
            Err(error) => return self.held(error, damage),
            Ok(end) => end,
        };
        let could_begin = !self.alone.replace(false);
        match end {
            // The next commit checkpoints what was committed since.
            CheckpointEnd::Complete => self.again_at.set(0),
            CheckpointEnd::Partial => self.leftovers.hold(failure::held()),
            CheckpointEnd::NotBegun(error) => {
                if could_begin {
                    tracing::warn!(%error, "the write-ahead log cannot be checkpointed beside the loop now");
                }
                self.alone.set(true);
                self.leftovers.hold(error);
            }
        }
        not_cut.map_or(Ok(()), |error| self.held(error, damage))
    }

    /// Classifies the error of a checkpoint on another thread, and lets a purge wait after one that may pass.
    fn held(&self, error: rusqlite::Error, damage: &DamageLog) -> Result<(), StoreError> {
        if damage.can_wait(&error) {
            self.leftovers.hold(error);
            return Ok(());
        }
        self.judged(error, damage)
    }

    /// Notes that a write or a sync of the log failed.
    pub(super) fn note_failure(&self) {
        self.failed.set(true);
    }

    /// Decides whether closing the connection checkpoints the log, as `SQLite` does with the last one. It does not if
    /// that would take long, nor if pages that count as copied may be missing from the disk: after a failure, or while
    /// a checkpoint on another thread has not synced them. A complete checkpoint deletes the log, and these pages with
    /// it. The next start copies all of it again.
    pub(super) fn close(&self, db: &Connection) {
        let is_unsure = self.failed.get() || self.background.get() == Background::Running;
        let is_much = || left(db).is_ok_and(|left| left > self.bounds.get().inline);
        if is_unsure || is_much() {
            // `SQLite` only stores a flag here: this cannot fail on an open connection.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// Classifies the error of a checkpoint: only a failed write or sync leaves the state of the disk unknown.
    fn judged(&self, error: rusqlite::Error, damage: &DamageLog) -> Result<(), StoreError> {
        if failure::is_locked(&error) {
            return Ok(());
        }
        match damage.judge(error) {
            StoreError::Damaged(_) | StoreError::Full => Ok(()),
            error => {
                self.note_failure();
                Err(error)
            }
        }
    }
}

/// The progress of a checkpoint.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Pages in the log.
    pages: c_int,
    /// Pages that are already in the database.
    copied: c_int,
}

fn progress(db: &Connection) -> rusqlite::Result<Progress> {
    db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| {
            Ok(Progress {
                pages: row.get(1)?,
                copied: row.get(2)?,
            })
        })
}

/// Pages of the log that are not yet in the database.
fn left(db: &Connection) -> rusqlite::Result<c_int> {
    progress(db).map(|Progress { pages, copied }| pages - copied)
}

/// Copies as many pages as possible into the database.
fn checkpoint(db: &Connection) -> rusqlite::Result<Progress> {
    let (pages, copied) = db.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
    Ok(Progress { pages, copied })
}

/// Rewrites the log of the database at `path`, and syncs it and its folder, while no other connection can append.
pub(super) fn renew(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let held = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let renewed = write_again(&log_of(path));
    held.rollback()?;
    renewed.map_err(OpenError::Log)
}

/// The path of the log.
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
    // `SQLite` does that too, but ignores a failure.
    private_file::sync_folder_of(path)
}
