//! Every request gets exactly one final reply, and the connection stays open, even if parameters are wrong.

use super::params::{at_the_edges, dict, many, wrong};
use crate::sim::script::ann_and_a_guest;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::commands::{RequestKind, Shape};
use echat_proto::json::from_json;
use echat_proto::limits::{FRAME_AFTER_LOGIN, FRAME_BEFORE_LOGIN};
use echat_server::storage::Store;
use std::time::Duration;

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    ann_and_a_guest(store)
}

/// The limit of L for a client's frames.
pub(super) fn frame(caller: &str) -> usize {
    match caller {
        "guest" => FRAME_BEFORE_LOGIN,
        _ => FRAME_AFTER_LOGIN,
    }
}

/// A client that passes the gate of a request.
pub(super) fn asker(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Register | RequestKind::Login => "guest",
        _ => "ann",
    }
}

#[test]
fn wrong_parameters_are_refused_in_the_form_of_the_table() {
    let mut sim = sim();
    for kind in RequestKind::ALL {
        let (caller, info) = (asker(*kind), kind.info());
        for (params, field) in wrong(info) {
            sim.say(caller, info.number, params.clone());
            sim.settle();
            let replies = sim.end(caller).take_messages();
            let [reply] = &replies[..] else {
                panic!("{} {params:?}: {replies:?}", info.name)
            };
            assert_eq!(
                reply.command,
                kind.answers().refusal,
                "{} {params:?}",
                info.name
            );
            let code = reply.params.at("code");
            assert_eq!(
                code,
                Some(&Value::from("bad_params")),
                "{} {params:?}",
                info.name
            );
            let blamed = reply.params.at("field");
            assert_eq!(
                blamed,
                Some(&Value::from(&*field)),
                "{} {params:?}",
                info.name
            );
        }
    }
}

#[test]
fn hostile_values_get_one_reply_each_and_the_connection_stays() {
    let mut sim = sim();
    for kind in RequestKind::ALL {
        let (caller, info) = (asker(*kind), kind.info());
        let asked = at_the_edges(info, frame(caller));
        for params in asked {
            sim.say(caller, info.number, params);
            sim.settle();
            sim.end(caller).take_messages();
            if sim.end(caller).unanswered() > 0 {
                // A thousand names cost so much that the user cools down before the answer.
                sim.advance(Duration::from_secs(6));
                sim.settle();
                sim.end(caller).take_messages();
            }
            assert_eq!(
                sim.end(caller).unanswered(),
                0,
                "{} is not answered",
                info.name
            );
            assert!(
                sim.end(caller).is_open(),
                "{} closed the connection",
                info.name
            );
            if caller == "guest" && sim.engine.roster().sessions().count() > 1 {
                sim.ask(caller, "LOGOUT", "null");
            }
        }
    }
}

#[test]
fn a_hundred_requests_at_once_get_a_hundred_replies() {
    let mut sim = sim();
    for (index, kind) in RequestKind::ALL.iter().cycle().take(100).enumerate() {
        let params = if index % 3 == 0 {
            Value::Null
        } else {
            Value::Int(index as u64)
        };
        sim.say("ann", kind.info().number, params);
    }
    sim.settle();
    sim.end("ann").take_messages();
    assert_eq!(sim.end("ann").unanswered(), 0);
    assert!(sim.end("ann").is_open());
}

#[test]
fn a_request_that_is_sent_twice_is_answered_twice() {
    let mut sim = sim();
    for kind in RequestKind::ALL {
        let (caller, info) = (asker(*kind), kind.info());
        for (params, _) in wrong(info) {
            sim.say(caller, info.number, params.clone());
            sim.say(caller, info.number, params);
        }
        sim.settle();
        sim.end(caller).take_messages();
        assert_eq!(sim.end(caller).unanswered(), 0, "{}", info.name);
        assert!(sim.end(caller).is_open(), "{}", info.name);
    }
}

