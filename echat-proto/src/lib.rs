//! The echat/2 wire.

pub mod limits;
pub mod names;
