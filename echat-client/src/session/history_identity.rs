//! Detects that the server's database was replaced by another history of messages: its ids went back, its history has
//! another name, or a known id belongs to another message.
//!
//! Then the session discards messages, ids and markers and starts from the bundle; unsent lines stay.

use std::collections::BTreeMap;

use echat_proto::records::ChatMessage;

use super::conversation::Conversation;
use crate::target::Target;

/// What the logins of this session told about the history in the server's database.
#[derive(Debug, Default)]
pub(super) struct HistoryIdentity {
    /// `history` of the last bundle that had it.
    name: Option<String>,
    /// `newest` of the last bundle that had it; 0 without one.
    newest: u64,
}

impl HistoryIdentity {
    /// Whether a bundle with these keys is of another history than the one before. `seen` is the
    /// highest message id that came otherwise. A key that is missing says nothing: servers of
    /// before do not send it.
    pub(super) fn differs(&self, name: Option<&str>, newest: Option<u64>, seen: u64) -> bool {
        let is_renamed = match (self.name.as_deref(), name) {
            (Some(known), Some(name)) => known != name,
            _ => false,
        };
        is_renamed || newest.is_some_and(|newest| newest < self.newest.max(seen))
    }

    /// `newest` of the last bundle that had it; 0 without one.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Records what the newest bundle says.
    pub(super) fn record(&mut self, name: Option<&str>, newest: Option<u64>) {
        if let Some(name) = name {
            self.name = Some(name.to_owned());
        }
        if let Some(newest) = newest {
            self.newest = newest;
        }
    }
}

/// Whether messages of a bundle cannot be of the history that the conversations hold: another
/// message under an id that is held, or one that is missing between two that are held. This finds
/// a restored database whose ids have grown beyond those known, as far as the bundle reaches back.
///
/// Names and texts change within a history: a user or a room is renamed, an account deleted, a message erased. So a
/// sender says nothing, a text that was deleted neither, and another target only if the old one still `exists`. A room
/// of which the reader was no member before (`is_new`) says nothing at all: it may be the old one, whose name another
/// room has now.
pub(super) fn contradicts(
    conversations: &BTreeMap<Target, Conversation>,
    bundle: &[ChatMessage],
    exists: &dyn Fn(&Target) -> bool,
    is_new: &dyn Fn(&Target) -> bool,
) -> bool {
    let told: BTreeMap<u64, &ChatMessage> =
        bundle.iter().map(|message| (message.id, message)).collect();
    let is_other = conversations.iter().any(|(target, held)| {
        held.lines().any(|post| {
            told.get(&post.id).is_some_and(|message| {
                let told_to = Target::new(message.target_type, message.target.clone());
                let is_deleted = message.deleted.unwrap_or(false) || post.deleted;
                let is_renamed = target.is_room() && told_to.is_room() && is_new(&told_to);
                (told_to != *target && !is_renamed && exists(target))
                    || message.send_time != post.time
                    // A text that was changed or deleted in the meantime is another one.
                    || (message.content != post.content
                        && message.edited.is_none()
                        && !is_deleted)
            })
        })
    });
    let is_missing = |message: &ChatMessage| {
        let target = Target::new(message.target_type, message.target.clone());
        conversations
            .get(&target)
            .is_some_and(|held| held.lacks(message.id))
    };
    is_other || bundle.iter().any(is_missing)
}
