//! Decoders against hostile bytes: every input of the corpus that the fuzzers keep, mutations of them,
//! and the inputs that cost the most memory.

use echat_testkit::corpus::{corpus, decodings, smoke};
use echat_testkit::decoders::{answer, frame, hello, json, plain, value};

#[test]
fn values() {
    smoke(&corpus("value"), value::check, decodings());
}

#[test]
fn frames() {
    smoke(&corpus("frame"), frame::check, decodings());
}

#[test]
fn plaintexts() {
    smoke(&corpus("plain"), plain::check, decodings());
}

#[test]
fn hellos() {
    smoke(&corpus("hello"), hello::check, decodings());
}

/// Each costs four modular powers.
#[test]
fn answers() {
    smoke(&corpus("answer"), answer::check, decodings() / 20);
}

#[test]
fn texts() {
    smoke(&corpus("json"), json::check, decodings());
}

/// Short items cost the most memory for a byte, and vectors the most where they have just grown.
#[test]
fn the_most_expensive_inputs_keep_to_the_bound_too() {
    for count in [1, 100, 513, 1_025, 8_193, 16_383] {
        let items = vec![0; count];
        value::check(&[&[4][..], &length(items.len()), &items].concat());
        let entries: Vec<u8> = (0..count).flat_map(entry).collect();
        value::check(&[&[5][..], &length(entries.len()), &entries].concat());
        for item in ["1", "[]", "{}", "\"\""] {
            json::check(format!("[{}]", vec![item; count].join(",")).as_bytes());
        }
        let entries: Vec<String> = (0..count).map(|n| format!("\"{n:x}\":1")).collect();
        json::check(format!("{{{}}}", entries.join(",")).as_bytes());
    }
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("short").to_be_bytes()
}

/// An entry of a dict: a key of as few bytes as make it different from others, and null.
fn entry(n: usize) -> Vec<u8> {
    let key = format!("{n:x}");
    [
        &[u8::try_from(key.len()).expect("short")][..],
        key.as_bytes(),
        &[0],
    ]
    .concat()
}
