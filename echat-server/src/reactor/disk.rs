//! The free space on the file system of the data folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use echat_system::free_space;

/// The shortest time between two queries.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Disk {
    folder: PathBuf,
    ask_at: Duration,
    /// What the last query that succeeded found.
    known: Option<u64>,
}

impl Disk {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ask_at: Duration::ZERO,
            known: None,
        }
    }

    /// Bytes that are free for this process; `None` if the last query was less than a second ago, or failed.
    pub(super) fn free(&mut self, now: Duration) -> Option<u64> {
        if now < self.ask_at {
            return None;
        }
        self.ask_at = now + INTERVAL;
        self.known = Some(free_space::of_folder(&self.folder).ok()?);
        self.known
    }

    /// Bytes that were free at the last query.
    pub(super) fn known(&self) -> Option<u64> {
        self.known
    }
}
