//! Brings the search index up to date, a portion after each tick.
//!
//! A search reads the texts of messages that are not indexed, so nothing depends on when a portion is made. Several
//! messages share one, which costs a twentieth of indexing each by itself; so a portion waits for others to be stored,
//! unless more than a portion waits already. What is removed is out of the index within a second. Each portion is a
//! transaction of its own, with a sync, so the answers of a tick leave first. It is written to the journal like other
//! writes that no answer depends on.

use super::MemoryState;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::storage::{Store, StoreError, Unindexed};
use std::slice;
use std::time::Duration;

/// How long after a write the next portion is made.
const WAIT: Duration = Duration::from_millis(250);
/// The time between two portions while more is left, so that requests have most of the processor and of the disk.
const PAUSE: Duration = Duration::from_millis(5);
/// How long ticks with answers put off a portion that is due.
const PUT_OFF: Duration = Duration::from_millis(250);
/// The time until a portion is tried again that the disk or another program did not let through.
const RETRY: Duration = Duration::from_secs(1);

/// When the next portion is due.
#[derive(Debug, Default)]
pub(super) struct SearchIndex {
    /// By [`Now::running`]; `None` if the index is up to date.
    next_at: Option<Duration>,
    /// Whether damage ends the indexing until the next start.
    is_damaged: bool,
}

impl SearchIndex {
    /// Whether nothing is indexed until the next start.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// When a tick is needed to make the next portion.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// Makes a portion if one is due. While output waits to be written, that can be the next tick.
    ///
    /// # Errors
    /// `Fatal`, which ends the process. After damage the index stays as it is; after any other error the portion is
    /// tried again.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        state: &mut MemoryState,
        output_waits: bool,
        now: Now,
    ) -> Result<(), StoreError> {
        if store.is_unindexed() && !self.is_damaged {
            self.next_at.get_or_insert(now.running + WAIT);
        }
        let put_off = if output_waits {
            PUT_OFF
        } else {
            Duration::ZERO
        };
        if self.next_at.is_none_or(|at| now.running < at + put_off) {
            return Ok(());
        }
        let pause = match portion(store) {
            Ok((written, left)) => {
                if written {
                    let write = slice::from_ref(&DeferredWrite::IndexMessages);
                    state.journal.deferred(write.to_vec());
                }
                left.map(|left| match left {
                    Unindexed::Portion => PAUSE,
                    Unindexed::Few => WAIT,
                })
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(StoreError::Damaged(error)) => {
                tracing::warn!(
                    %error,
                    "new messages are not indexed, and no more texts are removed from the disk, until the database is repaired"
                );
                self.is_damaged = true;
                None
            }
            Err(error) => {
                tracing::debug!(%error, "messages could not be indexed; it is tried again");
                Some(RETRY)
            }
        };
        self.next_at = pause.map(|pause| now.running + pause);
        Ok(())
    }
}

/// Makes one portion. Returns whether it wrote, and what is left.
fn portion(store: &mut Store) -> Result<(bool, Option<Unindexed>), StoreError> {
    let mut batch = store.batch();
    let left = batch.index_messages()?;
    let written = batch.writes() > 0;
    let _receipt = batch.commit()?;
    Ok((written, left))
}
