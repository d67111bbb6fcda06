//! A fuzzer's corpus and mutations of it, for a run without a fuzzer.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use std::path::Path;

use crate::campaign;

/// Mutated inputs of an ordinary run for each decoder; `ECHAT_DECODINGS` asks for more.
const DECODINGS: usize = 3_000;

/// The inputs that a fuzzer keeps for a decoder, the smallest first.
pub fn corpus(name: &str) -> Vec<Vec<u8>> {
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
struct ShownOnPanic<'a>(&'a [u8]);

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input: b\"{}\"", self.0.escape_ascii());
        }
    }
}

/// Runs a decoder over a corpus, and over `count` inputs made of it.
pub fn smoke(corpus: &[Vec<u8>], decoder: impl Fn(&[u8]), count: usize) {
    let run = |input: &[u8]| {
        let shown = ShownOnPanic(input);
        decoder(shown.0);
    };
    for input in corpus {
        run(input);
    }
    let rng = &mut StdRng::seed_from_u64(0);
    for _ in 0..count {
        run(&mutated(corpus, rng));
    }
}

/// How many mutated inputs are asked for.
pub fn decodings() -> usize {
    campaign::count("ECHAT_DECODINGS", DECODINGS)
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
