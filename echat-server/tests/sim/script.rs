//! Transcripts: tests as text, with the requests of clients and the messages that they must receive.
//!
//! ```text
//! # a comment
//! ann> SEND_MESSAGE {"target_type":0,"target":"bob","content":"hi"}
//! ann< ON_NEW_MESSAGE {"id":"$first","txn_id":null}
//! bob< ON_NEW_MESSAGE {"id":"$first","sender":"ann"}
//! ann x
//! ```
//!
//! `>` sends a command, by name or number. Consecutive lines of this kind arrive in one tick. `<` expects the next
//! message of this client; any other message before it is a failure. At the end no message may be left, and every
//! request must have its final reply. `x` expects that the server has closed the connection.
//!
//! Values are JSON as in `echat-nc`. An expected dict needs only the keys that are written. `"*"` matches anything.
//! `"$name"` captures a value, or compares with it if it was captured before; in a request it is replaced. `">$name"`
//! is a greater number, `"(absent)"` a key that is missing, `"x*4000"` a text of 4,000 times `x`.
//!
//! | first lines | |
//! | --- | --- |
//! | `-- accounts ann bob` | accounts with [`seed::PASSWORD`] |
//! | `-- friends ann bob` | all of them are friends of each other |
//! | `-- room tea ann bob` | a room; the first member owns it |
//! | `-- operators tea ann bob` | operators of the room |
//! | `-- private tea` | the room is private |
//! | `-- blocks ann 1000` | ann blocks 1,000 users |
//! | `-- bans tea 1000` | 1,000 users are banned from the room |
//! | `-- invitations ann 200` | ann is invited to 200 rooms |
//! | `-- suspend ann 1500000060 spam` | a suspended account: until when, or `-`, and the reason |
//! | `-- administrator_code 2345-6789-ABCD-EFGH` | the code for the first administrator |
//! | `-- lobby lobby ann bob` | a room without an owner |
//! | `-- administrators ann` | administrators of the server |
//! | `-- limit friends 2` | a limit of config.json |
//!
//! | later lines | |
//! | --- | --- |
//! | `-- connect ann` | opens a connection; `from 192.0.2.1:1`, `sending 424` (bytes, then nothing) |
//! | `-- login ann bob` | opens connections and logs in; what they receive is dropped |
//! | `-- sessions 2` | sets `sessions_per_user` |
//! | `-- set registration closed` | a setting of config.json other than a limit |
//! | `-- advance 61s` | lets time pass |
//! | `-- unix 0` | sets the wall clock |
//! | `-- invite tea bob` | invites a user to a room |
//! | `-- ban tea bob 1500001000 spam` | bans a user from a room until then (0: without an end), for a reason |
//! | `-- hang up ann`, `-- sever ann` | the client's end of stream, a broken socket |
//! | `-- hold`, `-- release`, `-- reverse` | holds the results of workers back, delivers them, reverses their order |
//! | `-- set aside`, `-- hand in` | sets held results aside, adds them to the next ones |
//! | `-- stall ann`, `-- read ann` | the client stops reading, reads again |
//! | `-- plain ann 00ff`, `-- raw ann 00ff` | sends a frame with this plaintext, sends raw bytes |
//! | `-- stop` | the server stops and sends CLOSE_NOTIFY |
//! | `-- 20 times` | repeats the next line |

use super::client_end::ClientEnd;
use super::pattern::{Captures, filled, fits};
use super::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::{CommandInfo, by_name, by_number, channel, event};
use echat_proto::json::{from_json, to_json};
use echat_proto::names::RoomName;
use echat_proto::records::MUST_CHANGE_PASSWORD;
use echat_server::config::{Inviters, Limits, Registration, Settings};
use echat_server::storage::Store;
use std::collections::BTreeSet;
use std::time::Duration;

/// The events that come to a client without a line in the transcript.
pub(crate) type Unmentioned = fn(u32) -> bool;

