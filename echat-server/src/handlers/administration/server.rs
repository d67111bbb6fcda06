//! The commands about the server as a whole.

use super::super::effects::Effect;
use super::super::invitation_codes::USES_MAX;
use super::super::{Ctx, Reject};
use super::arguments::{
    Announcement, Choice, Choices, EndTime, Identifier, MessageOfTheDay, Number, Whole,
};
use super::report::{at, names};
use super::{
    AdminPlan, AdminReport, AdminTask, COMMANDS, ExportScope, FileTask, LoopTask, MemoryChange,
    Operation, ROWS, View,
};
use crate::config::{LogFilter, Registration, Settings};
use crate::limits::{AddressBans, AddressPrefix, LEAST_BITS_V4, LEAST_BITS_V6};
use crate::storage::{AddressBan, Batch, InvitationCode as StoredCode, StoreError};
use echat_proto::Value;
use echat_proto::commands::Event;
use echat_proto::names::InvitationCode;
use echat_proto::param::ParamError;
use echat_proto::records::Code;
use std::path::PathBuf;

/// Accounts that can be made with one code.
pub(super) type InvitationUses = Whole<1, USES_MAX>;
/// Bans of addresses that hold.
const BANS: usize = 1_000;
/// Administrators that are listed.
const ADMINISTRATORS: usize = 20;
/// The time until a stop: at most a day.
pub(super) type DrainSeconds = Whole<0, 86_400>;

const REGISTRATION: &str = "registration";
const MESSAGE_OF_THE_DAY: &str = "message_of_the_day";
const LOG_LEVEL: &str = "log_level";

/// A setting that a command can set in place of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Registration,
    MessageOfTheDay,
}

impl Setting {
    /// Its name in the configuration and in the database.
    fn key(self) -> &'static str {
        match self {
            Self::Registration => REGISTRATION,
            Self::MessageOfTheDay => MESSAGE_OF_THE_DAY,
        }
    }
}

impl Choices for Setting {
    const ALL: &'static [Self] = &[Self::Registration, Self::MessageOfTheDay];
    const KIND: &'static str = "registration|message-of-the-day";

    fn word(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::MessageOfTheDay => "message-of-the-day",
        }
    }
}

pub(super) fn help(
    _: &Ctx<'_, '_>,
    operation: &Operation,
    name: Option<Identifier>,
) -> Result<AdminReport, Reject> {
    let name = name.map(|name| name.0).unwrap_or_default();
    let is_meant = |command: &str| {
        name.is_empty() || command == name || command.split(' ').next() == Some(&name)
    };
    let via = operation.actor.via();
    let is_shown =
        |command: &&super::CommandInfo| command.is_open_to(via) && is_meant(command.name);
    let commands = COMMANDS.iter().filter(is_shown);
    let row = |command: &super::CommandInfo| {
        vec![
            command.usage().into(),
            (!command.in_chat).into(),
            command.about.into(),
        ]
    };
    let rows: Vec<_> = commands.map(row).collect();
    if rows.is_empty() {
        return Err(ParamError::new("name", "is not a command").into());
    }
    Ok(AdminReport::table(
        "commands",
        &["command", "only_ctl", "about"],
        rows,
        ROWS,
    ))
}

pub(super) fn status(ctx: &Ctx<'_, '_>, _: &Operation) -> Result<AdminReport, Reject> {
    let gauges = ctx.gauges;
    let online = ctx.roster.online().filter(|online| !online.bot).count();
    Ok(AdminReport::facts(vec![
        (
            "server",
            concat!("echat-server ", env!("CARGO_PKG_VERSION")).into(),
        ),
        ("listening", gauges.listening.clone().into()),
        ("fingerprint", gauges.fingerprint.clone().into()),
        ("process", u64::from(gauges.process).into()),
        ("since", at(gauges.started_at)),
        ("time", at(ctx.now.unix)),
        ("drains", gauges.stops_at.is_some().into()),
        ("stops", at(gauges.stops_at)),
        ("connections", gauges.connections.into()),
        ("sessions", ctx.roster.sessions().count().into()),
        ("users_online", online.into()),
        ("registration", ctx.settings.registration.word().into()),
        (
            "message_of_the_day",
            ctx.settings.message_of_the_day.clone().into(),
        ),
        (
            "administrators",
            names(
                ctx.batch.administrators(ADMINISTRATORS + 1)?,
                ADMINISTRATORS,
            ),
        ),
        ("newest_message", newest(ctx)?.into()),
        ("disk_is_low", (ctx.disk_is_low || ctx.disk_is_full).into()),
    ]))
}

