//! Rooms: making, joining, leaving, filling and listing them.

use super::admission::{Demand, Plan, View, Written};
use super::effects::{Effect, InRoom};
use super::moderation::invitations_changed;
use super::{Caller, Ctx, Reject, bots, done, page, targets};
use crate::storage::{Role, Room, User, UserId};
use echat_proto::commands::Event;
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{NameQuery, RoomName};
use echat_proto::param::{Mark, Names};
use echat_proto::records::{Code, MemberLine, RoomLine};
use std::collections::BTreeMap;

/// What a line of LIST_MEMBERS takes besides the name, in bytes: keys, types and lengths.
const MEMBER_BYTES: usize = 48;
/// Values of a line of LIST_MEMBERS: four in a dict.
const MEMBER_VALUES: usize = 5;
/// What a line of LIST_ROOMS takes besides the names, in bytes.
const ROOM_BYTES: usize = 80;

/// CREATE_ROOM: all or nothing. A user owns at most as many rooms as a user may be in. A room remains when its last
/// member leaves, so without this limit a user who creates and leaves rooms in turn could fill the disk.
pub(crate) fn create_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: RoomName,
    members: Names,
) -> Result<Plan, Reject> {
    let mut invited = friends_named(view, &me, &members.0)?;
    invited.insert(me.id, me.user());
    if view.batch.room_name_taken(&roomname)? {
        return Err(Code::RoomExists.into());
    }
    if invited.len() > view.limits.room_members {
        return Err(Reject::too_many(view.limits.room_members));
    }
    have_room_for_a_room(view, invited.keys())?;
    if view.batch.owned_count(me.id)? >= view.limits.rooms as u64 {
        return Err(Reject::too_many(view.limits.rooms));
    }
    let now = view.now;
    let demand = Demand::Room {
        comers: invited.len(),
    };
    Ok(Plan::write(demand, move |batch| {
        let Some(id) = batch.create_room(&roomname, me.id, now)? else {
            return Err(Code::RoomExists.into());
        };
        for user in invited.keys() {
            batch.add_member(id, *user, now)?;
        }
        let room = InRoom {
            id,
            name: roomname.to_string(),
            members: invited.len() as u64,
        };
        let users = invited.into_keys().collect();
        Ok(Written {
            reply: Event::CreateRoomResult {
                result: done("The room was made."),
            },
            effects: vec![Effect::LetIn { room, users }],
        })
    }))
}

/// ADD_MEMBERS: the owner adds friends to the room, all or none. Current members are skipped; if all are members, the
/// request is refused. A user who left the room can only return with JOIN_ROOM.
pub(crate) fn add_members(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    members: Names,
) -> Result<Plan, Reject> {
    let (room, role) = targets::own_room(view.batch, &me, &roomname)?;
    if role != Role::Owner {
        return Err(Code::NotOwner.into());
    }
    let named = friends_named(view, &me, &members.0)?;
    let mut added = BTreeMap::new();
    for (id, user) in named {
        if !view.batch.is_member(room.id, id)? {
            added.insert(id, user);
        }
    }
    if added.is_empty() && !members.0.is_empty() {
        return Err(Code::AlreadyMember.into());
    }
    have_not_left(view, &room, &added)?;
    has_room_for_members(view, &room, added.len())?;
    have_room_for_a_room(view, added.keys())?;
    let now = view.now;
    let demand = Demand::Comers(added.len());
    Ok(Plan::write(demand, move |batch| {
        for user in added.keys() {
            batch.add_member(room.id, *user, now)?;
        }
        let room = InRoom {
            members: batch.member_count(room.id)?,
            id: room.id,
            name: room.name,
        };
        let let_in = Effect::LetIn {
            room: room.clone(),
            users: added.keys().copied().collect(),
        };
        let came = added.into_values();
        let came = came.map(|user| Effect::Came(room.clone(), user));
        Ok(Written {
            reply: Event::AddMembersResult {
                result: done("They are members now."),
            },
            effects: std::iter::once(let_in).chain(came).collect(),
        })
    }))
}

