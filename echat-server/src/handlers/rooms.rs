//! Rooms: making, joining, leaving, filling and listing them.

use super::presence::{Presence, announce_in, member_event};
use super::{Ctx, Member, Reject, done, page, targets};
use crate::store::{ConversationId, Room, User, UserId};
use echat_proto::commands::Event;
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{NameQuery, RoomName};
use echat_proto::param::Names;
use echat_proto::records::{Code, MemberLine, RoomLine};
use std::collections::BTreeMap;

/// What a line of LIST_MEMBERS takes besides the name, in bytes: keys, types and lengths.
const MEMBER_BYTES: usize = 48;
/// Values of a line of LIST_MEMBERS: three in a dict.
const MEMBER_VALUES: usize = 4;
/// What a line of LIST_ROOMS takes besides the names, in bytes.
const ROOM_BYTES: usize = 80;

/// CREATE_ROOM: all or nothing. Nobody owns more rooms than one may be in: a room stays when all have
/// left it, and making and leaving in turn would fill the disk without a limit.
pub(crate) fn create_room(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    roomname: RoomName,
    members: Names,
) -> Result<Event, Reject> {
    let mut invited = friends_named(ctx, &me, &members.0)?;
    invited.insert(
        me.id,
        User {
            id: me.id,
            name: me.name.to_string(),
        },
    );
    if ctx.batch.room_name_taken(&roomname)? {
        return Err(Code::RoomExists.into());
    }
    if invited.len() > ctx.limits.room_members {
        return Err(Reject::too_many(ctx.limits.room_members));
    }
    have_room_for_a_room(ctx, invited.keys())?;
    if ctx.batch.owned_count(me.id)? >= ctx.limits.rooms as u64 {
        return Err(Reject::too_many(ctx.limits.rooms));
    }
    ctx.needs_space()?;
    may_bring(ctx, &me, invited.len())?;
    let now = ctx.now.running;
    if let Some(wait) = ctx.throttle.room_wait(me.id, now, ctx.limits) {
        return Err(Reject::quota(
            "You have made as many rooms as a day allows; try again later.",
            wait,
        ));
    }

    let Some(room) = ctx.batch.create_room(&roomname, me.id, ctx.now.unix)? else {
        return Err(Code::RoomExists.into());
    };
    for user in invited.keys() {
        ctx.batch.add_member(room, *user, ctx.now.unix)?;
    }

    ctx.throttle
        .count_coming(me.id, invited.len(), now, ctx.limits);
    ctx.throttle.rooms.count(me.id, 1, now);
    let_in(ctx, room, roomname.as_str(), invited.keys());
    Ok(Event::CreateRoomResult {
        result: done("The room was made."),
    })
}

/// ADD_MEMBERS: the owner takes friends into the room, all or none. Those who are members already
/// are passed over, unless all of them are. Those who left the room come back only by themselves.
pub(crate) fn add_members(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    roomname: NameQuery,
    members: Names,
) -> Result<Event, Reject> {
    let room = targets::own_room(ctx, &me, &roomname)?;
    if room.owner != me.id {
        return Err(Code::NotOwner.into());
    }
    let named = friends_named(ctx, &me, &members.0)?;
    let mut added = BTreeMap::new();
    for (id, user) in named {
        if !ctx.batch.is_member(room.id, id)? {
            added.insert(id, user);
        }
    }
    if added.is_empty() && !members.0.is_empty() {
        return Err(Code::AlreadyMember.into());
    }
    have_not_left(ctx, &room, &added)?;
    has_room_for_members(ctx, &room, added.len())?;
    have_room_for_a_room(ctx, added.keys())?;
    ctx.needs_space()?;
    may_bring(ctx, &me, added.len())?;

    for user in added.keys() {
        ctx.batch.add_member(room.id, *user, ctx.now.unix)?;
    }
    let size = ctx.batch.member_count(room.id)?;

    ctx.throttle
        .count_coming(me.id, added.len(), ctx.now.running, ctx.limits);
    let_in(ctx, room.id, &room.name, added.keys());
    for user in added
        .values()
        .filter(|user| ctx.roster.is_online(user.id))
        .cloned()
        .collect::<Vec<_>>()
    {
        announce_in(
            ctx,
            (room.id, &room.name, size),
            (user.id, &user.name),
            Presence::Online,
        );
    }
    Ok(Event::AddMembersResult {
        result: done("They are members now."),
    })
}

/// JOIN_ROOM.
pub(crate) fn join_room(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let room = targets::room(ctx, &roomname)?;
    if ctx.batch.is_member(room.id, me.id)? {
        return Err(Code::AlreadyMember.into());
    }
    has_room_for_members(ctx, &room, 1)?;
    have_room_for_a_room(ctx, [&me.id])?;
    ctx.needs_space()?;
    may_bring(ctx, &me, 1)?;

    ctx.batch.add_member(room.id, me.id, ctx.now.unix)?;
    ctx.batch.forget_left(me.id, room.id)?;
    let size = ctx.batch.member_count(room.id)?;

    ctx.throttle
        .count_coming(me.id, 1, ctx.now.running, ctx.limits);
    let_in(ctx, room.id, &room.name, [&me.id]);
    announce_in(
        ctx,
        (room.id, &room.name, size),
        (me.id, &me.name),
        Presence::Online,
    );
    Ok(Event::JoinRoomResult {
        result: done("加入聊天室"),
    })
}

