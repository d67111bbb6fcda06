//! JSON from people and scripts.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::json::check(bytes));
