//! `echat-nc`, the debug client.

pub mod args;
pub mod exit;
pub mod expectation;
mod flags;
pub mod message;
pub mod owed;
pub mod rules;
pub mod script;
pub mod session;
pub mod step;
pub mod subset;
