//! Decoders against hostile bytes: every input of the corpus that the fuzzers keep, mutations of them,
//! and the inputs that cost the most memory.

mod decoders;

use decoders::{answer, frame, hello, json, plain, value};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::path::Path;

/// Mutated inputs of an ordinary run for each decoder; `ECHAT_DECODINGS` asks for more.
const DECODINGS: usize = 3_000;

/// The inputs that a fuzzer keeps for a decoder, the smallest first.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let mut inputs: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| std::fs::read(entry.expect("readable").path()).expect("a file"))
        .collect();
    inputs.sort_by_key(|input| (input.len(), input.clone()));
    assert!(!inputs.is_empty());
    inputs
}

/// An input that is being decoded, shown if that fails.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input: {}", hex::encode(self.0));
        }
    }
}

/// Decodes the corpus, and `count` inputs made of it.
fn smoke(name: &str, decoder: fn(&[u8]), count: usize) {
    let corpus = corpus(name);
    let run = |input: &[u8]| {
        let shown = Shown(input);
        decoder(shown.0);
    };
    for input in &corpus {
        run(input);
    }
    let rng = &mut StdRng::seed_from_u64(0);
    for _ in 0..count {
        run(&mutated(&corpus, rng));
    }
}

fn decodings() -> usize {
    std::env::var("ECHAT_DECODINGS").map_or(DECODINGS, |count| count.parse().expect("a number"))
}

/// One of the corpus after a few changes.
fn mutated(corpus: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut input = corpus[rng.random_range(..corpus.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(..=input.len());
        let end = rng.random_range(at..=input.len().min(at + 64));
        match rng.random_range(0..6) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, rng.random()),
            2 => input.extend_from_within(at..end),
            3 => rng.fill_bytes(&mut input[at..end]),
            4 => {
                let other = &corpus[rng.random_range(..corpus.len())];
                let from = rng.random_range(..=other.len());
                input.splice(at.., other[from..].iter().copied());
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        }
    }
    input
}

#[test]
fn values() {
    smoke("value", value::check, decodings());
}

#[test]
fn frames() {
    smoke("frame", frame::check, decodings());
}

#[test]
fn plaintexts() {
    smoke("plain", plain::check, decodings());
}

#[test]
fn hellos() {
    smoke("hello", hello::check, decodings());
}

/// Each costs four modular powers.
#[test]
fn answers() {
    smoke("answer", answer::check, decodings() / 20);
}

#[test]
fn texts() {
    smoke("json", json::check, decodings());
}

/// Short items cost the most memory for a byte, and vectors the most where they have just grown.
#[test]
fn the_dearest_inputs_keep_to_the_bound_too() {
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
