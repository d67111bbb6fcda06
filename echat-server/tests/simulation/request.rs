//! From a plan's numbers to what goes over the wire, and from what comes to the code of a refusal.

use crate::plan::{PlannedRequest, ROOMS, Target, USERS};
use crate::sim::seed::PASSWORD;
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::{Event, Request};
use echat_proto::names::{Content, NameQuery, Password, ResumeSecret, RoomName, TxnId, Username};
use echat_proto::param::{Names, NewPassword, ShortText, TargetType};

/// A number that no command has.
const NONSENSE: u32 = 4_000;

/// The message of a request, of a client that knows messages up to `known`.
pub(crate) fn message(planned: &PlannedRequest, known: u64) -> Message {
    let request = match planned {
        PlannedRequest::Time => Request::QueryServerTime {},
        PlannedRequest::Logout => Request::Logout {},
        PlannedRequest::Rooms => Request::ListRooms {},
        PlannedRequest::Find(keyword) => Request::Find {
            keyword: ShortText((*keyword).to_owned()),
        },
        PlannedRequest::Send { .. } | PlannedRequest::History { .. } | PlannedRequest::Read(_) => {
            of_messages(planned, known)
        }
        PlannedRequest::Nonsense => {
            return Message {
                command: NONSENSE,
                params: Value::Null,
            };
        }
        _ => of_people(planned),
    };
    request.to_message()
}

/// The LOGIN of a user with a secret.
pub(crate) fn resume(user: usize, secret: ResumeSecret) -> Message {
    let request = Request::Login {
        username: name(USERS[user]),
        password: None,
        resume: Some(secret),
        device: None,
        messages: None,
        token: None,
    };
    request.to_message()
}

fn of_messages(planned: &PlannedRequest, known: u64) -> Request {
    match planned {
        PlannedRequest::Send {
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
        PlannedRequest::History {
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
        PlannedRequest::Read(of) => Request::MarkRead {
            target_type: kind(*of),
            target: target(*of),
            id: known,
        },
        other => unreachable!("{other:?} is not about messages"),
    }
}

fn of_people(planned: &PlannedRequest) -> Request {
    let user = |user: &usize| name(USERS[*user]);
    let room = |room: &usize| name(ROOMS[*room]);
    let members =
        |members: &[usize]| Names(members.iter().map(|user| USERS[*user].to_owned()).collect());
    match planned {
        PlannedRequest::Register(new) => Request::Register {
            username: Username::new(USERS[*new]).expect("a possible name"),
            password: NewPassword(password(true)),
            invitation: None,
        },
        PlannedRequest::Login { user: index, right } => Request::Login {
            username: user(index),
            password: Some(password(*right)),
            resume: None,
            device: None,
            messages: None,
            token: None,
        },
        PlannedRequest::Befriend(other) => Request::AddFriend {
            username: user(other),
        },
        PlannedRequest::Resolve(other, accepted) => Request::ResolveFriendRequest {
            username: user(other),
            accepted: *accepted,
        },
        PlannedRequest::Create(new, friends) => Request::CreateRoom {
            roomname: RoomName::new(ROOMS[*new]).expect("a possible name"),
            members: members(friends),
            private: None,
            topic: None,
        },
        PlannedRequest::Add(of, friends) => Request::AddMembers {
            roomname: room(of),
            members: members(friends),
        },
        PlannedRequest::Join(of) => Request::JoinRoom { roomname: room(of) },
        PlannedRequest::Part(of) => Request::LeaveRoom { roomname: room(of) },
        PlannedRequest::Members(of) => Request::ListMembers {
            roomname: room(of).into(),
        },
        other => unreachable!("{other:?} is not about people"),
    }
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

/// The code of a refusal.
pub(crate) fn code(event: &Event) -> Option<&str> {
    event.refusal().map(|fail| fail.code.as_str())
}
