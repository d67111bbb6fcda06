//! `echat-nc`, the debug client.

pub mod exit;
pub mod script;
