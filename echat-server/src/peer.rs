//! One connection without its socket: bytes in, items out; messages in, bytes out. Knows no users,
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
use echat_proto::channel::{Channel, ChannelError, Message, Messages};
use echat_proto::commands::{CloseReason, channel as command};
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

/// What a connection has to say to the engine, in order.
#[derive(Debug)]
enum Heard {
    /// The messages of a frame that were not handled yet: one at least, and none the channel's own.
    Messages(Messages),
    /// The channel ends, and what came before it was handled.
    End(End),
}

/// One thing for the engine to handle.
#[derive(Debug)]
pub(crate) enum Item {
    /// A message that is not the channel's own, and how many bytes it was.
    Request(Message, usize),
    /// The channel ends, and what came before it was handled.
    End(End),
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, not a state"
)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    stage: Stage,
    inbox: VecDeque<Heard>,
    outbound: Outbound,
    /// Whether this is one of the places kept to say that the server is full.
    spare: bool,
    /// Whether a user is logged in here.
    trusted: bool,
    /// Sealed bytes opened since the inbox was last empty; what left nothing in it is not counted.
    ahead: usize,
    /// Whether the other end has closed its half: when all is opened, that is the end.
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
    errors: SlidingWindow,
    fault: Option<ChannelError>,
    /// Why the connection ends, as far as its end is known.
    departure: Option<Departure>,
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
            errors: SlidingWindow::default(),
            fault: None,
            departure: None,
        }
    }

    /// Takes bytes from the socket. A whole ClientHello is given back: a worker must answer it.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
        now: Now,
    ) -> Option<ClientHello> {
        if self.deaf {
            return None;
        }
        self.heard = now.running;
        self.pinged = false;
        let advanced = self.advance(bytes, now);
        // PINGs are answered as they come, and what waits for one who does not read counts.
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
                Step::More(state) => self.stage = Stage::Finishing(Box::new(state)),
                Step::Next(channel) => {
                    self.stage = Stage::Open(Box::new(channel));
                    self.guest_since = now.running;
                    if self.spare {
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
            // What still comes while a goodbye is flushed is read and dropped, so that the goodbye
            // is not lost to a reset.
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

    /// Whether there is place for the reply to its next request: for a page, if it may be one. So replies
    /// alone never make a queue too long, however slowly it is read.
    pub(crate) fn has_place(&self, limits: &Limits) -> bool {
        let reply = if self.asks_for_a_page() {
            limits::PAGE_BYTES
        } else {
            0
        };
        self.waiting() <= limits.send_queue_soft.saturating_sub(reply)
    }

    /// Whether so much waits for the peer that it is not read.
    pub(crate) fn is_backed_up(&self, limits: &Limits) -> bool {
        self.waiting() > limits.send_queue_soft
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.outbound.waiting()
    }

    /// Queues an encoded event; nothing if the connection is not open. A queue over
    /// `send_queue_hard` closes the connection.
    pub(crate) fn send(&mut self, event: Rc<[u8]>, limits: &Limits, now: Now) {
        self.reply(event, limits, now);
        if self.waiting() > limits.send_queue_hard {
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
        self.note_queue(limits, now);
    }

    /// Notes since when much waits for the peer.
    fn note_queue(&mut self, limits: &Limits, now: Now) {
        if !self.is_backed_up(limits) {
            self.slow_since = None;
        } else if self.slow_since.is_none() {
            self.slow_since = Some(now.running);
        }
    }

    fn close_slow(&mut self, now: Now) {
        if !self.is_closing() {
            tracing::info!(address = %self.address, "too slow: closing");
        }
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
        self.departure.get_or_insert(end.into());
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

    /// Why the connection ended.
    pub(crate) fn departure(&self) -> Departure {
        self.departure.unwrap_or(Departure::Closed)
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
        self.waiting() == 0
    }

    /// Seals what is to be written next: as late as that, so that what waits shares a frame. It is a
    /// little longer then, and may be too much for one who does not read.
    pub(crate) fn seal(&mut self, rng: &mut impl CryptoRng, limits: &Limits, now: Now) {
        if let Stage::Open(channel) | Stage::Closing(channel) = &mut self.stage {
            self.outbound
                .seal(channel.sealer(), limits::FRAME_TO_CLIENT, rng);
            self.note_queue(limits, now);
        }
    }

    /// The bytes to write next, once they are sealed.
    pub(crate) fn output(&self) -> &[u8] {
        self.outbound.bytes()
    }

    /// Notes that bytes were written.
    pub(crate) fn wrote(&mut self, bytes: usize, limits: &Limits, now: Now) {
        self.outbound.wrote(bytes);
        self.note_queue(limits, now);
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