/// JOIN_ROOM.
pub(crate) fn join_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, role) = targets::room(view.batch, &me, &roomname)?;
    if role.is_some() {
        return Err(Code::AlreadyMember.into());
    }
    has_room_for_members(view, &room, 1)?;
    have_room_for_a_room(view, [&me.id])?;
    let now = view.now;
    Ok(Plan::write(Demand::Comers(1), move |batch| {
        batch.add_member(room.id, me.id, now)?;
        batch.forget_left(me.id, room.id)?;
        let was_invited = batch.is_invited(room.id, me.id)?;
        batch.delete_invitation(room.id, me.id)?;
        let changed = was_invited.then(|| invitations_changed(batch, me.id));
        let changed = changed.transpose()?.map(Effect::TellOthers);
        let room = InRoom {
            members: batch.member_count(room.id)?,
            id: room.id,
            name: room.name,
        };
        let let_in = Effect::LetIn {
            room: room.clone(),
            users: vec![me.id],
        };
        Ok(Written {
            reply: Event::JoinRoomResult {
                result: done("加入聊天室"),
            },
            effects: [let_in, Effect::Came(room, me.user())]
                .into_iter()
                .chain(changed)
                .collect(),
        })
    }))
}

/// LEAVE_ROOM. No rate limit applies, since joining is charged for both. The owner remains the owner after leaving.
pub(crate) fn leave_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, _) = targets::own_room(view.batch, &me, &roomname)?;
    let members = view.batch.member_count(room.id)?;
    let now = view.now;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        batch.remove_member(room.id, me.id)?;
        batch.note_left(me.id, room.id, now)?;
        let bots = bots::bots_leave_with(batch, &room, me.id)?;
        let reply = Event::LeftRoom {
            roomname: room.name.clone(),
        };
        let room = InRoom {
            id: room.id,
            name: room.name,
            members,
        };
        let left = std::iter::once(Effect::Left(room, me.user()));
        Ok(Written {
            reply,
            effects: left.chain(bots).collect(),
        })
    }))
}

/// LIST_ROOMS.
pub(crate) fn list_rooms(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
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

/// LIST_MEMBERS: as many members, by name, as fit into one frame. The reply has no pages.
pub(crate) fn list_members(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let (room, _) = targets::own_room(ctx.batch, &me, &roomname)?;
    // Online members are known without a query, and come first.
    let online = ctx.roster.in_room(room.id);
    let online = online.filter(|member| ctx.roster.is_seen_online(member.user, me.id));
    let online = online.map(|member| MemberLine {
        online: !member.bot,
        username: member.name.to_string(),
        owner: Some(member.user) == room.owner,
        bot: Mark(member.bot),
    });
    let by_name = ctx.batch.members(room.id, page::most(MEMBER_VALUES))?;
    let others = by_name
        .into_iter()
        .filter(|member| !ctx.roster.is_seen_online(member.user.id, me.id));
    let others = others.map(|member| MemberLine {
        online: false,
        username: member.user.name,
        owner: member.owner,
        bot: Mark(member.bot),
    });
    let size = |member: &MemberLine| MEMBER_BYTES + member.username.len();
    let members = online.chain(others).collect();
    let mut members = page::fitting(members, PAGE_BYTES, MEMBER_VALUES, size);
    members.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(Event::Members { members })
}

/// The friends of these names, without duplicates and without the caller. Refused if one of them is not a friend.
fn friends_named(
    view: &View<'_, '_>,
    me: &Caller,
    names: &[String],
) -> Result<BTreeMap<UserId, User>, Reject> {
    let friends = view.batch.friends(me.id)?;
    let by_name: BTreeMap<&str, &User> = friends
        .iter()
        .map(|friend| (friend.name.as_str(), friend))
        .collect();
    let mut found = BTreeMap::new();
    let mut strangers = Vec::new();
    for name in names {
        view.batch.count_name(name);
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

/// Refuses to add users who left the room; the refusal names them.
fn have_not_left(
    view: &View<'_, '_>,
    room: &Room,
    users: &BTreeMap<UserId, User>,
) -> Result<(), Reject> {
    let mut gone = Vec::new();
    for user in users.values() {
        if view.batch.has_left(user.id, room.id)? {
            gone.push(user.name.clone());
        }
    }
    if gone.is_empty() {
        Ok(())
    } else {
        Err(Reject::have_left(gone))
    }
}

pub(super) fn has_room_for_members(
    view: &View<'_, '_>,
    room: &Room,
    more: usize,
) -> Result<(), Reject> {
    let limit = view.limits.room_members;
    if view.batch.member_count(room.id)? + more as u64 > limit as u64 {
        return Err(Reject::too_many(limit));
    }
    Ok(())
}

fn have_room_for_a_room<'u>(
    view: &View<'_, '_>,
    users: impl IntoIterator<Item = &'u UserId>,
) -> Result<(), Reject> {
    for user in users {
        if view.batch.room_count(*user)? >= view.limits.rooms as u64 {
            return Err(Reject::too_many(view.limits.rooms));
        }
    }
    Ok(())
}
