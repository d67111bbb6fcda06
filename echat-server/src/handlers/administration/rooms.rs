//! The commands about rooms.

use super::super::room_settings::refuse_too_many_operators;
use super::super::rooms::{self, told_role, wire_role};
use super::super::{Ctx, Reject};
use super::arguments::NameCursor;
use super::report::{at, names};
use super::{AdminPlan, AdminReport, Operation, ROWS, View};
use crate::storage::{Batch, Role, Room};
use echat_proto::names::NameQuery;
use echat_proto::param::RoomRole;
use echat_proto::records::Code;

/// The room of a name, private or not. The mark with which people type rooms belongs to no name.
fn find(batch: &Batch<'_>, name: &NameQuery) -> Result<Room, Reject> {
    let unknown = || Reject::from(Code::UnknownRoom);
    let marked = name.raw().strip_prefix(['#', '＃']).map(NameQuery::new);
    let name = marked.as_ref().unwrap_or(name);
    let room = batch.find_room(name.key().ok_or_else(unknown)?)?;
    room.ok_or_else(unknown)
}

pub(super) fn rooms(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<NameCursor>,
) -> Result<AdminReport, Reject> {
    let after = after.map_or_else(String::new, |after| after.0);
    let row = |(name, owner, members, private): (String, String, u64, bool)| {
        vec![name.into(), owner.into(), members.into(), private.into()]
    };
    let rows = ctx.batch.room_page(&after, ROWS + 1)?.into_iter().map(row);
    Ok(AdminReport::table(
        "rooms",
        &["name", "owner", "members", "private"],
        rows.collect(),
        ROWS,
    ))
}

pub(super) fn room(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    name: NameQuery,
    after: Option<NameCursor>,
) -> Result<AdminReport, Reject> {
    let room = find(ctx.batch, &name)?;
    let after = after.map_or_else(String::new, |after| after.0);
    let members = ctx.batch.member_names(room.id, &after, ROWS + 1)?;
    Ok(AdminReport::facts(vec![
        ("name", room.name.into()),
        ("topic", room.topic.into()),
        ("owner", room.owner_name.into()),
        ("operators", ctx.batch.operators(room.id)?.into()),
        ("private", room.private.into()),
        ("read_only", room.read_only.into()),
        ("slow_seconds", u64::from(room.slow_seconds).into()),
        ("keep_days", room.keep_days.map(u64::from).into()),
        ("created", at(room.created_at)),
        ("online", ctx.roster.online_in(room.id).into()),
        ("member_count", room.members.into()),
        ("members", names(members, ROWS)),
    ]))
}

pub(super) fn room_owner(
    view: &View<'_, '_>,
    operation: &Operation,
    room: NameQuery,
    name: NameQuery,
) -> Result<AdminPlan, Reject> {
    let room = find(view.batch, &room)?;
    let not_a_member = || Reject::from(Code::NotAMember);
    let member = view.batch.find_user(name.key().ok_or_else(not_a_member)?)?;
    let member = member.ok_or_else(not_a_member)?;
    let role = view
        .batch
        .role(&room, member.id)?
        .ok_or_else(not_a_member)?;
    let Some(former) = room.owner else {
        let message = "The lobby has no owner but the administrators.";
        return Err(Reject::with_message(Code::NotAllowed, message));
    };
    if view.batch.is_bot(member.id)? {
        let message = "Only a person can own a room.";
        return Err(Reject::with_message(Code::NotAllowed, message));
    }
    let done = AdminPlan::done(format!("{} owns {}", member.name, room.name));
    if role == Role::Owner {
        let why = format!("{} owns {} already", member.name, room.name);
        return Ok(AdminPlan::unchanged(why));
    }
    let change = (wire_role(role), RoomRole::Owner);
    refuse_too_many_operators(view.batch, &room, change)?;
    let by = operation.actor.name();
    Ok(done.writes(move |batch| {
        batch.set_owner(room.id, member.id)?;
        batch.set_operator(room.id, former, true)?;
        let owns = told_role(&room, member.name, RoomRole::Owner, by.clone());
        let operates = told_role(&room, room.owner_name.clone(), RoomRole::Operator, by);
        Ok(vec![owns, operates])
    }))
}

pub(super) fn close_room(
    view: &View<'_, '_>,
    operation: &Operation,
    room: NameQuery,
) -> Result<AdminPlan, Reject> {
    let room = find(view.batch, &room)?;
    if room.owner.is_none() {
        let message = "The lobby cannot be closed: it belongs to the configuration (server.lobby).";
        return Err(Reject::with_message(Code::NotAllowed, message));
    }
    let by = operation.actor.name();
    Ok(AdminPlan::done(format!("closed {}", room.name))
        .writes(move |batch| Ok(rooms::close(batch, &room, by)?.into())))
}
