//! A trusted, encrypted connection to a server: TCP, handshake, channel.
//!
//! It knows no terminal, no file and no meaning of messages: the caller says what it trusts
//! ([`Trust`]), gives the time, and may watch every byte through a [`Tap`]. For an unknown server
//! [`Link::open`] fails. The caller asks the user and opens another link: an answer may take longer than
//! a handshake may.
//!
//! PINGs are answered here, and callers do not see them. They are counted, and a PONG is made only while there is
//! room, so that a server that sends PINGs and does not read fills no memory.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use echat_proto::channel::{Channel, ChannelError, Incoming, Message, Opened};
use echat_proto::commands::{CloseReason, channel};
use echat_proto::handshake::{ClientStart, HandshakeError, Step};
use echat_proto::value::Value;

use crate::clock::Clock;
use crate::net::fingerprint::Fingerprint;
use crate::net::socket::{Received, Socket};
use crate::net::trust::{Trust, Trusted, Untrusted};
use crate::net::wait::{Interest, WatchedFd, wait};

/// How many bytes one read takes at most.
const READ: usize = 64 * 1024;
/// With so many bytes that are not written yet, no PING is answered and no line of a script is sent. As much as the
/// largest frame, which is enough to keep any network busy.
pub const WAITING_MAX: usize = 256 * 1024;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server.
    In,
    /// To the server.
    Out,
}

/// Watches a link.
pub trait Tap {
    /// Bytes as they are on the wire.
    fn wire(&mut self, way: Direction, bytes: &[u8]);
    /// The plaintext of one frame.
    fn plain(&mut self, way: Direction, plain: &[u8]);
}

/// A [`Tap`] that does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Tap for Unwatched {
    fn wire(&mut self, _: Direction, _: &[u8]) {}
    fn plain(&mut self, _: Direction, _: &[u8]) {}
}

/// Why a connected socket became no link.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The handshake was not finished in time.
    #[error("the handshake timed out; this may not be an echat/2 server")]
    TimedOut,
    /// The server closed during the handshake.
    #[error(
        "the connection was closed during the handshake: the server may be full, of another version, or not an echat/2 server, or your address is banned there"
    )]
    Closed,
    /// What the server sent is wrong.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server's key is not trusted; nothing was sent after it was shown.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// Waiting failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A channel over a socket.
pub struct Link {
    socket: Socket,
    channel: Channel,
    key: Fingerprint,
    trusted: Trusted,
    /// PINGs of the server that are not answered yet.
    pings: u64,
    /// Whether a test says that the keys are worn out: that takes 64 GiB.
    #[cfg(test)]
    pub(crate) is_said_worn_out: bool,
}

impl Link {
    /// Does the handshake, and goes no further than the server's key if that is not trusted.
    pub fn open(
        socket: Socket,
        trust: &Trust,
        clock: &Clock,
        deadline: Duration,
        tap: &mut dyn Tap,
    ) -> Result<Self, OpenError> {
        let mut rng = rand::rng();
        let mut hands = HandshakingSocket {
            socket,
            clock,
            deadline,
            tap,
        };
        let (hello, mut start) = ClientStart::new(&mut rng).send();
        hands.send(&hello);
        let mut shown = loop {
            match start.next(&hands.receive()?)? {
                Step::More(same) => start = same,
                Step::Next(next) => break next,
            }
        };
        let key: Fingerprint = echat_proto::fingerprint(shown.host_key())
            .parse()
            .expect("every key has a well-formed fingerprint");
        let trusted = trust.judge(&key)?;
        let mut bytes = Vec::new();
        let (channel, finished) = loop {
            match shown.next(&bytes, &mut rng)? {
                Step::More(same) => shown = same,
                Step::Next(done) => break done,
            }
            bytes = hands.receive()?;
        };
        hands.send(&finished);
        Ok(Self {
            socket: hands.socket,
            channel,
            key,
            trusted,
            pings: 0,
            #[cfg(test)]
            is_said_worn_out: false,
        })
    }

    /// The key that the server has proved to hold.
    pub fn key(&self) -> &Fingerprint {
        &self.key
    }

    /// Whether that key is new.
    pub fn trusted(&self) -> Trusted {
        self.trusted
    }

    /// Seals one frame and queues it, behind PONGs for the PINGs that came before.
    pub fn send(&mut self, plain: &[u8], tap: &mut dyn Tap) {
        self.answer_pings(tap);
        self.seal(plain, tap);
    }

    fn seal(&mut self, plain: &[u8], tap: &mut dyn Tap) {
        tap.plain(Direction::Out, plain);
        let mut frame = Vec::new();
        self.channel
            .sealer()
            .seal(plain, &mut rand::rng(), &mut frame);
        self.send_raw(&frame, tap);
    }

