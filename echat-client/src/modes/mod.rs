//! The modes: what a typed line means, and which updates of the session are shown.
//!
//! Each mode is a small type behind [`Mode`]. It changes nothing but itself: what is to be done
//! comes back as [`Act`]s. Modes never name each other; they name where to go ([`Goto`]).

mod account;
mod administration;
mod answers;
mod chat;
mod command;
mod contact;
mod credentials;
mod folding;
mod found;
mod heads;
mod lines;
mod meant;
mod no_effect;
mod numbers;
mod people;
mod presence;
mod query;
mod rooms;

use std::cell::Cell;
use std::fmt;

use echat_proto::commands::{Request, RequestKind};
use echat_proto::records::Code;
use jiff::civil::Date;

use crate::net::address::LinkTarget;
use crate::render::safe::Safe;
use crate::render::styled::Line;
use crate::secret::Secret;
use crate::session::outgoing::Outgoing;
use crate::session::{Lookup, LookupKind, Post, RequestContext, Session, TimedRequest, Update};
use crate::settings::Settings;
use crate::statement::{self, ParseError, Scope, Statement, TypedRequest, UnsentSelection};
use crate::target::Target;
use crate::text::{Language, Text, fail_of};

pub use answers::command_of;
pub(crate) use answers::refusal;
pub(crate) use chat::QUIT;
pub use lines::error_line;
pub(crate) use lines::plain;
pub(crate) use meant::{recall_own, recalled};
pub(crate) use rooms::with_local_times;

/// What the modes read: the session, the unsent lines, the settings, and the state of the connection. The
/// application owns it and changes it; a mode receives it by reference with each call, and keeps nothing
/// of it.
#[derive(Debug)]
pub struct Context {
    /// What the client knows of the server's state.
    pub session: Session,
    /// The unsent lines.
    pub outgoing: Outgoing,
    /// The settings, from flags and configuration.
    pub settings: Settings,
    /// The language of the user.
    pub language: Language,
    /// The time of the last [`Input::Tick`](crate::app::Input::Tick), in unix seconds.
    pub now: u64,
    /// Whether the user is logged in, or will be again by itself.
    pub signed_in: bool,
    /// The user of the last login, or the account that was made last: `login` offers the name.
    pub last_user: Option<String>,
    /// Whether there is no connection.
    pub is_offline: bool,
    /// The number of the line of a script that is carried out, counted from 1. `None` at a terminal.
    pub line_number: Option<u64>,
    /// The day of the message shown last, in the compact style.
    pub shown_day: Cell<Option<Date>>,
    /// The server of the last connection, with its key.
    pub server: Option<LinkTarget>,
}

/// Something to be done.
#[derive(Debug)]
pub enum Act {
    /// Show lines.
    Print(Vec<Line>),
    /// Ask the server.
    Ask(Request),
    /// Ask the server, for an answer of which the request does not say all.
    AskFor(Request, RequestContext),
    /// Ask the server for messages of all conversations.
    LookUp(Lookup),
    /// Send an answer to a message.
    Reply(Target, String, u64),
    /// Take a message of the user's into the edited line.
    Edit(Target, Post),
    /// Change the text of a message.
    ChangeText(Target, u64, String),
    /// Delete a message, after a yes.
    Delete(Target, u64),
    /// Ask the server what was typed.
    Typed(TypedRequest),
    /// Ask the server for its time, and then for something that has an end.
    AskTimed(TimedRequest),
    /// Log in, now and after every reconnect.
    LogIn {
        /// The name as typed.
        name: String,
        /// The password.
        password: Secret,
    },
    /// Ask the server for another password, and log in with it from then on.
    ChangePassword {
        /// The password as it is.
        old: Secret,
        /// The password as it is to be.
        new: Secret,
    },
    /// Send a line, now or when it is possible.
    Send(Target, String),
    /// The line looks like a command: send it only after a yes.
    SendIfMeant(Target, String),
    /// Everything of this conversation has been shown.
    Read(Target),
    /// List the unsent lines, numbered from 1.
    ListUnsent,
    /// Withdraw unsent lines.
    Withdraw(UnsentSelection),
    /// Write what the user may read to this file.
    Export(String),
    /// Change the mode.
    Goto(Goto),
    /// The server can never accept the line, for this reason.
    Reject(String),
    /// The line could not be understood, which was said.
    Mistake,
    /// Leave the program.
    Quit,
}

