//! Each command against a database in which much is stored: a request's way from its frame to its sealed reply, with
//! the commit if it writes. The arithmetic of workers (powers, password hashes) is not in it.
//!
//! `cargo bench -p echat-server --bench dispatch`; `ECHAT_BENCH_MESSAGES=1000000` stores so many messages.

#[path = "stage/mod.rs"]
mod stage;

use std::cell::{Cell, RefCell};
use std::env;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use divan::{Bencher, black_box};
use echat_proto::commands::{Request, RequestKind};
use echat_proto::names::{Content, InvitationCode, NameQuery, Password, RoomName, Username};
use echat_proto::param::{
    AwayText, Dict, KeepDays, Names, NewPassword, RoomRole, ShortText, TargetType,
};
use echat_server::storage::Store;
use stage::Stage;

/// Messages in the database, all in one room.
const MESSAGES: usize = 100_000;
/// Accounts; all of them are in the room.
const USERS: usize = 1_000;
/// Times that each command is measured; each has a room of its own to join.
const SAMPLES: u32 = 100;
/// The room with the messages.
const ROOM: &str = "full";
/// The user that asks, and its friend.
const CALLER: usize = 0;
const FRIEND: usize = 1;
/// The connection without a login.
const GUEST: usize = 2;
/// A time after which every cool-down is over, and in which no connection is pinged.
const COOLED: Duration = Duration::from_secs(6);

/// The first of the users whose friend requests the caller has not answered.
const ASKING: usize = 500;
/// The first of the users that the caller has nothing to do with.
const STRANGERS: usize = 100;

/// The filled database, which every command gets a copy of.
static FILLED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let asked = env::var("ECHAT_BENCH_MESSAGES").ok();
    let count = asked.map_or(MESSAGES, |text| text.parse().expect("a number"));
    let mut store = Store::open(&folder.path().join(FILE)).expect("a new database");
    let ids = stage::accounts(&mut store, USERS);
    stage::room(&mut store, ROOM, &ids);
    for number in 0..SAMPLES {
        stage::room(&mut store, &open_room(number), &ids[2..3]);
    }
    let asking = &ids[ASKING..][..SAMPLES as usize];
    stage::requests(&mut store, asking, ids[CALLER]);
    stage::messages(&mut store, ROOM, count);
    folder
});

const FILE: &str = "database.db";

fn main() {
    divan::main();
}

#[divan::bench(args = RequestKind::ALL, sample_size = 1, sample_count = SAMPLES)]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "divan passes items of a slice"
)]
fn command(bencher: Bencher<'_, '_>, kind: &RequestKind) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stage = RefCell::new(Stage::new(copied(&folder)));
    {
        let mut stage = stage.borrow_mut();
        for user in [CALLER, FRIEND] {
            stage.log_in(&stage::user(user));
        }
        stage.connect();
    }
    // Accounts are made before a login.
    let from = match kind {
        RequestKind::Register => GUEST,
        _ => CALLER,
    };
    let number = Cell::new(0);
    bencher
        .with_inputs(|| {
            let mut stage = stage.borrow_mut();
            for request in before(*kind, number.get()) {
                let frame = stage.seal(CALLER, &request);
                stage.receive(CALLER, &frame);
                stage.settle();
            }
            let request = request(*kind, number.get());
            number.set(number.get() + 1);
            stage.pass(COOLED);
            stage.seal(from, &request)
        })
        .bench_local_refs(|frame| {
            let mut stage = stage.borrow_mut();
            stage.receive(from, frame);
            let sent = stage.settle();
            assert!(sent > 0, "no reply");
            black_box(sent)
        });
}

fn copied(folder: &tempfile::TempDir) -> Store {
    let path: PathBuf = folder.path().join(FILE);
    std::fs::copy(FILLED.path().join(FILE), &path).expect("room for a copy");
    Store::open(&path).expect("a copy of a database")
}

/// A room that the caller is not in.
fn open_room(number: u32) -> String {
    format!("open-{number}")
}

