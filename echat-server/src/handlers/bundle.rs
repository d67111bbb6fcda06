//! The reply to LOGIN: LOGIN_BUNDLE.

use super::{Caller, Ctx, Reject, messages, page, target_type};
use crate::storage::{StoreError, User};
use echat_proto::commands::Event;
use echat_proto::limits::{BUNDLE_MESSAGES, BUNDLE_PER_CONVERSATION, PAGE_BYTES};
use echat_proto::names::ResumeSecret;
use echat_proto::records::{AwayLine, Older, Unread};

/// Bytes of one of the lists of names: 500 friends with the longest names, and some more.
const LIST_BYTES: usize = 40 * 1024;
/// A list may take a sixteenth of a message's values: 1,023 names.
const LIST_VALUES: usize = 16;
/// What a line about a conversation takes besides its name, in bytes, rounded up.
const LINE_BYTES: usize = 96;
/// What a friend who is away takes besides name and text, in bytes, rounded up.
const AWAY_LINE_BYTES: usize = 40;
/// Lines about conversations may be 819, each of up to five values.
const LINE_VALUES: usize = 20;
/// Bytes of the secret with its key, rounded up.
const SECRET_BYTES: usize = 64;

/// The bundle of a user who has just logged in, without the secret of the session.
pub(super) fn login_bundle(ctx: &Ctx<'_, '_>, me: &Caller, is_weak: bool) -> Result<Event, Reject> {
    let friends = ctx.batch.friends_shown(me.id)?;
    let away = friends.iter().filter_map(|friend| {
        Some(AwayLine {
            username: friend.user.name.clone(),
            text: friend.away.clone()?,
        })
    });
    let away_bytes = |away: &AwayLine| AWAY_LINE_BYTES + away.username.len() + away.text.len();
    let away = page::fitting(away.collect(), LIST_BYTES, LIST_VALUES, away_bytes);
    let friends: Vec<User> = friends.into_iter().map(|friend| friend.user).collect();
    let online = friends
        .iter()
        .filter(|friend| ctx.roster.is_online(friend.id));
    let online = shown(online.map(|friend| friend.name.clone()).collect());
    let friends = shown(friends.into_iter().map(|friend| friend.name).collect());
    let rooms = ctx.batch.room_sizes_of(me.id)?;
    let chat_rooms = shown(rooms.into_iter().map(|room| room.name).collect());
    let pending_requests = shown(ctx.batch.pending_requests(me.id)?);

    // The lists come first; messages fill the rest of the page.
    let lists = [&friends, &online, &chat_rooms, &pending_requests];
    let taken: usize = lists.into_iter().flatten().map(name_bytes).sum();
    let taken = taken + away.iter().map(away_bytes).sum::<usize>();
    let budget = PAGE_BYTES.saturating_sub(taken + SECRET_BYTES);
    let found = ctx
        .batch
        .bundle(me.id, BUNDLE_PER_CONVERSATION, BUNDLE_MESSAGES, budget)?;
    let messages = found.messages.into_iter();
    let unread = found.unread.into_iter().map(|unread| Unread {
        target_type: target_type(unread.kind),
        target: unread.target,
        count: unread.count,
        read_id: unread.read_id.0,
    });
    let unread = page::fitting(unread.collect(), budget, LINE_VALUES, |unread: &Unread| {
        LINE_BYTES + unread.target.len()
    });
    let lines: usize = unread
        .iter()
        .map(|unread| LINE_BYTES + unread.target.len())
        .sum();
    let more = found.more.into_iter().map(|older| Older {
        target_type: target_type(older.kind),
        target: older.target,
        before: older.before.0,
    });
    let more = page::fitting(
        more.collect(),
        budget - lines,
        LINE_VALUES,
        |older: &Older| LINE_BYTES + older.target.len(),
    );
    Ok(Event::LoginBundle {
        chat_rooms,
        friends,
        online,
        pending_requests,
        messages: messages
            .map(|message| messages::chat_message(me, message))
            .collect(),
        unread,
        more,
        newest: unless_damaged(ctx.batch.newest_id())?.map(|id| id.0),
        history: unless_damaged(ctx.batch.history_name())?,
        resume: Some(ResumeSecret::none()),
        must_change_password: Some(is_weak || ctx.batch.must_change_password(me.id)?),
        away: Some(away),
    })
}

/// The bundle with the secret of the session.
pub(super) fn with_secret(mut bundle: Event, secret: ResumeSecret) -> Event {
    if let Event::LoginBundle { resume, .. } = &mut bundle {
        *resume = Some(secret);
    }
    bundle
}

/// The optional parts of a login: a damaged page in one of them does not lock the user out.
fn unless_damaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged(_)) => Ok(None),
        read => read.map(Some),
    }
}

/// As many names as fit into a list of the bundle.
fn shown(names: Vec<String>) -> Vec<String> {
    page::fitting(names, LIST_BYTES, LIST_VALUES, name_bytes)
}

#[expect(clippy::ptr_arg, reason = "it is asked of the items of a Vec<String>")]
fn name_bytes(name: &String) -> usize {
    name.len() + 5
}
