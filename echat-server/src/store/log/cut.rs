//! Cutting the file of the log back after a peak, in steps.
//!
//! `SQLite` cuts the file to `journal_size_limit` with the first commit after the log began anew. To free some
//! hundred MiB takes a file system more than 100 ms, so the limit follows the file down: each time the log begins
//! anew, the file loses one step.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::log_of;

/// Bytes that the file keeps after a peak.
pub(super) const KEPT: u64 = 16 * 1024 * 1024;

/// Bytes that one commit cuts off: 4 to 8 ms on ext4.
pub(super) const STEP: u64 = 8 * 1024 * 1024;

/// The limit of the connection.
#[derive(Debug)]
pub(super) struct Cut {
    kept: Cell<u64>,
    step: Cell<u64>,
    /// As `SQLite` was told, in bytes.
    limit: Cell<Option<u64>>,
}

impl Cut {
    pub(super) fn new() -> Self {
        Self {
            kept: Cell::new(KEPT),
            step: Cell::new(STEP),
            limit: Cell::new(None),
        }
    }

    /// Changes the bounds, in bytes.
    pub(super) fn bound(&self, kept: u64, step: u64) {
        self.kept.set(kept);
        self.step.set(step);
    }

    /// Sets the limit to one step less than what the file has, but not to less than what is kept.
    pub(super) fn follow(&self, db: &Connection) -> rusqlite::Result<()> {
        let Some(path) = db.path().filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        let length = match fs::metadata(log_of(Path::new(path))) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            // The limit stays; the file is cut some other time.
            Err(_) => return Ok(()),
        };
        let limit = length.saturating_sub(self.step.get()).max(self.kept.get());
        if self.limit.replace(Some(limit)) == Some(limit) {
            return Ok(());
        }
        db.pragma_update_and_check(None, "journal_size_limit", limit.cast_signed(), |_| Ok(()))
    }
}
