//! One connection without its socket: bytes in, requests out; messages in, bytes out. Knows no users,
//! no rooms and no mio.
//!
//! ```text
//! Hello ─ ClientHello ─> Responding ─ worker's answer ─> Finishing ─ FINISHED ─> Open ─> Closing
//! ```
//!
//! Any state may end in `Closed`. What must be answered by silence closes at once; what is answered
//! by CLOSE_NOTIFY is flushed for at most [`timers::FLUSH`].

mod inbox;
mod outbound;
mod timers;

use crate::clock::Now;
use crate::config::Limits;
use crate::conn::{Departure, End};
use crate::limits::SlidingWindow;
use echat_proto::channel::{Channel, ChannelError, Draft, Message, Opened};
use echat_proto::commands::{CloseReason, RequestKind, SessionEffect, channel as command};
use echat_proto::crypto::TAG;
use echat_proto::frame::HEADER;
use echat_proto::handshake::{
    AwaitClientFinished, AwaitClientHello, ClientHello, HandshakeError, Step,
};
use echat_proto::{Value, limits};
use inbox::Inbox;
use outbound::Outbound;

pub(crate) use outbound::FrameBuffers;
use rand::CryptoRng;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use timers::{Due, Phase, Timers};

/// What a frame has besides its ciphertext.
const FRAME_OVERHEAD: usize = HEADER + TAG;

/// Unknown commands in [`ERROR_WINDOW`] that end a connection.
const ERRORS: usize = 20;
/// See [`ERRORS`].
const ERROR_WINDOW: Duration = Duration::from_mins(1);

/// The next entry of the inbox, for the engine.
#[derive(Debug)]
pub(crate) enum Item {
    /// A message that is not the channel's own, and how many bytes it was.
    Request(Message, usize),
    /// The channel ends, and what came before it was handled.
    End(End),
}

impl Item {
    /// Whether the session of the connection ends with it.
    pub(crate) fn ends_session(&self) -> bool {
        match self {
            Item::Request(message, _) => RequestKind::from_number(message.command)
                .is_some_and(|kind| kind.answers().session == SessionEffect::Ends),
            Item::End(_) => true,
        }
    }
}

enum Stage {
    Hello(AwaitClientHello),
    Responding,
    Finishing(Box<AwaitClientFinished>),
    Open(Box<Channel>),
    Closing(Box<Channel>),
    Closed,
}

