//! The client's end of one connection.

use super::workers::CachedKeyShare;
use echat_proto::Value;
use echat_proto::channel::{Channel, ChannelError, Incoming, Message};
use echat_proto::commands::{
    CommandInfo, Direction, Event, PendingReplies, RequestKind, Shape, by_number,
};
use echat_proto::handshake::{AwaitServerFinished, AwaitServerHello, ClientStart, Step};
use echat_server::conn::ConnId;
use rand::CryptoRng;
use std::collections::VecDeque;
use std::time::Duration;

enum Phase {
    Hello(Box<AwaitServerHello<CachedKeyShare>>),
    Finished(Box<AwaitServerFinished>),
    Open(Box<Channel>),
    Closed,
}

/// A client's end. It completes the handshake by itself and queues what it receives.
pub(crate) struct ClientEnd {
    pub(crate) conn: Option<ConnId>,
    /// Whether nothing is read, so that everything stays in the server's queue.
    pub(crate) stalled: bool,
    /// Bytes that are still sent, then none.
    pub(crate) budget: usize,
    /// When the server last received bytes from here.
    pub(crate) heard_at: Duration,
    phase: Phase,
    outgoing: VecDeque<u8>,
    hang_up: bool,
    received: VecDeque<Incoming>,
    /// Requests without a final reply, oldest first.
    pending: PendingReplies<&'static CommandInfo>,
}

impl ClientEnd {
    pub(crate) fn new(conn: Option<ConnId>, rng: &mut impl CryptoRng) -> Self {
        let mut random = [0; 32];
        rng.fill_bytes(&mut random);
        let (hello, phase) = ClientStart::with(CachedKeyShare::Client, &random).send();
        Self {
            conn,
            stalled: false,
            budget: usize::MAX,
            heard_at: Duration::ZERO,
            phase: Phase::Hello(Box::new(phase)),
            outgoing: hello.into(),
            hang_up: false,
            received: VecDeque::new(),
            pending: PendingReplies::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Notes that the connection is closed. Received messages stay.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.outgoing.clear();
    }

    /// Closes the sending half after what was queued.
    pub(crate) fn hang_up(&mut self) {
        self.hang_up = true;
    }

    /// Takes the end of the stream, once everything before it was carried.
    pub(crate) fn take_hang_up(&mut self) -> bool {
        self.outgoing.is_empty() && std::mem::take(&mut self.hang_up)
    }

    /// Seals a plaintext. Does nothing if the connection is closed.
    pub(crate) fn send(&mut self, plain: &[u8], rng: &mut impl CryptoRng) {
        if let Phase::Open(channel) = &mut self.phase {
            let mut frame = Vec::new();
            channel.sealer().seal(plain, rng, &mut frame);
            self.outgoing.extend(frame);
            for incoming in Channel::read_plain(plain).unwrap_or_default() {
                if let Incoming::Message(message) = incoming {
                    self.pending.sent(message.command, request(message.command));
                }
            }
        }
    }

    /// Sends raw bytes.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.outgoing.extend(bytes);
    }

    /// The next bytes to carry to the server.
    pub(crate) fn outgoing(&mut self, most: usize) -> Vec<u8> {
        let most = most.min(self.outgoing.len()).min(self.budget);
        self.budget -= most;
        self.outgoing.drain(..most).collect()
    }

    /// Takes bytes from the server.
    pub(crate) fn receive(&mut self, bytes: &[u8], rng: &mut impl CryptoRng) {
        let mut bytes = bytes;
        loop {
            match std::mem::replace(&mut self.phase, Phase::Closed) {
                Phase::Hello(state) => match state.next(bytes).expect("an honest server") {
                    Step::More(state) => return self.phase = Phase::Hello(Box::new(state)),
                    Step::Next(state) => self.phase = Phase::Finished(Box::new(state)),
                },
                Phase::Finished(state) => match state.next(bytes, rng).expect("an honest server") {
                    Step::More(state) => return self.phase = Phase::Finished(Box::new(state)),
                    Step::Next((channel, finished)) => {
                        self.outgoing.extend(finished);
                        self.phase = Phase::Open(Box::new(channel));
                    }
                },
                Phase::Open(mut channel) => {
                    channel.receive(bytes);
                    let read = self.read(&mut channel);
                    self.phase = Phase::Open(channel);
                    return read.expect("a server's frames hold");
                }
                Phase::Closed => return,
            }
            bytes = &[];
        }
    }

    fn read(&mut self, channel: &mut Channel) -> Result<(), ChannelError> {
        while let Some(incoming) = channel.next_incoming()? {
            self.received.push_back(incoming);
        }
        Ok(())
    }

    /// The oldest received item, with the request that it answers if it is a final reply.
    pub(crate) fn next(&mut self) -> Option<(Incoming, Option<&'static CommandInfo>)> {
        let incoming = self.received.pop_front()?;
        let Incoming::Message(message) = &incoming else {
            return Some((incoming, None));
        };
        let ended = self
            .pending
            .answered(message)
            .map(|answered| answered.request);
        match ended {
            // Clients accept REFUSED for any request; the server sends what the row declares.
            Some(info) => assert!(
                info.is_ended_by(message.command),
                "a reply that {} does not have: {message:?}",
                info.name
            ),
            None => assert!(!is_final(message), "a reply to no request: {message:?}"),
        }
        Some((incoming, ended))
    }

    /// The requests without a final reply.
    pub(crate) fn unanswered(&self) -> usize {
        self.pending.len()
    }

    /// The secret of the newest login of a user among the received items.
    pub(crate) fn secret_of(&self, user: &str) -> Option<String> {
        let mut logged_in = None;
        let mut secret = None;
        for incoming in &self.received {
            let Incoming::Message(message) = incoming else {
                continue;
            };
            match Event::from_message(message) {
                Some(Ok(Event::LoginSuccess { username })) => logged_in = Some(username),
                Some(Ok(Event::LoginBundle { .. })) if logged_in.as_deref() == Some(user) => {
                    secret = match message.params.at("resume") {
                        Some(Value::Str(text)) => Some(text.clone()),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        secret
    }

    /// All received messages. Other items are dropped.
    pub(crate) fn take_messages(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some((incoming, _)) = self.next() {
            if let Incoming::Message(message) = incoming {
                messages.push(message);
            }
        }
        messages
    }
}

/// The row of a request. An unknown number has a row without replies: COMMAND_WRONG ends it.
fn request(number: u32) -> &'static CommandInfo {
    static UNKNOWN: CommandInfo = CommandInfo {
        number: 0,
        name: "(unknown)",
        direction: Direction::Request,
        shape: Shape::Null,
        answers: None,
        about: "",
    };
    RequestKind::from_number(number).map_or(&UNKNOWN, RequestKind::info)
}

/// Whether a message can only be a final reply.
fn is_final(message: &Message) -> bool {
    match by_number(message.command).map(|info| info.direction) {
        Some(Direction::Reply | Direction::Refusal) => true,
        Some(Direction::ReplyOrEvent) => message.params.at("txn_id").is_some(),
        _ => false,
    }
}
