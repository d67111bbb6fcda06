//! Every request gets exactly one final reply: clients send many random requests at once, while the disk fills up and
//! another program locks the database.
//!
//! `ECHAT_REQUESTS=100000` sets their number.

use std::collections::BTreeMap;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::commands::{RequestKind, Shape};
use echat_proto::json::from_json;
use echat_proto::limits::FRAME_BEFORE_LOGIN;
use echat_server::config::Limits;
use echat_server::storage::Store;
use echat_testkit::campaign;
use echat_testkit::folder;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::params::{at_the_edges, dict, wrong};
use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};

/// Requests of a run without `ECHAT_REQUESTS`.
const REQUESTS: usize = 8_000;
/// More pages than any database of a test has.
const LIMITLESS: u32 = 1 << 30;
const USERS: [&str; 3] = ["ann", "bob", "kim"];
const GUESTS: [&str; 2] = ["guest", "new"];
/// Names in random requests.
const NAMES: [&str; 8] = ["ann", "bob", "kim", "tea", "den", "nobody", "Ann", ""];

fn requests() -> usize {
    campaign::count("ECHAT_REQUESTS", REQUESTS)
}

/// A simulation over a database that others can lock, with its unauthenticated connections.
fn sim(path: &std::path::Path) -> Sim {
    let mut store = Store::open(path).expect("a new database");
    seed::accounts(&mut store, &USERS);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    // No random request names this room, so that kim stays in it.
    seed::room(&mut store, "own", &["kim"]);
    let limits = Limits {
        message_burst: 1,
        rooms_a_day: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    sim.skip_hashing = true;
    log_in(&mut sim, &USERS);
    for guest in GUESTS {
        sim.connect(guest, HOME);
    }
    sim
}

/// A plausible request: parameters of the right types, with names that may exist.
fn plausible(kind: RequestKind, rng: &mut StdRng) -> Value {
    let name = |rng: &mut StdRng| Value::from(*NAMES.choose(rng).expect("there are names"));
    match kind.info().shape {
        Shape::Null => Value::Null,
        Shape::One(_) => name(rng),
        Shape::Dict(fields) => {
            let mut entries = dict(fields);
            for (key, value) in &mut entries {
                match (&**key, &mut *value) {
                    ("username" | "roomname" | "target" | "keyword", _) => *value = name(rng),
                    // Long, so that a disk is soon full.
                    ("content", _) => *value = Value::Str("x".repeat(3_000)),
                    ("txn_id", _) => *value = Value::Null,
                    ("target_type", _) => *value = Value::Int(rng.random_range(0..2)),
                    (_, Value::List(items)) => items.extend([name(rng)]),
                    _ => {}
                }
            }
            Value::Dict(entries)
        }
    }
}

/// A room that does not exist yet.
fn new_room(number: usize) -> Value {
    let text = |key: &str, text: String| (key.to_owned(), Value::Str(text));
    let members = ("members".to_owned(), Value::List(Vec::new()));
    Value::Dict(vec![text("roomname", format!("room{number}")), members])
}

/// Parameters by kind of request: malformed ones and edge cases.
struct Pool {
    odd: Vec<(RequestKind, Vec<Value>)>,
}

impl Pool {
    fn new() -> Self {
        let odd = |kind: &RequestKind| {
            let info = kind.info();
            let mut values: Vec<Value> = wrong(info).into_iter().map(|(value, _)| value).collect();
            values.extend(at_the_edges(info, FRAME_BEFORE_LOGIN));
            (*kind, values)
        };
        // Users with deleted accounts could not log in again.
        let kinds = RequestKind::ALL.iter();
        let kinds = kinds.filter(|kind| **kind != RequestKind::DeleteAccount);
        Self {
            odd: kinds.map(odd).collect(),
        }
    }

    fn request(&self, rng: &mut StdRng) -> (u32, Value) {
        let (kind, odd) = self.odd.choose(rng).expect("there are requests");
        let params = match rng.random_range(0..3) {
            0 => plausible(*kind, rng),
            _ => odd
                .choose(rng)
                .expect("something is wrong for each")
                .clone(),
        };
        // Sometimes a number of no request.
        let number = if rng.random_ratio(1, 60) {
            4242
        } else {
            kind.info().number
        };
        (number, params)
    }
}

/// Reconnects clients whose session or connection has ended (LOGOUT, a takeover, CLOSE_NOTIFY).
fn come_back(sim: &mut Sim) {
    for user in USERS {
        let here = sim.end(user).conn;
        if sim.end(user).is_closed() {
            log_in(sim, &[user]);
        } else if here.is_none_or(|conn| sim.engine.roster().at(conn).is_none()) {
            let params = format!(r#"{{"username":"{user}","password":"{}"}}"#, seed::PASSWORD);
            sim.ask(user, "LOGIN", &params);
        }
    }
    for guest in GUESTS {
        if sim.end(guest).is_closed() {
            sim.connect(guest, HOME);
        }
    }
    sim.settle();
}

/// Checks that no open connection waits for a reply. A superfluous reply fails where it is read. Counts the codes of
/// refusals.
fn all_is_answered(sim: &mut Sim, codes: &mut BTreeMap<String, usize>) {
    for (name, end) in &mut sim.ends {
        for message in end.take_messages() {
            if let Some(Value::Str(code)) = message.params.at("code") {
                *codes.entry(code.clone()).or_default() += 1;
            }
        }
        assert!(
            end.is_closed() || end.unanswered() == 0,
            "{name} waits for {}",
            end.unanswered()
        );
    }
}

/// Requests that write in any state, and two messages in a row, of which the rate allows one.
fn certain_requests(sim: &mut Sim, asked: usize) -> usize {
    let room = RequestKind::CreateRoom.info().number;
    for number in 0..5 {
        sim.say("bob", room, new_room(asked + number));
    }
    let content = "hi".repeat(2_000);
    let message = format!(r#"{{"target_type":0,"target":"bob","content":"{content}"}}"#);
    for _ in 0..2 {
        let message = from_json(&message).expect("JSON");
        sim.say("ann", RequestKind::SendMessage.info().number, message);
    }
    7
}

#[test]
fn every_request_has_one_final_reply_under_faults() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = sim(&path);
    let other = rusqlite::Connection::open(&path).expect("the same database");
    let (pool, mut rng) = (Pool::new(), StdRng::seed_from_u64(16));
    let (mut asked, mut codes) = (0, BTreeMap::new());
    while asked < requests() {
        come_back(&mut sim);
        let fault = rng.random_range(0..4);
        match fault {
            // Below the present size, so that no page can be added.
            0 => {
                other
                    .execute_batch("VACUUM")
                    .expect("no transaction is open");
                sim.engine.store().limit_pages(1).expect("a pragma");
            }
            1 => other
                .execute_batch("BEGIN EXCLUSIVE")
                .expect("no other program holds it"),
            _ => {}
        }
        for _ in 0..rng.random_range(1..30) {
            let user = *[USERS.as_slice(), &GUESTS]
                .concat()
                .choose(&mut rng)
                .expect("a user");
            let (number, params) = pool.request(&mut rng);
            let times = match rng.random_range(0..100) {
                0 => 100,
                1..20 => rng.random_range(2..6),
                _ => 1,
            };
            // Twenty unknown commands would end the connection.
            for _ in 0..if number == 4242 { 1 } else { times } {
                sim.say(user, number, params.clone());
                asked += 1;
            }
        }
        asked += certain_requests(&mut sim, asked);
        sim.settle();
        if fault == 1 {
            // Some requests wait until they are refused, others until the database is free again.
            sim.advance(Duration::from_secs(rng.random_range(0..9)));
            other.execute_batch("ROLLBACK").expect("it is held");
        }
        sim.engine.store().limit_pages(LIMITLESS).expect("a pragma");
        sim.advance(Duration::from_secs(1));
        all_is_answered(&mut sim, &mut codes);
    }
    println!("{asked} requests, none silent, none answered twice; refused: {codes:?}");
    for code in [
        "bad_params",
        "storage_full",
        "storage_busy",
        "rate_limited",
        "not_logged_in",
    ] {
        assert!(codes.contains_key(code), "{code} was not met: {codes:?}");
    }
}
