//! `echat-nc` as people and scripts have it: against a server that the test plays, and against the real one.

mod follow;
mod page;
mod server;
mod talk;
mod terminal;
mod trust;

const ECHAT_NC: &str = env!("CARGO_BIN_EXE_echat-nc");
