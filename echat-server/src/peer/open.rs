//! An open channel: frames become messages in the inbox.

use super::inbox::Inbox;
use super::outbound::Outbound;
use super::timers::Timers;
use super::{FRAME_OVERHEAD, own};
use crate::clock::Now;
use crate::conn::End;
use crate::limits::SlidingWindow;
use echat_proto::Value;
use echat_proto::channel::{Channel, ChannelError, Opened};
use echat_proto::commands::{CloseReason, channel as command};
use std::time::Duration;

/// Unknown commands in [`ERROR_WINDOW`] that end a connection.
const ERRORS: usize = 20;
/// See [`ERRORS`].
const ERROR_WINDOW: Duration = Duration::from_mins(1);

/// An open channel, and what is true only while it is open.
pub(super) struct OpenChannel {
    pub(super) channel: Box<Channel>,
    pub(super) inbox: Inbox,
    input: Input,
    pub(super) timers: Timers,
    /// When unknown commands came; most clients send none.
    errors: Option<Box<SlidingWindow>>,
}

/// Whether frames are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// Bytes come.
    Open,
    /// The client has closed its half. The frames that came before are still opened.
    HungUp,
    /// The inbox has the end of the channel: nothing more is read or opened.
    Ended,
}

impl OpenChannel {
    /// A channel whose handshake is done now. No user is logged in.
    pub(super) fn new(channel: Box<Channel>, now: Now) -> Self {
        Self {
            channel,
            inbox: Inbox::default(),
            input: Input::Open,
            timers: Timers::new(now.running),
            errors: None,
        }
    }

    /// Whether bytes from the socket are taken.
    pub(super) fn takes_bytes(&self) -> bool {
        self.input != Input::Ended
    }

    /// Whether more bytes are to be read, as far as the received ones decide. A frame within the limit of this channel,
    /// which may have been the setting of another time, is always read to its end.
    pub(super) fn wants_bytes(&self) -> bool {
        self.takes_bytes() && self.channel.waiting() < self.channel.receive_limit() + FRAME_OVERHEAD
    }

    /// Takes bytes from the socket. Returns the error of a bad frame.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        outbound: &mut Outbound,
        now: Now,
    ) -> Option<ChannelError> {
        self.timers.heard(now.running);
        self.channel.receive(bytes);
        self.open_frames(outbound)
    }

    /// The client has closed its half. Returns the error of a bad frame.
    pub(super) fn hang_up(&mut self, outbound: &mut Outbound) -> Option<ChannelError> {
        if self.input == Input::Open {
            self.input = Input::HungUp;
        }
        self.open_frames(outbound)
    }

    /// Removes the next entry of the inbox. Returns the error of a bad frame behind it.
    pub(super) fn remove_item(&mut self, outbound: &mut Outbound) -> Option<ChannelError> {
        if self.inbox.remove() {
            self.open_frames(outbound)
        } else {
            None
        }
    }

    /// Opens frames, as many as the inbox takes. PING is answered here, so it is answered even while a request
    /// waits for a worker. Returns the error of a bad frame.
    pub(super) fn open_frames(&mut self, outbound: &mut Outbound) -> Option<ChannelError> {
        let mut bad = None;
        while self.inbox.may_open() && self.input != Input::Ended {
            let sealed = self.channel.waiting();
            let opened = self.channel.next_opened();
            let bytes = sealed - self.channel.waiting();
            match opened {
                Ok(None) => {
                    if self.input == Input::HungUp {
                        self.end(End::Flush);
                    }
                    break;
                }
                Ok(Some(Opened::Messages(messages))) => self.inbox.push(messages),
                Ok(Some(Opened::Ping)) => outbound.push(own(command::PONG, Value::Null)),
                Ok(Some(Opened::Pong)) => {}
                Ok(Some(Opened::Close(_))) => self.end(End::Cut),
                Err(error) => {
                    bad = Some(error);
                    self.end(match error {
                        ChannelError::BadLength(_) | ChannelError::BadTag => End::Cut,
                        ChannelError::WornOut => End::Notify(CloseReason::KeyWornOut),
                        ChannelError::Malformed(_) => End::Notify(CloseReason::Malformed),
                    });
                }
            }
            self.inbox.count_opened(bytes);
        }
        bad
    }

    fn end(&mut self, end: End) {
        self.input = Input::Ended;
        self.inbox.push_end(end);
    }

    /// Counts an unknown command; true if there were too many.
    pub(super) fn count_error(&mut self, now: Now) -> bool {
        let errors = self.errors.get_or_insert_default();
        errors.add(now.running, ERROR_WINDOW);
        errors.len() >= ERRORS
    }
}
