//! Rooms: making, joining, leaving, filling and listing them.

use super::administration::audited_in_lobby;
use super::admission::{Demand, Plan, View, Written};
use super::effects::{Effect, InRoom, Leave};
use super::moderation::invitations_changed;
use super::{Caller, Ctx, Reject, bots, done, page, targets};
use crate::storage::{Batch, ListedMember, Role, Room, StoreError, User, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{NameQuery, RoomName, Topic};
use echat_proto::param::{Mark, MemberPage, MembersOf, Names, RoomRole};
use echat_proto::records::{Code, MemberLine, MemberList, RoomLine};
use std::collections::BTreeMap;

/// What a line of LIST_MEMBERS takes besides the name, in bytes: keys, types and lengths.
const MEMBER_BYTES: usize = 48;
/// The same of a line of a page, which has more keys.
const PAGED_MEMBER_BYTES: usize = 112;
/// Values of a line of LIST_MEMBERS: four in a dict.
const MEMBER_VALUES: usize = 5;
/// The same of a line of a page.
const PAGED_MEMBER_VALUES: usize = 7;
/// What a line of LIST_ROOMS takes besides the names and the topic, in bytes.
const ROOM_BYTES: usize = 176;
/// What it takes with nothing but the keys of the first version of the protocol.
const SHORT_ROOM_BYTES: usize = 80;
/// Values of a line of LIST_ROOMS: eight in a dict.
const ROOM_VALUES: usize = 9;

/// Names of added members that a line of the audit has.
const AUDITED_NAMES: usize = 10;

/// The sentence of the program of 2017 for its users. Clients act on the outcome.
const JOINED: &str = "加入聊天室";

/// CREATE_ROOM: all or nothing.
pub(crate) fn create_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: RoomName,
    members: Names,
    private: Option<bool>,
    topic: Option<Topic>,
) -> Result<Plan, Reject> {
    let mut invited = friends_named(view, &me, &members.0)?;
    invited.insert(me.id, me.user());
    if view.batch.room_name_taken(&roomname)? {
        return Err(Code::RoomExists.into());
    }
    if invited.len() > view.limits.room_members {
        return Err(Reject::too_many(view.limits.room_members));
    }
    refuse_too_many_rooms(view, invited.keys())?;
    let now = view.now;
    let demand = Demand::Room {
        members: invited.len(),
    };
    Ok(Plan::write(demand, move |batch| {
        let Some(id) = batch.create_room(&roomname, me.id, now)? else {
            return Err(Code::RoomExists.into());
        };
        for user in invited.keys() {
            batch.add_member(id, *user, now)?;
        }
        let topic = topic.unwrap_or_default();
        if (private == Some(true) || topic != Topic::default())
            && let Some(made) = batch.find_room(roomname.as_str())?
        {
            let changed = Room {
                private: private.unwrap_or(false),
                topic: topic.into_text(),
                ..made.clone()
            };
            batch.change_room(&made, &changed)?;
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
/// request is refused. A user who left the room can only return with JOIN_ROOM, and a banned one not at all.
pub(crate) fn add_members(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    members: Names,
) -> Result<Plan, Reject> {
    let (room, role) = targets::managed_room(view.batch, &me, &roomname)?;
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
    refuse_users_that_left(view, &room, &added)?;
    refuse_banned_users(view, &room, &added)?;
    refuse_too_many_members(view, &room, added.len())?;
    refuse_too_many_rooms(view, added.keys())?;
    let now = view.now;
    let demand = Demand::Joins(added.len());
    let (of, shown) = (room.clone(), in_audit(&added));
    let plan = Plan::write(demand, move |batch| {
        let mut changed = Vec::new();
        for user in added.keys() {
            let was_invited = batch.is_invited(room.id, *user)?;
            batch.add_member(room.id, *user, now)?;
            batch.delete_invitation(room.id, *user)?;
            if was_invited {
                let invitations = invitations_changed(batch, *user)?;
                changed.push(Effect::Tell(*user, invitations));
            }
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
            effects: std::iter::once(let_in).chain(came).chain(changed).collect(),
        })
    });
    let kind = RequestKind::AddMembers;
    Ok(audited_in_lobby(plan, view, &me, kind, (&of, &shown))?)
}

/// How the audit names users: the first ones, and how many more.
fn in_audit(users: &BTreeMap<UserId, User>) -> String {
    let names: Vec<&str> = users.values().map(|user| &*user.name).collect();
    let (first, more) = names.split_at(names.len().min(AUDITED_NAMES));
    let first = first.join(" ");
    match more.len() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// JOIN_ROOM. A private room takes a user who is invited, and the invitation is used up.
pub(crate) fn join_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, role) = targets::room(view.batch, &me, &roomname)?;
    if role.is_some() {
        return Err(Code::AlreadyMember.into());
    }
    if let Some(ban) = view.batch.ban_of(room.id, me.id, view.now)? {
        return Err(if room.private {
            Code::UnknownRoom.into()
        } else {
            Reject::banned(ban)
        });
    }
    refuse_too_many_members(view, &room, 1)?;
    refuse_too_many_rooms(view, [&me.id])?;
    let now = view.now;
    Ok(Plan::write(Demand::Joins(1), move |batch| {
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
                result: done(JOINED),
            },
            effects: [let_in, Effect::Came(room, me.user())]
                .into_iter()
                .chain(changed)
                .collect(),
        })
    }))
}

