//! What follows a ServerHello that holds.

#![no_main]

#[path = "../../echat-proto/tests/decoders/mod.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::answer::check(bytes));
