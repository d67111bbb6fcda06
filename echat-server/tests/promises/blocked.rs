//! A blocked user cannot tell an online blocker from an offline stranger.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_server::config::Limits;
use echat_server::storage::Store;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// Invitations that a user may have (PROTOCOL.md, section 7).
const INVITATIONS: usize = 200;
/// Random sequences of requests.
const SEQUENCES: u64 = 20;
/// Requests in each.
const REQUESTS: usize = 40;

/// Requests of the blocked user.
const QUESTIONS: &[(&str, &str)] = &[
    ("ADD_FRIEND", r#""ann""#),
    ("INVITE", r#"{"roomname":"den","username":"ann"}"#),
    ("INVITE", r#"{"roomname":"tea","username":"ann"}"#),
    ("CREATE_ROOM", r#"{"roomname":"pot","members":["ann"]}"#),
    ("ADD_MEMBERS", r#"{"roomname":"den","members":["ann"]}"#),
    (
        "RESOLVE_FRIEND_REQUEST",
        r#"{"username":"ann","accepted":true}"#,
    ),
    ("REMOVE_FRIEND", r#""ann""#),
    (
        "SEND_MESSAGE",
        r#"{"target_type":0,"target":"ann","content":"hi"}"#,
    ),
    (
        "SEND_MESSAGE",
        r#"{"target_type":1,"target":"tea","content":"hi"}"#,
    ),
    ("QUERY_HISTORY", r#"{"target_type":0,"target":"ann"}"#),
    ("KICK", r#"{"roomname":"den","username":"ann"}"#),
    ("LIST_MEMBERS", r#""tea""#),
    ("LIST_MEMBERS", r#"{"roomname":"tea"}"#),
    ("WHOIS", r#""ann""#),
    ("ROOM_INFO", r#""tea""#),
    ("LIST_PUBLIC_ROOMS", "{}"),
    ("LIST_FRIENDS", "null"),
    ("LIST_BANS", r#""den""#),
    ("LIST_BLOCKED", "null"),
    ("LIST_ROOMS", "null"),
    ("FIND", r#"{"keyword":"ann"}"#),
];

/// Requests of the blocker.
const BLOCKER_ACTIONS: &[(&str, &str)] = &[
    ("LOGOUT", "null"),
    ("SET_AWAY", r#""lunch""#),
    ("SET_AWAY", "null"),
    ("SET_PRIVACY", r#"{"last_seen":false}"#),
    ("LIST_MEMBERS", r#""tea""#),
    ("QUERY_HISTORY", "{}"),
    ("MARK_READ", r#"{"target_type":1,"target":"tea","id":9}"#),
    (
        "RESOLVE_FRIEND_REQUEST",
        r#"{"username":"bob","accepted":true}"#,
    ),
    (
        "RESOLVE_FRIEND_REQUEST",
        r#"{"username":"bob","accepted":false}"#,
    ),
    ("DECLINE_INVITATION", r#""den""#),
    ("ADD_FRIEND", r#""bob""#),
    ("BLOCK", r#""bob""#),
];

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob", "eve"]);
    seed::room(&mut store, "tea", &["eve", "ann", "bob"]);
    seed::room(&mut store, "den", &["bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim
}

/// A message as text, without the secrets of a session and the identity of the history, which are random.
fn as_text(message: &Message) -> String {
    let mut params = message.params.clone();
    if let Value::Dict(entries) = &mut params {
        entries.retain(|(key, _)| !matches!(&**key, "resume" | "history" | "device"));
    }
    format!("{} {params:?}", message.command)
}

/// Everything that bob receives. With `blocks`, ann blocks bob and goes online and offline; otherwise ann is offline
/// all the time.
fn received(blocks: bool, seed: u64) -> Vec<String> {
    let mut sim = sim();
    if blocks {
        log_in(&mut sim, &["ann"]);
        sim.ask("ann", "BLOCK", r#""bob""#);
    }
    let login = |name: &str| format!(r#"{{"username":"{name}","password":"{}"}}"#, seed::PASSWORD);
    sim.connect("bob", HOME);
    let mut told = sim.ask("bob", "LOGIN", &login("bob"));
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..REQUESTS {
        let doing = BLOCKER_ACTIONS.choose(&mut rng).expect("there are some");
        let does = rng.random_range(0..2) == 0;
        if blocks && does {
            sim.ask("ann", doing.0, doing.1);
            sim.ask("ann", "LOGIN", &login("ann"));
        }
        // Expensive requests cause a cool-down, with and without the block.
        sim.advance(std::time::Duration::from_secs(6));
        if rng.random_range(0..8) == 0 {
            told.extend(sim.ask("bob", "LOGOUT", "null"));
            told.extend(sim.ask("bob", "LOGIN", &login("bob")));
        }
        let (command, params) = QUESTIONS.choose(&mut rng).expect("there are some");
        told.extend(sim.ask("bob", command, params));
        told.extend(sim.end("bob").take_messages());
    }
    told.iter().map(as_text).collect()
}

#[test]
fn a_blocked_user_receives_the_same_as_a_stranger() {
    for seed in 0..SEQUENCES {
        let (blocked, stranger) = (received(true, seed), received(false, seed));
        assert!(blocked.len() > REQUESTS, "bob is answered");
        assert_eq!(blocked, stranger, "seed {seed}");
    }
}

#[test]
fn a_blocked_user_may_invite_the_blocker_as_often_as_a_stranger() {
    let invited = |blocks: bool| {
        let mut store = Store::in_memory().expect("memory is there");
        seed::accounts(&mut store, &["ann", "bob", "eve"]);
        let rooms: Vec<String> = (0..=INVITATIONS).map(|n| format!("room{n}")).collect();
        for room in &rooms {
            seed::room(&mut store, room, &["bob"]);
        }
        seed::room(&mut store, "den", &["eve"]);
        let mut sim = Sim::new(1, Limits::default(), store);
        log_in(&mut sim, &["ann", "bob"]);
        if blocks {
            sim.ask("ann", "BLOCK", r#""bob""#);
        }
        let replies = rooms.iter().map(|room| {
            sim.advance(std::time::Duration::from_secs(6));
            let params = format!(r#"{{"roomname":"{room}","username":"ann"}}"#);
            sim.ask("bob", "INVITE", &params)
                .iter()
                .map(as_text)
                .collect()
        });
        let told: Vec<Vec<String>> = replies.collect();
        log_in(&mut sim, &["eve"]);
        let den = sim.ask("eve", "INVITE", r#"{"roomname":"den","username":"ann"}"#);
        (told, as_text(den.last().expect("a reply")))
    };
    let ((blocked, of_other), (stranger, _)) = (invited(true), invited(false));
    assert!(stranger[INVITATIONS][0].contains("too_many"));
    assert_eq!(blocked, stranger);
    assert!(
        !of_other.contains("too_many"),
        "others may still invite the blocker: {of_other}"
    );
}
