//! What a user comes back to: LOGIN_BUNDLE.

use super::{Ctx, Member, Reject, messages, target_type};
use echat_proto::commands::Event;
use echat_proto::limits::{BUNDLE_MESSAGES, BUNDLE_PER_CONVERSATION, PAGE_BYTES};
use echat_proto::records::{Older, Unread};

/// The bundle of a user who has just come.
pub(super) fn login_bundle(ctx: &Ctx<'_, '_>, me: &Member) -> Result<Event, Reject> {
    let friends = ctx.batch.friends(me.id)?;
    let online = friends
        .iter()
        .filter(|friend| ctx.roster.is_online(friend.id));
    let online: Vec<String> = online.map(|friend| friend.name.clone()).collect();
    let friends: Vec<String> = friends.into_iter().map(|friend| friend.name).collect();
    let rooms = ctx.batch.places_of(me.id)?;
    let chat_rooms: Vec<String> = rooms.into_iter().map(|room| room.name).collect();
    let pending_requests = ctx.batch.pending_requests(me.id)?;

    // The lists come first; messages fill what they leave of a page.
    let lists = [&friends, &online, &chat_rooms, &pending_requests];
    let taken: usize = lists.into_iter().flatten().map(|name| name.len() + 5).sum();
    let budget = PAGE_BYTES.saturating_sub(taken);
    let found = ctx
        .batch
        .bundle(me.id, BUNDLE_PER_CONVERSATION, BUNDLE_MESSAGES, budget)?;
    Ok(Event::LoginBundle {
        chat_rooms,
        friends,
        online,
        pending_requests,
        messages: found
            .messages
            .into_iter()
            .map(|message| messages::m(me, message))
            .collect(),
        unread: found
            .unread
            .into_iter()
            .map(|unread| Unread {
                target_type: target_type(unread.kind),
                target: unread.target,
                count: unread.count,
                read_id: unread.read_id.0,
            })
            .collect(),
        more: found
            .more
            .into_iter()
            .map(|older| Older {
                target_type: target_type(older.kind),
                target: older.target,
                before: older.before.0,
            })
            .collect(),
    })
}
