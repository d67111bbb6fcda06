//! Requests that were received and not handled, as bytes: decoded they may take thirty times as much.

use super::Item;
use crate::conn::End;
use echat_proto::channel::Messages;
use echat_proto::commands::RequestKind;
use smallvec::SmallVec;

/// Sealed bytes opened before the tick that handles them, and a frame more at most. Beyond it bytes stay
/// sealed, and beyond a frame of them in the socket.
pub(super) const AHEAD: usize = 16 * 1024;

/// An entry of the inbox.
#[derive(Debug)]
enum InboxItem {
    /// The messages of a frame that were not handled yet: one at least, and none the channel's own.
    Messages(Messages),
    /// The channel ends, and all entries before it were handled.
    End(End),
}

/// The inbox. It counts the sealed bytes of its entries, and nothing is opened beyond [`AHEAD`].
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Few: their frames have [`AHEAD`] bytes and one frame at most. One alone needs no allocation.
    entries: SmallVec<[InboxItem; 1]>,
    /// Sealed bytes opened since the inbox was last empty. Frames that put nothing into it do not count.
    opened: usize,
}

impl Inbox {
    /// Whether a further frame may be opened.
    pub(super) fn may_open(&self) -> bool {
        self.opened < AHEAD
    }

    /// Counts the sealed bytes of a frame, once its entry was added if it has one.
    pub(super) fn count_opened(&mut self, bytes: usize) {
        self.opened += bytes;
        if self.entries.is_empty() {
            self.opened = 0;
        }
    }

    /// Adds the messages of a frame.
    pub(super) fn push(&mut self, messages: Messages) {
        self.entries.push(InboxItem::Messages(messages));
    }

    /// Adds the end of the channel.
    pub(super) fn push_end(&mut self, end: End) {
        self.entries.push(InboxItem::End(end));
    }

    /// The next item, decoded.
    pub(super) fn next(&self) -> Option<Item> {
        match self.entries.first()? {
            InboxItem::Messages(messages) => {
                let bytes = messages.length();
                messages.peek().map(|message| Item::Request(message, bytes))
            }
            InboxItem::End(end) => Some(Item::End(*end)),
        }
    }

    /// Removes the next item. True if the inbox is empty by that.
    pub(super) fn remove(&mut self) -> bool {
        if let Some(InboxItem::Messages(messages)) = self.entries.first_mut() {
            messages.pass();
            if !messages.is_empty() {
                return false;
            }
        }
        self.entries.remove(0);
        if self.entries.is_empty() {
            self.clear();
        }
        self.entries.is_empty()
    }

    /// Whether the reply to the next request may be as long as a page.
    pub(super) fn asks_for_a_page(&self) -> bool {
        let Some(InboxItem::Messages(messages)) = self.entries.first() else {
            return false;
        };
        let kind = messages.command().and_then(RequestKind::from_number);
        kind.is_some_and(|kind| kind.answers().paged)
    }

    /// Bytes of the messages that were not handled.
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.entries.iter().map(|entry| match entry {
            InboxItem::Messages(messages) => messages.bytes(),
            InboxItem::End(_) => 0,
        });
        bytes.sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Removes all items, and gives their memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