/// A connection without its socket.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    stage: Stage,
    inbox: Inbox,
    outbound: Outbound,
    /// Whether the connection was admitted only to be told that the server is full.
    overflow: bool,
    /// Whether the other end has closed its half. The connection ends when all it sent is handled.
    hung_up: bool,
    /// Whether nothing more is read: the other end is done, or a frame was bad.
    reads_ended: bool,
    timers: Timers,
    /// When unknown commands came; most clients send none.
    errors: Option<Box<SlidingWindow>>,
    frame_error: Option<ChannelError>,
    /// Why the connection ends, as far as its end is known.
    departure: Option<Departure>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, overflow: bool, now: Now) -> Self {
        Self {
            address,
            stage: Stage::Hello(AwaitClientHello::default()),
            inbox: Inbox::default(),
            outbound: Outbound::default(),
            overflow,
            hung_up: false,
            reads_ended: false,
            timers: Timers::new(now.running),
            errors: None,
            frame_error: None,
            departure: None,
        }
    }

    /// Takes bytes from the socket. Returns a whole ClientHello, which a worker has to answer.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        now: Now,
    ) -> Option<ClientHello> {
        if self.reads_ended {
            return None;
        }
        self.timers.heard(now.running);
        let advanced = self.advance(bytes, now);
        // PINGs are answered at once, and the answers count towards the send queue.
        self.note_queue(limits, now);
        match advanced {
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
                    // A correct client sends nothing between its hello and the answer.
                    if !behind.is_empty() {
                        return Err(HandshakeError::BadFinished);
                    }
                    self.stage = Stage::Responding;
                    return Ok(Some(hello));
                }
            },
            Stage::Responding => return Err(HandshakeError::BadFinished),
            Stage::Finishing(state) => match state.next(bytes)? {
                Step::More(state) => self.stage = Stage::Finishing(Box::new(state)),
                Step::Next(channel) => {
                    self.stage = Stage::Open(Box::new(channel));
                    self.timers.unauthenticated(now.running);
                    if self.overflow {
                        self.close(End::Notify(CloseReason::Full), now);
                    } else {
                        self.open_frames();
                    }
                }
            },
            Stage::Open(mut channel) => {
                channel.receive(bytes);
                self.stage = Stage::Open(channel);
                self.open_frames();
            }
            // Bytes that arrive while the last ones are flushed are read and dropped: unread bytes would
            // reset the connection, and the goodbye would be lost.
            stage @ (Stage::Closing(_) | Stage::Closed) => self.stage = stage,
        }
        Ok(None)
    }

    /// Goes on with a handshake that a worker has answered.
    pub(crate) fn respond(&mut self, flight: Vec<u8>, waiting: Box<AwaitClientFinished>) {
        if matches!(self.stage, Stage::Responding) {
            self.outbound.begin(flight);
            self.stage = Stage::Finishing(waiting);
        }
    }

    /// Whether the send queue has space for the reply to the next request: for a page, if it may be one.
    /// So replies alone never make the queue too long, however slowly the client reads.
    pub(crate) fn has_queue_space(&self, limits: &Limits) -> bool {
        let reply = if self.inbox.asks_for_a_page() {
            limits::PAGE_BYTES
        } else {
            0
        };
        self.waiting() <= limits.send_queue_soft.saturating_sub(reply)
    }

    /// Whether the send queue is over `send_queue_soft`: no further request is read or handled.
    pub(crate) fn is_backed_up(&self, limits: &Limits) -> bool {
        self.waiting() > limits.send_queue_soft
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.outbound.waiting()
    }

    /// Queues encoded events; nothing if the connection is not open. A queue over `send_queue_hard` closes the connection.
    pub(crate) fn send(&mut self, events: &[Rc<[u8]>], limits: &Limits, now: Now) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        for event in events {
            self.outbound.push(Rc::clone(event));
            if self.waiting() > limits.send_queue_hard {
                return self.close_slow(now);
            }
        }
        self.note_queue(limits, now);
    }

    /// Queues an encoded final reply. While much waits no request is handled, so that replies alone
    /// never close a connection.
    pub(crate) fn reply(&mut self, reply: Rc<[u8]>, limits: &Limits, now: Now) {
        if !matches!(self.stage, Stage::Open(_)) {
            return;
        }
        self.outbound.push(reply);
        self.note_queue(limits, now);
    }

    /// Notes since when the send queue is over `send_queue_soft`.
    fn note_queue(&mut self, limits: &Limits, now: Now) {
        let is_over = self.is_backed_up(limits);
        self.timers.note_queue(is_over, now.running);
    }

    fn close_slow(&mut self, now: Now) {
        if !self.is_closing() {
            tracing::info!(address = %self.address, "too slow: closing");
        }
        self.outbound.drop_waiting();
        self.close(End::Notify(CloseReason::TooSlow), now);
    }

    /// A user is logged in here: larger frames are allowed.
    pub(crate) fn authenticate(&mut self, limits: &Limits) {
        self.timers.authenticated();
        if let Stage::Open(channel) = &mut self.stage {
            channel.set_receive_limit(limits.frame_bytes);
        }
    }

    /// The session ended; the connection stays, and so does its frame limit.
    pub(crate) fn end_session(&mut self, now: Now) {
        self.timers.unauthenticated(now.running);
    }

    /// Whether a user is logged in here.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.timers.is_authenticated()
    }

    /// Ends the connection. Queued output is flushed unless the connection is cut.
    pub(crate) fn close(&mut self, end: End, now: Now) {
        self.departure.get_or_insert(end.into());
        match (std::mem::replace(&mut self.stage, Stage::Closed), end) {
            // Both halves are done: nothing is left to wait for.
            (Stage::Open(_), End::Flush) if self.is_flushed() => self.close_at_once(),
            (Stage::Open(channel), End::Notify(_) | End::Flush) => {
                if let End::Notify(reason) = end {
                    self.outbound
                        .push(own(command::CLOSE_NOTIFY, Value::Int(reason as u64)));
                }
                self.inbox.clear();
                self.reads_ended = true;
                self.timers.closing(now.running);
                self.stage = Stage::Closing(channel);
            }
            (stage @ Stage::Closing(_), End::Notify(_) | End::Flush) => self.stage = stage,
            // There is no channel to send on, or nothing to send.
            _ => self.close_at_once(),
        }
    }

    /// The same, for a reason that the log names more exactly than the client is told.
    pub(crate) fn close_because(&mut self, departure: Departure, end: End, now: Now) {
        self.departure.get_or_insert(departure);
        self.close(end, now);
    }

    /// Why the connection ended.
    pub(crate) fn departure(&self) -> Departure {
        self.departure.unwrap_or(Departure::Closed)
    }

    /// Closes at once and sends nothing.
    pub(crate) fn close_at_once(&mut self) {
        self.stage = Stage::Closed;
        self.inbox.clear();
        self.outbound = Outbound::default();
    }

    /// Whether nothing of the handshake has come in full.
    pub(crate) fn awaits_hello(&self) -> bool {
        matches!(self.stage, Stage::Hello(_))
    }

    /// Whether the socket may be dropped.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed)
    }

    /// Whether the connection is being closed and its last bytes are on their way.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing(_))
    }

    /// Whether everything was written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.waiting() == 0
    }

    /// Whether messages wait that can be sealed now.
    pub(crate) fn has_unsealed(&self) -> bool {
        self.outbound.has_unsealed()
    }

    /// Lays out the next frame, to be sealed with those of other peers; `None` if no message is to be sealed now. This is
    /// done late, so that waiting messages share a frame. [`finish_sealing`](Self::finish_sealing) follows when the frame
    /// is sealed.
    pub(crate) fn draft(
        &mut self,
        buffers: &mut FrameBuffers,
        rng: &mut impl CryptoRng,
    ) -> Option<Draft<'_>> {
        let (Stage::Open(channel) | Stage::Closing(channel)) = &mut self.stage else {
            return None;
        };
        if !self.outbound.has_unsealed() {
            return None;
        }
        let limit = limits::FRAME_TO_CLIENT;
        self.outbound.draft(channel.sealer(), limit, buffers, rng)
    }

    /// Seals further frames for the same write. Sealed bytes are a little longer than messages, so the queue may then be
    /// over its limit.
    pub(crate) fn finish_sealing(&mut self, rng: &mut impl CryptoRng, limits: &Limits, now: Now) {
        if let Stage::Open(channel) | Stage::Closing(channel) = &mut self.stage {
            self.outbound
                .seal_more(channel.sealer(), limits::FRAME_TO_CLIENT, rng);
            self.note_queue(limits, now);
        }
    }

    /// The bytes to write next, once they are sealed.
    pub(crate) fn output(&self) -> &[u8] {
        self.outbound.bytes()
    }

    /// Notes that bytes were written. Returns the frame's buffer when nothing waits any more.
    pub(crate) fn wrote(&mut self, bytes: usize, limits: &Limits, now: Now) -> Vec<u8> {
        let spent = self.outbound.wrote(bytes);
        self.note_queue(limits, now);
        if let Stage::Open(channel) = &self.stage
            && channel.is_worn_out()
        {
            self.close(End::Notify(CloseReason::KeyWornOut), now);
        }
        spent
    }

    /// Opens frames, as many as the inbox takes. PING is answered here, so it is answered even while a request
    /// waits for a worker.
    fn open_frames(&mut self) {
        while self.inbox.may_open() && !self.reads_ended {
            let Stage::Open(channel) = &mut self.stage else {
                return;
            };
            let sealed = channel.waiting();
            let opened = channel.next_opened();
            let bytes = sealed - channel.waiting();
            match opened {
                Ok(None) => {
                    if self.hung_up {
                        self.end(End::Flush);
                    }
                    break;
                }
                Ok(Some(Opened::Messages(messages))) => {
                    self.inbox.push(messages);
                }
                Ok(Some(Opened::Ping)) => self.outbound.push(own(command::PONG, Value::Null)),
                Ok(Some(Opened::Pong)) => {}
                Ok(Some(Opened::Close(_))) => self.end(End::Cut),
                Err(error) => {
                    self.frame_error = Some(error);
                    self.end(match error {
                        ChannelError::BadLength(_) | ChannelError::BadTag => End::Cut,
                        ChannelError::WornOut => End::Notify(CloseReason::KeyWornOut),
                        ChannelError::Malformed(_) => End::Notify(CloseReason::Malformed),
                    });
                }
            }
            self.inbox.count_opened(bytes);
        }
    }

    /// The error of a bad frame, once.
    pub(crate) fn take_frame_error(&mut self) -> Option<ChannelError> {
        self.frame_error.take()
    }

    fn end(&mut self, end: End) {
        self.reads_ended = true;
        self.inbox.push_end(end);
    }

    /// The other end has closed its half. What was received before is still handled.
    pub(crate) fn hang_up(&mut self) {
        match &self.stage {
            Stage::Open(_) => {
                self.hung_up = true;
                self.open_frames();
            }
            // The client may still read: the last bytes are written first.
            Stage::Closing(_) if !self.is_flushed() => {}
            _ => self.close_at_once(),
        }
    }

    /// The next entry of the inbox. It stays the next one until [`remove_item`](Self::remove_item).
    pub(crate) fn next_item(&self) -> Option<Item> {
        self.inbox.next()
    }

    /// Removes the next entry of the inbox: it was handled.
    pub(crate) fn remove_item(&mut self) {
        if self.inbox.remove() {
            self.open_frames();
        }
    }

    /// Whether the inbox has an entry.
    pub(crate) fn has_items(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether more bytes are read. Not while the send queue is over `send_queue_soft`, nor while more
    /// requests were received than handled.
    pub(crate) fn wants_bytes(&self, limits: &Limits) -> bool {
        match &self.stage {
            Stage::Hello(_) | Stage::Finishing(_) | Stage::Closing(_) => true,
            Stage::Responding | Stage::Closed => false,
            Stage::Open(channel) => {
                !self.reads_ended
                    && channel.waiting() < limits.frame_bytes + FRAME_OVERHEAD
                    && !self.is_backed_up(limits)
            }
        }
    }

    /// Counts an unknown command; true if there were too many.
    pub(crate) fn count_error(&mut self, now: Now) -> bool {
        let errors = self.errors.get_or_insert_default();
        errors.add(now.running, ERROR_WINDOW);
        errors.len() >= ERRORS
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self, limits: &Limits) -> Duration {
        self.timers.deadline(self.phase(), limits)
    }

    fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Hello(_) => Phase::Hello,
            Stage::Responding | Stage::Finishing(_) => Phase::Finishing,
            Stage::Open(_) => Phase::Open,
            Stage::Closing(_) => Phase::Closing,
            Stage::Closed => Phase::Closed,
        }
    }

    /// Does what is due: sends a PING or ends the connection.
    pub(crate) fn expire(&mut self, limits: &Limits, now: Now) {
        if self.deadline(limits) > now.running {
            return;
        }
        if self.phase() != Phase::Open {
            return self.close_at_once();
        }
        match self.timers.due(limits, now.running) {
            Some(Due::Silent) => {
                self.departure.get_or_insert(Departure::Silent);
                self.close_at_once();
            }
            Some(Due::Idle) => self.close(End::Notify(CloseReason::Idle), now),
            Some(Due::Slow) => self.close_slow(now),
            Some(Due::Ping) => {
                self.timers.pinged();
                self.outbound.push(own(command::PING, Value::Null));
            }
            None => {}
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