impl Act {
    fn back_to_beginning(self) -> Self {
        match self {
            Self::Goto(place) => Self::Goto(place.back_to_beginning()),
            act => act,
        }
    }
}

/// A mode to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goto {
    /// Command mode.
    Command,
    /// Register mode.
    Register,
    /// Login mode, perhaps with the name known.
    Login(Option<String>),
    /// Contact mode.
    Contact,
    /// Chat mode.
    Chat(Target),
    /// Chat mode, at the message with this id.
    ChatAround(Target, u64),
    /// Chat mode again, where the messages up to this id are shown already.
    ChatAfter(Target, u64),
    /// Query mode.
    Query,
    /// The questions for another password, and the mode behind them.
    ChangePassword(Box<Goto>),
    /// The questions before the account is deleted, and the mode behind them if it is not.
    DeleteAccount(Box<Goto>),
}

impl Goto {
    /// The mode.
    pub fn mode(self) -> Box<dyn Mode> {
        match self {
            Self::Command => Box::new(command::CommandMode),
            Self::Register => Box::new(account::RegisterMode::default()),
            Self::Login(name) => Box::new(account::LoginMode::new(name)),
            Self::Contact => Box::new(contact::ContactMode::default()),
            Self::Chat(target) => Box::new(chat::ChatMode::new(target)),
            Self::ChatAround(target, id) => Box::new(chat::ChatMode::around(target, id)),
            Self::ChatAfter(target, id) => Box::new(chat::ChatMode::after(target, id)),
            Self::Query => Box::new(query::QueryMode),
            Self::ChangePassword(back) => Box::new(credentials::ChangeMode::new(*back)),
            Self::DeleteAccount(back) => Box::new(credentials::DeleteMode::new(*back)),
        }
    }

    /// The same place. A chat that it leads back to begins as if it was opened then.
    fn back_to_beginning(self) -> Self {
        let anew = |back: Box<Self>| match *back {
            Self::ChatAfter(target, _) => Box::new(Self::Chat(target)),
            back => Box::new(back),
        };
        match self {
            Self::ChangePassword(back) => Self::ChangePassword(anew(back)),
            Self::DeleteAccount(back) => Self::DeleteAccount(anew(back)),
            place => place,
        }
    }

    /// The chat.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Chat(target) | Self::ChatAround(target, _) | Self::ChatAfter(target, _) => {
                Some(target)
            }
            _ => None,
        }
    }

    /// A room or a friend has another name.
    fn rename(&mut self, was: &Target, now: &Target) {
        match self {
            Self::Chat(target) | Self::ChatAround(target, _) | Self::ChatAfter(target, _)
                if *target == *was =>
            {
                *target = now.clone();
            }
            _ => {}
        }
    }

    /// The user is no member of a room any more.
    fn lose(&mut self, room: &Target) {
        if self.target() == Some(room) {
            *self = Self::Contact;
        }
    }

    /// The history is another one: no message of a chat is shown.
    fn begin_anew(&mut self, context: &Context) {
        if let Some(target) = self.target().cloned() {
            *self = if context.session.can_read(&target) {
                Self::Chat(target)
            } else {
                Self::Contact
            };
        }
    }

    /// Back to the mode of a language, in which a chat is open.
    fn back_to(scope: Scope, open: Option<&Target>, context: &Context) -> Self {
        match (scope, open) {
            (_, Some(target)) => {
                let conversation = context.session.conversation(target);
                let newest = conversation.and_then(|found| found.lines().next_back());
                Self::ChatAfter(target.clone(), newest.map_or(0, |post| post.id))
            }
            (Scope::Query, None) => Self::Query,
            (Scope::Contact, None) => Self::Contact,
            _ => Self::Command,
        }
    }
}

