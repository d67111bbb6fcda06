//! The server's end as the loop sees it: a link, or a socket without a handshake.

use std::time::Duration;

use echat_proto::channel::{ChannelError, Incoming, Message};
use echat_proto::commands::{CloseReason, channel};
use echat_proto::json;
use echat_proto::value::Value;
use rustix::event::PollFd;

use crate::clock::Clock;
use crate::link::{Link, Tap, Way};
use crate::socket::{Received, Socket, wait};

/// A flush before a close lasts at most so long (wire.md 3).
const FLUSH: Duration = Duration::from_secs(2);
/// How many bytes one read takes at most.
const READ: usize = 64 * 1024;

/// A connection.
pub enum Peer {
    /// Without a handshake: bytes.
    Naked(Socket),
    /// With messages.
    Sealed(Box<Link>),
}

/// What came.
#[derive(Debug, PartialEq)]
pub enum Came {
    /// A message.
    Incoming(Incoming),
    /// Bytes without meaning, as a line to show.
    Line(String),
}

impl Peer {
    /// The socket below.
    pub fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Naked(socket) => socket,
            Self::Sealed(link) => link.socket(),
        }
    }

    /// Queues a sealed frame. A naked connection has none: its session makes none.
    pub fn send(&mut self, plain: &[u8], tap: &mut dyn Tap) {
        if let Self::Sealed(link) = self {
            link.send(plain, tap);
        }
    }

    /// Queues bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8], tap: &mut dyn Tap) {
        tap.wire(Way::Out, bytes);
        self.socket().queue(bytes);
    }

    /// Reads once. What came before an error is in `came` all the same; the second part of the
    /// result is whether the connection has ended.
    pub fn receive(
        &mut self,
        came: &mut Vec<Came>,
        tap: &mut dyn Tap,
    ) -> (Result<(), ChannelError>, bool) {
        match self {
            Self::Naked(socket) => {
                let mut buffer = vec![0; READ];
                let received = socket.receive(&mut buffer);
                if let Received::Bytes(length) = received {
                    buffer.truncate(length);
                    tap.wire(Way::In, &buffer);
                    came.push(Came::Line(json::to_json(&Value::Bytes(buffer))));
                }
                (Ok(()), received == Received::End)
            }
            Self::Sealed(link) => {
                let ended = link.receive(tap) == Received::End;
                (take_frames(link, came, tap), ended)
            }
        }
    }

    /// Says goodbye, if there is a way to say it, and waits for what is queued to be written and
    /// for the server to close: 2 s at most. What comes meanwhile is not looked at.
    pub fn leave(mut self, reason: Option<CloseReason>, clock: &Clock, tap: &mut dyn Tap) {
        if let Some(reason) = reason {
            let params = Value::Int(reason as u64);
            let goodbye = Message {
                command: channel::CLOSE_NOTIFY,
                params,
            };
            self.send(&goodbye.encode().expect("an int has a wire form"), tap);
        }
        let lingers = matches!(self, Self::Sealed(_));
        let deadline = clock.now() + FLUSH;
        let socket = self.socket();
        let mut buffer = vec![0; READ];
        let mut said = false;
        while clock.now() < deadline {
            socket.flush();
            if socket.waiting() == 0 && !said {
                socket.end_writing();
                said = true;
            }
            if said && !lingers {
                return;
            }
            // A close with unread bytes would reset the connection, and the goodbye be lost.
            match socket.receive(&mut buffer) {
                Received::End => return,
                Received::Bytes(_) => continue,
                Received::Nothing => {}
            }
            let interest = socket.interest();
            if wait(&mut [PollFd::new(socket, interest)], clock, Some(deadline)).is_err() {
                return;
            }
        }
    }
}

fn take_frames(
    link: &mut Link,
    came: &mut Vec<Came>,
    tap: &mut dyn Tap,
) -> Result<(), ChannelError> {
    while let Some(incoming) = link.next_frame(tap)? {
        for message in incoming {
            // Nothing follows a goodbye.
            let last = matches!(message, Incoming::Close(_));
            came.push(Came::Incoming(message));
            if last {
                return Ok(());
            }
        }
    }
    Ok(())
}
