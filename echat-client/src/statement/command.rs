//! A command: a row of the table under one of its names. How a line is read by it, and how help shows it.

use echat_proto::limits::{KEEP_DAYS_MAX, SLOW_SECONDS_MAX};

use super::row::{CommandMeaning, CommandRow, Count, Name, Parameter, ParameterKind, number_of};
use super::table::{HelpTopic, TOPICS};
use super::typed::{Arguments, TypedRequest};
use super::{Scope, Statement, UnsentSelection, after_head, ascii_form, duration, one_word};
use crate::text::{Language, Text};

/// Marks a room where something follows it.
pub(super) const ROOM_MARKS: [char; 2] = ['#', '＃'];
/// For how many accounts an invitation code can be (PROTOCOL.md, CREATE_INVITATION).
const MOST_USES: u64 = 10_000;
/// Words for uses of a code, behind their number.
const USES: &[&str] = &["个账号", "次", "个", "人", "uses", "use", "x"];

/// A row under one of its names.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    pub(super) row: &'static CommandRow,
    pub(super) name: &'static Name,
}

/// Commands are the same when they are the same name of the same row.
impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.name, other.name)
    }
}

impl Eq for Command {}

/// How a line is read by a command.
pub(super) enum CommandMatch {
    /// The line is this command.
    Command(Statement),
    /// The line is another command, or none.
    Other,
    /// The line is this command with something missing or too much.
    Malformed,
    /// The line is this command, and this is no duration that can be read.
    NoDuration(String),
}

/// Every command, in the order of the table.
pub(super) fn commands() -> impl Iterator<Item = Command> {
    TOPICS.iter().flat_map(|topic| commands_in(topic.rows))
}

fn commands_in(rows: &'static [CommandRow]) -> impl Iterator<Item = Command> {
    let names = |row: &'static CommandRow| row.names.iter().map(move |name| Command { row, name });
    rows.iter().flat_map(names)
}

/// The commands of a mode, in the order of the table.
pub(super) fn commands_of(scope: Scope) -> impl Iterator<Item = Command> {
    commands().filter(move |command| command.is_in(scope))
}

/// What can be typed, each as its form and what it does.
pub type HelpRows = Vec<(String, String)>;

/// The commands of a mode that do not begin with a slash. `in_room`: in the chat of a room.
pub fn help(scope: Scope, in_room: bool, language: Language) -> HelpRows {
    let own = commands_of(scope).filter(|command| !command.is_slash());
    own.map(|command| command.help(in_room, language)).collect()
}

/// A group of commands that begin with a slash.
#[derive(Clone, Debug)]
pub struct HelpGroup {
    /// What they are for.
    pub heading: Text<'static>,
    /// What is typed behind `/help` to list them.
    pub name: Text<'static>,
    /// Their first words.
    pub words: Vec<&'static str>,
}

/// The commands with a slash of a mode, in groups.
pub fn help_groups(scope: Scope) -> Vec<HelpGroup> {
    let groups = TOPICS.iter().map(|topic| {
        let slash = commands_in(topic.rows).filter(|command| command.is_in(scope));
        let slash = slash.filter(Command::is_slash);
        let mut words = Vec::new();
        for word in slash.map(|command| command.first_word()) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        HelpGroup {
            heading: topic.heading,
            name: topic.name,
            words,
        }
    });
    groups.filter(|group| !group.words.is_empty()).collect()
}

