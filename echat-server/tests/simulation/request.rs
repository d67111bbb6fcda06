//! Builds wire messages from planned requests, as PROTOCOL.md specifies them, and reads the code of a refusal.

use crate::committed::CommittedState;
use crate::plan::{
    AccountRequest, Action, BotRequest, Case, EMOJI, InvitationCodeRequest, MessageRequest,
    PASSWORDS, PasswordChoice, PeopleRequest, PlannedRequest, ROOMS, RoomRequest, Setting, Target,
    USERS,
};
use crate::value::{dict, list, text};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::ResumeSecret;
use echat_proto::param::{Param, TargetType};
use std::collections::BTreeSet;

/// A number that no command has.
const UNKNOWN_COMMAND: u32 = 4_000;
/// A password that no user ever has.
const WRONG: &str = "wrong horse";
/// The reason of every kick.
pub(crate) const REASON: &str = "too loud";

/// Builds messages. It knows what planned requests refer to at the time of sending.
pub(crate) struct RequestBuilder<'t> {
    pub(crate) committed: &'t CommittedState,
    /// The user of the connection, if known.
    pub(crate) user: Option<usize>,
    /// The newest message that the client knows.
    pub(crate) known: u64,
    /// The unix time.
    pub(crate) unix: i64,
}

impl RequestBuilder<'_> {
    /// The message of a request.
    pub(crate) fn message(&self, planned: &PlannedRequest) -> Message {
        let (command, params) = match planned {
            PlannedRequest::Time => (1, Value::Null),
            PlannedRequest::Logout => (11, Value::Null),
            PlannedRequest::Rooms => (17, Value::Null),
            PlannedRequest::Find(keyword) => (16, dict([("keyword", text(keyword))])),
            PlannedRequest::Send { .. }
            | PlannedRequest::History { .. }
            | PlannedRequest::Around { .. }
            | PlannedRequest::Mentions(_)
            | PlannedRequest::Message(_)
            | PlannedRequest::Read(_) => self.messages(planned),
            PlannedRequest::UnknownCommand => (UNKNOWN_COMMAND, Value::Null),
            PlannedRequest::Account(of) => self.account(of),
            PlannedRequest::People(of) => people(of),
            PlannedRequest::Room(of) => self.room(of),
            PlannedRequest::Bot(of) => self.bot(of),
            PlannedRequest::InvitationCode(InvitationCodeRequest::Make(uses, seconds)) => {
                let expires = later(self.unix, *seconds).map(|at| ("expires", Value::Int(at)));
                let entries = [("uses", Value::Int(*uses))];
                (48, dict(entries.into_iter().chain(expires)))
            }
            PlannedRequest::InvitationCode(InvitationCodeRequest::List) => (52, Value::Null),
            _ => self.basic(planned),
        };
        Message { command, params }
    }

    fn messages(&self, planned: &PlannedRequest) -> (u32, Value) {
        match planned {
            PlannedRequest::Send {
                to,
                number,
                size,
                txn,
                reply,
            } => {
                let mut entries = target(*to);
                let reply = reply.map(|nth| Value::Int(self.known.saturating_sub(nth)));
                entries.extend(reply.map(|id| ("reply_to", id)));
                entries.push(("content", Value::Str(content(*number, *size))));
                if *txn {
                    entries.push(("txn_id", Value::Str(number.to_string())));
                }
                (6, dict(entries))
            }
            PlannedRequest::History {
                of,
                from_known,
                limit,
            } => {
                let mut entries = of.map(target).unwrap_or_default();
                if *from_known {
                    entries.push(("after", Value::Int(self.known)));
                }
                entries.push(("limit", Value::Int(*limit)));
                (12, dict(entries))
            }
            PlannedRequest::Around { of, nth, limit } => {
                let mut entries = target(*of);
                entries.push(("around", Value::Int(self.known.saturating_sub(*nth))));
                entries.push(("limit", Value::Int(*limit)));
                (12, dict(entries))
            }
            PlannedRequest::Mentions(limit) => (42, dict([("limit", Value::Int(*limit))])),
            PlannedRequest::Message(of) => {
                let id = ("id", Value::Int(of.id(self.known)));
                match of {
                    MessageRequest::Edit(_, number) => {
                        (39, dict([id, ("content", Value::Str(edited(*number)))]))
                    }
                    MessageRequest::Delete(_) => (40, dict([id])),
                    MessageRequest::React(_, emoji, on) => {
                        let emoji = ("emoji", text(EMOJI[*emoji]));
                        (41, dict([id, emoji, ("on", Value::Bool(*on))]))
                    }
                }
            }
            PlannedRequest::Read(of) => {
                let mut entries = target(*of);
                entries.push(("id", Value::Int(self.known)));
                (13, dict(entries))
            }
            other => unreachable!("{other:?} is not about messages"),
        }
    }

    fn basic(&self, planned: &PlannedRequest) -> (u32, Value) {
        let user = |user: &usize| text(USERS[*user]);
        let room = |room: &usize| text(ROOMS[*room]);
        let users = |users: &[usize]| list(users.iter().map(user));
        match planned {
            PlannedRequest::Register(new) => {
                let entries = [("username", user(new)), ("password", text(PASSWORDS[0]))];
                (2, dict(entries))
            }
            PlannedRequest::Login {
                user: name,
                password,
            } => {
                let password = self.password(*name, *password);
                (3, dict([("username", user(name)), ("password", password)]))
            }
            PlannedRequest::Befriend(other) => (4, user(other)),
            PlannedRequest::Resolve(other, accepted) => {
                let entries = [
                    ("username", user(other)),
                    ("accepted", Value::Bool(*accepted)),
                ];
                (5, dict(entries))
            }
            PlannedRequest::Join(of) => (7, room(of)),
            PlannedRequest::Create(new, friends, private) => {
                let mut entries = vec![("roomname", room(new)), ("members", users(friends))];
                if *private {
                    entries.push(("private", Value::Bool(true)));
                }
                (9, dict(entries))
            }
            PlannedRequest::Part(of) => (14, room(of)),
            PlannedRequest::Add(of, friends) => (
                15,
                dict([("roomname", room(of)), ("members", users(friends))]),
            ),
            PlannedRequest::Members(of) => (18, room(of)),
            other => unreachable!("{other:?} is built elsewhere"),
        }
    }

    fn account(&self, of: &AccountRequest) -> (u32, Value) {
        let me = self.user.unwrap_or_default();
        match of {
            AccountRequest::ChangePassword(old) => {
                let new = self.password(me, PasswordChoice::Other);
                (19, dict([("old", self.password(me, *old)), ("new", new)]))
            }
            AccountRequest::Delete { password, erase } => {
                let entries = [
                    ("password", self.password(me, *password)),
                    ("erase", Value::Bool(*erase)),
                ];
                (20, dict(entries))
            }
            AccountRequest::Away(away) => {
                (21, away.map_or(Value::Null, |n| Value::Str(self::away(n))))
            }
            AccountRequest::EndOthers => (49, Value::Null),
            AccountRequest::Sessions => (50, Value::Null),
            AccountRequest::Privacy(shows) => (51, dict([("last_seen", Value::Bool(*shows))])),
        }
    }

    fn room(&self, of: &RoomRequest) -> (u32, Value) {
        let room = |room: &usize| text(ROOMS[*room]);
        let both = |of: &usize, user: &usize| {
            vec![("roomname", room(of)), ("username", text(USERS[*user]))]
        };
        match of {
            RoomRequest::Info(of) => (28, room(of)),
            RoomRequest::Set(of, setting) => (29, dict([("roomname", room(of)), set(*setting)])),
            RoomRequest::Close(of) => (30, room(of)),
            RoomRequest::Invite(of, user) => (31, dict(both(of, user))),
            RoomRequest::Decline(of) => (32, room(of)),
            RoomRequest::Kick(of, user) => {
                let mut entries = both(of, user);
                entries.push(("reason", text(REASON)));
                (33, dict(entries))
            }
            RoomRequest::Ban(of, user, seconds) => {
                let mut entries = both(of, user);
                if let Some(until) = later(self.unix, *seconds) {
                    entries.push(("until", Value::Int(until)));
                }
                (34, dict(entries))
            }
            RoomRequest::Unban(of, user) => (35, dict(both(of, user))),
            RoomRequest::Bans(of) => (36, room(of)),
            RoomRequest::SetRole(of, user, role) => {
                let mut entries = both(of, user);
                entries.push(("role", text(role.name())));
                (37, dict(entries))
            }
            RoomRequest::Public => (38, dict([])),
        }
    }

    fn bot(&self, of: &BotRequest) -> (u32, Value) {
        let expires = |seconds: &Option<u32>| {
            let at = later(self.unix, *seconds);
            at.map(|at| ("expires", Value::Int(at)))
        };
        match of {
            BotRequest::Create(bot, rooms, seconds) => {
                let rooms = list(rooms.iter().map(|room| text(ROOMS[*room])));
                let entries = vec![("username", text(USERS[*bot])), ("rooms", rooms)];
                (44, dict(entries.into_iter().chain(expires(seconds))))
            }
            BotRequest::List => (45, Value::Null),
            BotRequest::Remove(bot) => (46, text(USERS[*bot])),
            BotRequest::NewToken(bot, seconds) => {
                let entries = [("username", text(USERS[*bot]))];
                (47, dict(entries.into_iter().chain(expires(seconds))))
            }
        }
    }

    /// Which of the passwords a request presents.
    pub(crate) fn password_index(&self, planned: &PlannedRequest) -> Option<usize> {
        match planned {
            PlannedRequest::Login { user, password } => {
                self::password(*user, *password, self.committed)
            }
            PlannedRequest::Account(
                AccountRequest::ChangePassword(password) | AccountRequest::Delete { password, .. },
            ) => self::password(self.user?, *password, self.committed),
            _ => None,
        }
    }

    fn password(&self, user: usize, choice: PasswordChoice) -> Value {
        let known = password(user, choice, self.committed);
        text(known.map_or(WRONG, |known| PASSWORDS[known]))
    }
}

