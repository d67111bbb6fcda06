//! Where frames begin and end.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::frame::check(bytes));
