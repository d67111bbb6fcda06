//! The administration of the server: one table of commands, which three doors lead to.
//!
//! A command that changes something is an [`Order`]. What it writes is a function of database, order, settings and limits,
//! as for requests of users; the audit gets a line in the same transaction. What it changes in memory ([`Act`]) follows the
//! commit. What needs a thread or the event loop is a [`Task`], which the door has done; then the order is concluded.

mod arguments;
mod people;
mod report;
mod rooms;
mod server;

pub(crate) use arguments::ParamInfo;
pub use report::Report;
pub(crate) use server::{Overridden, Override, Setting, read_address_bans};

use super::account::Pending;
use super::admission::{RandomBytes, View};
use super::effects::Effect;
use super::journal::Entry;
use super::password::PasswordHash;
use super::session_ends::SessionsEnd;
use super::{Answer, Caller, Ctx, Reject, gate};
use crate::config::{Limits, LogFilter, Settings};
use crate::storage::{AuditLine, Batch, ErasurePlace, Removal, StoreError, User};
use crate::workers::jobs;
use arguments::{Arguments, from_words, known, take};
use echat_proto::Value;
use echat_proto::commands::Event;
use echat_proto::names::{InvitationCode, Password};
use echat_proto::param::{Dict, ParamError};
use echat_proto::records::Code;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::Registration;
use crate::limits::AddressPrefix;
use arguments::{After, Label, Messages, Notice, Until, Why, Word};
use echat_proto::names::{NameQuery, Username};

/// Rows of a list.
const ROWS: usize = 200;

/// Where a command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The server's own terminal.
    Terminal,
    /// The socket in the data folder.
    Ctl,
    /// A request of an administrator.
    Chat,
}

impl Door {
    fn word(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Ctl => "ctl",
            Self::Chat => "chat",
        }
    }
}

/// The user that gives an order.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// The operator, at the server's own terminal.
    Terminal,
    /// A user of the system, by number.
    Ctl(u32),
    /// An administrator.
    Chat(Caller),
}

impl By {
    fn door(&self) -> Door {
        match self {
            Self::Terminal => Door::Terminal,
            Self::Ctl(_) => Door::Ctl,
            Self::Chat(_) => Door::Chat,
        }
    }

    /// The administrator of the chat.
    fn administrator(&self) -> Option<&Caller> {
        match self {
            Self::Chat(caller) => Some(caller),
            Self::Terminal | Self::Ctl(_) => None,
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
    /// Whether it is more than a look at memory and database.
    pub changes: bool,
    /// Whether administrators have it in the chat.
    pub in_chat: bool,
    /// Whether its orders are in the audit.
    is_audited: bool,
    /// Its parameters, in the order in which they are typed.
    pub(crate) params: &'static [ParamInfo],
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

    fn is_open_to(&self, door: Door) -> bool {
        self.in_chat || door != Door::Chat
    }
}

/// A command with its arguments, from a door.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    command: &'static CommandInfo,
    arguments: Arguments,
    by: By,
    /// The secret that the command gives out, in random bytes.
    random: RandomBytes,
    /// The hash of the password that the command gives out, once a worker has made it.
    hash: Option<PasswordHash>,
    /// Unix seconds.
    now: i64,
    /// Where an administrator of the chat is connected from.
    from: Option<IpAddr>,
}

/// The parameters of a command, as they come through a door.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// Words in the order of the parameters.
    Words(Vec<String>),
    /// Values by name.
    Named(Vec<(String, Value)>),
}

impl Given {
    /// Values by name, or a list of words under the name `words`.
    pub(crate) fn of(entries: Vec<(String, Value)>) -> Result<Self, ParamError> {
        let [(name, Value::List(words))] = &entries[..] else {
            return Ok(Self::Named(entries));
        };
        if name != "words" {
            return Ok(Self::Named(entries));
        }
        let word = |word: &Value| match word {
            Value::Str(word) => Ok(word.clone()),
            other => Err(ParamError::new(
                "words",
                format!("must be texts, not {}", other.kind()),
            )),
        };
        words
            .iter()
            .map(word)
            .collect::<Result<_, _>>()
            .map(Self::Words)
    }
}

