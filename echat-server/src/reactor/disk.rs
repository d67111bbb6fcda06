//! The free space on the file system of the data folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shortest time between two queries.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Disk {
    folder: PathBuf,
    ask_at: Duration,
}

impl Disk {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ask_at: Duration::ZERO,
        }
    }

    /// Bytes that are free for this process; `None` if the last query was less than a second ago, or failed.
    pub(super) fn free(&mut self, now: Duration) -> Option<u64> {
        if now < self.ask_at {
            return None;
        }
        self.ask_at = now + INTERVAL;
        let known = rustix::fs::statvfs(&self.folder).ok()?;
        Some(known.f_bavail.saturating_mul(known.f_frsize))
    }
}
