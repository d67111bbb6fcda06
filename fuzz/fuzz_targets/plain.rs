//! The plaintext of a frame.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::plain::check(bytes));
