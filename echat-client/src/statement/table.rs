//! The table of what can be typed. Parser, help, completion and the man page come from its rows.

use super::{Scope, Statement, Which};
use crate::target::Target;
use crate::text::{Language, Text};

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Room,
    /// A user with an open friend request.
    Asker,
}

/// What follows the words of a command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Alone(fn() -> Statement),
    /// As `Alone`, but works only in the chat of a room.
    InRoom(fn() -> Statement),
    /// The name of a user or a room, or nothing.
    Maybe(fn(Option<String>) -> Statement),
    /// The name of a room; in the chat of a room it may be left out.
    RoomOrOpen(fn(Option<String>) -> Statement),
    Name(Kind, fn(String) -> Statement),
    /// Anything but nothing.
    Word(fn(String) -> Statement),
    NameText(Kind, fn(Target, String) -> Statement),
    /// The number of an unsent line, or the word for all of them.
    Number(fn(Which) -> Statement),
    /// The words are a sign between a room and some users.
    Members(fn(String, Vec<String>) -> Statement),
}

/// One command.
#[derive(Debug)]
pub struct Row {
    pub(super) head: &'static str,
    pub(super) shape: Shape,
    pub(super) scopes: &'static [Scope],
    help: Text<'static>,
}

/// Rows are the same when they are the same row.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Row {}

impl Row {
    /// Whether the command works, depending on whether the chat of a room is open.
    pub(super) fn works(&self, in_room: bool) -> bool {
        in_room || !matches!(self.shape, Shape::InRoom(_))
    }

    /// What to type, as help shows it; `in_room`: in the chat of a room.
    pub fn form(&self, language: Language, in_room: bool) -> String {
        let user = || language.say(Text::AUser);
        let room = || language.say(Text::ARoom);
        let name = |kind| match kind {
            Kind::User | Kind::Asker => user(),
            Kind::Room => room(),
        };
        let head = self.head;
        match self.shape {
            Shape::Alone(_) | Shape::InRoom(_) => head.to_owned(),
            Shape::Maybe(_) => format!("{head} [{}]", language.say(Text::AName)),
            Shape::RoomOrOpen(_) if in_room => format!("{head} [{}]", room()),
            Shape::RoomOrOpen(_) => format!("{head} {}", room()),
            Shape::Number(_) => format!("{head} {}", language.say(Text::ALineNumber)),
            Shape::Name(kind, _) => format!("{head} {}", name(kind)),
            Shape::Word(_) => format!("{head} {}", language.say(Text::AWord)),
            Shape::NameText(kind, _) => {
                format!("{head} {} {}", name(kind), language.say(Text::AText))
            }
            Shape::Members(_) => format!("{}{head}{}+{}", room(), user(), user()),
        }
    }
}

/// What can be typed in a mode: its form and what it does. `in_room`: in the chat of a room.
pub fn help(scope: Scope, in_room: bool, language: Language) -> Vec<(String, String)> {
    let rows = ROWS.iter().filter(|row| row.scopes.contains(&scope));
    let rows = rows.filter(|row| row.works(in_room));
    rows.map(|row| (row.form(language, in_room), language.say(row.help)))
        .collect()
}

/// The commands that begin with a slash, as [`help`] has them, each once.
pub fn slash_commands(language: Language) -> Vec<(String, String)> {
    let rows = ROWS.iter().filter(|row| row.head.starts_with('/'));
    rows.map(|row| (row.form(language, true), language.say(row.help)))
        .collect()
}

const COMMAND: &[Scope] = &[Scope::Command];
const CONTACT: &[Scope] = &[Scope::Contact];
const CHAT: &[Scope] = &[Scope::Chat];
const QUERY: &[Scope] = &[Scope::Query];
/// Modes that read commands, but for chat mode, where a line is text.
const MODES: &[Scope] = &[Scope::Command, Scope::Contact, Scope::Query];
/// Every mode that reads commands and does not only ask questions, whose answers may be anything.
const SLASH: &[Scope] = &[Scope::Command, Scope::Contact, Scope::Chat, Scope::Query];
const NOT_CHAT: &[Scope] = &[
    Scope::Command,
    Scope::Register,
    Scope::Login,
    Scope::Contact,
    Scope::Query,
];
const EVERYWHERE: &[Scope] = &[
    Scope::Command,
    Scope::Register,
    Scope::Login,
    Scope::Contact,
    Scope::Chat,
    Scope::Query,
];

