//! The commands about accounts and sessions.

use super::super::effects::Effect;
use super::super::{Ctx, Reject, bots, deletion, targets};
use super::arguments::{
    Choice, EndTime, MessageDisposal, NameCursor, Number, Reason, TokenDisposal,
};
use super::report::{at, names};
use super::{
    AdminPlan, AdminReport, AdminTask, MemoryChange, Operation, ROWS, SessionsEnding, View,
};
use crate::config::Inviters;
use crate::conn::ConnId;
use crate::roster::Online;
use crate::storage::{Account, KNOWN_ADDRESS, StoreError, User};
use echat_proto::Value;
use echat_proto::names::{NameQuery, Password, Username};
use echat_proto::records::Code;
use std::net::IpAddr;

/// Addresses of a user whose wrong passwords a reset forgets.
const ADDRESSES: usize = 1_000;

pub(super) fn users(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<NameCursor>,
) -> Result<AdminReport, Reject> {
    let after = after.map_or_else(String::new, |after| after.0);
    let accounts = ctx.batch.accounts(&after, ROWS + 1, ctx.now.unix)?;
    let row = |account: Account| {
        vec![
            account.user.name.into(),
            ctx.roster.is_online(account.user.id).into(),
            account.is_administrator.into(),
            account.is_suspended.into(),
            account.owner.is_some().into(),
            at(account.created_at),
            at(account.last_seen),
        ]
    };
    let rows = accounts.into_iter().map(row).collect();
    Ok(AdminReport::table(
        "users",
        &[
            "name",
            "online",
            "administrator",
            "suspended",
            "bot",
            "created",
            "last_seen",
        ],
        rows,
        ROWS,
    ))
}

pub(super) fn user(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    name: NameQuery,
) -> Result<AdminReport, Reject> {
    let user = targets::user(ctx.batch, &name)?;
    let account = ctx.batch.account(user.id, ctx.now.unix)?;
    let account = account.ok_or(Code::UnknownUser)?;
    let suspension = ctx.batch.suspension(user.id, ctx.now.unix)?;
    let (until, reason) = suspension.map_or((None, None), |it| (it.until, it.reason));
    let rooms = ctx.batch.room_sizes_of(user.id)?.into_iter();
    let rooms = rooms.map(|room| room.name).collect();
    let bots = ctx.batch.bots_of(user.id)?.into_iter();
    let bots: Vec<String> = bots.map(|bot| bot.user.name).collect();
    let friends = ctx.batch.friends(user.id)?.len();
    let sessions = ctx.roster.conns_of(user.id).len();
    Ok(AdminReport::facts(vec![
        ("name", user.name.into()),
        ("online", (sessions > 0).into()),
        ("sessions", sessions.into()),
        ("administrator", account.is_administrator.into()),
        ("must_change_password", account.must_change_password.into()),
        ("suspended", account.is_suspended.into()),
        ("suspended_until", at(until)),
        ("suspended_because", reason.into()),
        ("bot_of", account.owner.into()),
        ("created", at(account.created_at)),
        ("last_seen", at(account.last_seen)),
        ("friends", friends.into()),
        ("rooms", names(rooms, ROWS)),
        ("bots", bots.into()),
    ]))
}

/// The sessions in the order of their connections, behind one of these.
#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn sessions(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<Number>,
) -> Result<AdminReport, Reject> {
    let after = after.map(|after| after.0);
    let mut sessions: Vec<(ConnId, &Online)> = ctx.roster.sessions().collect();
    sessions.retain(|(conn, _)| after.is_none_or(|after| conn.serial() > after));
    sessions.sort_unstable_by_key(|(conn, _)| conn.serial());
    let row = |(conn, online): (ConnId, &Online)| {
        let begun = ctx.roster.start_of(conn);
        vec![
            conn.serial().into(),
            online.name.to_string().into(),
            begun.map(|begun| begun.address.to_string()).into(),
            at(begun.map(|begun| begun.since)),
            online.bot.into(),
        ]
    };
    let rows = sessions.into_iter().take(ROWS + 1).map(row).collect();
    Ok(AdminReport::table(
        "sessions",
        &["connection", "name", "address", "since", "bot"],
        rows,
        ROWS,
    ))
}

pub(super) fn bots(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<NameCursor>,
) -> Result<AdminReport, Reject> {
    let after = after.map_or_else(String::new, |after| after.0);
    let row = |account: Account| {
        vec![
            account.user.name.into(),
            account.owner.into(),
            ctx.roster.is_online(account.user.id).into(),
            at(account.created_at),
            at(account.last_seen),
        ]
    };
    let rows = ctx.batch.bots(&after, ROWS + 1)?.into_iter().map(row);
    Ok(AdminReport::table(
        "bots",
        &["name", "owner", "online", "created", "last_seen"],
        rows.collect(),
        ROWS,
    ))
}