/// Requests that make it possible to ask once more, which are not measured.
fn before(kind: RequestKind, number: u32) -> Vec<Request> {
    match kind {
        RequestKind::Login => vec![Request::Logout {}],
        RequestKind::Logout if number > 0 => vec![stage::log_in(&stage::user(CALLER))],
        // Of an account of its own.
        RequestKind::DeleteAccount => {
            let log_out = (number == 0).then_some(Request::Logout {});
            let register = request(RequestKind::Register, number);
            let log_in = stage::log_in(&format!("new-{number}"));
            log_out.into_iter().chain([register, log_in]).collect()
        }
        RequestKind::LeaveRoom => vec![request(RequestKind::JoinRoom, number)],
        RequestKind::AddMembers | RequestKind::CloseRoom => vec![create(number, Vec::new())],
        RequestKind::SetRoom | RequestKind::SetRole => {
            vec![create(number, vec![stage::user(FRIEND)])]
        }
        _ => Vec::new(),
    }
}

/// A request of each kind that does its work.
fn request(kind: RequestKind, number: u32) -> Request {
    let user = |first: usize| NameQuery::new(stage::user(first + number as usize));
    let room = || NameQuery::new(ROOM);
    let open = || NameQuery::new(open_room(number));
    match kind {
        RequestKind::QueryServerTime => Request::QueryServerTime {},
        RequestKind::Register => Request::Register {
            username: Username::new(&format!("new-{number}")).expect("a good name"),
            password: NewPassword(Password::new("correct horse").expect("a good password")),
            invitation: None,
        },
        RequestKind::Login => stage::log_in(&stage::user(CALLER)),
        RequestKind::AddFriend => Request::AddFriend {
            username: user(STRANGERS),
        },
        RequestKind::ResolveFriendRequest => Request::ResolveFriendRequest {
            username: user(ASKING),
            accepted: true,
        },
        RequestKind::SendMessage => stage::say(TargetType::Room, ROOM),
        RequestKind::JoinRoom => Request::JoinRoom { roomname: open() },
        RequestKind::CreateRoom => create(number, vec![stage::user(FRIEND)]),
        RequestKind::Logout => Request::Logout {},
        RequestKind::QueryHistory => Request::QueryHistory {
            target_type: Some(TargetType::Room),
            target: Some(room()),
            before: None,
            after: None,
            limit: None,
            around: None,
            at: None,
        },
        RequestKind::MarkRead => Request::MarkRead {
            target_type: TargetType::Room,
            target: room(),
            id: u64::from(number) + 1,
        },
        RequestKind::LeaveRoom => Request::LeaveRoom { roomname: open() },
        RequestKind::AddMembers => Request::AddMembers {
            roomname: made(number),
            members: Names(vec![stage::user(FRIEND)]),
        },
        RequestKind::Find => Request::Find {
            keyword: ShortText(format!("user-{number}")),
        },
        RequestKind::ListRooms => Request::ListRooms {},
        RequestKind::EndOtherSessions => Request::EndOtherSessions {},
        RequestKind::ListMembers => Request::ListMembers {
            roomname: room().into(),
        },
        RequestKind::RoomInfo => Request::RoomInfo { roomname: room() },
        RequestKind::SetRoom => rename(number),
        RequestKind::CloseRoom => Request::CloseRoom {
            roomname: made(number),
        },
        RequestKind::SetRole => Request::SetRole {
            roomname: made(number),
            username: NameQuery::new(stage::user(FRIEND)),
            role: RoomRole::Operator,
        },
        RequestKind::ListPublicRooms => Request::ListPublicRooms {
            after: None,
            limit: None,
        },
        other => between_people(other, number),
    }
}

/// A request about other users, or the members of a room.
fn between_people(kind: RequestKind, number: u32) -> Request {
    let user = |first: usize| NameQuery::new(stage::user(first + number as usize));
    let room = || NameQuery::new(ROOM);
    match kind {
        RequestKind::RemoveFriend => Request::RemoveFriend {
            username: user(FRIEND),
        },
        RequestKind::Block => Request::Block {
            username: user(STRANGERS),
        },
        RequestKind::Unblock => Request::Unblock {
            username: user(STRANGERS),
        },
        RequestKind::ListBlocked => Request::ListBlocked {},
        RequestKind::Invite => Request::Invite {
            roomname: room(),
            username: user(STRANGERS),
        },
        RequestKind::DeclineInvitation => Request::DeclineInvitation { roomname: room() },
        RequestKind::Kick => Request::Kick {
            roomname: room(),
            username: user(FRIEND),
            reason: None,
        },
        RequestKind::Ban => Request::Ban {
            roomname: room(),
            username: user(STRANGERS),
            until: None,
            reason: None,
        },
        RequestKind::Unban => Request::Unban {
            roomname: room(),
            username: user(STRANGERS),
        },
        RequestKind::ListBans => Request::ListBans { roomname: room() },
        other => about_messages(other, number),
    }
}

