//! From a plan's numbers to what goes over the wire.

use crate::plan::{ROOMS, Said, Target, USERS};
use crate::world::seed::PASSWORD;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::Request;
use echat_proto::names::{Content, NameQuery, Password, RoomName, TxnId, Username};
use echat_proto::param::{NewPassword, TargetType};

/// A number that no command has.
const NONSENSE: u32 = 4_000;

/// The message of a request, of a client that knows messages up to `known`.
pub(crate) fn message(said: &Said, known: u64) -> Message {
    let request = match said {
        Said::Time => Request::QueryServerTime {},
        Said::Register(user) => Request::Register {
            username: Username::new(USERS[*user]).expect("a possible name"),
            password: NewPassword(password(true)),
        },
        Said::Login { user, right } => Request::Login {
            username: name(USERS[*user]),
            password: password(*right),
        },
        Said::Logout => Request::Logout {},
        Said::Befriend(user) => Request::AddFriend {
            username: name(USERS[*user]),
        },
        Said::Resolve(user, accepted) => Request::ResolveFriendRequest {
            username: name(USERS[*user]),
            accepted: *accepted,
        },
        Said::Send {
            to,
            number,
            size,
            txn,
        } => Request::SendMessage {
            target_type: kind(*to),
            target: target(*to),
            content: Content::new(content(*number, *size)).expect("possible"),
            txn_id: txn.then(|| TxnId::new(number.to_string()).expect("possible")),
        },
        Said::Create(room, members) => Request::CreateRoom {
            roomname: RoomName::new(ROOMS[*room]).expect("a possible name"),
            members: members.iter().map(|user| name(USERS[*user])).collect(),
        },
        Said::Join(room) => Request::JoinRoom {
            roomname: name(ROOMS[*room]),
        },
        Said::Part(room) => Request::LeaveRoom {
            roomname: name(ROOMS[*room]),
        },
        Said::Add(room, members) => Request::AddMembers {
            roomname: name(ROOMS[*room]),
            members: members.iter().map(|user| name(USERS[*user])).collect(),
        },
        Said::History {
            of,
            from_known,
            limit,
        } => Request::QueryHistory {
            target_type: of.map(kind),
            target: of.map(target),
            before: None,
            after: from_known.then_some(known),
            limit: Some(*limit),
        },
        Said::Read(of) => Request::MarkRead {
            target_type: kind(*of),
            target: target(*of),
            id: known,
        },
        Said::Find(keyword) => Request::Find {
            keyword: (*keyword).to_owned(),
        },
        Said::Rooms => Request::ListRooms {},
        Said::Members(room) => Request::ListMembers {
            roomname: name(ROOMS[*room]),
        },
        Said::Nonsense => {
            return Message {
                command: NONSENSE,
                params: Value::Null,
            };
        }
    };
    request.to_message()
}

/// What a message of this number and size says.
pub(crate) fn content(number: u8, size: usize) -> String {
    format!("{number:*<size$}")
}

pub(crate) fn kind(target: Target) -> TargetType {
    match target {
        Target::User(_) => TargetType::Friend,
        Target::Room(_) => TargetType::Room,
    }
}

/// The name of a target.
pub(crate) fn named(target: Target) -> &'static str {
    match target {
        Target::User(user) => USERS[user],
        Target::Room(room) => ROOMS[room],
    }
}

fn target(target: Target) -> NameQuery {
    name(named(target))
}

fn name(name: &str) -> NameQuery {
    NameQuery::new(name)
}

fn password(right: bool) -> Password {
    Password::presented(if right { PASSWORD } else { "wrong horse" }).expect("short")
}
