//! Effects of the administration on accounts: a suspension ends all sessions, a weak password must be changed.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::json::{from_json, to_json};
use echat_proto::names::{Password, Username};
use echat_server::config::Limits;
use echat_server::storage::Store;
use std::num::NonZeroUsize;
use std::time::Duration;

/// The request ADMIN, and its reply.
const ADMIN: u32 = 54;
const ADMIN_RESULT: u32 = 138;
/// ON_SELF_CHANGED.
const SELF_CHANGED: u32 = 152;

fn received(sim: &mut Sim, name: &str) -> Vec<u32> {
    let told = sim.end(name).take_messages();
    told.iter().map(|message| message.command).collect()
}

#[test]
fn a_suspension_ends_all_sessions_and_expires() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.engine
        .allow_sessions(NonZeroUsize::new(2).expect("two"));
    log_in(&mut sim, &["bob"]);
    sim.connect("ann", HOME);
    let right = r#"{"username":"ann","password":"correct horse"}"#;
    let replies = sim.ask("ann", "LOGIN", right);
    let bundle = &replies.last().expect("a reply").params;
    let Some(Value::Str(secret)) = bundle.at("resume").cloned() else {
        panic!("no secret: {bundle:?}")
    };
    sim.connect("phone", HOME);
    sim.ask("phone", "LOGIN", right);
    sim.settle();
    for name in ["ann", "phone", "bob"] {
        received(&mut sim, name);
    }

    let now = sim.now;
    let ann = {
        let store = sim.engine.store();
        let ann = store.batch().find_user("ann").expect("readable");
        let ann = ann.expect("there").id;
        let mut batch = store.batch();
        batch
            .suspend(ann, None, Some("spam"), now.unix)
            .expect("memory");
        let _ = batch.commit().expect("memory");
        ann
    };
    sim.engine.send_away("ann", now).expect("readable");
    sim.engine.send_away("nobody", now).expect("readable");
    sim.settle();
    assert_eq!(received(&mut sim, "ann"), [104]);
    assert_eq!(received(&mut sim, "phone"), [104]);
    assert!(sim.end("ann").is_closed() && sim.end("phone").is_closed());
    assert_eq!(received(&mut sim, "bob"), [112, 114]);
    assert_eq!(sim.engine.roster().conns_of(ann), []);

    sim.connect("ann", HOME);
    let resume = format!(r#"{{"username":"ann","resume":"{secret}"}}"#);
    let code = |sim: &mut Sim, params: &str| {
        let replies = sim.ask("ann", "LOGIN", params);
        replies.last().expect("a reply").params.at("code").cloned()
    };
    assert_eq!(
        code(&mut sim, &resume),
        Some(Value::from("bad_credentials"))
    );
    assert_eq!(code(&mut sim, right), Some(Value::from("suspended")));
    let mut batch = sim.engine.store().batch();
    batch.unsuspend(ann).expect("memory");
    let _ = batch.commit().expect("memory");
    assert_eq!(
        code(&mut sim, &resume),
        Some(Value::from("bad_credentials"))
    );
    assert_eq!(code(&mut sim, right), None);
}

#[test]
fn a_password_below_the_minimum_logs_in_and_must_be_changed() {
    let mut store = Store::in_memory().expect("memory is there");
    let name = Username::new("ann").expect("a good name");
    let mut batch = store.batch();
    let hash = crate::sim::workers::hashed(Password::presented("short").expect("short enough"));
    let made = batch.create_user(&name, hash.as_str(), 0).expect("memory");
    made.expect("a new name");
    let _ = batch.commit().expect("memory");
    let mut sim = Sim::new(1, Limits::default(), store);
    let asked_to_change = |sim: &mut Sim, end: &str, password: &str| {
        sim.connect(end, HOME);
        let login = format!(r#"{{"username":"ann","password":"{password}"}}"#);
        let replies = sim.ask(end, "LOGIN", &login);
        let last = replies.last().expect("a reply");
        assert_eq!(last.command, 105);
        last.params.at("must_change_password").cloned()
    };
    let yes = Some(Value::Bool(true));
    assert_eq!(asked_to_change(&mut sim, "one", "short"), yes);
    let change = r#"{"old":"short","new":"long enough"}"#;
    assert_eq!(sim.ask("one", "CHANGE_PASSWORD", change)[0].command, 124);
    let no = Some(Value::Bool(false));
    assert_eq!(asked_to_change(&mut sim, "two", "long enough"), no);
}

#[test]
fn blockers_of_a_deleted_account_get_one_event_each_in_portions() {
    const BLOCKERS: usize = 20;
    let mut store = Store::in_memory().expect("memory is there");
    let names: Vec<String> = (0..BLOCKERS).map(|number| format!("bob{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    seed::accounts(&mut store, &["ann"]);
    seed::accounts(&mut store, &names);
    for name in &names {
        seed::block(&mut store, name, "ann");
    }
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann"]);
    log_in(&mut sim, &names);
    sim.settle();
    for name in &names {
        received(&mut sim, name);
    }
    let delete = r#"{"password":"correct horse","erase":false}"#;
    sim.ask("ann", "DELETE_ACCOUNT", delete);
    sim.settle();
    // The first portion is sent at once, and one every 20 ms after it.
    let mut counts = vec![0; BLOCKERS];
    let mut portions = Vec::new();
    for _ in 0..10 {
        for (name, count) in names.iter().zip(&mut counts) {
            let told = received(&mut sim, name);
            assert!(told.iter().all(|event| *event == SELF_CHANGED), "{told:?}");
            *count += told.len();
        }
        portions.push(counts.iter().sum::<usize>());
        sim.advance(Duration::from_millis(20));
        sim.settle();
    }
    assert_eq!(counts, [1; BLOCKERS]);
    assert!(portions[0] < BLOCKERS, "{portions:?}");
    let bob = sim.ask("bob3", "LIST_BLOCKED", "null");
    assert_eq!(bob[0].params, Value::List(Vec::new()));
}

#[test]
fn limits_that_two_administrators_change_at_once_both_hold() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::administrators(&mut store, &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["ann", "bob"]);
    // Both requests are there before the next tick.
    for (name, limit, value) in [("ann", "rooms", 50), ("bob", "friends", 20)] {
        let params =
            format!(r#"{{"command":"limits","params":{{"name":"{limit}","value":{value}}}}}"#);
        sim.say(name, ADMIN, from_json(&params).expect("JSON"));
    }
    sim.settle();
    for name in ["ann", "bob"] {
        assert_eq!(received(&mut sim, name), [ADMIN_RESULT], "{name}");
    }
    for (limit, value) in [("rooms", 50), ("friends", 20)] {
        let params = format!(r#"{{"command":"limits","params":{{"name":"{limit}"}}}}"#);
        let told = sim.ask("ann", "ADMIN", &params);
        let text = to_json(&told.last().expect("a reply").params);
        let row = format!(r#""name":"{limit}","value":{value}"#);
        assert!(text.contains(&row), "{text}");
    }
}