/// What `/help` shows of a word: the commands with this name, and behind a heading those of the group with this name.
/// If there are none of both, the commands of a mode whose names or descriptions contain it.
pub fn help_about(
    word: &str,
    scope: Scope,
    in_room: bool,
    language: Language,
) -> (HelpRows, Option<(Text<'static>, HelpRows)>) {
    let shown = |command: &Command| {
        command.is_in(scope) && (!command.is_slash() || command.is_shown(language))
    };
    let rows = |commands: &mut dyn Iterator<Item = Command>| -> HelpRows {
        commands
            .map(|command| command.help(in_room, language))
            .collect()
    };
    let languages = [Language::English, Language::Chinese];
    let is_named = |topic: &&HelpTopic| {
        let mut names = languages.iter().map(|language| language.say(topic.name));
        names.any(|name| name == plain(word))
    };
    let group = TOPICS.iter().find(is_named).map(|topic| {
        let rows = rows(&mut commands_in(topic.rows).filter(shown));
        (topic.heading, rows)
    });
    let group = group.filter(|(_, rows)| !rows.is_empty());
    let named = help_on(word, in_room, language);
    if group.is_some() || !named.is_empty() {
        return (named, group);
    }
    let wanted = plain(word);
    let contains = |command: &Command| {
        let does = plain((command.row.help)(language));
        command.words().contains(&wanted) || does.contains(&wanted)
    };
    let found = rows(&mut commands().filter(|command| shown(command) && contains(command)));
    (found, None)
}

/// The commands that begin with a word, with or without its slash, as [`help`] has them.
pub fn help_on(word: &str, in_room: bool, language: Language) -> HelpRows {
    let bare = |word: &str| plain(word).trim_start_matches(['/', '、']).to_owned();
    let meant = commands().filter(|command| bare(command.first_word()) == bare(word));
    let shown = meant.filter(|command| !command.is_slash() || command.is_shown(language));
    shown
        .map(|command| command.help(in_room, language))
        .collect()
}

/// The commands that begin with a slash, as [`help`] has them.
pub fn slash_commands(language: Language) -> HelpRows {
    let slash = commands().filter(|command| command.is_slash() && command.is_shown(language));
    slash.map(|command| command.help(true, language)).collect()
}

impl Command {
    /// The words that begin it.
    pub fn words(&self) -> &'static str {
        self.name.words
    }

    /// The first of them.
    pub(super) fn first_word(&self) -> &'static str {
        let words = self.words();
        words.split_once(' ').map_or(words, |(first, _)| first)
    }

    pub(super) fn is_in(&self, scope: Scope) -> bool {
        self.name.scopes.contains(&scope)
    }

    pub(super) fn is_slash(&self) -> bool {
        self.words().starts_with('/')
    }

    /// Whether help has it under this name. Of the names of a row that begin with a slash it has one, in the script of
    /// the language if there is one.
    fn is_shown(&self, language: Language) -> bool {
        let slash = || {
            self.row
                .names
                .iter()
                .filter(|name| name.words.starts_with('/'))
        };
        let is_fitting = |name: &&Name| name.words.is_ascii() == (language == Language::English);
        let chosen = slash().find(is_fitting).or_else(|| slash().next());
        chosen.is_some_and(|name| std::ptr::eq(name, self.name))
    }

    /// Whether the words are a sign, between a room and some users.
    pub(super) fn is_sign(&self) -> bool {
        self.words().ends_with('=')
    }

    pub(super) fn parameters(&self) -> &'static [Parameter] {
        self.row.parameters
    }

    /// Whether a sentence does not begin like this by chance. `n 2` may be one.
    pub(super) fn is_telling(&self) -> bool {
        let by_chance = |parameter: &Parameter| {
            matches!(
                parameter.kind,
                ParameterKind::Asker | ParameterKind::Target | ParameterKind::Words
            )
        };
        !self.parameters().iter().any(by_chance)
    }

    fn help(&self, in_room: bool, language: Language) -> (String, String) {
        let does = (self.row.help)(language).to_owned();
        (self.form(language, in_room), does)
    }

    /// What to type, as help shows it; `in_room`: in the chat of a room.
    pub fn form(&self, language: Language, in_room: bool) -> String {
        let parameters = self.parameters();
        if self.is_sign() {
            let mut each = parameters
                .iter()
                .map(|parameter| parameter.kind.placeholder(language));
            let room = each.next().unwrap_or_default();
            let user = each.next().unwrap_or_default();
            return format!("{room}{}{user}+{user}", self.words());
        }
        let mut form = self.words().to_owned();
        for (index, parameter) in parameters.iter().enumerate() {
            let mut shown = parameter.kind.placeholder(language);
            let is_here = parameter.kind == ParameterKind::Here;
            if is_here && (index + 1 < parameters.len() || self.follows_a_text()) {
                shown.insert(0, ROOM_MARKS[0]);
            }
            if parameter.count == Count::Any {
                shown += " ...";
            }
            let may_miss = if is_here {
                in_room || parameter.count == Count::Maybe
            } else {
                parameter.count != Count::One
            };
            if may_miss {
                shown = format!("[{shown}]");
            }
            form.push(' ');
            form += &shown;
        }
        form
    }

    /// Whether a row with the same words stands before it that takes any text: `/topic room1` is the text.
    fn follows_a_text(&self) -> bool {
        let before = commands().take_while(|other| !std::ptr::eq(other.row, self.row));
        let mut same = before.filter(|other| other.words() == self.words());
        same.any(|other| {
            let last = other.parameters().last();
            last.is_some_and(|parameter| parameter.kind.takes_rest())
        })
    }

    /// A line that is this command with these arguments.
    pub(super) fn line(&self, arguments: &Arguments) -> String {
        let mut words = arguments.words();
        if self.is_sign() {
            let mut next = || words.next().unwrap_or_default();
            let (room, users) = (next(), next());
            return format!("{}{}{}", room.join(""), self.words(), users.join("+"));
        }
        let mut line = self.words().to_owned();
        for (index, words) in words.enumerate() {
            let is_last = index + 1 == self.parameters().len();
            let is_marked = self.parameters()[index].kind == ParameterKind::Here && !is_last;
            for word in words {
                line += if is_marked { " #" } else { " " };
                line += &word;
            }
        }
        line
    }

    /// Reads a line.
    pub(super) fn read(&self, line: &str) -> CommandMatch {
        if self.is_sign() {
            return members(self.words(), line).map_or(CommandMatch::Other, |typed| {
                CommandMatch::Command(self.meaning(typed))
            });
        }
        let Some(rest) = after_head(self.words(), line) else {
            return CommandMatch::Other;
        };
        if self.parameters().is_empty() && !rest.is_empty() {
            return CommandMatch::Other;
        }
        match self.arguments(rest) {
            Ok(typed) => CommandMatch::Command(self.meaning(typed)),
            Err(misread) => misread,
        }
    }

    fn meaning(&self, typed: Vec<Vec<String>>) -> Statement {
        let arguments = Arguments::new(self.parameters(), typed);
        match &self.row.meaning {
            CommandMeaning::Local(statement) => statement(&arguments),
            CommandMeaning::Request(asks) => Statement::Ask(TypedRequest {
                command: *self,
                asks,
                arguments,
                has_slash: self.is_slash(),
            }),
        }
    }

    /// The words of each parameter, or why the line is not this command.
    fn arguments(&self, mut rest: &str) -> Result<Vec<Vec<String>>, CommandMatch> {
        let mut typed = Vec::new();
        let count = self.parameters().len();
        for (index, parameter) in self.parameters().iter().enumerate() {
            let mut words = Vec::new();
            let is_last = index + 1 == count;
            while let Some((word, behind)) = parameter.take(rest, is_last) {
                words.push(
                    parameter
                        .kind
                        .read(word)
                        .ok_or_else(|| parameter.misread(word))?,
                );
                rest = behind;
                if parameter.count != Count::Any {
                    break;
                }
            }
            let may_miss = parameter.count != Count::One || parameter.kind == ParameterKind::Here;
            if words.is_empty() && !may_miss {
                return Err(CommandMatch::Malformed);
            }
            typed.push(words);
        }
        if rest.is_empty() {
            Ok(typed)
        } else {
            Err(CommandMatch::Malformed)
        }
    }
}

