//! A search of many messages takes several ticks, and delays no other user.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::by_name;
use echat_proto::json::from_json;
use echat_proto::names::Content;
use echat_server::config::Limits;
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
