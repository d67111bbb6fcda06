//! Both hellos, as they come.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_testkit::decoders::hello::check(bytes));
