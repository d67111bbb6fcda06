//! echat itself, and the reference that speaks its wire from memory.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::process::Command;
use std::{env, io};

use echat_proto::channel::Opened;
use echat_proto::commands::event::ON_NEW_MESSAGE;
use echat_proto::commands::{Ending, PendingReplies, Request, channel};
use echat_proto::message::Message;
use echat_proto::names::{Content, NameQuery, RoomName};
use echat_proto::param::{Names, TargetType};
use echat_proto::value::Value;

use super::super::Failure;
use super::super::cleanup::TemporaryFolder;
use super::super::crowd::{self, TEXT};
use super::super::people::{self, each};
use super::super::server::{CONFIG, CONFIG_WITH_PINGS};
use super::peer::{Heard, Peer, Speaker};
use super::process::{Process, free_address};
use super::{Bench, first_line};
use crate::net::address::Address;
use crate::net::link::{Link, Unwatched};
use crate::net::socket::Received;

/// The folder of a server's data, in the folder in which it is started.
const DATA: &str = "data";
/// Connections that register users at the same time: enough for all processors to hash passwords.
const REGISTRARS: usize = 4;
/// Users that one connection registers: a server closes a connection that does not log in within a minute, and a slow
/// machine takes a second for each.
const REGISTERED_BY_ONE: usize = 50;

/// The server of this project.
pub(super) struct Echat;

impl Peer for Echat {
    fn name(&self) -> &'static str {
        "echat"
    }

    fn version(&self, bench: &Bench) -> Option<String> {
        first_line(bench.server.clone(), "--version")
    }

    fn start(&self, bench: &Bench, _: usize, pings: bool) -> Result<Process, Failure> {
        let folder = TemporaryFolder::new()?;
        if let Some(registered) = bench.registered.get() {
            copy(&registered.path().join(DATA), &folder.path().join(DATA))?;
        }
        start(bench, folder, pings)
    }

    fn connect(
        &self,
        bench: &Bench,
        server: &Process,
        number: usize,
    ) -> Result<Box<dyn Speaker>, Failure> {
        connect(bench, server, number)
    }

    fn welcomes(&self) -> bool {
        false
    }

    fn touch(&self, bench: &Bench, server: &Process) -> Result<(), Failure> {
        people::connect(&address(server)?, &bench.clock).map(drop)
    }

    fn sender_gets_a_copy(&self) -> bool {
        true
    }
}

/// The same wire without a database: see [`super::reference`].
pub(super) struct Reference;

impl Peer for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn version(&self, _: &Bench) -> Option<String> {
        Some(format!("echat-load {}", env!("CARGO_PKG_VERSION")))
    }

    fn start(&self, bench: &Bench, _: usize, _: bool) -> Result<Process, Failure> {
        let address = free_address()?;
        let mut command = Command::new(env::current_exe()?);
        command.arg("reference").arg(address.to_string());
        Process::start(command, TemporaryFolder::new()?, address, &bench.clock)
    }

    fn connect(
        &self,
        bench: &Bench,
        server: &Process,
        number: usize,
    ) -> Result<Box<dyn Speaker>, Failure> {
        connect(bench, server, number)
    }

    fn welcomes(&self) -> bool {
        false
    }

    fn touch(&self, bench: &Bench, server: &Process) -> Result<(), Failure> {
        people::connect(&address(server)?, &bench.clock).map(drop)
    }

    fn sender_gets_a_copy(&self) -> bool {
        true
    }
}

/// Registers so many users at a server that ends then; later servers start on a copy of its data.
pub(super) fn register(bench: &Bench, users: usize) -> Result<TemporaryFolder, Failure> {
    let kept = TemporaryFolder::new()?;
    let mut server = start(bench, TemporaryFolder::new()?, false)?;
    let at = address(&server)?;
    each(REGISTRARS, |first| {
        let numbers: Vec<usize> = (first..users).step_by(REGISTRARS).collect();
        for some in numbers.chunks(REGISTERED_BY_ONE) {
            let mut link = people::connect(&at, &bench.clock)?;
            for &number in some {
                people::register(&mut link, number, &bench.clock)?;
            }
        }
        Ok(())
    })?;
    server.end()?;
    copy(&server.folder().join(DATA), &kept.path().join(DATA))?;
    Ok(kept)
}

