//! What becomes of a tick that the disk had no place for.

use super::Memory;
use crate::conn::ConnId;
use crate::handlers::refuse;
use crate::store::{Receipt, Store, StoreError};
use echat_proto::records::Code;

/// Something that was handled in this tick, in case the tick cannot be kept.
pub(super) struct Handled {
    pub(super) conn: ConnId,
    /// The request's number; 0 if it was none.
    pub(super) number: u32,
    /// Where its deliveries begin in the outbox.
    pub(super) mark: usize,
    /// Whether its answer rests on something that this tick wrote.
    pub(super) rests_on_writes: bool,
}

/// The disk was full: refuses what wrote (and what may have read what was not kept), keeps the rest,
/// and rebuilds from the database what memory remembers of it.
pub(super) fn undo(
    store: &mut Store,
    memory: &mut Memory,
    handled: &[Handled],
) -> Result<Receipt, StoreError> {
    for (index, request) in handled.iter().enumerate().rev() {
        let mut staged = memory.outbox.split_off(request.mark);
        let later = match handled.get(index + 1) {
            Some(next) => staged.split_off(next.mark - request.mark),
            None => Vec::new(),
        };
        if request.rests_on_writes {
            let refusal = refuse(request.number, Code::StorageFull.into());
            memory.outbox.reply(request.conn, refusal);
        } else {
            memory.outbox.append(staged);
        }
        memory.outbox.append(later);
    }
    let batch = store.batch();
    let online: Vec<_> = memory
        .roster
        .everybody()
        .map(|online| online.user)
        .collect();
    for user in online {
        match batch.places_of(user) {
            Ok(places) => {
                let rooms = places.iter().map(|place| place.id);
                memory.roster.set_rooms(user, rooms);
            }
            // Held by another program just now: what is remembered is at most too much.
            Err(StoreError::Busy) => tracing::warn!("rooms could not be read again"),
            Err(error) => return Err(error),
        }
    }
    batch.commit()
}
