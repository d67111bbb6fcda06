//! Finding users and rooms.

use super::{Ctx, Member, Reject};
use echat_proto::commands::Event;
use echat_proto::limits::KEYWORD_BYTES;

/// Users, and rooms, that one answer names.
const FOUND: usize = 50;

/// FIND: users and rooms by a part of their name.
pub(crate) fn find(ctx: &mut Ctx<'_, '_>, me: Member, keyword: String) -> Result<Event, Reject> {
    if keyword.is_empty() || keyword.len() > KEYWORD_BYTES {
        return Err(Reject::bad_params("keyword", "must have 1 to 64 bytes"));
    }
    let found = ctx.batch.find(&keyword.to_lowercase(), me.id, FOUND)?;
    Ok(Event::Found { users: found.users, rooms: found.rooms, more: found.more })
}
