//! Bots: their tokens, and the effects of their owners' accounts.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::json::from_json;
use echat_server::config::{Limits, Settings};
use echat_server::replay::replay;
use echat_server::storage::Store;
use echat_testkit::folder;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn in_a_room(path: &Path) -> Sim {
    let mut store = Store::open(path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob"]);
    sim
}

fn text(replies: &[Message], key: &str) -> String {
    match replies.last().expect("a reply").params.at(key) {
        Some(Value::Str(text)) => text.clone(),
        other => panic!("{key}: {other:?}"),
    }
}

/// Creates the bot clerk. Returns its LOGIN.
fn clerk(sim: &mut Sim) -> String {
    let made = r#"{"username":"clerk","rooms":["tea"]}"#;
    let token = text(&sim.ask("ann", "CREATE_BOT", made), "token");
    format!(r#"{{"username":"clerk","token":"{token}"}}"#)
}

/// The result of a LOGIN on a new connection.
fn login(sim: &mut Sim, name: &str, params: &str) -> String {
    sim.connect(name, HOME);
    let replies = sim.ask(name, "LOGIN", params);
    match replies.last().expect("a reply").params.at("code") {
        Some(Value::Str(code)) => code.clone(),
        _ => "ok".to_owned(),
    }
}

/// Rows of a query as text.
fn rows(path: &Path, sql: &str) -> Vec<String> {
    let db = Connection::open(path).expect("a database");
    let mut statement = db.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

#[test]
fn a_token_is_stored_as_a_hash_and_a_journal_repeats_its_row() {
    let folder = folder::in_memory();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("b.db"));
    drop(in_a_room(&path));
    fs::copy(&path, &copy).expect("a file");
    let mut sim = Sim::new(
        1,
        Limits::default(),
        Store::open(&path).expect("it is there"),
    );
    sim.engine.keep_journal();
    log_in(&mut sim, &["ann", "bob"]);
    let first = clerk(&mut sim);
    let renewed = sim.ask("ann", "NEW_BOT_TOKEN", r#"{"username":"clerk"}"#);
    let second = text(&renewed, "token");
    sim.ask(
        "ann",
        "CREATE_BOT",
        r#"{"username":"other","rooms":["tea"]}"#,
    );
    sim.ask("ann", "REMOVE_BOT", r#""other""#);
    let journal = sim.engine.take_journal();
    drop(sim);
    let mut store = Store::open(&copy).expect("the copy");
    for entry in &journal {
        replay(
            &mut store,
            (&Limits::default(), &Settings::default()),
            entry,
        )
        .expect("what another database took");
    }
    drop(store);
    let sql = "SELECT u.name || hex(b.token) || count(p.user) FROM bots AS b
               JOIN users AS u ON u.id = b.user LEFT JOIN participants AS p ON p.user = u.id
               GROUP BY u.id";
    assert_eq!(rows(&path, sql), rows(&copy, sql));
    assert_eq!(rows(&path, sql).len(), 2);
    let file = fs::read(&path).expect("a file");
    for token in [first.as_str(), second.as_str()] {
        let digits = &token[token.len() - 20..token.len() - 3];
        let is_there = file
            .windows(digits.len())
            .any(|bytes| bytes == digits.as_bytes());
        assert!(!is_there, "a token is in the file");
    }
}

#[test]
fn a_bot_logs_in_only_while_it_and_its_owner_may() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = in_a_room(&path);
    let params = clerk(&mut sim);
    let other = Connection::open(&path).expect("the same database");
    let now = sim.now.unix;
    let attempt = |change: &str| {
        let reset =
            "UPDATE users SET suspended_at = NULL, suspended_until = NULL, deleted_at = NULL;";
        other
            .execute_batch(&format!("{reset} {change}"))
            .expect("a change");
    };
    let until = |name: &str, time: i64| {
        format!("UPDATE users SET suspended_at = 1, suspended_until = {time} WHERE name = '{name}'")
    };
    for (index, (change, expected)) in [
        (String::new(), "ok"),
        (
            "UPDATE users SET suspended_at = 1 WHERE name = 'ann'".to_owned(),
            "bad_credentials",
        ),
        (until("ann", now + 100), "bad_credentials"),
        (until("ann", now), "ok"),
        (
            "UPDATE users SET deleted_at = 1 WHERE name = 'ann'".to_owned(),
            "bad_credentials",
        ),
        (until("clerk", now + 100), "bad_credentials"),
        (until("clerk", now), "ok"),
        (
            "UPDATE users SET suspended_at = 1 WHERE name = 'bob'".to_owned(),
            "ok",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        attempt(&change);
        let ended = login(&mut sim, &format!("c{index}"), &params);
        assert_eq!(ended, expected, "{change}");
    }
}

#[test]
fn tokens_are_guessed_on_the_budget_of_passwords() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann"]);
    let right = clerk(&mut sim);
    let wrong = r#"{"username":"clerk","token":"aaaa"}"#;
    let endings: Vec<String> = (0..30)
        .map(|number| {
            let ended = login(&mut sim, &format!("g{number}"), wrong);
            sim.advance(Duration::from_secs(1));
            ended
        })
        .collect();
    let compared = endings
        .iter()
        .filter(|end| *end == "bad_credentials")
        .count();
    assert!((1..=11).contains(&compared), "{endings:?}");
    assert!(endings[29] == "login_throttled", "{endings:?}");
    // After the window the right token is accepted.
    sim.advance(Duration::from_mins(15));
    assert_eq!(login(&mut sim, "clerk", &right), "ok");
}

#[test]
fn a_rolled_back_removal_ends_no_session_of_a_bot() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = in_a_room(&path);
    let params = clerk(&mut sim);
    assert_eq!(login(&mut sim, "clerk", &params), "ok");
    let other = Connection::open(&path).expect("the same database");
    let refusing = "CREATE TRIGGER refuse BEFORE UPDATE OF token ON bots
                    BEGIN SELECT RAISE(ABORT, 'refused'); END";
    other.execute_batch(refusing).expect("a trigger");
    let refused = sim.ask("ann", "REMOVE_BOT", r#""clerk""#);
    assert_eq!(text(&refused, "code"), "storage_damaged");
    other
        .execute_batch("DROP TRIGGER refuse")
        .expect("it is there");
    let rooms = sim.ask("clerk", "LIST_ROOMS", "null");
    let Value::List(rooms) = &rooms[0].params else {
        panic!("{rooms:?}")
    };
    assert_eq!(rooms.len(), 1, "the bot is still in its room");
    let said = sim.ask(
        "clerk",
        "SEND_MESSAGE",
        r#"{"target_type":1,"target":"tea","content":"hi"}"#,
    );
    assert_eq!(said[0].command, 109);
    let heard = sim.end("bob").take_messages();
    assert!(heard.iter().any(|message| message.command == 109));
}

/// Whether ann's list of the members of tea has the bot.
fn is_in_tea(sim: &mut Sim) -> bool {
    let listed = sim.ask("ann", "LIST_MEMBERS", r#"{"roomname":"tea"}"#);
    let members = &listed.last().expect("a reply").params;
    format!("{members:?}").contains("clerk")
}

/// The room tea of ann, of bob, an operator whose bot clerk is in it, and of cyn. All are online.
fn of_an_operator() -> (Sim, String) {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "cyn", "eve"]);
    seed::room(&mut store, "tea", &["ann", "bob", "cyn"]);
    seed::operators(&mut store, "tea", &["bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob", "cyn", "eve"]);
    let made = sim.ask(
        "bob",
        "CREATE_BOT",
        r#"{"username":"clerk","rooms":["tea"]}"#,
    );
    let params = format!(
        r#"{{"username":"clerk","token":"{}"}}"#,
        text(&made, "token")
    );
    assert_eq!(login(&mut sim, "clerk", &params), "ok");
    assert!(is_in_tea(&mut sim));
    (sim, params)
}

/// The result of a request.
fn ended(replies: &[Message]) -> String {
    match replies.last().expect("a reply").params.at("code") {
        Some(Value::Str(code)) => code.clone(),
        _ => "ok".to_owned(),
    }
}

#[test]
fn a_demoted_operator_loses_the_bots_of_the_room() {
    for (by, command, params) in [
        (
            "ann",
            "SET_ROLE",
            r#"{"roomname":"tea","username":"bob","role":"member"}"#,
        ),
        ("ann", "KICK", r#"{"roomname":"tea","username":"bob"}"#),
        ("ann", "BAN", r#"{"roomname":"tea","username":"bob"}"#),
        ("bob", "LEAVE_ROOM", r#""tea""#),
        (
            "bob",
            "DELETE_ACCOUNT",
            r#"{"password":"correct horse","erase":false}"#,
        ),
    ] {
        let (mut sim, _) = of_an_operator();
        assert_eq!(ended(&sim.ask(by, command, params)), "ok", "{command}");
        assert!(!is_in_tea(&mut sim), "{command}");
        let heard = sim.end("clerk").take_messages();
        if command == "DELETE_ACCOUNT" {
            assert!(sim.end("clerk").is_closed());
            continue;
        }
        assert!(heard.iter().any(|event| event.command == 114), "{command}");
        let said = r#"{"target_type":1,"target":"tea","content":"hi"}"#;
        let said = sim.ask("clerk", "SEND_MESSAGE", said);
        assert_eq!(ended(&said), "not_a_member", "{command}");
    }
}

#[test]
fn a_bot_is_handled_like_a_member_without_a_role() {
    let (mut sim, _) = of_an_operator();
    let set = r#"{"roomname":"tea","username":"clerk","role":"ROLE"}"#;
    for (role, expected) in [
        ("member", "ok"),
        ("operator", "not_allowed"),
        ("owner", "not_allowed"),
    ] {
        let params = set.replace("ROLE", role);
        assert_eq!(
            ended(&sim.ask("ann", "SET_ROLE", &params)),
            expected,
            "{role}"
        );
    }
    assert_eq!(ended(&sim.ask("cyn", "BLOCK", r#""clerk""#)), "ok");
    assert_eq!(
        ended(&sim.ask("eve", "BLOCK", r#""clerk""#)),
        "unknown_user"
    );
    assert_eq!(
        ended(&sim.ask("eve", "WHOIS", r#""clerk""#)),
        "unknown_user"
    );
    for keyword in ["clerk", "cle", "k"] {
        let params = format!(r#"{{"keyword":"{keyword}"}}"#);
        let found = sim.ask("ann", "FIND", &params);
        assert!(!format!("{found:?}").contains("clerk"), "{keyword}");
    }
    for command in ["KICK", "BAN"] {
        let (mut sim, _) = of_an_operator();
        let params = r#"{"roomname":"tea","username":"clerk"}"#;
        assert_eq!(ended(&sim.ask("cyn", command, params)), "not_operator");
        assert_eq!(ended(&sim.ask("bob", command, params)), "ok", "{command}");
        assert!(!is_in_tea(&mut sim), "{command}");
    }
    // A bot inherits nothing: the room closes with its last person.
    let (mut sim, _) = of_an_operator();
    sim.ask("cyn", "LEAVE_ROOM", r#""tea""#);
    sim.ask("ann", "LEAVE_ROOM", r#""tea""#);
    let heard = sim.end("bob").take_messages();
    assert!(
        heard.iter().any(|event| event.command == 147),
        "bob owns it"
    );
    sim.ask("bob", "LEAVE_ROOM", r#""tea""#);
    assert_eq!(
        ended(&sim.ask("eve", "ROOM_INFO", r#""tea""#)),
        "unknown_room"
    );
}

#[test]
fn the_sessions_of_bots_end_with_those_of_a_suspended_owner() {
    let (mut sim, params) = of_an_operator();
    seed::suspend(sim.engine.store(), "bob", None, None);
    let now = sim.now;
    sim.engine.send_away("bob", now).expect("a store");
    sim.settle();
    for name in ["bob", "clerk"] {
        let told = sim.end(name).take_messages();
        assert_eq!(told.last().map(|event| event.command), Some(104), "{name}");
        assert!(sim.end(name).is_closed(), "{name}");
    }
    assert_eq!(login(&mut sim, "again", &params), "bad_credentials");
}

#[test]
fn a_request_behind_the_end_of_a_bot_is_not_handled() {
    for (command, params) in [
        ("REMOVE_BOT", r#""clerk""#),
        ("NEW_BOT_TOKEN", r#"{"username":"clerk"}"#),
    ] {
        let (mut sim, _) = of_an_operator();
        for name in ["ann", "clerk"] {
            sim.end(name).take_messages();
        }
        // Both arrive in one tick, the owner's first.
        let number = echat_proto::commands::by_name(command).expect("a command");
        let said = r#"{"target_type":1,"target":"tea","content":"late"}"#;
        sim.say("bob", number.number, from_json(params).expect("JSON"));
        sim.say("clerk", 6, from_json(said).expect("JSON"));
        sim.settle();
        let told = sim.end("clerk").take_messages();
        assert_eq!(
            told.last().map(|event| event.command),
            Some(104),
            "{command}"
        );
        let heard = sim.end("ann").take_messages();
        assert!(heard.iter().all(|event| event.command != 109), "{command}");
    }
}

#[test]
fn the_owner_sees_when_a_bot_was_there_last_also_where_its_session_was_ended() {
    let folder = folder::in_memory();
    let mut sim = in_a_room(&folder.path().join("database.db"));
    let params = clerk(&mut sim);
    assert_eq!(login(&mut sim, "clerk", &params), "ok");
    sim.ask("ann", "NEW_BOT_TOKEN", r#"{"username":"clerk"}"#);
    let shown = format!("{:?}", sim.ask("ann", "LIST_BOTS", "null"));
    assert!(shown.contains("last_seen"), "{shown}");
}

#[test]
fn a_bot_that_is_removed_as_it_logs_in_leaves_no_note_of_the_login() {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    let mut sim = in_a_room(&path);
    let secrets = clerk(&mut sim);
    // Both are handled in one tick, the login first.
    sim.connect("a bot", HOME);
    sim.settle();
    sim.say("a bot", 3, from_json(&secrets).expect("JSON"));
    sim.say("ann", 46, from_json(r#""clerk""#).expect("JSON"));
    sim.settle();
    let told = sim.end("a bot").take_messages();
    assert!(told.iter().any(|one| one.command == 105), "{told:?}");
    let notes = "SELECT u.name FROM logins AS l JOIN users AS u ON u.id = l.user WHERE u.deleted_at IS NOT NULL";
    assert_eq!(rows(&path, notes), Vec::<String>::new());
}
