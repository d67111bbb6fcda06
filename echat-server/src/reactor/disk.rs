//! Free space of the data folder's file system.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the system is asked at most.
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

    /// Bytes that are free for this process; `None` if the system was asked less than a second ago, or does
    /// not know.
    pub(super) fn free(&mut self, now: Duration) -> Option<u64> {
        if now < self.ask_at {
            return None;
        }
        self.ask_at = now + INTERVAL;
        let known = rustix::fs::statvfs(&self.folder).ok()?;
        Some(known.f_bavail.saturating_mul(known.f_frsize))
    }
}
