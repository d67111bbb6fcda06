//! Deferred writes: small writes that no request waits for, made after the tick's commit.
//!
//! A login never needs space on the disk: without the receipt (full disk, lock, damage) LOGIN_BUNDLE leaves without a
//! secret.

use super::MemoryState;
use super::full_disk_log::FullDiskLog;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::handlers::unwritten_revocations::PORTION;
use crate::storage::{Receipt, Store, StoreError, UserId};
use std::slice;
use std::time::Duration;

/// The time after a failure until unwritten revocations are retried.
const RETRY: Duration = Duration::from_secs(1);

/// Makes them, in a transaction of their own. The receipt says that all secrets that were issued are durable; there is
/// none if there was nothing to write.
///
/// What a full or busy disk does not take is logged. Notes are then dropped. Secrets that were not stored are not given
/// out, and their chains end. Revocations hold in memory, and are retried in portions every second.
pub(super) fn write(
    store: &mut Store,
    state: &mut MemoryState,
    log: &mut FullDiskLog,
    now: Now,
) -> Result<Option<Receipt>, StoreError> {
    let retry_at = state.deferred_writes.retry_at();
    if retry_at.is_some_and(|at| at <= now.running) {
        let is_written = retry(store, state)?;
        let pause = if is_written { Duration::ZERO } else { RETRY };
        state.deferred_writes.plan_retry(now.running + pause);
    }
    let writes = state.deferred_writes.take();
    if writes.is_empty() {
        return Ok(None);
    }
    match make(store, &writes) {
        Ok(receipt) => {
            state.journal.deferred(writes);
            Ok(Some(receipt))
        }
        Err(fatal @ StoreError::Fatal(_)) => Err(fatal),
        Err(StoreError::Damaged(_)) => write_each(store, state, log, (writes, now)),
        Err(error) => {
            give_up(state, log, (writes, &error), now);
            Ok(None)
        }
    }
}

/// Retries all unwritten revocations once more, before the process ends. Logs an error if some of it is left.
pub(super) fn finish(store: &mut Store, state: &mut MemoryState, failed: bool) {
    // One portion more than there are: changes that fail come last.
    let mut portions = 1 + state.deferred_writes.unwritten() / PORTION;
    while !failed
        && portions > 0
        && state.deferred_writes.unwritten() > 0
        && retry(store, state).is_ok()
    {
        portions -= 1;
    }
    let chains = state.deferred_writes.unwritten();
    if chains > 0 {
        tracing::error!(
            chains,
            "revocations of secrets could not be written: the secrets are valid again after a restart"
        );
    }
}

/// Notes that the last sessions of users ended, before the process ends. What the disk does not take is dropped.
pub(super) fn note_seen(store: &mut Store, users: &[UserId], now: Now) {
    let seen = |user: &UserId| DeferredWrite::NoteSeen(*user, now.unix);
    let notes: Vec<DeferredWrite> = users.iter().map(seen).collect();
    if !notes.is_empty()
        && let Err(error) = make(store, &notes)
    {
        tracing::warn!(%error, "the ends of sessions were not noted");
    }
}

/// Makes writes in one transaction.
fn make(store: &mut Store, writes: &[DeferredWrite]) -> Result<Receipt, StoreError> {
    let mut batch = store.batch();
    writes.iter().try_for_each(|write| write.make(&mut batch))?;
    batch.commit()
}

/// Makes one portion of the unwritten revocations; false if some of it is kept again.
fn retry(store: &mut Store, state: &mut MemoryState) -> Result<bool, StoreError> {
    let writes = state.deferred_writes.take_revocations();
    match make(store, &writes) {
        Ok(_receipt) => {
            state.journal.deferred(writes);
            Ok(true)
        }
        Err(StoreError::Damaged(_)) => {
            let (_, lost) = make_each(store, state, writes)?;
            let is_written = lost.is_empty();
            for (write, _) in lost {
                state.deferred_writes.keep(write);
            }
            Ok(is_written)
        }
        Err(error) => {
            for write in writes {
                state.deferred_writes.keep(write);
            }
            match error {
                StoreError::Fatal(_) => Err(error),
                _ => Ok(false),
            }
        }
    }
}

/// Writes of which some were not made, each with its error.
type Lost = Vec<(DeferredWrite, StoreError)>;

/// Makes writes in a transaction each, so that damage keeps none but its own from being made. Returns a receipt if any
/// was made.
fn make_each(
    store: &mut Store,
    state: &mut MemoryState,
    writes: Vec<DeferredWrite>,
) -> Result<(Option<Receipt>, Lost), StoreError> {
    let (mut receipt, mut lost) = (None, Vec::new());
    for write in writes {
        match make(store, slice::from_ref(&write)) {
            Ok(made) => {
                receipt = Some(made);
                state.journal.deferred(vec![write]);
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(error) => lost.push((write, error)),
        }
    }
    Ok((receipt, lost))
}

/// Makes writes in a transaction each, after damage. All secrets that were issued leave, or none: if one was not
/// stored, the chains of all end.
fn write_each(
    store: &mut Store,
    state: &mut MemoryState,
    log: &mut FullDiskLog,
    (writes, now): (Vec<DeferredWrite>, Now),
) -> Result<Option<Receipt>, StoreError> {
    let issued = writes.iter().filter(|write| write.issues());
    let issued: Vec<DeferredWrite> = issued.cloned().collect();
    let (receipt, lost) = make_each(store, state, writes)?;
    let is_stored = lost.iter().all(|(write, _)| !write.issues());
    if !is_stored && let Some((_, error)) = lost.first() {
        give_up(state, log, (issued, error), now);
    }
    for (write, error) in lost {
        if !write.issues() {
            give_up(state, log, (vec![write], &error), now);
        }
    }
    Ok(receipt.filter(|_| is_stored))
}

/// Keeps what is left to do of writes that were not made, and logs it.
fn give_up(
    state: &mut MemoryState,
    log: &mut FullDiskLog,
    (writes, error): (Vec<DeferredWrite>, &StoreError),
    now: Now,
) {
    let (mut notes, mut revocations) = (false, false);
    for write in writes {
        if let Some((user, chain)) = write.issues_chain() {
            state.roster.forget_secrets(user, Some(&chain));
        }
        if state.deferred_writes.keep(write) {
            revocations = true;
        } else {
            notes = true;
        }
    }
    if notes {
        log.note_lost(error, now.running);
    }
    if revocations {
        log.revocations_unwritten(error, state.deferred_writes.unwritten(), now.running);
        if state.deferred_writes.retry_at().is_none() {
            state.deferred_writes.plan_retry(now.running + RETRY);
        }
    }
}
