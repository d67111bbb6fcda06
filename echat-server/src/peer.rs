//! One connection without its socket: bytes in, items out; messages in, bytes out. Knows no users,
//! no rooms and no mio.
//!
//! ```text
//! Hello ─ ClientHello ─> Responding ─ helper's answer ─> Finishing ─ FINISHED ─> Open ─> Closing
//! ```
//!
//! Any state may end in `Closed`. What must be answered by silence closes at once; what is answered
//! by CLOSE_NOTIFY is flushed for at most [`timers::FLUSH`].

mod outbound;
mod timers;

use crate::clock::Now;
use crate::config::Limits;
use crate::roster::End;
use echat_proto::channel::{Channel, ChannelError, Incoming, Message};
use echat_proto::commands::{CloseReason, channel as command};
use echat_proto::crypto::TAG;
use echat_proto::frame::HEADER;
use echat_proto::handshake::{
    AwaitClientFinished, AwaitClientHello, ClientHello, HandshakeError, Step,
};
use echat_proto::{Value, limits};
use outbound::Outbound;
use rand::CryptoRng;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Items decoded ahead of the tick that handles them. Beyond it bytes stay sealed, and beyond a
/// frame of them in the socket.
const INBOX: usize = 256;
/// Sealed bytes decoded ahead, a frame more at most: a value takes up to thirty times its bytes.
const AHEAD: usize = 16 * 1024;
/// What a frame has besides its ciphertext.
const FRAME_OVERHEAD: usize = HEADER + TAG;

/// What a connection has to say to the engine, in order.
#[derive(Debug)]
pub(crate) enum Item {
    /// A message that is not the channel's own.
    Request(Message),
    /// The channel ends, and what came before it was handled.
    End(End),
}

enum Stage {
    Hello(AwaitClientHello),
    Responding,
    Finishing(AwaitClientFinished),
    Open(Channel),
    Closing(Channel),
    Closed,
}

