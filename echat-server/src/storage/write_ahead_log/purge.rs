//! Removes what is left of removed text in the files of the database.
//!
//! `secure_delete` overwrites what is deleted, but pages may keep copies of it ([`scrub`](super::scrub)). The log still
//! has the pages from before, and so has the database until the log is copied. So the pages are scrubbed, the whole log
//! is copied, and its file is cut to nothing. A long log is copied by another thread first, and so is a long file cut:
//! freeing it may take long.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};

use super::super::StoreError;
use super::super::failure::DamageLog;
use super::truncation::KEPT;
use super::{Background, WriteAheadLog, left, log_of};

/// Steps that an orderly end takes at most: 64 pages are scrubbed in each, and 16,384 are looked at.
const STEPS_AT_END: usize = 64;

/// What one step of a purge came to.
#[derive(Debug)]
pub enum Purged {
    /// Nothing is left of removed text.
    All,
    /// More steps follow, or another thread copies the log.
    Waits,
    /// Another program reads an older state of the database, or the disk has no room for the pages of the log, or the
    /// system no thread or descriptor.
    Held(rusqlite::Error),
}

/// What is left of removed text.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    state: Cell<LeftoverState>,
    /// Whether the file of the log is too long to be cut in the loop.
    is_long: Cell<bool>,
    /// Why another thread did not copy or cut all of the log.
    held: RefCell<Option<rusqlite::Error>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LeftoverState {
    #[default]
    None,
    /// Text was removed.
    Some,
    /// Another thread copied what was in the log since.
    Copied,
}

impl Leftovers {
    /// Whether the next checkpoint on another thread is to cut the file.
    pub(super) fn is_long(&self) -> bool {
        self.state.get() != LeftoverState::None && self.is_long.get()
    }

    /// Notes that another thread copied the log.
    pub(super) fn copied(&self) {
        if self.state.get() == LeftoverState::Some {
            self.state.set(LeftoverState::Copied);
        }
    }

    /// Notes why another thread did not copy or cut all of the log. The next step of a purge says so instead of
    /// beginning again at once.
    pub(super) fn hold(&self, error: rusqlite::Error) {
        if self.state.get() != LeftoverState::None {
            self.held.replace(Some(error));
        }
    }
}

impl WriteAheadLog {
    /// Notes that text was removed by a commit, perhaps one of an earlier process.
    pub(in super::super) fn note_removed(&self) {
        self.leftovers.state.set(LeftoverState::Some);
    }

    /// Whether something is left of removed text.
    pub(in super::super) fn has_leftovers(&self) -> bool {
        self.leftovers.state.get() != LeftoverState::None
    }

    /// One step towards a log of no length.
    ///
    /// # Errors
    /// As [`WriteAheadLog::committed`].
    pub(in super::super) fn purge(
        &self,
        db: &Connection,
        damage: &DamageLog,
    ) -> Result<Purged, StoreError> {
        if self.background.get() != Background::None {
            return Ok(Purged::Waits);
        }
        if let Some(error) = self.leftovers.held.take() {
            return Ok(Purged::Held(error));
        }
        match self.purge_now(db) {
            Ok(purged) => Ok(purged),
            Err(error) if damage.can_wait(&error) => Ok(Purged::Held(error)),
            Err(error) => {
                self.judged(error, damage)?;
                // It was damage. What is left stays until the database is repaired.
                self.scrub.give_up();
                self.leftovers.state.set(LeftoverState::None);
                Ok(Purged::All)
            }
        }
    }

    /// Scrubs the pages before an orderly end, as far as that does not take long. Returns whether all of them are
    /// scrubbed. The log goes with the connection; if it stays, the next start looks at all pages.
    pub(in super::super) fn scrub_at_end(&self, db: &Connection) -> bool {
        for _ in 0..STEPS_AT_END {
            if self.failed.get() {
                return false;
            }
            match self.scrub_portion(db) {
                Ok(true) => {}
                Ok(false) => return self.scrub.is_done(),
                Err(_) => return false,
            }
        }
        false
    }

    /// Notes that an earlier process ended with [`scrub_at_end`](Self::scrub_at_end).
    pub(in super::super) fn trust_pages(&self) {
        self.scrub.trust();
    }

    /// Scrubs a portion of the pages, and scans what it wrote. Returns whether more are left.
    fn scrub_portion(&self, db: &Connection) -> rusqlite::Result<bool> {
        self.scrub.scan(db);
        let has_more = self.scrub.portion(db);
        if let Some(pages) = self.reported.take_commit() {
            self.scrub.commit(db, pages);
        }
        self.scrub.scan(db);
        has_more
    }

    fn purge_now(&self, db: &Connection) -> rusqlite::Result<Purged> {
        if self.scrub_portion(db)? {
            return Ok(Purged::Waits);
        }
        let bounds = self.bounds.get();
        let most = match self.leftovers.state.get() {
            LeftoverState::Copied => bounds.inline,
            LeftoverState::None | LeftoverState::Some => bounds.few,
        };
        let is_long = file_length(db) > KEPT;
        self.leftovers.is_long.set(is_long);
        if is_long || left(db)? > most {
            self.background.set(Background::Wanted);
            return Ok(Purged::Waits);
        }
        self.scrub.before_checkpoint(db);
        empty(db)?;
        self.leftovers.state.set(LeftoverState::None);
        self.seen.set(0);
        self.again_at.set(0);
        self.cut_at.set(0);
        Ok(Purged::All)
    }
}

/// Copies the whole log into the database, syncs it, and cuts the file of the log to nothing.
pub(super) fn empty(db: &Connection) -> rusqlite::Result<()> {
    db.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)
        .map(drop)
}

fn file_length(db: &Connection) -> u64 {
    let path = db.path().filter(|path| !path.is_empty());
    path.map_or(0, |path| length_of_log(Path::new(path)))
}

/// Bytes of the log of the database at `path`; 0 if there is none.
pub fn length_of_log(path: &Path) -> u64 {
    fs::metadata(log_of(path)).map_or(0, |file| file.len())
}
