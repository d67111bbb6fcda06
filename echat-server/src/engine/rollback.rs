//! Rollback of a tick whose writes could not be committed: the disk was full, or a statement met damage.
//!
//! The state in memory is rolled back too. The roster reverts its changes by a journal, which costs as much as the
//! changes, not as all users. Sessions are never rolled back: LOGIN and LOGOUT write nothing in the tick, since records
//! of logins and secrets follow in a transaction of their own ([`deferred_writes`](super::deferred_writes)).
//!
//! A LOGIN by secret waits for the next tick if its tick has already written. Each tick handles logins before its
//! writes, so a LOGIN_BUNDLE contains no row that is rolled back later.
//!
//! Requests that store data are refused below `free_bytes` ([`admission`](crate::handlers::admission)), before the disk
//! is full. Logins, leaving, read markers and declining still have space then.

use super::MemoryState;
use crate::clock::Now;
use crate::conn::ConnId;
use crate::handlers::presence::{Presence, PresenceAudience};
use crate::handlers::{Caller, Ctx, Reject, refuse};
use crate::outbox::Delivery;
use crate::storage::{Receipt, Store, StoreError};
use echat_proto::records::Code;
use std::net::Ipv4Addr;

/// A request, or the end of a connection, that this tick handled.
pub(super) struct Handled {
    pub(super) conn: ConnId,
    /// The request's number; 0 if it was none.
    pub(super) number: u32,
    /// Where its deliveries begin in the outbox.
    pub(super) mark: usize,
    /// Whether its answer depends on something that this tick wrote.
    pub(super) depends_on_writes: bool,
    /// The user whose last session ended with it.
    pub(super) gone: Option<Caller>,
}

/// Refuses with this code the requests that wrote, and those that may have read what was rolled back. Keeps the
/// others, and rolls the state in memory back.
pub(super) fn roll_back(
    store: &mut Store,
    state: &mut MemoryState,
    (handled, code): (&[Handled], Code),
    now: Now,
) -> Result<Receipt, StoreError> {
    let mut batch = store.batch_at(now.unix);
    state.roll_back();
    for (index, request) in handled.iter().enumerate().rev() {
        let mut staged = state.outbox.split_off(request.mark);
        let later = match handled.get(index + 1) {
            Some(next) => staged.split_off(next.mark - request.mark),
            None => Vec::new(),
        };
        if request.depends_on_writes {
            let refusal = refuse(request.number, code.into());
            state.outbox.reply(request.conn, refusal);
        } else {
            if let Some(gone) = &request.gone {
                remove_farewell(&mut staged);
                let address = Ipv4Addr::UNSPECIFIED.into();
                tell_again(&mut state.ctx(&mut batch, request.conn, address, now), gone)?;
            }
            state.outbox.append(staged);
        }
        state.outbox.append(later);
    }
    batch.commit()
}

/// Removes what tells others that a user went offline. Events for connections that are closed with the request stay:
/// they say why another session of the user ends.
fn remove_farewell(staged: &mut Vec<Delivery>) {
    let closed = |delivery: &Delivery| match delivery {
        Delivery::Close { conn, .. } => Some(*conn),
        _ => None,
    };
    let closed: Vec<ConnId> = staged.iter().filter_map(closed).collect();
    staged.retain(|delivery| match delivery {
        Delivery::Event { to, .. } => to.iter().all(|conn| closed.contains(conn)),
        Delivery::Room { .. } | Delivery::Presence(_) => false,
        _ => true,
    });
}

/// Announces again that a user went offline, by what the database has after the rollback.
fn tell_again(ctx: &mut Ctx<'_, '_>, gone: &Caller) -> Result<(), StoreError> {
    match PresenceAudience::of(ctx, gone.id) {
        Ok(audience) => audience.announce(ctx, gone.id, &gone.name, Presence::Offline),
        Err(Reject::Store(error @ StoreError::Fatal(_))) => return Err(error),
        Err(Reject::Store(_)) => tracing::warn!("a farewell could not be told"),
        Err(Reject::Refused(_)) => {}
    }
    Ok(())
}
