//! What users see of each other, exactly: a transcript cannot show that a key is absent.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::json::to_json;
use echat_server::config::Limits;
use echat_server::storage::Store;
use echat_testkit::folder;
use std::time::Duration;

fn shown(sim: &mut Sim, by: &str, command: &str, params: &str) -> String {
    let replies = sim.ask(by, command, params);
    to_json(&replies.last().expect("a reply").params)
}

#[test]
fn a_user_sees_of_another_what_friends_room_mates_and_strangers_may_see() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut store = Store::open(&path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob", "kim", "joe", "eve", "robot"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "kim", "eve", "robot"]);
    seed::room(&mut store, "lobby", &["ann", "joe"]);
    let other = rusqlite::Connection::open(&path).expect("the same database");
    other
        .execute_batch(
            "UPDATE rooms SET owner = NULL WHERE name = 'lobby';
             INSERT INTO blocks (user, blocked, created_at) VALUES (1, 5, 1);
             INSERT INTO bots (user, owner, token, created_at) VALUES (6, 3, zeroblob(32), 1);",
        )
        .expect("rows");
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob", "kim", "joe", "eve"]);
    sim.ask("ann", "SET_AWAY", r#""lunch""#);
    for (name, hears) in [("bob", 1), ("kim", 1), ("joe", 0), ("eve", 0)] {
        let told = sim.end(name).take_messages();
        let away = told.iter().filter(|message| message.command == 141);
        assert_eq!(away.count(), hears, "{name}");
    }
    let whois = |sim: &mut Sim, by: &str| shown(sim, by, "WHOIS", r#""ann""#);
    let stranger = r#"{"username":"ann","online":false,"friend":false,"bot":false,"rooms":[]}"#;
    let room_mate = r#"{"username":"ann","online":true,"away":"lunch","friend":false,"bot":false,"rooms":["tea"]}"#;
    assert_eq!(
        whois(&mut sim, "joe"),
        stranger,
        "the lobby makes no room-mate"
    );
    let offline = r#"{"username":"ann","online":false,"friend":false,"bot":false,"rooms":["tea"]}"#;
    assert_eq!(whois(&mut sim, "eve"), offline, "ann blocked eve");
    assert_eq!(whois(&mut sim, "kim"), room_mate);
    let friend =
        r#"{"username":"ann","online":true,"away":"lunch","friend":true,"bot":false,"rooms":[]}"#;
    assert_eq!(whois(&mut sim, "bob"), friend);

    let bot = r#"{"username":"robot","online":false,"friend":false,"bot":true,"owner":"kim","rooms":["tea"]}"#;
    assert_eq!(shown(&mut sim, "eve", "WHOIS", r#""robot""#), bot);
    assert!(shown(&mut sim, "joe", "WHOIS", r#""robot""#).contains("unknown_user"));

    sim.ask("ann", "SET_PRIVACY", r#"{"last_seen":false}"#);
    sim.ask("ann", "SET_AWAY", "null");
    sim.ask("ann", "LOGOUT", "null");
    let hidden = r#"{"username":"ann","online":false,"friend":true,"bot":false,"rooms":[]}"#;
    assert_eq!(whois(&mut sim, "bob"), hidden);
    let friends = r#"[{"username":"ann","online":false}]"#;
    assert_eq!(shown(&mut sim, "bob", "LIST_FRIENDS", "null"), friends);
}

/// The same, after an expensive login has cooled down.
fn asked(sim: &mut Sim, by: &str, command: &str, params: &str) -> String {
    sim.advance(Duration::from_secs(6));
    shown(sim, by, command, params)
}

/// Former friends whose conversations a user keeps.
const FORMER_FRIENDS: usize = 1_000;

#[test]
fn at_the_limit_of_former_friends_a_user_can_befriend_only_these() {
    let names: Vec<String> = (0..FORMER_FRIENDS).map(|n| format!("user{n}")).collect();
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "cyn"]);
    seed::accounts(
        &mut store,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let mut batch = store.batch();
    let ann = batch.find_user("ann").expect("a store").expect("ann").id;
    for name in &names {
        let other = batch.find_user(name).expect("a store").expect("a user").id;
        batch.befriend(ann, other, 0).expect("a store");
        batch.end_friendship(ann, other, 1).expect("a store");
    }
    let _ = batch.commit().expect("a store");
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob", "user7"]);
    let full = asked(&mut sim, "ann", "ADD_FRIEND", r#""bob""#);
    assert!(full.contains("too_many") && full.contains("1000"), "{full}");
    // Nor can ann accept a request of another user, who may send it.
    let asks = asked(&mut sim, "bob", "ADD_FRIEND", r#""ann""#);
    assert!(asks.contains("true"), "{asks}");
    let accepts = r#"{"username":"bob","accepted":true}"#;
    let accepted = asked(&mut sim, "ann", "RESOLVE_FRIEND_REQUEST", accepts);
    assert!(accepted.contains("too_many"), "{accepted}");
    let again = asked(&mut sim, "ann", "ADD_FRIEND", r#""user7""#);
    assert!(again.contains("true"), "{again}");
    let back = asked(&mut sim, "user7", "ADD_FRIEND", r#""ann""#);
    assert!(back.contains("true"), "{back}");
    // One of them is a friend again, so there is space.
    let accepted = asked(&mut sim, "ann", "RESOLVE_FRIEND_REQUEST", accepts);
    assert!(accepted.contains("true"), "{accepted}");
}
