//! The echat/2 wire.
