//! Puts messages in the order of their ids, each once, across lost connections.
//!
//! After a reconnect the messages that were missed are asked for, page by page, while new ones
//! arrive already. New ones wait until the pages have reached them, or the server refuses the pages. Only so many wait:
//! the others are dropped, and come with the pages.

use std::collections::BTreeMap;

use echat_proto::param::TargetType;
use echat_proto::records::{ChatMessage, NextPage};

use super::conversation::ENTRY;

/// Messages that arrived and wait for those before them: five pages of what was missed.
const HELD: usize = 1_000;
/// Bytes of them. A page has up to 240 KiB.
const HELD_BYTES: usize = 1 << 20;

/// The messages of all conversations, as one sequence.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Everything up to this id has been let through; `None` before the first login.
    last: Option<u64>,
    /// Whether what came after `last` is not all there yet.
    behind: bool,
    /// Messages that are not stored yet, by id.
    held: BTreeMap<u64, ChatMessage>,
    /// Bytes of them.
    bytes: usize,
    /// The highest id that came.
    seen: u64,
    /// The highest id of those that were dropped for want of room and did not come with a page yet.
    dropped: Option<u64>,
    /// Whether one was dropped since the last page came. A page that was asked for before that may lack it.
    drops: bool,
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
        self.seen.max(self.last.unwrap_or_default())
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
            self.clear();
            return Vec::new();
        }
        self.last = Some(0);
        // No server sends messages before the first bundle.
        self.clear();
        self.hold(bundle);
        self.release(u64::MAX)
    }

    /// A message that has just arrived.
    pub(super) fn live(&mut self, message: ChatMessage) -> Vec<ChatMessage> {
        if !self.is_known(message.id) {
            self.hold_if_room(message);
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
        let drops = std::mem::take(&mut self.drops);
        self.behind = drops || NextPage::after(messages.is_empty(), more) == NextPage::Ask;
        if !self.behind {
            self.dropped = None;
        }
        let reached = messages
            .iter()
            .map(|message| message.id)
            .max()
            .unwrap_or_default();
        self.release(if self.behind { reached } else { u64::MAX })
    }

    /// What was missed cannot be had: messages that arrived since go through. If some of them were dropped, all lie in
    /// the gap.
    pub(super) fn leave_gap(&mut self) -> Vec<ChatMessage> {
        self.behind = false;
        if self.dropped > self.last {
            self.last = self.last.max(Some(self.seen));
            self.clear();
        }
        self.release(u64::MAX)
    }

    /// Puts a message as it is now in the place of one that is held, and says whether it was.
    pub(super) fn replace(&mut self, message: &ChatMessage) -> bool {
        let held = self.held.remove(&message.id);
        let Some(held) = held else {
            return false;
        };
        self.bytes -= bytes(&held);
        self.hold_if_room(message.clone());
        true
    }

    /// A room has another name; messages of it that are held arrived under the old one.
    pub(super) fn rename(&mut self, was: &str, name: &str) {
        for message in self.held.values_mut() {
            if message.target_type == TargetType::Room && message.target == was {
                name.clone_into(&mut message.target);
            }
        }
        self.count();
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
        self.count();
    }

    /// Holds messages that are let through at once, or nearly so.
    fn hold(&mut self, messages: &[ChatMessage]) {
        for message in messages {
            if !self.is_known(message.id) {
                self.insert(message.clone());
            }
        }
    }

    /// Holds a message that may wait for long, or drops it until a page brings it.
    fn hold_if_room(&mut self, message: ChatMessage) {
        let has_room =
            self.held.len() < HELD && self.bytes.saturating_add(bytes(&message)) <= HELD_BYTES;
        if has_room || self.held.is_empty() {
            self.insert(message);
        } else {
            self.seen = self.seen.max(message.id);
            self.dropped = self.dropped.max(Some(message.id));
            self.drops = true;
        }
    }

    fn insert(&mut self, message: ChatMessage) {
        self.seen = self.seen.max(message.id);
        self.bytes += bytes(&message);
        self.held.insert(message.id, message);
    }

    /// Names have changed.
    fn count(&mut self) {
        self.bytes = self.held.values().map(bytes).sum();
    }

    fn clear(&mut self) {
        self.held.clear();
        self.bytes = 0;
        (self.dropped, self.drops) = (None, false);
    }

    fn release(&mut self, up_to: u64) -> Vec<ChatMessage> {
        let waiting = match up_to.checked_add(1) {
            Some(next) => self.held.split_off(&next),
            None => BTreeMap::new(),
        };
        let released = std::mem::replace(&mut self.held, waiting);
        self.count();
        if let Some((id, _)) = released.last_key_value() {
            self.last = self.last.max(Some(*id));
        }
        released.into_values().collect()
    }
}

