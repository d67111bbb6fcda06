//! The plaintext of a frame.

#![no_main]

#[path = "../../echat-proto/tests/decoders/mod.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::plain::check(bytes));
