//! Puts messages in the order of their ids, each once, across lost connections.
//!
//! After a reconnect the messages that were missed are asked for, page by page, while new ones
//! arrive already. New ones wait until the pages have reached them, or the server refuses the pages.

use std::collections::BTreeMap;

use echat_proto::param::TargetType;
use echat_proto::records::ChatMessage;

/// The messages of all conversations, as one sequence.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Everything up to this id has been let through; `None` before the first login.
    last: Option<u64>,
    /// Whether what came after `last` is not all there yet.
    behind: bool,
    /// Messages that are not stored yet, by id.
    held: BTreeMap<u64, ChatMessage>,
}

impl Feed {
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    pub(super) fn missed_after(&self) -> Option<u64> {
        self.last.filter(|_| self.behind)
    }

    /// The highest id that came; 0 for none.
    pub(super) fn seen(&self) -> u64 {
        let held = self.held.last_key_value().map_or(0, |(id, _)| *id);
        held.max(self.last.unwrap_or_default())
    }

    /// Whether a message was let through, or waits.
    pub(super) fn is_known(&self, id: u64) -> bool {
        self.last.is_some_and(|last| id <= last) || self.held.contains_key(&id)
    }

    /// A login. The first one's bundle is the beginning; at a later one it may leave a gap, so that
    /// everything since is asked for instead.
    pub(super) fn come_back(&mut self, bundle: &[ChatMessage]) -> Vec<ChatMessage> {
        if self.last.is_some() {
            self.behind = true;
            // The pages bring it again, and what the server has now is what counts.
            self.held.clear();
            return Vec::new();
        }
        self.last = Some(0);
        self.hold(bundle);
        self.release(u64::MAX)
    }

    /// A message that has just arrived.
    pub(super) fn live(&mut self, message: ChatMessage) -> Vec<ChatMessage> {
        if !self.is_known(message.id) {
            self.held.insert(message.id, message);
        }
        if self.behind || self.is_new() {
            Vec::new()
        } else {
            self.release(u64::MAX)
        }
    }

    /// A page of what was missed.
    pub(super) fn page(&mut self, messages: &[ChatMessage], more: bool) -> Vec<ChatMessage> {
        self.hold(messages);
        // An empty page that promises more would be asked for without end.
        self.behind = more && !messages.is_empty();
        let reached = messages
            .iter()
            .map(|message| message.id)
            .max()
            .unwrap_or_default();
        self.release(if self.behind { reached } else { u64::MAX })
    }

    /// What was missed cannot be had: messages that arrived since go through.
    pub(super) fn leave_gap(&mut self) -> Vec<ChatMessage> {
        self.behind = false;
        self.release(u64::MAX)
    }

    /// Puts a message as it is now in the place of one that is held, and says whether it is.
    pub(super) fn replace(&mut self, message: &ChatMessage) -> bool {
        let held = self.held.get_mut(&message.id);
        held.map(|held| held.clone_from(message)).is_some()
    }

    /// A room has another name; messages of it that are held arrived under the old one.
    pub(super) fn rename(&mut self, was: &str, name: &str) {
        for message in self.held.values_mut() {
            if message.target_type == TargetType::Room && message.target == was {
                name.clone_into(&mut message.target);
            }
        }
    }

    /// A user has another name; messages that are held were sent under the old one.
    pub(super) fn rename_user(&mut self, was: &str, name: &str) {
        for message in self.held.values_mut() {
            let is_private = message.target_type == TargetType::Friend;
            if is_private && message.target == was {
                name.clone_into(&mut message.target);
            }
            if message.sender == was {
                name.clone_into(&mut message.sender);
            }
        }
    }

    fn hold(&mut self, messages: &[ChatMessage]) {
        for message in messages {
            if !self.is_known(message.id) {
                self.held.insert(message.id, message.clone());
            }
        }
    }

    fn release(&mut self, up_to: u64) -> Vec<ChatMessage> {
        let waiting = match up_to.checked_add(1) {
            Some(next) => self.held.split_off(&next),
            None => BTreeMap::new(),
        };
        let released = std::mem::replace(&mut self.held, waiting);
        if let Some((id, _)) = released.last_key_value() {
            self.last = self.last.max(Some(*id));
        }
        released.into_values().collect()
    }
}
