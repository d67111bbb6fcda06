//! What the clients read owes the same as what echat-proto does (echat-proto/tests/decoders).

pub(crate) mod keys;
pub(crate) mod line;
#[path = "../../../echat-proto/tests/decoders/memory.rs"]
mod memory;
