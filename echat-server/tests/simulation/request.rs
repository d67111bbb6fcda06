//! From a plan's numbers to what goes over the wire, as PROTOCOL.md has it, and from what comes to the code of a refusal.

use crate::plan::{
    Action, Case, EMOJI, OfAccount, OfBot, OfCode, OfMessage, OfPeople, OfRoom, PASSWORDS,
    PlannedRequest, ROOMS, Setting, Target, USERS, Word,
};
use crate::truth::Truth;
use crate::value::{dict, list, text};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::names::ResumeSecret;
use echat_proto::param::{Param, TargetType};
use std::collections::BTreeSet;

/// A number that no command has.
const NONSENSE: u32 = 4_000;
/// A password that no user ever has.
const WRONG: &str = "wrong horse";
/// Why members are removed.
pub(crate) const REASON: &str = "too loud";

/// What a request is made with besides its plan.
pub(crate) struct Saying<'t> {
    pub(crate) truth: &'t Truth,
    /// The user that speaks, as far as is known.
    pub(crate) user: Option<usize>,
    /// The newest message that the client knows.
    pub(crate) known: u64,
    /// What the clock says, in unix seconds.
    pub(crate) unix: i64,
}

impl Saying<'_> {
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
            | PlannedRequest::Read(_) => self.of_messages(planned),
            PlannedRequest::Nonsense => (NONSENSE, Value::Null),
            PlannedRequest::Account(of) => self.of_account(of),
            PlannedRequest::People(of) => of_people(of),
            PlannedRequest::Room(of) => self.of_room(of),
            PlannedRequest::Bot(of) => self.of_bot(of),
            PlannedRequest::Code(OfCode::Make(uses, seconds)) => {
                let expires = later(self.unix, *seconds).map(|at| ("expires", Value::Int(at)));
                let entries = [("uses", Value::Int(*uses))];
                (48, dict(entries.into_iter().chain(expires)))
            }
            PlannedRequest::Code(OfCode::List) => (52, Value::Null),
            _ => self.of_old(planned),
        };
        Message { command, params }
    }

    fn of_messages(&self, planned: &PlannedRequest) -> (u32, Value) {
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
                    OfMessage::Edit(_, number) => {
                        (39, dict([id, ("content", Value::Str(edited(*number)))]))
                    }
                    OfMessage::Delete(_) => (40, dict([id])),
                    OfMessage::React(_, emoji, on) => {
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

    fn of_old(&self, planned: &PlannedRequest) -> (u32, Value) {
        let user = |user: &usize| text(USERS[*user]);
        let room = |room: &usize| text(ROOMS[*room]);
        let users = |users: &[usize]| list(users.iter().map(user));
        match planned {
            PlannedRequest::Register(new) => {
                let entries = [("username", user(new)), ("password", text(PASSWORDS[0]))];
                (2, dict(entries))
            }
            PlannedRequest::Login {
                user: who,
                password,
            } => {
                let password = self.password(*who, *password);
                (3, dict([("username", user(who)), ("password", password)]))
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
            other => unreachable!("{other:?} is said otherwise"),
        }
    }

    fn of_account(&self, of: &OfAccount) -> (u32, Value) {
        let me = self.user.unwrap_or_default();
        match of {
            OfAccount::ChangePassword(old) => {
                let new = self.password(me, Word::Other);
                (19, dict([("old", self.password(me, *old)), ("new", new)]))
            }
            OfAccount::Delete { password, erase } => {
                let entries = [
                    ("password", self.password(me, *password)),
                    ("erase", Value::Bool(*erase)),
                ];
                (20, dict(entries))
            }
            OfAccount::Away(away) => (21, away.map_or(Value::Null, |n| Value::Str(self::away(n)))),
            OfAccount::EndOthers => (49, Value::Null),
            OfAccount::Sessions => (50, Value::Null),
            OfAccount::Privacy(shows) => (51, dict([("last_seen", Value::Bool(*shows))])),
        }
    }

    fn of_room(&self, of: &OfRoom) -> (u32, Value) {
        let room = |room: &usize| text(ROOMS[*room]);
        let both = |of: &usize, user: &usize| {
            vec![("roomname", room(of)), ("username", text(USERS[*user]))]
        };
        match of {
            OfRoom::Info(of) => (28, room(of)),
            OfRoom::Set(of, setting) => (29, dict([("roomname", room(of)), set(*setting)])),
            OfRoom::Close(of) => (30, room(of)),
            OfRoom::Invite(of, user) => (31, dict(both(of, user))),
            OfRoom::Decline(of) => (32, room(of)),
            OfRoom::Kick(of, user) => {
                let mut entries = both(of, user);
                entries.push(("reason", text(REASON)));
                (33, dict(entries))
            }
            OfRoom::Ban(of, user, seconds) => {
                let mut entries = both(of, user);
                if let Some(until) = later(self.unix, *seconds) {
                    entries.push(("until", Value::Int(until)));
                }
                (34, dict(entries))
            }
            OfRoom::Unban(of, user) => (35, dict(both(of, user))),
            OfRoom::Bans(of) => (36, room(of)),
            OfRoom::SetRole(of, user, role) => {
                let mut entries = both(of, user);
                entries.push(("role", text(role.name())));
                (37, dict(entries))
            }
            OfRoom::Public => (38, dict([])),
        }
    }

    fn of_bot(&self, of: &OfBot) -> (u32, Value) {
        let expires = |seconds: &Option<u32>| {
            let at = later(self.unix, *seconds);
            at.map(|at| ("expires", Value::Int(at)))
        };
        match of {
            OfBot::Create(bot, rooms, seconds) => {
                let rooms = list(rooms.iter().map(|room| text(ROOMS[*room])));
                let entries = vec![("username", text(USERS[*bot])), ("rooms", rooms)];
                (44, dict(entries.into_iter().chain(expires(seconds))))
            }
            OfBot::List => (45, Value::Null),
            OfBot::Remove(bot) => (46, text(USERS[*bot])),
            OfBot::NewToken(bot, seconds) => {
                let entries = [("username", text(USERS[*bot]))];
                (47, dict(entries.into_iter().chain(expires(seconds))))
            }
        }
    }

    /// Which of the passwords a request presents.
    pub(crate) fn presents(&self, planned: &PlannedRequest) -> Option<usize> {
        match planned {
            PlannedRequest::Login { user, password } => {
                self::password(*user, *password, self.truth)
            }
            PlannedRequest::Account(
                OfAccount::ChangePassword(password) | OfAccount::Delete { password, .. },
            ) => self::password(self.user?, *password, self.truth),
            _ => None,
        }
    }

    fn password(&self, user: usize, word: Word) -> Value {
        let known = password(user, word, self.truth);
        text(known.map_or(WRONG, |known| PASSWORDS[known]))
    }
}

/// Which password a word means.
pub(crate) fn password(user: usize, word: Word, truth: &Truth) -> Option<usize> {
    let right = truth.password(user).unwrap_or(0);
    match word {
        Word::Right => Some(right),
        Word::Other => Some(1 - right),
        Word::Wrong => None,
    }
}

/// A moment that comes after some seconds; none before 1970, which the wire cannot name.
pub(crate) fn later(unix: i64, seconds: Option<u32>) -> Option<u64> {
    let at = unix.saturating_add(seconds?.into());
    u64::try_from(at).ok()
}

/// The LOGIN of a user with a secret.
pub(crate) fn resume(user: usize, secret: &ResumeSecret) -> Message {
    match secret.to_value() {
        Value::Str(secret) => login(user, "resume", &secret),
        other => unreachable!("{other:?} is no secret"),
    }
}

/// The REGISTER of a user with a code.
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

/// The REVOKE_INVITATION of a code.
pub(crate) fn revoke(code: &str) -> Message {
    Message {
        command: 53,
        params: text(code),
    }
}

/// The LOGIN of a user with something other than the password.
pub(crate) fn login(user: usize, with: &str, secret: &str) -> Message {
    Message {
        command: 3,
        params: dict([("username", text(USERS[user])), (with, text(secret))]),
    }
}

fn of_people(of: &OfPeople) -> (u32, Value) {
    let user = |user: &usize| text(USERS[*user]);
    match of {
        OfPeople::Friends => (22, Value::Null),
        OfPeople::WhoIs(other) => (23, user(other)),
        OfPeople::Unfriend(other) => (24, user(other)),
        OfPeople::Block(other) => (25, user(other)),
        OfPeople::Unblock(other) => (26, user(other)),
        OfPeople::Blocked => (27, Value::Null),
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

/// The words of texts, with what they are searched by: in other case, without diacritics, with the signs of an
/// identifier, in a script without spaces.
pub(crate) const WORDS: [(&str, &str); 5] = [
    ("apple", "APPLE"),
    ("茶馆", "茶馆"),
    ("Käse", "kase"),
    ("c++", "C++"),
    ("馆子", "馆子"),
];

/// The word of a message of this number, as it is said and as it is searched by.
pub(crate) fn word(number: u8) -> (&'static str, &'static str) {
    WORDS[usize::from(number) % WORDS.len()]
}

/// What a message of this number and size says: the number, a word, and stars. Every fourth one names a user or all
/// members before.
pub(crate) fn content(number: u8, size: usize) -> String {
    let text = format!("{number} {}", word(number).0);
    let text = format!("{text:*<size$}");
    match named_in(number) {
        Some(name) => format!("@{name} {text}"),
        None => text,
    }
}

/// What an edited message says.
pub(crate) fn edited(number: u8) -> String {
    content(number, 20)
}

/// The name in a message of this number.
pub(crate) fn named_in(number: u8) -> Option<&'static str> {
    let number = usize::from(number);
    let names = USERS.iter().chain(&["all"]).cycle();
    let mut names = names.skip(number / 4);
    names.next().copied().filter(|_| number % 4 == 3)
}

/// What a room is about.
pub(crate) fn topic(number: u8) -> String {
    format!("topic {number}")
}

/// Why a user is away.
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
pub(crate) fn named(target: Target, truth: &Truth) -> &str {
    match target {
        Target::User(user) => truth.name(user),
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
pub(crate) fn code(event: &Event) -> Option<&str> {
    event.refusal().map(|fail| fail.code.as_str())
}

/// Requests that no case has, and why.
const LEFT_OUT: &[(&str, &str)] = &[(
    "ADMIN",
    "what an administrator does is an action of the world; tests/ctl.rs asks by ADMIN",
)];

/// What the number of a planned request is, in a world without anything.
fn number(planned: &PlannedRequest) -> u32 {
    match planned {
        PlannedRequest::Search(_) | PlannedRequest::SearchOn => 43,
        PlannedRequest::Resume { .. } | PlannedRequest::Token { .. } => 3,
        PlannedRequest::RegisterBy { .. } => 2,
        PlannedRequest::Code(OfCode::Revoke(_)) => 53,
        _ => {
            let saying = Saying {
                truth: &Truth::default(),
                user: None,
                known: 0,
                unix: 0,
            };
            saying.message(planned).command
        }
    }
}

#[test]
fn every_request_is_drawn_or_left_out_for_a_reason() {
    let cases = (0..300).map(Case::draw);
    let drawn: BTreeSet<u32> = cases
        .flat_map(|case| case.steps)
        .flat_map(|step| match step.action {
            Action::Say(_, requests) => requests,
            Action::Ask(_, request) => vec![request],
            Action::Together(all) => all.into_iter().flat_map(|(_, said)| said).collect(),
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
