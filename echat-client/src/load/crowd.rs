//! A room full of connections, all served by one thread.

use std::time::Duration;

use echat_proto::channel::{ChannelError, Incoming, Message};
use echat_proto::commands::Request;
use echat_proto::names::{Content, NameQuery, Password, RoomName, TxnId, Username};
use echat_proto::param::{NewPassword, TargetType};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;

use crate::address::Address;
use crate::clock::Clock;
use crate::link::{Link, OpenError, Unwatched};
use crate::socket::{Received, Socket, SocketError};
use crate::trust::Trust;

/// How long any one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The password of every user of ours.
const PASSWORD: &str = "a load of horses";
/// The room.
const ROOM: &str = "load-room";
/// What is said: 100 bytes.
const TEXT: &str = "0123456789012345678901234567890123456789012345678901234567890123456789\
                    012345678901234567890123456789";

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Connect(#[from] SocketError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    System(#[from] rustix::io::Errno),
    #[error("the server closed a connection")]
    Closed,
    #[error("no answer within {PATIENCE:?}")]
    TimedOut,
    #[error("refused: {0:?}")]
    Refused(Message),
}

/// The members of a room.
pub(super) struct Crowd {
    members: Vec<Link>,
    epoll: OwnedFd,
}

impl Crowd {
    /// Registers, logs in and joins `size` users, one after another.
    pub(super) fn gather(address: &Address, size: usize, clock: &Clock) -> Result<Self, Failure> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut members = Vec::with_capacity(size);
        for number in 0..size {
            let link = join(address, number, clock)?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, &link, data, epoll::EventFlags::IN)?;
            members.push(link);
        }
        Ok(Self { members, epoll })
    }

    /// Sends `messages` in all and waits until every member has every one of them. Returns how
    /// many messages arrived anywhere, acknowledgements included.
    pub(super) fn talk(
        &mut self,
        senders: usize,
        messages: u64,
        window: u64,
        clock: &Clock,
    ) -> Result<u64, Failure> {
        let expected = messages * self.members.len() as u64;
        let (mut sent, mut arrived) = (0, 0);
        for number in 0..senders {
            for _ in 0..window {
                self.say(number, &mut sent, messages);
            }
        }
        let mut events = Vec::with_capacity(1024);
        let mut deadline = clock.now() + PATIENCE;
        while arrived < expected {
            events.clear();
            let left = deadline.saturating_sub(clock.now());
            let timeout = left.try_into().map_err(|_| Failure::TimedOut)?;
            if epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout))? == 0 {
                return Err(Failure::TimedOut);
            }
            deadline = clock.now() + PATIENCE;
            for event in &events {
                let number = usize::try_from(event.data.u64()).expect("a number of ours");
                for message in received(&mut self.members[number])? {
                    arrived += u64::from(message.command == 109);
                    if message.params.at("txn_id").is_some() {
                        self.say(number, &mut sent, messages);
                    } else if message.command >= 200 {
                        return Err(Failure::Refused(message));
                    }
                }
            }
        }
        Ok(arrived)
    }

    fn say(&mut self, number: usize, sent: &mut u64, messages: u64) {
        if *sent < messages {
            *sent += 1;
            let request = Request::SendMessage {
                target_type: TargetType::Room,
                target: NameQuery::new(ROOM),
                content: Content::new(TEXT).expect("a good text"),
                txn_id: None::<TxnId>,
            };
            send(&mut self.members[number], &request);
        }
    }
}

/// Connects a user, new or not, and brings it into the room.
fn join(address: &Address, number: usize, clock: &Clock) -> Result<Link, Failure> {
    let deadline = clock.now() + PATIENCE;
    let socket = Socket::connect(address, clock, deadline)?;
    // Nothing secret is said: any server will do.
    let trust = Trust {
        accept_new: true,
        ..Trust::default()
    };
    let mut link = Link::open(socket, &trust, clock, deadline, &mut Unwatched)?;
    let name = format!("load-{number}");
    let register = Request::Register {
        username: Username::new(&name).expect("a good name"),
        password: NewPassword(Password::new(PASSWORD).expect("a good password")),
    };
    ask(&mut link, &register, &[102, 201], clock)?;
    let login = Request::Login {
        username: NameQuery::new(&name),
        password: Password::presented(PASSWORD).expect("a good password"),
    };
    ask(&mut link, &login, &[105], clock)?;
    if number == 0 {
        let roomname = RoomName::new(ROOM).expect("a good name");
        ask(
            &mut link,
            &Request::CreateRoom {
                roomname,
                members: Vec::new(),
            },
            &[10],
            clock,
        )?;
    }
    ask(
        &mut link,
        &Request::JoinRoom {
            roomname: NameQuery::new(ROOM),
        },
        &[8],
        clock,
    )?;
    Ok(link)
}

fn send(link: &mut Link, request: &Request) {
    let plain = request
        .to_message()
        .encode()
        .expect("requests have a wire form");
    link.send(&plain, &mut Unwatched);
    link.socket().flush();
}

/// Sends a request and waits for one of its final replies.
fn ask(link: &mut Link, request: &Request, finals: &[u32], clock: &Clock) -> Result<(), Failure> {
    send(link, request);
    let deadline = clock.now() + PATIENCE;
    while clock.now() < deadline {
        let mut fds = [rustix::event::PollFd::new(
            &*link,
            rustix::event::PollFlags::IN,
        )];
        crate::socket::wait(&mut fds, clock, Some(deadline)).map_err(|_| Failure::TimedOut)?;
        for message in received(link)? {
            if finals.contains(&message.command) {
                return Ok(());
            }
            if message.command >= 200 {
                return Err(Failure::Refused(message));
            }
        }
    }
    Err(Failure::TimedOut)
}

/// Reads once, and gives the messages that are whole.
fn received(link: &mut Link) -> Result<Vec<Message>, Failure> {
    if link.receive(&mut Unwatched) == Received::End {
        return Err(Failure::Closed);
    }
    let mut messages = Vec::new();
    while let Some(incoming) = link.next_frame(&mut Unwatched)? {
        for one in incoming {
            match one {
                Incoming::Message(message) => messages.push(message),
                Incoming::Close(_) => return Err(Failure::Closed),
                Incoming::Ping | Incoming::Pong => {}
            }
        }
    }
    Ok(messages)
}