/// The command of a name. A name of two words may have its second one among the words that follow.
fn find(name: &str, mut given: Given) -> Result<(&'static CommandInfo, Given), Reject> {
    let named = |name: &str| COMMANDS.iter().find(|info| info.name == name);
    if let Given::Words(words) = &mut given
        && let Some(second) = words.first()
        && let Some(info) = named(&format!("{name} {second}"))
    {
        words.remove(0);
        return Ok((info, given));
    }
    let unknown = || ParamError::new("command", "is unknown; help lists the commands");
    Ok((named(name).ok_or_else(unknown)?, given))
}

impl Order {
    /// Reads a command; the arguments are judged when it is carried out.
    pub(crate) fn read(
        by: By,
        command: &str,
        given: Given,
        random: RandomBytes,
        now: i64,
    ) -> Result<Self, Reject> {
        let (info, given) = find(command, given)?;
        if !info.is_open_to(by.door()) {
            return Err(Code::NotAllowed.into());
        }
        let arguments = match given {
            Given::Words(words) => from_words(info.params, &words)?,
            Given::Named(arguments) => arguments,
        };
        known(info.params, &arguments)?;
        Ok(Self {
            command: info,
            arguments,
            by,
            random,
            hash: None,
            now,
            from: None,
        })
    }

    /// The same by an administrator connected from this address.
    fn sent_from(self, address: IpAddr) -> Self {
        Self {
            from: Some(address),
            ..self
        }
    }

    /// The password that the command gives out.
    fn password(&self) -> InvitationCode {
        InvitationCode::from_bytes(self.random.first_chunk().expect("it has more bytes"))
    }

    /// The same with the hash of the password.
    pub(crate) fn hashed(mut self, hash: &str) -> Self {
        self.hash = Some(PasswordHash(hash.to_owned()));
        self
    }

    /// The line of the audit.
    fn audit_line(&self, result: &str) -> AuditLine {
        let mut command = self.command.name.to_owned();
        for param in self.command.params {
            let given = self.arguments.iter().find(|(name, _)| name == param.name);
            let Some((_, value)) = given else {
                continue;
            };
            command.push(' ');
            match value {
                _ if param.is_secret => command.push_str("..."),
                Value::Str(text) => command.push_str(text),
                Value::Int(number) => command.push_str(&number.to_string()),
                _ => command.push('?'),
            }
        }
        // A wrong argument may be as long as a frame.
        let most = command.floor_char_boundary(1_200);
        command.truncate(most);
        AuditLine {
            at: self.now,
            door: self.by.door().word().to_owned(),
            by: self.by.shown(),
            command,
            result: result.to_owned(),
        }
    }
}

/// What an order changes in memory, after the commit.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A setting is stored in place of the configuration's.
    Override(Override),
    /// The configuration's setting holds.
    UseConfigured(Setting),
    /// Addresses are not served, until a time in unix seconds.
    Ban(AddressPrefix, Option<i64>),
    /// Addresses are served again.
    Unban(AddressPrefix),
    /// These limits hold until a restart or a reload.
    Limits(Box<Limits>),
    /// This is logged until a restart or a reload.
    Log(LogFilter),
}

