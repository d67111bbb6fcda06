//! Terminals: what one shows, what it is asked for, and the users in front of it.

pub mod emulator;
pub mod multiplexer;
pub mod person;
pub mod pty;
pub mod requested;
pub mod svg;
