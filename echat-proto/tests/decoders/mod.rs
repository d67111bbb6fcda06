//! What every decoder owes, whatever bytes come: no panic, memory in proportion to the input, one form
//! for one meaning, and the same result however the bytes are cut. One function a decoder, which the
//! test `decode` runs on the corpus and its mutations, and `fuzz/` under a fuzzer.

#![allow(dead_code, reason = "each fuzz target uses its own part")]

pub(crate) mod answer;
pub(crate) mod frame;
pub(crate) mod hello;
pub(crate) mod json;
mod memory;
pub(crate) mod plain;
mod signed;
pub(crate) mod value;

/// Three ways to cut `bytes`: not at all, into single bytes, and into pieces whose lengths follow from
/// the bytes themselves, so that a fuzzer chooses them.
fn cuts(bytes: &[u8]) -> [Vec<&[u8]>; 3] {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let length = rest.len().min(1 + usize::from(*first));
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    [vec![bytes], bytes.chunks(1).collect(), pieces]
}
