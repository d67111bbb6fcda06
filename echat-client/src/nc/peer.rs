//! The server's end as the loop sees it: a link, or a socket without a handshake.

use echat_proto::channel::{ChannelError, Incoming};
use echat_proto::commands::CloseReason;
use echat_proto::json;
use echat_proto::value::Value;

use crate::clock::Clock;
use crate::net::link::{Direction, Link, Tap};
use crate::net::socket::{Received, Socket};
use crate::net::wait::Interest;

/// How many bytes one read takes at most.
const READ: usize = 64 * 1024;

/// A connection.
pub enum Peer {
    /// Without a handshake: bytes.
    Raw(Socket),
    /// With messages.
    Sealed(Box<Link>),
}

/// What came.
#[derive(Debug, PartialEq)]
pub enum ReadOutcome {
    /// A message.
    Incoming(Incoming),
    /// Bytes without meaning, as a line to show.
    Line(String),
}

impl Peer {
    /// The socket below.
    pub fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Raw(socket) => socket,
            Self::Sealed(link) => link.socket(),
        }
    }

    /// Writes what the system takes now, and answers PINGs.
    pub fn flush(&mut self, tap: &mut dyn Tap) {
        match self {
            Self::Raw(socket) => socket.flush(),
            Self::Sealed(link) => link.flush(tap),
        }
    }

    /// What to wait for.
    pub fn interest(&self) -> Interest {
        match self {
            Self::Raw(socket) => socket.interest(),
            Self::Sealed(link) => link.interest(),
        }
    }

    /// Queues a sealed frame. A raw connection has none: its session makes none.
    pub fn send(&mut self, plain: &[u8], tap: &mut dyn Tap) {
        if let Self::Sealed(link) = self {
            link.send(plain, tap);
        }
    }

    /// Queues bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8], tap: &mut dyn Tap) {
        tap.wire(Direction::Out, bytes);
        self.socket().queue(bytes);
    }

    /// Reads once. What came before an error is in `came` all the same.
    pub fn receive(
        &mut self,
        came: &mut Vec<ReadOutcome>,
        tap: &mut dyn Tap,
    ) -> (Received, Result<(), ChannelError>) {
        match self {
            Self::Raw(socket) => {
                let mut buffer = vec![0; READ];
                let received = socket.receive(&mut buffer);
                if let Received::Bytes(length) = received {
                    buffer.truncate(length);
                    tap.wire(Direction::In, &buffer);
                    came.push(ReadOutcome::Line(json::to_json(&Value::Bytes(buffer))));
                }
                (received, Ok(()))
            }
            Self::Sealed(link) => (link.receive(tap), take_frames(link, came, tap)),
        }
    }

    /// Says goodbye, if there is a way to say it, and closes.
    pub fn leave(self, reason: Option<CloseReason>, clock: &Clock, tap: &mut dyn Tap) {
        match self {
            Self::Raw(socket) => socket.finish(false, clock),
            Self::Sealed(link) => link.leave(reason, clock, tap),
        }
    }
}

fn take_frames(
    link: &mut Link,
    came: &mut Vec<ReadOutcome>,
    tap: &mut dyn Tap,
) -> Result<(), ChannelError> {
    while let Some(incoming) = link.next_frame(tap)? {
        for message in incoming {
            // Nothing follows a goodbye.
            let last = matches!(message, Incoming::Close(_));
            came.push(ReadOutcome::Incoming(message));
            if last {
                return Ok(());
            }
        }
    }
    Ok(())
}