/// The end of a request: its name, the number of the final reply, and the code if it was refused.
pub(crate) type Ending = (&'static str, u32, Option<String>);

/// Runs one transcript. Returns how its requests ended, or the failure with its line.
pub(crate) fn run(name: &str, text: &str, seed: u64) -> Result<(BTreeSet<Ending>, u64), String> {
    // Most transcripts are not about the welcome.
    run_for(name, text, seed, |command| command == event::ON_WELCOME)
}

/// The same for clients that ignore some events.
pub(crate) fn run_for(
    name: &str,
    text: &str,
    seed: u64,
    unmentioned: Unmentioned,
) -> Result<(BTreeSet<Ending>, u64), String> {
    let mut script = Script::new(seed, unmentioned);
    let mut times = 1;
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        let at = |what: String| format!("{name}:{}: {what}\n    {line}", index + 1);
        last = index + 1;
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(number) = line
            .strip_prefix("-- ")
            .and_then(|l| l.strip_suffix(" times"))
        {
            times = number.parse().map_err(|_| at("how often?".into()))?;
            continue;
        }
        for _ in 0..std::mem::replace(&mut times, 1) {
            script.line(line).map_err(at)?;
        }
    }
    script
        .finish()
        .map_err(|what| format!("{name}:{last}: at the end {what}"))?;
    let trace = script.sim().trace();
    Ok((script.endings, trace))
}

struct Script {
    seed: u64,
    limits: Limits,
    /// The database, until the simulation begins.
    store: Option<Store>,
    sim: Option<Sim>,
    settings: Settings,
    captures: Captures,
    endings: BTreeSet<Ending>,
    unmentioned: Unmentioned,
}

impl Script {
    fn new(seed: u64, unmentioned: Unmentioned) -> Self {
        Self {
            seed,
            limits: Limits::default(),
            store: Some(Store::in_memory().expect("memory is there")),
            sim: None,
            settings: Settings::default(),
            captures: Captures::new(),
            endings: BTreeSet::new(),
            unmentioned,
        }
    }

    fn sim(&mut self) -> &mut Sim {
        let Self {
            seed,
            limits,
            store,
            sim,
            ..
        } = self;
        sim.get_or_insert_with(|| {
            Sim::new(
                *seed,
                limits.clone(),
                store.take().expect("a simulation begins once"),
            )
        })
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(directive) = line.strip_prefix("-- ") {
            let words: Vec<&str> = directive.split(' ').collect();
            if let Some(store) = &mut self.store
                && begin(store, &mut self.limits, &words)
            {
                return Ok(());
            }
            return self.direct(&words);
        }
        if let Some((name, said)) = line.split_once("> ") {
            let (command, params) = Self::message(said)?;
            let params = filled(&params, &self.captures);
            self.sim().say(name, command, params);
            Ok(())
        } else if let Some((name, expected)) = line.split_once("< ") {
            let (command, params) = Self::message(expected)?;
            self.expect(name, command, &params)
        } else if let Some(name) = line.strip_suffix(" x") {
            self.expect_closed(name)
        } else {
            Err("what kind of line is this?".into())
        }
    }

    fn message(text: &str) -> Result<(u32, Value), String> {
        let (command, params) = text.split_once(' ').unwrap_or((text, "null"));
        let number = by_name(command)
            .map(|info| info.number)
            .or_else(|| command.parse().ok());
        let number = number.ok_or_else(|| format!("there is no {command}"))?;
        let params = from_json(params).map_err(|error| error.to_string())?;
        Ok((number, params))
    }

    fn expect(&mut self, name: &str, command: u32, params: &Value) -> Result<(), String> {
        self.sim().settle();
        let unmentioned = self.unmentioned;
        let end = self.sim().end(name);
        let next = next(end, |event| event != command && unmentioned(event));
        let Some((incoming, ended)) = next else {
            let closed = if self.sim().end(name).is_closed() {
                ", it is closed"
            } else {
                ""
            };
            return Err(format!("nothing came{closed}"));
        };
        let got = as_message(incoming);
        if got.command != command || !fits(params, &got.params, &mut self.captures) {
            return Err(format!("instead came {}", shown(&got)));
        }
        if let Some(info) = ended {
            let code = match got.params.at("code") {
                // The refusal for a temporary password is the same for all requests.
                Some(_) if got.params.at(MUST_CHANGE_PASSWORD) == Some(&Value::Bool(true)) => {
                    Some(MUST_CHANGE_PASSWORD.to_owned())
                }
                // The code of an invitation is not the code of a refusal.
                Some(Value::Str(code)) if got.command != event::INVITATION => Some(code.clone()),
                _ => None,
            };
            self.endings.insert((info.name, got.command, code));
        }
        Ok(())
    }

    fn expect_closed(&mut self, name: &str) -> Result<(), String> {
        self.sim().settle();
        let unmentioned = self.unmentioned;
        let end = self.sim().end(name);
        if let Some((incoming, _)) = next(end, unmentioned) {
            return Err(format!("before it came {}", shown(&as_message(incoming))));
        }
        if end.is_closed() {
            Ok(())
        } else {
            Err("it is not closed".into())
        }
    }

