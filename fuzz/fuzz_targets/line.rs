//! A line of a script or of standard input.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_fuzz::decoders::line::check(bytes));
