//! Every request gets exactly one final reply, however wrong its parameters are, and the connection
//! stays.

use super::params::{at_the_edges, wrong};
use crate::sim::script::ann_and_a_guest;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::commands::RequestKind;
use echat_proto::limits::{FRAME_AFTER_LOGIN, FRAME_BEFORE_LOGIN};
use echat_server::storage::Store;

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    ann_and_a_guest(store)
}

/// The limit on L of a client's frames.
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
            assert_eq!(sim.end(caller).owed(), 0, "{} is not answered", info.name);
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
    assert_eq!(sim.end("ann").owed(), 0);
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
        assert_eq!(sim.end(caller).owed(), 0, "{}", info.name);
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
        // Each second time the next LOGIN finds its user logged in.
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
    assert_eq!(sim.end("guest").owed(), 0);
    assert!(sim.end("guest").is_open());
}
