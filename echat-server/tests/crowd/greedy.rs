//! One client that asks as fast as it can, each request in a frame of its own.

use echat_proto::channel::Incoming;
use echat_proto::names::{Content, RoomName, Username};
use echat_server::store::{Batch, Store, UserId};

use crate::place::{Place, Running};
use crate::wire::{Client, credentials, line, message};

/// Who it is.
const NAME: &str = "greedy";
/// The room that it has for itself.
const DEN: &str = "den";
/// The room in which everybody is.
const SQUARE: &str = "square";
/// Names that a request lists at most.
const NAMES: usize = 1_000;

/// What it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greed {
    /// The time.
    Time,
    /// A PONG.
    Pong,
    /// To say more than it may.
    Say,
    /// Its rooms, and what is unread in each.
    Rooms,
    /// Everybody in the square.
    Members,
    /// The newest page of the square.
    History,
    /// What many names contain.
    Find,
    /// A room with as many strangers as a request may name.
    Names,
    /// A room with more than that.
    TooManyNames,
    /// To go and come again, for what a login brings.
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
    fn sequel(self) -> (Option<String>, usize) {
        match self {
            Greed::Logins => (Some(format!("LOGIN {}", credentials(NAME))), 3),
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

/// How much there is to be greedy for.
#[derive(Clone, Copy)]
pub(crate) struct Plenty {
    /// Its rooms.
    pub(crate) rooms: usize,
    /// What it has not read in each.
    pub(crate) unread: usize,
    /// Members of the square.
    pub(crate) members: usize,
}

/// Registers the greedy one, and lays before it what it may ask for.
pub(crate) fn prepare(place: &Place, plenty: Plenty) {
    let server = place.start(&[]);
    let mut greedy = Client::register(&server, NAME);
    let made = greedy.asks(&format!(
        r#"CREATE_ROOM {{"roomname":"{DEN}","members":[]}}"#
    ));
    assert!(line(&made).contains(r#""success":true"#), "{}", line(&made));
    drop(greedy);
    assert_eq!(server.stop().status.code(), Some(0));

    let mut store = Store::open(&place.path("data/database.db")).unwrap();
    let mut batch = store.batch();
    let greedy = batch.find_user(NAME).unwrap().unwrap().id;
    let other = account(&mut batch, "other");
    for n in 1..plenty.rooms {
        let room = RoomName::new(&format!("room-number-{n}")).unwrap();
        fill(&mut batch, &room, &[greedy, other], plenty.unread);
    }
    let everybody = (0..plenty.members).map(|n| account(&mut batch, &format!("many-{n}")));
    let mut everybody: Vec<_> = everybody.collect();
    everybody.push(greedy);
    let square = RoomName::new(SQUARE).unwrap();
    fill(&mut batch, &square, &everybody, plenty.unread);
    let _ = batch.commit().unwrap();
}

fn account(batch: &mut Batch<'_>, name: &str) -> UserId {
    let name = Username::new(name).unwrap();
    batch
        .create_user(&name, "nobody logs in", 0)
        .unwrap()
        .unwrap()
}

/// A room of these, in which the second of them says something again and again.
fn fill(batch: &mut Batch<'_>, name: &RoomName, members: &[UserId], messages: usize) {
    let room = batch.create_room(name, members[0], 0).unwrap().unwrap();
    for member in members {
        batch.add_member(room, *member, 0).unwrap();
    }
    let content = Content::new("what nobody has read").unwrap();
    for _ in 0..messages {
        batch
            .insert_message(room, members[1], &content, None, 0)
            .unwrap();
    }
}

/// The greedy one comes.
pub(crate) fn enter(server: &Running) -> Client {
    Client::login(server, NAME)
}

/// Sends a window of frames, and hears one answer to each.
pub(crate) fn ask(greedy: &mut Client, greed: Greed) {
    let (sequel, answers) = greed.sequel();
    let requests: Vec<_> = (0..greed.window())
        .flat_map(|_| [Some(greed.request()), sequel.clone()])
        .flatten()
        .collect();
    assert!(greedy.says(&requests));
    for _ in 0..greed.window() * answers {
        let answer = greedy.hears().expect("an answer");
        assert!(greed.is_answered_by(&answer), "{greed:?}: {answer:?}");
    }
}