/// A mode.
pub trait Mode: fmt::Debug {
    /// The language of the mode; `None` if it only asks questions.
    fn scope(&self) -> Option<Scope>;

    /// The words that Tab completes and `help` lists.
    fn words(&self) -> Option<Scope> {
        self.scope()
    }

    /// What stands before `> ` in the prompt, but for what every mode has there.
    fn prompt(&self, context: &Context) -> String;

    /// Takes a line.
    fn submit(&mut self, line: &str, context: &Context) -> Vec<Act>;

    /// The history that lines go to; `None` for what is in none.
    fn history(&self) -> Option<&'static str>;

    /// Whether the next line is a password.
    fn is_secret(&self) -> bool {
        false
    }

    /// Where Ctrl-C leads from a mode that only asks.
    fn back(&self) -> Goto {
        Goto::Command
    }

    /// Whether Ctrl-C leaves a question about a change, which is not made then.
    fn changes(&self) -> bool {
        false
    }

    /// The request whose answer the mode waits for, if it changes something.
    fn awaits(&self) -> Option<RequestContext> {
        None
    }

    /// The open chat.
    fn target(&self) -> Option<&Target> {
        None
    }

    /// The open chat, if what is unread of it is shown.
    fn read_target(&self) -> Option<&Target> {
        None
    }

    /// The open chat, if what it begins with is still to come from the server.
    fn opening(&self) -> Option<&Target> {
        None
    }

    /// The answer to what [`Mode::opening`] waits for was lost with the connection: asks again.
    fn open_again(&mut self, _: &Context) -> Vec<Act> {
        Vec::new()
    }

    /// What was missed cannot be fetched, and messages before those that arrive now are lacking.
    fn on_gap(&mut self) {}

    /// What to do on entering.
    fn enter(&mut self, _: &Context) -> Vec<Act> {
        Vec::new()
    }

    /// A room or a friend has another name.
    fn on_rename(&mut self, _was: &Target, _now: &Target) {}

    /// The user is no member of a room any more, whose name may be another one's.
    fn on_lost_room(&mut self, _room: &Target) {}

    /// The session has changed.
    fn on_update(&mut self, update: &Update, context: &Context) -> Vec<Act> {
        print(answers::tell(update, context))
    }

    /// The connection is gone, and with it every answer.
    fn on_cut(&mut self) -> Vec<Act> {
        Vec::new()
    }

    /// Time passed.
    fn on_tick(&mut self, _: &Context) -> Vec<Act> {
        Vec::new()
    }

    /// When [`Mode::on_tick`] has something to do.
    fn wakes_at(&self) -> Option<u64> {
        None
    }
}

/// Shows lines, if there are any.
fn print(lines: Vec<Line>) -> Vec<Act> {
    if lines.is_empty() {
        Vec::new()
    } else {
        vec![Act::Print(lines)]
    }
}

/// Says what is wrong with a line. In a script it is found by its number.
fn mistake(context: &Context, text: Text<'_>) -> Vec<Act> {
    let why = &context.language.say(text);
    let sentence = match context.line_number {
        Some(line) => context.error(Text::AtLine { line, why }),
        None => error_line(why),
    };
    vec![Act::Print(vec![sentence]), Act::Mistake]
}

/// What a line came to.
enum ReadLine {
    /// A statement that the mode carries out.
    Statement(Statement),
    /// What every mode does alike, or what is said of a mistake.
    Done(Vec<Act>),
}

