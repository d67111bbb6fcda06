//! The little languages of the modes: a typed line becomes a [`Statement`].
//!
//! One table (`table.rs`) gives the parser, the help, the words for completion, and for commands that ask the server
//! the request and what is said about it.

#[macro_use]
mod row;
mod answer;
mod command;
mod complete;
mod day;
mod duration;
mod emoji;
mod search;
mod table;
mod typed;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use echat_proto::names::{RoomName, Username};

use crate::target::Target;

pub use answer::{answer_words, unquoted, yes_or_no};
pub use command::{
    Command, HelpGroup, HelpRows, help, help_about, help_groups, help_on, slash_commands,
};
pub use complete::{Completion, Names, addressee, complete};
pub use day::day;
pub use duration::{DAY, in_words};
pub use emoji::{emoji, in_one_form};
pub use row::RequestError;
pub use search::{FilterError, ParsedSearch, folded, folded_words, sift};
pub use typed::{TypedRequest, kept, needs_login};

use command::{CommandMatch, commands, commands_of};

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
    /// How the commands with a name are typed.
    HelpOn(String),
    /// Back to command mode.
    Back,
    /// Leave the program.
    Quit,
    /// To register mode.
    Register,
    /// To login mode.
    Login,
    /// To contact mode.
    Contact,
    /// To chat mode, with a friend or in a room of this name, or where one was last.
    Chat(Option<String>),
    /// To query mode.
    Query,
    /// Ask the server.
    Ask(TypedRequest),
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
    /// Friends who are online.
    Who,
    /// Older messages of the open chat.
    History,
    /// The messages behind those that were jumped to.
    Newer,
    /// Messages of the open chat from a day on, as typed.
    Date(String),
    /// Numbers beside the newest messages of the open chat.
    Numbers,
    /// Another text for one's last message or the one with a number: this one, or one that is edited now.
    Edit(Option<u64>, Option<String>),
    /// Delete one's last message, or the one with a number.
    Delete(Option<u64>),
    /// Answer the last message of another user, or the one with a number.
    Reply(Option<u64>, String),
    /// React to the last message of another user, or to the one with a number.
    React(Option<u64>, String),
    /// What the user does, said in the open chat.
    Action(String),
    /// Find messages by words, with filters as typed.
    Search(String),
    /// Messages that name the user.
    Mentions,
    /// More of what was found last.
    More,
    /// Go to the found message with a number.
    OpenFound(u64),
    /// The folded messages of the open chat.
    Show,
    /// Ask for a new password.
    ChangePassword,
    /// Write what the user may read to this file.
    Export(String),
    /// Ask whether the account is to be deleted.
    DeleteAccount,
    /// An invitation code, for so many accounts and days.
    NewInvitation(Option<u64>, Option<u64>),
    /// The unsent lines.
    Waiting,
    /// Withdraw unsent lines.
    Withdraw(UnsentSelection),
    /// A text to the open chat.
    Say(String),
}

/// Which of the unsent lines are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsentSelection {
    /// All of them.
    All,
    /// The one with this number.
    Number(u64),
}

impl UnsentSelection {
    /// A number in digits of any width, or the word for all.
    fn read(word: &str) -> Option<Self> {
        if matches!(word, "all" | "全部") {
            return Some(Self::All);
        }
        let ascii = |c: char| match c {
            '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
            c => Some(c).filter(char::is_ascii_digit),
        };
        let digits: Option<String> = word.chars().map(ascii).collect();
        digits?.parse().ok().map(Self::Number)
    }

