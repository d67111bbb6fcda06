//! Finding users, rooms and messages.

use super::messages::chat_message;
use super::{Answer, Caller, Ctx, Reject, Unfinished, page, targets};
use crate::storage::{FoundMessages, MessageId, SearchProgress, SearchQuery, SearchRequest};
use echat_proto::commands::Event;
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::NameQuery;
use echat_proto::param::{Keyword, SearchText, ShortText, TargetType};

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

/// SEARCH: messages by their words, in as many turns as it takes. `unfinished` is what the turns before left.
#[expect(clippy::too_many_arguments, reason = "the parameters of the request")]
pub(crate) fn search(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    unfinished: Option<Unfinished>,
    ShortText(query): SearchText,
    target_type: Option<TargetType>,
    target: Option<NameQuery>,
    sender: Option<NameQuery>,
    since: Option<u64>,
    until: Option<u64>,
    before: Option<u64>,
    limit: Option<u64>,
) -> Result<Answer, Reject> {
    if let Some(Unfinished::Search(search)) = unfinished {
        return Ok(answer(&me, ctx.batch.search_on(*search)?));
    }
    let limit = page::of_messages(limit)?;
    let conversation = match (target_type, &target) {
        (Some(target_type), Some(target)) => {
            Some(targets::conversation(ctx.batch, &me, target_type, target)?.id)
        }
        (None, None) => None,
        (None, Some(_)) => return Err(Reject::bad_params("target_type", "is missing")),
        (Some(_), None) => return Err(Reject::bad_params("target", "is missing")),
    };
    let has_filters = target.is_some() || sender.is_some() || since.is_some() || until.is_some();
    let query = SearchQuery::new(&query);
    // A name that is none, or no user's, sent nothing.
    let from = match sender.as_ref().map(NameQuery::key) {
        Some(Some(key)) => ctx.batch.find_sender(key)?,
        Some(None) | None => None,
    };
    if (!query.has_words() && !has_filters) || (sender.is_some() && from.is_none()) {
        return Ok(found(&me, None).into());
    }
    let time = |time: Option<u64>| time.map(|time| i64::try_from(time).unwrap_or(i64::MAX));
    let wanted = SearchRequest {
        query,
        conversation,
        sender: from,
        since: time(since),
        until: time(until),
        before: before.map(MessageId),
        limit,
        budget: PAGE_BYTES,
    };
    Ok(answer(&me, ctx.batch.search(me.id, wanted)?))
}

/// The reply, or what is left to search.
fn answer(me: &Caller, searched: SearchProgress) -> Answer {
    match searched {
        SearchProgress::Page(page) => found(me, Some(page)).into(),
        SearchProgress::Part(search) => Answer::Unfinished(Unfinished::Search(Box::new(search))),
    }
}

/// The reply to SEARCH.
fn found(me: &Caller, page: Option<FoundMessages>) -> Event {
    let (messages, next, indexed) = match page {
        Some(page) => (page.messages, page.next, page.indexed),
        None => (Vec::new(), None, None),
    };
    let messages = messages.into_iter();
    Event::FoundMessages {
        messages: messages.map(|message| chat_message(me, message)).collect(),
        more: next.is_some(),
        next: next.map(|id| id.0),
        indexed: indexed.map(|id| id.0),
    }
}
