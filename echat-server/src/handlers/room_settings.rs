//! The properties of rooms: showing and changing them, closing rooms, roles, and the list of public rooms.

use super::administration::audited_in_lobby;
use super::admission::{Demand, Plan, View, Written};
use super::effects::{Effect, InRoom};
use super::rooms::{self, told_role, wire_role};
use super::{Caller, Ctx, Reject, bots, done_with, page, targets, unix};
use crate::storage::{Batch, OpenRoom, Removal, Retention, Role, Room, StoreError, Sweep, User};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::{KEEP_DAYS_MAX, SLOW_SECONDS_MAX};
use echat_proto::names::{NameQuery, RoomName, Topic};
use echat_proto::param::{KeepDays, RoomRole};
use echat_proto::records::{Code, PublicRoom, RoomInfo};

/// Operators of a room that its owner can make. ROOM lists them all, and is sent to every member when the room changes.
const OPERATORS_MAX: usize = 100;
/// Operators of a room with the former owners, who become operators beyond that. ROOM with so many takes less than 70
/// KB.
const OPERATORS_AND_OWNERS: usize = 1_000;

/// ROOM_INFO.
pub(crate) fn room_info(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let (room, role) = targets::room_to_manage(ctx.batch, &me, &roomname)?;
    Ok(Event::Room {
        room: info(ctx.batch, &room, role)?,
    })
}

/// A room as the wire shows it.
pub(super) fn info(
    batch: &Batch<'_>,
    room: &Room,
    role: Option<Role>,
) -> Result<RoomInfo, StoreError> {
    Ok(RoomInfo {
        roomname: room.name.clone(),
        topic: room.topic.clone(),
        owner: room.owner_name.clone(),
        operators: batch.operators(room.id)?,
        private: room.private,
        read_only: room.read_only,
        slow_seconds: room.slow_seconds.into(),
        keep_days: room.keep_days.map(u64::from),
        members: room.members,
        created: unix(room.created_at),
        role: role.map(wire_role),
    })
}

/// What SET_ROOM asks for. What is `None` stays as it is.
struct RoomChange {
    name: Option<RoomName>,
    topic: Option<Topic>,
    private: Option<bool>,
    read_only: Option<bool>,
    slow_seconds: Option<u32>,
    keep_days: KeepDays,
}

impl RoomChange {
    /// The least role that may ask for it.
    fn role(&self) -> Role {
        if self.name.is_some() || self.private.is_some() || self.keep_days != KeepDays::Unchanged {
            Role::Owner
        } else {
            Role::Operator
        }
    }

    /// The room as it is to be.
    fn of(self, room: &Room) -> Room {
        let name = self.name.map(|name| name.as_str().to_owned());
        Room {
            name: name.unwrap_or_else(|| room.name.clone()),
            topic: self
                .topic
                .map_or_else(|| room.topic.clone(), Topic::into_text),
            private: self.private.unwrap_or(room.private),
            read_only: self.read_only.unwrap_or(room.read_only),
            slow_seconds: self.slow_seconds.unwrap_or(room.slow_seconds),
            keep_days: match self.keep_days {
                KeepDays::Unchanged => room.keep_days,
                KeepDays::Set(days) => days.and_then(|days| u32::try_from(days).ok()),
            },
            ..room.clone()
        }
    }
}

/// Whether a room keeps messages for a shorter time after a change.
fn keeps_less(retention: Retention, was: &Room, is: &Room) -> bool {
    let days = |room: &Room| retention.days_in(room.keep_days);
    days(is).is_some_and(|kept| days(was).is_none_or(|before| kept < before))
}