    /// The word that [`UnsentSelection::of`] reads.
    fn word(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// What a parameter of the kind `Line` says.
    fn of(word: &str) -> Self {
        Self::read(word).expect("the parameter was read by this")
    }
}

/// Why a line is no statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// There is nothing on it.
    Empty,
    /// No command begins like this.
    Unknown,
    /// Commands with a slash begin with this word, and none of them goes on like this.
    Words(&'static str),
    /// Something is missing or too much; the command says what it should be.
    Form(Command),
    /// This stands where a duration can, and is none that can be read.
    Duration(String),
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
pub fn parse(scope: Scope, line: &str) -> Result<Statement, ParseError> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Err(ParseError::Empty);
    }
    let mut error = ParseError::Unknown;
    for command in commands_of(scope) {
        match command.read(trimmed) {
            // Only a chat can have the room.
            CommandMatch::Command(Statement::Ask(asked))
                if asked.lacks_room() && scope != Scope::Chat =>
            {
                error = ParseError::Form(command);
            }
            CommandMatch::Command(statement) => return Ok(statement),
            CommandMatch::Other => {}
            CommandMatch::Malformed => error = ParseError::Form(command),
            CommandMatch::NoDuration(typed) => error = ParseError::Duration(typed),
        }
    }
    if error == ParseError::Unknown
        && let Some(word) = slash_word(scope, trimmed)
    {
        return Err(ParseError::Words(word));
    }
    if scope != Scope::Chat {
        return Err(error);
    }
    match (error, trimmed.strip_prefix(['/', WIDE_SLASH])) {
        (error @ (ParseError::Form(_) | ParseError::Duration(_)), _) => Err(error),
        // Two slashes stand for one that begins a text, which is the second.
        (_, Some(text)) if text.starts_with(['/', WIDE_SLASH]) => {
            Ok(Statement::Say(text.to_owned()))
        }
        (_, Some(_)) => Err(ParseError::Unknown),
        // What is said keeps its spaces, and its full-width characters.
        (_, None) => Ok(Statement::Say(line.to_owned())),
    }
}

/// The first word of a line, if commands with a slash begin with it.
fn slash_word(scope: Scope, line: &str) -> Option<&'static str> {
    let slash = commands_of(scope).filter(Command::is_slash);
    let mut words = slash.map(|command| command.first_word());
    words.find(|word| after_head(word, line).is_some())
}

/// Whether a line sends this text: as a message, a reply, an edit or an action.
pub fn sends(line: &str, text: &str) -> bool {
    [Scope::Chat, Scope::Contact].into_iter().any(|scope| {
        let sent = match parse(scope, line) {
            Ok(
                Statement::Say(sent)
                | Statement::Reply(_, sent)
                | Statement::Edit(_, Some(sent))
                | Statement::Send(_, sent),
            ) => sent,
            Ok(Statement::Action(does)) => of_action(&does),
            Ok(_) => return false,
            // What is no command is sent as it is, after a question.
            Err(_) => line.to_owned(),
        };
        sent.trim() == text.trim()
    })
}

/// The words of a line that name its command, without what the command is about.
pub fn command_words(line: &str) -> String {
    let heads = commands().map(|command| command.words());
    let heads = heads.filter(|head| after_head(head, line).is_some());
    let words = heads.map(|head| head.split(' ').count()).max();
    let mut parts = line.split_whitespace();
    if let Some(words) = words {
        return parts.take(words).collect::<Vec<_>>().join(" ");
    }
    // The name of a room, before the sign that makes it a command.
    let first = parts.next().unwrap_or_default();
    let end = first.find(['=', '＝']).unwrap_or(first.len());
    first[..end].to_owned()
}

/// `s/old/new/`, which edits the last message: what is replaced, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitution {
    old: String,
    new: String,
    /// Whether it is replaced everywhere.
    is_global: bool,
}

impl Substitution {
    /// Reads a line; the slashes may be the wide ones. `\/` stands for a slash in a text.
    pub fn read(line: &str) -> Option<Self> {
        let mut line = line.trim().chars();
        let is_slash = |c: char| c == '/' || c == WIDE_SLASH;
        let begins = line.next().is_some_and(|c| ascii_form(c) == 's');
        if !begins || !line.next().is_some_and(is_slash) {
            return None;
        }
        let mut parts = vec![String::new()];
        while let Some(c) = line.next() {
            let is_escaped = c == '\\' && line.clone().next().is_some_and(is_slash);
            let last = parts.last_mut().expect("there is one");
            match c {
                _ if is_escaped => last.extend(line.next()),
                c if is_slash(c) => parts.push(String::new()),
                c => last.push(c),
            }
        }
        let [old, new, flags] = <[String; 3]>::try_from(parts).ok()?;
        let flags: String = flags.chars().map(ascii_form).collect();
        let is_global = flags == "g";
        let is_meant = !old.is_empty() && (is_global || flags.is_empty());
        is_meant.then_some(Self {
            old,
            new,
            is_global,
        })
    }