    fn direct(&mut self, words: &[&str]) -> Result<(), String> {
        if let ["set", name, ref value @ ..] = *words
            && name != "aside"
        {
            set_setting(&mut self.settings, name, &value.join(" "));
            let settings = self.settings.clone();
            self.sim().engine.configure(settings);
            return Ok(());
        }
        let sim = self.sim();
        match *words {
            ["connect", name] => sim.connect(name, HOME),
            ["connect", name, "from", address] => sim.connect(name, address),
            ["connect", name, "sending", bytes] => {
                sim.connect(name, HOME);
                sim.end(name).budget = bytes.parse().map_err(|_| "how many?")?;
            }
            ["login", ref names @ ..] => log_in(sim, names),
            ["sessions", number] => {
                let number = number.parse().map_err(|_| "how many?")?;
                sim.engine.allow_sessions(number);
            }
            ["advance", time] => {
                let seconds = time.strip_suffix('s').and_then(|n| n.parse().ok());
                sim.advance(Duration::from_secs(seconds.ok_or("for how long?")?));
            }
            ["unix", seconds] => {
                sim.settle();
                sim.now.unix = seconds.parse().map_err(|_| "when?")?;
            }
            ["invite" | "ban", ref rest @ ..] => change_room(sim, words[0], rest)?,
            ["hang", "up", name] => sim.end(name).hang_up(),
            ["sever", name] => {
                sim.settle();
                let conn = sim.end(name).conn.ok_or("was never there")?;
                sim.engine.sever(conn);
            }
            ["hold"] => {
                sim.settle();
                sim.hold = true;
            }
            ["release"] => sim.hold = false,
            ["reverse"] => {
                sim.settle();
                sim.reverse_results();
            }
            ["set", "aside"] => {
                sim.settle();
                sim.set_aside();
            }
            ["hand", "in"] => sim.hand_in(),
            ["stall", name] => {
                sim.settle();
                sim.end(name).stalled = true;
            }
            ["read", name] => sim.end(name).stalled = false,
            ["plain", name, bytes] => sim.say_plain(name, &unhex(bytes)?),
            ["raw", name, bytes] => sim.end(name).send_raw(&unhex(bytes)?),
            ["stop"] => {
                sim.settle();
                sim.engine.stop(sim.now);
            }
            _ => return Err("nothing is called so, or not here".into()),
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.sim().settle();
        let unmentioned = self.unmentioned;
        for (name, end) in &mut self.sim().ends {
            if let Some((incoming, _)) = next(end, unmentioned) {
                return Err(format!("{name} also got {}", shown(&as_message(incoming))));
            }
            if end.is_open() && end.unanswered() > 0 {
                return Err(format!(
                    "{name} got no reply to {} requests",
                    end.unanswered()
                ));
            }
        }
        Ok(())
    }
}

/// The next item that a client received, without events that pass.
fn next(
    end: &mut ClientEnd,
    passes: impl Fn(u32) -> bool,
) -> Option<(Incoming, Option<&'static CommandInfo>)> {
    loop {
        match end.next()? {
            (Incoming::Message(message), None) if passes(message.command) => {}
            item => return Some(item),
        }
    }
}

/// Prepares the database and the limits. False if the directive belongs to a running simulation.
fn begin(store: &mut Store, limits: &mut Limits, words: &[&str]) -> bool {
    match *words {
        ["accounts", ref names @ ..] => seed::accounts(store, names),
        ["friends", ref names @ ..] => seed::friends(store, names),
        ["room", room, ref members @ ..] => seed::room(store, room, members),
        ["operators", room, ref members @ ..] => seed::operators(store, room, members),
        ["private", room] => seed::private(store, room),
        ["blocks", name, count] => seed::blocks(store, name, count.parse().expect("a number")),
        ["bans", room, count] => seed::bans(store, room, count.parse().expect("a number")),
        ["invitations", name, count] => {
            seed::invitations(store, name, count.parse().expect("a number"));
        }
        ["suspend", name, until, ref reason @ ..] => {
            let until = until.parse().ok();
            let reason = (!reason.is_empty()).then(|| reason.join(" "));
            seed::suspend(store, name, until, reason.as_deref());
        }
        ["administrator_code", code] => seed::administrator_code(store, code),
        ["lobby", room, ref members @ ..] => seed::lobby(store, room, members),
        ["administrators", ref names @ ..] => seed::administrators(store, names),
        ["limit", name, value] => set(limits, name, value.parse().expect("a number")),
        _ => return false,
    }
    true
}

/// Invites a user to a room or bans one, between two ticks.
fn change_room(sim: &mut Sim, what: &str, words: &[&str]) -> Result<(), String> {
    sim.settle();
    match (what, words) {
        ("invite", [room, name]) => seed::invite(sim.engine.store(), room, name),
        ("ban", [room, name, until, reason @ ..]) => {
            let until: i64 = until.parse().map_err(|_| "until when?")?;
            let until = (until > 0).then_some(until);
            let now = sim.now.unix;
            seed::ban(
                sim.engine.store(),
                (room, name),
                (until, reason.first()),
                now,
            );
        }
        _ => return Err("which room, and which user?".into()),
    }
    Ok(())
}

fn set_setting(settings: &mut Settings, name: &str, value: &str) {
    match (name, value) {
        ("registration", "open") => settings.registration = Registration::Open,
        ("registration", "invitation") => settings.registration = Registration::Invitation,
        ("registration", "closed") => settings.registration = Registration::Closed,
        ("invitations", "administrator") => settings.invitations = Inviters::Administrator,
        ("invitations", "users") => settings.invitations = Inviters::Users,
        ("message_of_the_day", text) => settings.message_of_the_day = Some(text.to_owned()),
        ("lobby", name) => settings.lobby = RoomName::new(name).ok(),
        ("edit_seconds", seconds) => settings.edit_seconds = seconds.parse().expect("a number"),
        ("keep_days", days) => settings.keep_days = Some(days.parse().expect("a number")),
        _ => panic!("no transcript needed the setting {name:?} before"),
    }
}

fn set(limits: &mut Limits, name: &str, value: usize) {
    let field = match name {
        "friends" => &mut limits.friends,
        "rooms" => &mut limits.rooms,
        "pending_requests" => &mut limits.pending_requests,
        "room_members" => &mut limits.room_members,
        "presence_room_members" => &mut limits.presence_room_members,
        "send_queue_soft" => &mut limits.send_queue_soft,
        "send_queue_hard" => &mut limits.send_queue_hard,
        "connections" => &mut limits.connections,
        "connections_per_address" => &mut limits.connections_per_address,
        "unauthenticated" => &mut limits.unauthenticated,
        "registrations" => {
            limits.registrations = value as u64;
            return;
        }
        "friend_requests" => {
            limits.friend_requests = value as u64;
            return;
        }
        "user_bytes_a_day" => {
            limits.user_bytes_a_day = value as u64;
            return;
        }
        "resume_hours" => {
            limits.resume_hours = value as u64;
            return;
        }
        "login_failures" => {
            limits.login_failures = value as u64;
            return;
        }
        _ => panic!("no transcript needed the limit {name:?} before"),
    };
    *field = value;
}

/// Logs in over new connections. What they receive is dropped.
pub(crate) fn log_in(sim: &mut Sim, names: &[&str]) {
    for name in names {
        sim.connect(name, HOME);
        let params = format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
        let replies = sim.ask(name, "LOGIN", &params);
        assert!(
            replies.iter().any(|reply| reply.command == 105),
            "{name} gets in: {replies:?}"
        );
    }
    for name in names {
        sim.end(name).take_messages();
    }
}

/// A server over this store without rate limits, with ann logged in and an unauthenticated connection.
pub(crate) fn ann_and_a_guest(store: Store) -> Sim {
    let limits = Limits {
        login_failures: 0,
        registrations: 0,
        message_rate: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    sim.skip_hashing = true;
    log_in(&mut sim, &["ann"]);
    sim.connect("guest", HOME);
    sim
}

fn as_message(incoming: Incoming) -> Message {
    let own = |command, params| Message { command, params };
    match incoming {
        Incoming::Message(message) => message,
        Incoming::Ping => own(channel::PING, Value::Null),
        Incoming::Pong => own(channel::PONG, Value::Null),
        Incoming::Close(reason) => own(channel::CLOSE_NOTIFY, Value::Int(reason)),
    }
}

fn shown(message: &Message) -> String {
    let name = by_number(message.command).map_or("?", |info| info.name);
    format!("{name} {}", to_json(&message.params))
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let bytes: Option<Vec<u8>> = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect();
    bytes.ok_or_else(|| "these are no bytes".to_owned())
}