/// Reads a line; what every mode does alike is done. `open`: the open chat.
fn read(scope: Scope, line: &str, open: Option<&Target>, context: &Context) -> ReadLine {
    let statement = match statement::parse(scope, line) {
        Ok(statement) => statement,
        Err(error) => return ReadLine::Done(not_read(error, scope, line.trim(), context)),
    };
    let needs_login = scope == Scope::Command && !context.signed_in;
    ReadLine::Done(match statement {
        Statement::Help => print(context.help(scope, open.is_some_and(Target::is_room))),
        Statement::HelpOn(word) => context.help_on(&word, scope, open),
        Statement::Back => vec![Act::Goto(Goto::Command)],
        Statement::Quit => vec![Act::Quit],
        Statement::Waiting => vec![Act::ListUnsent],
        Statement::Withdraw(which) => vec![Act::Withdraw(which)],
        // A number alone names no user, unless one with that name asks.
        Statement::Ask(typed) if open.is_some() && is_count(&typed, context) => {
            return ReadLine::Statement(Statement::Numbers);
        }
        Statement::Ask(typed) => ask(typed, scope, open, context),
        // Who was online when the connection was lost is not known to be so now.
        Statement::Who if context.is_offline && context.session.me().is_some() => {
            print(vec![context.line(Text::OnlineUnknown)])
        }
        Statement::Who => print(context.online_friends()),
        Statement::ChangePassword
        | Statement::DeleteAccount
        | Statement::NewInvitation(..)
        | Statement::Export(_) => account(&statement, Goto::back_to(scope, open, context), context),
        Statement::Send(..)
        | Statement::Open(_)
        | Statement::Search(_)
        | Statement::Mentions
        | Statement::More
        | Statement::OpenFound(_)
        | Statement::Unread
        | Statement::Pending
            if needs_login =>
        {
            not_logged_in(context)
        }
        Statement::Open(target) => open_chat(target.normal(), line, context),
        Statement::Send(target, text) => vec![Act::Send(target.normal(), text)],
        Statement::Unread => print(context.unread_list()),
        Statement::Pending => print(contact::pending(context)),
        Statement::Search(words) => found::search(&words, open, context),
        Statement::Mentions => vec![Act::LookUp(Lookup::new(LookupKind::Mentions))],
        Statement::More => found::more(context),
        Statement::OpenFound(number) => found::open(number, context),
        Statement::History
        | Statement::Show
        | Statement::Newer
        | Statement::Date(_)
        | Statement::Numbers
        | Statement::Edit(..)
        | Statement::Delete(_)
        | Statement::Reply(..)
        | Statement::React(..)
        | Statement::Action(_)
            if open.is_none() =>
        {
            let line = line.trim();
            mistake(context, Text::OnlyInChats { line })
        }
        statement => return ReadLine::Statement(statement),
    })
}

/// Says why a line is no statement of a mode.
fn not_read(error: ParseError, scope: Scope, line: &str, context: &Context) -> Vec<Act> {
    let in_chat = scope == Scope::Chat;
    match error {
        ParseError::Empty => Vec::new(),
        ParseError::Unknown => mistake_of_mode(scope, line, context),
        ParseError::Words(word) => {
            let rows = statement::help_on(word, in_chat, context.language);
            let forms = rows.into_iter().map(|(form, _)| form);
            let forms: Vec<String> = forms.filter(|form| form.starts_with('/')).collect();
            let form = &forms.join(&context.language.say(Text::Semicolon));
            mistake(context, Text::Usage { form })
        }
        ParseError::Form(command) => {
            let form = &command.form(context.language, in_chat);
            mistake(context, Text::Usage { form })
        }
        ParseError::Duration(typed) => mistake(context, Text::NoDuration { typed: &typed }),
    }
}

/// Whether `/n 5` is about numbers.
fn is_count(typed: &TypedRequest, context: &Context) -> bool {
    let user = typed.user().unwrap_or_default();
    let is_number = user.bytes().all(|byte| byte.is_ascii_digit());
    typed.command().words() == "/n" && is_number && !context.session.pending().contains(&user)
}

