//! Bots: creating, listing and removing them, and their tokens (PROTOCOL.md, section 5.13).
//!
//! Only the hash of a token is stored. A token is 32 random bytes, so SHA-256 is sufficient: a slow hash protects texts
//! that people choose.

use super::admission::{Demand, Plan, View, Written};
use super::deletion::end_account;
use super::effects::{Effect, InRoom};
use super::{Caller, Ctx, Reject, done_with, page, rooms, targets};
use crate::secrets::SecretSeed;
use crate::storage::{Batch, Bot, Role, Room, SecretHash, StoreError, User, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{BotToken, NameQuery, Username};
use echat_proto::param::Names;
use echat_proto::records::{BotLine, Code};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Bots of a user: enough for what one person runs, and few enough for LIST_BOTS to name them all.
const BOTS: usize = 10;
/// What a line of LIST_BOTS takes besides names, in bytes: keys, types, lengths and numbers.
const BOT_BYTES: usize = 128;
/// Values of a line of LIST_BOTS besides the rooms: six.
const BOT_VALUES: usize = 6;

/// The token made of random bytes, and its hash.
fn new_token(seed: &SecretSeed) -> (BotToken, SecretHash) {
    let token = BotToken::from_bytes(seed.bytes());
    let hash = Sha256::digest(seed.bytes()).into();
    (token, hash)
}

/// The hash by which a presented token is looked up. A text of another form is no token, and is looked up like one.
pub(super) fn token_hash(token: &BotToken) -> [u8; 32] {
    Sha256::digest(*token.bytes().unwrap_or_default()).into()
}

/// CREATE_BOT: in rooms that the caller owns or operates, all or nothing.
pub(crate) fn create_bot(
    view: &View<'_, '_>,
    me: Caller,
    seed: &SecretSeed,
    username: Username,
    rooms: Names,
    expires: Option<u64>,
) -> Result<Plan, Reject> {
    let (token, hash) = new_token(seed);
    let expires = expiry(expires, view.now)?;
    let rooms = operated_rooms(view, &me, &rooms.0)?;
    if view.batch.user_name_taken(&username)? {
        return Err(Code::NameTaken.into());
    }
    if view.batch.bots_of(me.id)?.len() >= BOTS {
        return Err(Reject::too_many(BOTS));
    }
    if rooms.len() > view.limits.rooms {
        return Err(Reject::too_many(view.limits.rooms));
    }
    for room in &rooms {
        rooms::refuse_too_many_members(view, room, 1)?;
    }
    let now = view.now;
    let demand = Demand::Bot { rooms: rooms.len() };
    Ok(Plan::write(demand, move |batch| {
        let created = batch.create_bot(&username, me.id, &hash, (now, expires))?;
        let Some(bot) = created else {
            return Err(Code::NameTaken.into());
        };
        let user = User {
            id: bot,
            name: username.to_string(),
        };
        let mut effects = Vec::new();
        for room in rooms {
            batch.add_member(room.id, bot, now)?;
            let come = InRoom {
                members: batch.member_count(room.id)?,
                id: room.id,
                name: room.name,
            };
            effects.push(Effect::BotCame(come, user.clone()));
        }
        Ok(Written {
            reply: Event::BotToken {
                username: username.to_string(),
                token,
            },
            effects,
        })
    }))
}

/// LIST_BOTS: all of them, each with as many of its rooms as fit.
pub(crate) fn list_bots(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let bots = ctx.batch.bots_of(me.id)?;
    let lines = bots.into_iter().map(|bot| line(ctx.batch, bot));
    Ok(Event::Bots {
        bots: lines.collect::<Result<_, _>>()?,
    })
}

/// REMOVE_BOT.
pub(crate) fn remove_bot(
    view: &View<'_, '_>,
    me: Caller,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let bot = own_bot(view, &me, &username)?;
    let now = view.now;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        Ok(Written {
            reply: done_with(RequestKind::RemoveBot),
            effects: remove(batch, bot.user, now)?,
        })
    }))
}

/// NEW_BOT_TOKEN: the old token and the sessions that it opened end.
pub(crate) fn new_bot_token(
    view: &View<'_, '_>,
    me: Caller,
    seed: &SecretSeed,
    username: NameQuery,
    expires: Option<u64>,
) -> Result<Plan, Reject> {
    let (token, hash) = new_token(seed);
    let expires = expiry(expires, view.now)?;
    let bot = own_bot(view, &me, &username)?.user;
    Ok(Plan::write(Demand::Space, move |batch| {
        batch.set_bot_token(bot.id, &hash, expires)?;
        Ok(Written {
            reply: Event::BotToken {
                username: bot.name.clone(),
                token,
            },
            effects: vec![Effect::EndSessions(bot)],
        })
    }))
}

