//! The commands about messages.

use super::super::{Reject, message_changes};
use super::arguments::{Number, Whole};
use super::{AdminPlan, MemoryChange, Operation, View};
use crate::storage::MessageId;
use echat_proto::records::Code;

pub(super) fn delete_message(
    view: &View<'_, '_>,
    operation: &Operation,
    Whole(id): Number,
) -> Result<AdminPlan, Reject> {
    let id = MessageId(id);
    let Some((kind, is_deleted)) = view.batch.stored_message(id)? else {
        return Err(Code::UnknownMessage.into());
    };
    if is_deleted {
        let why = format!("the message {} was deleted before", id.0);
        return Ok(AdminPlan::unchanged(why));
    }
    let plan = AdminPlan::done(format!("deleted the message {}", id.0));
    let by = operation.actor.name().unwrap_or_default();
    let now = operation.now;
    Ok(plan.writes(move |batch| {
        Ok(message_changes::delete_by_administration(
            batch, id, kind, &by, now,
        )?)
    }))
}

pub(super) fn prune(view: &View<'_, '_>, _: &Operation) -> Result<AdminPlan, Reject> {
    if !view.batch.removes_by_age()? {
        return Ok(AdminPlan::done("all messages are kept for ever"));
    }
    let done = "messages that are too old are being removed, in portions";
    Ok(AdminPlan::done(done).changes(MemoryChange::Prune))
}