/// Says that a line is no command of a mode, and of which one it is.
fn mistake_of_mode(scope: Scope, line: &str, context: &Context) -> Vec<Act> {
    if scope != Scope::Chat
        && context.signed_in
        && let Some(name) = context.session.me()
        && matches!(
            statement::parse(Scope::Command, line),
            Ok(Statement::Login | Statement::Register)
        )
    {
        return mistake(context, Text::LoggedInAs { name });
    }
    let command = &statement::command_words(line);
    let text = match (scope, mode_of(scope, line)) {
        (Scope::Chat, _) => Text::UnknownInChat { line },
        (_, None) => Text::Unknown { line },
        (Scope::Command, Some(way)) | (_, Some(way @ "\\c")) => Text::OtherMode { command, way },
        (_, Some(way)) => Text::ModeViaCommand { command, way },
    };
    mistake(context, text)
}

/// Columns of what is typed in help. What a longer one does stands directly behind it.
const FORM: usize = 30;

/// What needs a login, and more than what was typed.
fn account(statement: &Statement, back: Goto, context: &Context) -> Vec<Act> {
    if !context.signed_in {
        return not_logged_in(context);
    }
    match statement {
        Statement::ChangePassword => vec![Act::Goto(Goto::ChangePassword(Box::new(back)))],
        Statement::DeleteAccount => vec![Act::Goto(Goto::DeleteAccount(Box::new(back)))],
        Statement::Export(file) => vec![Act::Export(file.clone())],
        Statement::NewInvitation(uses, Some(days)) => {
            vec![Act::AskTimed(TimedRequest::Invitation {
                uses: *uses,
                lasts: days.saturating_mul(statement::DAY),
            })]
        }
        Statement::NewInvitation(uses, None) => vec![Act::Ask(Request::CreateInvitation {
            uses: *uses,
            expires: None,
        })],
        _ => Vec::new(),
    }
}

/// Opens the chat with a friend or of a room.
fn open_chat(target: Target, line: &str, context: &Context) -> Vec<Act> {
    // A script that has no text for a message does not mean the lines behind it as texts.
    if statement::begins_with_slash(line) && !context.settings.interactive {
        let line = line.trim();
        return mistake(context, Text::NeedsText { line });
    }
    let target = context.session.present_target(target);
    if context.session.can_read(&target) {
        return vec![Act::Goto(Goto::Chat(target))];
    }
    let name = &context.language.user_name(target.name());
    mistake(context, Text::NoTarget { name })
}

/// Asks the server what was typed. A room that was left out is the open one. To join a room again opens it.
fn ask(typed: TypedRequest, scope: Scope, open: Option<&Target>, context: &Context) -> Vec<Act> {
    let typed = match open {
        Some(Target::Room(room)) => typed.in_room(room),
        _ => typed,
    };
    if typed.lacks_room() {
        let form = &typed.command().form(context.language, false);
        return mistake(context, Text::Usage { form });
    }
    // Command mode is where one is without a login.
    if scope == Scope::Command && !context.signed_in && typed.needs_login() {
        return not_logged_in(context);
    }
    // A script is told by the server's answer.
    if context.settings.interactive
        && context.signed_in
        && let Some(sentence) = no_effect::answer(&typed, context)
    {
        return print(vec![plain(&sentence)]);
    }
    let joins = typed
        .room()
        .filter(|_| typed.kind() == RequestKind::JoinRoom);
    if let Some(room) = joins.map(Target::Room)
        && context.settings.interactive
        && context.session.has(&room)
    {
        return vec![Act::Goto(Goto::Chat(room))];
    }
    vec![Act::Typed(typed)]
}

fn not_logged_in(context: &Context) -> Vec<Act> {
    let sentence = error_line(&context.language.refusal(&fail_of(Code::NotLoggedIn)));
    vec![Act::Print(vec![sentence]), Act::Mistake]
}