/// Bytes of a message that is held.
fn bytes(message: &ChatMessage) -> usize {
    let reactions = message.reactions.iter().flatten();
    let reactions = reactions.map(|reaction| &reaction.emoji);
    let lists = message.mentions.iter().flatten().chain(reactions);
    let lists: usize = lists.map(|text| ENTRY + text.len()).sum();
    lists + message.content.len() + message.sender.len() + message.target.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::param::Mark;

    fn message(id: u64, length: usize) -> ChatMessage {
        ChatMessage {
            id,
            username: "ann".to_owned(),
            sender: "bob".to_owned(),
            send_time: id,
            target: "room1".to_owned(),
            target_type: TargetType::Room,
            sent: false,
            content: "x".repeat(length),
            deleted: None,
            bot: Mark::default(),
            reply_to: None,
            edited: None,
            mentions: None,
            reactions: None,
        }
    }

    /// A connection that came back, with so many messages that arrived before the first page.
    fn behind(arrived: u64, length: usize) -> Feed {
        let mut feed = Feed::default();
        feed.come_back(&[]);
        feed.come_back(&[]);
        for id in 1..=arrived {
            assert_eq!(feed.live(message(id, length)), []);
            assert!(feed.held.len() <= HELD && feed.bytes <= HELD_BYTES + length);
        }
        feed
    }

    fn ids(messages: &[ChatMessage]) -> Vec<u64> {
        messages.iter().map(|message| message.id).collect()
    }

    #[test]
    fn what_is_not_held_comes_with_the_pages() {
        for (arrived, length) in [(900, 10), (1_400, 10), (300, 20_000)] {
            let mut feed = behind(arrived, length);
            let mut shown = Vec::new();
            let mut newest = arrived;
            while let Some(after) = feed.missed_after() {
                let page = (after + 1..=newest).take(200);
                let page: Vec<ChatMessage> = page.map(|id| message(id, length)).collect();
                let is_last = page.last().is_none_or(|last| last.id == newest);
                // More arrive while the page is on its way.
                if newest < arrived + 1_000 {
                    for _ in 0..250 {
                        newest += 1;
                        assert_eq!(feed.live(message(newest, length)), []);
                    }
                }
                shown.extend(ids(&feed.page(&page, !is_last)));
                assert!(shown.len() <= 10_000, "it asks without end");
            }
            assert_eq!(shown, (1..=newest).collect::<Vec<_>>());
            let last = newest + 1;
            assert_eq!(ids(&feed.live(message(last, length))), [last]);
        }
    }

    #[test]
    fn what_is_dropped_while_the_last_page_is_on_its_way_is_asked_for() {
        let mut feed = behind(200, 10);
        let newest = 1_700;
        for id in 201..=newest {
            assert_eq!(feed.live(message(id, 10)), []);
        }
        let page = |range: std::ops::RangeInclusive<u64>| -> Vec<ChatMessage> {
            range.map(|id| message(id, 10)).collect()
        };
        // The server made it before those came.
        let mut shown = ids(&feed.page(&page(1..=200), false));
        while let Some(after) = feed.missed_after() {
            let end = newest.min(after + 200);
            shown.extend(ids(&feed.page(&page(after + 1..=end), end < newest)));
        }
        assert_eq!(shown, (1..=newest).collect::<Vec<_>>());
    }

    #[test]
    fn a_gap_has_all_that_was_not_held() {
        let mut feed = behind(900, 10);
        assert_eq!(feed.leave_gap().len(), 900);
        let mut feed = behind(1_400, 10);
        assert_eq!(feed.leave_gap(), []);
        assert_eq!((feed.seen(), feed.missed_after()), (1_400, None));
        assert_eq!(ids(&feed.live(message(1_401, 10))), [1_401]);
        // A page brought what was dropped.
        let mut feed = behind(1_400, 10);
        for first in (0..7).map(|page| page * 200 + 1) {
            let page: Vec<ChatMessage> = (first..first + 200).map(|id| message(id, 10)).collect();
            feed.page(&page, true);
        }
        feed.live(message(1_401, 10));
        assert_eq!(ids(&feed.leave_gap()), [1_401]);
    }

    #[test]
    fn a_message_that_grows_while_it_is_held_counts() {
        let mut feed = behind(100, 10);
        for id in 1..=100 {
            assert!(feed.replace(&message(id, 200_000)));
            assert!(feed.bytes <= HELD_BYTES);
        }
        assert!(feed.missed_after().is_some());
    }
}
