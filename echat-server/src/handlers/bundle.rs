//! The reply to LOGIN: LOGIN_BUNDLE.

use super::blocks::blocked_names;
use super::moderation::invitation_lines;
use super::{Caller, Ctx, Reject, messages, page, target_type};
use crate::storage::{Friend, MESSAGE_VALUES, StoreError, User};
use echat_proto::commands::Event;
use echat_proto::limits::{BUNDLE_MESSAGES, BUNDLE_PER_CONVERSATION, PAGE_BYTES, VALUES};
use echat_proto::names::{DeviceSecret, ResumeSecret};
use echat_proto::records::{AwayLine, InvitationLine, Older, Unread};

/// The share of each of the seven lists of names, in bytes: 500 of the longest names. What a list leaves of its share
/// is for the lists after it.
const LIST_BYTES: usize = 32 * 1024;
/// What a line about a conversation or an invitation takes besides its names, in bytes, rounded up.
const LINE_BYTES: usize = 96;
/// What a friend who is away takes besides name and text, in bytes, rounded up.
const AWAY_LINE_BYTES: usize = 40;
/// Values of a friend who is away: a dict of two.
const AWAY_VALUES: usize = 3;
/// Values of a line about unread messages: a dict of five.
const UNREAD_VALUES: usize = 6;
/// Values of a line about older messages: a dict of three.
const OLDER_VALUES: usize = 4;
/// Values of an invitation: a dict of two.
const INVITATION_VALUES: usize = 3;
/// Values of the bundle besides its items: itself, its keys' values, and some more.
const OWN_VALUES: usize = 32;
/// Bytes of the bundle besides its items: two secrets, the name of the history, keys and lengths, rounded up.
const OWN_BYTES: usize = 1024;

/// What is left of a bundle for further items.
struct Budget {
    bytes: usize,
    values: usize,
    /// What the lists of names left of their shares, in bytes.
    unused: usize,
}

impl Budget {
    /// That of a bundle with room for so many messages.
    fn beside_messages(messages: usize) -> Self {
        Self {
            bytes: PAGE_BYTES - OWN_BYTES,
            values: VALUES - OWN_VALUES - messages * MESSAGE_VALUES,
            unused: 0,
        }
    }

    /// As many of the items, from the first, as are left for; up to `most` bytes. Each takes `values`.
    fn fitting<T>(
        &mut self,
        items: Vec<T>,
        values: usize,
        most: usize,
        size: impl Fn(&T) -> usize,
    ) -> Vec<T> {
        let mut items = page::fitting(items, most.min(self.bytes), values, &size);
        items.truncate(self.values / values);
        self.bytes -= items.iter().map(size).sum::<usize>();
        self.values -= items.len() * values;
        items
    }

    /// As many of the items of a list of names, from the first, as are left for.
    fn list<T>(&mut self, items: Vec<T>, values: usize, size: impl Fn(&T) -> usize) -> Vec<T> {
        let (most, before) = (LIST_BYTES + self.unused, self.bytes);
        let items = self.fitting(items, values, most, size);
        self.unused = most - (before - self.bytes);
        items
    }

    fn names(&mut self, names: Vec<String>) -> Vec<String> {
        self.list(names, 1, |name| name.len() + 5)
    }
}

/// The bundle of a user who has just logged in, without the secrets that it gives out. Without `has_messages` it has
/// neither messages nor what is older than them.
pub(super) fn login_bundle(
    ctx: &Ctx<'_, '_>,
    me: &Caller,
    has_messages: bool,
    must_change_password: bool,
) -> Result<Event, Reject> {
    // The lists come first, those that are short before those that may be long; messages fill the rest of the page.
    let mut budget = Budget::beside_messages(BUNDLE_MESSAGES);
    let rooms = ctx.batch.room_sizes_of(me.id)?;
    let chat_rooms = budget.names(rooms.into_iter().map(|room| room.name).collect());
    let pending_requests = budget.names(ctx.batch.pending_requests(me.id)?);
    let shown = ctx.batch.friends_shown(me.id)?;
    let away = away_lines(&shown);
    let friends: Vec<User> = shown.into_iter().map(|friend| friend.user).collect();
    let online = friends
        .iter()
        .filter(|friend| ctx.roster.is_online(friend.id));
    let online = budget.names(online.map(|friend| friend.name.clone()).collect());
    let friends = budget.names(friends.into_iter().map(|friend| friend.name).collect());
    let blocked = unless_damaged(blocked_names(ctx.batch, me.id))?.map(|names| budget.names(names));
    let invitations = unless_damaged(invitation_lines(ctx.batch, me.id))?.map(|lines| {
        let by = |line: &InvitationLine| line.by.as_ref().map_or(0, String::len);
        let size = |line: &InvitationLine| LINE_BYTES + line.roomname.len() + by(line);
        budget.list(lines, INVITATION_VALUES, size)
    });
    let size = |line: &AwayLine| AWAY_LINE_BYTES + line.username.len() + line.text.len();
    let away = budget.list(away, AWAY_VALUES, size);

    let most = if has_messages { BUNDLE_MESSAGES } else { 0 };
    let found = ctx
        .batch
        .bundle(me.id, BUNDLE_PER_CONVERSATION, most, budget.bytes)?;
    let unread = found.unread.into_iter().map(|unread| Unread {
        target_type: target_type(unread.kind),
        target: unread.target,
        count: unread.count,
        read_id: unread.read_id.0,
        mentions: Some(unread.mentions),
    });
    let size = |unread: &Unread| LINE_BYTES + unread.target.len();
    let unread = budget.fitting(unread.collect(), UNREAD_VALUES, PAGE_BYTES, size);
    let more = found.more.into_iter().filter(|_| has_messages);
    let more = more.map(|older| Older {
        target_type: target_type(older.kind),
        target: older.target,
        before: older.before.0,
    });
    let size = |older: &Older| LINE_BYTES + older.target.len();
    let more = budget.fitting(more.collect(), OLDER_VALUES, PAGE_BYTES, size);
    let messages = found.messages.into_iter();
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
        must_change_password: Some(must_change_password),
        away: Some(away),
        device: Some(DeviceSecret::none()),
        invitations: Some(invitations.unwrap_or_default()),
        blocked: Some(blocked.unwrap_or_default()),
    })
}

/// The friends who are away.
fn away_lines(friends: &[Friend]) -> Vec<AwayLine> {
    let lines = friends.iter().filter_map(|friend| {
        Some(AwayLine {
            username: friend.user.name.clone(),
            text: friend.away.clone()?,
        })
    });
    lines.collect()
}

/// The bundle with the secrets of the session and of the device.
pub(super) fn with_secrets(
    mut bundle: Event,
    session: ResumeSecret,
    of_device: DeviceSecret,
) -> Event {
    if let Event::LoginBundle { resume, device, .. } = &mut bundle {
        *resume = Some(session);
        *device = Some(of_device);
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