/// A connection without its socket.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, not a state"
)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    stage: Stage,
    inbox: VecDeque<Item>,
    outbound: Outbound,
    /// Whether this is one of the places kept to say that the server is full.
    spare: bool,
    /// Whether a user is logged in here.
    trusted: bool,
    /// Sealed bytes decoded since the inbox was last empty; what left nothing in it is not counted.
    ahead: usize,
    /// Whether the other end has closed its half: when all is decoded, that is the end.
    hung_up: bool,
    /// Whether nothing more is read: the other end is done, or what it sends cannot be understood.
    deaf: bool,
    accepted: Duration,
    /// Since when nobody has been logged in here.
    guest_since: Duration,
    heard: Duration,
    pinged: bool,
    closing_since: Option<Duration>,
    slow_since: Option<Duration>,
    errors: VecDeque<Duration>,
    fault: Option<ChannelError>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, spare: bool, now: Now) -> Self {
        Self {
            address,
            stage: Stage::Hello(AwaitClientHello::default()),
            inbox: VecDeque::new(),
            outbound: Outbound::default(),
            spare,
            trusted: false,
            ahead: 0,
            hung_up: false,
            deaf: false,
            accepted: now.running,
            guest_since: now.running,
            heard: now.running,
            pinged: false,
            closing_since: None,
            slow_since: None,
            errors: VecDeque::new(),
            fault: None,
        }
    }

    /// Takes bytes from the socket. A whole ClientHello is given back: a helper must answer it.
    pub(crate) fn receive(&mut self, bytes: &[u8], now: Now) -> Option<ClientHello> {
        if self.deaf {
            return None;
        }
        self.heard = now.running;
        self.pinged = false;
        match self.advance(bytes, now) {
            Ok(hello) => hello,
            Err(error) => {
                tracing::debug!(address = %self.address, %error, "handshake failed");
                self.close_at_once();
                None
            }
        }
    }

    fn advance(&mut self, bytes: &[u8], now: Now) -> Result<Option<ClientHello>, HandshakeError> {
        match std::mem::replace(&mut self.stage, Stage::Closed) {
            Stage::Hello(state) => match state.next(bytes)? {
                Step::More(state) => self.stage = Stage::Hello(state),
                Step::Next((hello, behind)) => {
                    // Nothing honest follows a hello before it is answered.
                    if !behind.is_empty() {
                        return Err(HandshakeError::BadFinished);
                    }
                    self.stage = Stage::Responding;
                    return Ok(Some(hello));
                }
            },
            Stage::Responding => return Err(HandshakeError::BadFinished),
            Stage::Finishing(state) => match state.next(bytes)? {
                Step::More(state) => self.stage = Stage::Finishing(state),
                Step::Next(channel) => {
                    self.stage = Stage::Open(channel);
                    self.guest_since = now.running;
                    if self.spare {
                        self.close(End::Notify(CloseReason::Full), now);
                    } else {
                        self.decode();
                    }
                }
            },
            Stage::Open(mut channel) => {
                channel.receive(bytes);
                self.stage = Stage::Open(channel);
                self.decode();
            }
            // What still comes while a goodbye is flushed is read and dropped, so that the goodbye
            // is not lost to a reset.
            stage @ (Stage::Closing(_) | Stage::Closed) => self.stage = stage,
        }
        Ok(None)
    }

    /// Goes on with a handshake that a helper has answered.
    pub(crate) fn respond(&mut self, flight: Vec<u8>, waiting: AwaitClientFinished) {
        if matches!(self.stage, Stage::Responding) {
            self.outbound.begin(flight);
            self.stage = Stage::Finishing(waiting);
        }
    }

    /// Opens frames while the inbox has places. PING is answered here, so that it is answered even
    /// while a request waits for a helper.
    fn decode(&mut self) {
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
        if matches!(self.stage, Stage::Open(_)) {
            self.hung_up = true;
            self.decode();
        } else {
            self.close_at_once();
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

    /// Whether so much waits for the peer that its requests are left alone.
    pub(crate) fn is_backed_up(&self, limits: &Limits) -> bool {
        self.outbound.waiting() > limits.send_queue_soft
    }

    /// Queues an encoded event; nothing if the connection is not open. A queue over
    /// `send_queue_hard` closes the connection.
    pub(crate) fn send(&mut self, event: Rc<[u8]>, limits: &Limits, now: Now) {
        self.reply(event, limits, now);
        if self.outbound.waiting() > limits.send_queue_hard {
            self.close_slow(now);
        }
    }

    /// Queues an encoded final reply. While much waits no request is handled, so that replies alone
    /// never close a connection.
    pub(crate) fn reply(&mut self, reply: Rc<[u8]>, limits: &Limits, now: Now) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        self.outbound.push(reply);
        if self.is_backed_up(limits) && self.slow_since.is_none() {
            self.slow_since = Some(now.running);
        }
    }

    fn close_slow(&mut self, now: Now) {
        self.outbound.drop_waiting();
        self.close(End::Notify(CloseReason::TooSlow), now);
    }

    /// Allows frames of the size that a login brings.
    pub(crate) fn trust(&mut self, limits: &Limits) {
        self.trusted = true;
        if let Stage::Open(channel) = &mut self.stage {
            channel.set_receive_limit(limits.frame_bytes);
        }
    }

    /// Notes that nobody is logged in here any more. The frame limit stays.
    pub(crate) fn distrust(&mut self, now: Now) {
        self.trusted = false;
        self.guest_since = now.running;
    }

    /// Whether a user is logged in here, or the connection is on its way out.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Ends the connection; what waits is flushed unless it is cut.
    pub(crate) fn close(&mut self, end: End, now: Now) {
        match (std::mem::replace(&mut self.stage, Stage::Closed), end) {
            // All is said to one who has said all: nothing is left to wait for.
            (Stage::Open(_), End::Flush) if self.is_flushed() => self.close_at_once(),
            (Stage::Open(channel), End::Notify(_) | End::Flush) => {
                if let End::Notify(reason) = end {
                    self.outbound
                        .push(own(command::CLOSE_NOTIFY, Value::Int(reason as u64)));
                }
                self.inbox = VecDeque::new();
                self.deaf = true;
                self.closing_since = Some(now.running);
                self.stage = Stage::Closing(channel);
            }
            (stage @ Stage::Closing(_), End::Notify(_) | End::Flush) => self.stage = stage,
            // No channel to say it on, or nothing to be said.
            _ => self.close_at_once(),
        }
    }

    /// Closes without a word.
    pub(crate) fn close_at_once(&mut self) {
        self.stage = Stage::Closed;
        self.inbox = VecDeque::new();
        self.outbound = Outbound::default();
    }

    /// Whether all is said and the socket may be dropped.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed)
    }

    /// Whether a goodbye is on its way.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing(_))
    }

    /// Whether everything was written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbound.waiting() == 0
    }

    /// The bytes to write next; sealed when they are asked for, so that what waits shares a frame.
    pub(crate) fn output(&mut self, rng: &mut impl CryptoRng) -> &[u8] {
        if let Stage::Open(channel) | Stage::Closing(channel) = &mut self.stage {
            self.outbound
                .seal(channel.sealer(), limits::FRAME_TO_CLIENT, rng);
        }
        self.outbound.bytes()
    }

    /// Notes that bytes were written.
    pub(crate) fn wrote(&mut self, bytes: usize, limits: &Limits, now: Now) {
        self.outbound.wrote(bytes);
        if !self.is_backed_up(limits) {
            self.slow_since = None;
        }
        if let Stage::Open(channel) = &self.stage
            && channel.is_worn_out()
        {
            self.close(End::Notify(CloseReason::KeyWornOut), now);
        }
    }
}

/// A channel command, encoded.
fn own(command: u32, params: Value) -> Rc<[u8]> {
    Message { command, params }
        .encode()
        .expect("channel commands have a wire form")
        .into()
}

#[cfg(test)]
mod tests;