pub(super) fn quota(ctx: &Ctx<'_, '_>, _: &Operation) -> Result<AdminReport, Reject> {
    let most = ctx.throttle.stored.most(ROWS + 1, ctx.now.running);
    let row = |(user, bytes): (crate::storage::UserId, u64)| {
        let name = ctx.batch.user_name(user)?.unwrap_or_default();
        Ok(vec![name.into(), bytes.into()])
    };
    let rows: Result<_, Reject> = most.into_iter().map(row).collect();
    Ok(AdminReport::table("users", &["name", "bytes"], rows?, ROWS))
}

/// Refuses an operation of an administrator on the own account.
fn refuse_own_account(operation: &Operation, user: &User) -> Result<(), Reject> {
    let me = operation.actor.administrator();
    if me.is_some_and(|me| me.id == user.id) {
        let message = "This is your own account. Another administrator can do it, or the operator with `echat-server ctl`.";
        return Err(Reject::with_message(Code::NotAllowed, message));
    }
    Ok(())
}

/// The user of a name, for a command that means people alone.
fn person(view: &View<'_, '_>, name: &NameQuery) -> Result<User, Reject> {
    let user = targets::user(view.batch, name)?;
    let Some(bot) = view.batch.bot(user.id)? else {
        return Ok(user);
    };
    let message = format!(
        "{} is a bot of {}: it has a token in place of a password, and keeps its name. \
         suspend, unsuspend, kick and delete-user take bots, too.",
        user.name, bot.owner.name
    );
    let refused = Reject::with_message(Code::NotAllowed, message);
    Err(refused.with_key("bot_of", Value::Str(bot.owner.name)))
}

pub(super) fn make_admin(
    view: &View<'_, '_>,
    _: &Operation,
    name: NameQuery,
) -> Result<AdminPlan, Reject> {
    let user = person(view, &name)?;
    let has_code = view.batch.administrator_code()?.is_some();
    if view.batch.is_administrator(user.id)? && !has_code {
        let why = format!("{} is an administrator already", user.name);
        return Ok(AdminPlan::unchanged(why));
    }
    let mut plan = AdminPlan::done(format!("{} is an administrator", user.name));
    if has_code {
        plan = plan.changes(MemoryChange::AdministratorMade);
    }
    Ok(plan.writes(move |batch| {
        batch.set_administrator(user.id, true)?;
        // It is for a server without an administrator.
        batch.delete_administrator_code()?;
        Ok(Vec::new())
    }))
}

/// What is reported when an account can administer no more, as perhaps the last one that could.
fn report_of_lost_administrator(
    view: &View<'_, '_>,
    user: &User,
    done: String,
) -> Result<AdminReport, Reject> {
    Ok(if view.batch.is_last_administrator(user.id)? {
        let done = format!("{done}, and no other account is an administrator");
        AdminReport::done(done).with("last_administrator", true)
    } else {
        AdminReport::done(done)
    })
}

pub(super) fn unmake_admin(
    view: &View<'_, '_>,
    operation: &Operation,
    name: NameQuery,
) -> Result<AdminPlan, Reject> {
    let user = person(view, &name)?;
    refuse_own_account(operation, &user)?;
    if !view.batch.is_administrator(user.id)? {
        let why = format!("{} is not an administrator", user.name);
        return Ok(AdminPlan::unchanged(why));
    }
    let done = format!("{} is not an administrator any more", user.name);
    let mut report = report_of_lost_administrator(view, &user, done)?;
    let loses_codes = view.settings.invitations == Inviters::Administrator;
    let codes = view.batch.invitation_count(Some(user.id), operation.now)?;
    if loses_codes && codes > 0 {
        report = report.with("invitations_revoked", codes);
    }
    Ok(AdminPlan::reported(report).writes(move |batch| {
        batch.set_administrator(user.id, false)?;
        if loses_codes {
            batch.delete_invitation_codes_of(user.id)?;
        }
        Ok(bots::bots_leave_lobby(batch, user.id)?)
    }))
}

pub(super) fn reset_password(
    view: &View<'_, '_>,
    operation: &Operation,
    name: NameQuery,
    tokens: Option<Choice<TokenDisposal>>,
) -> Result<AdminPlan, Reject> {
    let user = person(view, &name)?;
    refuse_own_account(operation, &user)?;
    let password = operation.issued_code();
    let Some(hash) = operation.hash.clone() else {
        let password = Password::new(&password.to_text()).expect("a code is a possible password");
        return Ok(AdminPlan::task(AdminTask::Hash(password)));
    };
    let done = format!(
        "{} has a temporary password, and is asked to change it",
        user.name
    );
    // A thief of the account may have made tokens, too.
    let tokens = tokens.map_or(TokenDisposal::Void, |tokens| tokens.0);
    let bots = view.batch.bots_of(user.id)?.into_iter();
    let bots: Vec<String> = bots.map(|bot| bot.user.name).collect();
    let mut report = AdminReport::done(done).with("password", password.to_text());
    if tokens == TokenDisposal::Void && !bots.is_empty() {
        report = report.with("bots_without_token", bots);
    }
    let addresses = login_addresses(view, &user)?;
    let change = MemoryChange::NewPassword(user.name.clone(), addresses);
    let ends = SessionsEnding::PasswordReset(user.clone(), tokens);
    let plan = AdminPlan::reported(report).ends(ends).changes(change);
    Ok(plan.writes(move |batch| {
        batch.reset_password(user.id, hash.as_str())?;
        if tokens == TokenDisposal::Void {
            batch.void_bot_tokens(user.id)?;
        }
        Ok(Vec::new())
    }))
}

