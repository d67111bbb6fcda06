//! Repeats a journal on another database: the admitted requests in their order, with no user online, no
//! rates and no clock. It writes the same rows, or a handler's write rests on something else than
//! database, request, caller and the time of day.

use crate::config::{Limits, Settings};
use crate::handlers::Reject;
use crate::handlers::administration;
use crate::handlers::admission::{Plan, View};
use crate::handlers::deletion;
use crate::handlers::journal::EntryKind;
use crate::handlers::lobby;
use crate::routes;
use crate::storage::Store;
use echat_proto::commands::RequestKind;

pub use crate::handlers::journal::Entry;

/// Repeats one write and commits it.
///
/// # Errors
/// A sentence that says why the database does not take what another one took.
pub fn replay(
    store: &mut Store,
    (limits, settings): (&Limits, &Settings),
    entry: &Entry,
) -> Result<(), String> {
    repeat(store, (limits, settings), &entry.0)
        .map_err(|reject| format!("{reject:?} for {entry:?}"))
}

fn repeat(
    store: &mut Store,
    (limits, settings): (&Limits, &Settings),
    kind: &EntryKind,
) -> Result<(), Reject> {
    let days = settings
        .keep_days
        .map(|days| u32::try_from(days).unwrap_or(u32::MAX));
    store.keep(days);
    store.keep_audit(settings.audit_days);
    let now = match kind {
        EntryKind::Request { now, .. } => *now,
        _ => i64::MIN,
    };
    let mut batch = store.batch_at(now);
    match kind {
        EntryKind::Request {
            request,
            caller,
            seed,
            now,
        } => {
            let view = View {
                batch: &batch,
                limits,
                places: None,
                settings,
                now: *now,
            };
            let kind = RequestKind::from_number(request.command);
            let kind = kind.expect("a request was admitted");
            if let Some(Plan::Write(_, write)) =
                routes::decide(&view, kind, &request.params, caller.clone(), seed.as_ref())?
            {
                write(&mut batch)?;
            }
        }
        EntryKind::Account(account) => {
            account.make(&mut batch)?;
        }
        EntryKind::Password { user, hash } => batch.change_password(*user, hash.as_str())?,
        EntryKind::Deletion { user, erase, now } => {
            deletion::delete(&mut batch, *user, *erase, *now)?;
        }
        EntryKind::Lobby { name, now } => {
            lobby::create(&mut batch, name, *now)?;
        }
        EntryKind::Administration(operation) => {
            administration::repeat(&mut batch, (limits, settings), operation)?;
        }
        EntryKind::Audit(line) => batch.note_audit(line)?,
        EntryKind::Deferred(write) => write.make(&mut batch)?,
    }
    Ok(batch.commit().map(drop)?)
}
