//! The reference: echat's wire served from memory by one thread, with neither database, password hash, rates nor
//! fair turns. What a server of this wire costs at least.
//!
//! It reads all that is there, queues each event for its members, and seals and writes once for each of them before it
//! waits again. A request that it does not know closes the connection.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;

use echat_proto::channel::{Channel, ChannelError, Opened};
use echat_proto::commands::{Event, Request, RequestKind};
use echat_proto::group::Ephemeral;
use echat_proto::handshake::{AwaitClientFinished, AwaitClientHello, Step, respond};
use echat_proto::limits::{FRAME_AFTER_LOGIN, FRAME_TO_CLIENT};
use echat_proto::message::Message;
use echat_proto::param::{Mark, Nullable, TargetType};
use echat_proto::records::Outcome;
use ed25519_dalek::SigningKey;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rand::rngs::ThreadRng;

use super::super::Failure;
use super::stream::READ;

/// The listener's token; connections count from zero.
const LISTENER: Token = Token(usize::MAX);
/// The key that signs handshakes. Clients of a measurement trust any.
const KEY: [u8; 32] = [1; 32];
/// Queues of an idle connection keep their memory up to so many events.
const FEW: usize = 4;
/// A time of the past: the reference reads no clock.
const SEND_TIME: u64 = 1_700_000_000;

/// Serves until the process is killed.
pub(super) fn run(address: SocketAddr) -> Result<(), Failure> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server::new();
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                server.accept(&listener, &poll)?;
            } else {
                server.read(event.token().0);
                server.touch(event.token().0);
            }
        }
        server.write();
    }
}

struct Server {
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    users: HashMap<String, usize>,
    rooms: HashMap<String, Vec<usize>>,
    /// Connections with something to write.
    dirty: Vec<usize>,
    messages: u64,
    key: SigningKey,
    rng: ThreadRng,
    /// Received bytes, of one connection at a time.
    scratch: Vec<u8>,
    /// Bytes to be written, of one connection at a time.
    sealed: Vec<u8>,
}

struct Connection {
    socket: TcpStream,
    phase: Phase,
    name: Option<String>,
    /// Events that are not sealed yet.
    waiting: VecDeque<Rc<[u8]>>,
    /// Sealed bytes that the system has not taken.
    out: Vec<u8>,
    is_dirty: bool,
}

enum Phase {
    Hello(AwaitClientHello),
    Finished(Box<AwaitClientFinished>),
    Open(Box<Channel>),
    Over,
}