    /// Queues bytes that are no frame. The server will not like them.
    pub fn send_raw(&mut self, bytes: &[u8], tap: &mut dyn Tap) {
        tap.wire(Direction::Out, bytes);
        self.socket.queue(bytes);
    }

    /// Reads once from the socket.
    pub fn receive(&mut self, tap: &mut dyn Tap) -> Received {
        self.receive_into(&mut vec![0; READ], tap)
    }

    /// Reads once from the socket, through a buffer of the caller.
    pub fn receive_into(&mut self, buffer: &mut [u8], tap: &mut dyn Tap) -> Received {
        let received = self.socket.receive(buffer);
        if let Received::Bytes(some) = received {
            tap.wire(Direction::In, &buffer[..some]);
            self.channel.receive(&buffer[..some]);
        }
        received
    }

    /// What the next whole frame holds but for PINGs; `None` until more has been received. After an error
    /// nothing more can be read.
    pub fn next_frame(&mut self, tap: &mut dyn Tap) -> Result<Option<Vec<Incoming>>, ChannelError> {
        let Some(plain) = self.channel.next_plain()? else {
            return Ok(None);
        };
        tap.plain(Direction::In, &plain);
        let mut incoming = Channel::read_plain(&plain)?;
        let all = incoming.len();
        incoming.retain(|incoming| *incoming != Incoming::Ping);
        self.pings += (all - incoming.len()) as u64;
        Ok(Some(incoming))
    }

    /// Answers PINGs while there is room, and writes what the system takes now.
    pub fn flush(&mut self, tap: &mut dyn Tap) {
        self.answer_pings(tap);
        self.socket.flush();
    }

    fn answer_pings(&mut self, tap: &mut dyn Tap) {
        while self.pings > 0 && self.socket.waiting() < WAITING_MAX {
            self.pings -= 1;
            let pong = Message {
                command: channel::PONG,
                params: Value::Null,
            };
            self.seal(&pong.encode().expect("null has a wire form"), tap);
        }
    }

    /// What to wait for: bytes, and room for those that wait, and for PONGs.
    pub fn interest(&self) -> Interest {
        if self.pings > 0 {
            Interest::ReadAndWrite
        } else {
            self.socket.interest()
        }
    }

    /// The next whole frame with its messages still encoded, for callers that skip most of them. They answer PINGs
    /// themselves. After an error nothing more can be read.
    pub fn next_opened(&mut self) -> Result<Option<Opened>, ChannelError> {
        self.channel.next_opened()
    }

    /// Whether the keys have done their work: time to say CLOSE_NOTIFY(8) and connect again.
    pub fn is_worn_out(&self) -> bool {
        #[cfg(test)]
        if self.is_said_worn_out {
            return true;
        }
        self.channel.is_worn_out()
    }

    /// Says goodbye, if there is a way to say it, and waits as [`Socket::finish`] has it.
    pub fn leave(mut self, reason: Option<CloseReason>, clock: &Clock, tap: &mut dyn Tap) {
        if let Some(reason) = reason {
            let goodbye = Message {
                command: channel::CLOSE_NOTIFY,
                params: Value::Int(reason as u64),
            };
            self.send(&goodbye.encode().expect("an int has a wire form"), tap);
        }
        self.socket.finish(true, clock);
    }

    /// The socket below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket during the handshake.
struct HandshakingSocket<'a> {
    socket: Socket,
    clock: &'a Clock,
    deadline: Duration,
    tap: &'a mut dyn Tap,
}

impl HandshakingSocket<'_> {
    fn send(&mut self, bytes: &[u8]) {
        self.tap.wire(Direction::Out, bytes);
        self.socket.queue(bytes);
        self.socket.flush();
    }

    /// The next bytes from the server; never none.
    fn receive(&mut self) -> Result<Vec<u8>, OpenError> {
        let mut buffer = vec![0; READ];
        loop {
            match self.socket.receive(&mut buffer) {
                Received::Bytes(some) => {
                    buffer.truncate(some);
                    self.tap.wire(Direction::In, &buffer);
                    return Ok(buffer);
                }
                Received::End => return Err(OpenError::Closed),
                Received::Nothing => {}
            }
            if self.clock.now() >= self.deadline {
                return Err(OpenError::TimedOut);
            }
            let interest = self.socket.interest();
            let mut fds = [WatchedFd::new(&self.socket, interest)];
            wait(&mut fds, self.clock, Some(self.deadline))?;
            if fds[0].is_writable() {
                self.socket.flush();
            }
        }
    }
}