macro_rules! rows {
    ($($scopes:ident $head:literal $shape:expr => $help:ident;)*) => {
        pub(super) static ROWS: &[Row] = &[$(Row {
            head: $head,
            shape: $shape,
            scopes: $scopes,
            help: Text::$help,
        }),*];
    };
}

rows! {
    COMMAND "register" Shape::Alone(|| Statement::Register) => HelpRegister;
    COMMAND "login" Shape::Alone(|| Statement::Login) => HelpLogin;
    COMMAND "logout" Shape::Alone(|| Statement::Logout) => HelpLogout;
    COMMAND "contact" Shape::Alone(|| Statement::Contact) => HelpContact;
    COMMAND "chat" Shape::Maybe(Statement::Chat) => HelpChat;
    COMMAND "query" Shape::Alone(|| Statement::Query) => HelpQuery;

    CONTACT "+f" Shape::Name(Kind::User, Statement::AddFriend) => HelpAddFriend;
    CONTACT "+r" Shape::Name(Kind::Room, Statement::JoinRoom) => HelpJoinRoom;
    CONTACT "-r" Shape::Name(Kind::Room, |room| Statement::Leave(Some(room))) => HelpLeaveRoom;
    CONTACT ":r" Shape::Alone(|| Statement::Rooms) => HelpRooms;
    CONTACT ":f" Shape::Alone(|| Statement::Friends) => HelpFriends;
    CONTACT ":pr" Shape::Alone(|| Statement::Pending) => HelpPending;
    CONTACT ":m" Shape::Alone(|| Statement::Messages) => HelpMessages;
    CONTACT "@f" Shape::NameText(Kind::User, Statement::Send) => HelpSendFriend;
    CONTACT "@r" Shape::NameText(Kind::Room, Statement::Send) => HelpSendRoom;
    CONTACT "&f" Shape::Name(Kind::User, |name| Statement::Open(Target::Friend(name)))
        => HelpOpenFriend;
    CONTACT "&r" Shape::Name(Kind::Room, |name| Statement::Open(Target::Room(name)))
        => HelpOpenRoom;
    CONTACT "?" Shape::Alone(|| Statement::Unread) => HelpUnread;
    CONTACT "+=" Shape::Members(Statement::AddMembers) => HelpAddMembers;
    CONTACT "=" Shape::Members(Statement::CreateRoom) => HelpCreateRoom;
    CONTACT "find" Shape::Word(Statement::Find) => HelpFind;

    MODES "y" Shape::Name(Kind::Asker, |name| Statement::Resolve(name, true)) => HelpAccept;
    MODES "n" Shape::Name(Kind::Asker, |name| Statement::Resolve(name, false)) => HelpDecline;

    QUERY "server time" Shape::Alone(|| Statement::ServerTime) => HelpServerTime;
    QUERY "who" Shape::Alone(|| Statement::Who) => HelpWho;
    QUERY "rooms" Shape::Alone(|| Statement::ListRooms) => HelpListRooms;
    QUERY "members" Shape::Name(Kind::Room, Statement::Members) => HelpMembers;

    CHAT "/history" Shape::Alone(|| Statement::History) => HelpHistory;
    CHAT "/members" Shape::InRoom(|| Statement::MembersHere) => HelpMembersHere;
    SLASH "/y" Shape::Name(Kind::Asker, |name| Statement::Resolve(name, true)) => HelpAccept;
    SLASH "/n" Shape::Name(Kind::Asker, |name| Statement::Resolve(name, false)) => HelpDecline;
    SLASH "/pending" Shape::Alone(|| Statement::Waiting) => HelpWaiting;
    SLASH "/withdraw" Shape::Number(Statement::Withdraw) => HelpWithdraw;
    SLASH "/leave" Shape::RoomOrOpen(Statement::Leave) => HelpLeaveSlash;
    SLASH "/help" Shape::Alone(|| Statement::Help) => HelpHelp;
    SLASH "/quit" Shape::Alone(|| Statement::Quit) => HelpQuit;

    NOT_CHAT "help" Shape::Alone(|| Statement::Help) => HelpHelp;
    NOT_CHAT "quit" Shape::Alone(|| Statement::Quit) => HelpQuit;
    EVERYWHERE "\\c" Shape::Alone(|| Statement::Back) => HelpBack;
    EVERYWHERE "\\d" Shape::Alone(|| Statement::Quit) => HelpLeave;
}
