//! The other end: called, listened to, and lost.

use std::io;

use echat_proto::channel::{ChannelError, Incoming, Message};
use echat_proto::commands::{CloseReason, Event, channel};
use echat_proto::value::Value;

use super::{EventLoop, Peer};
use crate::app::Input;
use crate::link::{Link, Unwatched};
use crate::socket::Received;

impl EventLoop {
    /// Does what there is to do about the other end.
    pub(super) fn turn_to_peer(&mut self, ready: bool) -> io::Result<()> {
        match std::mem::replace(&mut self.peer, Peer::Down) {
            Peer::Waiting(at) if at <= self.clock.now() => self.dial(),
            Peer::Dialling(dial) if ready => match dial.finish() {
                Ok(link) => {
                    self.unsent.server(link.key());
                    self.peer = Peer::Up(Box::new(link));
                    self.step(Input::Connected)
                }
                Err(failure) => self.failed(failure),
            },
            Peer::Up(mut link) if ready => {
                link.socket().flush();
                let ended = link.receive(&mut Unwatched) == Received::End;
                self.peer = Peer::Up(link);
                self.listen(ended)
            }
            other => {
                self.peer = other;
                Ok(())
            }
        }
    }

    /// Takes what came. What the application wants meanwhile may end the connection.
    fn listen(&mut self, ended: bool) -> io::Result<()> {
        while let Peer::Up(link) = &mut self.peer {
            let incoming = match link.next_frame(&mut Unwatched) {
                Ok(Some(incoming)) => incoming,
                Ok(None) => break,
                Err(error) => return self.distrust(error),
            };
            for incoming in incoming {
                self.hear(incoming)?;
            }
        }
        let Peer::Up(link) = &self.peer else {
            return Ok(());
        };
        if ended {
            self.peer = Peer::Down;
            self.step(Input::Closed(None))
        } else if link.is_worn_out() {
            let reason = CloseReason::KeyWornOut;
            self.drop_link(reason);
            self.step(Input::Closed(Some(reason as u64)))
        } else {
            Ok(())
        }
    }

    fn hear(&mut self, incoming: Incoming) -> io::Result<()> {
        match (incoming, &mut self.peer) {
            (Incoming::Message(message), Peer::Up(_)) => match Event::from_message(&message) {
                Some(Ok(event)) => self.step(Input::Event(event)),
                // A command of the future.
                None => Ok(()),
                Some(Err(_)) => {
                    self.drop_link(CloseReason::Malformed);
                    self.step(Input::Closed(None))
                }
            },
            (Incoming::Ping, Peer::Up(link)) => {
                pong(link);
                Ok(())
            }
            (Incoming::Close(reason), Peer::Up(_)) => {
                self.peer = Peer::Down;
                self.step(Input::Closed(Some(reason)))
            }
            _ => Ok(()),
        }
    }

    /// What came is no echat/2.
    fn distrust(&mut self, error: ChannelError) -> io::Result<()> {
        if matches!(error, ChannelError::Malformed(_)) {
            self.drop_link(CloseReason::Malformed);
        }
        // Otherwise nothing is believed any more, so nothing is said.
        self.peer = Peer::Down;
        self.step(Input::Closed(None))
    }

    fn drop_link(&mut self, reason: CloseReason) {
        if let Peer::Up(link) = std::mem::replace(&mut self.peer, Peer::Down) {
            link.leave(Some(reason), &self.clock, &mut Unwatched);
        }
    }
}

fn pong(link: &mut Link) {
    let pong = Message {
        command: channel::PONG,
        params: Value::Null,
    };
    let plain = pong.encode().expect("null has a wire form");
    link.send(&plain, &mut Unwatched);
}
