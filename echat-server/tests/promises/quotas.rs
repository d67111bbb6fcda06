//! Daily quotas of a user, the user that pays for a membership, and a disk that is nearly full.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_server::config::Limits;
use echat_server::storage::{Store, create_template};
use echat_testkit::folder;
use std::path::Path;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

fn code(replies: &[Message]) -> &str {
    match replies.last().expect("a reply").params.at("code") {
        Some(Value::Str(code)) => code,
        _ => "ok",
    }
}

fn number(replies: &[Message], key: &str) -> u64 {
    match replies.last().expect("a reply").params.at(key) {
        Some(Value::Int(number)) => *number,
        other => panic!("{key}: {other:?}"),
    }
}

fn message(txn: usize, length: usize) -> String {
    let content = "x".repeat(length);
    format!(r#"{{"target_type":1,"target":"tea","content":"{content}","txn_id":"t{txn}"}}"#)
}

fn limits() -> Limits {
    Limits {
        message_rate: 0,
        user_bytes_a_day: 10_000,
        ..Limits::default()
    }
}

fn in_a_room(path: &Path) -> Sim {
    let mut store = Store::open(path).expect("a new database");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, limits(), store);
    log_in(&mut sim, &["ann", "bob"]);
    sim
}

#[test]
fn the_daily_quota_of_bytes_survives_a_restart() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let mut sim = in_a_room(&path);
    for txn in 0..2 {
        assert_eq!(
            code(&sim.ask("ann", "SEND_MESSAGE", &message(txn, 4_000))),
            "ok"
        );
    }
    let refused = sim.ask("ann", "SEND_MESSAGE", &message(2, 2_001));
    assert_eq!(code(&refused), "rate_limited");
    assert!((DAY..=DAY + 3_600).contains(&number(&refused, "retry_after")));
    let Some(Value::Str(reason)) = refused[0].params.at("message") else {
        panic!("a reason")
    };
    assert!(reason.contains("day"), "{reason}");
    // What fits is stored, a repetition is acknowledged again, and other users have their own quota.
    assert_eq!(
        code(&sim.ask("ann", "SEND_MESSAGE", &message(3, 2_000))),
        "ok"
    );
    assert_eq!(
        code(&sim.ask("ann", "SEND_MESSAGE", &message(0, 4_000))),
        "ok"
    );
    assert_eq!(
        code(&sim.ask("bob", "SEND_MESSAGE", &message(0, 4_000))),
        "ok"
    );
    let most = sim.engine.most_stored(9, sim.now).expect("names");
    let expected = [("ann".to_owned(), 10_000), ("bob".to_owned(), 4_000)];
    assert_eq!(most, expected);

    sim.restart(limits(), Store::open(&path).expect("the same database"));
    log_in(&mut sim, &["ann"]);
    assert_eq!(
        code(&sim.ask("ann", "SEND_MESSAGE", &message(4, 1))),
        "rate_limited"
    );
    let most = sim.engine.most_stored(9, sim.now).expect("names");
    assert_eq!(most, expected);

    // A day later it no longer counts.
    sim.now.unix += i64::try_from(DAY).expect("small");
    sim.restart(limits(), Store::open(&path).expect("the same database"));
    log_in(&mut sim, &["ann"]);
    assert_eq!(
        code(&sim.ask("ann", "SEND_MESSAGE", &message(4, 4_000))),
        "ok"
    );
}

