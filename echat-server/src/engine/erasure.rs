//! Erasure: the messages of deleted accounts become tombstones, a portion a tick. They are hidden from the beginning, so
//! nothing depends on when it ends. After a restart it begins again; messages that are tombstones already cost no write.

use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::handlers::journal::Journal;
use crate::storage::{Erased, ErasurePlace, Store, StoreError, UserId};
use std::collections::VecDeque;
use std::time::Duration;

/// How long after a failure a portion is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The accounts whose messages are being erased, one after the other.
#[derive(Debug, Default)]
pub(super) struct Erasure {
    accounts: VecDeque<UserId>,
    /// How far the first of them is.
    place: ErasurePlace,
    is_loaded: bool,
    /// When a portion is tried again that the database did not take, by [`Now::running`].
    retry_at: Option<Duration>,
}

impl Erasure {
    /// Reads which erasures an earlier process left unfinished, once.
    pub(super) fn load(&mut self, store: &mut Store) -> Result<(), StoreError> {
        if self.is_loaded {
            return Ok(());
        }
        match store.batch().erasures() {
            Ok(accounts) => self.add(accounts),
            // They stay hidden.
            Err(StoreError::Damaged(_)) => {}
            Err(StoreError::Busy) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.is_loaded = true;
        Ok(())
    }

    /// Adds accounts.
    pub(super) fn add(&mut self, accounts: impl IntoIterator<Item = UserId>) {
        self.accounts.extend(accounts);
    }

    /// Whether the next tick has a portion to erase.
    pub(super) fn has_work(&self) -> bool {
        !self.accounts.is_empty() && self.retry_at.is_none()
    }

    /// When a portion is tried again.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Erases the next portion, in a transaction of its own.
    pub(super) fn go_on(
        &mut self,
        store: &mut Store,
        journal: &mut Journal,
        now: Now,
    ) -> Result<(), StoreError> {
        if self.retry_at.is_some_and(|at| now.running < at) {
            return Ok(());
        }
        self.retry_at = None;
        let Some(user) = self.accounts.front().copied() else {
            return Ok(());
        };
        let portion = DeferredWrite::Erase(user, self.place, now.unix);
        match erase(store, user, self.place, now.unix) {
            Ok(Erased::Until(place)) => self.place = place,
            Ok(Erased::All) => {
                self.accounts.pop_front();
                self.place = ErasurePlace::default();
            }
            Err(StoreError::Damaged(_)) => {
                // The messages stay hidden, and the next start tries again.
                tracing::error!(
                    user = user.0,
                    "messages of a deleted account cannot be erased"
                );
                self.accounts.pop_front();
                self.place = ErasurePlace::default();
                return Ok(());
            }
            Err(StoreError::Busy | StoreError::Full) => {
                self.retry_at = Some(now.running + RETRY);
                return Ok(());
            }
            Err(fatal) => return Err(fatal),
        }
        journal.deferred(vec![portion]);
        Ok(())
    }
}

fn erase(
    store: &mut Store,
    user: UserId,
    from: ErasurePlace,
    now: i64,
) -> Result<Erased, StoreError> {
    let mut batch = store.batch();
    let erased = batch.erase(user, from, now)?;
    batch.commit().map(|_receipt| erased)
}