/// The index of a password in [`PASSWORDS`].
pub(crate) fn password(
    user: usize,
    choice: PasswordChoice,
    committed: &CommittedState,
) -> Option<usize> {
    let right = committed.password(user).unwrap_or(0);
    match choice {
        PasswordChoice::Current => Some(right),
        PasswordChoice::Other => Some(1 - right),
        PasswordChoice::Wrong => None,
    }
}

/// The unix time in so many seconds. `None` before 1970, which the wire cannot express.
pub(crate) fn later(unix: i64, seconds: Option<u32>) -> Option<u64> {
    let at = unix.saturating_add(seconds?.into());
    u64::try_from(at).ok()
}

/// LOGIN with a session secret.
pub(crate) fn resume(user: usize, secret: &ResumeSecret) -> Message {
    match secret.to_value() {
        Value::Str(secret) => login(user, "resume", &secret),
        other => unreachable!("{other:?} is no secret"),
    }
}

/// REGISTER with an invitation code.
pub(crate) fn register(user: usize, code: &str) -> Message {
    let entries = [
        ("username", text(USERS[user])),
        ("password", text(PASSWORDS[0])),
        ("invitation", text(code)),
    ];
    Message {
        command: 2,
        params: dict(entries),
    }
}

/// REVOKE_INVITATION.
pub(crate) fn revoke(code: &str) -> Message {
    Message {
        command: 53,
        params: text(code),
    }
}