/// LEAVE_ROOM. No rate limit applies, since joining is charged for both.
pub(crate) fn leave_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, _) = targets::own_room(view.batch, &me, &roomname)?;
    let now = view.now;
    Ok(Plan::write(Demand::Nothing, move |batch| {
        let leaving = leaving(batch, &room, &me.user(), Leave::ByItself)?;
        if !leaving.closed {
            batch.note_left(me.id, room.id, now)?;
        }
        Ok(Written {
            reply: Event::LeftRoom {
                roomname: room.name,
            },
            effects: leaving.effects,
        })
    }))
}

/// What follows from a member's leaving.
pub(super) struct Leaving {
    /// The effects, in the order in which they are announced.
    pub(super) effects: Vec<Effect>,
    /// Whether the room was closed because no member is left.
    pub(super) closed: bool,
}

/// Takes a member out of a room: the member leaves, or is sent away. A deleted account leaves its rooms by `without`,
/// and bots leave with their owner or their account. `room` is as it was looked up in the same batch.
///
/// * The member's bots leave too, since a bot is in a room only while its owner operates it.
/// * A room whose owner leaves passes to the operator, else to the member, that has been in it longest.
/// * A room without a member that could own it is closed. The lobby, which has no owner, is never closed.
///
/// The roster and the members learn of it by the effects. The caller notes with `note_left` whether an owner may add
/// the user again.
pub(super) fn leaving(
    batch: &mut Batch<'_>,
    room: &Room,
    user: &User,
    leave: Leave,
) -> Result<Leaving, StoreError> {
    let in_room = InRoom {
        id: room.id,
        name: room.name.clone(),
        members: room.members,
    };
    batch.remove_member(room.id, user.id)?;
    let mut after = without(batch, room, user.id)?;
    let left = Effect::Left(in_room, user.clone(), leave);
    after.effects.insert(0, left);
    Ok(after)
}

/// What follows when a member has left a room: the bots of an operator leave, and the room of an owner passes on or
/// closes.
pub(super) fn without(
    batch: &mut Batch<'_>,
    room: &Room,
    user: UserId,
) -> Result<Leaving, StoreError> {
    let mut effects = bots::bots_leave_with(batch, room, user)?;
    let mut closed = false;
    if room.owner == Some(user) {
        if let Some(heir) = batch.successor(room.id)? {
            batch.set_owner(room.id, heir.id)?;
            effects.push(told_role(room, heir.name, RoomRole::Owner, None));
        } else {
            closed = true;
            effects.extend(close(batch, room, None)?);
        }
    }
    Ok(Leaving { effects, closed })
}

/// Closes a room. Its members are told, and those who are invited to it.
pub(super) fn close(
    batch: &mut Batch<'_>,
    room: &Room,
    by: Option<String>,
) -> Result<[Effect; 2], StoreError> {
    let invited = batch.invited_to(room.id)?;
    batch.close_room(room)?;
    let closed = Effect::Closed {
        room: room.id,
        name: room.name.clone(),
        by,
    };
    Ok([closed, Effect::InvitationsChanged(invited)])
}

/// The members are told of a member's role.
pub(super) fn told_role(
    room: &Room,
    membername: String,
    role: RoomRole,
    by: Option<String>,
) -> Effect {
    let event = Event::OnRole {
        roomname: room.name.clone(),
        membername,
        role,
        by,
    };
    Effect::TellRoom(room.id, event)
}

