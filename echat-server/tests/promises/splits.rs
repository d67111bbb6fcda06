//! The replies do not depend on how the bytes are split.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::{by_name, channel};
use echat_server::config::Limits;
use echat_server::storage::Store;
use proptest::prelude::*;

/// A session with every kind of message, sent at once.
fn session(pace: usize) -> Vec<Message> {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.connect("ann", HOME);
    sim.pace = pace;
    for (command, params) in [
        ("QUERY_SERVER_TIME", "null"),
        ("LOGIN", r#"{"username":"ann","password":"correct horse"}"#),
        ("LIST_ROOMS", "null"),
        (
            "SEND_MESSAGE",
            r#"{"target_type":0,"target":"bob","content":"hi"}"#,
        ),
        ("LIST_MEMBERS", r#""tea""#),
        ("SEND_MESSAGE_FAILURE", "null"),
        ("QUERY_HISTORY", "{}"),
        ("LOGOUT", "null"),
        ("LIST_ROOMS", "null"),
    ] {
        let number = by_name(command).expect("a command of the table").number;
        sim.say(
            "ann",
            number,
            echat_proto::json::from_json(params).expect("JSON"),
        );
    }
    sim.settle();
    let replies = sim.end("ann").take_messages();
    assert_eq!(sim.end("ann").unanswered(), 0, "at {pace} bytes a step");
    replies
}

#[test]
fn a_session_byte_by_byte_is_answered_as_a_whole_one() {
    assert_eq!(session(1), session(usize::MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]
    #[test]
    fn a_session_gets_the_same_answers_at_every_pace(pace in 2_usize..600) {
        prop_assert_eq!(session(pace), session(usize::MAX));
    }
}

#[test]
fn the_largest_frame_is_accepted_however_it_is_split() {
    let limits = Limits::default();
    // Command, tag and length; a whole number of blocks.
    let plain = limits.frame_bytes;
    let mut body = Vec::new();
    let item = Message {
        command: 1,
        params: Value::Null,
    }
    .encode()
    .expect("small");
    while body.len() + 4 + item.len() + 9 <= plain {
        body.extend_from_slice(&u32::try_from(item.len()).expect("small").to_be_bytes());
        body.extend_from_slice(&item);
    }
    let count = body.len() / (4 + item.len());
    let batch = Message {
        command: channel::BATCH,
        params: Value::Bytes(body),
    };
    let batch = batch.encode().expect("within the limit");
    assert!(
        batch.len().next_multiple_of(16) == plain,
        "it is the largest"
    );
    for pace in [1_000, 65_536, 65_540, 65_588] {
        let mut store = Store::in_memory().expect("memory is there");
        seed::accounts(&mut store, &["ann"]);
        let mut sim = Sim::new(1, limits.clone(), store);
        log_in(&mut sim, &["ann"]);
        sim.pace = pace;
        sim.say_plain("ann", &batch);
        sim.settle();
        assert_eq!(
            sim.end("ann").take_messages().len(),
            count,
            "at {pace} bytes a step"
        );
    }
}
