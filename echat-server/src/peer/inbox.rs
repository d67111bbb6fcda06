//! What a connection says: frames opened ahead of the tick that handles them, within bounds.

use super::{Item, Peer, Stage, own};
use crate::config::Limits;
use crate::conn::End;
use echat_proto::Value;
use echat_proto::channel::{ChannelError, Incoming};
use echat_proto::commands::{CloseReason, channel as command};
use echat_proto::crypto::TAG;
use echat_proto::frame::HEADER;
use std::collections::VecDeque;

/// Items decoded ahead of the tick that handles them. Beyond it bytes stay sealed, and beyond a
/// frame of them in the socket.
pub(super) const INBOX: usize = 256;
/// Sealed bytes decoded ahead, a frame more at most: a value takes up to thirty times its bytes.
pub(super) const AHEAD: usize = 16 * 1024;
/// What a frame has besides its ciphertext.
pub(super) const FRAME_OVERHEAD: usize = HEADER + TAG;

impl Peer {
    /// Opens frames while the inbox has places. PING is answered here, so that it is answered even
    /// while a request waits for a helper.
    pub(super) fn decode(&mut self) {
        while self.inbox.len() < INBOX && self.ahead < AHEAD && !self.deaf {
            let Stage::Open(channel) = &mut self.stage else {
                return;
            };
            let sealed = channel.waiting();
            let incoming = channel.next_incoming();
            self.ahead += sealed - channel.waiting();
            match incoming {
                Ok(None) => {
                    if self.hung_up {
                        self.end(End::Flush);
                    }
                    break;
                }
                Ok(Some(Incoming::Message(message))) => {
                    self.inbox.push_back(Item::Request(message));
                }
                Ok(Some(Incoming::Ping)) => self.outbound.push(own(command::PONG, Value::Null)),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Close(_))) => self.end(End::Cut),
                Err(error) => {
                    self.fault = Some(error);
                    self.end(match error {
                        ChannelError::BadLength(_) | ChannelError::BadTag => End::Cut,
                        ChannelError::WornOut => End::Notify(CloseReason::KeyWornOut),
                        ChannelError::Malformed(_) => End::Notify(CloseReason::Malformed),
                    });
                }
            }
            if self.inbox.is_empty() {
                self.ahead = 0;
            }
        }
    }

    /// What was wrong with a frame, once.
    pub(crate) fn take_fault(&mut self) -> Option<ChannelError> {
        self.fault.take()
    }

    fn end(&mut self, end: End) {
        self.deaf = true;
        self.inbox.push_back(Item::End(end));
    }

    /// The other end has closed its half. What was received before is still handled.
    pub(crate) fn hang_up(&mut self) {
        match &self.stage {
            Stage::Open(_) => {
                self.hung_up = true;
                self.decode();
            }
            // A goodbye is on its way, and whoever said all may still listen: it is written first.
            Stage::Closing(_) if !self.is_flushed() => {}
            _ => self.close_at_once(),
        }
    }

    /// The next thing to handle.
    pub(crate) fn next_item(&mut self) -> Option<Item> {
        let item = self.inbox.pop_front();
        if self.inbox.is_empty() {
            self.inbox = VecDeque::new();
            self.ahead = 0;
            self.decode();
        }
        item
    }

    /// Puts an item back that could not be handled yet.
    pub(crate) fn put_back(&mut self, item: Item) {
        self.inbox.push_front(item);
    }

    /// Whether something waits to be handled.
    pub(crate) fn has_items(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether more bytes are welcome. Not while much waits for the peer, nor while it has said more
    /// than was handled.
    pub(crate) fn wants_bytes(&self, limits: &Limits) -> bool {
        match &self.stage {
            Stage::Hello(_) | Stage::Finishing(_) | Stage::Closing(_) => true,
            Stage::Responding | Stage::Closed => false,
            Stage::Open(channel) => {
                !self.deaf
                    && self.inbox.len() < INBOX
                    && channel.waiting() < limits.frame_bytes + FRAME_OVERHEAD
                    && !self.is_backed_up(limits)
            }
        }
    }
}
