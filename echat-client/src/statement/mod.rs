//! The little languages of the modes: a typed line becomes a [`Statement`].
//!
//! One table (`table.rs`) gives the parser, the help and the words for completion of every mode.

mod complete;
mod table;

#[cfg(test)]
mod tests;

use echat_proto::names::{RoomName, Username};

use crate::target::Target;

pub use complete::{Completion, Names, addressee, complete};
pub use table::{help, slash_commands};

use table::{Kind, ROWS, Row, Shape};

/// A mode, by its language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Names of modes.
    Command,
    /// The ways out of its questions.
    Register,
    /// The same.
    Login,
    /// Friends and rooms.
    Contact,
    /// Text, and commands that begin with a slash.
    Chat,
    /// Questions to the server.
    Query,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// The list of commands.
    Help,
    /// Back to command mode.
    Back,
    /// Leave the program.
    Quit,
    /// To register mode.
    Register,
    /// To login mode.
    Login,
    /// End the login.
    Logout,
    /// To contact mode.
    Contact,
    /// To chat mode, with a friend or in a room of this name, or where one was last.
    Chat(Option<String>),
    /// To query mode.
    Query,
    /// Send a friend request.
    AddFriend(String),
    /// Accept (true) or decline the friend request of a user.
    Resolve(String, bool),
    /// Join a room.
    JoinRoom(String),
    /// Leave a room; without a name the open one.
    Leave(Option<String>),
    /// One's rooms, as remembered.
    Rooms,
    /// One's friends.
    Friends,
    /// Requests to answer.
    Pending,
    /// The newest messages.
    Messages,
    /// What is unread.
    Unread,
    /// Send without leaving the mode.
    Send(Target, String),
    /// Chat with this one.
    Open(Target),
    /// Create a room.
    CreateRoom(String, Vec<String>),
    /// Add friends to a room.
    AddMembers(String, Vec<String>),
    /// Users and rooms by a part of their name.
    Find(String),
    /// The server's clock.
    ServerTime,
    /// Friends who are online.
    Who,
    /// One's rooms, as the server has them.
    ListRooms,
    /// The members of a room.
    Members(String),
    /// Older messages of the open chat.
    History,
    /// The members of the open chat.
    MembersHere,
    /// The unsent lines.
    Waiting,
    /// Withdraw unsent lines.
    Withdraw(Which),
    /// A text to the open chat.
    Say(String),
}

/// Which of the unsent lines are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The one with this number.
    Number(u64),
}

/// Why a line is no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// There is nothing on it.
    Empty,
    /// No command begins like this.
    Unknown,
    /// Something is missing or too much; the row says what it should be.
    Form(&'static Row),
}

/// The slash of Chinese input methods.
const WIDE_SLASH: char = '\u{ff0f}';

/// Whether a line begins with a slash, of any width.
pub fn begins_with_slash(line: &str) -> bool {
    line.trim_start().starts_with(['/', WIDE_SLASH])
}

/// Whether a line begins with two slashes: a text that is sent without being asked about.
pub fn begins_with_two_slashes(line: &str) -> bool {
    let slashes = ['/', WIDE_SLASH];
    let rest = line.trim_start().strip_prefix(slashes);
    rest.is_some_and(|rest| rest.starts_with(slashes))
}

/// Reads a line in a mode.
pub fn parse(scope: Scope, line: &str) -> Result<Statement, Misread> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Err(Misread::Empty);
    }
    let mut error = Misread::Unknown;
    for row in ROWS.iter().filter(|row| row.is_in(scope)) {
        match row.read(trimmed) {
            Read::Is(statement) => return Ok(statement),
            Read::Not => {}
            Read::Badly => error = Misread::Form(row),
        }
    }
    if scope != Scope::Chat {
        return Err(error);
    }
    match (error, trimmed.strip_prefix(['/', WIDE_SLASH])) {
        (Misread::Form(_), _) => Err(error),
        // Two slashes stand for one that begins a text, which is the second.
        (_, Some(text)) if text.starts_with(['/', WIDE_SLASH]) => {
            Ok(Statement::Say(text.to_owned()))
        }
        (_, Some(_)) => Err(Misread::Unknown),
        // What is said keeps its spaces, and its full-width characters.
        (_, None) => Ok(Statement::Say(line.to_owned())),
    }
}

