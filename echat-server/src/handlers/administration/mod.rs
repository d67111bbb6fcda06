//! The administration of the server: one table of commands, with three interfaces ([`Via`]).
//!
//! An [`Operation`] is a command with its arguments and its [`Actor`]. What it writes is a function of database,
//! operation, settings and limits, as for requests of users; its audit entry is written in the same transaction, and it
//! is in the journal. Sessions end, and memory changes ([`MemoryChange`]), after the commit and before the answer. What
//! needs a thread or the event loop is an [`AdminTask`]: the engine hands it out, and records its result.
//!
//! A row has the command's name, parameters and help, whether it changes something, and its interfaces. The handler of
//! a command that reads gets a context that cannot write.

mod arguments;
mod messages;
mod people;
mod report;
mod rooms;
mod server;

pub(crate) use arguments::ParamInfo;
pub use report::AdminReport;
pub(crate) use report::at;
pub(crate) use server::{Overridden, Override, Setting, read_address_bans};

use super::account::Pending;
use super::admission::{Plan, View};
use super::effects::Effect;
use super::journal::Entry;
use super::session_ends::SessionsEnd;
use super::{Answer, Caller, Ctx, Refusal, Reject, deletion, gate};
use crate::config::{Limits, LogFilter, Registration, Settings};
use crate::conn::Departure;
use crate::limits::AddressPrefix;
use crate::secrets::{PasswordHash, SecretSeed};
use crate::storage::{AuditEntry, Batch, Room, StoreError, User};
use crate::workers::jobs;
use arguments::{
    Announcement, Arguments, Choice, EndTime, HIDDEN, Identifier, MessageDisposal, MessageOfTheDay,
    NameCursor, Number, Reason, TokenDisposal, WORDS, assign, from_words, known, take,
};
use echat_proto::Value;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::{InvitationCode, NameQuery, Password, Username};
use echat_proto::param::{Dict, ParamError};
use echat_proto::records::Code;
use server::{DrainSeconds, InvitationUses};
use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::path::PathBuf;

/// Rows of a list.
const ROWS: usize = 200;
/// Bytes of the name of an unknown command in its refusal.
const NAME_BYTES: usize = 64;
/// Bytes of a command in the audit.
const COMMAND_BYTES: usize = 1_200;

/// The interface of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// The server's own terminal.
    Terminal,
    /// The socket in the data folder.
    Ctl,
    /// A request of an administrator.
    Chat,
}

impl Via {
    fn word(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Ctl => "ctl",
            Self::Chat => "chat",
        }
    }
}

/// The user that gives a command.
#[derive(Clone, Debug)]
pub(crate) enum Actor {
    /// The operator, at the server's own terminal.
    Terminal,
    /// A user of the system, by number.
    Ctl(u32),
    /// A signal, by its name. Only the users of the socket can send one.
    Signal(&'static str),
    /// An administrator.
    Chat(Caller),
}

impl Actor {
    fn via(&self) -> Via {
        match self {
            Self::Terminal => Via::Terminal,
            Self::Ctl(_) | Self::Signal(_) => Via::Ctl,
            Self::Chat(_) => Via::Chat,
        }
    }

    /// The administrator of the chat.
    fn administrator(&self) -> Option<&Caller> {
        match self {
            Self::Chat(caller) => Some(caller),
            Self::Terminal | Self::Ctl(_) | Self::Signal(_) => None,
        }
    }

    /// The name that other users are told.
    fn name(&self) -> Option<String> {
        self.administrator().map(|caller| caller.name.to_string())
    }

