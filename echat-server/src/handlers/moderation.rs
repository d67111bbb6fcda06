//! Invitations to rooms, and what operators do to keep users out: KICK, BAN, UNBAN.

use super::administration::audited_in_lobby;
use super::admission::{Demand, Plan, View, Written};
use super::effects::{Effect, Leave};
use super::{Caller, Ctx, Reject, done_with, rooms, targets, unix};
use crate::storage::{Ban, Batch, Role, Room, StoreError, User, UserId};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::{BLOCKS, PAGE_BYTES};
use echat_proto::names::{NameQuery, ReasonText};
use echat_proto::records::{BanLine, Code, InvitationLine};

/// Pending invitations of a user: as many as rooms, with the default settings. Those that are hidden from the user have
/// a limit of their own, as many again.
const INVITATIONS: usize = 200;
/// What a line of LIST_BANS takes besides its texts, in bytes: keys, types and lengths.
const BAN_BYTES: usize = 80;

/// INVITE. An invitation to a user that blocks the caller gets every answer that any other would get, is stored and not
/// told.
pub(crate) fn invite(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let (room, role) = targets::room_to_manage(view.batch, &me, &roomname)?;
    let other = targets::askable_user(view, &username)?;
    match role {
        None => return Err(Code::NotAMember.into()),
        Some(Role::Member) if room.private => return Err(Code::NotOperator.into()),
        Some(_) => {}
    }
    if view.batch.is_member(room.id, other.id)? {
        return Err(Code::AlreadyMember.into());
    }
    if let Some(ban) = view.batch.ban_of(room.id, other.id, view.now)? {
        return Err(Reject::banned(ban));
    }
    let hidden = view.batch.blocks(other.id, me.id)?;
    let was_invited = view.batch.inviter(room.id, other.id)?.is_some();
    let is_shown = view.batch.is_invited(room.id, other.id)?;
    if is_shown || (hidden && was_invited) {
        return Ok(Plan::Reply(done_with(RequestKind::Invite)));
    }
    let counts = view.batch.invitation_counts(other.id)?;
    // Without the block the caller's invitations would be among those that are shown.
    let mut told = counts.shown;
    if hidden {
        told += view.batch.invitations_from(other.id, me.id)?;
    }
    if told >= INVITATIONS as u64 {
        return Err(Reject::too_many(INVITATIONS));
    }
    let now = view.now;
    Ok(Plan::write(Demand::Change { stores: true }, move |batch| {
        if hidden && counts.hidden >= INVITATIONS as u64 {
            batch.forget_hidden_invitation(other.id)?;
        }
        batch.invite(room.id, other.id, me.id, now)?;
        let mut effects = Vec::new();
        if !hidden {
            let event = Event::OnInvitation {
                roomname: room.name,
                by: Some(String::from(&*me.name)),
            };
            effects.push(Effect::Tell(other.id, event));
        }
        Ok(Written {
            reply: done_with(RequestKind::Invite),
            effects,
        })
    }))
}

