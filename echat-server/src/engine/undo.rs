//! What becomes of a tick that the disk had no place for, or that met a damaged page after it wrote.

use super::Memory;
use crate::clock::Now;
use crate::conn::ConnId;
use crate::handlers::presence::{Audience, Presence};
use crate::handlers::{Ctx, Member, Reject, refuse};
use crate::outbox::Delivery;
use crate::store::{Receipt, Store, StoreError};
use echat_proto::records::Code;
use std::net::Ipv4Addr;

/// Something that was handled in this tick, in case the tick cannot be kept.
pub(super) struct Handled {
    pub(super) conn: ConnId,
    /// The request's number; 0 if it was none.
    pub(super) number: u32,
    /// Where its deliveries begin in the outbox.
    pub(super) mark: usize,
    /// Whether its answer rests on something that this tick wrote.
    pub(super) rests_on_writes: bool,
    /// Who went with it.
    pub(super) gone: Option<Member>,
}

/// Refuses with this code what wrote (and what may have read what was not kept), keeps the rest, and takes
/// back what memory remembered of it.
pub(super) fn undo(
    store: &mut Store,
    memory: &mut Memory,
    (handled, code): (&[Handled], Code),
    now: Now,
) -> Result<Receipt, StoreError> {
    let mut batch = store.batch();
    memory.roster.roll_back();
    memory.sessions.roll_back();
    memory.throttle.roll_back();
    for (index, request) in handled.iter().enumerate().rev() {
        let mut staged = memory.outbox.split_off(request.mark);
        let later = match handled.get(index + 1) {
            Some(next) => staged.split_off(next.mark - request.mark),
            None => Vec::new(),
        };
        if request.rests_on_writes {
            let refusal = refuse(request.number, code.into());
            memory.outbox.reply(request.conn, &refusal);
        } else {
            if let Some(gone) = &request.gone {
                staged.retain(|delivery| {
                    !matches!(delivery, Delivery::Event { .. } | Delivery::Presence(_))
                });
                let address = Ipv4Addr::UNSPECIFIED.into();
                tell_again(
                    &mut memory.ctx(&mut batch, request.conn, address, now),
                    gone,
                )?;
            }
            memory.outbox.append(staged);
        }
        memory.outbox.append(later);
    }
    batch.commit()
}

/// Tells that somebody went, to those whom it concerns by what the database has.
fn tell_again(ctx: &mut Ctx<'_, '_>, gone: &Member) -> Result<(), StoreError> {
    match Audience::of(ctx, gone.id) {
        Ok(audience) => audience.announce(ctx, gone.id, &gone.name, Presence::Offline),
        Err(Reject::Store(error @ StoreError::Fatal(_))) => return Err(error),
        Err(Reject::Store(_)) => tracing::warn!("a farewell could not be told"),
        Err(Reject::Refused(_)) => {}
    }
    Ok(())
}
