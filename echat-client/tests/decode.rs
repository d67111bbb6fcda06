//! What the clients read, against hostile bytes: the corpus that the fuzzer keeps, and mutations of it.

mod decoders;

use echat_testkit::corpus::{corpus, decodings, smoke};

#[test]
fn lines() {
    smoke(&corpus("line"), decoders::line::check, decodings());
}

#[test]
fn keys() {
    smoke(&corpus("keys"), decoders::keys::check, decodings());
}

/// What stands in a command's place is gathered before it is refused.
#[test]
fn the_most_expensive_lines_keep_to_the_bound_too() {
    for count in [1, 100, 513, 1_025, 8_193] {
        for (open, item, close) in [("[", "1", "]"), ("{", "\"\":1", "}"), ("[", "[]", "]")] {
            let items = vec![item; count].join(",");
            for line in [
                format!("{{\"command\":{open}{items}{close}}}"),
                format!("{{\"command\":1,\"params\":{open}{items}{close}}}"),
                format!("1 {open}{items}{close}"),
            ] {
                decoders::line::check(line.as_bytes());
            }
        }
    }
}
