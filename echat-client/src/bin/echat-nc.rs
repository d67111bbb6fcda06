//! nc.
fn main() {}
