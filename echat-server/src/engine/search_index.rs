//! Brings the search index up to date, a portion after each tick.
//!
//! A search reads the texts of messages that are not indexed, so nothing depends on when a portion is made. Several
//! messages share one, which costs a twentieth of indexing each by itself; so the first portion waits for others to be
//! stored. What is removed is out of the index within a second. Each portion is a transaction of its own after the
//! answers of a tick, and is written to the journal like other writes that no answer depends on.

use super::MemoryState;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::storage::{Store, StoreError};
use std::slice;
use std::time::Duration;

/// How long after a write the first portion is made.
const WAIT: Duration = Duration::from_millis(250);
/// The time between two portions, so that requests have most of the processor and of the disk.
const PAUSE: Duration = Duration::from_millis(5);
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
    /// When a tick is needed to make the next portion.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// Makes a portion if one is due.
    ///
    /// # Errors
    /// `Fatal`, which ends the process. After damage the index stays as it is; after any other error the portion is
    /// tried again.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        state: &mut MemoryState,
        now: Now,
    ) -> Result<(), StoreError> {
        if store.is_unindexed() && !self.is_damaged {
            self.next_at.get_or_insert(now.running + WAIT);
        }
        if self.next_at.is_none_or(|at| now.running < at) {
            return Ok(());
        }
        let pause = match portion(store) {
            Ok((written, has_more)) => {
                if written {
                    let write = slice::from_ref(&DeferredWrite::IndexMessages);
                    state.journal.deferred(write.to_vec());
                }
                has_more.then_some(PAUSE)
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(StoreError::Damaged(error)) => {
                tracing::warn!(%error, "new messages are not indexed until the database is repaired");
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

/// Makes one portion. Returns whether it wrote, and whether more is left.
fn portion(store: &mut Store) -> Result<(bool, bool), StoreError> {
    let mut batch = store.batch();
    let has_more = batch.index_messages()?;
    let written = batch.writes() > 0;
    let _receipt = batch.commit()?;
    Ok((written, has_more))
}
