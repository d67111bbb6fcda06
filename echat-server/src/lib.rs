//! The echat server: one thread, one mio loop over every socket, all state and SQLite.
//!
//! The program in `main.rs` is thin; what it does lives here, so that tests can drive the parts.
//! A message goes down this list, and a module imports only from the lines below its own:
//!
//! ```text
//! main
//! reactor
//! engine
//! routes  peer  replay
//! handlers
//! outbox  roster  limits  storage
//! ```
//!
//! * only [`storage`] holds SQL, only [`reactor`] and the threads of [`workers`] name mio;
//! * besides the log, only `main` and [`reactor`] read a clock; every other module takes the time as an argument
//!   ([`clock`]);
//! * [`workers`] has the heavy arithmetic: pure functions that run on worker threads.

pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conn;
pub mod console;
pub mod ctl;
pub mod data_dir;
pub mod engine;
mod escape;
pub mod exit;
mod handlers;
pub mod host_key;
mod limits;
pub mod logging;
pub mod maintenance;
pub mod metrics;
mod outbox;
pub mod output;
mod peer;
mod presence_change;
mod proxy_header;
pub mod reactor;
pub mod replay;
pub mod roster;
mod routes;
pub mod secrets;
mod session_log;
pub mod storage;
pub mod workers;
