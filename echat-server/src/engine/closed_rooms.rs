//! Removes what is left of closed rooms, a portion after each tick.
//!
//! Each portion is a transaction of its own after the answers of a tick, and is written to the journal like other writes
//! that no answer depends on. A process that ends leaves the rest to the next one, which looks for it at its start.

use super::MemoryState;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::storage::{Store, StoreError};
use std::time::Duration;

/// Rows of a portion, which is less work than a turn of requests may be.
const PORTION: usize = 100;
/// The time between two portions, so that requests have most of the processor and of the disk.
const PAUSE: Duration = Duration::from_millis(20);
/// The time until a portion is tried again that the disk or another program did not let through.
const RETRY: Duration = Duration::from_secs(1);

/// When the next portion is due.
#[derive(Debug, Default)]
pub(super) struct ClosedRooms {
    /// By [`Now::running`]; `None` if no closed room is left.
    next_at: Option<Duration>,
}

impl ClosedRooms {
    /// When a tick is needed to remove the next portion.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at
    }

    /// Removes a portion if one is due.
    ///
    /// # Errors
    /// `Fatal`, which ends the process. After any other error the portion is tried again.
    pub(super) fn remove(
        &mut self,
        store: &mut Store,
        state: &mut MemoryState,
        now: Now,
    ) -> Result<(), StoreError> {
        if std::mem::take(&mut state.has_closed_rooms) {
            self.next_at.get_or_insert(now.running + PAUSE);
        }
        if self.next_at.is_none_or(|at| now.running < at) {
            return Ok(());
        }
        let pause = match portion(store) {
            Ok((written, has_more)) => {
                if written {
                    let write = DeferredWrite::RemoveClosed(PORTION);
                    state.journal.deferred(vec![write]);
                }
                has_more.then_some(PAUSE)
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(error) => {
                tracing::debug!(%error, "a closed room could not be removed; it is tried again");
                Some(RETRY)
            }
        };
        self.next_at = pause.map(|pause| now.running + pause);
        Ok(())
    }
}

/// Removes one portion. Returns whether it wrote, and whether more is left.
fn portion(store: &mut Store) -> Result<(bool, bool), StoreError> {
    let mut batch = store.batch();
    let has_more = batch.remove_closed(PORTION)?;
    let written = batch.writes() > 0;
    let _receipt = batch.commit()?;
    Ok((written, has_more))
}

#[cfg(test)]
mod tests {
    use super::super::scheduler::cost::Counts;
    use super::*;
    use crate::storage::UserId;
    use echat_proto::names::{Content, RoomName, TxnId, Username};

    #[test]
    fn a_portion_is_less_work_than_a_tick_whatever_the_room_holds() {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = Username::new("ann").unwrap();
        let ann: UserId = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
        let tea = RoomName::new("tea").unwrap();
        let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
        batch.add_member(tea, ann, 1).unwrap();
        for number in 0..1_000 {
            let txn = TxnId::new(format!("{number}")).unwrap();
            let text = Content::new("x".repeat(100)).unwrap();
            let sent = batch.insert_message(tea, ann, &text, Some(&txn), 1);
            sent.unwrap();
        }
        let room = batch.find_room("tea").unwrap().unwrap();
        batch.close_room(&room).unwrap();
        let _ = batch.commit().unwrap();
        let mut portions = 0;
        loop {
            let mut batch = store.batch();
            let has_more = batch.remove_closed(PORTION).unwrap();
            let counts = Counts {
                usage: batch.usage(),
                ..Counts::default()
            };
            assert!(
                counts.cost() < Duration::from_millis(5),
                "{:?}",
                counts.cost()
            );
            let _ = batch.commit().unwrap();
            portions += 1;
            if !has_more {
                break;
            }
        }
        assert_eq!(portions, 11);
    }
}
