//! One connection without its socket: bytes in, requests out; messages in, bytes out. Knows no users,
//! no rooms and no mio.
//!
//! ```text
//! Hello ─ ClientHello ─> Responding ─ worker's answer ─> Finishing ─ FINISHED ─> Open ─> Closing
//! ```
//!
//! The first three are a [`Handshake`]. Any state may end in `Closed`. What must be answered by silence closes at once;
//! what is answered by CLOSE_NOTIFY is flushed for at most [`timers::FLUSH`]. What is true only in one state is kept in
//! that state: see [`OpenChannel`].

mod handshake;
mod inbox;
mod open;
mod outbound;
mod timers;

use crate::clock::{Moment, Now};
use crate::config::Limits;
use crate::conn::{Departure, End};
use echat_proto::channel::{Channel, ChannelError, Draft, Message};
use echat_proto::commands::{CloseReason, RequestKind, SessionEffect, channel as command};
use echat_proto::crypto::TAG;
use echat_proto::frame::HEADER;
use echat_proto::handshake::{AwaitClientFinished, AwaitClientHello, ClientHello};
use echat_proto::{Value, limits};
use handshake::{Handshake, Progress};
use open::OpenChannel;
pub(crate) use outbound::FrameBuffers;
use outbound::Outbound;
use rand::CryptoRng;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use timers::{Due, FINISHED, FLUSH, HELLO};

/// What a frame has besides its ciphertext.
const FRAME_OVERHEAD: usize = HEADER + TAG;

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

/// The state of a connection, with what is true only in it.
enum Stage {
    Handshake(Handshake),
    Open(OpenChannel),
    /// The last messages are written. What comes from the client is dropped.
    Closing {
        channel: Box<Channel>,
        since: Moment,
        departure: Departure,
    },
    /// The socket may be dropped.
    Closed(Departure),
}

