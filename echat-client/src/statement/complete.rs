//! What a line may be continued with.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::table::{Kind, ROWS, Row, Shape};
use super::{Scope, after_head, ascii_form, one_word};
use crate::target::Target;

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
    /// Users who may be named in the text that is typed.
    pub here: Vec<String>,
    /// Whether the chat of a room is open.
    pub in_room: bool,
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
    let rows = || ROWS.iter().filter(|row| row.is_in(scope));
    if let Some(completion) = rows().find_map(|row| row.complete(line, names)) {
        return completion;
    }
    let in_chat = scope == Scope::Chat;
    if in_chat && !prefix.starts_with(['/', '\\', '／', '＼', '、']) {
        return in_text(line, from, &names.here);
    }
    let heads = rows().filter(|row| !matches!(row.shape, Shape::Members(_)));
    let heads = heads.filter(|row| row.works(names.in_room));
    let mut candidates: Vec<String> = heads
        .filter(|row| begins_head(row.head, prefix))
        .map(|row| match row.shape {
            Shape::Alone(_) | Shape::InRoom(_) => row.head.to_owned(),
            _ => format!("{} ", row.head),
        })
        .collect();
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
    let mut rows = ROWS.iter().filter(|row| row.is_in(scope));
    rows.find_map(|row| match row.shape {
        Shape::NameText(kind, _) => {
            let (name, _) = after_head(row.head, line)?.split_once(char::is_whitespace)?;
            Some(kind.target(name.to_owned()))
        }
        _ => None,
    })
}

impl Row {
    /// Completes what follows the words of the row, if they are there.
    fn complete(&self, line: &str, names: &Names) -> Option<Completion> {
        let (kind, after) = match self.shape {
            Shape::Name(kind, _) => (Some(kind), ""),
            Shape::NameText(kind, _) => (Some(kind), " "),
            Shape::Maybe(_) => (None, ""),
            Shape::RoomOrOpen(_) => (Some(Kind::Room), ""),
            Shape::Members(_) => {
                let (room, _) = line.split_once(['=', '＝'])?;
                one_word(room.trim())?;
                let (_, prefix) = line.rsplit_once(SIGNS)?;
                return Some(beginning_with(line, prefix.trim_start(), &names.users, ""));
            }
            Shape::Alone(_) | Shape::InRoom(_) | Shape::Word(_) | Shape::Number(_) => return None,
        };
        let rest = after_head(self.head, line)?;
        let is_spaced = line.ends_with(char::is_whitespace);
        // Directly behind the words there is nothing to complete yet.
        if rest.is_empty() && !is_spaced {
            return None;
        }
        if let Some((_, text)) = rest.split_once(char::is_whitespace) {
            let is_text = matches!(self.shape, Shape::NameText(..)) && !is_spaced;
            return is_text.then(|| in_text(line, line.len() - text.len(), &names.here));
        }
        if !rest.is_empty() && is_spaced {
            return None;
        }
        let with = |known: &[String]| beginning_with(line, rest, known, after);
        Some(match kind {
            Some(Kind::User) => with(&names.users),
            Some(Kind::Room) => with(&names.rooms),
            Some(Kind::Asker) => with(&names.askers),
            None => with(&[&names.rooms[..], &names.users[..]].concat()),
        })
    }
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
fn fold(text: &str) -> String {
    text.nfkd()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
        .nfkd()
        .collect()
}
