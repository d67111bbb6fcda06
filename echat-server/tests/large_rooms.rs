//! Messages to large rooms: how many writes they cost, and what other users wait for them. Writes and rounds are
//! counted, not timed.

mod sim;

use echat_proto::channel::Message;
use echat_proto::{Value, commands::by_name};
use echat_server::config::Limits;
use echat_server::storage::Store;
use sim::{HOME, Sim, seed};
use std::ops::Range;

/// Connections of a large room that one round writes.
const PORTION: usize = 128;

/// A server with these rooms. Their members are the users `u0`, `u1` and so on with these numbers, all of them online.
fn sim(rooms: &[(&str, Range<usize>)]) -> Sim {
    sim_with(&Limits::default(), rooms)
}

/// The same with other limits.
fn sim_with(limits: &Limits, rooms: &[(&str, Range<usize>)]) -> Sim {
    let users = rooms.iter().map(|(_, members)| members.end).max();
    let names: Vec<String> = (0..users.unwrap_or(0)).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &names);
    for (room, members) in rooms {
        seed::room(&mut store, room, &names[members.clone()]);
    }
    let limits = Limits {
        message_rate: 0,
        unauthenticated: 10_000,
        ..limits.clone()
    };
    let mut sim = Sim::new(1, limits, store);
    sim.skip_hashing = true;
    for name in &names {
        sim.connect(name, HOME);
    }
    sim.settle();
    for name in &names {
        say(
            &mut sim,
            name,
            "LOGIN",
            &format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD),
        );
    }
    sim.settle();
    for name in &names {
        let messages = sim.end(name).take_messages();
        assert!(
            messages.iter().any(|message| message.command == 105),
            "{name} is logged in"
        );
    }
    sim
}

fn say(sim: &mut Sim, name: &str, command: &str, params: &str) {
    let command = by_name(command).expect("a command of the table").number;
    let params = echat_proto::json::from_json(params).expect("a test's JSON");
    sim.say(name, command, params);
}

