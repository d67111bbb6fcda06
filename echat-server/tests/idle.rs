//! Idle connections cost next to nothing: one user at each of 1,000 connections does nothing for ten minutes of virtual
//! time. Counted are wake-ups, PINGs, allocations and the memory of the engine.
//!
//! A program of its own, since it counts allocations. `ECHAT_IDLE=10000` tries so many users.

mod sim;

use echat_proto::Value;
use echat_proto::channel::Incoming;
use echat_proto::commands::{by_name, channel as command};
use echat_server::config::Limits;
use echat_server::storage::Store;
use sim::{Sim, seed};
use std::time::Duration;

/// Users of the ordinary run.
const USERS: usize = 1_000;
/// Members of a room; each user is in one.
const ROOM: usize = 10;
/// How long they do nothing.
const TIME: Duration = Duration::from_mins(10);
/// Rust allocations of the engine for each user who is logged in and idle, in bytes. SQLite's memory does not count.
const BYTES: i64 = 1_700;

fn users() -> usize {
    let asked = std::env::var("ECHAT_IDLE").ok();
    asked.map_or(USERS, |n| n.parse().expect("ECHAT_IDLE is a number"))
}

fn name(number: usize) -> String {
    format!("user{number:05}")
}

/// An engine at which so many users are logged in, each from an address of its own.
fn sim(users: usize) -> Sim {
    let names: Vec<String> = (0..users).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &names);
    for (number, members) in names.chunks(ROOM).enumerate() {
        seed::room(&mut store, &format!("room{number}"), members);
    }
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    let login = by_name("LOGIN").expect("a command of the table").number;
    // All come within a minute.
    for (second, names) in names.chunks(users.div_ceil(60).max(1)).enumerate() {
        for (number, name) in names.iter().enumerate() {
            sim.connect(name, &format!("10.0.{second}.{}:4000", number % 250));
        }
        for name in names {
            let credentials = format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
            let params = echat_proto::json::from_json(&credentials).expect("JSON");
            sim.say(name, login, params);
        }
        sim.settle();
        for name in names {
            let told = sim.end(name).take_messages();
            assert!(told.iter().any(|message| message.command == 105), "{name}");
        }
        sim.advance(Duration::from_secs(1));
    }
    sim
}

/// What an engine frees when it is dropped: all that it has allocated.
fn memory(sim: Sim) -> i64 {
    let Sim { engine, .. } = sim;
    -allocation_counter::measure(|| drop(engine)).bytes_current
}

#[test]
fn idle_users_wake_the_server_every_five_seconds_and_take_little_memory() {
    let users = users();
    let mut sim = sim(users);
    // The deadlines of handshakes and logins are over.
    sim.advance(Duration::from_secs(61));
    let seconds = usize::try_from(TIME.as_secs()).expect("small");
    let (mut wakes, mut pings) = (0, 0);
    let (begin, mut pinged_now) = (sim.now.running, Vec::<String>::new());
    while let Some(at) = sim.engine.deadline().filter(|at| *at < begin + TIME) {
        sim.move_to(at);
        wakes += 1;
        assert!(wakes <= seconds / 5, "a wake-up in less than 5 s");
        sim.settle();
        for (name, end) in &mut sim.ends {
            let is_pinged =
                std::iter::from_fn(|| end.next()).any(|(came, _)| came == Incoming::Ping);
            pinged_now.extend(is_pinged.then(|| name.clone()));
        }
        pings += pinged_now.len();
        // The clients answer one after another.
        for name in pinged_now.drain(..) {
            let conn = sim.end(&name).conn.expect("it was accepted");
            sim.say(&name, command::PONG, Value::Null);
            let bytes = sim.end(&name).outgoing(usize::MAX);
            let (engine, now) = (&mut sim.engine, sim.now);
            let received = allocation_counter::measure(|| engine.receive(conn, &bytes, now));
            assert!(received.count_total <= 2, "{received:?}");
            let ticked = allocation_counter::measure(|| engine.tick(now).expect("no error"));
            assert_eq!(ticked.count_total, 0, "a PONG is no work for a tick");
            assert!(!engine.has_work() && engine.take_dirty().is_empty());
        }
    }
    assert_eq!(sim.engine.roster().online().count(), users);
    // A ping in 90 to 95 s each.
    assert!(
        (users * (seconds / 95 - 1)..=users * (seconds / 90 + 1)).contains(&pings),
        "{pings}"
    );
    let without = memory(self::sim(0));
    let each = (memory(sim) - without) / i64::try_from(users).expect("few");
    println!("{users} users: {wakes} wake-ups and {pings} pings in {seconds} s, {each} bytes each");
    assert!(each <= BYTES, "{each} bytes");
}
