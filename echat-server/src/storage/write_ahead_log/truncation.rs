//! Truncates the file of the log after a peak, in steps.
//!
//! `SQLite` truncates the file to `journal_size_limit` with the first commit after the log restarted. Freeing some
//! hundred MiB takes a file system more than 100 ms, so the limit follows the size of the file: each time the log
//! restarts, the file loses one step.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::log_of;

/// Bytes that the file keeps after a peak.
pub(super) const KEPT: u64 = 16 * 1024 * 1024;

/// Bytes that one commit cuts off, which takes 4 to 8 ms on ext4.
pub(super) const STEP: u64 = 8 * 1024 * 1024;

/// The limit of the connection.
#[derive(Debug)]
pub(super) struct Truncation {
    kept: Cell<u64>,
    step: Cell<u64>,
    /// The limit last set, in bytes.
    limit: Cell<Option<u64>>,
}

impl Truncation {
    pub(super) fn new() -> Self {
        Self {
            kept: Cell::new(KEPT),
            step: Cell::new(STEP),
            limit: Cell::new(None),
        }
    }

    /// Sets the limits, in bytes.
    pub(super) fn bound(&self, kept: u64, step: u64) {
        self.kept.set(kept);
        self.step.set(step);
    }

    /// Sets the limit one step below the size of the file, but not below the bytes that are kept.
    pub(super) fn follow(&self, db: &Connection) -> rusqlite::Result<()> {
        let Some(path) = db.path().filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        let length = match fs::metadata(log_of(Path::new(path))) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            // The limit stays; the file is truncated later.
            Err(_) => return Ok(()),
        };
        let limit = length.saturating_sub(self.step.get()).max(self.kept.get());
        if self.limit.replace(Some(limit)) == Some(limit) {
            return Ok(());
        }
        db.pragma_update_and_check(None, "journal_size_limit", limit.cast_signed(), |_| Ok(()))
    }
}