/// SET_ROOM. The name and the privacy of the lobby stay: the configuration names it, and it is for all.
#[expect(
    clippy::too_many_arguments,
    reason = "the parameters of the request, by name"
)]
pub(crate) fn set_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    new_name: Option<RoomName>,
    topic: Option<Topic>,
    private: Option<bool>,
    read_only: Option<bool>,
    slow_seconds: Option<u64>,
    keep_days: KeepDays,
) -> Result<Plan, Reject> {
    let bounded = |field, value: Option<u64>, most| match value {
        Some(value) if value > most => {
            Err(Reject::bad_params(field, &format!("must be 0 to {most}")))
        }
        value => Ok(value.and_then(|value| u32::try_from(value).ok())),
    };
    let wanted = RoomChange {
        name: new_name.clone(),
        topic,
        private,
        read_only,
        slow_seconds: bounded("slow_seconds", slow_seconds, SLOW_SECONDS_MAX)?,
        keep_days,
    };
    if let KeepDays::Set(days) = keep_days {
        bounded("keep_days", days, KEEP_DAYS_MAX)?;
    }
    let (room, role) = targets::managed_room(view.batch, &me, &roomname)?;
    refuse_lower_role(role, wanted.role())?;
    let changed = wanted.of(&room);
    if changed == room {
        return Ok(Plan::Reply(done_with(RequestKind::SetRoom)));
    }
    let is_renamed = changed.name != room.name;
    if room.owner.is_none() && (is_renamed || changed.private != room.private) {
        return Err(Code::NotAllowed.into());
    }
    if let Some(name) = new_name.filter(|_| is_renamed)
        && view.batch.room_name_taken_by_another(room.id, &name)?
    {
        return Err(Code::RoomExists.into());
    }
    let (of, what) = (room.clone(), differing(&room, &changed));
    let by = me.name.to_string();
    let plan = Plan::write(Demand::Change { stores: true }, move |batch| {
        Ok(Written {
            reply: done_with(RequestKind::SetRoom),
            effects: change(batch, room, changed, by)?,
        })
    });
    let what = (&of, what.as_str());
    Ok(audited_in_lobby(
        plan,
        view,
        &me,
        RequestKind::SetRoom,
        what,
    )?)
}

/// Changes a room, as this user wants it.
fn change(
    batch: &mut Batch<'_>,
    room: Room,
    changed: Room,
    by: String,
) -> Result<Vec<Effect>, StoreError> {
    batch.change_room(&room, &changed)?;
    let event = Event::OnRoomChanged {
        was: room.name.clone(),
        by: Some(by),
        room: info(batch, &changed, None)?,
    };
    let mut effects = vec![Effect::TellRoom(room.id, event)];
    if keeps_less(batch.retention(), &room, &changed) {
        effects.push(Effect::Remove(Removal::TooOld(Sweep::of_room(room.id))));
    }
    if changed.name != room.name {
        let invited = batch.invited_to(room.id)?;
        effects.push(renamed(room, changed.name));
        effects.push(Effect::InvitationsChanged(invited));
    }
    Ok(effects)
}

/// The properties in which a room differs, for the audit.
fn differing(was: &Room, is: &Room) -> String {
    let properties = [
        ("name", was.name != is.name),
        ("topic", was.topic != is.topic),
        ("private", was.private != is.private),
        ("read_only", was.read_only != is.read_only),
        ("slow_seconds", was.slow_seconds != is.slow_seconds),
        ("keep_days", was.keep_days != is.keep_days),
    ];
    let differing = properties.iter().filter(|(_, differs)| *differs);
    let names: Vec<&str> = differing.map(|(name, _)| *name).collect();
    names.join(" ")
}

/// Tells of the new name of a room.
fn renamed(room: Room, name: String) -> Effect {
    Effect::Renamed {
        room: InRoom {
            id: room.id,
            name,
            members: room.members,
        },
        was: room.name,
    }
}

/// Refuses a request of a member whose role is lower than this one.
fn refuse_lower_role(role: Role, least: Role) -> Result<(), Reject> {
    if role >= least {
        return Ok(());
    }
    Err(match least {
        Role::Owner => Code::NotOwner.into(),
        Role::Operator | Role::Member => Code::NotOperator.into(),
    })
}

/// CLOSE_ROOM. The lobby cannot be closed.
pub(crate) fn close_room(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, role) = targets::managed_room(view.batch, &me, &roomname)?;
    refuse_lower_role(role, Role::Owner)?;
    if room.owner.is_none() {
        return Err(Code::NotAllowed.into());
    }
    Ok(Plan::write(Demand::Nothing, move |batch| {
        let by = Some(me.name.to_string());
        Ok(Written {
            reply: done_with(RequestKind::CloseRoom),
            effects: rooms::close(batch, &room, by)?.into(),
        })
    }))
}

