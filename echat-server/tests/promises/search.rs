//! A search of many messages takes several ticks, and delays no other user.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_proto::json::from_json;
use echat_proto::names::Content;
use echat_server::config::Limits;
use echat_server::engine::WaitReason;
use echat_server::storage::Store;
use std::time::Duration;

/// Messages that are not indexed when the search begins.
const MESSAGES: i64 = 6_000;

/// Ann and bob in tea, which bob owns. One tick has begun a search of ann's.
fn searching() -> Sim {
    let mut store = Store::in_memory().expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["bob", "ann"]);
    let mut batch = store.batch();
    let tea = batch.find_room("tea").expect("it reads").expect("there").id;
    let bob = batch.find_user("bob").expect("it reads").expect("there").id;
    for number in 0..MESSAGES {
        let text = Content::new(format!("tea {number}")).expect("a good text");
        let stored = batch.insert_message(tea, bob, &text, None, 1);
        stored.expect("it is stored");
    }
    let _ = batch.commit().expect("it is stored");
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob"]);
    // After the cool-down of the login, and before the first message is indexed.
    sim.advance(Duration::from_millis(150));
    say(&mut sim, "ann", "SEARCH", r#"{"query":"tea 7"}"#);
    sim.step().expect("a round");
    sim
}

fn say(sim: &mut Sim, name: &str, command: &str, params: &str) {
    let command = by_name(command).expect("a command");
    sim.say(name, command.number, from_json(params).expect("JSON"));
}

/// Steps until a client has its reply. Returns the number of steps and the reply.
fn reply(sim: &mut Sim, name: &str, command: u32) -> (usize, Message) {
    for step in 1..1_000 {
        sim.step().expect("a round");
        let mut told = sim.end(name).take_messages().into_iter();
        if let Some(reply) = told.find(|message| message.command == command) {
            return (step, reply);
        }
    }
    panic!("no reply came");
}

fn found(reply: &Message) -> Vec<u64> {
    let Some(Value::List(messages)) = reply.params.at("messages") else {
        panic!("{:?}", reply.params);
    };
    let ids = messages.iter().map(|message| match message.at("id") {
        Some(Value::Int(id)) => *id,
        other => panic!("{other:?}"),
    });
    ids.collect()
}

#[test]
fn a_long_search_takes_several_ticks_and_others_are_answered_in_between() {
    let mut sim = searching();
    say(&mut sim, "bob", "LIST_FRIENDS", "null");
    let (others, _) = reply(&mut sim, "bob", 126);
    assert_eq!(sim.end("ann").take_messages().len(), 0, "it goes on");
    let (ticks, answer) = reply(&mut sim, "ann", 132);
    assert_eq!(found(&answer), [8]);
    assert!(others <= 2 && ticks >= 6, "{others} {ticks}");
    sim.settle();
    assert_eq!(sim.end("ann").unanswered(), 0);
}

#[test]
fn a_member_who_is_removed_during_a_search_finds_nothing_of_the_room() {
    let mut sim = searching();
    say(
        &mut sim,
        "bob",
        "KICK",
        r#"{"roomname":"tea","username":"ann"}"#,
    );
    let (_, answer) = reply(&mut sim, "ann", 132);
    assert_eq!(found(&answer), [] as [u64; 0]);
}

#[test]
fn a_search_that_is_given_up_makes_its_user_cool_down() {
    let mut sim = searching();
    for _ in 0..3 {
        sim.step().expect("a round");
    }
    let conn = sim.end("ann").conn.expect("a connection");
    sim.engine.sever(conn);
    sim.end("ann").close();
    sim.connect("again", HOME);
    let login = format!(r#"{{"username":"ann","password":"{}"}}"#, seed::PASSWORD);
    say(&mut sim, "again", "LOGIN", &login);
    sim.settle();
    let conn = sim.end("again").conn.expect("a connection");
    let waits = sim.engine.why_waiting(conn);
    let Some(WaitReason::CoolingDown { until }) = waits else {
        panic!("{waits:?}");
    };
    // Ten times what the search has cost: four portions of a millisecond or more.
    assert!(until >= sim.now.running + Duration::from_millis(40));
    sim.move_to(until);
    sim.settle();
    sim.end("again").take_messages();
    assert_eq!(sim.end("again").unanswered(), 0);
}

/// Ann in the lobby, without a limit of her rate, and everything indexed.
fn talking() -> Sim {
    let mut store = Store::in_memory().expect("a new database");
    seed::accounts(&mut store, &["ann"]);
    seed::room(&mut store, "tea", &["ann"]);
    let limits = Limits {
        message_rate: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann"]);
    sim.advance(Duration::from_secs(2));
    sim
}

fn send(sim: &mut Sim) {
    let message = r#"{"target_type":1,"target":"tea","content":"tea"}"#;
    say(sim, "ann", "SEND_MESSAGE", message);
}

fn unindexed(sim: &mut Sim) -> u64 {
    let lag = sim.engine.store().batch().search_lag();
    lag.expect("it reads")
}

#[test]
fn messages_one_after_another_share_portions_of_the_index() {
    let mut sim = talking();
    let (mut portions, mut before) = (0, 0);
    // Two seconds.
    for _ in 0..1_000 {
        send(&mut sim);
        sim.advance(Duration::from_millis(2));
        let lag = unindexed(&mut sim);
        portions += usize::from(lag <= before);
        before = lag;
    }
    assert!((4..=8).contains(&portions), "{portions} portions");
    sim.advance(Duration::from_secs(1));
    assert_eq!(unindexed(&mut sim), 0);
}

#[test]
fn answers_leave_before_a_portion_of_the_index_that_is_due() {
    let mut sim = talking();
    send(&mut sim);
    sim.settle();
    let due = sim.now.running + Duration::from_millis(250);
    sim.move_to(due);
    send(&mut sim);
    sim.end("ann").take_messages();
    sim.step().expect("a round");
    assert_ne!(sim.end("ann").take_messages(), [], "the answer is there");
    assert_eq!(unindexed(&mut sim), 2);
    sim.settle();
    assert_eq!(unindexed(&mut sim), 0);
    // Answers in every tick do not put it off for long.
    send(&mut sim);
    sim.settle();
    for _ in 0..100 {
        let later = sim.now.running + Duration::from_millis(10);
        sim.move_to(later);
        send(&mut sim);
        sim.step().expect("a round");
    }
    assert!(unindexed(&mut sim) < 60, "{}", unindexed(&mut sim));
}