/// LOGIN with a secret other than the password.
pub(crate) fn login(user: usize, with: &str, secret: &str) -> Message {
    Message {
        command: 3,
        params: dict([("username", text(USERS[user])), (with, text(secret))]),
    }
}

fn people(of: &PeopleRequest) -> (u32, Value) {
    let user = |user: &usize| text(USERS[*user]);
    match of {
        PeopleRequest::Friends => (22, Value::Null),
        PeopleRequest::WhoIs(other) => (23, user(other)),
        PeopleRequest::Unfriend(other) => (24, user(other)),
        PeopleRequest::Block(other) => (25, user(other)),
        PeopleRequest::Unblock(other) => (26, user(other)),
        PeopleRequest::Blocked => (27, Value::Null),
    }
}

fn set(setting: Setting) -> (&'static str, Value) {
    match setting {
        Setting::Name(new) => ("new_name", text(ROOMS[new])),
        Setting::Topic(number) => ("topic", Value::Str(topic(number))),
        Setting::Private(private) => ("private", Value::Bool(private)),
        Setting::ReadOnly(read_only) => ("read_only", Value::Bool(read_only)),
        Setting::Slow(seconds) => ("slow_seconds", Value::Int(seconds.into())),
        Setting::Keep(days) => (
            "keep_days",
            days.map_or(Value::Null, |days| Value::Int(days.into())),
        ),
    }
}

