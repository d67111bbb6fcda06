//! What every decoder owes, whatever bytes come: no panic, memory in proportion to the input, one form
//! for one meaning, and the same result however the bytes are cut. One function a decoder, which the
//! test `decode` of echat-proto runs on the corpus and its mutations, and `fuzz/` under a fuzzer.

pub mod answer;
pub mod frame;
pub mod hello;
pub mod json;
pub mod memory;
pub mod plain;
pub mod signed;
pub mod value;

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
