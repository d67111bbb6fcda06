//! Deferred writes: small writes that no answer depends on, made after the tick's commit.

use super::full_disk_log::FullDiskLog;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::handlers::journal::Journal;
use crate::storage::{Store, StoreError};

/// Makes them, in a transaction of their own. What a full or busy disk does not take is dropped and logged.
pub(super) fn write(
    store: &mut Store,
    writes: &mut Vec<DeferredWrite>,
    journal: &mut Journal,
    log: &mut FullDiskLog,
    now: Now,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut batch = store.batch();
    let written = writes.iter().try_for_each(|write| write.make(&mut batch));
    let written = written.and_then(|()| batch.commit().map(drop));
    let made = std::mem::take(writes);
    match written {
        Err(fatal @ StoreError::Fatal(_)) => Err(fatal),
        Err(error) => {
            log.note_lost(&error, now.running);
            Ok(())
        }
        Ok(()) => {
            journal.deferred(made);
            Ok(())
        }
    }
}