/// Rows with a time to come, of a clock that ran ahead, are of no day that a start knows. Those of today behind them
/// are.
#[test]
fn what_a_clock_that_ran_ahead_has_dated_does_not_count_after_a_restart() {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    let limits = || Limits {
        rooms_a_day: 1,
        ..limits()
    };
    let room = |name: &str| format!(r#"{{"roomname":"{name}","members":[]}}"#);
    let mut sim = in_a_room(&path);
    sim.restart(limits(), Store::open(&path).expect("the same database"));
    log_in(&mut sim, &["ann", "bob"]);
    // Ann's are of today.
    for txn in 0..2 {
        let stored = sim.ask("ann", "SEND_MESSAGE", &message(txn, 4_000));
        assert_eq!(code(&stored), "ok");
    }
    assert_eq!(code(&sim.ask("ann", "CREATE_ROOM", &room("one"))), "ok");
    sim.now.unix += YEAR;
    assert_eq!(code(&sim.ask("bob", "CREATE_ROOM", &room("two"))), "ok");
    for txn in 0..1_100 {
        let stored = sim.ask("bob", "SEND_MESSAGE", &message(txn, 9));
        assert_eq!(code(&stored), "ok");
    }
    sim.now.unix -= YEAR;
    sim.restart(limits(), Store::open(&path).expect("the same database"));
    log_in(&mut sim, &["ann", "bob"]);
    // Their long pages have a cool-down.
    sim.advance(Duration::from_secs(5));
    assert_eq!(code(&sim.ask("bob", "CREATE_ROOM", &room("six"))), "ok");
    let stored = sim.ask("bob", "SEND_MESSAGE", &message(2_000, 4_000));
    assert_eq!(code(&stored), "ok");
    let refused = sim.ask("ann", "SEND_MESSAGE", &message(2_000, 4_000));
    assert_eq!(code(&refused), "rate_limited");
    let refused = sim.ask("ann", "CREATE_ROOM", &room("seven"));
    assert_eq!(code(&refused), "rate_limited");

    // A clock that was put back by an hour does not give a day away.
    sim.now.unix -= 3_600;
    sim.restart(limits(), Store::open(&path).expect("the same database"));
    log_in(&mut sim, &["bob"]);
    sim.advance(Duration::from_secs(5));
    let refused = sim.ask("bob", "CREATE_ROOM", &room("seven"));
    assert_eq!(code(&refused), "rate_limited");
}

#[test]
fn writes_that_a_full_disk_rolled_back_are_not_counted() {
    let dir = folder::in_memory();
    let path = dir.path().join("a.db");
    // Without the free pages that migrations leave.
    create_template(&path).expect("a new file");
    let mut sim = in_a_room(&path);
    sim.engine.store().limit_pages(1).expect("a pragma");
    let full = Value::Str("storage_full".to_owned());
    let (mut stored, mut refused) = (0, [0, 0]);
    for txn in 0..10 {
        // Ann's message fits longer than bob's, and is rolled back when bob's does not fit in the same tick.
        let said = [("ann", 10), ("bob", 1_000)];
        for (name, length) in said {
            let params = echat_proto::json::from_json(&message(txn, length)).expect("JSON");
            sim.say(name, 6, params);
        }
        sim.settle();
        for ((name, length), refused) in said.into_iter().zip(&mut refused) {
            let told = sim.end(name).take_messages();
            if told
                .iter()
                .any(|told| told.params.at("code") == Some(&full))
            {
                *refused += 1;
            } else {
                stored += length as u64;
            }
        }
    }
    assert!(refused[0] > 0 && refused[1] > 0, "the disk has an end");
    assert!(stored > 0, "and a place");
    let most = sim.engine.most_stored(9, sim.now).expect("names");
    assert_eq!(most.iter().map(|(_, bytes)| bytes).sum::<u64>(), stored);
}

#[test]
fn new_rooms_have_a_daily_quota() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    let limits = Limits {
        rooms_a_day: 2,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann"]);
    let mut create = |name: &str| {
        let params = format!(r#"{{"roomname":"{name}","members":[]}}"#);
        let replies = sim.ask("ann", "CREATE_ROOM", &params);
        code(&replies).to_owned()
    };
    let made = ["one", "one", "two", "three"].map(&mut create);
    assert_eq!(made, ["ok", "room_exists", "ok", "rate_limited"]);
}

#[test]
fn a_nearly_full_disk_refuses_only_requests_that_store() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve", "joe"]);
    seed::friends(&mut store, &["ann", "eve"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    seed::room(&mut store, "pot", &["bob"]);
    let mut sim = Sim::new(1, limits(), store);
    log_in(&mut sim, &["ann", "bob", "joe"]);
    assert_eq!(code(&sim.ask("ann", "SEND_MESSAGE", &message(0, 10))), "ok");
    assert_eq!(code(&sim.ask("joe", "ADD_FRIEND", r#""bob""#)), "ok");
    sim.connect("guest", crate::sim::HOME);

    sim.engine.set_free_space(limits().free_bytes - 1);
    let register = format!(r#"{{"username":"kim","password":"{}"}}"#, seed::PASSWORD);
    for (user, command, params) in [
        ("ann", "SEND_MESSAGE", &*message(1, 10)),
        ("ann", "CREATE_ROOM", r#"{"roomname":"new","members":[]}"#),
        ("ann", "JOIN_ROOM", r#""pot""#),
        (
            "ann",
            "ADD_MEMBERS",
            r#"{"roomname":"tea","members":["eve"]}"#,
        ),
        ("ann", "ADD_FRIEND", r#""bob""#),
        (
            "bob",
            "RESOLVE_FRIEND_REQUEST",
            r#"{"username":"joe","accepted":true}"#,
        ),
        ("guest", "REGISTER", &register),
    ] {
        assert_eq!(
            code(&sim.ask(user, command, params)),
            "storage_full",
            "{command}"
        );
    }
    let login = format!(r#"{{"username":"eve","password":"{}"}}"#, seed::PASSWORD);
    for (user, command, params) in [
        ("ann", "SEND_MESSAGE", &*message(0, 10)),
        (
            "ann",
            "MARK_READ",
            r#"{"target_type":1,"target":"tea","id":1}"#,
        ),
        ("bob", "LEAVE_ROOM", r#""tea""#),
        (
            "bob",
            "RESOLVE_FRIEND_REQUEST",
            r#"{"username":"joe","accepted":false}"#,
        ),
        ("guest", "LOGIN", &login),
    ] {
        assert_eq!(code(&sim.ask(user, command, params)), "ok", "{command}");
    }

    sim.engine.set_free_space(limits().free_bytes);
    assert_eq!(code(&sim.ask("ann", "SEND_MESSAGE", &message(1, 10))), "ok");
}

#[test]
fn a_full_disk_is_low_also_where_nothing_is_reserved() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    seed::administrators(&mut store, &["ann"]);
    let reserves_nothing = Limits {
        free_bytes: 0,
        ..limits()
    };
    let mut sim = Sim::new(1, reserves_nothing, store);
    log_in(&mut sim, &["ann"]);
    for (free, is_low) in [(0, true), (1, false)] {
        sim.engine.set_free_space(free);
        let replies = sim.ask("ann", "ADMIN", r#"{"command":"status","params":{}}"#);
        let result = replies.last().and_then(|reply| reply.params.at("result"));
        let shown = result.and_then(|result| result.at("disk_is_low"));
        assert_eq!(shown, Some(&Value::Bool(is_low)), "{free}");
    }
}

#[test]
fn adding_members_is_charged_to_the_user_that_adds_them_and_leaving_is_free() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    let limits = Limits {
        rooms: 20,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann", "bob"]);
    let request = |n: usize| format!(r#"{{"roomname":"room{n}","members":["bob"]}}"#);
    // 40 tokens: two for ann and two for bob each time.
    let rooms = (0..20).take_while(|n| code(&sim.ask("ann", "CREATE_ROOM", &request(*n))) == "ok");
    let made = rooms.count();
    assert_eq!(made, 10);
    for n in 0..made {
        let left = sim.ask("bob", "LEAVE_ROOM", &format!(r#""room{n}""#));
        assert_eq!(code(&left), "ok");
        sim.advance(Duration::from_secs(1));
        let params = format!(r#"{{"roomname":"room{n}","members":["bob"]}}"#);
        let again = sim.ask("ann", "ADD_MEMBERS", &params);
        assert_eq!(code(&again), "not_allowed");
        let names = Value::List(vec![Value::Str("bob".to_owned())]);
        let refusal = again.last().expect("a reply");
        assert_eq!(refusal.params.at("names"), Some(&names));
    }
    // Bob paid for none of them: all of bob's tokens are left, and leaving is free.
    for n in 0..made {
        for command in ["JOIN_ROOM", "LEAVE_ROOM"] {
            assert_eq!(
                code(&sim.ask("bob", command, &format!(r#""room{n}""#))),
                "ok"
            );
        }
    }
    // A user who joined again is an ordinary member.
    sim.ask("bob", "JOIN_ROOM", r#""room0""#);
    let params = r#"{"roomname":"room0","members":["bob"]}"#;
    assert_eq!(
        code(&sim.ask("ann", "ADD_MEMBERS", params)),
        "already_member"
    );
}

#[test]
fn a_room_with_more_friends_than_the_burst_is_made_at_once_and_paid_off_later() {
    let friends: Vec<String> = (0..30).map(|n| format!("friend{n}")).collect();
    let mut store = Store::in_memory().expect("memory is there");
    let mut all: Vec<&str> = friends.iter().map(String::as_str).collect();
    all.push("ann");
    seed::accounts(&mut store, &all);
    for friend in &friends {
        seed::friends(&mut store, &["ann", friend]);
    }
    let limits = Limits {
        rooms: 5,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    log_in(&mut sim, &["ann"]);
    let names = friends.join(r#"",""#);
    let params = format!(r#"{{"roomname":"big","members":["{names}"]}}"#);
    assert_eq!(code(&sim.ask("ann", "CREATE_ROOM", &params)), "ok");
    let small = r#"{"roomname":"small","members":[]}"#;
    // 62 tokens were taken from a bucket of 10. 52 are a debt, and two more are needed, at five a second. It was much
    // work, too.
    sim.advance(Duration::from_secs(1));
    let refused = sim.ask("ann", "CREATE_ROOM", small);
    assert_eq!(
        (code(&refused), number(&refused, "retry_after")),
        ("rate_limited", 10)
    );
    sim.advance(Duration::from_secs(10));
    assert_eq!(code(&sim.ask("ann", "CREATE_ROOM", small)), "ok");
}
