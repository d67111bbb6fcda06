//! JSON from people and scripts.

#![no_main]

#[path = "../../echat-proto/tests/decoders/mod.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::json::check(bytes));
