//! The echat server: one thread, one mio loop over every channel, all state and SQLite.
//!
//! The program in `main.rs` is thin; what it does lives here, so that tests can drive the parts.
//! A message's way, and who may import whom (only to the right, siblings never each other):
//!
//! ```text
//! main -> reactor -> engine -> { routes, peer } ; routes -> handlers -> { outbox, roster, store }
//! ```
//!
//! * only [`store`] holds SQL, only [`reactor`] and [`workers`] name mio;
//! * only `main` and [`reactor`] read a clock; everything else is told the time ([`clock`]);
//! * [`workers`] is the heavy arithmetic, pure functions run on worker threads.

pub mod cli;
pub mod clock;
pub mod config;
pub mod conn;
pub mod console;
pub mod data_dir;
pub mod engine;
mod escape;
pub mod exit;
mod handlers;
pub mod host_key;
mod limits;
pub mod logging;
mod outbox;
pub mod output;
mod peer;
mod private_file;
pub mod private_memory;
pub mod reactor;
pub mod roster;
mod routes;
mod session_log;
pub mod store;
pub mod workers;