/// SET_ROLE. An owner gives the room away with it, and is an operator from then on.
pub(crate) fn set_role(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    username: NameQuery,
    role: RoomRole,
) -> Result<Plan, Reject> {
    let (room, own) = targets::managed_room(view.batch, &me, &roomname)?;
    refuse_lower_role(own, Role::Owner)?;
    let not_a_member = || Reject::from(Code::NotAMember);
    let key = username.key().ok_or_else(not_a_member)?;
    let member = view.batch.find_user(key)?.ok_or_else(not_a_member)?;
    let current = view.batch.role(&room, member.id)?;
    let current = wire_role(current.ok_or_else(not_a_member)?);
    let is_lobby = room.owner.is_none();
    if current == role {
        return Ok(Plan::Reply(done_with(RequestKind::SetRole)));
    }
    // An owner cannot step down without naming the next, nor an administrator give the lobby away. A bot does what its
    // owner may do, and has no role of its own.
    let gives_up = current == RoomRole::Owner || (is_lobby && role == RoomRole::Owner);
    if gives_up || view.batch.is_bot(member.id)? {
        return Err(Code::NotAllowed.into());
    }
    refuse_too_many_operators(view.batch, &room, (current, role))?;
    let demand = Demand::Change { stores: false };
    let (of, what) = (room.clone(), format!("{} {}", member.name, role.as_str()));
    let caller = me.clone();
    let plan = Plan::write(demand, move |batch| {
        let by = Some(me.name.to_string());
        let mut effects = vec![told_role(&room, member.name.clone(), role, by.clone())];
        match role {
            RoomRole::Owner => {
                batch.set_owner(room.id, member.id)?;
                batch.set_operator(room.id, me.id, true)?;
                let former = me.name.to_string();
                effects.push(told_role(&room, former, RoomRole::Operator, by));
            }
            RoomRole::Operator => batch.set_operator(room.id, member.id, true)?,
            RoomRole::Member => effects.extend(demote(batch, &room, &member)?),
        }
        Ok(Written {
            reply: done_with(RequestKind::SetRole),
            effects,
        })
    });
    Ok(audited_in_lobby(
        plan,
        view,
        &caller,
        RequestKind::SetRole,
        (&of, &what),
    )?)
}

/// Refuses a change of a member's role for which the room has too many operators. An operator who becomes the owner
/// makes place for the former one, who becomes an operator.
pub(super) fn refuse_too_many_operators(
    batch: &Batch<'_>,
    room: &Room,
    (current, role): (RoomRole, RoomRole),
) -> Result<(), Reject> {
    let most = match (current, role) {
        (RoomRole::Member, RoomRole::Operator) => OPERATORS_MAX,
        (RoomRole::Member, RoomRole::Owner) => OPERATORS_AND_OWNERS,
        _ => return Ok(()),
    };
    if batch.operators(room.id)?.len() >= most {
        return Err(Reject::too_many(most));
    }
    Ok(())
}

/// Makes an operator a member. The operator's bots leave the room.
fn demote(batch: &mut Batch<'_>, room: &Room, user: &User) -> Result<Vec<Effect>, StoreError> {
    batch.set_operator(room.id, user.id, false)?;
    bots::bots_leave_with(batch, room, user.id)
}

/// LIST_PUBLIC_ROOMS.
pub(crate) fn list_public_rooms(
    ctx: &Ctx<'_, '_>,
    _: Caller,
    after: Option<String>,
    limit: Option<u64>,
) -> Result<Event, Reject> {
    let limit = page::of_names(limit)?;
    let after = page::begins_behind(after.as_deref());
    // 200 rooms with the longest names and topics take 90 KB.
    let found = ctx.batch.public_rooms(&after, limit)?;
    let line = |room: OpenRoom| PublicRoom {
        roomname: room.name,
        topic: room.topic,
        members: room.members,
    };
    Ok(Event::PublicRooms {
        rooms: found.rows.into_iter().map(line).collect(),
        more: found.more,
    })
}
