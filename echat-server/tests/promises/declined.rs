//! A declined friend request is secret: for its sender it looks like an open request, for other users like none.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_server::config::Limits;
use echat_server::storage::Store;

/// Requests about another user, whose name replaces `%`. None of them makes friends.
const QUESTIONS: &[(&str, &str)] = &[
    (
        "RESOLVE_FRIEND_REQUEST",
        r#"{"username":"%","accepted":true}"#,
    ),
    (
        "RESOLVE_FRIEND_REQUEST",
        r#"{"username":"%","accepted":false}"#,
    ),
    (
        "SEND_MESSAGE",
        r#"{"target_type":0,"target":"%","content":"hi"}"#,
    ),
    ("QUERY_HISTORY", r#"{"target_type":0,"target":"%"}"#),
    ("MARK_READ", r#"{"target_type":0,"target":"%","id":1}"#),
    ("CREATE_ROOM", r#"{"roomname":"den","members":["%"]}"#),
    ("FIND", r#"{"keyword":"%"}"#),
    ("LIST_ROOMS", "null"),
    ("LOGOUT", "null"),
];

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve"]);
    let limits = Limits {
        friend_requests: 0,
        ..Limits::default()
    };
    let mut sim = Sim::new(1, limits, store);
    sim.skip_hashing = true;
    log_in(&mut sim, &["ann", "bob", "eve"]);
    sim
}

fn asks(sim: &mut Sim, asker: &str, other: &str) -> Option<bool> {
    let replies = sim.ask(asker, "ADD_FRIEND", &format!("{other:?}"));
    match replies.last()?.params.at("success")? {
        Value::Bool(success) => Some(*success),
        _ => None,
    }
}

/// Ann sent bob a friend request, bob declined it, and ann repeated it.
fn declined() -> Sim {
    let mut sim = sim();
    assert_eq!(asks(&mut sim, "ann", "bob"), Some(true));
    let no = r#"{"username":"ann","accepted":false}"#;
    sim.ask("bob", "RESOLVE_FRIEND_REQUEST", no);
    sim.end("bob").take_messages();
    assert_eq!(asks(&mut sim, "ann", "bob"), Some(true));
    sim
}

/// All that a user receives about another, including a new login.
fn everything_received(sim: &mut Sim, user: &str, of: &str) -> Vec<Message> {
    let mut replies = sim.end(user).take_messages();
    for (command, params) in QUESTIONS {
        replies.extend(sim.ask(user, command, &params.replace('%', of)));
    }
    let login = format!(r#"{{"username":"{user}","password":"{}"}}"#, seed::PASSWORD);
    replies.extend(sim.ask(user, "LOGIN", &login));
    replies
}

#[test]
fn the_sender_cannot_tell_a_declined_request_from_a_pending_one() {
    let mut waits = sim();
    assert_eq!(asks(&mut waits, "ann", "bob"), Some(true));
    let mut declined = declined();
    assert_eq!(
        everything_received(&mut waits, "ann", "bob"),
        everything_received(&mut declined, "ann", "bob")
    );
    for _ in 0..200 {
        let both = [&mut waits, &mut declined].map(|sim| asks(sim, "ann", "bob"));
        assert_eq!(both, [Some(false); 2]);
    }
}

#[test]
fn the_receiver_cannot_tell_a_declined_request_from_none() {
    let (mut none, mut declined) = (sim(), declined());
    for _ in 0..200 {
        asks(&mut declined, "ann", "bob");
    }
    assert_eq!(
        everything_received(&mut none, "bob", "ann"),
        everything_received(&mut declined, "bob", "ann")
    );
}

#[test]
fn only_the_receiver_can_answer_a_request_or_learns_of_it() {
    let mut sim = declined();
    assert_eq!(asks(&mut sim, "eve", "bob"), Some(true));
    for user in ["ann", "eve"] {
        for of in ["ann", "bob", "eve"] {
            for accepted in [true, false] {
                let params = format!(r#"{{"username":"{of}","accepted":{accepted}}}"#);
                let replies = sim.ask(user, "RESOLVE_FRIEND_REQUEST", &params);
                let code = Value::Str("no_request".to_owned());
                assert_eq!(replies[0].params.at("code"), Some(&code), "{user} of {of}");
            }
        }
        assert!(sim.end(user).take_messages().is_empty());
    }
}
