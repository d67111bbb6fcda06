//! What a line may be continued with.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::command::{Command, ROOM_MARKS, commands_of};
use super::row::{Count, ParameterKind};
use super::{Scope, after_head, ascii_form, one_word};
use crate::target::Target;
use crate::text::{administration_command, administration_names};

/// How far before the cursor a name may begin, in characters. A name has up to 20, and twice as many
/// as it may be typed.
const REACH: usize = 40;
/// Signs between the names of a room's members, as they are typed.
const SIGNS: [char; 4] = ['+', '＋', '=', '＝'];

/// Names to complete with, the most recent first.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Friends.
    pub users: Vec<String>,
    /// Rooms.
    pub rooms: Vec<String>,
    /// Users with an open friend request.
    pub askers: Vec<String>,
    /// Rooms that the user is invited to.
    pub invited: Vec<String>,
    /// Users who may be named in the text that is typed.
    pub here: Vec<String>,
}

/// What may stand from a byte of the line to the cursor, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins.
    pub from: usize,
    /// What may stand there.
    pub candidates: Vec<String>,
}

/// Completes a line, given up to the cursor.
pub fn complete(scope: Scope, line: &str, names: &Names) -> Completion {
    let from = line.len() - line.trim_start().len();
    let prefix = &line[from..];
    if let Some(completion) = commands_of(scope).find_map(|command| command.complete(line, names)) {
        return completion;
    }
    let in_chat = scope == Scope::Chat;
    if in_chat && !prefix.starts_with(['/', '\\', '／', '＼', '、']) {
        return in_text(line, from, &names.here);
    }
    let words = commands_of(scope).filter(|command| !command.is_sign());
    let mut candidates: Vec<String> = words
        .filter(|command| begins_head(command.words(), prefix))
        .map(|command| match command.parameters() {
            [] => command.words().to_owned(),
            _ => format!("{} ", command.words()),
        })
        .collect();
    // A command with two forms is one candidate.
    candidates.dedup();
    if in_chat && candidates.is_empty() {
        return in_text(line, from, &names.here);
    }
    if scope == Scope::Contact && !prefix.is_empty() {
        let rooms = beginning_with(line, prefix, &names.rooms, "+=");
        candidates.extend(rooms.candidates);
    }
    Completion { from, candidates }
}

/// The target of the text that is typed, where the line names it.
pub fn addressee(scope: Scope, line: &str) -> Option<Target> {
    commands_of(scope).find_map(|command| match command.parameters() {
        [to, text] if text.kind == ParameterKind::Text => {
            let (name, _) = after_head(command.words(), line)?.split_once(char::is_whitespace)?;
            match to.kind {
                ParameterKind::User => Some(Target::Friend(name.to_owned())),
                ParameterKind::Room => Some(Target::Room(name.to_owned())),
                ParameterKind::Addressee => Some(addressed(name)),
                _ => None,
            }
        }
        _ => None,
    })
}

/// The target that a word of the kind `Addressee` names.
pub(super) fn addressed(word: &str) -> Target {
    match word.strip_prefix(ROOM_MARKS) {
        Some(room) => Target::Room(room.to_owned()),
        None => Target::Friend(word.to_owned()),
    }
}

impl Command {
    /// Completes what follows the words of the command, if they are there.
    fn complete(&self, line: &str, names: &Names) -> Option<Completion> {
        if self.is_sign() {
            let (room, _) = line.split_once(['=', '＝'])?;
            one_word(room.trim())?;
            let (_, prefix) = line.rsplit_once(SIGNS)?;
            return Some(beginning_with(line, prefix.trim_start(), &names.users, ""));
        }
        let mut rest = after_head(self.words(), line)?;
        let is_spaced = line.ends_with(char::is_whitespace);
        // Directly behind the words there is nothing to complete yet.
        if rest.is_empty() && !is_spaced {
            return None;
        }
        let orders =
            self.parameters().first().map(|first| first.kind) == Some(ParameterKind::Order);
        if orders && let Some(completion) = in_order(line, rest, is_spaced) {
            return Some(completion);
        }
        let mut parameters = self.parameters().iter().peekable();
        while let Some(parameter) = parameters.next() {
            let is_last = parameters.peek().is_none();
            let is_marked = parameter.kind == ParameterKind::Here && !is_last;
            let (mut word, mut behind) = match parameter.take(rest, is_last) {
                Some(taken) => taken,
                None if rest.is_empty() && !is_marked => ("", ""),
                None => continue,
            };
            while parameter.count == Count::Any && !behind.is_empty() {
                (word, behind) = parameter.take(behind, is_last).unwrap_or_default();
            }
            if parameter.count == Count::Any && is_spaced {
                word = "";
            }
            if parameter.kind == ParameterKind::Text && !is_spaced {
                return Some(in_text(line, line.len() - word.len(), &names.here));
            }
            if behind.is_empty() && (word.is_empty() || !is_spaced) {
                let after = if is_last { "" } else { " " };
                let known = parameter.kind.names(names)?;
                return Some(beginning_with(line, word, &known, after));
            }
            rest = behind;
        }
        None
    }
}

