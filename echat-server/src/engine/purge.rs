//! Removes what is left of removed text in the files of the database, within a second.
//!
//! The steps are the store's ([`Store::purge`]). Here is decided when they are taken: at once after a removal, but five
//! times a second at most, since each purge syncs the database. While another program reads an older state of the
//! database, the log cannot be cut, which the log of the server says.

use crate::clock::Now;
use crate::storage::{Purged, Store, StoreError};
use std::time::Duration;

/// The time between two purges.
const PAUSE: Duration = Duration::from_millis(200);
/// The time between two steps, and from one look for the end of a checkpoint to the next.
const STEP: Duration = Duration::from_millis(20);
/// The time from one attempt to the next while another program reads for longer than [`PATIENCE`].
const RETRY: Duration = Duration::from_millis(250);
/// The time that another program may read before it is logged.
const PATIENCE: Duration = Duration::from_secs(1);

/// When the next step is due, by [`Now::running`].
#[derive(Debug, Default)]
pub(super) struct Purge {
    next_at: Option<Duration>,
    /// No purge begins before.
    not_before: Duration,
    /// Since when another program has kept the log from being cut.
    held_since: Option<Duration>,
    is_logged: bool,
}

impl Purge {
    /// When a tick is needed for the next step.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// Takes a step if one is due.
    ///
    /// # Errors
    /// `Fatal`, which ends the process.
    pub(super) fn step(&mut self, store: &mut Store, now: Now) -> Result<(), StoreError> {
        if !store.has_leftovers() {
            return Ok(());
        }
        let at = *self.next_at.get_or_insert(self.not_before.max(now.running));
        if now.running < at {
            return Ok(());
        }
        let pause = match store.purge()? {
            Purged::All => {
                if std::mem::take(&mut self.is_logged) {
                    tracing::info!("removed text is out of the write-ahead log now");
                }
                self.held_since = None;
                self.not_before = now.running + PAUSE;
                self.next_at = None;
                return Ok(());
            }
            Purged::Waits => STEP,
            Purged::Held(error) => {
                let since = *self.held_since.get_or_insert(now.running);
                // A commit of this server holds it for a moment only.
                let is_long = now.running >= since + PATIENCE;
                if is_long && !self.is_logged {
                    self.is_logged = true;
                    tracing::warn!(
                        %error,
                        "removed text is still in the write-ahead log, perhaps because another program or a backup reads \
                         the database; it goes as soon as that ends"
                    );
                }
                if is_long { RETRY } else { STEP }
            }
        };
        self.next_at = Some(now.running + pause);
        Ok(())
    }
}
