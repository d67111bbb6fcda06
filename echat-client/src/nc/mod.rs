//! `echat-nc`, the debug client.

pub mod args;
pub mod exit;
mod flags;
pub mod script;