impl Server {
    fn new() -> Self {
        Self {
            connections: Vec::new(),
            free: Vec::new(),
            users: HashMap::new(),
            rooms: HashMap::new(),
            dirty: Vec::new(),
            messages: 0,
            key: SigningKey::from_bytes(&KEY),
            rng: rand::rng(),
            scratch: vec![0; READ],
            sealed: Vec::new(),
        }
    }

    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> Result<(), Failure> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            socket.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut socket, Token(number), interest)?;
            let connection = Connection {
                socket,
                phase: Phase::Hello(AwaitClientHello::default()),
                name: None,
                waiting: VecDeque::new(),
                out: Vec::new(),
                is_dirty: false,
            };
            if number == self.connections.len() {
                self.connections.push(Some(connection));
            } else {
                self.connections[number] = Some(connection);
            }
        }
    }

    /// Reads all that is there and carries out each request; closes what is over.
    fn read(&mut self, number: usize) {
        let mut scratch = mem::take(&mut self.scratch);
        while let Some(connection) = self.connections.get_mut(number).and_then(Option::as_mut) {
            match connection.socket.read(&mut scratch) {
                Ok(some) if some > 0 => {
                    if self.take(number, &scratch[..some]).is_none() {
                        self.close(number);
                    } else if some == scratch.len() {
                        continue;
                    }
                    break;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => self.close(number),
            }
        }
        self.scratch = scratch;
    }

    /// Takes received bytes; `None` closes the connection.
    fn take(&mut self, number: usize, bytes: &[u8]) -> Option<()> {
        let connection = self.connections[number].as_mut()?;
        match mem::replace(&mut connection.phase, Phase::Over) {
            Phase::Hello(hello) => {
                connection.phase = match hello.next(bytes).ok()? {
                    Step::More(hello) => Phase::Hello(hello),
                    Step::Next((hello, _)) => {
                        let share = Ephemeral::generate(&mut self.rng);
                        let (flight, next) = respond(&hello, share, &self.key, &mut self.rng);
                        connection.out.extend_from_slice(&flight);
                        Phase::Finished(Box::new(next))
                    }
                };
                self.touch(number);
                return Some(());
            }
            Phase::Finished(finished) => {
                connection.phase = match finished.next(bytes).ok()? {
                    Step::More(finished) => Phase::Finished(Box::new(finished)),
                    Step::Next(channel) => Phase::Open(Box::new(channel)),
                };
            }
            Phase::Open(mut channel) => {
                channel.receive(bytes);
                connection.phase = Phase::Open(channel);
            }
            Phase::Over => return None,
        }
        while let Some(opened) = self.opened(number).ok()? {
            match opened {
                Opened::Messages(messages) => {
                    for message in messages {
                        self.request(number, &message)?;
                    }
                }
                Opened::Ping | Opened::Pong => {}
                Opened::Close(_) => return None,
            }
        }
        Some(())
    }

    /// The next whole frame of a connection.
    fn opened(&mut self, number: usize) -> Result<Option<Opened>, ChannelError> {
        let connection = self.connections[number].as_mut();
        match connection.map(|connection| &mut connection.phase) {
            Some(Phase::Open(channel)) => channel.next_opened(),
            _ => Ok(None),
        }
    }

    fn request(&mut self, number: usize, message: &Message) -> Option<()> {
        let kind = RequestKind::from_number(message.command)?;
        match kind.read(&message.params).ok()? {
            Request::QueryServerTime {} => {
                self.tell(number, &Event::SendServerTime { time: SEND_TIME });
            }
            Request::Login { username, .. } => self.log_in(number, username.key()?)?,
            Request::CreateRoom { roomname, .. } => {
                self.enter(number, roomname.as_str());
                let result = Outcome::Done("done".to_owned());
                self.tell(number, &Event::CreateRoomResult { result });
            }
            Request::JoinRoom { roomname } => {
                self.enter(number, roomname.key()?);
                let result = Outcome::Done("done".to_owned());
                self.tell(number, &Event::JoinRoomResult { result });
            }
            Request::AddFriend { .. } => {
                let result = Outcome::Done("done".to_owned());
                self.tell(number, &Event::AddFriendResult { result });
            }
            Request::SendMessage {
                target_type,
                target,
                content,
                ..
            } => self.message(number, target_type, target.key()?, content.as_str())?,
            _ => return None,
        }
        Some(())
    }

    fn log_in(&mut self, number: usize, username: &str) -> Option<()> {
        let connection = self.connections[number].as_mut()?;
        connection.name = Some(username.to_owned());
        if let Phase::Open(channel) = &mut connection.phase {
            channel.set_receive_limit(FRAME_AFTER_LOGIN);
        }
        self.users.insert(username.to_owned(), number);
        self.tell(
            number,
            &Event::LoginSuccess {
                username: username.to_owned(),
            },
        );
        self.tell(
            number,
            &Event::LoginBundle {
                chat_rooms: Vec::new(),
                friends: Vec::new(),
                online: Vec::new(),
                pending_requests: Vec::new(),
                messages: Vec::new(),
                unread: Vec::new(),
                more: Vec::new(),
                newest: None,
                history: None,
                resume: None,
                must_change_password: None,
                away: None,
                device: None,
                invitations: None,
                blocked: None,
            },
        );
        Some(())
    }

    fn enter(&mut self, number: usize, room: &str) {
        self.rooms.entry(room.to_owned()).or_default().push(number);
    }

    /// Sends a message to its readers, and its acknowledgement to the sender.
    fn message(
        &mut self,
        number: usize,
        target_type: TargetType,
        target: &str,
        content: &str,
    ) -> Option<()> {
        let sender = self.connections[number].as_ref()?.name.clone()?;
        self.messages += 1;
        let mut event = Event::OnNewMessage {
            id: self.messages,
            content: content.to_owned(),
            sender,
            target_type,
            send_time: SEND_TIME,
            target: target.to_owned(),
            txn_id: None,
            deleted: None,
            bot: Mark::default(),
            reply_to: None,
            edited: None,
            mentions: None,
        };
        let bytes = encoded(&event);
        match target_type {
            TargetType::Friend => {
                let reader = *self.users.get(target)?;
                self.queue(reader, &bytes);
            }
            TargetType::Room => {
                let members = mem::take(self.rooms.get_mut(target)?);
                for member in members.iter().filter(|member| **member != number) {
                    self.queue(*member, &bytes);
                }
                *self.rooms.get_mut(target)? = members;
            }
        }
        if let Event::OnNewMessage { txn_id, .. } = &mut event {
            *txn_id = Some(Nullable(None));
        }
        self.tell(number, &event);
        Some(())
    }

    fn tell(&mut self, number: usize, event: &Event) {
        self.queue(number, &encoded(event));
    }

    fn queue(&mut self, number: usize, bytes: &Rc<[u8]>) {
        if let Some(connection) = self.connections.get_mut(number).and_then(Option::as_mut) {
            connection.waiting.push_back(Rc::clone(bytes));
        }
        self.touch(number);
    }

    /// Notes that a connection may have something to write.
    fn touch(&mut self, number: usize) {
        if let Some(connection) = self.connections.get_mut(number).and_then(Option::as_mut)
            && !mem::replace(&mut connection.is_dirty, true)
        {
            self.dirty.push(number);
        }
    }

    /// Seals all that waits and writes once for each connection.
    fn write(&mut self) {
        for number in mem::take(&mut self.dirty) {
            let Some(connection) = &mut self.connections[number] else {
                continue;
            };
            connection.is_dirty = false;
            let mut out = mem::take(&mut self.sealed);
            out.append(&mut connection.out);
            if let Phase::Open(channel) = &mut connection.phase {
                let waiting = &mut connection.waiting;
                while !waiting.is_empty() {
                    let sealer = channel.sealer();
                    sealer.seal_waiting(waiting, FRAME_TO_CLIENT, &mut self.rng, &mut out);
                }
                if waiting.capacity() > FEW {
                    *waiting = VecDeque::new();
                }
            }
            if out.is_empty() {
                self.sealed = out;
                continue;
            }
            let written = match connection.socket.write(&out) {
                // WRITABLE comes when the system takes more.
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
                result => result,
            };
            match written {
                Ok(some) => connection.out.extend_from_slice(&out[some..]),
                Err(_) => self.close(number),
            }
            out.clear();
            self.sealed = out;
        }
    }

    fn close(&mut self, number: usize) {
        if let Some(connection) = self.connections[number].take() {
            if let Some(name) = connection.name {
                self.users.remove(&name);
                for members in self.rooms.values_mut() {
                    members.retain(|member| *member != number);
                }
            }
            self.free.push(number);
        }
    }
}

fn encoded(event: &Event) -> Rc<[u8]> {
    let bytes = event.to_message().encode();
    bytes.expect("events have a wire form").into()
}