    fn shown(&self) -> String {
        match self {
            Self::Terminal => "operator".to_owned(),
            Self::Ctl(user) => format!("uid {user}"),
            Self::Signal(name) => (*name).to_owned(),
            Self::Chat(caller) => caller.name.to_string(),
        }
    }
}

/// What the table says of a command.
#[derive(Debug)]
pub struct CommandInfo {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether administrators have it in the chat.
    pub in_chat: bool,
    /// Its parameters, in the order in which they are typed.
    pub(crate) params: &'static [ParamInfo],
    handler: Handler,
}

/// The handler of a command, with what it may do.
#[derive(Clone, Copy, Debug)]
enum Handler {
    /// A look at memory and database.
    Reads(fn(&Ctx<'_, '_>, &Operation) -> Result<AdminReport, Reject>),
    /// A task that changes nothing, and is not in the audit.
    Examines(fn(&View<'_, '_>, &Operation) -> Result<AdminPlan, Reject>),
    /// A change, which is in the audit also if it is refused.
    Changes(fn(&View<'_, '_>, &Operation) -> Result<AdminPlan, Reject>),
}

impl CommandInfo {
    /// The command as it is typed, with its parameters.
    pub fn usage(&self) -> String {
        let mut usage = self.name.to_owned();
        for param in self.params {
            let name = if param.kind.contains('|') {
                param.kind.to_owned()
            } else {
                param.name.to_uppercase()
            };
            let (open, close) = if param.optional { ("[", "]") } else { ("", "") };
            usage.extend([" ", open, &name, close]);
        }
        usage
    }

    /// The command whose name these words begin with, and how many words the name has: one or two.
    pub fn of_words(words: &[impl AsRef<str>]) -> Option<(&'static Self, usize)> {
        [2, 1].into_iter().find_map(|count| {
            let name: Vec<&str> = words.get(..count)?.iter().map(AsRef::as_ref).collect();
            let name = name.join(" ");
            let info = COMMANDS.iter().find(|info| info.name == name)?;
            Some((info, count))
        })
    }

    /// Whether it takes a text of any words, such as a reason.
    pub fn takes_text(&self) -> bool {
        self.params.iter().any(|param| param.is_rest)
    }

    fn is_open_to(&self, via: Via) -> bool {
        self.in_chat || via != Via::Chat
    }
}

/// A command with its arguments and its actor.
#[derive(Clone)]
pub(crate) struct Operation {
    command: &'static CommandInfo,
    /// The arguments by name, or why it is refused before they are judged.
    arguments: Result<Arguments, Refused>,
    actor: Actor,
    /// What the secret is made of that the command gives out.
    seed: SecretSeed,
    /// The hash of the password that the command gives out, once a worker has made it.
    hash: Option<PasswordHash>,
    /// Unix seconds.
    now: i64,
    /// Where an administrator of the chat is connected from.
    from: Option<IpAddr>,
}

/// An operation that is refused whatever its arguments mean.
#[derive(Clone)]
struct Refused {
    why: Refusal,
    /// What was typed behind the command, for the audit.
    given: String,
}

/// Shows no argument: one may be a secret.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("command", &self.command.name)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// The arguments of a command as they were given, not yet judged. One may be a secret: there is no `Debug`.
#[derive(Clone)]
pub enum RawArguments {
    /// Words in the order of the parameters.
    Words(Vec<String>),
    /// Values by name.
    Named(Vec<(String, Value)>),
    /// A list in place of words that has other values than texts.
    NotWords,
}

impl RawArguments {
    /// Values by name, or words as a list under the name `words`.
    pub fn from_entries(mut entries: Vec<(String, Value)>) -> Self {
        match &mut entries[..] {
            [(name, Value::List(words))] if name == WORDS => Self::from_words(mem::take(words)),
            _ => Self::Named(entries),
        }
    }

    /// Words in the order of the parameters.
    pub fn from_words(words: Vec<Value>) -> Self {
        let text = |word| match word {
            Value::Str(text) => Some(text),
            _ => None,
        };
        let texts: Option<Vec<String>> = words.into_iter().map(text).collect();
        texts.map_or(Self::NotWords, Self::Words)
    }

    /// The arguments of a command with these parameters, by name.
    fn read(self, params: &[ParamInfo]) -> Result<Arguments, Reject> {
        let arguments = match self {
            Self::Words(words) => from_words(params, &words)?,
            Self::Named(arguments) => arguments,
            Self::NotWords => return Err(ParamError::new(WORDS, "must be texts").into()),
        };
        known(params, &arguments)?;
        Ok(arguments)
    }