/// A role as the wire has it.
pub(super) fn wire_role(role: Role) -> RoomRole {
    match role {
        Role::Member => RoomRole::Member,
        Role::Operator => RoomRole::Operator,
        Role::Owner => RoomRole::Owner,
    }
}

/// LIST_ROOMS: all rooms, even if not all that is known of them fits into one frame.
pub(crate) fn list_rooms(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let rooms = ctx.batch.rooms_of(me.id)?.into_iter().map(|room| RoomLine {
        roomname: room.name,
        members: room.members,
        owner: room.owner_name,
        unread: room.unread,
        topic: Some(room.topic),
        private: Some(room.private),
        role: Some(wire_role(room.role)),
        mentions: Some(room.mentions),
    });
    Ok(Event::Rooms {
        rooms: fitting_rooms(rooms.collect(), PAGE_BYTES),
    })
}

/// The lines of a user's rooms in so many bytes. If they are too long, the topics are left out; if that is not enough,
/// so is all that the first version of the protocol does not have.
fn fitting_rooms(mut rooms: Vec<RoomLine>, bytes: usize) -> Vec<RoomLine> {
    let names = |room: &RoomLine| room.roomname.len() + room.owner.len();
    let size = |room: &RoomLine| {
        let topic = room.topic.as_ref().map_or(0, String::len);
        match room.role {
            Some(_) => ROOM_BYTES + names(room) + topic,
            None => SHORT_ROOM_BYTES + names(room),
        }
    };
    if rooms.iter().map(size).sum::<usize>() > bytes {
        for room in &mut rooms {
            room.topic = None;
        }
    }
    if rooms.iter().map(size).sum::<usize>() > bytes {
        for room in &mut rooms {
            (room.private, room.role, room.mentions) = (None, None, None);
        }
    }
    page::fitting(rooms, bytes, ROOM_VALUES, size)
}

/// LIST_MEMBERS: a page of the members by name, or as many of them as fit into one frame.
pub(crate) fn list_members(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    roomname: MembersOf,
) -> Result<Event, Reject> {
    let MembersOf { roomname, page } = roomname;
    let limit = page
        .as_ref()
        .map_or(Ok(0), |page| page::of_names(page.limit))?;
    let (room, _) = targets::own_room(ctx.batch, &me, &roomname)?;
    let members = match page {
        Some(page) => member_page(ctx, (&room, me.id), &page, limit)?,
        None => MemberList {
            members: all_members(ctx, &room, me.id)?,
            more: None,
        },
    };
    Ok(Event::Members { members })
}

fn member_page(
    ctx: &Ctx<'_, '_>,
    (room, me): (&Room, UserId),
    page: &MemberPage,
    limit: usize,
) -> Result<MemberList, Reject> {
    let after = page::begins_behind(page.after.as_deref());
    let mut found = ctx.batch.member_page(room, me, &after, limit)?;
    for member in &mut found.rows {
        if member.away.is_some() && !shows_away(ctx, room, &member.user, me)? {
            member.away = None;
        }
    }
    let line = |member: ListedMember| MemberLine {
        online: !member.is_bot && ctx.roster.is_seen_online(member.user.id, me),
        owner: member.role == Role::Owner,
        role: Some(wire_role(member.role)),
        username: member.user.name,
        away: member.away,
        bot: Mark(member.is_bot),
    };
    let listed = found.rows.len();
    let lines = found.rows.into_iter().map(line).collect();
    let size = |member: &MemberLine| {
        let away = member.away.as_ref().map_or(0, String::len);
        PAGED_MEMBER_BYTES + member.username.len() + away
    };
    let members = page::fitting(lines, PAGE_BYTES, PAGED_MEMBER_VALUES, size);
    let more = Some(found.more || members.len() < listed);
    Ok(MemberList { members, more })
}

/// Whether a list of members shows that one is away. Users do not show it to those that they blocked, nor to strangers,
/// which members of the lobby are to each other.
fn shows_away(ctx: &Ctx<'_, '_>, room: &Room, of: &User, me: UserId) -> Result<bool, StoreError> {
    if of.id == me {
        return Ok(true);
    }
    if ctx.batch.blocks(of.id, me)? {
        return Ok(false);
    }
    Ok(room.owner.is_some()
        || ctx.batch.friendship(me, of.id)?.is_some()
        || !ctx.batch.shared_rooms_except_lobby(me, of.id)?.is_empty())
}