fn newest(ctx: &Ctx<'_, '_>) -> Result<u64, StoreError> {
    Ok(ctx.batch.newest_id()?.0)
}

/// A setting in place of the configuration's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    Registration(Registration),
    /// Empty for none.
    MessageOfTheDay(String),
}

impl Override {
    /// Its name and its value as they are stored.
    fn stored(&self) -> (&'static str, String) {
        match self {
            Self::Registration(to) => (REGISTRATION, to.word().to_owned()),
            Self::MessageOfTheDay(text) => (MESSAGE_OF_THE_DAY, text.clone()),
        }
    }

    /// That of a stored name and value; `None` for one of a later version.
    fn read(name: &str, value: String) -> Option<Self> {
        match name {
            REGISTRATION => Registration::of_word(&value).map(Self::Registration),
            MESSAGE_OF_THE_DAY => Some(Self::MessageOfTheDay(value)),
            _ => None,
        }
    }
}

/// Settings that are stored in place of the configuration's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overridden {
    registration: Option<Registration>,
    /// Empty for none.
    message_of_the_day: Option<String>,
}

impl Overridden {
    /// Those of the database.
    pub(crate) fn read(batch: &Batch<'_>) -> Result<Self, StoreError> {
        let mut overridden = Self::default();
        for (name, value) in batch.server_settings()? {
            if let Some(one) = Override::read(&name, value) {
                overridden.set(one);
            }
        }
        Ok(overridden)
    }

    /// Adds one.
    pub(crate) fn set(&mut self, one: Override) {
        match one {
            Override::Registration(to) => self.registration = Some(to),
            Override::MessageOfTheDay(text) => self.message_of_the_day = Some(text),
        }
    }

    /// Removes one: that of the configuration holds.
    pub(crate) fn unset(&mut self, setting: Setting) {
        match setting {
            Setting::Registration => self.registration = None,
            Setting::MessageOfTheDay => self.message_of_the_day = None,
        }
    }

    /// The keys of the configuration that do not hold.
    pub(crate) fn keys(&self) -> Vec<&'static str> {
        let registration = self.registration.map(|_| REGISTRATION);
        let message = self.message_of_the_day.as_ref().map(|_| MESSAGE_OF_THE_DAY);
        registration.into_iter().chain(message).collect()
    }

    /// The settings that hold.
    pub(crate) fn over(&self, configured: &Settings) -> Settings {
        let message = match &self.message_of_the_day {
            Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            None => configured.message_of_the_day.clone(),
        };
        Settings {
            registration: self.registration.unwrap_or(configured.registration),
            message_of_the_day: message,
            ..configured.clone()
        }
    }
}

