//! Users that share rooms with others, and leave at once.

use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};

use echat_proto::channel::Incoming;
use echat_proto::names::RoomName;
use echat_server::storage::Store;
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, message};

/// Users that leave, users that stay, and the rooms in which all of them are.
pub(crate) struct Crowd {
    going: Vec<TcpStream>,
    /// Each gives the number of offline events that it got.
    staying: Vec<JoinHandle<usize>>,
}

/// How many.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) going: usize,
    pub(crate) staying: usize,
    pub(crate) rooms: usize,
}

/// Registers all users, and makes their rooms.
pub(crate) fn prepare(dir: &ServerFolder, size: Size) {
    let server = super::start_with_limits(dir, r#"{"registrations": 0}"#);
    for n in 0..size.going + size.staying {
        drop(Client::register(&server, &name(n)));
    }
    assert_eq!(server.stop().status.code(), Some(0));
    let mut store = Store::open(&dir.path("data/database.db")).unwrap();
    let mut batch = store.batch();
    let users = batch.users(u32::MAX).unwrap();
    for n in 0..size.rooms {
        let room = RoomName::new(&format!("hall-{n}")).unwrap();
        let room = batch.create_room(&room, users[0].id, 0).unwrap().unwrap();
        for user in &users {
            batch.add_member(room, user.id, 0).unwrap();
        }
    }
    let _ = batch.commit().unwrap();
}

fn name(n: usize) -> String {
    format!("guest-{n}")
}

impl Crowd {
    /// All log in, and read every event.
    pub(crate) fn gather(server: &ServerProcess, size: Size) -> Self {
        let news = size.going * size.rooms;
        let come = |n| {
            let client = Client::login(server, &name(n));
            let stream = client.stream().try_clone().unwrap();
            (stream, thread::spawn(move || listen(client, news)))
        };
        let staying = (0..size.staying).map(|n| come(n).1).collect();
        let going = size.staying..size.staying + size.going;
        let going = going.map(|n| come(n).0).collect();
        Self { going, staying }
    }

    /// The users that leave hang up. The others end when they have an event for each of them in every room.
    pub(crate) fn part(self) -> Vec<JoinHandle<usize>> {
        for stream in &self.going {
            stream.shutdown(Shutdown::Both).unwrap();
        }
        self.staying
    }
}

/// Reads this many offline events of rooms, unless it is closed before.
fn listen(mut client: Client, news: usize) -> usize {
    let went = message(r#"ON_MEMBER_OFFLINE {"roomname":"","membername":""}"#).command;
    let mut told = 0;
    while told < news {
        match client.hears() {
            Some(Incoming::Message(event)) if event.command == went => told += 1,
            Some(Incoming::Close(_)) | None => break,
            Some(_) => {}
        }
    }
    told
}
