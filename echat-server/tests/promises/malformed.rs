//! A frame with a valid tag and malformed contents ends its connection with CLOSE_NOTIFY(2), for every command. A frame
//! that is barely well-formed is an ordinary request.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_proto::channel::{Incoming, Message};
use echat_proto::commands::RequestKind;
use echat_proto::limits::{DEPTH, FRAME_AFTER_LOGIN, VALUES};
use echat_server::config::Limits;
use echat_server::storage::Store;

const INT: u8 = 1;
const FLOAT: u8 = 2;
const STR: u8 = 3;
const LIST: u8 = 4;
const DICT: u8 = 5;
const BOOL: u8 = 6;

/// type | length | body
fn value(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short");
    declaring(tag, length, body)
}

fn declaring(tag: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// key length | key | value, one after another
fn dict(entries: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let entry = |(key, value): &(&[u8], Vec<u8>)| {
        let length = u8::try_from(key.len()).expect("a key");
        [&[length][..], key, value].concat()
    };
    value(DICT, &entries.iter().flat_map(entry).collect::<Vec<u8>>())
}

/// A list in a list, `depth` levels deep.
fn nested(depth: usize) -> Vec<u8> {
    (1..depth).fold(value(LIST, &[]), |inner, _| value(LIST, &inner))
}

/// A list of nulls with `values` values in total.
fn many(values: usize) -> Vec<u8> {
    value(LIST, &vec![0; values - 1])
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let ann = || value(STR, b"ann");
    let named = |name: &[u8], other: &[u8]| dict(&[(name, ann()), (other, ann())]);
    // Each level takes five bytes: this is as deep as a frame can be.
    let deepest = (FRAME_AFTER_LOGIN - 16) / 5;
    vec![
        ("no value", vec![]),
        ("an unknown type", vec![8]),
        (
            "an int of 9 bytes, 2^64",
            value(INT, &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
        ),
        ("an int of no bytes", value(INT, &[])),
        ("an int with a leading zero", value(INT, &[0, 1])),
        ("zero in two bytes", value(INT, &[0, 0])),
        ("a float of 4 bytes", value(FLOAT, &[0; 4])),
        ("NaN", value(FLOAT, &f64::NAN.to_be_bytes())),
        ("infinity", value(FLOAT, &f64::INFINITY.to_be_bytes())),
        ("bool 2", value(BOOL, &[2])),
        ("a bool of two bytes", value(BOOL, &[0, 1])),
        ("a lone surrogate", value(STR, b"a\xed\xa0\x80")),
        ("an overlong form", value(STR, b"\xc0\x80")),
        (
            "half a character",
            value(STR, "\u{e9}".as_bytes().split_at(1).0),
        ),
        ("a key twice", named(b"username", b"username")),
        ("an empty key", named(b"", b"username")),
        ("a key of 65 bytes", named(&[b'k'; 65], b"username")),
        ("a key of no UTF-8", named(b"\xff", b"username")),
        ("a length one short", declaring(STR, 2, b"ann")),
        ("a length one long", declaring(STR, 4, b"ann")),
        ("a length of 4 GiB", declaring(STR, u32::MAX, b"ann")),
        (
            "an inner length one long",
            value(LIST, &declaring(STR, 4, b"ann")),
        ),
        ("a trailing byte", [ann(), vec![0]].concat()),
        ("depth 9", nested(DEPTH + 1)),
        ("the depth of a frame", nested(deepest)),
        ("16,385 values", many(VALUES + 1)),
    ]
}

/// Ann, logged in without hashing.
fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.skip_hashing = true;
    sim
}

fn says(sim: &mut Sim, command: u32, value: &[u8]) {
    sim.say_plain("ann", &[&command.to_be_bytes()[..], value].concat());
    sim.settle();
}

#[test]
fn a_malformed_frame_ends_the_connection_and_the_requests_before_it_are_answered() {
    let mut sim = sim();
    for ((what, value), kind) in malformed().iter().zip(RequestKind::ALL.iter().cycle()) {
        log_in(&mut sim, &["ann"]);
        sim.say("ann", 17, Value::Null);
        says(&mut sim, kind.info().number, value);
        let end = sim.end("ann");
        let answered = end.next().map(|(incoming, _)| incoming);
        assert!(
            matches!(
                answered,
                Some(Incoming::Message(Message { command: 122, .. }))
            ),
            "{what}"
        );
        assert_eq!(end.next(), Some((Incoming::Close(2), None)), "{what}");
        assert!(end.next().is_none() && end.is_closed(), "{what}");
    }
}

#[test]
fn a_barely_well_formed_request_is_refused_like_any_other() {
    let mut sim = sim();
    log_in(&mut sim, &["ann"]);
    for (what, value) in [
        ("depth 8", nested(DEPTH)),
        ("16,384 values", many(VALUES)),
        (
            "a key of 64 bytes",
            dict(&[(&[b'k'; 64], value(INT, &[1]))]),
        ),
        ("an int of 8 bytes", value(INT, &[0xff; 8])),
    ] {
        for kind in RequestKind::ALL
            .iter()
            .filter(|kind| **kind != RequestKind::Logout)
        {
            says(&mut sim, kind.info().number, &value);
            let replies = sim.end("ann").take_messages();
            let code = replies[0].params.at("code");
            let codes = [
                Some(&Value::from("bad_params")),
                Some(&Value::from("already_logged_in")),
            ];
            assert!(
                replies.len() == 1 && codes.contains(&code),
                "{what}: {replies:?}"
            );
        }
    }
}
