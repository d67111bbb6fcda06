//! A line of a script or of standard input.

#![no_main]

#[path = "../../echat-client/tests/decoders/mod.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::line::check(bytes));
