//! Limits that change while clients are connected.

use std::time::Duration;

use echat_proto::Value;
use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::channel as command;
use echat_server::config::Limits;
use echat_server::storage::Store;

use super::queues::{Client, Sim};

fn limits() -> Limits {
    Limits {
        message_rate: 0,
        ..Limits::default()
    }
}

/// How many PINGs have come to a client.
fn pings(sim: &mut Sim, client: &mut Client) -> usize {
    let bytes = sim.sent.remove(&client.conn).unwrap_or_default();
    client.channel.receive(&bytes);
    let next = || client.channel.next_incoming().unwrap();
    std::iter::from_fn(next)
        .filter(|incoming| *incoming == Incoming::Ping)
        .count()
}

/// Lets so many seconds pass.
fn wait(sim: &mut Sim, seconds: u64) {
    for _ in 0..seconds {
        sim.now += Duration::from_secs(1);
        sim.settle();
    }
}

#[test]
fn a_client_sends_frames_as_long_as_it_was_told_at_its_login() {
    let mut sim = Sim::new();
    let mut ann = sim.user("ann");
    let lowered = Limits {
        frame_bytes: 8_192,
        ..limits()
    };
    sim.engine.limit(lowered, sim.now());
    let question = Message {
        command: 1,
        params: Value::Null,
    };
    let question = question.encode().unwrap();
    let length = u32::try_from(question.len()).unwrap().to_be_bytes();
    let questions = [&length[..], &question].concat().repeat(2_000);
    let frame = sim.frame(&mut ann, command::BATCH, Value::Bytes(questions));
    assert!(frame.len() > 16 * 1024);
    sim.send(&ann, &frame);
    assert_eq!(sim.answers(&mut ann).len(), 2_000);
}

#[test]
fn silence_is_counted_anew_when_its_limits_change() {
    let mut sim = Sim::new();
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| sim.user(name));
    // Before a PING by the old limits, and long dead by the new ones.
    wait(&mut sim, 80);
    let shorter = Limits {
        ping_seconds: 20,
        dead_seconds: 60,
        ..limits()
    };
    sim.engine.limit(shorter, sim.now());
    wait(&mut sim, 40);
    assert_eq!(
        [pings(&mut sim, &mut ann), pings(&mut sim, &mut bob)],
        [1, 1]
    );
    let pong = sim.frame(&mut ann, command::PONG, Value::Null);
    sim.send(&ann, &pong);
    wait(&mut sim, 40);
    assert!(!sim.engine.wants_bytes(bob.conn), "bob does not answer");
    assert_eq!(pings(&mut sim, &mut ann), 1);
    assert_eq!(sim.ask(&mut ann, 1, Value::Null).len(), 1);
}

#[test]
fn silence_that_had_no_limit_gets_one() {
    let endless = Limits {
        ping_seconds: 0,
        dead_seconds: 0,
        ..limits()
    };
    let mut sim = Sim::with(endless, Store::in_memory().unwrap());
    let mut ann = sim.user("ann");
    sim.now += Duration::from_hours(1);
    sim.settle();
    sim.engine.limit(limits(), sim.now());
    wait(&mut sim, 100);
    assert_eq!(pings(&mut sim, &mut ann), 1);
    wait(&mut sim, 100);
    assert!(!sim.engine.wants_bytes(ann.conn), "nothing came for 150 s");
}
