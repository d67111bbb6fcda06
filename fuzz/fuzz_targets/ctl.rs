//! A line of the administration's socket.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| echat_fuzz::server::ctl::check(bytes));