/// What a door has done for an order.
#[derive(Debug)]
pub enum Task {
    /// Hash a password. The order goes on with the hash.
    Hash(Password),
    /// Back up to a file.
    Backup(PathBuf),
    /// Verify a backup.
    Verify(PathBuf),
    /// Check the database.
    Check,
    /// Export to a file.
    Export(PathBuf, ExportScope),
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

/// Sessions that end with an order.
enum Ends {
    /// Those of a user and of the user's bots.
    Of(User),
    /// The same, and the devices are forgotten.
    Reset(User),
    /// The same, and the accounts are deleted, with or without their messages.
    Deleted(User, bool),
}

/// Writes the rows of an order.
type Write = Box<dyn FnOnce(&mut Batch<'_>) -> Result<Vec<Effect>, Reject>>;

/// What an order comes to.
pub(crate) struct Deed {
    ends: Option<Ends>,
    write: Option<Write>,
    acts: Vec<Act>,
    outcome: Outcome,
    /// Whether it only shows something.
    only_shows: bool,
}

/// What the door is told.
#[derive(Debug)]
pub(crate) enum Outcome {
    Report(Report),
    /// First this has to be done.
    Task(Task),
}

impl Deed {
    fn done(what: impl Into<String>) -> Self {
        Self::reported(Report::done(what))
    }

    fn reported(report: Report) -> Self {
        Self {
            ends: None,
            write: None,
            acts: Vec::new(),
            outcome: Outcome::Report(report),
            only_shows: false,
        }
    }

    /// Nothing is changed.
    fn shows(report: Report) -> Self {
        Self {
            only_shows: true,
            ..Self::reported(report)
        }
    }

    fn task(task: Task) -> Self {
        Self {
            outcome: Outcome::Task(task),
            ..Self::done("")
        }
    }

    fn ends(mut self, ends: Ends) -> Self {
        self.ends = Some(ends);
        self
    }

    fn acts(mut self, act: Act) -> Self {
        self.acts.push(act);
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
    is_allowed(ctx, &me)?;
    let random = ctx.draw();
    let given = Given::of(params.0)?;
    let order = Order::read(By::Chat(me), &command, given, random, ctx.now.unix)?;
    let order = order.sent_from(ctx.address);
    match perform(ctx, &order)? {
        Outcome::Report(report) => Ok(result(&report).into()),
        Outcome::Task(Task::Hash(password)) => Ok(Answer::Wait(
            jobs::Task::Hash { password },
            Pending::Administer(Box::new(order)),
        )),
        Outcome::Task(_) => Err(Code::NotAllowed.into()),
    }
}

/// ADMIN of a command that gives out a password, second step.
pub(crate) fn hashed(ctx: &mut Ctx<'_, '_>, order: &Order, hash: &str) -> Result<Event, Reject> {
    let me = gate::authenticated(ctx)?;
    is_allowed(ctx, &me)?;
    match perform(ctx, &order.clone().hashed(hash))? {
        Outcome::Report(report) => Ok(result(&report)),
        Outcome::Task(_) => Err(Code::NotAllowed.into()),
    }
}

fn is_allowed(ctx: &Ctx<'_, '_>, me: &Caller) -> Result<(), Reject> {
    if ctx.batch.is_administrator(me.id)? {
        return Ok(());
    }
    Err(Code::NotAllowed.into())
}

fn result(report: &Report) -> Event {
    Event::AdminResult {
        result: Dict(report.entries()),
        text: report.text(),
    }
}

/// Carries out a command from any door. A change that is refused is in the audit, too.
pub(crate) fn perform(ctx: &mut Ctx<'_, '_>, order: &Order) -> Result<Outcome, Reject> {
    if !order.command.changes {
        let report = look(ctx, order)?.expect("a command that reads");
        return Ok(Outcome::Report(report));
    }
    let deed = match decide(&ctx.view(order.random), order) {
        Err(Reject::Refused(refusal)) => {
            conclude(ctx, order, refusal.code().as_str())?;
            return Err(Reject::Refused(refusal));
        }
        deed => deed?,
    };
    if deed.only_shows || matches!(deed.outcome, Outcome::Task(_)) {
        return Ok(deed.outcome);
    }
    let (ends, erased) = match deed.ends {
        None => (Vec::new(), None),
        Some(Ends::Of(user)) => (SessionsEnd::of_user(ctx, user)?, None),
        Some(Ends::Reset(user)) => (SessionsEnd::of_reset(ctx, user)?, None),
        Some(Ends::Deleted(user, erase)) => (SessionsEnd::of_account(ctx, user)?, Some(erase)),
    };
    let effects = write(ctx.batch, deed.write, order)?;
    ctx.journal.note(|| Entry::administration(order));
    if let Some(erase) = erased {
        for user in ends.iter().map(SessionsEnd::user) {
            // The sessions that end are told no more of the rooms.
            ctx.roster.part_all(user);
            if erase {
                ctx.removals
                    .push(Removal::Account(user, ErasurePlace::default()));
            }
        }
    }
    ctx.session_ends.extend(ends);
    ctx.acts.extend(deed.acts);
    let mut reply = Event::LoggedOut {};
    ctx.announce(effects, &mut reply)?;
    Ok(deed.outcome)
}

fn write(
    batch: &mut Batch<'_>,
    write: Option<Write>,
    order: &Order,
) -> Result<Vec<Effect>, Reject> {
    let effects = match write {
        Some(write) => write(batch)?,
        None => Vec::new(),
    };
    batch.note_audit(&order.audit_line("done"))?;
    Ok(effects)
}

/// Notes in the audit what came of an order: of one that is refused, or whose task is done.
pub(crate) fn conclude(
    ctx: &mut Ctx<'_, '_>,
    order: &Order,
    result: &str,
) -> Result<(), StoreError> {
    if !order.command.is_audited {
        return Ok(());
    }
    let line = order.audit_line(result);
    ctx.batch.note_audit(&line)?;
    ctx.journal.note(|| Entry::audit(line));
    Ok(())
}

/// Writes again what an order wrote.
pub(crate) fn repeat(
    batch: &mut Batch<'_>,
    (limits, settings): (&Limits, &Settings),
    order: &Order,
) -> Result<(), Reject> {
    let view = View {
        batch,
        limits,
        settings,
        random: order.random,
        now: order.now,
    };
    let deed = decide(&view, order)?;
    write(batch, deed.write, order).map(drop)
}

/// Rows of the table. Each names, in this order: the command, what it does, whether it `reads`, `changes` or `examines` (a task
/// that changes nothing, and is not in the audit), whether it is open `everywhere` or only to the operator (`ctl`: the terminal and the socket), the handler, and its parameters by name
/// and type. A handler that reads gets a context that cannot write, one that changes a [`View`] and the [`Order`].
macro_rules! administration {
    (@changes reads) => { false };
    (@changes changes) => { true };
    (@changes examines) => { true };
    (@audited changes) => { true };
    (@audited $access:ident) => { false };
    (@chat everywhere) => { true };
    (@chat ctl) => { false };
    (@look reads, $ctx:ident, $order:ident, $module:ident::$handler:ident, $($param:ident: $type:ty),*) => {
        Some($module::$handler($ctx, $(take::<$type>(&$order.arguments, stringify!($param), $order.now)?),*)?)
    };
    (@look $access:ident, $($rest:tt)*) => { None };
    (@decide reads, $($rest:tt)*) => { unreachable!("a command that reads is no order") };
    (@decide $access:ident, $view:ident, $order:ident, $module:ident::$handler:ident, $($param:ident: $type:ty),*) => {
        $module::$handler($view, $order, $(take::<$type>(&$order.arguments, stringify!($param), $order.now)?),*)
    };
    ($(
        #[command($name:literal, $about:literal, $access:ident, $doors:ident)]
        $module:ident::$handler:ident($($param:ident: $type:ty),*);
    )*) => {
        /// The commands.
        pub static COMMANDS: &[CommandInfo] = &[$(CommandInfo {
            name: $name,
            about: $about,
            changes: administration!(@changes $access),
            is_audited: administration!(@audited $access),
            in_chat: administration!(@chat $doors),
            params: &[$(ParamInfo::of::<$type>(stringify!($param))),*],
        }),*];

        /// Carries out a command that reads; `None` for one that changes something.
        fn look(ctx: &Ctx<'_, '_>, order: &Order) -> Result<Option<Report>, Reject> {
            Ok(match order.command.name {
                $($name => administration!(@look $access, ctx, order, $module::$handler, $($param: $type),*),)*
                _ => unreachable!("a command of the table"),
            })
        }

        /// Decides what an order comes to.
        fn decide(view: &View<'_, '_>, order: &Order) -> Result<Deed, Reject> {
            match order.command.name {
                $($name => administration!(@decide $access, view, order, $module::$handler, $($param: $type),*),)*
                _ => unreachable!("a command of the table"),
            }
        }
    };
}

administration! {
    #[command("help", "lists the commands, or explains one", reads, everywhere)]
    server::help(name: Option<Label>);
    #[command("status", "what the server is, and how busy", reads, everywhere)]
    server::status();
    #[command("users", "accounts by name", reads, everywhere)]
    people::users(after: Option<After>);
    #[command("user", "one account", reads, everywhere)]
    people::user(name: NameQuery);
    #[command("sessions", "the users that are logged in, and from where, the longest connected first", reads, everywhere)]
    people::sessions(after: Option<u64>);
    #[command("rooms", "rooms by name", reads, everywhere)]
    rooms::rooms(after: Option<After>);
    #[command("room", "one room", reads, everywhere)]
    rooms::room(name: NameQuery);
    #[command("bots", "bots by name, and their owners", reads, everywhere)]
    people::bots(after: Option<After>);
    #[command("quota", "users by bytes sent in 24 hours, most first", reads, everywhere)]
    people::quota();
    #[command("make-admin", "makes a user an administrator", changes, everywhere)]
    people::make_admin(name: NameQuery);
    #[command("unmake-admin", "makes an administrator an ordinary user", changes, everywhere)]
    people::unmake_admin(name: NameQuery);
    #[command("reset-password", "gives a user a temporary password, which is shown once", changes, everywhere)]
    people::reset_password(name: NameQuery);
    #[command("suspend", "ends all sessions of a user, who cannot log in any more", changes, everywhere)]
    people::suspend(name: NameQuery, until: Option<Until>, reason: Option<Why>);
    #[command("unsuspend", "ends a suspension", changes, everywhere)]
    people::unsuspend(name: NameQuery);
    #[command("delete-user", "deletes an account; its messages stay unless told otherwise", changes, everywhere)]
    people::delete_user(name: NameQuery, messages: Option<Word<Messages>>);
    #[command("rename-user", "gives a user another name", changes, everywhere)]
    people::rename_user(name: NameQuery, new_name: Username);
    #[command("kick", "ends all sessions of a user, who can log in again", changes, everywhere)]
    people::kick(name: NameQuery);
    #[command("room-owner", "hands a room over to one of its members", changes, everywhere)]
    rooms::room_owner(room: NameQuery, name: NameQuery);
    #[command("close-room", "closes a room: its messages are gone", changes, everywhere)]
    rooms::close_room(room: NameQuery);
    #[command("registration", "shows or sets which new accounts may register", changes, everywhere)]
    server::registration(to: Option<Word<Registration>>);
    #[command("invitation new", "makes a code to register with", changes, everywhere)]
    server::new_invitation(uses: Option<u64>, expires: Option<Until>);
    #[command("invitation list", "the open codes to register with", reads, everywhere)]
    server::invitations();
    #[command("invitation revoke", "ends a code to register with", changes, everywhere)]
    server::revoke_invitation(code: InvitationCode);
    #[command("message-of-the-day", "sets or, without a text, removes what users are shown after logging in", changes, everywhere)]
    server::message_of_the_day(text: Option<Notice>);
    #[command("use-configured", "gives a setting that was set by a command back to the configuration", changes, everywhere)]
    server::use_configured(setting: Word<Setting>);
    #[command("broadcast", "says something to all users that are logged in", changes, everywhere)]
    server::broadcast(text: Notice);
    #[command("ban-address", "refuses connections from an address or a prefix", changes, everywhere)]
    server::ban_address(address: AddressPrefix, until: Option<Until>);
    #[command("unban-address", "accepts connections from an address or a prefix again", changes, everywhere)]
    server::unban_address(address: AddressPrefix);
    #[command("banned-addresses", "addresses that are not served", reads, everywhere)]
    server::banned_addresses();
    #[command("log-level", "sets what is logged, until a restart or reload", changes, everywhere)]
    server::log_level(level: LogFilter);
    #[command("limits", "shows the limits, or sets one until a restart or reload", changes, everywhere)]
    server::limits(name: Option<Label>, value: Option<u64>);
    #[command("audit", "what was changed, newest first", reads, everywhere)]
    server::audit(before: Option<u64>);
    #[command("statistics", "counts what is stored", reads, everywhere)]
    server::statistics();
    #[command("backup", "writes a backup to a new file", changes, ctl)]
    server::backup(file: PathBuf);
    #[command("verify", "checks that a backup is complete, unchanged and sound", examines, ctl)]
    server::verify(file: PathBuf);
    #[command("check", "checks the database", examines, ctl)]
    server::check();
    #[command("export all", "writes accounts, rooms and messages as lines of JSON", changes, ctl)]
    server::export_all(file: PathBuf);
    #[command("export user", "the same of what one user stored and can see", changes, ctl)]
    server::export_user(name: Label, file: PathBuf);
    #[command("export room", "the same of one room", changes, ctl)]
    server::export_room(name: Label, file: PathBuf);
    #[command("metrics", "what is measured, as text for Prometheus", examines, ctl)]
    server::metrics();
    #[command("reload", "reads the configuration again", changes, ctl)]
    server::reload();
    #[command("drain", "tells users, and stops the server after so many seconds", changes, ctl)]
    server::drain(seconds: u64);
    #[command("quit", "stops the server, as SIGTERM does", changes, ctl)]
    server::quit();
}
