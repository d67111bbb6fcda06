//! What a connection says: frames opened ahead of the tick that handles them, within bounds.

use super::{Heard, Item, Peer, Stage, own};
use crate::config::Limits;
use crate::conn::End;
use echat_proto::Value;
use echat_proto::channel::{ChannelError, Opened};
use echat_proto::commands::{CloseReason, RequestKind, channel as command};
use echat_proto::crypto::TAG;
use echat_proto::frame::HEADER;
use std::collections::VecDeque;

/// Sealed bytes opened ahead of the tick that handles them, a frame more at most. Beyond it bytes stay
/// sealed, and beyond a frame of them in the socket.
pub(super) const AHEAD: usize = 16 * 1024;
/// What a frame has besides its ciphertext.
pub(super) const FRAME_OVERHEAD: usize = HEADER + TAG;

impl Peer {
    /// Opens frames while not too much was opened before. PING is answered here, so that it is answered
    /// even while a request waits for a worker; messages wait as the bytes they came as, since decoded
    /// they may take thirty times as much.
    pub(super) fn open_frames(&mut self) {
        while self.ahead < AHEAD && !self.deaf {
            let Stage::Open(channel) = &mut self.stage else {
                return;
            };
            let sealed = channel.waiting();
            let opened = channel.next_opened();
            self.ahead += sealed - channel.waiting();
            match opened {
                Ok(None) => {
                    if self.hung_up {
                        self.end(End::Flush);
                    }
                    break;
                }
                Ok(Some(Opened::Messages(messages))) => {
                    self.inbox.push_back(Heard::Messages(messages));
                }
                Ok(Some(Opened::Ping)) => self.outbound.push(own(command::PONG, Value::Null)),
                Ok(Some(Opened::Pong)) => {}
                Ok(Some(Opened::Close(_))) => self.end(End::Cut),
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
        self.inbox.push_back(Heard::End(end));
    }

    /// The other end has closed its half. What was received before is still handled.
    pub(crate) fn hang_up(&mut self) {
        match &self.stage {
            Stage::Open(_) => {
                self.hung_up = true;
                self.open_frames();
            }
            // A goodbye is on its way, and whoever said all may still listen: it is written first.
            Stage::Closing(_) if !self.is_flushed() => {}
            _ => self.close_at_once(),
        }
    }

    /// The next thing to handle. It stays the next one until it is passed over.
    pub(crate) fn next_item(&self) -> Option<Item> {
        match self.inbox.front()? {
            Heard::Messages(messages) => {
                let bytes = messages.length();
                messages.peek().map(|message| Item::Request(message, bytes))
            }
            Heard::End(end) => Some(Item::End(*end)),
        }
    }

    /// Passes over the next thing to handle: it was handled.
    pub(crate) fn pass_item(&mut self) {
        if let Some(Heard::Messages(messages)) = self.inbox.front_mut() {
            messages.pass();
            if !messages.is_empty() {
                return;
            }
        }
        self.inbox.pop_front();
        if self.inbox.is_empty() {
            self.inbox = VecDeque::new();
            self.ahead = 0;
            self.open_frames();
        }
    }

    /// Whether the reply to the next thing to handle may be as long as a page.
    pub(super) fn asks_for_a_page(&self) -> bool {
        let Some(Heard::Messages(messages)) = self.inbox.front() else {
            return false;
        };
        let kind = messages.command().and_then(RequestKind::from_number);
        kind.is_some_and(RequestKind::is_paged)
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
                    && channel.waiting() < limits.frame_bytes + FRAME_OVERHEAD
                    && !self.is_backed_up(limits)
            }
        }
    }
}