/// The addresses that have a budget of their own against guessing.
fn login_addresses(view: &View<'_, '_>, user: &User) -> Result<Vec<IpAddr>, Reject> {
    let since = view.now - KNOWN_ADDRESS;
    match view.batch.login_addresses(user.id, since, ADDRESSES) {
        // Notes about logins choose a budget, no more: their damage stops no reset.
        Err(StoreError::Damaged(_)) => Ok(Vec::new()),
        found => Ok(found?),
    }
}

pub(super) fn suspend(
    view: &View<'_, '_>,
    operation: &Operation,
    name: NameQuery,
    until: EndTime,
    reason: Option<Reason>,
) -> Result<AdminPlan, Reject> {
    let user = targets::user(view.batch, &name)?;
    refuse_own_account(operation, &user)?;
    let (EndTime(until), reason) = (until, reason.map(|it| it.0));
    let done = format!("{} is suspended", user.name);
    let report = report_of_lost_administrator(view, &user, done)?
        .with("until", at(until))
        .with("reason", reason.clone());
    let now = operation.now;
    let ends = SessionsEnding::Suspended(user.clone());
    Ok(AdminPlan::reported(report).ends(ends).writes(move |batch| {
        batch.suspend(user.id, until, reason.as_deref(), now)?;
        Ok(Vec::new())
    }))
}

pub(super) fn unsuspend(
    view: &View<'_, '_>,
    _: &Operation,
    name: NameQuery,
) -> Result<AdminPlan, Reject> {
    let user = targets::user(view.batch, &name)?;
    if view.batch.suspension(user.id, view.now)?.is_none() {
        let why = format!("{} was not suspended", user.name);
        return Ok(AdminPlan::unchanged(why));
    }
    let done = format!("{} is not suspended", user.name);
    Ok(AdminPlan::done(done).writes(move |batch| {
        batch.unsuspend(user.id)?;
        Ok(Vec::new())
    }))
}

pub(super) fn delete_user(
    view: &View<'_, '_>,
    operation: &Operation,
    name: NameQuery,
    messages: Option<Choice<MessageDisposal>>,
) -> Result<AdminPlan, Reject> {
    let user = targets::user(view.batch, &name)?;
    refuse_own_account(operation, &user)?;
    let erase = messages.is_some_and(|messages| messages.0 == MessageDisposal::Erase);
    let done = format!("deleted the account {}", user.name);
    let (id, now) = (user.id, operation.now);
    let report = report_of_lost_administrator(view, &user, done)?;
    let ends = SessionsEnding::AccountDeleted(user);
    Ok(AdminPlan::reported(report)
        .ends(ends)
        .writes(move |batch| Ok(deletion::delete(batch, id, erase, now)?)))
}

pub(super) fn rename_user(
    view: &View<'_, '_>,
    _: &Operation,
    name: NameQuery,
    new_name: Username,
) -> Result<AdminPlan, Reject> {
    let user = person(view, &name)?;
    if view.batch.user_name_taken_by_another(user.id, &new_name)? {
        return Err(Code::NameTaken.into());
    }
    let done = format!("{} is called {} from now on", user.name, new_name.as_str());
    if user.name == new_name.as_str() {
        return Ok(AdminPlan::done(done));
    }
    let friends = view.batch.friends(user.id)?.into_iter();
    let rooms = view.batch.room_sizes_of(user.id)?.into_iter();
    let effect = Effect::RenamedUser {
        name: new_name.as_str().to_owned(),
        friends: friends.map(|friend| friend.id).collect(),
        rooms: rooms.map(|room| room.id).collect(),
        user: user.clone(),
    };
    Ok(AdminPlan::done(done).writes(move |batch| {
        batch.rename_user(&user, &new_name)?;
        Ok(vec![effect])
    }))
}

pub(super) fn kick(
    view: &View<'_, '_>,
    operation: &Operation,
    name: NameQuery,
) -> Result<AdminPlan, Reject> {
    let user = targets::user(view.batch, &name)?;
    refuse_own_account(operation, &user)?;
    let done = format!("{} is logged out everywhere", user.name);
    Ok(AdminPlan::done(done).ends(SessionsEnding::Kicked(user)))
}