/// A connection without its socket.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    accepted: Moment,
    /// Whether the connection was admitted only to be told that the server is full.
    is_overflow: bool,
    stage: Stage,
    outbound: Outbound,
    /// The error of a bad frame, until it is logged.
    frame_error: Option<ChannelError>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, is_overflow: bool, now: Now) -> Self {
        Self {
            address,
            accepted: now.running.into(),
            is_overflow,
            stage: Stage::Handshake(Handshake::Hello(AwaitClientHello::default())),
            outbound: Outbound::default(),
            frame_error: None,
        }
    }

    /// Takes bytes from the socket. Returns a whole ClientHello, which a worker has to answer.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        now: Now,
    ) -> Option<ClientHello> {
        let hello = match &mut self.stage {
            Stage::Handshake(_) => self.shake_hands(bytes, now),
            Stage::Open(open) if open.takes_bytes() => {
                let bad = open.receive(bytes, &mut self.outbound, now);
                self.frame_error = bad.or(self.frame_error);
                None
            }
            // Bytes that arrive while the last ones are flushed are read and dropped: unread bytes would
            // reset the connection, and the goodbye would be lost.
            Stage::Open(_) | Stage::Closing { .. } | Stage::Closed(_) => return None,
        };
        // PINGs are answered at once, and the answers count towards the send queue.
        self.note_queue(limits, now);
        hello
    }

    /// Takes bytes of the handshake. Returns a whole ClientHello.
    fn shake_hands(&mut self, bytes: &[u8], now: Now) -> Option<ClientHello> {
        let Stage::Handshake(handshake) = &mut self.stage else {
            return None;
        };
        match std::mem::replace(handshake, Handshake::Responding).next(bytes) {
            Ok(Progress::More(more)) => *handshake = more,
            Ok(Progress::Hello(hello)) => return Some(hello),
            Ok(Progress::Done(channel)) => self.open(channel, now),
            Err(error) => {
                tracing::debug!(address = %self.address, %error, "handshake failed");
                self.close_at_once();
            }
        }
        None
    }

    /// The handshake is done.
    fn open(&mut self, channel: Box<Channel>, now: Now) {
        let mut open = OpenChannel::new(channel, now);
        if !self.is_overflow {
            self.frame_error = open.open_frames(&mut self.outbound);
        }
        self.stage = Stage::Open(open);
        if self.is_overflow {
            self.close(End::Notify(CloseReason::Full), now);
        }
    }

    /// Goes on with a handshake that a worker has answered.
    pub(crate) fn respond(&mut self, flight: Vec<u8>, waiting: Box<AwaitClientFinished>) {
        if let Stage::Handshake(handshake @ Handshake::Responding) = &mut self.stage {
            self.outbound.begin(flight);
            *handshake = Handshake::Finishing(waiting);
        }
    }

    /// Whether the send queue has space for the reply to the next request: for a page, if it may be one.
    /// So replies alone never make the queue too long, however slowly the client reads.
    pub(crate) fn has_queue_space(&self, limits: &Limits) -> bool {
        let reply = match &self.stage {
            Stage::Open(open) if open.inbox.asks_for_a_page() => limits::PAGE_BYTES,
            _ => 0,
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

    /// Bytes of requests that were received and not handled: in the inbox, and sealed behind it. The beginning of a
    /// request whose rest has not come is none of them while the inbox is empty.
    pub(crate) fn unhandled(&self) -> usize {
        match &self.stage {
            Stage::Open(open) if !open.inbox.is_empty() => {
                open.inbox.bytes() + open.channel.waiting()
            }
            _ => 0,
        }
    }

    /// Queues encoded events; nothing if the connection is not open. A queue over `send_queue_hard` closes the
    /// connection.
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
        if let Stage::Open(open) = &mut self.stage {
            open.timers.note_queue(is_over, now.running);
        }
    }

    /// Other limits hold from now on. If those of silence are among them, it is counted anew: a client that was told
    /// nothing has been silent by the old ones.
    pub(crate) fn change_limits(&mut self, limits: &Limits, is_silence_new: bool, now: Now) {
        if let Stage::Open(open) = &mut self.stage
            && is_silence_new
        {
            open.timers.heard(now.running);
        }
        self.note_queue(limits, now);
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
        if let Stage::Open(open) = &mut self.stage {
            open.timers.logged_in();
            open.channel.set_receive_limit(limits.frame_bytes);
        }
    }

    /// The session ended; the connection stays, and so does its frame limit.
    pub(crate) fn end_session(&mut self, now: Now) {
        if let Stage::Open(open) = &mut self.stage {
            open.timers.logged_out(now.running);
        }
    }

    /// Whether the connection was admitted only to be told that the server is full.
    pub(crate) fn is_overflow(&self) -> bool {
        self.is_overflow
    }

    /// Ends the connection. Queued output is flushed unless the connection is cut.
    pub(crate) fn close(&mut self, end: End, now: Now) {
        self.close_because(end.into(), end, now);
    }

    /// The same, for a reason that the log names more exactly than the client is told.
    pub(crate) fn close_because(&mut self, departure: Departure, end: End, now: Now) {
        let goodbye = match end {
            End::Cut => return self.cut(departure),
            End::Flush => None,
            End::Notify(reason) => Some(own(command::CLOSE_NOTIFY, Value::Int(reason as u64))),
        };
        self.stage = match std::mem::replace(&mut self.stage, Stage::Closed(departure)) {
            Stage::Open(open) if goodbye.is_some() || !self.is_flushed() => {
                if let Some(goodbye) = goodbye {
                    self.outbound.push(goodbye);
                }
                Stage::Closing {
                    channel: open.channel,
                    since: now.running.into(),
                    departure,
                }
            }
            // Both halves are done and nothing is left to wait for, or there is no channel to send on.
            Stage::Open(_) | Stage::Handshake(_) => {
                self.outbound = Outbound::default();
                Stage::Closed(departure)
            }
            ended @ (Stage::Closing { .. } | Stage::Closed(_)) => ended,
        };
    }

    /// Closes at once and sends nothing.
    pub(crate) fn close_at_once(&mut self) {
        self.cut(Departure::Closed);
    }

    /// The same for a reason, unless the connection ends for another one already.
    fn cut(&mut self, departure: Departure) {
        let departure = match self.stage {
            Stage::Closing { departure, .. } | Stage::Closed(departure) => departure,
            Stage::Handshake(_) | Stage::Open(_) => departure,
        };
        self.stage = Stage::Closed(departure);
        self.outbound = Outbound::default();
    }

    /// Whether nothing of the handshake has come in full.
    pub(crate) fn awaits_hello(&self) -> bool {
        matches!(self.stage, Stage::Handshake(Handshake::Hello(_)))
    }

    /// Why the connection ended, once the socket may be dropped.
    pub(crate) fn closed(&self) -> Option<Departure> {
        match self.stage {
            Stage::Closed(departure) => Some(departure),
            _ => None,
        }
    }

    /// Whether the connection is being closed and its last bytes are on their way.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. })
    }

    /// Whether everything was written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.waiting() == 0
    }

    /// Whether messages wait that can be sealed now.
    pub(crate) fn has_unsealed(&self) -> bool {
        self.outbound.has_unsealed()
    }

    /// Lays out the next frame, to be sealed with those of other peers; `None` if no message is to be sealed now. This
    /// is done late, so that waiting messages share a frame. [`finish_sealing`](Self::finish_sealing) follows when the
    /// frame is sealed.
    pub(crate) fn draft(
        &mut self,
        buffers: &mut FrameBuffers,
        rng: &mut impl CryptoRng,
    ) -> Option<Draft<'_>> {
        if !self.outbound.has_unsealed() {
            return None;
        }
        let channel = self.stage.channel()?;
        let limit = limits::FRAME_TO_CLIENT;
        self.outbound.draft(channel.sealer(), limit, buffers, rng)
    }

    /// Seals further frames for the same write. Sealed bytes are a little longer than messages, so the queue may then
    /// be over its limit.
    pub(crate) fn finish_sealing(&mut self, rng: &mut impl CryptoRng, limits: &Limits, now: Now) {
        if let Some(channel) = self.stage.channel() {
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
        if let Stage::Open(open) = &self.stage
            && open.channel.is_worn_out()
        {
            self.close(End::Notify(CloseReason::KeyWornOut), now);
        }
        spent
    }

    /// The error of a bad frame, once.
    pub(crate) fn take_frame_error(&mut self) -> Option<ChannelError> {
        self.frame_error.take()
    }

    /// The other end has closed its half. What was received before is still handled.
    pub(crate) fn hang_up(&mut self) {
        match &mut self.stage {
            Stage::Open(open) => {
                let bad = open.hang_up(&mut self.outbound);
                self.frame_error = bad.or(self.frame_error);
            }
            // The client may still read: the last bytes are written first.
            Stage::Closing { .. } if self.outbound.waiting() > 0 => {}
            Stage::Handshake(_) | Stage::Closing { .. } | Stage::Closed(_) => self.close_at_once(),
        }
    }

    /// The next entry of the inbox. It stays the next one until [`remove_item`](Self::remove_item).
    pub(crate) fn next_item(&self) -> Option<Item> {
        match &self.stage {
            Stage::Open(open) => open.inbox.next(),
            _ => None,
        }
    }

    /// Removes the next entry of the inbox: it was handled.
    pub(crate) fn remove_item(&mut self) {
        if let Stage::Open(open) = &mut self.stage {
            let bad = open.remove_item(&mut self.outbound);
            self.frame_error = bad.or(self.frame_error);
        }
    }

    /// Whether the inbox has an entry.
    pub(crate) fn has_items(&self) -> bool {
        matches!(&self.stage, Stage::Open(open) if !open.inbox.is_empty())
    }

    /// Whether more bytes are read. Not while the send queue is over `send_queue_soft`, nor while more
    /// requests were received than handled.
    pub(crate) fn wants_bytes(&self, limits: &Limits) -> bool {
        match &self.stage {
            Stage::Handshake(Handshake::Responding) | Stage::Closed(_) => false,
            Stage::Handshake(_) | Stage::Closing { .. } => true,
            Stage::Open(open) => open.wants_bytes() && !self.is_backed_up(limits),
        }
    }

    /// Counts an unknown command; true if there were too many.
    pub(crate) fn count_error(&mut self, now: Now) -> bool {
        match &mut self.stage {
            Stage::Open(open) => open.count_error(now),
            _ => false,
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self, limits: &Limits) -> Duration {
        match &self.stage {
            Stage::Handshake(Handshake::Hello(_)) => self.accepted.running() + HELLO,
            Stage::Handshake(_) => self.accepted.running() + FINISHED,
            Stage::Open(open) => open.timers.deadline(limits),
            Stage::Closing { since, .. } => since.running() + FLUSH,
            Stage::Closed(_) => Duration::MAX,
        }
    }

    /// Does what is due: sends a PING or ends the connection.
    pub(crate) fn expire(&mut self, limits: &Limits, now: Now) {
        if self.deadline(limits) > now.running {
            return;
        }
        let Stage::Open(open) = &mut self.stage else {
            return self.close_at_once();
        };
        match open.timers.due(limits, now.running) {
            Some(Due::Silent) => self.cut(Departure::Silent),
            Some(Due::Idle) => self.close(End::Notify(CloseReason::Idle), now),
            Some(Due::Slow) => self.close_slow(now),
            Some(Due::Ping) => {
                open.timers.pinged();
                self.outbound.push(own(command::PING, Value::Null));
            }
            None => {}
        }
    }
}

impl Stage {
    /// The channel, as long as frames are sent on it.
    fn channel(&mut self) -> Option<&mut Channel> {
        match self {
            Self::Open(OpenChannel { channel, .. }) | Self::Closing { channel, .. } => {
                Some(channel)
            }
            Self::Handshake(_) | Self::Closed(_) => None,
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