    /// What was given, for the audit.
    fn shown(&self, params: &[ParamInfo], now: i64) -> String {
        match self {
            // A word in a wrong place may be the secret.
            Self::Words(_) if params.iter().any(|param| param.is_secret) => format!(" {HIDDEN}"),
            Self::Words(words) => match assign(params, words) {
                (arguments, None) => shown(params, &arguments, now),
                (arguments, Some(_)) => shown(params, &arguments, now) + " " + HIDDEN,
            },
            Self::Named(arguments) => shown(params, arguments, now),
            Self::NotWords => String::new(),
        }
    }
}

/// Arguments for the audit, in the order of the parameters.
fn shown(params: &[ParamInfo], arguments: &Arguments, now: i64) -> String {
    let mut shown = String::new();
    for param in params {
        let given = arguments.iter().find(|(name, _)| name == param.name);
        if let Some((_, value)) = given {
            shown.extend([" ", &param.shown(value, now)]);
        }
    }
    shown
}

/// The command of a name. A name of two words may have its second one among the words that follow.
fn find(
    name: &str,
    mut given: RawArguments,
) -> Result<(&'static CommandInfo, RawArguments), Reject> {
    let second = match &given {
        RawArguments::Words(words) => words.first().map(String::as_str),
        _ => None,
    };
    let typed: Vec<&str> = [Some(name), second].into_iter().flatten().collect();
    let unknown = || {
        // The name may be as long as a frame.
        let shown = &name[..name.floor_char_boundary(NAME_BYTES)];
        ParamError::new("command", format!("there is no {shown:?}; help lists them"))
    };
    let (info, count) = CommandInfo::of_words(&typed).ok_or_else(unknown)?;
    if count == 2
        && let RawArguments::Words(words) = &mut given
    {
        words.remove(0);
    }
    Ok((info, given))
}

impl Operation {
    /// Reads a command. Its arguments, and whether it is open to the actor, are judged when it is carried out, so that
    /// a refusal is in the audit.
    pub(crate) fn read(
        actor: Actor,
        command: &str,
        given: RawArguments,
        seed: SecretSeed,
        now: i64,
    ) -> Result<Self, Reject> {
        let (info, given) = find(command, given)?;
        let shown = given.shown(info.params, now);
        let arguments = if info.is_open_to(actor.via()) {
            given.read(info.params)
        } else {
            let message = format!(
                "This is not for the chat. The operator has it: `echat-server ctl {}`.",
                info.name
            );
            Err(Reject::with_message(Code::NotAllowed, message))
        };
        let arguments = match arguments {
            Ok(arguments) => Ok(arguments),
            Err(Reject::Refused(why)) => Err(Refused { why, given: shown }),
            Err(reject) => return Err(reject),
        };
        Ok(Self {
            command: info,
            arguments,
            actor,
            seed,
            hash: None,
            now,
            from: None,
        })
    }

    /// The arguments.
    fn arguments(&self) -> Result<&Arguments, Reject> {
        let arguments = self.arguments.as_ref();
        arguments.map_err(|refused| Reject::Refused(refused.why.clone()))
    }

    /// The same by an administrator connected from this address.
    fn sent_from(self, address: IpAddr) -> Self {
        Self {
            from: Some(address),
            ..self
        }
    }

    /// The actor and the interface, for the log.
    pub(crate) fn by(&self) -> String {
        format!("{} ({})", self.actor.shown(), self.actor.via().word())
    }

    /// The code that the command gives out, to register with or as a temporary password.
    fn issued_code(&self) -> InvitationCode {
        InvitationCode::from_bytes(self.seed.first())
    }