    /// The text with the change; `None` if it does not have what is replaced.
    pub fn of(&self, text: &str) -> Option<String> {
        let count = if self.is_global { usize::MAX } else { 1 };
        text.contains(&self.old)
            .then(|| text.replacen(&self.old, &self.new, count))
    }
}

/// Begins a message that says what its sender does.
const ACTION: &str = "/me ";

/// What the sender of a message does, if it says that.
pub fn action(content: &str) -> Option<&str> {
    let does = content.strip_prefix(ACTION)?;
    (!does.trim().is_empty()).then_some(does)
}

/// The text of a message as it stands behind the name of its sender: what the sender does begins with a star.
pub fn as_shown(content: &str) -> Cow<'_, str> {
    match action(content) {
        Some(does) => Cow::Owned(format!("* {does}")),
        None => Cow::Borrowed(content),
    }
}

/// The message that says what its sender does.
pub fn of_action(does: &str) -> String {
    format!("{ACTION}{does}")
}

/// Whether a line of chat is a command of another mode, typed in the wrong place.
pub fn looks_like_command(line: &str) -> bool {
    let line = line.trim();
    // In Chinese a message of its own.
    if line == "？" {
        return false;
    }
    let elsewhere = |command: &Command| !command.is_in(Scope::Chat) && command.is_telling();
    let is_meant = |command: Command| match command.read(line) {
        // Of an address with a query only its form is that of a room with members.
        CommandMatch::Command(Statement::Ask(asked)) if command.is_sign() => {
            // Full-width signs between words are those of a sentence.
            !line.contains(['＝', '＋'])
                && asked
                    .room()
                    .is_some_and(|room| RoomName::new(&room).is_ok())
                && asked.users().iter().all(|name| Username::new(name).is_ok())
        }
        // A sentence may begin with a word that is a command's, but not with its signs.
        CommandMatch::Malformed | CommandMatch::NoDuration(_) => {
            !command.words().starts_with(char::is_alphabetic)
        }
        CommandMatch::Command(Statement::Ask(asked)) if asked.lacks_room() => {
            !command.words().starts_with(char::is_alphabetic)
        }
        CommandMatch::Command(_) => true,
        CommandMatch::Other => false,
    };
    !line.is_empty()
        && (commands().filter(elsewhere).any(is_meant)
            || is_keyword_search(line)
            || is_way_out(line)
            || is_mistyped(line))
}

/// The command with a slash that does in a chat what a line does in another mode; `None` if there is none.
pub fn slash_form(line: &str) -> Option<String> {
    let scopes = [Scope::Contact, Scope::Query, Scope::Command];
    let statement = scopes.iter().find_map(|scope| parse(*scope, line).ok())?;
    let words = match &statement {
        Statement::Ask(typed) => return typed.slash_line(),
        Statement::Open(target) => format!("/msg {}", typed_target(target)),
        Statement::Send(target, text) => format!("/msg {} {text}", typed_target(target)),
        Statement::Rooms => "/rooms".to_owned(),
        Statement::Friends => "/friends".to_owned(),
        Statement::Pending => "/requests".to_owned(),
        Statement::Unread => "/unread".to_owned(),
        Statement::Who => "/who".to_owned(),
        Statement::Help => "/help".to_owned(),
        _ => return None,
    };
    Some(words)
}

/// A target as it is typed behind `/msg`.
fn typed_target(target: &Target) -> String {
    match target {
        Target::Room(room) => format!("#{room}"),
        Target::Friend(name) => name.clone(),
    }
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
