//! Deferred writes: small writes that no request waits for, made after the tick's commit.

use super::MemoryState;
use super::full_disk_log::FullDiskLog;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::storage::{Receipt, Store, StoreError};

/// Makes them, in a transaction of their own. The receipt says that all of them are durable; there is none if there was
/// nothing to write.
///
/// What a full or busy disk does not take is logged. Notes are then dropped. Secrets that were not stored are not given
/// out, and their chains end: what voids them is tried again with the next writes, and holds in memory until then.
pub(super) fn write(
    store: &mut Store,
    state: &mut MemoryState,
    log: &mut FullDiskLog,
    now: Now,
) -> Result<Option<Receipt>, StoreError> {
    let writes = &mut state.deferred_writes;
    // What is left from before waits for the next write.
    if writes.len() <= state.unwritten {
        return Ok(None);
    }
    let mut batch = store.batch();
    let written = writes.iter().try_for_each(|write| write.make(&mut batch));
    let written = written.and_then(|()| batch.commit());
    let made = std::mem::take(writes);
    state.unwritten = 0;
    match written {
        Err(fatal @ StoreError::Fatal(_)) => Err(fatal),
        Err(error) => {
            log.note_lost(&error, now.running);
            keep(state, made, &error);
            Ok(None)
        }
        Ok(receipt) => {
            state.journal.deferred(made);
            Ok(Some(receipt))
        }
    }
}

/// Keeps what is left to do of writes that were not made. Damage keeps nothing: the same write would meet it again.
fn keep(state: &mut MemoryState, made: Vec<DeferredWrite>, error: &StoreError) {
    for (user, chain) in made.iter().filter_map(DeferredWrite::chain) {
        state.roster.forget_secrets(user, Some(&chain));
    }
    if !matches!(error, StoreError::Damaged(_)) {
        let left = made.into_iter().filter_map(DeferredWrite::unwritten);
        state.deferred_writes.extend(left);
        state.unwritten = state.deferred_writes.len();
    }
}