/// What goes to the mode whose command a line is: from command mode a mode's name, and to command mode `\c`.
fn mode_of(here: Scope, line: &str) -> Option<&'static str> {
    let is_known = |scope| {
        let read = statement::parse(scope, line);
        !matches!(read, Err(ParseError::Unknown | ParseError::Empty))
    };
    [
        (Scope::Contact, "contact"),
        (Scope::Query, "query"),
        (Scope::Command, "\\c"),
    ]
    .into_iter()
    .find_map(|(scope, way)| (scope != here && is_known(scope)).then_some(way))
}

impl Context {
    /// What to say to a line while the server's answer to another one is awaited.
    pub fn please_wait(&self) -> Text<'static> {
        if self.is_offline {
            Text::AskedOffline
        } else {
            Text::PleaseWait
        }
    }

    /// How many lines of the user are unsent.
    pub fn pending(&self) -> usize {
        self.session.me().map_or(0, |me| self.outgoing.waiting(me))
    }

    /// The name that an empty line stands for where `login` asks for one.
    pub(super) fn offered_name(&self) -> Option<&str> {
        let name = self.last_user.as_deref();
        name.filter(|_| self.settings.interactive)
    }

    /// `/help` with the name of a command or of a group, or with a word.
    fn help_on(&self, word: &str, scope: Scope, open: Option<&Target>) -> Vec<Act> {
        let in_room = open.is_some_and(Target::is_room);
        let (rows, group) = statement::help_about(word, scope, in_room, self.language);
        if rows.is_empty() && group.is_none() {
            return mistake(self, Text::NoHelp { word });
        }
        let rows = rows.iter();
        let mut lines: Vec<Line> = rows
            .map(|(form, does)| lines::help_line(form, 0, does))
            .collect();
        if let Some((heading, rows)) = group {
            let topic = &self.language.say(heading);
            lines.push(self.bold(Text::HelpTopic { topic }));
            lines.extend(table(&rows));
        }
        print(lines)
    }

    /// The commands of a mode, and after the login the groups of commands with a slash. `in_room`: of the chat of a
    /// room.
    fn help(&self, scope: Scope, in_room: bool) -> Vec<Line> {
        let mode = self.language.say(match scope {
            Scope::Command => Text::ModeCommand,
            Scope::Register => Text::ModeRegister,
            Scope::Login => Text::ModeLogin,
            Scope::Contact => Text::ModeContact,
            Scope::Chat => Text::ModeChat,
            Scope::Query => Text::ModeQuery,
        });
        let mut own = statement::help(scope, in_room, self.language);
        if scope == Scope::Chat {
            for (form, does) in [(chat::SAY_QUIT, Text::HelpSayQuit), ("//", Text::HelpSlash)] {
                own.push((form.to_owned(), self.language.say(does)));
            }
        }
        let mut lines = vec![self.bold(Text::HelpHeading { mode: &mode })];
        lines.extend(table(&own));
        let groups = statement::help_groups(scope);
        if groups.is_empty() {
            return lines;
        }
        if !self.signed_in {
            lines.push(self.dim(Text::HelpAfterLogin));
            return lines;
        }
        for group in groups {
            let topic = &self.language.say(group.heading);
            let name = &self.language.say(group.name);
            lines.push(self.bold(Text::HelpGroup { topic, name }));
            lines.push(lines::command_line(&group.words.join("  ")));
        }
        lines.push(self.dim(Text::HowToHelp));
        lines
    }
}

/// Commands and what they do, in two columns.
fn table(rows: &[(String, String)]) -> Vec<Line> {
    let width = |form: &str| Safe::line(form).width();
    let widths = rows.iter().map(|(form, _)| width(form));
    let widest = widths.filter(|width| *width <= FORM).max().unwrap_or(0);
    let rows = rows.iter().map(|(form, does)| {
        let gap = widest.saturating_sub(width(form));
        lines::help_line(form, gap, does)
    });
    rows.collect()
}
