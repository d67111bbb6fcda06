//! A value of the wire.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::value::check(bytes));
