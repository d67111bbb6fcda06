//! What a line may be continued with.

use super::table::{Kind, ROWS, Row, Shape};
use super::{Scope, WIDE_SLASH, after_head, with_ascii_slash};

/// Names to complete with, the most recent first.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Friends.
    pub users: Vec<String>,
    /// Rooms.
    pub rooms: Vec<String>,
    /// Those who may be spoken to in the open chat.
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
    let ascii = with_ascii_slash(line.trim_start());
    let from = line.len() - line.trim_start().len();
    let mut completion = completed(scope, &ascii, names);
    // What the ASCII form lacks stands before everything but a command.
    if completion.from > 0 {
        let wide = WIDE_SLASH.len_utf8() - '/'.len_utf8();
        completion.from += if ascii.len() + from < line.len() {
            wide
        } else {
            0
        };
    }
    completion.from += from;
    completion
}

fn completed(scope: Scope, line: &str, names: &Names) -> Completion {
    let from = line.len() - line.trim_start().len();
    let begun = &line[from..];
    let rows = || ROWS.iter().filter(|row| row.is_in(scope));
    if let Some(completion) = rows().find_map(|row| row.complete(line, names)) {
        return completion;
    }
    let heads = rows().filter(|row| !matches!(row.shape, Shape::Members(_)));
    let mut candidates: Vec<String> = heads
        .filter(|row| begins(row.head, begun))
        .map(|row| match row.shape {
            Shape::Alone(_) => row.head.to_owned(),
            _ => format!("{} ", row.head),
        })
        .collect();
    if scope == Scope::Chat && !begun.starts_with(['/', '\\']) {
        return last_word(line, &names.here, "");
    }
    if scope == Scope::Contact && !begun.is_empty() {
        let rooms = names.rooms.iter().filter(|room| begins(room, begun));
        candidates.extend(rooms.map(|room| format!("{room}+=")));
    }
    Completion { from, candidates }
}

impl Row {
    /// Completes the name that follows the words of the row, if they are there.
    fn complete(&self, line: &str, names: &Names) -> Option<Completion> {
        let (kind, after) = match self.shape {
            Shape::Name(kind, _) => (Some(kind), ""),
            Shape::NameText(kind, _) => (Some(kind), " "),
            Shape::Maybe(kind, _) => (kind, ""),
            Shape::Members(_) => {
                let (_, begun) = line.split_once(self.head)?;
                let begun = begun.rsplit('+').next().unwrap_or(begun).trim_start();
                return Some(beginning_with(line, begun, names.users.iter(), ""));
            }
            Shape::Alone(_) | Shape::Word(_) | Shape::Number(_) => return None,
        };
        let name = after_head(self.head, line)?;
        // Directly behind the words there is nothing to complete yet, and behind the name no more.
        if name.contains(char::is_whitespace) || line.ends_with(self.head) {
            return None;
        }
        if !name.is_empty() && line.ends_with(char::is_whitespace) {
            return None;
        }
        Some(match kind {
            Some(Kind::User) => beginning_with(line, name, names.users.iter(), after),
            Some(Kind::Room) => beginning_with(line, name, names.rooms.iter(), after),
            None => beginning_with(line, name, names.rooms.iter().chain(&names.users), after),
        })
    }
}

fn last_word(line: &str, names: &[String], after: &str) -> Completion {
    let begun = line.rsplit(char::is_whitespace).next().unwrap_or(line);
    if begun.is_empty() {
        return Completion::default();
    }
    let name = begun.strip_prefix('@').unwrap_or(begun);
    beginning_with(line, name, names.iter(), after)
}

fn beginning_with<'a>(
    line: &str,
    begun: &str,
    names: impl Iterator<Item = &'a String>,
    after: &str,
) -> Completion {
    let found = names.filter(|name| begins(name, begun));
    Completion {
        from: line.len() - begun.len(),
        candidates: found.map(|name| format!("{name}{after}")).collect(),
    }
}

/// Names are in lower case, whatever is typed.
fn begins(word: &str, begun: &str) -> bool {
    word.starts_with(&begun.to_lowercase())
}
