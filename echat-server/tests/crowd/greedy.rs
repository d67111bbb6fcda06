//! Clients that send requests as fast as they can, each in a frame of its own.

use echat_proto::channel::Incoming;
use echat_proto::names::{Content, RoomName, Username};
use echat_server::storage::{Batch, Store, UserId};
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, credentials, line, message};

/// The room of these clients alone.
const DEN: &str = "den";
/// The room of all users.
const SQUARE: &str = "square";
/// The most names that a request lists.
const NAMES: usize = 1_000;

/// What it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greed {
    /// The time.
    Time,
    /// A PONG.
    Pong,
    /// More messages than its rate allows.
    Say,
    /// A list of its rooms, with what is unread in each.
    Rooms,
    /// A list of the members of the square.
    Members,
    /// The newest page of the square.
    History,
    /// A search for a part of many names.
    Find,
    /// A room with as many strangers as a request may name.
    Names,
    /// A room with more than that.
    TooManyNames,
    /// A logout and a login.
    Logins,
}

impl Greed {
    pub(crate) const ALL: [Self; 10] = [
        Self::Time,
        Self::Pong,
        Self::Say,
        Self::Rooms,
        Self::Members,
        Self::History,
        Self::Find,
        Self::Names,
        Self::TooManyNames,
        Self::Logins,
    ];

    /// Frames that are under way at a time; their answers do not fill its queue, so that the
    /// server goes on reading.
    pub(crate) fn window(self) -> usize {
        match self {
            Greed::Time | Greed::Pong | Greed::Say => 1_000,
            _ => 4,
        }
    }

