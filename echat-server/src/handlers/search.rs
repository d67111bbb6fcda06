//! Finding users and rooms.

use super::{Caller, Ctx, Reject};
use echat_proto::commands::Event;
use echat_proto::names::NameQuery;
use echat_proto::param::{Keyword, SearchText, ShortText, TargetType};
use echat_proto::records::Code;

/// The most users, and the most rooms, in one reply.
const FOUND: usize = 50;

/// FIND: users and rooms by a part of their name. Private rooms are found by their members and invited users.
pub(crate) fn find(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    ShortText(keyword): Keyword,
) -> Result<Event, Reject> {
    if keyword.is_empty() {
        return Err(Reject::bad_params("keyword", "must have 1 to 64 bytes"));
    }
    // A part of a name is not always a name. If it is one, the search uses its stored form.
    let part = NameQuery::new(&keyword);
    let part = part
        .key()
        .map_or_else(|| keyword.to_lowercase(), str::to_owned);
    let found = ctx.batch.find(me.id, &part, FOUND)?;
    Ok(Event::Found {
        users: found.users,
        rooms: found.rooms,
        more: found.more,
    })
}

/// SEARCH: messages by their words.
#[expect(clippy::too_many_arguments, reason = "the parameters of the request")]
pub(crate) fn search(
    _ctx: &Ctx<'_, '_>,
    _me: Caller,
    _query: SearchText,
    _target_type: Option<TargetType>,
    _target: Option<NameQuery>,
    _sender: Option<NameQuery>,
    _since: Option<u64>,
    _until: Option<u64>,
    _before: Option<u64>,
    _limit: Option<u64>,
) -> Result<Event, Reject> {
    Err(Code::NotAllowed.into())
}