/// LEAVE_ROOM, which no rate refuses: coming has paid for it. The owner stays the owner, and may come
/// back.
pub(crate) fn leave_room(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let room = targets::own_room(ctx, &me, &roomname)?;
    let size = ctx.batch.member_count(room.id)?;

    ctx.batch.remove_member(room.id, me.id)?;
    ctx.batch.note_left(me.id, room.id, ctx.now.unix)?;

    ctx.roster.part(me.id, room.id);
    announce_in(
        ctx,
        (room.id, &room.name, size),
        (me.id, &me.name),
        Presence::Offline,
    );
    // However large the room: the user's other sessions have left it too.
    ctx.outbox.send_all(
        ctx.roster.others_of(ctx.conn),
        &member_event(&room.name, &me.name, Presence::Offline),
    );
    Ok(Event::LeftRoom {
        roomname: room.name,
    })
}

/// LIST_ROOMS.
pub(crate) fn list_rooms(ctx: &mut Ctx<'_, '_>, me: Member) -> Result<Event, Reject> {
    let rooms = ctx.batch.rooms_of(me.id)?.into_iter().map(|room| RoomLine {
        roomname: room.name,
        members: room.members,
        owner: room.owner_name,
        unread: room.unread,
    });
    let size = |room: &RoomLine| ROOM_BYTES + room.roomname.len() + room.owner.len();
    Ok(Event::Rooms {
        rooms: page::fitting(rooms.collect(), PAGE_BYTES, 5, size),
    })
}

/// LIST_MEMBERS, as many by name as one frame holds: the wire has no paging for them.
pub(crate) fn list_members(
    ctx: &mut Ctx<'_, '_>,
    me: Member,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let room = targets::own_room(ctx, &me, &roomname)?;
    // Those online are known without asking, and go before the others.
    let online = ctx.roster.in_room(room.id).map(|member| MemberLine {
        online: true,
        username: member.name.to_string(),
        owner: member.user == room.owner,
    });
    let by_name = ctx.batch.members(room.id, page::most(MEMBER_VALUES))?;
    let others = by_name
        .into_iter()
        .filter(|member| !ctx.roster.is_online(member.user.id));
    let others = others.map(|member| MemberLine {
        online: false,
        username: member.user.name,
        owner: member.owner,
    });
    let size = |member: &MemberLine| MEMBER_BYTES + member.username.len();
    let members = online.chain(others).collect();
    let mut members = page::fitting(members, PAGE_BYTES, MEMBER_VALUES, size);
    members.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(Event::Members { members })
}

/// The friends of these names, repeats and the asker folded; refused if anybody is no friend.
fn friends_named(
    ctx: &Ctx<'_, '_>,
    me: &Member,
    names: &[String],
) -> Result<BTreeMap<UserId, User>, Reject> {
    let friends = ctx.batch.friends(me.id)?;
    let by_name: BTreeMap<&str, &User> = friends
        .iter()
        .map(|friend| (friend.name.as_str(), friend))
        .collect();
    let mut found = BTreeMap::new();
    let mut strangers = Vec::new();
    for name in names {
        ctx.batch.count_name();
        let query = NameQuery::new(name);
        match query.key() {
            Some(key) if key == &*me.name => {}
            key => match key.and_then(|key| by_name.get(key)) {
                Some(friend) => {
                    found.insert(friend.id, (*friend).clone());
                }
                None => strangers.push(name.clone()),
            },
        }
    }
    if strangers.is_empty() {
        Ok(found)
    } else {
        Err(Reject::not_friends(strangers))
    }
}

/// Whether a user may bring so many to a room now, themselves or others: the one who does it pays.
fn may_bring(ctx: &Ctx<'_, '_>, me: &Member, comers: usize) -> Result<(), Reject> {
    let now = ctx.now.running;
    match ctx.throttle.coming_wait(me.id, comers, now, ctx.limits) {
        Some(wait) => Err(Reject::retry_after(Code::RateLimited, wait)),
        None => Ok(()),
    }
}

/// Refuses to add those who left the room, and names them.
fn have_not_left(
    ctx: &Ctx<'_, '_>,
    room: &Room,
    users: &BTreeMap<UserId, User>,
) -> Result<(), Reject> {
    let mut gone = Vec::new();
    for user in users.values() {
        if ctx.batch.has_left(user.id, room.id)? {
            gone.push(user.name.clone());
        }
    }
    if gone.is_empty() {
        Ok(())
    } else {
        Err(Reject::have_left(gone))
    }
}

fn has_room_for_members(ctx: &Ctx<'_, '_>, room: &Room, more: usize) -> Result<(), Reject> {
    let limit = ctx.limits.room_members;
    if ctx.batch.member_count(room.id)? + more as u64 > limit as u64 {
        return Err(Reject::too_many(limit));
    }
    Ok(())
}

fn have_room_for_a_room<'u>(
    ctx: &Ctx<'_, '_>,
    users: impl IntoIterator<Item = &'u UserId>,
) -> Result<(), Reject> {
    for user in users {
        if ctx.batch.room_count(*user)? >= ctx.limits.rooms as u64 {
            return Err(Reject::too_many(ctx.limits.rooms));
        }
    }
    Ok(())
}

/// Remembers new members and tells them.
fn let_in<'u>(
    ctx: &mut Ctx<'_, '_>,
    room: ConversationId,
    roomname: &str,
    users: impl IntoIterator<Item = &'u UserId>,
) {
    let mut online = Vec::new();
    for user in users {
        ctx.roster.join(*user, room);
        online.extend_from_slice(ctx.roster.conns_of(*user));
    }
    ctx.outbox.send_all(
        online,
        &Event::OnNewRoom {
            roomname: roomname.to_owned(),
        },
    );
}
