//! The wall clock may jump. Order, counts and time-outs depend on ids and on the monotonic clock.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_server::config::Limits;
use echat_server::storage::Store;
use std::time::Duration;

const YEAR: i64 = 365 * 24 * 60 * 60;
const NOW: i64 = 1_800_000_000;

/// Targets of jumps in unix seconds: ten years forward and back, 1969, 1970, and the ends of 31 and 32 bits (2038,
/// 2106), each from both sides.
const JUMPS: [i64; 14] = [
    NOW,
    NOW + 10 * YEAR,
    NOW - 10 * YEAR,
    -1,
    0,
    1,
    -YEAR,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    NOW + 10 * YEAR,
    -(1 << 31),
    NOW,
];

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob"]);
    sim
}

fn number(value: &Value, key: &str) -> u64 {
    match value.at(key) {
        Some(Value::Int(number)) => *number,
        other => panic!("no number {key}: {other:?}"),
    }
}

/// Sends a message. Returns its acknowledged id and time.
fn send(sim: &mut Sim, user: &str, txn: usize) -> (u64, u64) {
    let params = format!(r#"{{"target_type":1,"target":"tea","content":"x","txn_id":"{txn}"}}"#);
    let replies = sim.ask(user, "SEND_MESSAGE", &params);
    let [reply] = &replies[..] else {
        panic!("{replies:?}")
    };
    (
        number(&reply.params, "id"),
        number(&reply.params, "send_time"),
    )
}

/// The ids and times of all messages of a user.
fn history(sim: &mut Sim, user: &str) -> Vec<(u64, u64)> {
    let replies = sim.ask(user, "QUERY_HISTORY", "{}");
    let Some(Value::List(messages)) = replies[0].params.at("messages") else {
        panic!("{replies:?}")
    };
    let line = |message| (number(message, "id"), number(message, "send_time"));
    messages.iter().map(line).collect()
}

#[test]
fn messages_are_ordered_by_id_under_any_clock() {
    let mut sim = sim();
    let mut sent = Vec::new();
    for (txn, unix) in JUMPS.into_iter().enumerate() {
        sim.now.unix = unix;
        let user = ["ann", "bob"][txn % 2];
        let acknowledged = send(&mut sim, user, txn);
        assert_eq!(acknowledged.1, u64::try_from(unix).unwrap_or(0));
        // A repetition at another time is the same message.
        sim.now.unix = unix + 20 * YEAR;
        assert_eq!(send(&mut sim, user, txn), acknowledged);
        sent.push(acknowledged);
        for user in ["ann", "bob"] {
            sim.end(user).take_messages();
        }
    }
    assert!(sent.is_sorted_by(|one, next| one.0 < next.0), "{sent:?}");
    for user in ["ann", "bob"] {
        assert_eq!(history(&mut sim, user), sent, "{user}");
    }
}

#[test]
fn a_jump_of_the_clock_times_out_no_connection_but_silence_does() {
    let mut sim = sim();
    sim.connect("guest", HOME);
    sim.settle();
    let awaited = sim.engine.deadline();
    for unix in JUMPS {
        sim.now.unix = unix;
        sim.settle();
        assert_eq!(sim.engine.deadline(), awaited, "{unix}");
        for user in ["ann", "bob", "guest"] {
            assert!(
                sim.end(user).next().is_none() && sim.end(user).is_open(),
                "{user} {unix}"
            );
        }
    }
    // Time counts as it passes, independent of the wall clock.
    sim.advance(Duration::from_secs(59));
    sim.now.unix = -YEAR;
    assert!(sim.end("guest").is_open());
    sim.advance(Duration::from_secs(1));
    assert!(sim.end("guest").is_closed());
    sim.now.unix = NOW;
    sim.advance(Duration::from_secs(29));
    assert!(sim.end("ann").next().is_none());
    sim.advance(Duration::from_secs(61));
    assert!(sim.end("ann").is_closed(), "silent for 150 s");
}

#[test]
fn rates_and_waits_use_the_monotonic_clock() {
    let mut sim = sim();
    sim.connect("guest", "192.0.2.1:1");
    let wrong = r#"{"username":"bob","password":"wrong horse"}"#;
    // Five attempts are free, and one is the address's own.
    for _ in 0..6 {
        sim.ask("guest", "LOGIN", wrong);
    }
    for (passed, unix) in (0..).zip(JUMPS) {
        sim.now.unix = unix;
        let replies = sim.ask("guest", "LOGIN", wrong);
        assert_eq!(
            replies[0].params.at("retry_after"),
            Some(&Value::Int(30 - passed)),
            "{unix}"
        );
        // A refusal causes a cool-down.
        sim.move_to(sim.now.running + Duration::from_secs(1));
    }
    for txn in 0..20 {
        send(&mut sim, "ann", txn);
    }
    for unix in JUMPS {
        sim.now.unix = unix;
        let params = r#"{"target_type":1,"target":"tea","content":"x"}"#;
        let replies = sim.ask("ann", "SEND_MESSAGE", params);
        assert_eq!(
            replies[0].params.at("retry_after"),
            Some(&Value::Int(1)),
            "{unix}"
        );
    }
}
