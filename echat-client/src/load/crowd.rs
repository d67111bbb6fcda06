//! Users who talk, all served by one thread, so that on a small machine the server is what is
//! measured.

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use echat_proto::channel::Message;
use echat_proto::commands::event::ON_NEW_MESSAGE;
use echat_proto::commands::{Ending, Request, ending, request};
use echat_proto::names::{Content, NameQuery, TxnId};
use echat_proto::param::TargetType;
use echat_proto::value::Value;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::Failure;
use super::failure::PATIENCE;
use super::people::{each, join, join_room, make_room, received, send};
use super::server::Server;
use crate::clock::Clock;
use crate::net::link::Link;

/// Messages that [`Crowd::fill`] sends, of so many bytes.
const FILL: u64 = 1_000;
const LONG: usize = 4_000;
/// How many of them are under way.
const WINDOW: u64 = 64;

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

/// A talk at a steady pace.
pub(super) struct Pace {
    /// From one message to the next.
    pub(super) period: Duration,
    /// Messages in all.
    pub(super) messages: u64,
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

    /// The number of users.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// Stores long messages in a shared room.
    pub(super) fn fill(&mut self) -> Result<(), Failure> {
        let text = [TEXT; LONG / (TEXT.len() + 1)].join(" ");
        let request = said(&self.rooms.name(0), text);
        let expected = FILL * self.members.len() as u64;
        let (mut sent, mut arrived) = (0, 0);
        let mut events = Events::with_capacity(1024);
        while arrived < expected {
            while sent < FILL && sent < arrived / self.members.len() as u64 + WINDOW {
                send(&mut self.members[0], &request);
                sent += 1;
            }
            self.hear(&mut events, PATIENCE, |_| arrived += 1)?;
            if events.is_empty() {
                return Err(Failure::TimedOut);
            }
        }
        Ok(())
    }

    /// Members of a shared room send in turn. Returns how long after a message was due each member had it.
    pub(super) fn talk_steadily(
        &mut self,
        pace: &Pace,
        clock: &Clock,
    ) -> Result<Vec<Duration>, Failure> {
        let room = self.rooms.name(0);
        let begun = clock.now();
        let due = |number: u32| begun + pace.period * number;
        let expected = pace.messages * self.members.len() as u64;
        let mut times = Vec::new();
        let mut events = Events::with_capacity(1024);
        let mut sent: u32 = 0;
        while (times.len() as u64) < expected {
            while u64::from(sent) < pace.messages && due(sent) <= clock.now() {
                let sender = sent as usize % self.members.len();
                let request = said(&room, format!("{sent} {TEXT}"));
                send(&mut self.members[sender], &request);
                sent += 1;
            }
            let all = u64::from(sent) == pace.messages;
            let left = due(sent).saturating_sub(clock.now());
            let patience = if all { PATIENCE } else { left };
            self.hear(&mut events, patience, |message| {
                if let Some(number) = number_of(message) {
                    times.push(clock.now().saturating_sub(due(number)));
                }
            })?;
            if all && events.is_empty() {
                return Err(Failure::TimedOut);
            }
        }
        Ok(times)
    }

    /// Waits for messages, and takes those that were said.
    fn hear(
        &mut self,
        events: &mut Events,
        patience: Duration,
        mut take: impl FnMut(&Message),
    ) -> Result<(), Failure> {
        self.poll.poll(events, Some(patience))?;
        for Token(number) in events.iter().map(Event::token) {
            for message in received(&mut self.members[number])? {
                if ending(request::SEND_MESSAGE, &message) == Some(Ending::Refused) {
                    return Err(Failure::Refused(message));
                }
                if message.command == ON_NEW_MESSAGE {
                    take(&message);
                }
            }
        }
        Ok(())
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

/// The number before the text of a message.
fn number_of(message: &Message) -> Option<u32> {
    match message.params.at("content") {
        Some(Value::Str(content)) => content.split(' ').next()?.parse().ok(),
        _ => None,
    }
}

/// A message to a room.
pub(super) fn message(room: &str) -> Request {
    said(room, TEXT)
}

fn said(room: &str, text: impl Into<String>) -> Request {
    Request::SendMessage {
        target_type: TargetType::Room,
        target: NameQuery::new(room),
        content: Content::new(text).expect("a good text"),
        txn_id: None::<TxnId>,
        reply_to: None,
    }
}
