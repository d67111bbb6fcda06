//! Users who talk, all served by one thread, so that on a small machine the server is what is
//! measured.

use std::os::fd::{AsFd, AsRawFd};

use echat_proto::commands::event::ON_NEW_MESSAGE;
use echat_proto::commands::{Ending, Request, ending, request};
use echat_proto::names::{Content, NameQuery, TxnId};
use echat_proto::param::TargetType;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::Failure;
use super::failure::PATIENCE;
use super::people::{each, join, join_room, make_room, received, send};
use super::server::Server;
use crate::clock::Clock;
use crate::net::link::Link;

/// What is said: 100 bytes.
pub(super) const TEXT: &str = "0123456789012345678901234567890123456789012345678901234567890123456\
                               789012345678901234567890123456789";

/// Where users talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rooms {
    /// All in one.
    Shared,
    /// Each in one of its own.
    Own,
}

impl Rooms {
    fn name(self, number: usize) -> String {
        match self {
            Self::Shared => "load-room".to_owned(),
            Self::Own => format!("load-room-{number}"),
        }
    }
}

/// Users in rooms.
pub(super) struct Crowd {
    rooms: Rooms,
    members: Vec<Link>,
    poll: Poll,
}

/// How a crowd talks.
pub(super) struct Talk {
    /// How many of them send.
    pub(super) senders: usize,
    /// Messages in all.
    pub(super) messages: u64,
    /// Messages that one sender has under way at a time.
    pub(super) window: u64,
}

impl Crowd {
    /// Registers and logs in `size` users, and brings them into their rooms.
    pub(super) fn gather(
        server: &Server,
        size: usize,
        rooms: Rooms,
        clock: &Clock,
    ) -> Result<Self, Failure> {
        let address = server.address()?;
        let mut members = each(size, |number| join(address, number, clock))?;
        let poll = Poll::new()?;
        for (number, link) in members.iter_mut().enumerate() {
            if number == 0 || rooms == Rooms::Own {
                make_room(link, &rooms.name(number), clock)?;
            } else {
                join_room(link, &rooms.name(number), clock)?;
            }
            let fd = link.as_fd().as_raw_fd();
            poll.registry()
                .register(&mut SourceFd(&fd), Token(number), Interest::READABLE)?;
        }
        Ok(Self {
            rooms,
            members,
            poll,
        })
    }

    /// Talks until every user has received all messages for them. Returns how many messages arrived anywhere,
    /// acknowledgements included.
    pub(super) fn talk(&mut self, talk: &Talk) -> Result<u64, Failure> {
        let each_to = match self.rooms {
            Rooms::Shared => self.members.len() as u64,
            Rooms::Own => 1,
        };
        let expected = talk.messages * each_to;
        let (mut sent, mut arrived) = (0, 0);
        for number in (0..talk.senders).flat_map(|number| (0..talk.window).map(move |_| number)) {
            self.say(number, &mut sent, talk.messages);
        }
        let mut events = Events::with_capacity(1024);
        while arrived < expected {
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err(Failure::TimedOut);
            }
            for Token(number) in events.iter().map(Event::token) {
                for message in received(&mut self.members[number])? {
                    arrived += u64::from(message.command == ON_NEW_MESSAGE);
                    match ending(request::SEND_MESSAGE, &message) {
                        Some(Ending::Done) => self.say(number, &mut sent, talk.messages),
                        Some(Ending::Refused) => return Err(Failure::Refused(message)),
                        None => {}
                    }
                }
            }
        }
        Ok(arrived)
    }

    fn say(&mut self, number: usize, sent: &mut u64, messages: u64) {
        if *sent < messages {
            *sent += 1;
            send(
                &mut self.members[number],
                &message(&self.rooms.name(number)),
            );
        }
    }
}

/// A message to a room.
pub(super) fn message(room: &str) -> Request {
    Request::SendMessage {
        target_type: TargetType::Room,
        target: NameQuery::new(room),
        content: Content::new(TEXT).expect("a good text"),
        txn_id: None::<TxnId>,
        reply_to: None,
    }
}
