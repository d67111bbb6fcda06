//! The echat server: one thread, one mio loop over every channel, all state and `SQLite`.
//!
//! The program in `main.rs` is thin; what it does lives here, so that tests can drive the parts.

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod exit;
pub mod host_key;
pub mod logging;
mod private_file;