/// Words of texts, each with the form in which it is searched: other case, no diacritics, the characters of an
/// identifier, a script without spaces.
pub(crate) const WORDS: [(&str, &str); 5] = [
    ("apple", "APPLE"),
    ("茶馆", "茶馆"),
    ("Käse", "kase"),
    ("c++", "C++"),
    ("馆子", "馆子"),
];

/// The word of a text with this number, as written and as searched.
pub(crate) fn word(number: u8) -> (&'static str, &'static str) {
    WORDS[usize::from(number) % WORDS.len()]
}

/// The content of a message: its number, a word, and asterisks up to the size. Every fourth text begins with a mention
/// of a user or of all members.
pub(crate) fn content(number: u8, size: usize) -> String {
    let text = format!("{number} {}", word(number).0);
    let text = format!("{text:*<size$}");
    match name_in(number) {
        Some(name) => format!("@{name} {text}"),
        None => text,
    }
}

/// The content of an edited message.
pub(crate) fn edited(number: u8) -> String {
    content(number, 20)
}

/// The mentioned name in a text with this number.
pub(crate) fn name_in(number: u8) -> Option<&'static str> {
    let number = usize::from(number);
    let names = USERS.iter().chain(&["all"]).cycle();
    let mut names = names.skip(number / 4);
    names.next().copied().filter(|_| number % 4 == 3)
}

/// The topic of a room.
pub(crate) fn topic(number: u8) -> String {
    format!("topic {number}")
}

/// The text of an absence.
pub(crate) fn away(number: u8) -> String {
    format!("away {number}")
}

pub(crate) fn kind(target: Target) -> TargetType {
    match target {
        Target::User(_) => TargetType::Friend,
        Target::Room(_) => TargetType::Room,
    }
}

/// The name of a target.
pub(crate) fn target_name(target: Target, committed: &CommittedState) -> &str {
    match target {
        Target::User(user) => committed.name(user),
        Target::Room(room) => ROOMS[room],
    }
}

pub(crate) fn target(target: Target) -> Vec<(&'static str, Value)> {
    let name = match target {
        Target::User(user) => USERS[user],
        Target::Room(room) => ROOMS[room],
    };
    vec![
        ("target_type", kind(target).to_value()),
        ("target", text(name)),
    ]
}

/// The code of a refusal.
pub(crate) fn refusal_code(event: &Event) -> Option<&str> {
    event.refusal().map(|fail| fail.code.as_str())
}

/// Requests that no case has, and why.
const LEFT_OUT: &[(&str, &str)] = &[(
    "ADMIN",
    "administrators act by actions of the simulation; tests/ctl.rs sends ADMIN",
)];

/// The number of a planned request, in an empty database.
fn number(planned: &PlannedRequest) -> u32 {
    match planned {
        PlannedRequest::Search(_) | PlannedRequest::SearchNextPage => 43,
        PlannedRequest::Resume { .. } | PlannedRequest::Token { .. } => 3,
        PlannedRequest::RegisterBy { .. } => 2,
        PlannedRequest::InvitationCode(InvitationCodeRequest::Revoke(_)) => 53,
        _ => {
            let builder = RequestBuilder {
                committed: &CommittedState::default(),
                user: None,
                known: 0,
                unix: 0,
            };
            builder.message(planned).command
        }
    }
}

#[test]
fn every_request_is_drawn_or_left_out_for_a_reason() {
    let cases = (0..300).map(Case::draw);
    let drawn: BTreeSet<u32> = cases
        .flat_map(|case| case.steps)
        .flat_map(|step| match step.action {
            Action::Pipeline(_, requests) => requests,
            Action::RoundTrip(_, request) => vec![request],
            Action::InOneTick(all) => all.into_iter().flat_map(|(_, said)| said).collect(),
            _ => Vec::new(),
        })
        .map(|planned| number(&planned))
        .collect();
    for kind in RequestKind::ALL {
        let info = kind.info();
        let is_left_out = LEFT_OUT.iter().any(|(name, _)| *name == info.name);
        let is_drawn = drawn.contains(&info.number);
        assert_ne!(is_drawn, is_left_out, "{}", info.name);
    }
}