/// A request about messages of the caller, each about another one.
fn about_messages(kind: RequestKind, number: u32) -> Request {
    let id = u64::from(number) + 1;
    match kind {
        RequestKind::EditMessage => Request::EditMessage {
            id,
            content: Content::new("another text").expect("a good text"),
        },
        RequestKind::DeleteMessage => Request::DeleteMessage { id },
        RequestKind::React => Request::React {
            id,
            emoji: ShortText("👍".to_owned()),
            on: true,
        },
        RequestKind::ListMentions => Request::ListMentions {
            before: None,
            limit: None,
        },
        RequestKind::Search => Request::Search {
            query: ShortText("0123456789".to_owned()),
            target_type: None,
            target: None,
            sender: None,
            since: None,
            until: None,
            before: None,
            limit: None,
        },
        other => of_accounts(other, number),
    }
}

/// A request about the caller's account, bots and invitations.
fn of_accounts(kind: RequestKind, number: u32) -> Request {
    match kind {
        RequestKind::ChangePassword => Request::ChangePassword {
            old: Password::presented("correct horse").expect("short"),
            new: NewPassword(Password::new("correct horse").expect("a good password")),
        },
        RequestKind::DeleteAccount => Request::DeleteAccount {
            password: Password::presented("correct horse").expect("short"),
            erase: false,
        },
        RequestKind::SetAway => Request::SetAway {
            text: AwayText(Some(format!("gone {number} times"))),
        },
        RequestKind::ListFriends => Request::ListFriends {},
        RequestKind::Whois => Request::Whois {
            username: NameQuery::new(stage::user(FRIEND)),
        },
        RequestKind::ListSessions => Request::ListSessions {},
        RequestKind::SetPrivacy => Request::SetPrivacy {
            last_seen: Some(number % 2 == 1),
        },
        // Only administrators may; this is how long the refusal takes.
        RequestKind::CreateInvitation => Request::CreateInvitation {
            uses: None,
            expires: None,
        },
        RequestKind::ListInvitations => Request::ListInvitations {},
        RequestKind::RevokeInvitation => Request::RevokeInvitation {
            code: InvitationCode::presented("2345-6789-ABCD-EFGH").expect("short"),
        },
        RequestKind::Admin => Request::Admin {
            command: "users".to_owned(),
            params: Dict::default(),
        },
        RequestKind::CreateBot => Request::CreateBot {
            username: Username::new(&format!("bot{number}")).expect("a possible name"),
            rooms: Names(Vec::new()),
            expires: None,
        },
        RequestKind::ListBots => Request::ListBots {},
        RequestKind::RemoveBot => Request::RemoveBot {
            username: NameQuery::new(format!("bot{number}")),
        },
        RequestKind::NewBotToken => Request::NewBotToken {
            username: NameQuery::new(format!("bot{number}")),
            expires: None,
        },
        other => unreachable!("{} has no request here", other.info().name),
    }
}

/// Gives a room of the caller another name.
fn rename(number: u32) -> Request {
    Request::SetRoom {
        roomname: made(number),
        new_name: Some(RoomName::new(&format!("renamed-{number}")).expect("a good name")),
        topic: None,
        private: None,
        read_only: None,
        slow_seconds: None,
        keep_days: KeepDays::Unchanged,
    }
}

/// A room of the caller, which [`create`] makes.
fn made(number: u32) -> NameQuery {
    NameQuery::new(format!("made-{number}"))
}

fn create(number: u32, members: Vec<String>) -> Request {
    Request::CreateRoom {
        roomname: RoomName::new(&format!("made-{number}")).expect("a good name"),
        members: Names(members),
        private: None,
        topic: None,
    }
}