/// Sends `messages` numbered texts of about 100 bytes to a room.
fn send(sim: &mut Sim, name: &str, room: &str, messages: usize) {
    for n in 0..messages {
        let content = format!("{room} {n:03} {}", "x".repeat(90));
        let params = format!(r#"{{"target_type":1,"target":"{room}","content":"{content}"}}"#);
        say(sim, name, "SEND_MESSAGE", &params);
    }
}

/// The texts of the messages to rooms that came to a connection.
fn texts(sim: &mut Sim, name: &str) -> Vec<String> {
    let text = |message: Message| match message.params.at("content") {
        Some(Value::Str(text)) if message.command == 109 => Some(text.clone()),
        _ => None,
    };
    sim.end(name)
        .take_messages()
        .into_iter()
        .filter_map(text)
        .collect()
}

/// Writes of each round until nothing moves.
fn rounds(sim: &mut Sim) -> Vec<usize> {
    let mut rounds = Vec::new();
    while rounds.len() < 1_000 {
        let before = sim.writes;
        let goes_on = sim.step().expect("the database of a test does not fail");
        rounds.push(sim.writes - before);
        if !goes_on {
            return rounds;
        }
    }
    panic!("the server finds no rest");
}

#[test]
fn messages_of_a_burst_to_a_large_room_share_their_writes() {
    let mut sim = sim(&[("hall", 0..1_000)]);
    send(&mut sim, "u0", "hall", 64);
    let rounds = rounds(&mut sim);
    let writes: usize = rounds.iter().sum();
    println!("64 messages to 1,000: {writes} writes in rounds of {rounds:?}");
    assert!(writes < 2_500, "{writes} writes for 64,000 events");
    for n in [1, 2, 500, 998, 999] {
        let texts = texts(&mut sim, &format!("u{n}"));
        assert_eq!(texts.len(), 64, "u{n}");
        assert!(texts.is_sorted(), "in order for u{n}");
    }
}

#[test]
fn a_round_writes_a_portion_of_a_large_room_and_all_replies() {
    let mut sim = sim(&[("hall", 0..1_000), ("den", 980..1_000)]);
    send(&mut sim, "u0", "hall", 64);
    sim.step().expect("the database of a test does not fail");
    // In the midst of the burst, a lone message to a small room.
    send(&mut sim, "u999", "den", 1);
    let before = sim.writes;
    sim.step().expect("the database of a test does not fail");
    let acknowledged = sim.end("u999").take_messages();
    let is_own = |message: &Message| message.params.at("txn_id").is_some();
    assert!(acknowledged.iter().any(is_own), "in the same round");
    for n in 980..999 {
        let messages = texts(&mut sim, &format!("u{n}"));
        let own = messages.iter().any(|text| text.starts_with("den"));
        assert!(own, "u{n} got {messages:?} in the same round");
    }
    assert!(sim.writes - before <= PORTION + 20 + 1);
    let rounds = rounds(&mut sim);
    assert!(
        rounds.iter().all(|writes| *writes <= PORTION + 1),
        "{rounds:?}"
    );
}

#[test]
fn a_lone_message_waits_for_nothing() {
    let mut sim = sim(&[("hall", 0..1_000), ("den", 0..129)]);
    send(&mut sim, "u0", "den", 1);
    assert_eq!(rounds(&mut sim)[0], 129, "each member and the sender");
    send(&mut sim, "u0", "hall", 1);
    let rounds = rounds(&mut sim);
    assert_eq!(rounds.iter().sum::<usize>(), 1_000, "one write for each");
    let busy = rounds.iter().filter(|writes| **writes > 0).count();
    assert_eq!(busy, 999_usize.div_ceil(PORTION), "{rounds:?}");
    assert_eq!(rounds[0], PORTION + 1, "the sender is answered at once");
}

#[test]
fn a_room_of_middle_size_does_not_wait_for_the_largest() {
    let mut sim = sim(&[("hall", 0..1_000), ("yard", 800..1_000)]);
    send(&mut sim, "u0", "hall", 64);
    sim.step().expect("the database of a test does not fail");
    send(&mut sim, "u999", "yard", 1);
    for _ in 0..2 {
        sim.step().expect("the database of a test does not fail");
    }
    for n in 800..999 {
        let messages = texts(&mut sim, &format!("u{n}"));
        let own = messages.iter().any(|text| text.starts_with("yard"));
        assert!(own, "u{n}");
    }
    let is_told = |sim: &mut Sim, n: usize| !texts(sim, &format!("u{n}")).is_empty();
    assert!(!(1..800).all(|n| is_told(&mut sim, n)), "others wait");
    sim.settle();
}

#[test]
fn messages_of_one_tick_come_in_the_order_of_their_ids() {
    let mut sim = sim(&[("hall", 0..6), ("den", 0..3)]);
    for (name, room) in [
        ("u0", "hall"),
        ("u1", "hall"),
        ("u2", "den"),
        ("u3", "hall"),
    ] {
        send(&mut sim, name, room, 5);
    }
    sim.settle();
    for n in 0..6 {
        let messages = sim.end(&format!("u{n}")).take_messages();
        let ids: Vec<_> = messages
            .iter()
            .map(|message| message.params.at("id").cloned())
            .collect();
        assert_eq!(ids.len(), if n < 3 { 20 } else { 15 }, "u{n}");
        let number = |id: &Option<Value>| match id {
            Some(Value::Int(id)) => *id,
            other => panic!("{other:?}"),
        };
        assert!(ids.is_sorted_by_key(number), "u{n} has {ids:?}");
    }
}

#[test]
fn a_burst_to_a_small_room_is_one_write_for_each_member() {
    let mut sim = sim(&[("den", 0..20)]);
    send(&mut sim, "u0", "den", 64);
    assert_eq!(rounds(&mut sim)[0], 20, "one commit, one write for each");
    for n in 1..20 {
        assert_eq!(texts(&mut sim, &format!("u{n}")).len(), 64, "u{n}");
    }
}

/// A round brings five of these messages, and a member is written in one round of fifty.
#[test]
fn members_that_read_are_not_too_slow_for_a_burst_of_long_messages() {
    let limits = Limits {
        send_queue_soft: 32 * 1024,
        send_queue_hard: 128 * 1024,
        ..Limits::default()
    };
    let mut sim = sim_with(&limits, &[("hall", 0..200)]);
    sim.engine.set_portion(4);
    let content = "x".repeat(3_900);
    for n in 0..64 {
        let params = format!(r#"{{"target_type":1,"target":"hall","content":"{n:03}{content}"}}"#);
        say(&mut sim, "u0", "SEND_MESSAGE", &params);
    }
    let rounds = rounds(&mut sim);
    println!("64 messages of 3,900 bytes to 200: writes in rounds of {rounds:?}");
    for n in 1..200 {
        let texts = texts(&mut sim, &format!("u{n}"));
        assert_eq!(texts.len(), 64, "u{n}");
        assert!(texts.is_sorted(), "in order for u{n}");
    }
    let writes: usize = rounds.iter().sum();
    assert!(writes < 199 * 20, "{writes} writes for 199 x 64 events");
}

#[test]
fn an_event_is_counted_by_its_bytes() {
    let mut sim = sim(&[("hall", 0..200)]);
    // Sealing 3,900 bytes 199 times is a turn's work: the tick ends after five of these, and not after 64.
    for n in 0..64 {
        let content = format!("{n:03} {}", "x".repeat(3_900));
        let params = format!(r#"{{"target_type":1,"target":"hall","content":"{content}"}}"#);
        say(&mut sim, "u0", "SEND_MESSAGE", &params);
    }
    sim.step().expect("the database of a test does not fail");
    let first = texts(&mut sim, "u1").len();
    assert!(
        (4..=6).contains(&first),
        "{first} messages in the first round"
    );
    sim.settle();
}
