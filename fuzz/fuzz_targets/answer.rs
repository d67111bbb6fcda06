//! What follows a ServerHello that holds.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::answer::check(bytes));