    /// The same with the hash of the password.
    pub(crate) fn hashed(mut self, hash: PasswordHash) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Its entry in the audit.
    fn audit_entry(&self, result: &str) -> AuditEntry {
        let behind = match &self.arguments {
            Ok(arguments) => shown(self.command.params, arguments, self.now),
            Err(refused) => refused.given.clone(),
        };
        let command = format!("{}{behind}", self.command.name);
        entry_of(&self.actor, command, result, self.now)
    }
}

/// A change in memory that follows the commit of an operation.
#[derive(Clone, Debug)]
pub(crate) enum MemoryChange {
    /// A setting is stored in place of the configuration's.
    Override(Override),
    /// The configuration's setting holds.
    UseConfigured(Setting),
    /// Addresses are not served, until a time in unix seconds.
    Ban(AddressPrefix, Option<i64>),
    /// Addresses are served again.
    Unban(AddressPrefix),
    /// There is an administrator: the code of the first one is void.
    AdministratorMade,
    /// An account has another password: wrong ones of before, also from these addresses of its owner, count no more.
    NewPassword(String, Vec<IpAddr>),
    /// Messages that are too old are removed now.
    Prune,
    /// These limits hold until a restart or a reload.
    Limits(Box<Limits>),
    /// This is logged until a restart or a reload.
    Log(LogFilter),
}

/// Work of an operation that needs a thread or the event loop.
#[derive(Debug)]
pub enum AdminTask {
    /// Hash a password. The operation goes on with the hash.
    Hash(Password),
    /// Read and write files, on a thread.
    Files(FileTask),
    /// Done by the event loop itself.
    Loop(LoopTask),
}

/// A task that reads and writes files.
#[derive(Debug)]
pub enum FileTask {
    /// Back up to a file.
    Backup(PathBuf),
    /// Verify a backup.
    Verify(PathBuf),
    /// Check the database.
    Check,
    /// Count what is stored.
    Statistics,
    /// Export to a file.
    Export(PathBuf, ExportScope),
}

/// A task of the event loop itself.
#[derive(Debug)]
pub enum LoopTask {
    /// Show what is measured.
    Metrics,
    /// Read the configuration again.
    Reload,
    /// Stop after so many seconds.
    Drain(u64),
    /// Stop.
    Quit,
}

/// What is exported.
#[derive(Clone, Debug)]
pub enum ExportScope {
    /// Everything.
    All,
    /// One user.
    User(String),
    /// One room.
    Room(String),
}

/// Sessions that end with an operation.
enum SessionsEnding {
    /// Those of a user and of the user's bots.
    Kicked(User),
    /// The same of a user that is suspended.
    Suspended(User),
    /// Those of a user with a temporary password, whose devices are forgotten, with or without those of the bots.
    PasswordReset(User, TokenDisposal),
    /// The same, and the accounts are deleted, with or without their messages.
    AccountDeleted(User),
}

/// Writes the rows of an operation.
type RowWriter = Box<dyn FnOnce(&mut Batch<'_>) -> Result<Vec<Effect>, Reject>>;

/// The decision of a handler: rows to write, sessions to end, changes in memory, and the next step.
pub(crate) struct AdminPlan {
    ends: Option<SessionsEnding>,
    write: Option<RowWriter>,
    memory_changes: Vec<MemoryChange>,
    next: NextStep,
}

/// The next step after a decision.
enum NextStep {
    /// Report this: nothing changes.
    Show(AdminReport),
    /// Do this first.
    Begin(AdminTask),
    /// Write the rows and end the sessions, and report this.
    Change(AdminReport),
}

/// What an operation leads to.
#[derive(Debug)]
pub(crate) enum AdminOutcome {
    Report(AdminReport),
    /// This has to be done first.
    Task(AdminTask),
    /// It is refused, which is in the audit.
    Refused(Refusal),
}

impl AdminPlan {
    fn done(what: impl Into<String>) -> Self {
        Self::reported(AdminReport::done(what))
    }

    fn reported(report: AdminReport) -> Self {
        Self {
            ends: None,
            write: None,
            memory_changes: Vec::new(),
            next: NextStep::Change(report),
        }
    }

    /// There was nothing to change.
    fn unchanged(why: impl Into<String>) -> Self {
        Self::reported(AdminReport::unchanged(why))
    }

    /// Nothing is changed.
    fn shows(report: AdminReport) -> Self {
        Self {
            next: NextStep::Show(report),
            ..Self::done("")
        }
    }

    fn task(task: AdminTask) -> Self {
        Self {
            next: NextStep::Begin(task),
            ..Self::done("")
        }
    }

    fn ends(mut self, ends: SessionsEnding) -> Self {
        self.ends = Some(ends);
        self
    }

    fn changes(mut self, change: MemoryChange) -> Self {
        self.memory_changes.push(change);
        self
    }

    fn writes(
        mut self,
        write: impl FnOnce(&mut Batch<'_>) -> Result<Vec<Effect>, Reject> + 'static,
    ) -> Self {
        self.write = Some(Box::new(write));
        self
    }
}

/// ADMIN.
pub(crate) fn admin(
    ctx: &mut Ctx<'_, '_>,
    me: Caller,
    command: String,
    params: Dict,
) -> Result<Answer, Reject> {
    require_administrator(ctx, &me)?;
    let seed = ctx.draw();
    let given = RawArguments::from_entries(params.0);
    let operation = Operation::read(Actor::Chat(me), &command, given, seed, ctx.now.unix)?;
    let operation = operation.sent_from(ctx.address);
    match perform(ctx, &operation)? {
        AdminOutcome::Report(report) => Ok(result(&report).into()),
        AdminOutcome::Task(AdminTask::Hash(password)) => Ok(Answer::Wait(
            jobs::Task::Hash { password },
            Pending::Administer(Box::new(operation)),
        )),
        AdminOutcome::Task(AdminTask::Files(_) | AdminTask::Loop(_)) => {
            Err(Code::NotAllowed.into())
        }
        AdminOutcome::Refused(refusal) => Err(Reject::Refused(refusal)),
    }
}

/// ADMIN of a command that gives out a password, second step.
pub(crate) fn hashed(
    ctx: &mut Ctx<'_, '_>,
    operation: &Operation,
    hash: &PasswordHash,
) -> Result<Event, Reject> {
    let me = gate::logged_in(ctx)?;
    require_administrator(ctx, &me)?;
    match perform(ctx, &operation.clone().hashed(hash.clone()))? {
        AdminOutcome::Report(report) => Ok(result(&report)),
        AdminOutcome::Task(_) => Err(Code::NotAllowed.into()),
        AdminOutcome::Refused(refusal) => Err(Reject::Refused(refusal)),
    }
}

fn require_administrator(ctx: &Ctx<'_, '_>, me: &Caller) -> Result<(), Reject> {
    if ctx.batch.is_administrator(me.id)? {
        return Ok(());
    }
    Err(Reject::with_message(
        Code::NotAllowed,
        "Only administrators may do this.",
    ))
}

fn result(report: &AdminReport) -> Event {
    Event::AdminResult {
        result: Dict(report.entries()),
        text: report.text(),
    }
}

/// Carries out an operation. A change that is refused is in the audit, too.
pub(crate) fn perform(
    ctx: &mut Ctx<'_, '_>,
    operation: &Operation,
) -> Result<AdminOutcome, Reject> {
    let decide = match operation.command.handler {
        Handler::Reads(look) => return look(ctx, operation).map(AdminOutcome::Report),
        Handler::Examines(decide) | Handler::Changes(decide) => decide,
    };
    let plan = match decide(&ctx.view(), operation) {
        Err(Reject::Refused(refusal)) => {
            note_result(ctx, operation, refusal.code().as_str())?;
            return Ok(AdminOutcome::Refused(refusal));
        }
        plan => plan?,
    };
    let report = match plan.next {
        NextStep::Show(report) => return Ok(AdminOutcome::Report(report)),
        NextStep::Begin(task) => return Ok(AdminOutcome::Task(task)),
        NextStep::Change(report) => report,
    };
    let kicked = match &plan.ends {
        Some(SessionsEnding::Kicked(user)) => Some(user.name.clone()),
        _ => None,
    };
    let is_deletion = matches!(plan.ends, Some(SessionsEnding::AccountDeleted(_)));
    let ends = match plan.ends {
        None => Vec::new(),
        Some(SessionsEnding::Kicked(user)) => SessionsEnd::of_user(ctx, user, Departure::Kicked)?,
        Some(SessionsEnding::Suspended(user)) => {
            SessionsEnd::of_user(ctx, user, Departure::Suspended)?
        }
        Some(SessionsEnding::PasswordReset(user, tokens)) => {
            let with_bots = tokens == TokenDisposal::Void;
            SessionsEnd::of_reset(ctx, user, with_bots)?
        }
        Some(SessionsEnding::AccountDeleted(user)) => SessionsEnd::of_account(ctx, user)?,
    };
    let effects = write(ctx.batch, plan.write, operation)?;
    ctx.journal.record(|| Entry::administration(operation));
    let ended = ends.iter().map(|end| ctx.roster.conns_of(end.user()).len());
    let report = match (ended.sum::<usize>(), kicked) {
        _ if ends.is_empty() => report,
        (0, Some(name)) => {
            AdminReport::unchanged(format!("{name} is not logged in")).with("sessions_ended", 0_u64)
        }
        (sessions, _) => report.with("sessions_ended", sessions),
    };
    let report = count_banned(ctx, &plan.memory_changes, report);
    if is_deletion {
        deletion::forget(ctx, ends);
    } else {
        ctx.after_commit.session_ends.extend(ends);
    }
    ctx.after_commit.memory_changes.extend(plan.memory_changes);
    let mut reply = Event::LoggedOut {};
    ctx.announce(effects, &mut reply)?;
    Ok(AdminOutcome::Report(report))
}

/// Adds the number of sessions from addresses that an operation bans.
fn count_banned(ctx: &Ctx<'_, '_>, changes: &[MemoryChange], report: AdminReport) -> AdminReport {
    let mut bans = changes.iter().filter_map(|change| match change {
        MemoryChange::Ban(prefix, _) => Some(*prefix),
        _ => None,
    });
    let Some(prefix) = bans.next() else {
        return report;
    };
    let starts = ctx.roster.sessions();
    let starts = starts.filter_map(|(conn, _)| ctx.roster.start_of(conn));
    let ended = starts
        .filter(|start| prefix.contains(start.address))
        .count();
    report.with("sessions_ended", ended)
}

fn write(
    batch: &mut Batch<'_>,
    write: Option<RowWriter>,
    operation: &Operation,
) -> Result<Vec<Effect>, Reject> {
    let effects = match write {
        Some(write) => write(batch)?,
        None => Vec::new(),
    };
    batch.note_audit(&operation.audit_entry("done"))?;
    Ok(effects)
}

/// Records the result of an operation in the audit: of one that is refused, or whose task is done.
pub(crate) fn note_result(
    ctx: &mut Ctx<'_, '_>,
    operation: &Operation,
    result: &str,
) -> Result<(), StoreError> {
    match operation.command.handler {
        Handler::Reads(_) | Handler::Examines(_) => Ok(()),
        Handler::Changes(_) => note_entry(ctx, operation.audit_entry(result)),
    }
}

/// Records what a signal has done.
pub(crate) fn note_signal(
    ctx: &mut Ctx<'_, '_>,
    signal: &'static str,
    done: &str,
    result: &str,
) -> Result<(), StoreError> {
    let entry = entry_of(
        &Actor::Signal(signal),
        done.to_owned(),
        result,
        ctx.now.unix,
    );
    note_entry(ctx, entry)
}

fn note_entry(ctx: &mut Ctx<'_, '_>, entry: AuditEntry) -> Result<(), StoreError> {
    ctx.batch.note_audit(&entry)?;
    ctx.journal.record(|| Entry::audit(entry));
    Ok(())
}

fn entry_of(actor: &Actor, mut command: String, result: &str, at: i64) -> AuditEntry {
    // A wrong argument may be as long as a frame.
    command.truncate(command.floor_char_boundary(COMMAND_BYTES));
    AuditEntry {
        at,
        via: actor.via().word().to_owned(),
        actor: actor.shown(),
        command,
        result: result.to_owned(),
    }
}

/// The plan of a request that an administrator makes as one: its audit entry, the request's name and this, is written
/// with its rows.
pub(super) fn audited(
    plan: Plan,
    view: &View<'_, '_>,
    me: &Caller,
    kind: RequestKind,
    what: &str,
) -> Plan {
    let command = format!("{} {what}", kind.info().name);
    let entry = entry_of(&Actor::Chat(me.clone()), command, "done", view.now);
    match plan {
        Plan::Write(demand, write) => Plan::write(demand, move |batch| {
            let written = write(batch)?;
            batch.note_audit(&entry)?;
            Ok(written)
        }),
        plan => plan,
    }
}

/// The audit entry of the account that the code of the first administrator makes.
pub(super) fn first_administrator(name: &Username, at: i64) -> AuditEntry {
    AuditEntry {
        at,
        via: Via::Chat.word().to_owned(),
        actor: name.to_string(),
        command: format!(
            "{} as the first administrator",
            RequestKind::Register.info().name
        ),
        result: "done".to_owned(),
    }
}

/// The same of a request about a room, if it is the lobby, which administrators own.
pub(super) fn audited_in_lobby(
    plan: Plan,
    view: &View<'_, '_>,
    me: &Caller,
    kind: RequestKind,
    (room, what): (&Room, &str),
) -> Result<Plan, StoreError> {
    if room.owner.is_some() || !view.batch.acts_as_owner(room, me.id)? {
        return Ok(plan);
    }
    let what = format!("{} {what}", room.name);
    Ok(audited(plan, view, me, kind, &what))
}

/// Writes again what an operation wrote.
pub(crate) fn repeat(
    batch: &mut Batch<'_>,
    (limits, settings): (&Limits, &Settings),
    operation: &Operation,
) -> Result<(), Reject> {
    let view = View {
        batch,
        limits,
        places: None,
        settings,
        now: operation.now,
    };
    let Handler::Changes(decide) = operation.command.handler else {
        unreachable!("the journal has operations that wrote rows");
    };
    let plan = decide(&view, operation)?;
    write(batch, plan.write, operation).map(drop)
}

/// Rows of the table. Each names, in this order: the command, what it does, what its [`Handler`] may do, whether it is
/// open `everywhere` or only to the operator (`ctl`: the terminal and the socket), the handler, and its parameters by
/// name and type. A handler that reads gets a context that cannot write, the others a [`View`]; all get the
/// [`Operation`].
macro_rules! administration {
    (@chat everywhere) => { true };
    (@chat ctl) => { false };
    (@access reads) => { Handler::Reads };
    (@access examines) => { Handler::Examines };
    (@access changes) => { Handler::Changes };
    ($(
        #[command($name:literal, $about:literal, $access:ident, $ways:ident)]
        $module:ident::$handler:ident($($param:ident: $type:ty),*);
    )*) => {
        /// The commands.
        pub static COMMANDS: &[CommandInfo] = &[$(CommandInfo {
            name: $name,
            about: $about,
            in_chat: administration!(@chat $ways),
            params: &[$(ParamInfo::of::<$type>(stringify!($param))),*],
            handler: administration!(@access $access)(|ctx, operation| {
                operation.arguments()?;
                $module::$handler(
                    ctx,
                    operation,
                    $(take::<$type>(operation.arguments()?, stringify!($param), operation.now)?),*
                )
            }),
        }),*];
    };
}

administration! {
    #[command("help", "lists the commands, or explains one", reads, everywhere)]
    server::help(name: Option<Identifier>);
    #[command("status", "what the server is, and how busy", reads, everywhere)]
    server::status();
    #[command("users", "accounts by name", reads, everywhere)]
    people::users(after: Option<NameCursor>);
    #[command("user", "one account", reads, everywhere)]
    people::user(name: NameQuery);
    #[command("sessions", "the users that are logged in, and from where, the longest connected first", reads, everywhere)]
    people::sessions(after: Option<Number>);
    #[command("rooms", "rooms by name", reads, everywhere)]
    rooms::rooms(after: Option<NameCursor>);
    #[command("room", "one room", reads, everywhere)]
    rooms::room(name: NameQuery, after: Option<NameCursor>);
    #[command("bots", "bots by name, and their owners", reads, everywhere)]
    people::bots(after: Option<NameCursor>);
    #[command("quota", "users by bytes sent in 24 hours, most first", reads, everywhere)]
    people::quota();
    #[command("make-admin", "makes a user an administrator", changes, everywhere)]
    people::make_admin(name: NameQuery);
    #[command("unmake-admin", "makes an administrator an ordinary user", changes, everywhere)]
    people::unmake_admin(name: NameQuery);
    #[command("reset-password", "gives a user a temporary password, shown once; ends sessions, and tokens of bots unless told otherwise", changes, everywhere)]
    people::reset_password(name: NameQuery, tokens: Option<Choice<TokenDisposal>>);
    #[command("suspend", "ends all sessions of a user, who cannot log in any more", changes, everywhere)]
    people::suspend(name: NameQuery, until: EndTime, reason: Option<Reason>);
    #[command("unsuspend", "ends a suspension", changes, everywhere)]
    people::unsuspend(name: NameQuery);
    #[command("delete-user", "deletes an account; its messages stay unless told otherwise", changes, everywhere)]
    people::delete_user(name: NameQuery, messages: Option<Choice<MessageDisposal>>);
    #[command("rename-user", "gives a user another name", changes, everywhere)]
    people::rename_user(name: NameQuery, new_name: Username);
    #[command("kick", "ends all sessions of a user, who can log in again", changes, everywhere)]
    people::kick(name: NameQuery);
    #[command("room-owner", "hands a room over to one of its members", changes, everywhere)]
    rooms::room_owner(room: NameQuery, name: NameQuery);
    #[command("close-room", "closes a room: its messages are gone", changes, everywhere)]
    rooms::close_room(room: NameQuery);
    #[command("delete-message", "deletes a message by its id: its text is gone for all", changes, everywhere)]
    messages::delete_message(id: Number);
    #[command("prune", "removes messages that are too old at once, instead of within a minute", changes, everywhere)]
    messages::prune();
    #[command("registration", "shows or sets which new accounts may register", changes, everywhere)]
    server::registration(to: Option<Choice<Registration>>);
    #[command("invitation new", "makes an invitation code", changes, everywhere)]
    server::new_invitation(uses: Option<InvitationUses>, expires: EndTime);
    #[command("invitation list", "the open invitation codes", reads, everywhere)]
    server::invitations(after: Option<InvitationCode>);
    #[command("invitation revoke", "revokes an invitation code", changes, everywhere)]
    server::revoke_invitation(code: InvitationCode);
    #[command("message-of-the-day", "shows, sets or removes what users are shown after logging in", changes, everywhere)]
    server::message_of_the_day(text: Option<MessageOfTheDay>);
    #[command("use-configured", "gives a setting that was set by a command back to the configuration", changes, everywhere)]
    server::use_configured(setting: Choice<Setting>);
    #[command("broadcast", "says something to all users that are logged in", changes, everywhere)]
    server::broadcast(text: Announcement);
    #[command("ban-address", "refuses connections from an address or a prefix", changes, everywhere)]
    server::ban_address(address: AddressPrefix, until: EndTime);
    #[command("unban-address", "accepts connections from an address or a prefix again", changes, everywhere)]
    server::unban_address(address: AddressPrefix);
    #[command("banned-addresses", "addresses that are not served", reads, everywhere)]
    server::banned_addresses(after: Option<AddressPrefix>);
    #[command("log-level", "shows what is logged, or sets it until a restart or reload", changes, everywhere)]
    server::log_level(level: Option<LogFilter>);
    #[command("limits", "shows the limits, or sets one until a restart or reload", changes, everywhere)]
    server::limits(name: Option<Identifier>, value: Option<Number>);
    #[command("audit", "what was changed, newest first", reads, everywhere)]
    server::audit(before: Option<Number>);
    #[command("backup", "writes a backup to a new file", changes, ctl)]
    server::backup(file: PathBuf);
    #[command("verify", "checks that a backup is complete, unchanged and sound", examines, ctl)]
    server::verify(file: PathBuf);
    #[command("check", "checks the database", examines, ctl)]
    server::check();
    #[command("statistics", "counts what is stored", examines, ctl)]
    server::statistics();
    #[command("export all", "writes accounts, rooms and messages as lines of JSON", changes, ctl)]
    server::export_all(file: PathBuf);
    #[command("export user", "the same of what one user stored and can see", changes, ctl)]
    server::export_user(name: Identifier, file: PathBuf);
    #[command("export room", "the same of one room", changes, ctl)]
    server::export_room(name: Identifier, file: PathBuf);
    #[command("metrics", "what is measured, as text for Prometheus", examines, ctl)]
    server::metrics();
    #[command("reload", "reads the configuration again", changes, ctl)]
    server::reload();
    #[command("drain", "tells users, and stops the server after so many seconds", changes, ctl)]
    server::drain(seconds: DrainSeconds);
    #[command("quit", "stops the server, as SIGTERM does", changes, ctl)]
    server::quit();
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn debug_shows_no_secret_of_an_operation() {
        let seed = SecretSeed::draw(&mut StdRng::seed_from_u64(1));
        let code = InvitationCode::from_bytes(seed.first()).to_text();
        let given = RawArguments::Words(vec![code.clone()]);
        let command = "invitation revoke";
        let operation = Operation::read(Actor::Terminal, command, given, seed.clone(), 0);
        let operation = operation.map_err(|_| "refused").expect("a command");
        let operation = operation.hashed("canary".to_owned().into());
        let report = AdminReport::done("done").with("password", code.as_str());
        let entry = Entry::administration(&operation);
        let shown = format!("{operation:?} {seed:?} {report:?} {entry:?}");
        let bytes = format!("{:?}", &seed.bytes()[..4]).replace(['[', ']'], "");
        for secret in [code.as_str(), "canary", &bytes] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        assert!(shown.contains(command), "{shown}");
    }
}