impl Parameter {
    /// What a line is with a word here that cannot be meant.
    fn misread(self, word: &str) -> CommandMatch {
        if self.kind != ParameterKind::For {
            return CommandMatch::Malformed;
        }
        // `for` alone is a command that lacks something.
        duration::misread(word).map_or(CommandMatch::Malformed, |typed| {
            CommandMatch::NoDuration(typed.to_owned())
        })
    }

    /// What it takes from the beginning of a text, and what is behind that; `None` if it takes nothing.
    pub(super) fn take(self, text: &str, is_last: bool) -> Option<(&str, &str)> {
        if text.is_empty() {
            return None;
        }
        if self.kind.takes_rest() {
            return Some((text, ""));
        }
        if self.kind == ParameterKind::Number {
            let (word, behind) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let is_number = number_of(word).is_some_and(|number| number > 0);
            return is_number.then(|| (word, behind.trim_start()));
        }
        // A time behind it is none of these: `/invitation new 7d`.
        if self.kind == ParameterKind::Uses {
            let (word, behind) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            return uses(word).map(|_| (word, behind.trim_start()));
        }
        if self.kind == ParameterKind::For {
            return match duration::read(text) {
                Some((_, behind)) => Some((&text[..text.len() - behind.len()], behind)),
                // A duration that cannot be read is no reason, which would make a ban without an end of it.
                None => duration::is_meant(text).then_some((text, "")),
            };
        }
        let is_room = matches!(
            self.kind,
            ParameterKind::Here
                | ParameterKind::Room
                | ParameterKind::Joinable
                | ParameterKind::NewRoom
        );
        let text = match text.strip_prefix(ROOM_MARKS) {
            Some(room) if is_room => room,
            None if self.kind == ParameterKind::Here && !is_last => return None,
            _ => text,
        };
        let (word, behind) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Some((word, behind.trim_start()))
    }
}