/// Takes the bots of a user out of a room that the user does not operate any more: the user left it, or is no operator
/// any more. An administrator who left the lobby still operates it, and the bots stay.
pub(super) fn bots_leave_with(
    batch: &mut Batch<'_>,
    room: &Room,
    user: UserId,
) -> Result<Vec<Effect>, StoreError> {
    let mut effects = Vec::new();
    if room.owner.is_none() && batch.acts_as_owner(room, user)? {
        return Ok(effects);
    }
    for bot in batch.bots_in(user, room.id)? {
        let left = InRoom {
            id: room.id,
            name: room.name.clone(),
            members: batch.member_count(room.id)?,
        };
        batch.remove_member(room.id, bot.id)?;
        effects.push(Effect::BotLeft(left, bot));
    }
    Ok(effects)
}

/// Takes the bots of a former administrator out of the lobby, unless the user is an operator of it.
pub(super) fn bots_leave_lobby(
    batch: &mut Batch<'_>,
    user: UserId,
) -> Result<Vec<Effect>, StoreError> {
    let mut effects = Vec::new();
    for name in batch.ownerless_rooms_of_bots(user)? {
        let Some(room) = batch.find_room(&name)? else {
            continue;
        };
        if batch.role(&room, user)? < Some(Role::Operator) {
            effects.extend(bots_leave_with(batch, &room, user)?);
        }
    }
    Ok(effects)
}

/// Removes a bot from its rooms, and its account.
fn remove(batch: &mut Batch<'_>, bot: User, now: i64) -> Result<Vec<Effect>, StoreError> {
    let mut effects = Vec::new();
    for room in batch.room_sizes_of(bot.id)? {
        batch.remove_member(room.id, bot.id)?;
        let left = InRoom {
            id: room.id,
            name: room.name,
            members: room.members,
        };
        effects.push(Effect::BotLeft(left, bot.clone()));
    }
    effects.extend(end_account(batch, bot.id, false, now)?);
    effects.push(Effect::EndRemovedBot(bot));
    Ok(effects)
}

/// The time at which a token expires. One that has passed is refused.
fn expiry(expires: Option<u64>, now: i64) -> Result<Option<i64>, Reject> {
    let Some(expires) = expires else {
        return Ok(None);
    };
    match i64::try_from(expires) {
        Ok(expires) if expires > now => Ok(Some(expires)),
        Ok(_) => Err(Reject::bad_params("expires", "has passed")),
        Err(_) => Err(Reject::bad_params("expires", "is no time")),
    }
}

/// The rooms of these names, without duplicates. Refused unless the caller operates each of them.
fn operated_rooms(view: &View<'_, '_>, me: &Caller, names: &[String]) -> Result<Vec<Room>, Reject> {
    let mut found = BTreeMap::new();
    let mut is_operator = true;
    for name in names {
        view.batch.count_name(name);
        let (room, role) = targets::room_to_manage(view.batch, me, &NameQuery::new(name))?;
        is_operator &= role >= Some(Role::Operator);
        found.insert(room.id, room);
    }
    if is_operator {
        Ok(found.into_values().collect())
    } else {
        Err(Code::NotOperator.into())
    }
}

/// The caller's bot of a name.
fn own_bot(view: &View<'_, '_>, me: &Caller, name: &NameQuery) -> Result<Bot, Reject> {
    let bots = view.batch.bots_of(me.id)?;
    let is_named = |bot: &Bot| name.key() == Some(bot.user.name.as_str());
    let bot = bots.into_iter().find(is_named);
    bot.ok_or_else(|| Code::UnknownUser.into())
}

fn line(batch: &Batch<'_>, bot: Bot) -> Result<BotLine, StoreError> {
    let rooms = batch.room_sizes_of(bot.user.id)?.into_iter();
    let bytes = PAGE_BYTES / BOTS - BOT_BYTES - bot.user.name.len();
    let size = |name: &String| name.len() + 5;
    let rooms = rooms.map(|room| room.name).collect();
    let time = |seconds| u64::try_from(seconds).unwrap_or(0);
    Ok(BotLine {
        username: bot.user.name,
        rooms: page::fitting(rooms, bytes, 2 * BOTS + BOT_VALUES, size),
        created: time(bot.created_at),
        expires: bot.expires_at.map(time),
        last_seen: bot.last_seen.map(time),
    })
}