/// As many members, by name, as fit into one frame.
fn all_members(ctx: &Ctx<'_, '_>, room: &Room, me: UserId) -> Result<Vec<MemberLine>, Reject> {
    let line = |username: String, online, (owner, bot)| MemberLine {
        username,
        online,
        owner,
        role: None,
        away: None,
        bot: Mark(bot),
    };
    // Online members are known without a query, and come first.
    let online = ctx.roster.in_room(room.id);
    let online = online.filter(|member| ctx.roster.is_seen_online(member.user, me));
    let online = online.map(|member| {
        let owner = Some(member.user) == room.owner;
        line(member.name.to_string(), !member.bot, (owner, member.bot))
    });
    let by_name = ctx.batch.members(room.id, page::most(MEMBER_VALUES))?;
    let others = by_name
        .into_iter()
        .filter(|member| !ctx.roster.is_seen_online(member.user.id, me));
    let others = others.map(|member| line(member.user.name, false, (member.owner, member.bot)));
    let size = |member: &MemberLine| MEMBER_BYTES + member.username.len();
    let members = online.chain(others).collect();
    let mut members = page::fitting(members, PAGE_BYTES, MEMBER_VALUES, size);
    members.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(members)
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
fn refuse_users_that_left(
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
        Err(Reject::former_members(gone))
    }
}

/// Refuses to add users who are banned from the room; the refusal names them.
fn refuse_banned_users(
    view: &View<'_, '_>,
    room: &Room,
    users: &BTreeMap<UserId, User>,
) -> Result<(), Reject> {
    let mut banned = Vec::new();
    let mut first = None;
    for user in users.values() {
        if let Some(ban) = view.batch.ban_of(room.id, user.id, view.now)? {
            first.get_or_insert(ban);
            banned.push(user.name.clone());
        }
    }
    match first {
        Some(ban) => Err(Reject::banned_users(ban, banned)),
        None => Ok(()),
    }
}

pub(super) fn refuse_too_many_members(
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

fn refuse_too_many_rooms<'u>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_rooms_that_is_too_long_loses_topics_and_not_rooms() {
        let line = |number: usize| RoomLine {
            roomname: format!("room{number}"),
            members: 2,
            owner: "ann".to_owned(),
            unread: 0,
            topic: Some("t".repeat(300)),
            private: Some(false),
            role: Some(RoomRole::Member),
            mentions: Some(0),
        };
        let rooms: Vec<RoomLine> = (0..10).map(line).collect();
        assert_eq!(fitting_rooms(rooms.clone(), 10_000), rooms);
        let without_topics = fitting_rooms(rooms.clone(), 4_000);
        assert_eq!(without_topics.len(), 10);
        let kept = |room: &RoomLine| room.topic.is_none() && room.role.is_some();
        assert!(without_topics.iter().all(kept));
        let short = fitting_rooms(rooms, 1_000);
        assert_eq!(short.len(), 10);
        assert!(short.iter().all(|room| room.role.is_none()));
    }

    #[test]
    fn a_line_of_a_list_takes_no_more_than_is_reserved_for_it() {
        let room = RoomLine {
            roomname: String::new(),
            members: u64::MAX,
            owner: String::new(),
            unread: u64::MAX,
            topic: Some(String::new()),
            private: Some(false),
            role: Some(RoomRole::Operator),
            mentions: Some(u64::MAX),
        };
        assert!(bytes(&room) <= ROOM_BYTES, "{}", bytes(&room));
        let short = RoomLine {
            topic: None,
            private: None,
            role: None,
            mentions: None,
            ..room
        };
        assert!(bytes(&short) <= SHORT_ROOM_BYTES, "{}", bytes(&short));
        let member = MemberLine {
            username: String::new(),
            online: true,
            owner: true,
            role: Some(RoomRole::Operator),
            away: Some(String::new()),
            bot: Mark(true),
        };
        assert!(bytes(&member) <= PAGED_MEMBER_BYTES, "{}", bytes(&member));
    }

    fn bytes(line: &impl echat_proto::param::Param) -> usize {
        let mut bytes = Vec::new();
        echat_proto::codec::encode(&line.to_value(), &mut bytes).expect("a short value");
        bytes.len()
    }
}