#[test]
fn a_hundred_logins_and_logouts_at_once_are_answered_one_by_one() {
    let mut sim = sim();
    let login = Value::Dict(vec![
        ("username".to_owned(), Value::from("bob")),
        ("password".to_owned(), Value::from(seed::PASSWORD)),
    ]);
    for round in 0..50 {
        sim.say("guest", RequestKind::Login.info().number, login.clone());
        // In every second round the next LOGIN finds its user logged in.
        if round % 2 == 0 {
            sim.say("guest", RequestKind::Logout.info().number, Value::Null);
        }
    }
    sim.settle();
    let told = sim.end("guest").take_messages();
    let count = |command| {
        told.iter()
            .filter(|message| message.command == command)
            .count()
    };
    // LOGIN_BUNDLE, LOGGED_OUT, LOGIN_FAILURE.
    assert_eq!([count(105), count(116), count(202)], [26, 25, 24]);
    assert_eq!(sim.end("guest").unanswered(), 0);
    assert!(sim.end("guest").is_open());
}

/// Parameters of the right types with values that a field does not accept, and the field that the refusal names. `PAST`
/// is the time of the request, `LONG*N` a text of N bytes, `MANY` more names than a list accepts.
const BEYOND: &[(&str, &str, &str)] = &[
    (
        "SEND_MESSAGE",
        r#"{"target_type":2,"target":"tea","content":"x"}"#,
        "target_type",
    ),
    (
        "SEND_MESSAGE",
        r#"{"target_type":1,"target":"tea","content":"x","txn_id":"LONG*65"}"#,
        "txn_id",
    ),
    (
        "QUERY_HISTORY",
        r#"{"target_type":2,"target":"tea"}"#,
        "target_type",
    ),
    (
        "MARK_READ",
        r#"{"target_type":2,"target":"tea","id":1}"#,
        "target_type",
    ),
    ("SET_AWAY", r#""""#, "text"),
    ("SET_AWAY", r#""LONG*201""#, "text"),
    ("SET_AWAY", r#""two\nlines""#, "text"),
    ("FIND", r#"{"keyword":""}"#, "keyword"),
    ("FIND", r#"{"keyword":"LONG*65"}"#, "keyword"),
    ("LIST_MEMBERS", r#"{"roomname":"tea","limit":0}"#, "limit"),
    ("LIST_MEMBERS", r#"{"roomname":"tea","limit":201}"#, "limit"),
    ("LIST_MEMBERS", r#"{"roomname":"tea","extra":1}"#, "extra"),
    ("LIST_MEMBERS", r#"{"after":"bob"}"#, "roomname"),
    ("LIST_PUBLIC_ROOMS", r#"{"limit":0}"#, "limit"),
    ("LIST_PUBLIC_ROOMS", r#"{"limit":201}"#, "limit"),
    ("QUERY_HISTORY", r#"{"limit":201}"#, "limit"),
    ("QUERY_HISTORY", r#"{"around":1}"#, "around"),
    ("QUERY_HISTORY", r#"{"at":1}"#, "at"),
    (
        "QUERY_HISTORY",
        r#"{"target_type":1,"target":"tea","around":1,"at":1}"#,
        "around",
    ),
    (
        "QUERY_HISTORY",
        r#"{"target_type":1,"target":"tea","around":1,"before":1}"#,
        "around",
    ),
    (
        "QUERY_HISTORY",
        r#"{"target_type":1,"target":"tea","at":1,"after":1}"#,
        "at",
    ),
    ("LIST_MENTIONS", r#"{"limit":0}"#, "limit"),
    ("SEARCH", r#"{"query":"LONG*257"}"#, "query"),
    ("SEARCH", r#"{"query":"x","limit":0}"#, "limit"),
    ("SEARCH", r#"{"query":"x","limit":201}"#, "limit"),
    ("SEARCH", r#"{"query":"x","target":"tea"}"#, "target_type"),
    ("SEARCH", r#"{"query":"x","target_type":1}"#, "target"),
    (
        "SEARCH",
        r#"{"query":"x","target_type":2,"target":"tea"}"#,
        "target_type",
    ),
    ("LIST_MENTIONS", r#"{"limit":201}"#, "limit"),
    ("REACT", r#"{"id":1,"emoji":"","on":true}"#, "emoji"),
    ("REACT", r#"{"id":1,"emoji":"a","on":true}"#, "emoji"),
    ("REACT", r#"{"id":1,"emoji":"👍👍","on":true}"#, "emoji"),
    ("REACT", r#"{"id":1,"emoji":"LONG*65","on":true}"#, "emoji"),
    ("REACT", r#"{"id":1,"emoji":"❤","on":true}"#, "emoji"),
    ("REACT", r#"{"id":1,"emoji":"👍","on":1}"#, "on"),
    (
        "CREATE_ROOM",
        r#"{"roomname":"den","members":MANY}"#,
        "members",
    ),
    (
        "CREATE_ROOM",
        r#"{"roomname":"den","members":[],"topic":"LONG*301"}"#,
        "topic",
    ),
    (
        "ADD_MEMBERS",
        r#"{"roomname":"tea","members":MANY}"#,
        "members",
    ),
    (
        "SET_ROOM",
        r#"{"roomname":"tea","topic":"LONG*301"}"#,
        "topic",
    ),
    (
        "SET_ROOM",
        r#"{"roomname":"tea","topic":"a\u001bb"}"#,
        "topic",
    ),
    (
        "SET_ROOM",
        r#"{"roomname":"tea","slow_seconds":3601}"#,
        "slow_seconds",
    ),
    (
        "SET_ROOM",
        r#"{"roomname":"tea","keep_days":36501}"#,
        "keep_days",
    ),
    (
        "SET_ROOM",
        r#"{"roomname":"tea","keep_days":18446744073709551615}"#,
        "keep_days",
    ),
    (
        "SET_ROLE",
        r#"{"roomname":"tea","username":"bob","role":"boss"}"#,
        "role",
    ),
    (
        "KICK",
        r#"{"roomname":"tea","username":"bob","reason":"LONG*201"}"#,
        "reason",
    ),
    (
        "KICK",
        r#"{"roomname":"tea","username":"bob","reason":"two\nlines"}"#,
        "reason",
    ),
    (
        "BAN",
        r#"{"roomname":"tea","username":"bob","reason":"LONG*201"}"#,
        "reason",
    ),
    (
        "BAN",
        r#"{"roomname":"tea","username":"bob","until":0}"#,
        "until",
    ),
    (
        "BAN",
        r#"{"roomname":"tea","username":"bob","until":PAST}"#,
        "until",
    ),
    (
        "BAN",
        r#"{"roomname":"tea","username":"bob","until":18446744073709551615}"#,
        "until",
    ),
    (
        "CREATE_BOT",
        r#"{"username":"clerk","rooms":MANY}"#,
        "rooms",
    ),
    (
        "CREATE_BOT",
        r#"{"username":"clerk","rooms":[],"expires":PAST}"#,
        "expires",
    ),
    (
        "CREATE_BOT",
        r#"{"username":"clerk","rooms":[],"expires":18446744073709551615}"#,
        "expires",
    ),
    (
        "NEW_BOT_TOKEN",
        r#"{"username":"robot","expires":PAST}"#,
        "expires",
    ),
    ("CREATE_INVITATION", r#"{"uses":0}"#, "uses"),
    ("CREATE_INVITATION", r#"{"uses":10001}"#, "uses"),
    ("CREATE_INVITATION", r#"{"expires":PAST}"#, "expires"),
    (
        "CREATE_INVITATION",
        r#"{"expires":18446744073709551615}"#,
        "expires",
    ),
];

/// Fields that take every value of their type, or refuse some with a code of its own, and why. Without a command, in
/// all of them.
const WITHOUT_RANGE: &[(&str, &str, &str)] = &[
    ("", "username", "a name of a user, or of none"),
    ("", "roomname", "a name of a room, or of none"),
    ("", "target", "a name of one or the other, or of none"),
    ("", "sender", "a name of a user, or of none"),
    ("SET_ROOM", "new_name", "a possible name, or bad_name"),
    ("", "content", "a possible content, or bad_content"),
    ("", "id", "a message, or none"),
    ("", "reply_to", "a message, or none"),
    ("", "before", "a place among all ids"),
    ("QUERY_HISTORY", "after", "a place among all ids"),
    ("LIST_PUBLIC_ROOMS", "after", "a place among all names"),
    ("SEARCH", "since", "a time, before or after all messages"),
    ("SEARCH", "until", "a time, before or after all messages"),
    (
        "",
        "password",
        "the right one, a wrong one, or bad_password",
    ),
    ("CHANGE_PASSWORD", "old", "the right one, or a wrong one"),
    ("CHANGE_PASSWORD", "new", "a possible one, or bad_password"),
    ("LOGIN", "resume", "a secret that is known, or is not"),
    ("LOGIN", "device", "a secret that is known, or is not"),
    ("LOGIN", "token", "a token that is known, or is not"),
    ("REGISTER", "invitation", "a code that is open, or is not"),
    (
        "REVOKE_INVITATION",
        "code",
        "a code that is open, or is not",
    ),
    ("ADMIN", "command", "for administrators: tests/ctl.rs"),
    ("ADMIN", "params", "for administrators: tests/ctl.rs"),
];

#[test]
fn every_field_has_a_value_that_it_does_not_take_or_takes_all() {
    for kind in RequestKind::ALL {
        let info = kind.info();
        for field in info.fields().iter().filter(|field| field.kind != "bool") {
            let has_row = BEYOND
                .iter()
                .any(|(command, _, blamed)| (*command, *blamed) == (info.name, field.name));
            let is_exempt = WITHOUT_RANGE
                .iter()
                .any(|(command, name, _)| *name == field.name && ["", info.name].contains(command));
            let what = (info.name, field.name, field.kind);
            assert!(has_row || is_exempt, "a row of BEYOND is missing: {what:?}");
        }
    }
}

#[test]
fn values_that_a_field_does_not_take_are_bad_params_and_change_nothing() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::administrators(&mut store, &["ann"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    seed::bot(&mut store, ("robot", "ann"), "tea", &[7; 32]);
    let mut sim = ann_and_a_guest(store);
    let before = sim.ask("ann", "LIST_MEMBERS", r#"{"roomname":"tea"}"#);
    let names = echat_proto::json::to_json(&many(1_001));
    for (command, params, field) in BEYOND {
        let past = sim.now.unix.to_string();
        let mut params = params.replace("PAST", &past).replace("MANY", &names);
        for bytes in [65, 201, 257, 301] {
            params = params.replace(&format!("LONG*{bytes}"), &"x".repeat(bytes));
        }
        let replies = sim.ask("ann", command, &params);
        let refused = &replies.last().expect("a reply").params;
        let shown: String = params.chars().take(80).collect();
        assert_eq!(
            refused.at("code"),
            Some(&Value::from("bad_params")),
            "{command} {shown}: {refused:?}"
        );
        assert_eq!(
            refused.at("field"),
            Some(&Value::from(*field)),
            "{command} {shown}"
        );
    }
    let after = sim.ask("ann", "LIST_MEMBERS", r#"{"roomname":"tea"}"#);
    assert_eq!(before, after);
}

#[test]
fn null_in_a_request_is_an_absent_key_except_for_keep_days() {
    for kind in RequestKind::ALL {
        let Shape::Dict(fields) = kind.info().shape else {
            continue;
        };
        let all = dict(fields);
        for (index, field) in fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.optional)
        {
            let mut null = all.clone();
            null[index].1 = Value::Null;
            let mut absent = all.clone();
            absent.remove(index);
            let [null, absent] =
                [null, absent].map(|entries| format!("{:?}", kind.read(&Value::Dict(entries))));
            let is_same = field.name != "keep_days";
            assert_eq!(null == absent, is_same, "{kind:?} {}", field.name);
        }
    }
    let given = from_json(r#"{"roomname":"tea","keep_days":null}"#).expect("JSON");
    assert!(RequestKind::SetRoom.read(&given).is_ok());
}