/// The words of a line that name its command, without what the command is about.
pub fn command_words(line: &str) -> String {
    let is_of = |row: &&Row| after_head(row.head, line).is_some();
    let heads = ROWS.iter().filter(is_of);
    let words = heads.map(|row| row.head.split(' ').count()).max();
    let mut parts = line.split_whitespace();
    if let Some(words) = words {
        return parts.take(words).collect::<Vec<_>>().join(" ");
    }
    // The name of a room, before the sign that makes it a command.
    let first = parts.next().unwrap_or_default();
    let end = first.find(['=', '＝']).unwrap_or(first.len());
    first[..end].to_owned()
}

/// Whether a line of chat is a command of another mode, typed in the wrong place.
pub fn looks_like_command(line: &str) -> bool {
    let line = line.trim();
    // In Chinese a message of its own.
    if line == "？" {
        return false;
    }
    let elsewhere = |row: &&Row| !row.is_in(Scope::Chat) && row.is_telling();
    let mut rows = ROWS.iter().filter(elsewhere);
    let is_meant = |row: &Row| match row.read(line) {
        // Of an address with a query only its form is that of a room with members.
        Read::Is(Statement::CreateRoom(room, names) | Statement::AddMembers(room, names)) => {
            // Full-width signs between words are those of a sentence.
            !line.contains(['＝', '＋'])
                && RoomName::new(&room).is_ok()
                && names.iter().all(|name| Username::new(name).is_ok())
        }
        Read::Is(_) => true,
        // A sentence may begin with a word that is a command's, but not with its signs.
        Read::Badly => !row.head.starts_with(char::is_alphabetic),
        Read::Not => false,
    };
    !line.is_empty()
        && (rows.any(is_meant) || is_keyword_search(line) || is_way_out(line) || is_mistyped(line))
}

/// `\c` and `\d` stand alone; with something behind them they would be text.
fn is_way_out(line: &str) -> bool {
    let Some(first) = line.split_whitespace().next() else {
        return false;
    };
    let is = |head: &str| strip_head(head, first) == Some("");
    (is("\\c") || is("\\d")) && first != line
}

/// One Latin word behind a full-width slash: a slash command with a slip in it.
fn is_mistyped(line: &str) -> bool {
    let word = line.strip_prefix(['／', '、']).unwrap_or_default();
    !word.is_empty() && word.chars().all(|c| ascii_form(c).is_ascii_alphabetic())
}

/// The ASCII form of a full-width character, as Chinese and Japanese input methods type them. Other
/// characters stay.
pub fn ascii_form(c: char) -> char {
    match c {
        // The block repeats ASCII from `!` to `~` at this distance.
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xfee0).expect("it is one of ASCII")
        }
        '\u{3000}' => ' ',
        c => c,
    }
}

/// `find word` is a command; `find me at the station` is a sentence.
fn is_keyword_search(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("find") && words.next().is_some() && words.next().is_none()
}

enum Read {
    Is(Statement),
    Not,
    Badly,
}

