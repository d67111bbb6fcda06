//! What a terminal sends.

#![no_main]

#[path = "../../echat-client/tests/decoders/mod.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::keys::check(bytes));
