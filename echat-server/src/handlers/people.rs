//! What users tell of themselves and see of each other: SET_AWAY, LIST_FRIENDS, WHOIS, LIST_SESSIONS, SET_PRIVACY.

use super::admission::{Demand, Plan, View, Written};
use super::effects::Effect;
use super::{Caller, Ctx, Reject, done_with, page, targets, unix};
use crate::storage::{Friend, User, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::{AWAY_BYTES, PAGE_BYTES};
use echat_proto::names::{NameQuery, refused_in_one_line};
use echat_proto::param::AwayText;
use echat_proto::records::{FriendLine, SessionLine};

/// What a line of LIST_FRIENDS takes besides its texts, in bytes.
const FRIEND_BYTES: usize = 72;
/// Values of a line of LIST_FRIENDS: four in a dict.
const FRIEND_VALUES: usize = 5;
/// What a room takes in USER besides its name, in bytes.
const ROOM_BYTES: usize = 8;

/// SET_AWAY.
pub(crate) fn set_away(
    view: &View<'_, '_>,
    me: Caller,
    AwayText(text): AwayText,
) -> Result<Plan, Reject> {
    if let Some(text) = &text {
        if text.is_empty() || text.len() > AWAY_BYTES {
            let message = format!("must have 1 to {AWAY_BYTES} bytes, or be null");
            return Err(Reject::bad_params("text", &message));
        }
        if refused_in_one_line(text).is_some() {
            return Err(Reject::bad_params(
                "text",
                "must be one line without control characters",
            ));
        }
    }
    let reply = done_with(RequestKind::SetAway);
    if view.batch.away(me.id)? == text {
        return Ok(Plan::Reply(reply));
    }
    let audience = away_audience(view, me.id)?;
    let stores = text.is_some();
    Ok(Plan::write(Demand::Change { stores }, move |batch| {
        batch.set_away(me.id, text.as_deref())?;
        let username = String::from(&*me.name);
        let away = Some(AwayText(text.clone()));
        let text = AwayText(text);
        Ok(Written {
            reply,
            effects: vec![
                Effect::TellOthers(Event::OnSelfChanged {
                    blocked: None,
                    invitations: None,
                    away,
                    last_seen: None,
                }),
                Effect::Away {
                    audience,
                    event: Event::OnAway { username, text },
                },
            ],
        })
    }))
}

/// The users and rooms that hear that a user is away.
#[derive(Debug)]
pub(crate) struct AwayAudience {
    pub(crate) user: UserId,
    pub(crate) friends: Vec<UserId>,
    /// Rooms that are small enough for presence, the lobby left out.
    pub(crate) rooms: Vec<crate::storage::ConversationId>,
    /// Users that see the user as a stranger.
    pub(crate) except: Vec<UserId>,
}

fn away_audience(view: &View<'_, '_>, user: UserId) -> Result<AwayAudience, Reject> {
    let most = view.limits.presence_room_members as u64;
    let friends = view.batch.friends(user)?.into_iter();
    let rooms = view.batch.rooms_except_lobby(user)?.into_iter();
    let blocked = view.batch.blocked_by(user)?.into_iter();
    Ok(AwayAudience {
        user,
        friends: friends.map(|friend| friend.id).collect(),
        rooms: rooms
            .filter(|room| room.members <= most)
            .map(|room| room.id)
            .collect(),
        except: blocked.map(|blocked| blocked.id).collect(),
    })
}

/// One user is told whether another one is away.
pub(super) fn tell_away(of: &User, told: UserId, text: Option<String>) -> Effect {
    let username = of.name.clone();
    let text = AwayText(text);
    Effect::Tell(told, Event::OnAway { username, text })
}

/// LIST_FRIENDS: by name. If the texts of those who are away do not all fit, those that come last are left out.
pub(crate) fn list_friends(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let friends = ctx.batch.friends_shown(me.id)?.into_iter();
    let lines = friends.map(|friend| friend_line(ctx, friend)).collect();
    let size = |line: &FriendLine| FRIEND_BYTES + line.username.len();
    let mut lines = page::fitting(lines, PAGE_BYTES, FRIEND_VALUES, size);
    let mut left = PAGE_BYTES - lines.iter().map(size).sum::<usize>();
    for line in &mut lines {
        match left.checked_sub(line.away.as_ref().map_or(0, String::len)) {
            Some(rest) => left = rest,
            None => line.away = None,
        }
    }
    Ok(Event::Friends { friends: lines })
}

fn friend_line(ctx: &Ctx<'_, '_>, friend: Friend) -> FriendLine {
    let online = ctx.roster.is_online(friend.user.id);
    FriendLine {
        username: friend.user.name,
        online,
        away: friend.away,
        last_seen: friend.last_seen.filter(|_| !online).map(unix),
    }
}

/// WHOIS: of a stranger only that there is such a user. A user who blocks the caller looks offline, and a bot exists
/// only for its owner and for members of its rooms.
pub(crate) fn whois(ctx: &Ctx<'_, '_>, me: Caller, username: NameQuery) -> Result<Event, Reject> {
    let user = targets::seen_user(ctx.batch, &me, &username)?;
    let is_me = user.id == me.id;
    let bot = ctx.batch.bot(user.id)?;
    let friend = ctx.batch.friendship(me.id, user.id)?.is_some();
    let rooms = ctx.batch.shared_rooms_except_lobby(me.id, user.id)?;
    let owns = bot.as_ref().is_some_and(|bot| bot.owner.id == me.id);
    let is_known = is_me || friend || owns || !rooms.is_empty();
    let shows_presence = is_known && bot.is_none() && !ctx.batch.blocks(user.id, me.id)?;
    let online = shows_presence && ctx.roster.is_online(user.id);
    let away = if shows_presence {
        ctx.batch.away(user.id)?
    } else {
        None
    };
    let last_seen = if friend && !online {
        ctx.batch.last_seen(user.id)?
    } else {
        None
    };
    Ok(Event::User {
        username: user.name,
        online,
        away,
        last_seen: last_seen.map(unix),
        friend,
        bot: bot.is_some(),
        owner: bot.map(|bot| bot.owner.name),
        rooms: page::fitting(rooms, PAGE_BYTES - 1_024, 1, |room| ROOM_BYTES + room.len()),
    })
}

/// LIST_SESSIONS.
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one form")]
pub(crate) fn list_sessions(ctx: &mut Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let conns = ctx.roster.conns_of(me.id).iter();
    let begun = conns.filter_map(|conn| Some((*conn, ctx.roster.start_of(*conn)?)));
    let sessions = begun.map(|(conn, begun)| SessionLine {
        address: begun.address.to_string(),
        since: unix(begun.since),
        this: conn == ctx.conn,
    });
    Ok(Event::Sessions {
        sessions: sessions.collect(),
    })
}

/// SET_PRIVACY.
pub(crate) fn set_privacy(
    view: &View<'_, '_>,
    me: Caller,
    last_seen: Option<bool>,
) -> Result<Plan, Reject> {
    let reply = done_with(RequestKind::SetPrivacy);
    let hides = view.batch.hides_last_seen(me.id)?;
    let Some(shows) = last_seen.filter(|shows| *shows == hides) else {
        return Ok(Plan::Reply(reply));
    };
    Ok(Plan::write(Demand::Nothing, move |batch| {
        batch.hide_last_seen(me.id, !shows)?;
        Ok(Written {
            reply,
            effects: vec![Effect::TellOthers(Event::OnSelfChanged {
                blocked: None,
                invitations: None,
                away: None,
                last_seen: Some(shows),
            })],
        })
    }))
}