fn start(bench: &Bench, folder: TemporaryFolder, pings: bool) -> Result<Process, Failure> {
    let config = if pings { CONFIG_WITH_PINGS } else { CONFIG };
    fs::write(folder.path().join("config.json"), config)?;
    let address = free_address()?;
    let mut command = Command::new(&bench.server);
    command
        .args(["--listen", &address.to_string(), "--log", "warn"])
        .env_remove("ECHAT_CONFIG")
        .env_remove("ECHAT_LOG");
    Process::start(command, folder, address, &bench.clock)
}

/// Copies a folder of files with their modes, without sockets.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn address(server: &Process) -> Result<Address, Failure> {
    let address = server.address.to_string().parse();
    address.map_err(|_| Failure::NotReady)
}

fn connect(bench: &Bench, server: &Process, number: usize) -> Result<Box<dyn Speaker>, Failure> {
    let mut link = people::connect(&address(server)?, &bench.clock)?;
    people::log_in(&mut link, number, &bench.clock)?;
    Ok(Box::new(User {
        link,
        number,
        requests: PendingReplies::default(),
    }))
}

struct User {
    link: Link,
    number: usize,
    requests: PendingReplies<()>,
}

impl User {
    fn request(&mut self, request: &Request) {
        let message = request.to_message();
        self.requests.sent(message.command, ());
        self.send(&message);
    }

    fn send(&mut self, message: &Message) {
        let plain = message.encode();
        let plain = plain.expect("requests have a wire form");
        self.link.send(&plain, &mut Unwatched);
    }
}

impl Speaker for User {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }

    fn join(&mut self, room: &str) {
        let request = if self.number == 0 {
            Request::CreateRoom {
                roomname: RoomName::new(room).expect("a good name"),
                members: Names(Vec::new()),
                private: None,
                topic: None,
            }
        } else {
            Request::JoinRoom {
                roomname: NameQuery::new(room),
            }
        };
        self.request(&request);
    }

    fn meet(&mut self, other: usize) -> bool {
        self.request(&Request::AddFriend {
            username: NameQuery::new(people::name(other)),
        });
        true
    }

    fn say(&mut self, room: &str) {
        self.request(&crowd::message(room));
    }

    fn tell(&mut self, other: usize) {
        self.request(&Request::SendMessage {
            target_type: TargetType::Friend,
            target: NameQuery::new(people::name(other)),
            content: Content::new(TEXT).expect("a good text"),
            txn_id: None,
            reply_to: None,
        });
    }

    fn ping(&mut self) {
        self.request(&Request::QueryServerTime {});
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.link.socket().flush();
        Ok(())
    }

    fn hear(&mut self, scratch: &mut [u8]) -> Result<Heard, Failure> {
        loop {
            match self.link.receive_into(scratch, &mut Unwatched) {
                Received::Bytes(some) if some == scratch.len() => {}
                Received::Bytes(_) | Received::Nothing => break,
                Received::End => return Err(Failure::Closed),
            }
        }
        let mut heard = Heard::default();
        while let Some(opened) = self.link.next_opened()? {
            match opened {
                Opened::Messages(mut messages) => {
                    while let Some(command) = messages.command() {
                        heard.deliveries += usize::from(command == ON_NEW_MESSAGE);
                        // Only a user with an open question has to decode what it hears.
                        if self.requests.is_empty() {
                            messages.pass();
                        } else if let Some(message) = messages.next() {
                            heard.answers += self.answer(message)?;
                        }
                    }
                }
                Opened::Ping => {
                    self.send(&Message {
                        command: channel::PONG,
                        params: Value::Null,
                    });
                    self.flush()?;
                }
                Opened::Pong => {}
                Opened::Close(_) => return Err(Failure::Closed),
            }
        }
        Ok(heard)
    }
}

impl User {
    fn answer(&mut self, message: Message) -> Result<usize, Failure> {
        match self.requests.answered(&message) {
            Some(answered) if answered.ending == Ending::Refused => Err(Failure::Refused(message)),
            answered => Ok(usize::from(answered.is_some())),
        }
    }
}