/// Stores a setting in place of the configuration's.
fn set(plan: AdminPlan, one: Override) -> AdminPlan {
    let (name, value) = one.stored();
    plan.changes(MemoryChange::Override(one))
        .writes(move |batch| {
            batch.set_server_setting(name, Some(&value))?;
            Ok(Vec::new())
        })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn registration(
    view: &View<'_, '_>,
    _: &Operation,
    to: Option<Choice<Registration>>,
) -> Result<AdminPlan, Reject> {
    let Some(Choice(to)) = to else {
        let word = view.settings.registration.word();
        return Ok(AdminPlan::shows(AdminReport::facts(vec![(
            REGISTRATION,
            word.into(),
        )])));
    };
    let word = to.word();
    let report = AdminReport::done("registration changed").with(REGISTRATION, word);
    Ok(set(AdminPlan::reported(report), Override::Registration(to)))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn message_of_the_day(
    view: &View<'_, '_>,
    _: &Operation,
    text: Option<MessageOfTheDay>,
) -> Result<AdminPlan, Reject> {
    let Some(MessageOfTheDay(text)) = text else {
        let text = view.settings.message_of_the_day.clone();
        let shown = vec![(MESSAGE_OF_THE_DAY, text.into())];
        return Ok(AdminPlan::shows(AdminReport::facts(shown)));
    };
    let done = match &text {
        Some(_) => "users are shown this after logging in",
        None => "users are shown no message after logging in",
    };
    let report = AdminReport::done(done).with(MESSAGE_OF_THE_DAY, text.clone());
    let text = text.unwrap_or_default();
    Ok(set(
        AdminPlan::reported(report),
        Override::MessageOfTheDay(text),
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn use_configured(
    _: &View<'_, '_>,
    _: &Operation,
    setting: Choice<Setting>,
) -> Result<AdminPlan, Reject> {
    let Choice(setting) = setting;
    let key = setting.key();
    let plan = AdminPlan::done(format!("the configuration decides {key}"))
        .changes(MemoryChange::UseConfigured(setting));
    Ok(plan.writes(move |batch| {
        batch.set_server_setting(key, None)?;
        Ok(Vec::new())
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn broadcast(
    _: &View<'_, '_>,
    _: &Operation,
    text: Announcement,
) -> Result<AdminPlan, Reject> {
    let event = Event::OnBroadcast { text: text.0 };
    let effect = Effect::TellAll(event);
    Ok(AdminPlan::done("told all users that are logged in").writes(move |_| Ok(vec![effect])))
}

pub(super) fn new_invitation(
    view: &View<'_, '_>,
    operation: &Operation,
    uses: Option<InvitationUses>,
    expires: EndTime,
) -> Result<AdminPlan, Reject> {
    let uses = uses.map_or(1, |uses| uses.0);
    let maker = operation.actor.administrator().map(|me| me.id);
    if view.batch.invitation_count(maker, operation.now)? >= ROWS as u64 {
        return Err(Reject::too_many(ROWS));
    }
    let shown = operation.issued_code();
    let code = shown.key().expect("a code of its own form").to_string();
    let EndTime(expires_at) = expires;
    let registration = view.settings.registration;
    let done = match registration {
        Registration::Invitation => "made an invitation code",
        Registration::Open => "made a code; registration is open, so no code is needed",
        Registration::Closed => "made a code that is not good yet: registration is closed",
    };
    let report = AdminReport::done(done)
        .with("code", shown.to_text())
        .with("uses", uses)
        .with("expires", at(expires_at))
        .with(REGISTRATION, registration.word());
    let now = operation.now;
    Ok(AdminPlan::reported(report).writes(move |batch| {
        let new = StoredCode {
            code,
            uses,
            expires_at,
            maker,
        };
        batch.add_invitation(&new, now)?;
        Ok(Vec::new())
    }))
}

pub(super) fn invitations(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<InvitationCode>,
) -> Result<AdminReport, Reject> {
    let key = |code: InvitationCode| {
        code.key()
            .ok_or(ParamError::new("after", "is not an invitation code"))
    };
    let after = after.map(key).transpose()?;
    let after = after.as_ref().map(|key| key.as_str());
    if let Some(code) = after
        && ctx.batch.invitation(code)?.is_none()
    {
        let message = "is not an open code any more, or never was: begin again without it";
        return Err(ParamError::new("after", message).into());
    }
    let now = ctx.now.unix;
    let found = ctx.batch.open_invitations(None, after, now, ROWS + 1)?;
    let mut rows = Vec::new();
    for code in found {
        let maker = code.maker.map(|maker| ctx.batch.user_name(maker));
        let maker = maker.transpose()?.flatten();
        rows.push(vec![
            code.code.into(),
            code.uses.into(),
            at(code.expires_at),
            maker.into(),
        ]);
    }
    Ok(AdminReport::table(
        "invitations",
        &["code", "uses", "expires", "maker"],
        rows,
        ROWS,
    ))
}

pub(super) fn revoke_invitation(
    view: &View<'_, '_>,
    _: &Operation,
    code: InvitationCode,
) -> Result<AdminPlan, Reject> {
    let key = code
        .key()
        .ok_or_else(|| ParamError::new("code", "is not an invitation code"))?;
    // A typing error leaves the code good that is meant.
    let found = view.batch.invitation(&key)?.ok_or_else(|| {
        let message = "There is no such code: it never was, was used up, or is revoked already.";
        Reject::with_message(Code::BadInvitation, message)
    })?;
    Ok(
        AdminPlan::done("the code is not good any more").writes(move |batch| {
            batch.delete_invitation_code(&found.code)?;
            Ok(Vec::new())
        }),
    )
}

/// The bans of addresses that hold.
pub(crate) fn read_address_bans(batch: &Batch<'_>, now: i64) -> Result<AddressBans, StoreError> {
    let bans = batch.address_bans(now, BANS)?.into_iter();
    let read = |ban: AddressBan| Some((ban.prefix.parse().ok()?, ban.until));
    Ok(bans.filter_map(read).collect())
}

pub(super) fn ban_address(
    view: &View<'_, '_>,
    operation: &Operation,
    address: AddressPrefix,
    until: EndTime,
) -> Result<AdminPlan, Reject> {
    if address.is_too_wide() {
        let message = format!(
            "is too wide: a ban takes a prefix of at least /{LEAST_BITS_V4} (IPv4) or /{LEAST_BITS_V6} (IPv6)"
        );
        return Err(ParamError::new("address", message).into());
    }
    // An administrator would be locked out together with all neighbours.
    if operation.from.is_some_and(|own| address.contains(own)) {
        let message = "Your own address is among these: you would be locked out.";
        return Err(Reject::with_message(Code::NotAllowed, message));
    }
    let (EndTime(until), now) = (until, operation.now);
    let prefix = address.to_string();
    let bans = view.batch.address_bans(now, BANS)?;
    if bans.len() >= BANS && bans.iter().all(|ban| ban.prefix != prefix) {
        return Err(Reject::too_many(BANS));
    }
    let report = AdminReport::done(format!("{prefix} is banned")).with("until", at(until));
    let plan = AdminPlan::reported(report).changes(MemoryChange::Ban(address, until));
    Ok(plan.writes(move |batch| {
        batch.ban_addresses(&AddressBan { prefix, until }, now)?;
        Ok(Vec::new())
    }))
}

pub(super) fn unban_address(
    view: &View<'_, '_>,
    operation: &Operation,
    address: AddressPrefix,
) -> Result<AdminPlan, Reject> {
    let prefix = address.to_string();
    let bans = read_address_bans(view.batch, operation.now)?;
    let of = |is_meant: fn(AddressPrefix, AddressPrefix) -> bool| -> Vec<String> {
        let bans = bans.prefixes().filter(|ban| *ban != address);
        bans.filter(|ban| is_meant(*ban, address))
            .map(|ban| ban.to_string())
            .collect()
    };
    let wider = of(AddressPrefix::covers);
    let narrower = of(|ban, address| address.covers(ban));
    let is_banned = bans.prefixes().any(|ban| ban == address);
    if !is_banned && !wider.is_empty() {
        let listed = wider.join(", ");
        let message = format!(
            "{prefix} has no ban of its own: it is in {listed}, which is banned. Unban that."
        );
        let banned_by = wider.into_iter().map(Value::Str).collect();
        let refused = Reject::with_message(Code::NotAllowed, message);
        return Err(refused.with_key("banned_by", Value::List(banned_by)));
    }
    let mut report = AdminReport::done(format!("the ban of {prefix} is lifted"));
    if !is_banned {
        report = AdminReport::done(format!("{prefix} is not banned"));
    }
    for (key, bans) in [("still_banned_by", wider), ("still_banned", narrower)] {
        if !bans.is_empty() {
            report = report.with(key, names(bans, ROWS));
        }
    }
    let plan = AdminPlan::reported(report).changes(MemoryChange::Unban(address));
    Ok(plan.writes(move |batch| {
        batch.unban_addresses(&prefix)?;
        Ok(Vec::new())
    }))
}

pub(super) fn banned_addresses(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    after: Option<AddressPrefix>,
) -> Result<AdminReport, Reject> {
    let bans = read_address_bans(ctx.batch, ctx.now.unix)?;
    let is_behind = |ban: &(AddressPrefix, _)| after.is_none_or(|after| ban.0 > after);
    let mut bans: Vec<_> = bans.iter().filter(is_behind).collect();
    bans.sort_unstable();
    let rows = bans.into_iter();
    let rows = rows.map(|(prefix, until)| vec![prefix.to_string().into(), at(until)]);
    Ok(AdminReport::table(
        "addresses",
        &["address", "until"],
        rows.collect(),
        ROWS,
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one form")]
pub(super) fn log_level(
    view: &View<'_, '_>,
    _: &Operation,
    level: Option<LogFilter>,
) -> Result<AdminPlan, Reject> {
    let Some(level) = level else {
        let shown = vec![(LOG_LEVEL, view.settings.log.clone().into())];
        return Ok(AdminPlan::shows(AdminReport::facts(shown)));
    };
    let done = "this is logged until a restart or a reload";
    let report = AdminReport::done(done).with(LOG_LEVEL, level.text());
    Ok(AdminPlan::reported(report).changes(MemoryChange::Log(level)))
}

pub(super) fn limits(
    view: &View<'_, '_>,
    _: &Operation,
    name: Option<Identifier>,
    value: Option<Number>,
) -> Result<AdminPlan, Reject> {
    let known = view.limits.entries();
    let is_meant = |(known, _): &(String, u64)| name.as_ref().is_none_or(|name| name.0 == *known);
    let rows = known.into_iter().filter(is_meant);
    let rows: Vec<_> = rows
        .map(|(name, value)| vec![name.into(), value.into()])
        .collect();
    if rows.is_empty() {
        return Err(ParamError::new("name", "is not a limit; `limits` lists them").into());
    }
    let (Some(Identifier(name)), Some(Whole(value))) = (name, value) else {
        let report = AdminReport::table("limits", &["name", "value"], rows, ROWS);
        return Ok(AdminPlan::shows(report));
    };
    let limits = view.limits.with(&name, value).map_err(|fault| {
        // One that contradicts another limit names that one.
        let own = format!("server.limits.{name}: ");
        let message = fault.to_string();
        ParamError::new("value", message.strip_prefix(&own).unwrap_or(&message))
    })?;
    if let Some(places) = view.places.filter(|places| limits.connections > *places) {
        let message =
            format!("must be at most {places}: the system lets the server open no more files");
        return Err(ParamError::new("value", message).into());
    }
    let report = AdminReport::done(format!("{name} is {value} until a restart or a reload"));
    let report = report.key("name", name).key("value", value);
    Ok(AdminPlan::reported(report).changes(MemoryChange::Limits(Box::new(limits))))
}

pub(super) fn audit(
    ctx: &Ctx<'_, '_>,
    _: &Operation,
    before: Option<Number>,
) -> Result<AdminReport, Reject> {
    let before = before.map(|before| before.0);
    let lines = ctx.batch.audit(before, ROWS + 1, ctx.now.unix)?.into_iter();
    let row = |(id, line): (u64, crate::storage::AuditEntry)| {
        vec![
            id.into(),
            at(line.at),
            line.via.into(),
            line.actor.into(),
            line.result.into(),
            line.command.into(),
        ]
    };
    Ok(AdminReport::table(
        "audit",
        &["id", "at", "via", "by", "result", "command"],
        lines.map(row).collect(),
        ROWS,
    ))
}

/// Commands that are done by a task.
macro_rules! tasks {
    ($($handler:ident($($param:ident: $type:ty),*) = $kind:ident($task:expr);)*) => {$(
        pub(super) fn $handler(_: &View<'_, '_>, _: &Operation $(, $param: $type)*) -> Result<AdminPlan, Reject> {
            Ok(AdminPlan::task(AdminTask::$kind($task)))
        }
    )*};
}

tasks! {
    backup(file: PathBuf) = Files(FileTask::Backup(file));
    verify(file: PathBuf) = Files(FileTask::Verify(file));
    check() = Files(FileTask::Check);
    statistics() = Files(FileTask::Statistics);
    export_all(file: PathBuf) = Files(FileTask::Export(file, ExportScope::All));
    export_user(name: Identifier, file: PathBuf) = Files(FileTask::Export(file, ExportScope::User(name.0)));
    export_room(name: Identifier, file: PathBuf) = Files(FileTask::Export(file, ExportScope::Room(name.0)));
    metrics() = Loop(LoopTask::Metrics);
    reload() = Loop(LoopTask::Reload);
    quit() = Loop(LoopTask::Quit);
    drain(seconds: DrainSeconds) = Loop(LoopTask::Drain(seconds.0));
}
