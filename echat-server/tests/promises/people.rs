//! What users see of each other, exactly: a transcript cannot show that a key is left out.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::json::to_json;
use echat_server::config::Limits;
use echat_server::storage::Store;

fn shown(sim: &mut Sim, by: &str, command: &str, params: &str) -> String {
    let replies = sim.ask(by, command, params);
    to_json(&replies.last().expect("a reply").params)
}

#[test]
fn a_user_sees_of_another_what_friends_room_mates_and_strangers_may_see() {
    let folder = tempfile::tempdir().expect("a folder");
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