impl Row {
    fn is_in(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether a sentence does not begin like this by chance. `n 2` may be one.
    fn is_telling(&self) -> bool {
        !matches!(
            self.shape,
            Shape::Word(_) | Shape::Maybe(_) | Shape::Name(Kind::Asker, _)
        )
    }

    fn read(&self, line: &str) -> Read {
        let make = |statement: Option<Statement>| statement.map_or(Read::Badly, Read::Is);
        let rest = || after_head(self.head, line);
        match self.shape {
            Shape::Alone(statement) | Shape::InRoom(statement) => match rest() {
                Some("") => Read::Is(statement()),
                _ => Read::Not,
            },
            Shape::Maybe(statement) | Shape::RoomOrOpen(statement) => match rest() {
                Some("") => Read::Is(statement(None)),
                Some(name) => make(one_word(name).map(|name| statement(Some(name)))),
                None => Read::Not,
            },
            Shape::Name(_, statement) => match rest() {
                Some(name) => make(one_word(name).map(statement)),
                None => Read::Not,
            },
            Shape::Number(statement) => match rest() {
                Some(which) => make(self::which(which).map(statement)),
                None => Read::Not,
            },
            Shape::Word(statement) => match rest() {
                Some(word) => make((!word.is_empty()).then(|| statement(word.to_owned()))),
                None => Read::Not,
            },
            Shape::NameText(kind, statement) => match rest() {
                Some(rest) => {
                    make(name_and_text(rest).map(|(name, text)| statement(kind.target(name), text)))
                }
                None => Read::Not,
            },
            Shape::Members(statement) => members(self.head, line)
                .map_or(Read::Not, |(room, names)| Read::Is(statement(room, names))),
        }
    }
}

impl Kind {
    fn target(self, name: String) -> Target {
        match self {
            Self::User | Self::Asker => Target::Friend(name),
            Self::Room => Target::Room(name),
        }
    }
}

/// What follows the words of a command; spaces between them do not count.
fn after_head<'a>(head: &str, line: &'a str) -> Option<&'a str> {
    let mut rest = line;
    for word in head.split(' ') {
        rest = strip_head(word, rest.trim_start())?;
        if rest.starts_with(|next: char| !next.is_whitespace()) {
            return None;
        }
    }
    Some(rest.trim())
}

/// What follows a word of a command. The word may be typed in full-width characters, and the slash or
/// backslash that begins it as `、`, which is on the key of both.
fn strip_head<'a>(word: &str, text: &'a str) -> Option<&'a str> {
    let mut rest = text.chars();
    for (index, wanted) in word.chars().enumerate() {
        let typed = rest.next()?;
        let is_slash = index == 0 && typed == '、' && matches!(wanted, '/' | '\\');
        if ascii_form(typed) != wanted && !is_slash {
            return None;
        }
    }
    Some(rest.as_str())
}

fn one_word(text: &str) -> Option<String> {
    let is_word = !text.is_empty() && !text.contains(char::is_whitespace);
    is_word.then(|| text.to_owned())
}

/// A number in digits of any width, or the word for all.
fn which(text: &str) -> Option<Which> {
    if matches!(text, "all" | "全部") {
        return Some(Which::All);
    }
    let ascii = |c: char| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        c => Some(c).filter(char::is_ascii_digit),
    };
    let digits: Option<String> = text.chars().map(ascii).collect();
    digits?.parse().ok().map(Which::Number)
}

fn name_and_text(rest: &str) -> Option<(String, String)> {
    let (name, text) = rest.split_once(char::is_whitespace)?;
    let text = text.trim();
    (!text.is_empty()).then(|| (name.to_owned(), text.to_owned()))
}

/// `room=a+b` and `room+=a`; spaces around the signs do not count.
fn members(sign: &str, line: &str) -> Option<(String, Vec<String>)> {
    let line = line.replace('＝', "=").replace('＋', "+");
    let (room, names) = line.split_once(sign)?;
    let room = one_word(room.trim()).filter(|room| !room.ends_with('+'))?;
    let names: Option<Vec<String>> = match names.trim() {
        "" => Some(Vec::new()),
        names => names.split('+').map(|name| one_word(name.trim())).collect(),
    };
    // Adding no one is not a command; a new room may have its owner alone.
    names
        .filter(|names| sign == "=" || !names.is_empty())
        .map(|names| (room, names))
}