    fn request(self) -> String {
        let names = |count| {
            let names: Vec<_> = (0..count).map(|n| format!("\"Stränger{n}\"")).collect();
            let names = names.join(",");
            format!(r#"CREATE_ROOM {{"roomname":"nest","members":[{names}]}}"#)
        };
        match self {
            Greed::Time => "QUERY_SERVER_TIME".to_owned(),
            Greed::Pong => "PING".to_owned(),
            Greed::Say => format!(
                r#"SEND_MESSAGE {{"target_type":1,"target":"{DEN}","content":"me","txn_id":null}}"#
            ),
            Greed::Rooms => "LIST_ROOMS".to_owned(),
            Greed::Members => format!(r#"LIST_MEMBERS "{SQUARE}""#),
            Greed::History => {
                format!(r#"QUERY_HISTORY {{"target_type":1,"target":"{SQUARE}","limit":200}}"#)
            }
            Greed::Find => r#"FIND {"keyword":"1"}"#.to_owned(),
            Greed::Names => names(NAMES),
            Greed::TooManyNames => names(3 * NAMES),
            Greed::Logins => "LOGOUT".to_owned(),
        }
    }

    /// What follows each request, and how many answers both have.
    fn sequel(self, name: &str) -> (Option<String>, usize) {
        match self {
            Greed::Logins => (Some(format!("LOGIN {}", credentials(name))), 3),
            _ => (None, 1),
        }
    }

    fn is_answered_by(self, incoming: &Incoming) -> bool {
        let Incoming::Message(answer) = incoming else {
            return self == Greed::Pong && *incoming == Incoming::Pong;
        };
        let is = |name| answer.command == message(name).command;
        let text = || line(answer);
        match self {
            Greed::Time => is("SEND_SERVER_TIME"),
            Greed::Pong => false,
            Greed::Say => {
                text().contains(r#""code":"rate_limited""#) || text().contains(r#""txn_id":null"#)
            }
            Greed::Rooms => is("ROOMS"),
            Greed::Members => is("MEMBERS"),
            Greed::History => is("HISTORY"),
            Greed::Find => is("FOUND"),
            Greed::Names => text().contains(r#""code":"not_friends""#),
            Greed::TooManyNames => text().contains(r#""code":"bad_params""#),
            Greed::Logins => is("LOGGED_OUT") || is("LOGIN_SUCCESS") || is("LOGIN_BUNDLE"),
        }
    }
}

/// How much there is to read.
#[derive(Clone, Copy)]
pub(crate) struct Plenty {
    /// The number of clients.
    pub(crate) users: usize,
    /// Their rooms.
    pub(crate) rooms: usize,
    /// What they have not read in each.
    pub(crate) unread: usize,
    /// Members of the square.
    pub(crate) members: usize,
}

/// Registers the clients, and makes what they read.
pub(crate) fn prepare(dir: &ServerFolder, plenty: Plenty) {
    let server = dir.start(&[]);
    for n in 0..plenty.users {
        drop(Client::register(&server, &name(n)));
    }
    assert_eq!(server.stop().status.code(), Some(0));

    let mut store = Store::open(&dir.path("data/database.db")).unwrap();
    let mut batch = store.batch();
    let greedy: Vec<_> = batch.users(u32::MAX).unwrap();
    let greedy: Vec<_> = greedy.iter().map(|user| user.id).collect();
    let other = account(&mut batch, "other");
    let beside = |others: &[UserId]| [&greedy[..], others].concat();
    fill(&mut batch, &RoomName::new(DEN).unwrap(), &beside(&[]), 0);
    for n in 1..plenty.rooms {
        let room = RoomName::new(&format!("room-number-{n}")).unwrap();
        fill(&mut batch, &room, &beside(&[other]), plenty.unread);
    }
    let all = plenty.users..=plenty.members;
    let all = all.map(|n| account(&mut batch, &format!("many-{n}")));
    let all = beside(&all.collect::<Vec<_>>());
    let square = RoomName::new(SQUARE).unwrap();
    fill(&mut batch, &square, &all, plenty.unread);
    let _ = batch.commit().unwrap();
}

fn name(n: usize) -> String {
    format!("greedy-{n}")
}

fn account(batch: &mut Batch<'_>, name: &str) -> UserId {
    let name = Username::new(name).unwrap();
    batch.create_user(&name, "no login", 0).unwrap().unwrap()
}

/// A room of these members, with messages of the last one.
fn fill(batch: &mut Batch<'_>, name: &RoomName, members: &[UserId], messages: usize) {
    let room = batch.create_room(name, members[0], 0).unwrap().unwrap();
    for member in members {
        batch.add_member(room, *member, 0).unwrap();
    }
    let content = Content::new("an unread message").unwrap();
    for _ in 0..messages {
        batch
            .insert_message(room, *members.last().unwrap(), &content, None, 0)
            .unwrap();
    }
}

/// One of them.
pub(crate) struct Greedy {
    name: String,
    client: Client,
}

/// Logs them in.
pub(crate) fn enter(server: &ServerProcess, users: usize) -> Vec<Greedy> {
    let come = |n| Greedy {
        name: name(n),
        client: Client::login(server, &name(n)),
    };
    (0..users).map(come).collect()
}

/// Sends a window of frames, and reads one answer to each.
pub(crate) fn ask(greedy: &mut Greedy, greed: Greed) {
    let (sequel, answers) = greed.sequel(&greedy.name);
    let requests: Vec<_> = (0..greed.window())
        .flat_map(|_| [Some(greed.request()), sequel.clone()])
        .flatten()
        .collect();
    assert!(greedy.client.says(&requests));
    let mut left = greed.window() * answers;
    while left > 0 {
        let answer = greedy.client.hears().expect("an answer");
        if is_news(&answer) {
            continue;
        }
        assert!(greed.is_answered_by(&answer), "{greed:?}: {answer:?}");
        left -= 1;
    }
}

/// Whether that is an event of another user, or the welcome of a login.
fn is_news(incoming: &Incoming) -> bool {
    let Incoming::Message(event) = incoming else {
        return false;
    };
    let said = event.params.at("txn_id").is_none() && event.params.at("content").is_some();
    [113, 114, 140].contains(&event.command) || (event.command == 109 && said)
}