impl ParameterKind {
    /// The names to complete it with; `None` if it is no name.
    fn names(self, names: &Names) -> Option<Vec<String>> {
        match self {
            Self::User => Some(names.users.clone()),
            Self::Asker => Some(names.askers.clone()),
            Self::Room | Self::Here => Some(names.rooms.clone()),
            Self::Target => Some([&names.rooms[..], &names.users[..]].concat()),
            Self::Member => Some(names.here.clone()),
            Self::Joinable => Some([&names.invited[..], &names.rooms[..]].concat()),
            Self::Addressee => {
                let marked = names.rooms.iter().map(|room| format!("#{room}"));
                Some(names.users.iter().cloned().chain(marked).collect())
            }
            Self::Order => Some(administration_names()),
            Self::Switch => Some(vec!["on".to_owned(), "off".to_owned()]),
            Self::Words
            | Self::Text
            | Self::Line
            | Self::Uses
            | Self::Days
            | Self::Code
            | Self::NewRoom
            | Self::Topic
            | Self::Reason
            | Self::For
            | Self::Slow
            | Self::Keep
            | Self::Number
            | Self::Day
            | Self::Emoji
            | Self::File => None,
        }
    }
}

/// Completes a word behind the first one of a command of the administration: the second word of its name, or one of a
/// choice. `rest`: the command. `None` if the word is none of these.
fn in_order(line: &str, rest: &str, is_spaced: bool) -> Option<Completion> {
    let mut words: Vec<String> = rest.split_whitespace().map(fold).collect();
    let prefix = if is_spaced {
        ""
    } else {
        rest.split_whitespace().next_back()?
    };
    if !is_spaced {
        words.pop();
    }
    let begun = words.first().map(|first| format!("{first} "))?;
    let names = administration_names();
    let seconds = names.iter().filter(|_| words.len() == 1);
    let seconds: Vec<String> = seconds
        .filter_map(|name| Some(name.strip_prefix(&begun)?.to_owned()))
        .collect();
    let mut completion = beginning_with(line, prefix, &seconds, " ");
    if let Some((command, behind)) = administration_command(&words) {
        let choices = command.choices(behind.len());
        let choices = beginning_with(line, prefix, &choices, "");
        completion.candidates.extend(choices.candidates);
    }
    (!completion.candidates.is_empty()).then_some(completion)
}

/// Completes a name in a text that begins at `from`. The word is the longest that ends at the cursor and
/// begins a name: Chinese has no spaces to tell where a word begins. Behind a lone `@` it is empty.
fn in_text(line: &str, from: usize, names: &[String]) -> Completion {
    let text = &line[from..];
    let known: Vec<(String, &String)> = names.iter().map(|name| (fold(name), name)).collect();
    let back = text.char_indices().rev().take(REACH);
    let reach = back.last().map_or(0, |(at, _)| at);
    for start in starts(text).filter(|start| *start >= reach) {
        let prefix = fold(&text[start..]);
        let fitting = known
            .iter()
            .filter(|(folded, _)| folded.starts_with(&prefix));
        let candidates: Vec<String> = fitting.map(|(_, name)| (*name).clone()).collect();
        if !candidates.is_empty() {
            let from = from + start;
            return Completion { from, candidates };
        }
    }
    let is_mention = text.ends_with(['@', '＠']);
    Completion {
        from: line.len(),
        candidates: if is_mention {
            names.to_vec()
        } else {
            Vec::new()
        },
    }
}

/// Where a name may begin in a text: behind what is no letter or digit, whatever bracket or quote it is,
/// and where a word begins (UAX 29), which is before each Chinese character. In order.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut words = text.split_word_bound_indices().map(|(at, _)| at).peekable();
    let mut before = None;
    text.char_indices().filter_map(move |(at, c)| {
        while words.next_if(|word| *word < at).is_some() {}
        let is_word = words.peek() == Some(&at);
        let is_start = is_word
            || before
                .replace(c)
                .is_some_and(|c: char| !c.is_alphanumeric());
        before = Some(c);
        is_start.then_some(at)
    })
}

fn beginning_with(line: &str, prefix: &str, names: &[String], after: &str) -> Completion {
    let folded = fold(prefix);
    let found = names.iter().filter(|name| fold(name).starts_with(&folded));
    Completion {
        from: line.len() - prefix.len(),
        candidates: found.map(|name| format!("{name}{after}")).collect(),
    }
}

/// Whether the words of a command begin with what is typed, in full-width characters or not.
fn begins_head(head: &str, prefix: &str) -> bool {
    let mut wanted = head.chars();
    prefix.chars().enumerate().all(|(index, typed)| {
        let wanted = wanted.next();
        let is_slash = index == 0 && typed == '、' && matches!(wanted, Some('/' | '\\'));
        is_slash || wanted == Some(ascii_form(typed).to_ascii_lowercase())
    })
}

/// The form in which names are compared: compatibility characters, case and composition do not count.
pub(super) fn fold(text: &str) -> String {
    text.nfkd()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
        .nfkd()
        .collect()
}