impl ParameterKind {
    /// The highest number that it takes.
    fn most(self) -> u64 {
        match self {
            Self::Uses => MOST_USES,
            Self::Days => KEEP_DAYS_MAX,
            _ => u64::MAX,
        }
    }

    /// A word as it is kept; `None` if it cannot be meant.
    fn read(self, word: &str) -> Option<String> {
        match self {
            Self::Line => UnsentSelection::read(word).map(UnsentSelection::word),
            Self::Uses | Self::Days | Self::Number => {
                let number = match self {
                    Self::Uses => uses(word),
                    Self::Days => number_of(word).or_else(|| whole_days(word)),
                    _ => number_of(word),
                };
                number
                    .filter(|number| (1..=self.most()).contains(number))
                    .map(|number| number.to_string())
            }
            Self::NewRoom if is_privacy(word) => None,
            Self::For => duration::seconds(word).map(duration::form),
            Self::Switch => switch(word),
            Self::Slow => slow(word).map(|seconds| seconds.to_string()),
            Self::Keep => keep(word),
            _ => (!word.is_empty()).then(|| word.to_owned()),
        }
    }
}

/// Whether a word says who can join a room.
fn is_privacy(word: &str) -> bool {
    matches!(plain(word).as_str(), "public" | "private" | "公开" | "私密")
}

/// A word in small letters of ASCII width.
fn plain(word: &str) -> String {
    let word: String = word.chars().map(ascii_form).collect();
    word.to_lowercase()
}

/// `on` or `off`, in any of the words for them.
fn switch(word: &str) -> Option<String> {
    let switch = match plain(word).as_str() {
        "on" | "yes" | "true" | "1" | "开" | "开启" | "打开" | "是" => "on",
        "off" | "no" | "false" | "0" | "关" | "关闭" | "否" => "off",
        _ => return None,
    };
    Some(switch.to_owned())
}

/// The seconds of slow mode. The server takes up to an hour.
fn slow(word: &str) -> Option<u64> {
    let seconds = match switch(word) {
        Some(switch) if switch == "off" => 0,
        _ => duration::number(word).or_else(|| duration::seconds(word))?,
    };
    (seconds <= SLOW_SECONDS_MAX).then_some(seconds)
}

/// The days that messages are kept, or `server`.
fn keep(word: &str) -> Option<String> {
    let days = match plain(word).as_str() {
        "server" | "default" | "服务器" | "默认" => return Some("server".to_owned()),
        "forever" | "ever" | "all" | "永久" | "永远" => KEEP_DAYS_MAX,
        "none" | "nothing" | "不保留" => 0,
        word => match duration::number(word) {
            Some(days) => days,
            None => whole_days(word)?,
        },
    };
    (days <= KEEP_DAYS_MAX).then(|| days.to_string())
}

/// The days of a duration that is a number of them.
fn whole_days(word: &str) -> Option<u64> {
    let seconds =
        duration::seconds(word).filter(|seconds| seconds.is_multiple_of(duration::DAY))?;
    Some(seconds / duration::DAY)
}

/// A number of uses, with or without a word for them behind it.
fn uses(word: &str) -> Option<u64> {
    let word = plain(word);
    let mut units = USES.iter();
    let bare = units.find_map(|unit| word.strip_suffix(unit));
    number_of(bare.unwrap_or(&word))
}

/// `room=a+b` and `room+=a`; spaces around the signs do not count.
fn members(sign: &str, line: &str) -> Option<Vec<Vec<String>>> {
    let line = line.replace('＝', "=").replace('＋', "+");
    let (room, names) = line.split_once(sign)?;
    let room = one_word(room.trim()).filter(|room| !room.ends_with('+'))?;
    let names: Option<Vec<String>> = match names.trim() {
        "" => Some(Vec::new()),
        names => names.split('+').map(|name| one_word(name.trim())).collect(),
    };
    // Adding no one is not a command; a new room may have its owner alone.
    let names = names.filter(|names| sign == "=" || !names.is_empty())?;
    Some(vec![vec![room], names])
}
