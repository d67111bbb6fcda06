//! Lines that were typed and are not acknowledged yet: each is sent until the server has it, and
//! has it once, since it always carries the same `txn_id`.
//!
//! One line is under way at a time, so that none overtakes another. Every line belongs to the user
//! who typed it and is never sent as another's. Reading and writing the file is the caller's.

use std::collections::VecDeque;

use echat_proto::commands::Request;
use echat_proto::names::{Content, TxnId};
use echat_proto::param::TargetType;
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// A line that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who typed it.
    pub user: String,
    /// By which the server knows it again.
    pub txn_id: TxnId,
    /// For whom.
    pub target: Target,
    /// The text.
    pub content: Content,
    /// Unix seconds.
    pub typed_at: u64,
}

impl Entry {
    /// The request that sends it.
    pub fn request(&self) -> Request {
        Request::SendMessage {
            target_type: self.target.target_type(),
            target: self.target.query(),
            content: self.content.clone(),
            txn_id: Some(self.txn_id.clone()),
        }
    }
}

/// A line of the file. Who typed it is the file's name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    txn_id: String,
    target_type: u8,
    target: String,
    content: String,
    typed_at: u64,
}

/// The lines that wait, in the order they were typed.
#[derive(Debug, Default)]
pub struct Outgoing {
    entries: VecDeque<Entry>,
    under_way: Option<TxnId>,
}

impl Outgoing {
    /// Adds a line at the end.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// The next line to send for this user, if none is under way; it is under way then.
    pub fn next(&mut self, user: &str) -> Option<&Entry> {
        if self.under_way.is_some() {
            return None;
        }
        let entry = self.entries.iter().find(|entry| entry.user == user)?;
        self.under_way = Some(entry.txn_id.clone());
        Some(entry)
    }

    /// The server has answered the line that is under way for good: it leaves.
    pub fn done(&mut self) -> Option<Entry> {
        let txn_id = self.under_way.take()?;
        let place = self
            .entries
            .iter()
            .position(|entry| entry.txn_id == txn_id)?;
        self.entries.remove(place)
    }

    /// The line under way has to be sent again: the connection is gone, or the server said later.
    pub fn again(&mut self) -> Option<&Entry> {
        let txn_id = self.under_way.take()?;
        self.entries.iter().find(|entry| entry.txn_id == txn_id)
    }

    /// How many lines of this user wait.
    pub fn waiting(&self, user: &str) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.user == user)
            .count()
    }

    /// Lines of this user that wait for a target, in order.
    pub fn waiting_for<'a>(
        &'a self,
        user: &'a str,
        target: &'a Target,
    ) -> impl Iterator<Item = &'a Entry> {
        let entries = self.entries.iter();
        entries.filter(move |entry| entry.user == user && entry.target == *target)
    }

    /// The file of a user: one JSON object a line.
    pub fn to_lines(&self, user: &str) -> String {
        let mut lines = String::new();
        for entry in self.entries.iter().filter(|entry| entry.user == user) {
            let kept = Kept {
                txn_id: entry.txn_id.to_string(),
                target_type: u8::from(entry.target.is_room()),
                target: entry.target.name().to_owned(),
                content: entry.content.to_string(),
                typed_at: entry.typed_at,
            };
            lines += &serde_json::to_string(&kept).expect("texts and numbers have a JSON form");
            lines.push('\n');
        }
        lines
    }

    /// Takes the lines of a user's file, before those typed since, and says how many it took and
    /// how many it could not read. A line that is there already is not taken again.
    pub fn load(&mut self, user: &str, lines: &str) -> (usize, usize) {
        let (mut taken, mut unreadable) = (Vec::new(), 0);
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let Some(entry) = read(user, line) else {
                unreadable += 1;
                continue;
            };
            let is_known = |other: &Entry| other.txn_id == entry.txn_id;
            if !self.entries.iter().any(is_known) && !taken.iter().any(is_known) {
                taken.push(entry);
            }
        }
        let count = taken.len();
        for entry in taken.into_iter().rev() {
            self.entries.push_front(entry);
        }
        (count, unreadable)
    }
}

fn read(user: &str, line: &str) -> Option<Entry> {
    let kept: Kept = serde_json::from_str(line).ok()?;
    let target_type = match kept.target_type {
        0 => TargetType::Friend,
        1 => TargetType::Room,
        _ => return None,
    };
    Some(Entry {
        user: user.to_owned(),
        txn_id: TxnId::new(kept.txn_id).ok()?,
        target: Target::new(target_type, kept.target),
        content: Content::new(kept.content).ok()?,
        typed_at: kept.typed_at,
    })
}

#[cfg(test)]
mod tests;
