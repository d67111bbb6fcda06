//! What the clients read owes the same as what echat-proto does (`echat_testkit::decoders`). `fuzz/` includes
//! this module.

#![allow(unreachable_pub, reason = "it is public in fuzz/")]

pub mod keys;
pub mod line;
