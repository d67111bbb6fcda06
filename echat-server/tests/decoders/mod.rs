//! What the server reads besides the wire. `fuzz/` includes this module.

#![allow(unreachable_pub, reason = "it is public in fuzz/")]

pub mod ctl;