/// DECLINE_INVITATION. The inviter is not told.
pub(crate) fn decline_invitation(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Plan, Reject> {
    let (room, _) = targets::room(view.batch, &me, &roomname)?;
    if !view.batch.is_invited(room.id, me.id)? {
        return Err(Code::NoRequest.into());
    }
    Ok(Plan::write(Demand::Nothing, move |batch| {
        batch.delete_invitation(room.id, me.id)?;
        let changed = invitations_changed(batch, me.id)?;
        Ok(Written {
            reply: done_with(RequestKind::DeclineInvitation),
            effects: vec![Effect::TellOthers(changed)],
        })
    }))
}

/// KICK.
pub(crate) fn kick(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    username: NameQuery,
    reason: Option<ReasonText>,
) -> Result<Plan, Reject> {
    let (room, role, other) = moderated(view, &me, &roomname, &username)?;
    match view.batch.role(&room, other.id)? {
        None => return Err(Code::NotAMember.into()),
        Some(theirs) if theirs >= role => return Err(Code::NotOperator.into()),
        Some(_) => {}
    }
    let removal = MemberRemoval {
        by: me.user(),
        reason: reason.and_then(ReasonText::into_text),
        banned: false,
    };
    let change = Demand::Change { stores: false };
    let (of, name) = (room.clone(), other.name.clone());
    let plan = Plan::write(change, move |batch| {
        Ok(Written {
            reply: done_with(RequestKind::Kick),
            effects: remove(batch, room, other, removal)?,
        })
    });
    Ok(audited_in_lobby(
        plan,
        view,
        &me,
        RequestKind::Kick,
        (&of, &name),
    )?)
}

/// BAN: also of a user that is no member. A member is removed, and an invitation is withdrawn.
pub(crate) fn ban(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    username: NameQuery,
    until: Option<u64>,
    reason: Option<ReasonText>,
) -> Result<Plan, Reject> {
    let until = until.map(|until| ends_at(until, view.now)).transpose()?;
    let (room, role, other) = moderated(view, &me, &roomname, &username)?;
    let theirs = view.batch.role(&room, other.id)?;
    let acts_as = targets::acting_role(view.batch, &room, other.id, theirs)?;
    if other.id == me.id || acts_as.is_some_and(|theirs| theirs >= role) {
        return Err(Code::NotOperator.into());
    }
    let reason = reason.and_then(ReasonText::into_text);
    let ban = Ban { until, reason };
    let known = view.batch.ban_of(room.id, other.id, view.now)?;
    if theirs.is_none() && known.as_ref() == Some(&ban) {
        return Ok(Plan::Reply(done_with(RequestKind::Ban)));
    }
    if known.is_none() && view.batch.has_as_many_bans(room.id, BLOCKS, view.now)? {
        return Err(Reject::too_many(BLOCKS));
    }
    let now = view.now;
    let (of, name, caller) = (room.clone(), other.name.clone(), me.clone());
    let plan = Plan::write(Demand::Change { stores: true }, move |batch| {
        batch.ban(room.id, other.id, me.id, &ban, now)?;
        let mut effects = Vec::new();
        let was_shown = batch.is_invited(room.id, other.id)?;
        batch.delete_invitation(room.id, other.id)?;
        if was_shown {
            let changed = invitations_changed(batch, other.id)?;
            effects.push(Effect::Tell(other.id, changed));
        }
        if theirs.is_some() {
            let removal = MemberRemoval {
                by: me.user(),
                reason: ban.reason,
                banned: true,
            };
            effects.extend(remove(batch, room, other, removal)?);
        }
        Ok(Written {
            reply: done_with(RequestKind::Ban),
            effects,
        })
    });
    Ok(audited_in_lobby(
        plan,
        view,
        &caller,
        RequestKind::Ban,
        (&of, &name),
    )?)
}

/// UNBAN.
pub(crate) fn unban(
    view: &View<'_, '_>,
    me: Caller,
    roomname: NameQuery,
    username: NameQuery,
) -> Result<Plan, Reject> {
    let (room, _, other) = moderated(view, &me, &roomname, &username)?;
    if view.batch.ban_of(room.id, other.id, view.now)?.is_none() {
        return Ok(Plan::Reply(done_with(RequestKind::Unban)));
    }
    let now = view.now;
    let change = Demand::Change { stores: false };
    let (id, user) = (room.id, other.id);
    let plan = Plan::write(change, move |batch| {
        batch.unban(id, user, now)?;
        Ok(Written {
            reply: done_with(RequestKind::Unban),
            effects: Vec::new(),
        })
    });
    let what = (&room, other.name.as_str());
    Ok(audited_in_lobby(plan, view, &me, RequestKind::Unban, what)?)
}

/// LIST_BANS: all bans. Reasons are left out once the reply has no place for them.
pub(crate) fn list_bans(
    ctx: &Ctx<'_, '_>,
    me: Caller,
    roomname: NameQuery,
) -> Result<Event, Reject> {
    let (room, role) = targets::managed_room(ctx.batch, &me, &roomname)?;
    if role < Role::Operator {
        return Err(Code::NotOperator.into());
    }
    let found = ctx.batch.bans(room.id, ctx.now.unix)?;
    let names = found.iter().map(|ban| ban.username.len() + ban.by.len());
    let names: usize = names.map(|names| BAN_BYTES + names).sum();
    let mut left = PAGE_BYTES.saturating_sub(names);
    let bans = found.into_iter().map(|found| {
        let reason = found.ban.reason.filter(|reason| reason.len() <= left);
        left -= reason.as_ref().map_or(0, String::len);
        BanLine {
            username: found.username,
            by: found.by,
            at: unix(found.at),
            until: found.ban.until.map(unix),
            reason,
        }
    });
    Ok(Event::Bans {
        bans: bans.collect(),
    })
}

/// The room that the caller operates, the caller's role in it, and the user to act on.
fn moderated(
    view: &View<'_, '_>,
    me: &Caller,
    roomname: &NameQuery,
    username: &NameQuery,
) -> Result<(Room, Role, User), Reject> {
    let (room, role) = targets::room_to_manage(view.batch, me, roomname)?;
    let other = targets::user(view.batch, username)?;
    // A bot that was banned is in no room with those that may end the ban. For others it does not exist.
    let may_end_ban =
        role >= Some(Role::Operator) && view.batch.ban_of(room.id, other.id, view.now)?.is_some();
    if !may_end_ban {
        targets::seen_user(view.batch, me, username)?;
    }
    match role {
        None => Err(Code::NotAMember.into()),
        Some(Role::Member) => Err(Code::NotOperator.into()),
        Some(role) => Ok((room, role, other)),
    }
}

/// The end of a ban, in unix seconds. It lies in the future.
fn ends_at(until: u64, now: i64) -> Result<i64, Reject> {
    match i64::try_from(until) {
        Ok(until) if until > now => Ok(until),
        Ok(_) => Err(Reject::bad_params("until", "must lie in the future")),
        Err(_) => Err(Reject::bad_params("until", "is too large")),
    }
}

/// Why a member is removed, as the members learn it.
struct MemberRemoval {
    by: User,
    reason: Option<String>,
    banned: bool,
}

/// Removes a member that an operator sends away. An owner can add the user again, unless the user is banned.
fn remove(
    batch: &mut Batch<'_>,
    room: Room,
    member: User,
    removal: MemberRemoval,
) -> Result<Vec<Effect>, StoreError> {
    let event = Event::OnMemberRemoved {
        roomname: room.name.clone(),
        membername: member.name.clone(),
        by: removal.by.name,
        reason: removal.reason,
        banned: removal.banned,
    };
    // The member is still in the roster, and is told as the others are.
    let told = Effect::TellRoom(room.id, event);
    let leaving = rooms::leaving(batch, &room, &member, Leave::SentAway)?;
    Ok(std::iter::once(told).chain(leaving.effects).collect())
}

/// The invitations that a user sees.
pub(super) fn invitation_lines(
    batch: &Batch<'_>,
    user: UserId,
) -> Result<Vec<InvitationLine>, StoreError> {
    let lines = batch.invitations_of(user)?.into_iter();
    let line = |invitation: crate::storage::Invitation| InvitationLine {
        roomname: invitation.roomname,
        by: invitation.by,
    };
    Ok(lines.map(line).collect())
}

/// The event that tells a user's sessions of the user's invitations.
pub(super) fn invitations_changed(batch: &Batch<'_>, user: UserId) -> Result<Event, StoreError> {
    Ok(Event::OnSelfChanged {
        blocked: None,
        invitations: Some(invitation_lines(batch, user)?),
        away: None,
        last_seen: None,
    })
}
